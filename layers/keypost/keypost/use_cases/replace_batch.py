"""Gives everybody who has a code of a bad batch another one. The worker does it, some orders at a time. After each
order it stores how far it came, so that it goes on where it stopped; what is done twice changes nothing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from keypost import telemetry
from keypost.core import batches, support
from keypost.core.batches import OfOrder, Replacing, State
from keypost.core.codes import StockCode, key_of
from keypost.core.errors import Conflict, QueueUnavailable, SetAside, TooMany
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked
from keypost.core.order import License, Order
from keypost.core.periods import local_day
from keypost.core.said import Said, said
from keypost.table.batches import GivenTo, batch_id
from keypost.table.orders import CODES_PER_TRANSACTION
from keypost.table.schedule import BATCH
from keypost.use_cases.help_customer import Desk

_ORDERS_AT_ONCE = 20
_FREE_AT_ONCE = 500
_TRIES = 5
_BETWEEN_PASSES = timedelta(minutes=1)  # until mails that are on their way have left, and the index knows all
_BUSY = ("mail_is_being_sent",)  # passes by itself


@dataclass(frozen=True, slots=True)
class Far:
    """How far the replacing of a batch is."""

    replaced: int  # codes of the batch that were replaced, whenever and by whom
    given: int  # codes of the batch that customers still have
    replacing: Replacing | None


def is_of_batch(name: str) -> bool:
    """Whether a poke is that of a batch; an order's number has no such character."""
    return name.startswith(BATCH)


def how_far(desk: Desk, batch: str, sku: str) -> Far:
    store = desk.store
    return Far(store.count_claims(batch), store.count_given(batch), store.replacing(batch_id(batch, sku)))


def begin(desk: Desk, wanted: Replacing) -> Replacing:
    """Begin it, or go on with it; the same call twice is one."""
    known = desk.store.replacing(batch_id(wanted.batch, wanted.sku))
    anew = batches.begun_again(known, wanted.who, wanted.began) if known else wanted
    saved = known if known and anew is known else desk.store.save_replacing(anew, wanted.began)
    _recall(desk, saved)
    _poke(desk, saved)
    return saved


def go_on(desk: Desk, name: str, now: datetime) -> None:
    """What the poke of a batch asks for: some orders, and another poke unless it is done."""
    replacing = desk.store.replacing(name.removeprefix(BATCH))
    if replacing is None or replacing.state is State.DONE:
        return
    replacing = _step(desk, batches.at_start(replacing), now)
    telemetry.outcome("BatchReplaced" if replacing.state is State.DONE else "BatchGoesOn", batch=name)
    if replacing.state is State.RUNNING:
        is_amid = replacing.behind or not replacing.withdrawn
        _poke(desk, replacing, timedelta() if is_amid else _BETWEEN_PASSES)


def _poke(desk: Desk, replacing: Replacing, delay: timedelta = timedelta()) -> None:
    with suppress(QueueUnavailable):  # it is due: the schedules find it
        desk.queue.poke(f"{BATCH}{batch_id(replacing.batch, replacing.sku)}", delay)


def _skus(desk: Desk, replacing: Replacing) -> list[str]:
    return [replacing.sku] if replacing.sku else desk.store.skus()


def _recall(desk: Desk, replacing: Replacing) -> None:
    """From now on nobody gets a code of the batch."""
    for sku in _skus(desk, replacing):
        desk.store.recall(sku, replacing.batch)


def _step(desk: Desk, replacing: Replacing, now: datetime) -> Replacing:
    if not replacing.withdrawn:
        is_whole = _withdraw(desk, replacing, now)
        return desk.store.save_replacing(replace(replacing, withdrawn=is_whole), now)
    orders = desk.store.given(replacing.batch, replacing.behind, _ORDERS_AT_ONCE)
    for given in orders:
        replacing = batches.with_order(replacing, given.order_id, _of_order(desk, replacing, given, now))
        replacing = desk.store.save_replacing(replacing, now)
    if len(orders) == _ORDERS_AT_ONCE:
        return replacing
    return desk.store.save_replacing(batches.at_end_of_pass(replacing), now)


def _withdraw(desk: Desk, replacing: Replacing, now: datetime) -> bool:
    """Take the free codes of the batch out of the stock, some at a time; returns whether that was all."""
    count = 0
    for sku in _skus(desk, replacing):
        for page in desk.store.codes_of_batch(sku, replacing.batch, "free"):
            count += desk.store.withdraw(page, replacing.note or replacing.reason, replacing.who, now)
            if count >= _FREE_AT_ONCE:
                return False
    return True


def _of_order(desk: Desk, replacing: Replacing, given: GivenTo, now: datetime) -> OfOrder:
    try:
        return _replaced(desk, replacing, given.order_id, now)
    except SetAside:
        return OfOrder(left_out=tuple(said("order_unreadable") for _ in given.items))
    except Conflict:
        return OfOrder(later=len(given.items))
    except Exception as error:  # noqa: BLE001 - no order holds up the others
        telemetry.failure(error, order_id=given.order_id)
        return OfOrder(left_out=tuple(said("replacing_failed") for _ in given.items))


def _replaced(desk: Desk, replacing: Replacing, order_id: str, now: datetime) -> OfOrder:
    """Replace all codes of the batch that an order has, with one mail for them."""
    for _ in range(_TRIES):
        order = desk.store.existing(order_id)
        bad = _of_batch(desk, order, replacing)
        done = _judged(desk, order, bad, now)
        able = [one for one, why in zip(bad, done, strict=True) if why is None]
        stay = tuple(why for why in done if why and why.code not in _BUSY)
        later = len(bad) - len(able) - len(stay)
        if later or not able:  # one mail for all: what is on its way is waited for
            return OfOrder(later=later, left_out=stay)
        others = _others(desk, able, now)
        if others is None:
            return OfOrder(lacking=True, left_out=(*stay, *(said("no_other_code_free") for _ in able)))
        try:
            _swap(desk, replacing, order, list(zip(able, others, strict=True)), now)
        except Conflict:
            continue
        except TooMany as error:
            return OfOrder(left_out=(*stay, *(error.said for _ in able)))
        return OfOrder(replaced=len(able), left_out=stay)
    raise Conflict("order_busy", order=order_id)


def _of_batch(desk: Desk, order: Order, replacing: Replacing) -> list[License]:
    """The licenses of an order whose codes are of the batch, as the table has them now."""
    items = desk.store.code_items(order.licenses)

    def is_of(one: License) -> bool:
        item: Mapping[str, Any] = items.get(key_of(one), {})
        return item.get("batch", "") == replacing.batch and item.get("state") == "assigned"

    return [one for one in order.licenses if is_of(one) and replacing.sku in ("", one.sku)]


def _judged(desk: Desk, order: Order, bad: Sequence[License], now: datetime) -> list[Said | None]:
    today = local_day(now, desk.zone)
    return [support.why_no_swap(order, one, today) for one in bad]


def _others(desk: Desk, able: Sequence[License], now: datetime) -> list[StockCode] | None:
    """A code for each, none of a batch that was withdrawn; None if there are too few."""
    today, picked = local_day(now, desk.zone), dict[str, list[StockCode]]()
    for sku in dict.fromkeys(one.sku for one in able):
        wanted = [one for one in able if one.sku == sku]
        usable_on = max(today, *(one.first_day for one in wanted))
        picked[sku] = desk.store.pick(sku, len(wanted), usable_on)
        if len(picked[sku]) < len(wanted):
            return None
    return [picked[one.sku].pop() for one in able]


def _swap(
    desk: Desk, replacing: Replacing, order: Order, swaps: Sequence[tuple[License, StockCode]], now: datetime
) -> None:
    """All in as few transactions as they need; the last of them adds the mail, for all."""
    asked = Asked(now, replacing.who, replacing.note, batch_id(replacing.batch, replacing.sku))
    day = local_day(now, desk.zone)
    for start in range(0, len(swaps), CODES_PER_TRANSACTION):
        part = swaps[start : start + CODES_PER_TRANSACTION]
        is_last = start + CODES_PER_TRANSACTION >= len(swaps)
        order = support.with_other_codes(order, part, replacing.reason, asked, is_last=is_last)
        noted = [replace(bad, asked=asked) for bad in order.bad_codes[-len(part) :]]
        pairs = list(zip(noted, (other for _, other in part), strict=True))
        order = desk.store.swap_codes(order, pairs, replacing.batch, day)
    desk.poke(order.id)
    with telemetry.optional():  # for the forecast only
        for sku in {other.sku for _, other in swaps}:
            desk.store.count_used(sku, day, sum(other.sku == sku for _, other in swaps))
