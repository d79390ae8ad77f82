"""A calendar file (RFC 5545) of whole days. It has no code, because people share calendars."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from keypost.core.frozen import dataclass

_LONGEST_LINE = 75  # octets of a line without its end
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Event:
    uid: str  # the same in a repeated mail, so that no calendar has the day twice
    day: date
    title: str


def calendar(events: Iterable[Event], organizer: str, now: datetime) -> str:
    """A calendar for publishing (RFC 5546), which needs an organizer and no answer."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Keypost//Keypost//EN", "METHOD:PUBLISH"]
    for event in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{event.uid}",
            f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{event.day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(event.title)}",
            f"ORGANIZER:mailto:{organizer}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return "\\n".join(_CONTROLS.sub(" ", line) for line in text.splitlines())


def _folded(line: str) -> str:
    """A line folded between characters; a continued line begins with a blank."""
    parts, room = [""], _LONGEST_LINE
    for sign in line:
        size = len(sign.encode())
        if size > room:
            parts.append(" ")
            room = _LONGEST_LINE - 1
        parts[-1] += sign
        room -= size
    return "\r\n".join(parts)
