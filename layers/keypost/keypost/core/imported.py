"""Orders that a system before Keypost sold: one telling of an import, which stands as paid. Their codes have left
before, so that Keypost sends nothing of itself but the reminders that are still to come."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta, tzinfo

from keypost.core.codes import NewCode, key_of
from keypost.core.contents import decided, with_payment_of
from keypost.core.frozen import dataclass
from keypost.core.licensing import license_id
from keypost.core.mail import Asked, Mail, MailState, Purpose
from keypost.core.order import Customer, License, Order, Reminder, noted
from keypost.core.payment import Payment, PaymentState
from keypost.core.periods import midnight_of
from keypost.core.product import Line, Product
from keypost.core.renewals import reminders_of
from keypost.core.telling import IMPORT, Buyer, Goods

_NOON = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class SoldGoods:
    """Licenses of one product that run alike: a line of the order."""

    sku: str
    codes: tuple[NewCode, ...]
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Sold:
    """An order as the system before Keypost had it."""

    order_id: str
    customer: Customer
    goods: tuple[SoldGoods, ...]
    sold_on: date
    is_charged: bool = False  # its provider charges the next period by itself
    subscription: str = ""  # the provider's id of that, if it is known

    @property
    def codes(self) -> tuple[NewCode, ...]:
        return tuple(code for goods in self.goods for code in goods.codes)

    @property
    def key(self) -> str:
        """The same for the same content, however often it is imported."""
        goods = [(each.sku, *sorted(map(key_of, each.codes)), each.first_day, each.last_day) for each in self.goods]
        customer = (self.customer.email, self.customer.name, self.customer.language)
        told = (self.order_id, customer, goods, self.sold_on, self.is_charged, self.subscription)
        return f"import-{hashlib.sha256(repr(told).encode()).hexdigest()[:20]}"


def imported(
    sold: Sold, asked: Asked, products: Mapping[str, Product], zone: tzinfo, currency: str, known: Order | None = None
) -> Order:
    """The order with its licenses, none of which is mailed. `known` is the order as it is there: one that an import
    made, and to which nothing has happened since; or one that was paid before Keypost serves, and has nothing yet."""
    lines = tuple(
        Line(each.sku, len(each.codes), period_start=each.first_day, period_end=each.last_day) for each in sold.goods
    )
    at = min(midnight_of(sold.sold_on, zone) + _NOON, asked.at)
    stamp = {"by": IMPORT, "said": asked.at, "is_paid": True}
    buyer = sold.customer
    payment = Payment(
        names=(f"{IMPORT}:{sold.order_id}",),
        state=PaymentState.PAID,
        at=at,
        goods=(Goods(**stamp, lines=lines),),  # type: ignore[arg-type]
        buyers=(Buyer(**stamp, email=buyer.email, name=buyer.name, language=buyer.language),),  # type: ignore[arg-type]
    )
    order = Order(id=sold.order_id, created_at=at)
    for told in _of_then(known):
        order = with_payment_of(order, replace(told, names=(*told.names, *payment.names)), asked.at, currency, None)
    order = with_payment_of(order, payment, asked.at, currency, None)
    order = decided(order, "imported", replace(asked, why="", key=sold.key))
    order = replace(
        order,
        licenses=tuple(_licenses(sold)),
        reminders=tuple(each for each in _reminders(sold, products, zone) if each.at > asked.at),
        mails=(Mail("purchase-1", Purpose.PURCHASE, MailState.BEFORE, sent_at=at, may_have_left=True),),
        subscription=replace(order.subscription, is_charged=sold.is_charged),
        timeline=known.timeline if known else (),
        moved=known.moved if known else 0,
        version=known.version if known else 0,
    )
    return noted(order, asked.at, "imported_anew" if known and known.imported else "imported", who=asked.who)


def _of_then(known: Order | None) -> Iterable[Payment]:
    """The payment for which the order was sold, as far as providers told of it; what they said of its contents is of a
    time at which nobody asked them."""
    told = known.payments if known and not known.imported else ()
    return (replace(each, goods=(), buyers=()) for each in told if each.state is PaymentState.PAID)


def _licenses(sold: Sold) -> Iterable[License]:
    for number, goods in enumerate(sold.goods, start=1):
        for code in goods.codes:
            id_ = license_id(sold.order_id, number, key_of(code))
            yield License(id_, number, goods.sku, code.code, goods.first_day, goods.last_day, code.case_counts)


def _reminders(sold: Sold, products: Mapping[str, Product], zone: tzinfo) -> Iterable[Reminder]:
    for number, goods in enumerate(sold.goods, start=1):
        yield from reminders_of(number, goods.last_day, products[goods.sku], zone)


def is_of(known: Order, sold: Sold) -> bool:
    """Whether an order is this one, whatever has happened to it since. Of an erased one nobody may say more."""
    made = known.imported
    return made is not None and (known.is_erased or made.asked.key == sold.key)


def may_become(known: Order) -> bool:
    """Whether an import may make an order anew: nothing has happened to it."""
    if known.is_erased or known.belongs_to or known.renewals or known.moved:
        return False
    if known.imported:
        is_quiet = all(entry.code in ("imported", "imported_anew") for entry in known.timeline)
        return is_quiet and all(mail.state is MailState.BEFORE for mail in known.mails)
    paid = [payment for payment in known.payments if payment.state is PaymentState.PAID]
    is_from_before = known.hold.from_before and known.is_paid and not known.canceled
    return is_from_before and len(paid) == 1 and not (known.licenses or known.mails or known.registered)
