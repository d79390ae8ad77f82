"""What an order still needs: codes to assign, mails to send, codes to give back. These functions only answer; they
change nothing."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from keypost.core.frozen import dataclass
from keypost.core.mail import MAIL_ATTEMPTS, Fate, Mail, MailState, Purpose
from keypost.core.order import FOR_A_DECISION, License, Order, Reason, Term
from keypost.core.payment import MONEY_BACK, REMOVED, DisputeState, Standing
from keypost.core.product import Kind, Line
from keypost.core.renewal_choice import stopped
from keypost.core.said import Said, said

_APART = (Reason.STOCK, Reason.PRODUCT)
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """Lines that are sent in one mail, with the moment at which their codes are reserved and the moment at which the
    mail is sent."""

    purpose: Purpose
    lines: tuple[int, ...]
    reserve_at: datetime
    mail_at: datetime


def deliveries(order: Order) -> tuple[Delivery, ...]:
    """What Keypost must still send for a paid order, one delivery per day: a purchase at once, renewals on the day of
    their term, or at once if that day has passed. Lines that wait for codes or a product are deliveries of their own,
    those of one product together."""
    paid_at = order.paid_at
    if paid_at is None:
        return ()
    owed = order.owed_lines
    bought = tuple(sorted(set(order.numbers(Kind.NEW)) - owed))
    purchase = [Delivery(Purpose.PURCHASE, bought, paid_at, paid_at)] if bought else []
    kept_back = owed | stopped(order) | undecided(order)
    found = (*purchase, *_renewals([term for term in order.terms if term.line not in kept_back], paid_at))
    return tuple(part for each in found for part in _parts(order, each))


def _parts(order: Order, delivery: Delivery) -> Iterator[Delivery]:
    """What waits for codes or for a product is a delivery of its own, so that the other lines go on."""
    waits = [waiting for waiting in order.waits if waiting.reason in _APART]
    if not waits:
        yield delivery
        return
    parts: dict[tuple[int, ...], list[int]] = {(): []}
    for line in delivery.lines:
        parts.setdefault(next((each.lines for each in waits if line in each.lines), ()), []).append(line)
    yield from (replace(delivery, lines=tuple(lines)) for lines in parts.values() if lines)


def is_all_left(order: Order) -> bool:
    """True once all codes may have reached the customer, but those of renewals that a person stopped."""
    left = order.sent_lines | stopped(order)
    return bool(left) and left >= order.numbered.keys()


def to_come(order: Order) -> frozenset[int]:
    """The renewal lines that are paid, and whose mail is to leave on its day without anybody's decision."""
    known = frozenset(term.line for term in order.terms if term.is_paid)
    return known - order.owed_lines - stopped(order) - undecided(order)


def undecided(order: Order) -> frozenset[int]:
    """The renewal lines of which nothing leaves before a person has decided."""
    return frozenset(line for each in order.waits if each.reason in FOR_A_DECISION for line in each.lines)


def _renewals(terms: Iterable[Term], paid_at: datetime) -> Iterator[Delivery]:
    days: dict[datetime, list[Term]] = {}
    for term in terms:
        days.setdefault(paid_at if paid_at >= term.mail_from else term.mail_at, []).append(term)
    for mail_at, of_day in sorted(days.items()):
        lines = tuple(sorted(term.line for term in of_day))
        yield Delivery(Purpose.RENEWAL, lines, min(term.reserve_at for term in of_day), mail_at)


def owes_codes(order: Order) -> bool:
    """Whether codes that were paid for, or asked for again, are still to be sent to the customer."""
    again = (m for m in order.mails if m.holds_codes and m.state in (MailState.PENDING, MailState.UNKNOWN) and not m.to)
    return bool(deliveries(order)) or any(again)


def missing(order: Order, lines: Collection[int] | None = None) -> tuple[tuple[int, Line, int], ...]:
    """The lines that lack codes, of these lines or of all, as (line number from 1, line, number of codes)."""
    have = Counter(license_.line for license_ in order.licenses)
    lacks = ((number, line, line.quantity - have[number]) for number, line in order.numbered.items())
    wanted = order.numbered.keys() - stopped(order) if lines is None else lines
    return tuple(entry for entry in lacks if entry[2] > 0 and entry[0] in wanted)


def returnable(order: Order) -> tuple[License, ...]:
    """The licenses that Keypost will not serve, whose codes were never sent: these codes can be sold again. They are
    all of an order that is over; otherwise those that it is not for any more."""
    if order.standing is Standing.REFUNDED or order.canceled or order.is_erased:
        return tuple(license_ for license_ in order.licenses if not order.has_left(license_))
    return tuple(license_ for license_ in _too_many(order) if not order.has_left(license_))


def _too_many(order: Order) -> Iterator[License]:
    """The licenses of lines that are gone, and those above the quantity of a line."""
    given = Counter[int]()
    numbered = {number: line for number, line in order.numbered.items() if number not in stopped(order)}
    for license_ in sorted(order.licenses, key=lambda one: not order.has_left(one)):
        given[license_.line] += 1
        if license_.line not in numbered or given[license_.line] > numbered[license_.line].quantity:
            yield license_


def to_block(order: Order) -> tuple[License, ...]:
    """The licenses whose codes were sent before the money was returned, of all that was sold or of what was exchanged
    since; without those that the vendor has blocked already."""
    moved = order.gone_for("moved")
    gone = [license_ for license_ in order.past if license_.id not in moved]
    given = order.licenses if order.standing in MONEY_BACK else gone
    return tuple(one for one in given if one.line in order.sent_lines and one.id not in order.blocked)


def asks_for_refunded(order: Order) -> bool:
    """Whether a part of the money went back after several licenses had left, and nobody has said whether it was for one
    of them."""
    if order.standing is not Standing.PARTLY_REFUNDED or order.hold.released or not order.all_left:
        return False
    return sum(one not in order.past and one.id not in order.blocked for one in order.licenses) > 1


def named(licenses: Sequence[License]) -> dict[str, Any]:
    """The ids of these licenses as text, as many as a timeline entry has room for."""
    others = len(licenses) - _MOST_NAMED
    return {"licenses": [one.id for one in licenses[:_MOST_NAMED]], "others": others if others > 0 else None}


def owes_refund(order: Order) -> bool:
    """True while nothing went back of the money for a renewal that a person stopped."""
    went_back = any(payment.returned or payment.refunded for payment in order.payments)
    return bool(stopped(order)) and order.is_paid and not went_back


def owes_refund_notice(order: Order) -> bool:
    """True if the customer must get the one notice that all the money was returned. A customer who disputed the payment
    gets none: that is between the shop and the bank."""
    is_known = bool(order.lines and order.customer.email) and not order.hold.from_before and not order.is_withdrawn
    return (
        order.standing is Standing.REFUNDED
        and is_known
        and not _was_disputed(order)
        and not is_told(order, Purpose.REFUNDED)
    )


def _was_disputed(order: Order) -> bool:
    """Whether a customer ever disputed a payment. Each paid invoice has a dispute of its bookkeeper, which is won."""
    disputes = (each for payment in order.payments for each in payment.disputes)
    return any(each.id != REMOVED or each.state is not DisputeState.WON for each in disputes)


def is_told(order: Order, purpose: Purpose) -> bool:
    """True if the customer has, or is about to get, a mail for this purpose."""
    return any(mail.purpose is purpose and mail.state is not MailState.DROPPED for mail in order.mails)


def timely_mails(order: Order) -> list[Mail]:
    """These mails without those that have become untrue: that codes follow later, that the money was returned, codes of
    what was exchanged since."""
    return [mail for mail in order.mails if _is_timely(order, mail)]


def _is_timely(order: Order, mail: Mail) -> bool:
    match mail.purpose:
        case Purpose.WAITING:
            return order.waits_for(Reason.STOCK, mail.lines) is not None
        case Purpose.PAID_AHEAD:
            return bool(to_come(order) & order.lines_of([mail]))
        case Purpose.REFUNDED:
            return order.standing is Standing.REFUNDED
    return not mail.holds_codes or not order.is_past(mail)


def untimely_mails(order: Order) -> list[Mail]:
    """The mails that were not sent, or perhaps not, and have become untrue."""
    timely = timely_mails(order)
    return [m for m in order.mails if m not in timely and m.state in (MailState.PENDING, MailState.UNKNOWN)]


def stuck_mails(order: Order) -> list[Mail]:
    """The mails that SES does not accept or that came back, that no later mail has replaced, and that are true still;
    first those with codes."""
    failing = [place for place, mail in enumerate(order.mails) if _is_failing(mail) and not mail.purpose.is_notice]
    places = [place for place in failing if _is_timely(order, order.mails[place])]
    stuck = [order.mails[place] for place in places if not _is_made_good(order, place)]
    return sorted(stuck, key=lambda mail: not mail.holds_codes)


def _is_failing(mail: Mail) -> bool:
    is_tried_in_vain = mail.attempts >= MAIL_ATTEMPTS and mail.next_at is not None
    return mail.state is MailState.FAILED or is_tried_in_vain or (mail.came_back and mail.holds_codes)


def _is_made_good(order: Order, place: int) -> bool:
    mail = order.mails[place]
    is_about_codes = mail.holds_codes or mail.purpose in (Purpose.WAITING, Purpose.PAID_AHEAD)
    return is_about_codes and tell_all_of(
        order, mail, [each for each in order.mails[place + 1 :] if each.state is MailState.SENT]
    )


def tell_all_of(order: Order, mail: Mail, others: Iterable[Mail]) -> bool:
    """True if the other mails with codes cover all lines and licenses of this mail."""
    told = [each for each in others if each.holds_codes]
    lines, licenses = order.lines_of([mail]), order.licenses_of([mail])
    return lines <= order.lines_of(told) and licenses <= order.licenses_of(told)


def trouble(mail: Mail) -> Said:
    """What is wrong with a mail that SES does not accept or that came back. The text continues a sentence that begins
    with the mail's name."""
    if mail.outcome and mail.outcome.fate is Fate.COMPLAINED:
        return said("mail_complained", mail=mail.id)
    if mail.came_back and mail.outcome:
        code = "mail_bounced" if mail.outcome.fate is Fate.BOUNCED else "mail_returned"
        return said(code, mail=mail.id, detail=mail.outcome.detail or None)
    code = "mail_failed" if mail.state is MailState.FAILED else "mail_not_sent"
    return said(code, mail=mail.id, why=mail.problem)
