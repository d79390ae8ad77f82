"""A person decides of a renewal before its mail has left: which license it renews, when it starts, that its days are
right, or that it stops. `renewal_choice` says what such a decision changes."""

from dataclasses import replace

from keypost.core.errors import NotFound, Refused
from keypost.core.mail import Asked, Mail, MailState
from keypost.core.obstacles import obstacles
from keypost.core.order import FOR_A_DECISION, OF_A_DELIVERY, Decision, Order, Reason, noted, without_waits
from keypost.core.product import Kind, Line
from keypost.core.renewal_choice import RENEWAL, STOP, as_told, choice_of, is_agreed, is_stopped
from keypost.core.said import said

_OVER = (
    "erased",
    "belongs_to",
    "canceled",
    "canceled_after_payment",
    "withdrawn",
    "refunded",
)  # obstacles after which nothing of an order is served


def decide(order: Order, number: int, right: Line, asked: Asked, *, agrees: bool) -> Order:
    """The order whose renewal line is as a person says. It takes its place anew. With `agrees` the person has seen
    whose license it renews. Refused once its mail has left."""
    check_open(order, number)
    if failed := _mail_of(order, number):
        raise Refused("renewal_not_changed", order=order.id, line=number, why=said("mail_failed", mail=failed.id))
    known, old = choice_of(order, number), order.line(number)
    line = replace(right, quantity=old.quantity, id=old.id)
    decision = _decision(RENEWAL, order, number, line, asked, agrees=agrees)
    if known and replace(known, asked=decision.asked) == decision:
        return order
    order = replace(
        order,
        lines=tuple(line if each == number else old for each, old in order.numbered.items()),
        decisions=(*order.decisions, decision),
        terms=tuple(term for term in order.terms if term.line != number),
    )
    order = without_waits(order, *OF_A_DELIVERY, Reason.UNPAID, lines=[number])
    about = {"line": number, "renews": line.renews, "first_day": line.period_start}
    return noted(order, asked.at, "renewal_decided", who=asked.who, words=asked.why, **about)


def agreed(order: Order, asked: Asked) -> Order:
    """The order whose renewals go on that waited for a person: whose they are, and when they start, is right."""
    lines = sorted({line for each in order.waits if each.reason in FOR_A_DECISION for line in each.lines})
    for number in lines:
        agrees = order.waits_for(Reason.OTHER_CUSTOMER, [number]) is not None
        decision = _decision(RENEWAL, order, number, order.line(number), asked, agrees=agrees)
        order = replace(
            order,
            decisions=(*order.decisions, decision),
            terms=tuple(term for term in order.terms if term.line != number),
        )
    return without_waits(order, *FOR_A_DECISION, lines=lines) if lines else order


def stop(order: Order, number: int, asked: Asked) -> Order:
    """The order without a renewal that was to come: its codes and its place go back. Refused once its mail has left."""
    if is_stopped(order, number):
        return order
    check_open(order, number)
    decision = _decision(STOP, order, number, order.line(number), asked)
    order = replace(order, decisions=(*order.decisions, decision))
    order = without_waits(order, *OF_A_DELIVERY, Reason.UNPAID, lines=[number])
    return noted(order, asked.at, "renewal_stopped", who=asked.who, words=asked.why, lines=[number])


def _decision(kind: str, order: Order, number: int, right: Line, asked: Asked, *, agrees: bool = False) -> Decision:
    term, is_seen = order.term(number), agrees or is_agreed(order, number)
    return Decision(
        kind,
        replace(asked, why=""),
        of=tuple(sorted(name for payment in order.payments for name in payment.names)),
        lines=(as_told(order, number), right),
        email=order.customer.email if is_seen else None,
        to=str(number),
        start=right.period_start or (term.first_day if term else None),
    )


def check_open(order: Order, number: int) -> None:
    """Refused if this is no renewal, or if nothing can be changed in it any more."""
    if number not in order.numbered:
        raise NotFound("no_such_line", order=order.id, line=number)
    if order.line(number).kind is not Kind.RENEWAL:
        raise Refused("not_a_renewal", order=order.id, line=number)
    over = next((each for each in obstacles(order) if each.code in _OVER), None)
    mail = _mail_of(order, number)
    if mail and number in order.sent_lines:
        over = said("renewal_has_left", mail=mail.id, at=mail.sent_at)
    elif mail and mail.state is not MailState.FAILED:
        over = said("mail_is_being_sent", mail=mail.id)
    if over:
        raise Refused("renewal_not_changed", order=order.id, line=number, why=over)


def _mail_of(order: Order, number: int) -> Mail | None:
    """The newest mail that has the codes of a line, or is about to have them."""
    mails = [mail for mail in order.mails if mail.holds_codes and mail.state is not MailState.DROPPED]
    having = [mail for mail in mails if number in order.lines_of([mail]) and number in order.owed_lines]
    return having[-1] if having else None
