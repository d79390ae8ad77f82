"""Counts for the dashboard what the daily note has gathered anyway."""

from datetime import datetime, timedelta

from keypost import telemetry
from keypost.core.daily_note import DailyNote


def count_note(note: DailyNote, now: datetime) -> None:
    telemetry.outcome("OrdersWaiting", note.waiting)
    if (since := note.undelivered_since) and since <= now:  # a renewal may wait for codes that it needs later
        telemetry.outcome("OldestWaitingHours", int((now - since) / timedelta(hours=1)))
    if (days := note.stock_days) is not None:
        telemetry.outcome("StockDays", days)
