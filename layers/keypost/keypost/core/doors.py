"""The ways in by which providers call. A door is silent when nobody has called for longer than ever before: a webhook
that was switched off, or a secret that nobody knows any more, is seen by nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta

from keypost.core.frozen import dataclass

_KEPT = timedelta(days=28)  # for which a gap counts
_KNOWN_AFTER = timedelta(days=7)  # its gaps then include a weekend
_RESOLUTION = timedelta(hours=1)  # of `last`, so that a gap and a silence are each known to the hour only


@dataclass(frozen=True, slots=True)
class Gap:
    until: datetime
    length: timedelta


@dataclass(frozen=True, slots=True)
class Door:
    provider: str
    first: datetime  # call with a genuine signature
    last: datetime  # call with a genuine signature that was written down: the first one of its hour
    gaps: tuple[Gap, ...] = ()  # the newest, and those before it that are longer than all later ones; oldest first


def heard(door: Door | None, provider: str, now: datetime) -> Door:
    """The door after one more call with a genuine signature."""
    if door is None:
        return Door(provider, now, now)
    gap = Gap(now, now - door.last)
    longer = (each for each in door.gaps if each.length > gap.length and _counts(each, now))
    return replace(door, last=now, gaps=(*longer, gap))


def is_silent(door: Door, now: datetime, allowed: timedelta | None = None) -> bool:
    """Whether nobody has called for longer than `allowed`. That is by default the longest gap of the last 28 days, once
    the door is a week old; zero is for ever."""
    if allowed is not None:
        return bool(allowed) and now - door.last > allowed
    if door.last - door.first < _KNOWN_AFTER:
        return False
    longest = max((gap.length for gap in door.gaps if _counts(gap, now)), default=timedelta())
    return now - door.last > longest + _RESOLUTION


def _counts(gap: Gap, now: datetime) -> bool:
    return gap.until > now - _KEPT
