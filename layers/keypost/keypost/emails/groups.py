"""What a mail says about each line."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from keypost.core.errors import InvalidInput
from keypost.core.mail import Mail
from keypost.core.order import License, Order, Term
from keypost.core.product import Kind, Product
from keypost.words import in_language

LONG_LIST = 25  # with more codes than this, a file is attached too


def with_codes(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    """The context of every mail with codes. InvalidInput if it would have no code."""
    found = groups(order, mail, products, language)
    if not found or not all(group["licenses"] for group in found):
        raise InvalidInput("no_codes_to_send")
    count = sum(group["quantity"] for group in found)
    return {"groups": found, "count": count, "has_list": count > LONG_LIST}


def groups(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> list[dict[str, Any]]:
    """What the mail says about each of its lines, which are all lines of the order if the mail names none."""
    return [
        {"line": number}
        | _of_product(products[line.sku], language)
        | _of_kind(products[line.sku], line.kind, order.term(number), language)
        | _of_licenses(of_line := [license_ for license_ in _in_mail(order, mail) if license_.line == number])
        | {"renewal_url": _renewal_url(products[line.sku], order.id, number, of_line)}
        for number, line in order.numbered.items()
        if not mail.lines or number in mail.lines
    ]


def _in_mail(order: Order, mail: Mail) -> Sequence[License]:
    """The licenses of a mail, which are all that the order has now if the mail names none."""
    return [license_ for license_ in order.current if not mail.licenses or license_.id in mail.licenses]


def _of_kind(product: Product, kind: Kind, term: Term | None, language: str) -> dict[str, Any]:
    """What hangs on what the customer had before: a renewal has a period of its own, and its program is on the device
    unless it is another one. Then the steps are those of a first installation, and nothing is known of what becomes of
    the days that the other license has left."""
    is_other = term is not None and term.is_other_product
    is_installed = kind is Kind.RENEWAL and not is_other
    steps = in_language(product.steps[Kind.RENEWAL if is_installed else Kind.NEW], language)
    return {
        "is_renewal": kind is Kind.RENEWAL,
        "is_installed": is_installed,
        "holds_reserve_code": product.holds_reserve_code and not is_other,
        "steps": [step.text for step in steps],
    }


def _of_product(product: Product, language: str) -> dict[str, Any]:
    return {
        "name": in_language(product.name, language),
        "vendor": product.vendor,
        "devices": product.devices,
        "term_days": product.term_days,
        "download_url": product.download_url,
        "note": in_language(product.notes, language) if product.notes else "",
    }


def _renewal_url(product: Product, order_id: str, line: int, licenses: Sequence[License]) -> str | None:
    """The page on which a customer renews this line, with what it renews: a single license by its own id, several by
    their order and line."""
    renewed = licenses[0].id if len(licenses) == 1 else f"{order_id}/{line}"
    url = product.renewal_url
    return url and url.replace("{license}", quote(renewed, safe="")).replace("{order}", quote(order_id, safe=""))


def _of_licenses(licenses: Sequence[License]) -> dict[str, Any]:
    return {
        "quantity": len(licenses),
        "licenses": licenses,
        "first_day": min((license_.first_day for license_ in licenses), default=None),
        "last_day": max((license_.last_day for license_ in licenses), default=None),
    }
