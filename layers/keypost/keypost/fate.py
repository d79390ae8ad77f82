"""What becomes of a mail after SES took it, as pure changes. SES tells it in any order, some of it twice and some of it
never: what counts is the rank of what was told, not when it came."""

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from keypost import orders
from keypost.models import Asked, Fate, Mail, MailReport, MailState, Order, Reason, Told, Waiting
from keypost.periods import local_day

_RANKS = tuple(Fate)
RETRY_ADDRESS = timedelta(hours=12)  # whoever mends it pokes at once; this is for a poke that was lost
BAD_ADDRESS = {
    Fate.BOUNCED: "its address takes no mail: correct it, or lift the suppression if the customer says it is right",
    Fate.COMPLAINED: "its customer reported our mail as spam: ask for another address, and correct it",
}


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
    why = f"{mail.id}, attempt {report.attempt}: " + (report.detail or "SES says so")
    order = orders.noted(order, now, f"mail {report.fate}", why)
    is_its_address = report.address.casefold() == (order.email or "").casefold()
    if report.fate in BAD_ADDRESS and is_its_address and not is_lifted:
        return with_bad_address(order, report.fate, report.at, now)
    return order


def with_bad_address(order: Order, why: Fate, since: datetime, now: datetime) -> Order:
    """Nothing is sent to its address until that is mended."""
    known = order.waits_for(Reason.ADDRESS)
    new = Waiting(Reason.ADDRESS, BAD_ADDRESS[why], since, now + RETRY_ADDRESS)
    first = min((known or new, new), key=lambda w: (w.detail != BAD_ADDRESS[Fate.COMPLAINED], w.since))
    kept = orders.without_waits(order, Reason.ADDRESS).waits
    order = replace(order, waits=(*kept, replace(first, retry_at=new.retry_at)))
    return order if known else orders.noted(order, now, "waits for address", new.detail)


def with_good_address(order: Order, now: datetime, zone: tzinfo, asked: Asked | None = None) -> Order:
    """Its address was corrected, or takes mail again: what came back, or did not leave, is sent once more."""
    order = orders.without_waits(order, Reason.ADDRESS)
    for place, mail in enumerate(order.mails):
        is_lost = mail.holds_codes and (mail.came_back or mail.state is MailState.FAILED)
        is_of_use = any(one.last_day >= local_day(now, zone) for one in order.licenses)
        if is_lost and is_of_use and not orders.tell_all_of(order, mail, order.mails[place + 1 :]):
            again = orders.new_mail(order, mail.purpose, now)
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
    problem = "SES took it and did not send it, as it found fault with its content"
    failed = replace(mail, state=MailState.FAILED, next_at=None, problem=problem)
    return replace(failed, may_have_left=mail.attempts > 1)
