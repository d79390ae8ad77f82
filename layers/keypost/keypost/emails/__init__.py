"""The e-mails: a function per kind says what it has to say as blocks, in the words of `keypost.words`; one renderer
makes HTML of them and one makes text, for all kinds in all languages."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage

from keypost.core import codes
from keypost.core.errors import InvalidInput
from keypost.core.mail import Mail
from keypost.core.order import License, Order
from keypost.core.product import Product
from keypost.emails.items import items
from keypost.emails.kinds import WRITERS, lacking, language_of
from keypost.emails.message import build
from keypost.emails.occasion import Occasion
from keypost.emails.shop import Shop
from keypost.words import FALLBACK, LANGUAGES, spoken

__all__ = ["WRITERS", "Shop", "compose", "lacking", "preview"]


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
    return _composed(Occasion(order, mail, products, shop, now, way_out))


def preview(order: Order, mail: Mail, products: Mapping[str, Product], shop: Shop, now: datetime) -> EmailMessage:
    """Compose the message of a mail as its customer got it, or will get it, with every code masked. It must never be
    sent. InvalidInput if it would have no code that is known now."""
    hidden = f"{shop.public_url}/reminders/..."  # the rest is the customer's alone
    return _composed(Occasion(replace(order, licenses=_masked(order, mail)), mail, products, shop, now, hidden))


def _masked(order: Order, mail: Mail) -> tuple[License, ...]:
    """The licenses with the codes that the mail had: a code that was swapped after it left stood in it."""
    swapped = {bad.license: bad.code for bad in reversed(order.bad_codes) if mail.was_sent_before(bad.asked.at)}
    return tuple(replace(each, code=codes.masked(swapped.get(each.id, each.code))) for each in order.licenses)


def _language(about: Occasion) -> str:
    """The customer's language. Where a product of a mail with codes lacks it, the whole mail is in one that its
    products have, because steps in another language than the words around them help nobody."""
    wanted = spoken(about.order.customer.language)
    if not about.mail.holds_codes:
        return wanted
    texts = [item.product.name.keys() for item in items(about)]
    shared = [language for language in (wanted, FALLBACK, *LANGUAGES) if all(language in each for each in texts)]
    return next(iter(shared), wanted)


def _composed(wanted: Occasion) -> EmailMessage:
    order, mail = wanted.order, wanted.mail
    about = replace(wanted, language=language_of(mail.purpose, _language(wanted)))
    to, reference = mail.to or order.customer.email, f"{order.id}/{mail.id}"
    return build(WRITERS[mail.purpose](about), to, reference, about.shop, about.language, about.now)
