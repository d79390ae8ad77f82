"""The worklist: the orders that need a person, or stock, the most urgent first. Its cost is what waits, not what is
stored. An order that is set aside stands there for that alone: its own reason is from before."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from keypost.core import plan
from keypost.core.aside import Aside, reason_of, said_of
from keypost.core.aside_reasons import AsideReason
from keypost.core.daily_note import entry
from keypost.core.errors import InvalidInput
from keypost.core.frozen import dataclass
from keypost.core.obstacles import actions
from keypost.core.order import Order, Reason
from keypost.core.owed import missing
from keypost.core.product import Kind
from keypost.core.said import Said
from keypost.table import Store
from keypost.table.orders import Loaded

PAGE = 50
Why = Reason | AsideReason
_URGENCY: tuple[Why, ...] = (*AsideReason, *Reason)  # the first ones need somebody soonest


@dataclass(frozen=True, slots=True)
class Item:
    order_id: str
    needs: str  # the code by which the worklist counts and filters
    reason: Said  # what exactly
    since: datetime | None
    by: datetime | None  # when the customer has no protection any more; None where that is not known
    products: tuple[str, ...]
    customer: str | None  # the name
    actions: tuple[Said, ...]  # what a person can do about it


@dataclass(frozen=True, slots=True)
class Worklist:
    counts: Mapping[str, int]  # by code, those that are not zero
    items: tuple[Item, ...]
    next: str | None  # for the page behind this one
    names: Mapping[str, str] = field(default_factory=dict)  # what the products are called, by SKU
    zone: str = ""  # the shop's, in which texts give moments


@dataclass(frozen=True, slots=True)
class _Key:
    why: Why
    since: str
    order_id: str

    @property
    def place(self) -> tuple[int, str, str]:
        return _URGENCY.index(self.why), self.since, self.order_id


REASONS = tuple(why.value for why in _URGENCY)
_AT = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
PLACE = f"({'|'.join(REASONS)})~{_AT}~[^~]+"  # of a page, as a pattern


def worklist(store: Store, reason: str | None = None, after: str | None = None, size: int = PAGE) -> Worklist:
    """One page of it. InvalidInput when `after` is not the `next` of a page of this list: a page that it does not lead
    to would look like an empty worklist."""
    begin = _read(after, reason) if after else None
    keys = list(_keys(store))
    rest = _behind(begin, (key for key in keys if reason in (None, key.why)))
    page = rest[:size]
    following = _written(page[-1]) if len(rest) > len(page) else None
    return Worklist(_counted(keys), tuple(_items(store, page)), following)


def _behind(begin: tuple[int, str, str] | None, keys: Iterable[_Key]) -> list[_Key]:
    """Those of the keys that come after a place; all of them without one."""
    return [key for key in keys if begin is None or key.place > begin]


def _counted(keys: Sequence[_Key]) -> dict[str, int]:
    return {code: found for code in REASONS if (found := sum(key.why == code for key in keys))}


def _keys(store: Store) -> Iterator[_Key]:
    aside: set[str] = set()
    for why in _URGENCY:
        keys = [_Key(why, since, order_id) for since, order_id in store.needing_since(why) if order_id not in aside]
        if isinstance(why, AsideReason):
            aside |= {key.order_id for key in keys}
        yield from sorted(keys, key=lambda key: key.place)


def _items(store: Store, page: list[_Key]) -> Iterator[Item]:
    loaded = store.read_all([key.order_id for key in page if isinstance(key.why, Reason)])
    aside = _asides(store, page) | _left_out(loaded)
    orders = {order.id: order for order in loaded.orders}
    found = (aside.get(key.order_id) or _item(orders.get(key.order_id), key.why) for key in page)
    return filter(None, found)


def _asides(store: Store, page: Sequence[_Key]) -> dict[str, Item]:
    """The orders of a page that are set aside, by their id; without those that have gone on."""
    whys = {key.order_id: key.why for key in page if isinstance(key.why, AsideReason)}
    return {each.order_id: _aside_item(each, whys[each.order_id]) for each in store.asides(list(whys))}


def _left_out(loaded: Loaded) -> dict[str, Item]:
    """The orders that cannot be read just now, by their id."""
    return {error.order_id: _aside_item(Aside(error.order_id), reason_of(error)) for error in loaded.left_out}


def _item(order: Order | None, wanted: Why) -> Item | None:
    """None when the order has gone on: the index lags."""
    needs = plan.attention(order) if order else None
    if order is None or needs is None or needs[0] is not wanted:
        return None
    why, moment = needs
    since, by = _since_and_by(order, why, moment)
    said = entry(order, why).why
    return Item(order.id, why, said, since, by, order.skus, order.customer.name, actions(order, why))


def _since_and_by(order: Order, why: Reason, moment: datetime) -> tuple[datetime, datetime | None]:
    """Since when an order needs somebody, and by when. For stock, its moment is the one by which it needs codes."""
    if why is Reason.STOCK and order.waiting:
        return order.waiting.since, moment
    return moment, _needed_by(order)


def _needed_by(order: Order) -> datetime | None:
    """By when the customer needs what the order lacks; None where it lacks nothing, or where that is not known."""
    bought = order.numbers(Kind.NEW) if order.paid_at else ()
    known = {*bought, *(term.line for term in order.terms)}
    return plan.needed_by(order) if any(number in known for number, _, _ in missing(order)) else None


def _aside_item(aside: Aside, why: AsideReason) -> Item:
    return Item(aside.order_id, why, said_of(why, aside.why), aside.since, None, (), None, (_ACTIONS[why],))


def _written(key: _Key) -> str:
    return f"{key.why}~{key.since}~{key.order_id}"


def _read(after: str, reason: str | None) -> tuple[int, str, str]:
    code, _, place = after.partition("~")
    if not re.fullmatch(PLACE, after) or code not in (REASONS if reason is None else (reason,)):
        raise InvalidInput("no_such_page")
    since, _, order_id = place.partition("~")
    return REASONS.index(code), since, order_id


_ACTIONS: Mapping[AsideReason, Said] = {
    AsideReason.UNREADABLE: Said("restore_item"),
    AsideReason.NEWER_VERSION: Said("update_keypost"),
    AsideReason.FAILING: Said("read_log"),
}
