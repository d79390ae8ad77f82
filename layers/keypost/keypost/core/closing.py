"""What an order asks a person for, which is its reason to need one, and that somebody said that it is done. A new fact
opens it again, a repetition does not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from keypost.core.daily_note import why
from keypost.core.errors import Refused
from keypost.core.mail import Asked
from keypost.core.obstacles import action
from keypost.core.order import OF_A_DELIVERY, Decision, Order, Reason, noted, without_concerns
from keypost.core.owed import stuck_mails
from keypost.core.told import digests

_KIND = "close"
_OF_WAITS = (Reason.ADDRESS, Reason.UNPAID)  # a later wait for the same is another one


def close(order: Order, needs: Reason | None, asked: Asked) -> Order:
    """End what the order asks a person for now. Refused if that is a delivery, which ends with what is sent, or if the
    order asks for nothing and never did."""
    if needs is None:
        if any(each.kind == _KIND for each in order.decisions):
            return order
        raise Refused("nothing_to_close", order=order.id)
    if needs in OF_A_DELIVERY:
        raise Refused("not_closed", order=order.id, why=why(order, needs), action=action(order, needs))
    of = tuple(sorted(name for payment in order.payments for name in payment.names))
    words = "" if order.is_erased else asked.why  # nothing that somebody types comes in again
    decision = Decision(_KIND, replace(asked, why=""), saw=(*_facts(order, of), _asked_for(order, needs)), of=of)
    what, order = why(order, needs), replace(order, decisions=(*order.decisions, decision))
    if needs is Reason.CONCERN:  # said once more, it is news; and the page works again for who reported its mail
        order = without_concerns(order, order.concerns[0].code)
    return noted(order, asked.at, "closed", who=asked.who, words=words, why=what)


def is_closed(order: Order, reason: Reason) -> bool:
    """Whether a person has ended this, and nothing has become known since."""
    return reason not in OF_A_DELIVERY and any(_counts(order, each, reason) for each in order.decisions)


def _counts(order: Order, decision: Decision, reason: Reason) -> bool:
    if decision.kind != _KIND:
        return False
    return {*_facts(order, decision.of), _asked_for(order, reason)} <= set(decision.saw)


def _asked_for(order: Order, reason: Reason) -> str:
    return _digest((reason.value, why(order, reason).content))


def _facts(order: Order, of: tuple[str, ...]) -> tuple[str, ...]:
    """All that was told of an order until now, also by the shop, and by SES of mails that did not arrive."""
    return (*digests(order, of), *map(_digest, _other_facts(order)))


def _other_facts(order: Order) -> Iterator[object]:
    if order.canceled and order.cancellation:
        yield "canceled", _exactly(order.cancellation.said)
    yield from (("concern", each.code, _exactly(each.at)) for each in order.concerns)
    yield "money back", str(sum((payment.returned for payment in order.settled), Decimal(0)))
    yield from (("mail", mail.id, mail.state.value) for mail in stuck_mails(order))
    yield from ((each.reason.value, _exactly(each.since)) for each in order.waits if each.reason in _OF_WAITS)


def _exactly(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _digest(fact: object) -> str:
    return sha256(repr(fact).encode()).hexdigest()[:12]
