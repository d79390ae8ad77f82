"""A person makes an order without a payment, or moves a license to another customer. Each call may be repeated."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import count

from keypost import telemetry
from keypost.core import by_hand, gone
from keypost.core.by_hand import MOVED, Sale
from keypost.core.errors import Conflict, NotFound, Refused
from keypost.core.mail import Asked
from keypost.core.order import Customer, Order
from keypost.core.periods import local_day
from keypost.core.product import Product
from keypost.use_cases.help_customer import Desk

_TRIES = 20
_DOUBLE_CLICK = timedelta(minutes=1)


def sell_by_hand(desk: Desk, sale: Sale, asked: Asked, currency: str) -> str:
    """Make an order; returns its number. With a key the same request makes one order for ever, without one within a
    minute. NotFound if a product is not in the catalog; Refused if the key made another order, if a product is not sold
    any more, or if no program could serve this one."""
    skus = by_hand.skus_of(sale.lines)
    known = desk.store.products(skus)
    if unknown := [sku for sku in skus if sku not in known]:
        raise NotFound("no_such_product", sku=unknown[0])
    for number in count(1):
        seed = (asked.key,) if asked.key else (repr(sale), str(number))
        order = by_hand.made(by_hand.number_of(asked.who, *seed), sale, asked, currency)
        if order.hold.problem:
            raise Refused("not_made", why=order.hold.problem)
        there = desk.store.load(order.id) or _sold(desk, order, known)
        if by_hand.is_of(there, sale, asked) and (asked.key or asked.at - there.created_at < _DOUBLE_CLICK):
            desk.poke(there.id)
            return there.id
        if asked.key:
            raise Refused("key_of_other_order", order=there.id)
    raise AssertionError


def _sold(desk: Desk, order: Order, products: Mapping[str, Product]) -> Order:
    """The order, stored as a new one."""
    by_hand.check_sold(order.lines, products, local_day(order.created_at, desk.zone))
    try:
        saved = desk.store.save(order)
    except Conflict:  # the same request, at the same moment
        return desk.store.existing(order.id)
    telemetry.outcome("OrderMadeByHand", order_id=order.id)
    return saved


def move_license(desk: Desk, order_id: str, license_id: str, to: Customer, asked: Asked, currency: str) -> str:
    """Move a license to another customer; returns the number of the order by hand that has it from now on. Refused if
    it may not move, or has moved to somebody else."""
    for _ in range(_TRIES):
        order = desk.existing(order_id)
        if there := gone.moved_to(order, license_id):
            _check_same(desk, there, license_id, to)
            desk.poke(there)
            return there
        license_ = gone.check_movable(desk.as_seen(order), license_id, to.email or "")
        product = desk.store.products([license_.sku]).get(license_.sku)
        sale = Sale(to, gone.line_of(license_), MOVED)
        made = by_hand.made(by_hand.number_of(order_id, license_id), sale, asked, currency)
        new = gone.with_moved(made, license_, product, order_id, desk.zone)
        try:
            desk.store.move_license(gone.without_moved(order, license_id, new.id, asked), new, license_)
        except Conflict:  # somebody changed the order meanwhile
            continue
        desk.poke(order_id)
        desk.poke(new.id)
        return new.id
    raise Conflict("order_busy", order=order_id)


def _check_same(desk: Desk, there: str, license_id: str, to: Customer) -> None:
    if by_hand.email_told(desk.store.existing(there)) != to.email:
        raise Refused("license_moved_already", license=license_id, order=there)
