"""The schedule after the daily rule: one mail a day to support, if there is something to report. It runs three times a
day, because a run may fail."""

from datetime import UTC, datetime
from typing import Any

from keypost import telemetry, wiring
from keypost.clients.mailer import NO_ORDER
from keypost.core.mail import MailNotSent
from keypost.core.periods import local_day
from keypost.use_cases.count_note import count_note
from keypost.use_cases.look_ahead import gather_note

wiring.warm(wiring.store, wiring.mailer)


@telemetry.logger.inject_lambda_context
@telemetry.metrics.log_metrics
def handler(_event: dict[str, Any], _context: object) -> None:
    from keypost.emails.daily_note import compose_daily_note  # noqa: PLC0415 - not when there is nothing to say

    now, settings = datetime.now(UTC).replace(microsecond=0), wiring.config()
    store, today = wiring.store(), local_day(now, settings.zone)
    if not store.begin_note(today, now):
        return None  # it was sent, or another run is at it
    note = gather_note(store, now, settings.zone, settings.quiet_doors)
    wiring.tell_of_low_stock(note.stock, today, now)
    count_note(note, now)
    if not note.says_something:
        return store.end_note(today, now)
    message = compose_daily_note(note, wiring.shop(), settings.support_language, now, settings.support_page_url)
    outcome = wiring.mailer().send(message, {"order": NO_ORDER, "mail": f"daily-note-{today}", "attempt": "1"})
    if isinstance(outcome, MailNotSent):
        telemetry.outcome("DailyNoteNotSent", reason=outcome.reason.code)
        return store.give_up_note(today)
    telemetry.outcome("DailyNoteSent")
    return store.end_note(today, now)
