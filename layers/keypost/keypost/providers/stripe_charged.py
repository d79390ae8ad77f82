"""What Stripe charged: the items of a session, and the lines of an invoice, each with the SKU of its price."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from keypost.core.errors import ProviderRefused
from keypost.core.frozen import dataclass
from keypost.core.payment import Charged, Remark
from keypost.core.product import Line
from keypost.core.said import Said, said
from keypost.providers.call import Call
from keypost.providers.order_card import Told, clean_name, is_sku
from keypost.providers.stripe_objects import amount, currency_of, id_of, listed, mapped, remark, whole


@dataclass(frozen=True, slots=True)
class Goods:
    """What a payment was for: the lines of its card, and all that was charged. Without a card, an invoice has the lines
    that it charged, because they may renew something; some of these may not be ours."""

    lines: tuple[Line, ...]
    charged: tuple[Charged, ...] = ()
    problem: Said | None = None  # why no program may decide what was bought
    remarks: tuple[Remark, ...] = ()
    itemized: bool = False


def of_session(call: Call, session_id: str, told: Told) -> Goods:
    """What a paid session sold."""
    try:
        items = _items(call, session_id)
    except ProviderRefused:
        if not told.has_card:
            raise
        return Goods(told.lines, remarks=(_unreadable(call, session_id),))
    charged = tuple(_charged(item, item.get("price"), "amount_total") for item in items)
    if told.has_card:
        return Goods(_adjusted(told.lines, items), charged, _odd(charged))
    return Goods((), _of_ours(charged), _odd(charged))


def of_invoice(
    call: Call, invoice_id: str, lines: Sequence[Mapping[str, Any]], once: Sequence[Mapping[str, Any]], told: Told
) -> Goods:
    """What an invoice sold. Only its `lines` can be those of a card, or renew something; what was charged `once` beside
    them is told with them."""
    prices, remarks = _prices(call, invoice_id, (*lines, *once), told)
    charged = tuple(_charged(line, price, "amount") for line, price in zip((*lines, *once), prices, strict=True))
    regular = charged[: len(lines)]
    if told.has_card:
        return Goods(told.lines, charged, _odd(charged), remarks)
    sold = tuple(Line(each.sku, each.quantity) for each in regular if _is_license(each))
    return Goods(sold, _of_ours(charged), _odd(charged), itemized=bool(sold))


def _prices(
    call: Call, invoice_id: str, lines: Sequence[Mapping[str, Any]], told: Told
) -> tuple[list[Any], tuple[Remark, ...]]:
    """The price of each line; if our key may read none and there is a card, only what the lines say of them."""
    try:
        return [_price(call, line) for line in lines], ()
    except ProviderRefused:
        if not told.has_card:
            raise
        return [_told_price(line) for line in lines], (_unreadable(call, invoice_id),)


def _unreadable(call: Call, about: str) -> Remark:
    """That the card alone says what was bought, because our key may not read what was charged."""
    return remark(call, said("stripe_goods_not_compared", id=about), about)


def _of_ours(charged: tuple[Charged, ...]) -> tuple[Charged, ...]:
    """All items, if one has a SKU. Without any, nobody can tell whether they are ours, and without a card nothing else
    says it: a person has to look."""
    return charged if any(each.sku for each in charged) else ()


def _is_license(charged: Charged) -> bool:
    """True for an item that may be a license by its SKU; one of zero or less is a discount or a gift."""
    is_sold = charged.total is None or Decimal(charged.total) > 0
    return is_sku(charged.sku) and charged.quantity > 0 and is_sold


def _items(call: Call, session_id: str) -> list[dict[str, Any]]:
    expanded = {"expand[]": ["data.price.product"]}
    return [*listed(call, f"/v1/checkout/sessions/{session_id}/line_items", expanded)]


def _charged(item: Mapping[str, Any], price: Any, total: str) -> Charged:
    """One item. A quantity that is no whole number is 0, which nobody can take for one."""
    return Charged(
        sku=_sku(price),
        quantity=_quantity(item),
        name=clean_name(item.get("description")) or "",
        total=_total(item, total),
    )


def _total(item: Mapping[str, Any], field: str) -> str | None:
    """What an item cost; None for one that a coupon made free, because it was sold all the same."""
    total, before = whole(item.get(field)), whole(item.get("amount_subtotal", item.get("subtotal")))
    return None if total == 0 and before else amount(total, currency_of(item))


def _quantity(item: Mapping[str, Any]) -> int:
    """The quantity; 0 if it is odd. Stripe cuts off the part of a number that is not whole, and has it beside it."""
    quantity, exact = whole(item.get("quantity")), item.get("quantity_decimal")
    if quantity is None or quantity <= 0:
        return 0
    return quantity if exact is None or _is_exactly(quantity, exact) else 0


def _is_exactly(quantity: int, exact: Any) -> bool:
    try:
        return Decimal(str(exact)) == quantity
    except InvalidOperation:
        return False


def _odd(charged: Sequence[Charged]) -> Said | None:
    """The problem with a quantity that nobody can guess. That of other work, which has no SKU, does not matter."""
    is_odd = any(each.quantity == 0 and (each.sku or len(charged) == 1) for each in charged)
    return said("odd_quantity") if is_odd else None


def _adjusted(lines: tuple[Line, ...], items: Sequence[Mapping[str, Any]]) -> tuple[Line, ...]:
    """The lines of a card. The only one has the quantity that the buyer chose for the only item, if he could: the item
    may have no SKU by which the two could be compared."""
    if len(lines) != 1 or len(items) != 1 or not (quantity := _quantity(items[0])):
        return lines
    is_chosen = mapped(items[0].get("adjustable_quantity")).get("enabled") is True and not _sku(items[0].get("price"))
    return (replace(lines[0], quantity=quantity),) if is_chosen else lines


def _price(call: Call, line: Mapping[str, Any]) -> Any:
    """The price of a line of an invoice, with its product. The line has only the price's id, or the price without its
    product; without a key for Stripe, or if the price is gone, that has to do."""
    price = _told_price(line)
    price_id = id_of(price)
    found = call.get(f"/v1/prices/{price_id}", {"expand[]": ["product"]}) if call.get and price_id else None
    return price if found is None else found


def _told_price(line: Mapping[str, Any]) -> Any:
    return mapped(mapped(line.get("pricing")).get("price_details")).get("price") or line.get("price")


def _sku(price: Any) -> str:
    """The SKU, from the product's metadata, the price's metadata, or its lookup key: the first that can be one, else
    the first text, else empty."""
    price = mapped(price)
    product = mapped(price.get("product"))
    given = (mapped(product.get("metadata")).get("sku"), mapped(price.get("metadata")).get("sku"))
    texts = [text for text in (*given, price.get("lookup_key")) if isinstance(text, str)]
    return next(filter(is_sku, texts), None) or next((found for text in texts if (found := clean_name(text))), "")
