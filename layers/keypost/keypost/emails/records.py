"""The box for the administration: what was bought, and what was paid for it. It has no code."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from keypost.core.payment import Payment
from keypost.emails.blocks import Facts
from keypost.emails.items import Item
from keypost.emails.occasion import Occasion

_Row = tuple[str, str]


def records(about: Occasion, found: Iterable[Item]) -> Facts:
    order = [(about.text("box_order"), about.order.id)]
    goods = [row for item in found for row in _goods(about, item)]
    paid = [] if about.is_for_another else list(_paid(about))
    return Facts(about.text("box_title"), (*order, *goods, *paid), about.text("box_remark"))


def _goods(about: Occasion, item: Item) -> Iterator[_Row]:
    """When a period starts that a customer begins by activating is not known."""
    yield about.text("box_product"), about.text("box_goods", quantity=len(item.licenses), product=item.name)
    if item.is_renewal or about.order.moved_from:
        yield about.text("box_period"), about.text("box_days", first_day=item.first_day, last_day=item.last_day)


def _paid(about: Occasion) -> Iterator[_Row]:
    """Each payment that stands, as it was paid, and what went back of them."""
    if about.order.is_given:
        yield about.text("box_paid"), about.text("box_nothing")
        return
    payments = [payment for payment in about.order.standing_payments if not payment.is_by_hand]
    for payment in sorted(payments, key=lambda each: each.at):
        yield (
            about.text("box_paid"),
            about.text("box_payment", amount=_amount(payment, payment.amount), on=about.day_of(payment.at)),
        )
        if payment.returned:
            yield about.text("box_returned"), about.text("box_amount", amount=_amount(payment, str(payment.returned)))


def _amount(payment: Payment, amount: str | None) -> str | None:
    """An amount of a payment with its currency; None if either is not known."""
    if not amount or not payment.currency:
        return None
    return f"{payment.currency} {Decimal(amount):.2f}" if "." in amount else f"{payment.currency} {amount}"
