"""The mail at a renewal: the new period, its codes, and its first day for the calendar."""

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from keypost.emails.groups import groups
from keypost.models import Mail, Order, Product

_EVENT = {"nl": "Nieuwe periode: {}", "en": "New period: {}"}
_FILE = {"nl": "nieuwe-periode.ics", "en": "new-period.ics"}


def renewal(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    found = groups(order, mail, products, language)
    calendar = (_FILE[language], _calendar(order, found, language))
    return {"groups": found, "count": sum(len(group["codes"]) for group in found), "calendar": calendar}


def _calendar(order: Order, found: list[dict[str, Any]], language: str) -> str:
    """One event per line, on its first day (RFC 5545). It holds no code: calendars are shared."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Keypost//Keypost//EN", "METHOD:PUBLISH"]
    for group in found:
        first: date = group["first_day"]
        uid = hashlib.sha256(f"{order.id}/{group['name']}/{first}".encode()).hexdigest()[:32]
        lines += [
            "BEGIN:VEVENT",
            f"UID:{uid}@keypost",
            f"DTSTAMP:{first:%Y%m%d}T000000Z",
            f"DTSTART;VALUE=DATE:{first:%Y%m%d}",
            f"DTEND;VALUE=DATE:{first + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(_EVENT[language].format(group['name']))}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, "\\" + sign)
    return text[:60]
