"""The mails of a day: what was sent, failed and came back, and which of those that were lost may be sent again."""

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from enum import StrEnum

from keypost.core import support
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked, Fate, Mail, MailState, Purpose
from keypost.core.order import Order, Reason
from keypost.core.owed import tell_all_of, trouble
from keypost.core.periods import local_day
from keypost.core.said import Said, said

_LOST = (Fate.RETURNED, Fate.BOUNCED, Fate.COMPLAINED)


class Became(StrEnum):
    SENT = "sent"
    FAILED = "failed"
    CAME_BACK = "came_back"


@dataclass(frozen=True, slots=True)
class MailOfDay:
    order_id: str
    mail: str
    purpose: Purpose
    state: Became
    at: datetime
    why: Said | None  # of what failed or came back
    not_again: Said | None  # why it is not sent again with all others; None: it is, or it was not lost
    customer: str | None  # the name
    products: tuple[str, ...]


def mails_of(order: Order, day: date, zone: tzinfo) -> Iterator[MailOfDay]:
    """Each mail of an order to which something happened on this day, as the last thing that did."""
    for mail in order.mails:
        found = _became(order, mail)
        for state, at in found:
            if at is not None and local_day(at, zone) == day:
                why = trouble(mail) if state is not Became.SENT else None
                not_again = why_not_again(order, mail, day, zone) if why else None
                yield MailOfDay(
                    order.id, mail.id, mail.purpose, state, at, why, not_again, order.customer.name, order.skus
                )
                break


def _became(order: Order, mail: Mail) -> Iterator[tuple[Became, datetime | None]]:
    """What became of a mail, the last first."""
    if mail.outcome and mail.outcome.fate in _LOST:
        yield Became.CAME_BACK, mail.outcome.at
    if mail.state is MailState.FAILED:
        rejected = mail.outcome.at if mail.outcome else None
        yield Became.FAILED, rejected or _failed_at(order, mail)
    if mail.state is not MailState.BEFORE:
        yield Became.SENT, mail.sent_at


def _failed_at(order: Order, mail: Mail) -> datetime | None:
    entries = (entry for entry in reversed(order.timeline) if entry.code == "mail_failed")
    return next((entry.at for entry in entries if entry.values.get("mail") == mail.id), None)


def key_of(day: date) -> str:
    """By which all mails of one day are one wish, whoever has it."""
    return f"mails-of-{day.isoformat()}"


def why_not_again(order: Order, mail: Mail, day: date, zone: tzinfo) -> Said | None:
    """Why a mail that was lost is not sent again together with all others of its day; None if it is."""
    if not mail.holds_codes:
        return said("mail_without_code")
    if mail.outcome and mail.outcome.fate is Fate.COMPLAINED:  # of a mail that a stranger asked for, it blocks nothing
        return said("address_complained")
    if any(each.asked and each.asked.key == key_of(day) for each in order.mails):
        return said("sent_with_all")
    later = order.mails[order.mails.index(mail) + 1 :]
    if tell_all_of(order, mail, [each for each in later if not _is_lost(each)]):
        return said("sent_since")
    if waiting := order.waits_for(Reason.ADDRESS):
        return waiting.why
    return support.why_no_resend(order, zone)


def _is_lost(mail: Mail) -> bool:
    has_come_back = mail.outcome is not None and mail.outcome.fate in _LOST
    return has_come_back or mail.state in (MailState.FAILED, MailState.DROPPED)


def sent_again(order: Order, day: date, asked: Asked, zone: tzinfo) -> Order:
    """With one mail that repeats what was lost on a day; the very order if nothing of it is to be sent again. Refused
    and TooMany as for any other mail."""
    lost = [each for each in mails_of(order, day, zone) if each.why]
    if all(each.not_again for each in lost):
        return order
    return support.resend(order, asked, zone)[0]
