"""Licenses that leave an order again after their codes were sent: to another customer, or because a part of the money
went back for them."""

from dataclasses import replace
from datetime import tzinfo

from keypost.core.by_hand import MOVED
from keypost.core.errors import Refused
from keypost.core.mail import Asked, Purpose
from keypost.core.obstacles import obstacle
from keypost.core.order import Gone, License, Order, noted
from keypost.core.product import Line, Product
from keypost.core.renewals import reminders_of
from keypost.core.said import said
from keypost.core.support import license_of, with_notice


def check_movable(order: Order, license_id: str, to: str) -> License:
    """The license that may move to this address. Refused if it may not."""
    license_ = license_of(order, license_id)
    if why_not := obstacle(order):
        raise Refused("not_moved", license=license_id, why=why_not)
    if license_ in order.past or not order.has_left(license_):
        why = said("license_exchanged" if license_ in order.past else "license_not_sent")
        raise Refused("not_moved", license=license_id, why=why)
    if to.casefold() == (order.customer.email or "").casefold():
        raise Refused("not_moved", license=license_id, why=said("same_customer"))
    return license_


def moved_to(order: Order, license_id: str) -> str | None:
    """The order that has a license of this one now."""
    return next((each.order for each in order.gone if (each.license, each.why) == (license_id, MOVED)), None)


def renewed_by(order: Order, license_id: str) -> tuple[str, ...]:
    """The orders that renew a license of this one, paid or not, which its former customer has."""
    line = license_of(order, license_id).line
    found = (each for each in order.renewals if each.of_line == line and each.of_license in (None, license_id))
    return tuple(dict.fromkeys(each.order_id for each in found))


def line_of(license_: License) -> tuple[Line, ...]:
    return (Line(license_.sku, 1, period_start=license_.first_day, period_end=license_.last_day),)


def with_moved(order: Order, license_: License, product: Product | None, from_id: str, zone: tzinfo) -> Order:
    """The new order with the license, which keeps its id and its period, and with the reminders that are still to
    come. Its first mail follows by itself."""
    reminders = reminders_of(1, license_.last_day, product, zone) if product else ()
    coming = tuple(each for each in reminders if each.at > order.created_at)
    order = replace(order, licenses=(replace(license_, line=1),), reminders=coming, moved_from=from_id)
    return noted(order, order.created_at, "license_came", license=license_.id, order=from_id)


def without_moved(order: Order, license_id: str, to: str, asked: Asked) -> Order:
    """The old order, in which the license is a past one, with a notice to its customer."""
    order = replace(order, gone=(*order.gone, Gone(license_id, MOVED, to)))
    order = noted(order, asked.at, "license_moved", who=asked.who, words=asked.why, license=license_id, order=to)
    return with_notice(order, Purpose.LICENSE_MOVED, replace(asked, why=""), (license_id,))


def without_refunded(order: Order, license_id: str, asked: Asked) -> Order:
    """Store that a part of the money went back for this license: it is to be blocked, and it is not sent again,
    reminded of or renewed. The person has judged the refund by that, so it holds back nothing else. Refused if no money
    went back, or if the code was not sent."""
    license_ = license_of(order, license_id)
    if license_id in order.gone_for("refunded"):
        return order
    if not any(payment.returned for payment in order.settled):
        raise Refused("nothing_refunded", order=order.id)
    if license_ in order.past or not order.has_left(license_):
        why = said("license_exchanged" if license_ in order.past else "license_not_sent")
        raise Refused("not_refunded", license=license_id, why=why)
    hold = replace(order.hold, released=True)
    order = replace(order, gone=(*order.gone, Gone(license_id, "refunded")), hold=hold)
    words = "" if order.is_erased else asked.why
    return noted(order, asked.at, "license_refunded", who=asked.who, words=words, license=license_id)


def with_refunded_again(order: Order, license_id: str, asked: Asked) -> Order:
    """Take that back: another license was meant."""
    license_of(order, license_id)
    kept = tuple(each for each in order.gone if (each.license, each.why) != (license_id, "refunded"))
    if kept == order.gone:
        return order
    was_blocked = license_id in order.blocked
    blocked = tuple(each for each in order.blocked if each != license_id)
    words = "" if order.is_erased else asked.why
    order = replace(order, gone=kept, blocked=blocked)
    order = noted(order, asked.at, "license_not_refunded", who=asked.who, words=words, license=license_id)
    return noted(order, asked.at, "codes_to_unblock", licenses=[license_id]) if was_blocked else order
