"""The mails of an order, from the moment at which they are added to what became of them. SES reports in any order, some
events twice and some never: the rank of an event counts, not the moment at which it arrives."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from itertools import islice

from keypost.core import owed
from keypost.core.mail import (
    Asked,
    Fate,
    Mail,
    MailNotSent,
    MailOutcome,
    MailReport,
    MailSent,
    MailState,
    MailUnknown,
    Purpose,
    Refusal,
    Told,
)
from keypost.core.order import License, Order, Reason, Waiting, noted, without_waits
from keypost.core.periods import local_day
from keypost.core.said import Said, said
from keypost.core.stored import with_extra

MAIL_LEASE = timedelta(minutes=2)  # longer than the worker may run
MAIL_DOUBT = timedelta(minutes=15)  # time in which SES may report, before a mail of unknown outcome is sent again
MAIL_BACK_OFF = (timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
MAIL_BACK_OFF_LAST = timedelta(hours=1)
_RANKS = tuple(Fate)
RETRY_ADDRESS = timedelta(hours=12)  # a correction pokes the order at once; this is for a poke that was lost
BAD_ADDRESS = {Fate.BOUNCED: "address_bounced", Fate.COMPLAINED: "address_complained"}
REMINDER_COMPLAINED = "reminder_complained"
_WHY_NOT_WRITTEN = (BAD_ADDRESS[Fate.COMPLAINED], REMINDER_COMPLAINED, BAD_ADDRESS[Fate.BOUNCED])  # the graver first


def owe_mail(order: Order, purpose: Purpose, now: datetime, lines: tuple[int, ...] = ()) -> Order:
    return replace(order, mails=(*order.mails, replace(new_mail(order, purpose, now), lines=lines)))


def owe_reminder(order: Order, licenses: Sequence[License], now: datetime) -> Order:
    """Add a reminder about licenses that end. It names the licenses only if others of their lines do not end."""
    lines = tuple(sorted({one.line for one in licenses}))
    are_all = len(licenses) == sum(one.line in lines for one in order.licenses)
    named = () if are_all else tuple(one.id for one in licenses)
    return replace(
        order, mails=(*order.mails, replace(new_mail(order, Purpose.REMINDER, now), lines=lines, licenses=named))
    )


def new_mail(order: Order, purpose: Purpose, now: datetime) -> Mail:
    """A new mail of this purpose, to be sent at once. Its id has the next number of its purpose."""
    numbers = [int(mail.id.rpartition("-")[2]) for mail in order.mails if mail.purpose == purpose]
    return Mail(f"{purpose}-{1 + max(numbers, default=0)}", purpose, MailState.PENDING, next_at=now)


def claim_mail(order: Order, mail_id: str, now: datetime) -> Order:
    """Claim a mail for one attempt. The claim is saved before SES is called, so that no other worker sends the mail
    meanwhile."""
    mail = order.mail(mail_id)
    mail = replace(mail, attempts=mail.attempts + 1, sent_to=mail.to or order.customer.email)
    return _with_mail(order, replace(mail, state=MailState.SENDING, next_at=now + MAIL_LEASE))


def settle_mail(order: Order, mail_id: str, attempt: int, outcome: MailOutcome, now: datetime) -> Order:
    """Store the outcome of an attempt, unless a later attempt has begun."""
    mail = order.mail(mail_id)
    if mail.attempts != attempt or mail.state not in (MailState.SENDING, MailState.UNKNOWN):
        return order
    match outcome:
        case MailSent(message_id):
            mail = replace(mail, state=MailState.SENT, next_at=None, message_id=message_id, sent_at=now, problem=None)
            mail = replace(mail, may_have_left=True)
            return noted(_with_mail(order, mail), now, "mail_sent", mail=mail_id, attempt=attempt)
        case MailNotSent(reason, Refusal.FOR_EVER):
            return fail_mail(order, mail_id, reason, now)
        case MailNotSent(reason):
            mail = replace(mail, state=MailState.PENDING, next_at=now + _back_off(order.id, attempt), problem=reason)
            return noted(_with_mail(order, mail), now, "mail_tried_again", mail=mail_id, why=reason)
        case MailUnknown(reason):
            mail = replace(mail, state=MailState.UNKNOWN, next_at=now + MAIL_DOUBT, problem=reason)
            mail = replace(mail, may_have_left=True, unknowns=mail.unknowns + 1)
            return noted(_with_mail(order, mail), now, "mail_unknown", mail=mail_id, why=reason)


def doubt_mail(order: Order, mail_id: str, now: datetime) -> Order:
    """Mark an attempt as unknown whose lease has ended, because its worker must have died. The time that SES has to
    report the attempt counts from its beginning, not from the moment at which somebody looked."""
    mail = order.mail(mail_id)
    begun = (mail.next_at or now) - MAIL_LEASE
    lost = MailUnknown(said("sender_stopped"))
    order = settle_mail(order, mail_id, mail.attempts, lost, now)
    return _with_mail(order, replace(order.mail(mail_id), next_at=max(now, begun + MAIL_DOUBT)))


def fail_mail(order: Order, mail_id: str, reason: Said, now: datetime) -> Order:
    mail = replace(order.mail(mail_id), state=MailState.FAILED, next_at=None, problem=reason)
    return noted(_with_mail(order, mail), now, "mail_failed", mail=mail_id, why=reason)


def drop_mails(order: Order, mail_ids: Collection[str], now: datetime) -> Order:
    """Keypost does not send a mail that has become untrue."""
    for mail_id in mail_ids:
        mail = replace(order.mail(mail_id), state=MailState.DROPPED, next_at=None, problem=None)
        order = noted(_with_mail(order, mail), now, "mail_dropped", mail=mail_id)
    return order


def _back_off(order_id: str, attempt: int) -> timedelta:
    """The wait before the next attempt: longer each time, plus up to a tenth of that or a quarter of a minute,
    depending on the order, so that orders which failed together are not tried together."""
    base = next(islice(MAIL_BACK_OFF, attempt - 1, None), MAIL_BACK_OFF_LAST)
    spread = hashlib.sha256(order_id.encode()).digest()[0] / 256
    return timedelta(seconds=round((base + max(base / 10, timedelta(seconds=15)) * spread).total_seconds()))


def _with_mail(order: Order, mail: Mail) -> Order:
    return replace(order, mails=tuple(mail if m.id == mail.id else m for m in order.mails))


def with_report(order: Order, report: MailReport, now: datetime, *, is_lifted: bool = False) -> Order:
    """Store an event of SES in the order; returns the same object if it is nothing new. An attempt with any event was
    accepted, so a mail of unknown outcome is not sent again. A bounce from before the block of the address was lifted
    (`is_lifted`) keeps nothing back."""
    mail = _reported(order, report)
    if mail is None:
        return order
    changed = _settled(_first(replace(mail, told=_with_told(mail, report)), report), report)
    if changed == mail:
        return order
    order = replace(order, mails=tuple(changed if each is mail else each for each in order.mails))
    detail = report.detail or None
    order = noted(order, now, f"mail_{report.fate}", mail=mail.id, attempt=report.attempt, detail=detail)
    is_bad = report.fate in BAD_ADDRESS and not is_lifted
    is_its_address = report.address.casefold() == (order.customer.email or "").casefold()
    return with_bad_address(order, BAD_ADDRESS[report.fate], report.at, now) if is_bad and is_its_address else order


def is_known(order: Order, report: MailReport) -> bool:
    """Whether the very same event was stored before, with all that follows from it: the order is written last."""
    mail = _reported(order, report)
    same = (report.attempt, report.fate, report.at)
    return mail is not None and same in [(told.attempt, told.fate, told.at) for told in mail.told]


def _reported(order: Order, report: MailReport) -> Mail | None:
    """The mail that a report is about; None if it, or that attempt at it, never was."""
    mail = next((mail for mail in order.mails if mail.id == report.mail_id), None)
    return mail if mail and 1 <= report.attempt <= mail.attempts else None


def with_bad_address(order: Order, why: str, since: datetime, now: datetime) -> Order:
    """Make the order wait for another address, for the reason with this code: Keypost sends nothing to a blocked one,
    and no codes to one at which a reminder was reported as spam, before a person has decided."""
    known = order.waits_for(Reason.ADDRESS)
    new = Waiting(Reason.ADDRESS, said(why), since, now + RETRY_ADDRESS)
    first = min((known or new, new), key=lambda each: (_gravity(each.why.code), each.since))
    kept = without_waits(order, Reason.ADDRESS).waits
    order = replace(order, waits=(*kept, with_extra(replace(first, retry_at=new.retry_at), known)))
    return order if known else noted(order, now, "waits_address", why=new.why)


def _gravity(code: str) -> int:
    """The place of a reason among those for which an address is not written to; the least for one that is not known."""
    return _WHY_NOT_WRITTEN.index(code) if code in _WHY_NOT_WRITTEN else len(_WHY_NOT_WRITTEN)


def with_good_address(order: Order, now: datetime, zone: tzinfo, asked: Asked | None = None) -> Order:
    """End the wait for the address, and send again what came back or was not sent."""
    order = without_waits(order, Reason.ADDRESS)
    is_of_use = any(license_.last_day >= local_day(now, zone) for license_ in order.licenses)
    for place, mail in enumerate(order.mails) if is_of_use else ():
        if _is_lost(mail) and not owed.tell_all_of(order, mail, order.mails[place + 1 :]):
            again = new_mail(order, mail.purpose, now)
            again = replace(again, lines=mail.lines, licenses=mail.licenses, asked=asked)
            order = replace(order, mails=(*order.mails, again))
    return order


def _is_lost(mail: Mail) -> bool:
    return mail.holds_codes and not mail.to and (mail.came_back or mail.state is MailState.FAILED)


def _with_told(mail: Mail, report: MailReport) -> tuple[Told, ...]:
    """The mail with the event kept that has the highest rank of its attempt; of two events with one rank, the earlier
    one."""
    if report.fate is Fate.SENT and mail.attempts == 1:  # the state of the mail says so
        return mail.told
    new = Told(report.attempt, report.fate, report.at, report.detail, report.server, report.answer)
    words = {told.attempt: told for told in mail.told}
    both = (words.get(report.attempt, new), new)
    first = min(both, key=lambda told: (-_RANKS.index(told.fate), told.at, told.detail))
    words[report.attempt] = with_extra(first, both[0])
    return tuple(words[attempt] for attempt in sorted(words))


def _first(mail: Mail, report: MailReport) -> Mail:
    """The mail with the moment and the message id of the first attempt that SES accepted."""
    new = (report.sent_at, report.message_id)
    known = (mail.sent_at, mail.message_id) if mail.sent_at and mail.message_id else new
    if known != new and (known[1] == new[1] or known < new):
        return mail
    return replace(mail, sent_at=new[0], message_id=new[1])


def _settled(mail: Mail, report: MailReport) -> Mail:
    """The mail in the state that follows from the events of an attempt."""
    if not any(told.attempt == report.attempt and told.fate is Fate.REJECTED for told in mail.told):
        if mail.state is MailState.SENT:
            return mail
        return replace(mail, state=MailState.SENT, next_at=None, problem=None, may_have_left=True)
    if mail.outcome is None or mail.outcome.fate is not Fate.REJECTED:
        return mail
    failed = replace(mail, state=MailState.FAILED, next_at=None, problem=said("content_rejected"))
    return replace(failed, may_have_left=mail.attempts > 1)
