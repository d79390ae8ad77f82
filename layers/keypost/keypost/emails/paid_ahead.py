"""The mail to a customer who has paid for a renewal long before its codes come."""

from collections.abc import Mapping
from typing import Any

from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.emails.groups import groups


def paid_ahead(order: Order, mail: Mail, products: Mapping[str, Product], language: str) -> dict[str, Any]:
    terms = {term.line: term for term in order.terms}
    found = [group for group in groups(order, mail, products, language) if group["line"] in terms]
    for group in found:
        term = terms[group["line"]]
        group |= {"quantity": order.line(term.line).quantity, "first_day": term.first_day, "mail_at": term.mail_at}
        del group["licenses"]  # so that no template can show a code by mistake
    return {"groups": found, "count": sum(group["quantity"] for group in found)}
