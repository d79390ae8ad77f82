"""Finds the same person under other addresses: through renewals, corrected addresses, and payments and licenses that
moved. Who looks decides: two people may renew each other's licenses."""

from collections.abc import Collection, Iterable, Iterator

from keypost.core.finding import hidden_address
from keypost.core.frozen import dataclass
from keypost.core.order import Order
from keypost.core.renewals import LICENSE_ID
from keypost.core.said import Said, said
from keypost.table import Store

_MOST = 100  # orders that are looked at beyond the customer's own


@dataclass(frozen=True, slots=True)
class Linked:
    order_id: str
    email: str  # its first letter and its domain
    why: Said


def linked_orders(store: Store, theirs: Iterable[Order], emails: Collection[str]) -> list[Linked]:
    """The orders of other addresses that are linked to these of one customer, by number; without those that were erased
    or have no address."""
    own = {order.id: order for order in theirs}
    known = {email.casefold() for email in (*emails, *(order.customer.email or "" for order in own.values()))}
    found = dict[str, Linked]()
    seen, rest, asked = set(own), [*own.values()], set[str]()
    while rest and len(seen) < len(own) + _MOST:
        order = rest.pop(0)
        for other, why in _neighbors(store, order, emails if order.id in own else (), asked):
            if other.id not in seen:
                seen.add(other.id)
                rest.append(other)
                if other.customer.email and other.customer.email.casefold() not in known:
                    found[other.id] = Linked(other.id, hidden_address(other.customer.email), why)
    return [found[order_id] for order_id in sorted(found)]


def _neighbors(store: Store, order: Order, emails: Collection[str], asked: set[str]) -> Iterator[tuple[Order, Said]]:
    """Each address is looked up once: it may be that of many orders."""
    for other in store.load_all(sorted(_named(store, order))):
        yield other, said("linked_by_renewal", order=order.id)
    for email in sorted({*emails, order.customer.email or "", *order.customer.corrected} - {"", *asked}):
        asked.add(email)
        for other in (*store.orders_of(email).orders, *store.orders_of_former(email).orders):
            yield other, said("linked_by_address", order=order.id)


def _named(store: Store, order: Order) -> set[str]:
    """The orders that an order names: its renewals, what it renews, and where its payments and licenses went or came
    from."""
    named = {renewal.order_id for renewal in order.renewals}
    named |= {term.renews for term in order.terms if term.renews}
    for renews in filter(None, (line.renews for line in order.lines)):
        named.add(store.order_of_license(renews) or "" if LICENSE_ID.fullmatch(renews) else renews.partition("/")[0])
    named |= {order.belongs_to or "", *(decision.to for decision in order.decisions)}
    named |= {order.moved_from, *(each.order for each in order.gone)}
    return named - {"", order.id}
