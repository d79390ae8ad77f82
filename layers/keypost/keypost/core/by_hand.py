"""Orders that a person makes, without a payment: one telling of that person, which stands as paid until it is
withdrawn. Nothing of it has a price."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from keypost.core.contents import decided, with_payment_of
from keypost.core.errors import Refused
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked
from keypost.core.order import Customer, Order, noted
from keypost.core.owed import named, to_block
from keypost.core.payment import Payment, PaymentState, Refunded
from keypost.core.product import Kind, Line, Product
from keypost.core.said import said
from keypost.core.telling import PERSON, Buyer, Goods

WHYS = ("goodwill", "test", "paid_by_bank", "replacement")
MOVED = "moved"  # why an order by hand holds a license that another order had


@dataclass(frozen=True, slots=True)
class Sale:
    """What a person gives to whom, and why."""

    customer: Customer
    lines: tuple[Line, ...]
    because: str  # one of WHYS, or MOVED


def number_of(*seed: str) -> str:
    """The number of an order by hand, the same for the same seed. No shop counts like that."""
    return "HAND-" + base64.b32encode(hashlib.sha256("\n".join(seed).encode()).digest())[:10].decode()


def made(order_id: str, sale: Sale, asked: Asked, currency: str) -> Order:
    """A new order, paid as far as Keypost is concerned. No start date holds it back."""
    stamp = {"by": PERSON, "said": asked.at, "is_paid": True}
    buyer = sale.customer
    payment = Payment(
        names=(f"{PERSON}:{order_id}",),
        state=PaymentState.PAID,
        at=asked.at,
        goods=(Goods(**stamp, lines=sale.lines),),  # type: ignore[arg-type]
        buyers=(Buyer(**stamp, email=buyer.email, name=buyer.name, language=buyer.language),),  # type: ignore[arg-type]
    )
    order = with_payment_of(Order(id=order_id, created_at=asked.at), payment, asked.at, currency, None)
    order = decided(order, "by_hand", replace(asked, why=""), lines=sale.lines, because=sale.because)
    why = said(f"because_{sale.because}")
    return noted(order, asked.at, "made_by_hand", who=asked.who, words=asked.why, why=why)


def is_of(order: Order, sale: Sale, asked: Asked) -> bool:
    """Whether an order was made by this very request."""
    told = order.by_hand
    if told is None or (told.asked.key, told.asked.who) != (asked.key, asked.who):
        return False
    return (told.lines, told.because) == (sale.lines, sale.because) and email_told(order) == sale.customer.email


def email_told(order: Order) -> str | None:
    """As it was told when the order was made; of an erased order nothing is known."""
    return next((word.email for payment in order.payments if payment.is_by_hand for word in payment.buyers), None)


def withdrawn(order: Order, asked: Asked, currency: str) -> Order:
    """Take back what was given by hand: codes that never left go back to stock, and those that left are to be blocked.
    Refused if no person made the order."""
    given = next((payment for payment in order.payments if payment.is_by_hand), None)
    if given is None:
        raise Refused("not_by_hand", order=order.id)
    if given.refunded:
        return order
    payment = replace(given, refunded=(Refunded(asked.at, full=True, by=PERSON),))
    words = "" if order.is_erased else asked.why
    order = with_payment_of(order, payment, asked.at, currency, None)
    order = noted(order, asked.at, "withdrawn", who=asked.who, words=words)
    left = to_block(order)
    return noted(order, asked.at, "withdrawn_to_block", **named(left)) if left else order


def check_sold(lines: Sequence[Line], products: Mapping[str, Product], today: date) -> None:
    """Refused if a line is a new license of a product that is not sold any more. It can still be renewed."""
    for line in lines:
        if line.kind is Kind.NEW and products[line.sku].is_retired(today):
            raise Refused("product_retired", sku=line.sku, retired_on=products[line.sku].retired_on)


def skus_of(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(line.sku for line in lines))
