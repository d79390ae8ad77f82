"""The mails of an order, from being owed to what became of them, as pure changes. SES reports in any order, some of it
twice and some of it never: the rank of a report counts, not the moment of its arrival."""

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

MAIL_LEASE = timedelta(minutes=2)  # longer than the worker may run
MAIL_DOUBT = timedelta(minutes=15)  # time for SES to tell, before a mail of unknown outcome is sent again
MAIL_BACK_OFF = (timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
MAIL_BACK_OFF_LAST = timedelta(hours=1)
_RANKS = tuple(Fate)
RETRY_ADDRESS = timedelta(hours=12)  # whoever mends it pokes at once; this is for a poke that was lost
BAD_ADDRESS = {Fate.BOUNCED: "address_bounced", Fate.COMPLAINED: "address_complained"}


def owe_mail(order: Order, purpose: Purpose, now: datetime, lines: tuple[int, ...] = ()) -> Order:
    return replace(order, mails=(*order.mails, replace(new_mail(order, purpose, now), lines=lines)))


def owe_reminder(order: Order, licenses: Sequence[License], now: datetime) -> Order:
    """A mail about licenses that end; it names them only where others of their lines do not."""
    lines = tuple(sorted({one.line for one in licenses}))
    are_all = len(licenses) == sum(one.line in lines for one in order.licenses)
    named = () if are_all else tuple(one.id for one in licenses)
    return replace(
        order, mails=(*order.mails, replace(new_mail(order, Purpose.REMINDER, now), lines=lines, licenses=named))
    )


def new_mail(order: Order, purpose: Purpose, now: datetime) -> Mail:
    """The next mail of its kind, to be sent at once."""
    mail_id = f"{purpose}-{1 + sum(mail.purpose == purpose for mail in order.mails)}"
    return Mail(mail_id, purpose, MailState.PENDING, next_at=now)


def claim_mail(order: Order, mail_id: str, now: datetime) -> Order:
    """Take a mail for one attempt. Saved before SES is called, so that nobody else sends it meanwhile."""
    mail = order.mail(mail_id)
    mail = replace(mail, attempts=mail.attempts + 1, sent_to=mail.to or order.customer.email)
    return _with_mail(order, replace(mail, state=MailState.SENDING, next_at=now + MAIL_LEASE))


def settle_mail(order: Order, mail_id: str, attempt: int, outcome: MailOutcome, now: datetime) -> Order:
    """Write down what became of an attempt, unless a later attempt has begun."""
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
    """The lease of an attempt ran out: whoever sent it is gone. The time that SES has to report the attempt counts from
    its beginning, not from the moment at which somebody looked."""
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
    """Longer each time, and up to a tenth or a quarter of a minute more by the order, so that orders which failed
    together do not come back together."""
    base = next(islice(MAIL_BACK_OFF, attempt - 1, None), MAIL_BACK_OFF_LAST)
    spread = hashlib.sha256(order_id.encode()).digest()[0] / 256
    return timedelta(seconds=round((base + max(base / 10, timedelta(seconds=15)) * spread).total_seconds()))


def _with_mail(order: Order, mail: Mail) -> Order:
    return replace(order, mails=tuple(mail if m.id == mail.id else m for m in order.mails))


def with_report(order: Order, report: MailReport, now: datetime, *, is_lifted: bool = False) -> Order:
    """Write down what SES tells of a mail; the very order when that is nothing new. An attempt of which it tells
    anything was taken, so a mail of unknown outcome is not sent again. A bounce from before its address was lifted
    (`is_lifted`) keeps nothing back."""
    mail = next((mail for mail in order.mails if mail.id == report.mail_id), None)
    if mail is None or not 1 <= report.attempt <= mail.attempts:
        return order
    changed = _settled(_first(replace(mail, told=_with_told(mail, report)), report), report)
    if changed == mail:
        return order
    order = replace(order, mails=tuple(changed if each is mail else each for each in order.mails))
    detail = report.detail or None
    order = noted(order, now, f"mail_{report.fate}", mail=mail.id, attempt=report.attempt, detail=detail)
    is_its_address = report.address.casefold() == (order.customer.email or "").casefold()
    if report.fate in BAD_ADDRESS and is_its_address and not is_lifted:
        return with_bad_address(order, report.fate, report.at, now)
    return order


def with_bad_address(order: Order, why: Fate, since: datetime, now: datetime) -> Order:
    """Nothing is sent to its address until that is mended."""
    known = order.waits_for(Reason.ADDRESS)
    new = Waiting(Reason.ADDRESS, said(BAD_ADDRESS[why]), since, now + RETRY_ADDRESS)
    first = min((known or new, new), key=lambda w: (w.why.code != BAD_ADDRESS[Fate.COMPLAINED], w.since))
    kept = without_waits(order, Reason.ADDRESS).waits
    order = replace(order, waits=(*kept, replace(first, retry_at=new.retry_at)))
    return order if known else noted(order, now, "waits_address", why=new.why)


def with_good_address(order: Order, now: datetime, zone: tzinfo, asked: Asked | None = None) -> Order:
    """Its address was corrected, or takes mail again: what came back, or did not leave, is sent once more."""
    order = without_waits(order, Reason.ADDRESS)
    for place, mail in enumerate(order.mails):
        is_lost = mail.holds_codes and (mail.came_back or mail.state is MailState.FAILED)
        is_of_use = any(one.last_day >= local_day(now, zone) for one in order.licenses)
        if is_lost and is_of_use and not owed.tell_all_of(order, mail, order.mails[place + 1 :]):
            again = new_mail(order, mail.purpose, now)
            again = replace(again, lines=mail.lines, licenses=mail.licenses, asked=asked)
            order = replace(order, mails=(*order.mails, again))
    return order


def _with_told(mail: Mail, report: MailReport) -> tuple[Told, ...]:
    """The word of the highest rank on each attempt; of two at one rank, the first that was spoken."""
    if report.fate is Fate.SENT and mail.attempts == 1:  # the state of the mail says so
        return mail.told
    new = Told(report.attempt, report.fate, report.at, report.detail)
    words = {told.attempt: told for told in mail.told}
    both = (words.get(report.attempt, new), new)
    words[report.attempt] = min(both, key=lambda told: (-_RANKS.index(told.fate), told.at, told.detail))
    return tuple(words[attempt] for attempt in sorted(words))


def _first(mail: Mail, report: MailReport) -> Mail:
    """With the moment and the message of the first attempt that SES took."""
    new = (report.sent_at, report.message_id)
    known = (mail.sent_at, mail.message_id) if mail.sent_at and mail.message_id else new
    if known != new and (known[1] == new[1] or known < new):
        return mail
    return replace(mail, sent_at=new[0], message_id=new[1])


def _settled(mail: Mail, report: MailReport) -> Mail:
    """In the state that follows from what was told of an attempt."""
    if not any(told.attempt == report.attempt and told.fate is Fate.REJECTED for told in mail.told):
        if mail.state is MailState.SENT:
            return mail
        return replace(mail, state=MailState.SENT, next_at=None, problem=None, may_have_left=True)
    if mail.outcome is None or mail.outcome.fate is not Fate.REJECTED:
        return mail
    failed = replace(mail, state=MailState.FAILED, next_at=None, problem=said("content_rejected"))
    return replace(failed, may_have_left=mail.attempts > 1)
