"""Orders that are set aside: a program cannot write them now, and everybody else goes on meanwhile."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from keypost.core.aside_reasons import AsideReason
from keypost.core.errors import CannotBeStored, NewerVersion, SetAside, Unreadable
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked, MailReport
from keypost.core.payment import Fact
from keypost.core.said import Said, said

MOST_STARTS = 5  # in a row without an end; then an order is set aside
_HOURLY, _DAILY = timedelta(hours=1), timedelta(days=1)


_REASONS: Mapping[type[SetAside], AsideReason] = {
    Unreadable: AsideReason.UNREADABLE,
    NewerVersion: AsideReason.NEWER_VERSION,
    CannotBeStored: AsideReason.FAILING,
}


def reason_of(error: SetAside) -> AsideReason:
    return _REASONS[type(error)]


def said_of(reason: AsideReason, place: str = "") -> Said:
    """What people read of an order that is set aside; `place` is where the fault is."""
    return said(reason.value, place=place or None)


@dataclass(frozen=True, slots=True)
class Erasure:
    """That a customer is to be erased from an order as soon as that can be written."""

    asked: Asked
    years: int  # that tax law asks for
    whose: str  # the customer, by the digest of the address


@dataclass(frozen=True, slots=True)
class Aside:
    """What is kept beside an order that cannot be written, or whose step did not end."""

    order_id: str
    version: int = 0  # 0: not stored yet
    reason: AsideReason | None = None  # None: the order is not set aside, and only its starts are counted
    since: datetime | None = None
    why: str = ""  # the kind and the place of the error: no address, no code
    starts: int = 0  # in a row without an end
    told: tuple[Fact | MailReport, ...] = ()
    is_newer: bool = False  # only a newer version of Keypost understands all that was told
    erasure: Erasure | None = None


def started(aside: Aside, receives: int, now: datetime) -> Aside:
    """With one more start of which no end is known yet. A message of the queue that is received again (`receives` > 1)
    proves that the start before this one had no end either."""
    starts = max(aside.starts, min(receives - 1, 1)) + 1
    aside = replace(aside, starts=starts)
    return set_aside(aside, AsideReason.FAILING, now) if starts >= MOST_STARTS and not aside.reason else aside


def set_aside(aside: Aside, reason: AsideReason, now: datetime, why: str = "") -> Aside:
    return replace(aside, reason=reason, since=aside.since or now, why=why or aside.why)


def next_try(since: datetime, now: datetime) -> datetime:
    """When an order that is set aside is tried again by itself: hourly on the first day, then daily."""
    return now + (_HOURLY if now - since < _DAILY else _DAILY)
