"""The e-mails: one function per kind, and per language two templates (text and HTML) that say the same from one
context."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from keypost.core import codes
from keypost.core.errors import InvalidInput
from keypost.core.mail import Mail, Purpose
from keypost.core.order import License, Order
from keypost.core.product import Product
from keypost.emails.address_changed import address_changed
from keypost.emails.message import Shop, build, written
from keypost.emails.notices import license_moved, sent_elsewhere
from keypost.emails.paid_ahead import paid_ahead
from keypost.emails.purchase import purchase
from keypost.emails.refunded import refunded
from keypost.emails.reminder import reminder
from keypost.emails.renewal import renewal
from keypost.emails.resend import resend
from keypost.emails.waiting import waiting
from keypost.words import spoken

__all__ = ["KINDS", "Shop", "compose", "preview"]

KINDS: dict[Purpose, Callable[[Order, Mail, Mapping[str, Product], str], dict[str, Any]]] = {
    Purpose.PURCHASE: purchase,
    Purpose.RENEWAL: renewal,
    Purpose.REMINDER: reminder,
    Purpose.RESEND: resend,
    Purpose.REPLACEMENT: purchase,
    Purpose.WAITING: waiting,
    Purpose.PAID_AHEAD: paid_ahead,
    Purpose.REFUNDED: refunded,
    Purpose.ADDRESS_CHANGED: address_changed,
    Purpose.SENT_ELSEWHERE: sent_elsewhere,
    Purpose.LICENSE_MOVED: license_moved,
}


def compose(
    order: Order, mail: Mail, products: Mapping[str, Product], shop: Shop, now: datetime, way_out: str = ""
) -> EmailMessage:
    """Compose the message of a mail; a reminder with the address of the page on which its customer stops reminders.
    InvalidInput if it must not be sent: a code is not a code of its product, or there is no address."""
    if (mail.to or order.customer.email) is None:
        raise InvalidInput("no_address")
    in_mail = order.licenses_of([mail]) if mail.holds_codes else frozenset()
    for license_ in order.licenses:
        if license_.id in in_mail and license_ not in order.past:  # what was exchanged stands in no mail any more
            codes.checked(license_.code, products[license_.sku])
    return _composed(order, mail, products, shop, now, way_out)


def preview(order: Order, mail: Mail, products: Mapping[str, Product], shop: Shop, now: datetime) -> EmailMessage:
    """Compose the message of a mail as its customer got it, or will get it, with every code masked. It must never be
    sent. InvalidInput if it would have no code that is known now."""
    hidden = f"{shop.public_url}/reminders/..."  # the rest is the customer's alone
    return _composed(replace(order, licenses=_masked(order, mail)), mail, products, shop, now, hidden)


def _masked(order: Order, mail: Mail) -> tuple[License, ...]:
    """The licenses with the codes that the mail had: a code that was swapped after it left stood in it."""
    swapped = {bad.license: bad.code for bad in reversed(order.bad_codes) if mail.was_sent_before(bad.asked.at)}
    return tuple(replace(each, code=codes.masked(swapped.get(each.id, each.code))) for each in order.licenses)


def _composed(
    order: Order, mail: Mail, products: Mapping[str, Product], shop: Shop, now: datetime, way_out: str
) -> EmailMessage:
    language = written(spoken(order.customer.language), mail.purpose)
    context = {"language": language, "order": order} | KINDS[mail.purpose](order, mail, products, language)
    if mail.purpose is Purpose.REMINDER:
        context["way_out"] = way_out
    return build(mail.purpose, mail.to or order.customer.email, f"{order.id}/{mail.id}", shop, context, now)
