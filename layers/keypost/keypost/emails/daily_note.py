"""The daily note to support: what needs a person, and what to order."""

from datetime import datetime
from email.message import EmailMessage

from keypost.core.daily_note import DailyNote
from keypost.emails.message import Shop, build


def compose_daily_note(note: DailyNote, shop: Shop, language: str, now: datetime) -> EmailMessage:
    context = {"language": language, "note": note}
    return build("daily_note", shop.support_address, f"daily-note/{note.day}", shop, context, now)
