"""Orders. An order is one item, saved on condition that its version has not moved; codes that must change with it
change in the same transaction."""

import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from heapq import merge
from itertools import chain
from typing import Any

from keypost import telemetry
from keypost.core import plan, sharing
from keypost.core.aside_reasons import AsideReason
from keypost.core.bookkeeping import money_of
from keypost.core.codes import BadStockCode, StockCode, key_of
from keypost.core.errors import CannotBeStored, Conflict, NewerVersion, NotFound, SetAside, Unfit, Unmet, Unreadable
from keypost.core.finding import findable
from keypost.core.frozen import dataclass
from keypost.core.mail import MailState
from keypost.core.order import BadCode, Beside, License, Order, Reason, TimelineEntry, without_words
from keypost.core.periods import local_day
from keypost.core.sharing import Lacking
from keypost.core.wish import Wish
from keypost.table.addresses import Address, Addresses, address_of, reported_key
from keypost.table.batches import Batches
from keypost.table.clocks import clock_of, lacking_of, with_lacking
from keypost.table.codes import RECALLED, claims_of, give_back, hand_over, quarantine, take, used_keys
from keypost.table.converting import UnknownMember, converter, place_of, reasons_of
from keypost.table.created import Created, created_keys
from keypost.table.days import SOON, Days
from keypost.table.items import (
    TRIES,
    customer_digest,
    due_keys,
    from_wire,
    jitter,
    moment_text,
    to_wire,
)
from keypost.table.reminders import Reminders
from keypost.table.repeats import with_repeats, without_repeats
from keypost.table.schedule import PAGE, Schedule, pages

# DynamoDB accepts 100 items: the order, a part of its timeline, and for each code the code and its license.
CODES_PER_TRANSACTION = 49
TIMELINE_IN_ORDER = 20  # the newest entries, at least
_AT_ONCE = timedelta(minutes=15)  # after the payment; the schedule runs as often
TIMELINE_PAGE = 50  # so many of the older ones move at once
FORM = 1  # of an order's item, as this version stores it
_BESIDE = {  # attributes of the item that are made anew with each save
    "pk",
    "due_shard",
    "due_at",
    "attention",
    "attention_since",
    "customer_digest",
    "month",
    "find",
    "expires",
    "written_by",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Orders as they were found: those that can be read, and why each of the others cannot."""

    orders: list[Order]
    left_out: list[SetAside]

    @property
    def names_left_out(self) -> tuple[str, ...]:
        return tuple(sorted(each.order_id for each in self.left_out))


@dataclass(frozen=True, slots=True)
class Coming:
    """An order that has a clock, as the index knows it."""

    order_id: str
    at: str  # when its clock rings, as text that sorts
    lacking: tuple[Lacking, ...] | None  # None: the index does not say what it lacks


class Orders(Batches, Addresses, Reminders, Created, Days, Schedule):
    def load(self, order_id: str) -> Order | None:
        """Unreadable or NewerVersion when this version cannot read its item; it is to be left as it is."""
        key = {"pk": {"S": f"ORDER#{order_id}"}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return order_of(from_wire(item)) if item else None

    def exists(self, order_id: str) -> bool:
        """Also when it cannot be read."""
        return bool(list(self._batch_get([f"ORDER#{order_id}"])))

    def first_of(self, order_ids: Sequence[str]) -> str | None:
        """The first of these numbers that an order has; also when that order cannot be read."""
        known = {item["pk"] for item in self._batch_get([f"ORDER#{id_}" for id_ in order_ids])}
        return next((id_ for id_ in order_ids if f"ORDER#{id_}" in known), None)

    def existing(self, order_id: str) -> Order:
        """The order. NotFound if there is none."""
        return _existing(self.load(order_id), order_id)

    def save(self, order: Order) -> Order:
        """Store an order on condition that no other write has changed it since it was loaded; otherwise Conflict.
        CannotBeStored if it has become too large."""
        saved, put, pages = self._order_put(order)
        try:
            if pages:
                whole = put | {"TableName": self.table, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
                self._transact([{"Put": whole}, *pages])
            else:
                self._write("put_item", **put, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        except Unmet as error:
            # The SDK sends a put again when its answer was lost: then the item carries the writer's own mark. Its
            # content proves nothing, as another worker may have computed the same order in the same second.
            if error.found[0].get("written_by") != put["Item"]["written_by"]:
                raise Conflict("order_busy", order=order.id) from None
        except Unfit:
            raise CannotBeStored(order.id) from None
        return saved

    def change(
        self,
        order_id: str,
        change: Callable[[Order | None], Order],
        loaded: Order | None = None,
        *,
        is_new: bool = False,
    ) -> Order:
        """Load an order (unless the caller has just done so, or takes it to be new), apply a pure change, and save it.
        If another write came first, start again; an order that was there already was such a write."""
        for attempt in range(TRIES):
            is_known = attempt == 0 and (loaded is not None or is_new)
            before = loaded if is_known else self.load(order_id)
            after = change(before)
            if after is before:
                return after
            self._note_former(before, after)
            self._note_money(before, after)
            try:
                return self.save(after)
            except Conflict:
                self._pause(jitter(attempt))
        raise Conflict("order_busy", order=order_id)

    def _note_former(self, before: Order | None, after: Order) -> None:
        """Keep by which addresses that are no longer right an order is found. Before the order itself is stored, so
        that a crash between the two leaves a way to it too many, which `orders_of` notices."""
        were, are = (set(order.customer.corrected) if order else set[str]() for order in (before, after))
        for address in sorted(filter(None, are - were)):
            self.put_former(address, after.id)
        for address in sorted(filter(None, were - are)):
            self.forget_former(address, after.id)

    def note_mail(self, order: Order, at: datetime, zone: tzinfo) -> None:
        """List the order on the day of a mail, unless its creation leads there. Before the order itself is stored, so
        that a crash between the two lists it although nothing happened, which the order tells."""
        if at - order.created_at >= SOON:
            self.mark_mail(order.id, local_day(at, zone), at)

    def _note_money(self, before: Order | None, after: Order) -> None:
        """List the order on each day on which money came or went back, unless its creation leads there."""
        known = {each.at for each in money_of(before)} if before else set[datetime]()
        for at in sorted({each.at for each in money_of(after)} - known):
            if abs(at - after.created_at) >= SOON:
                self.mark_money(after.id, at)

    def change_existing(self, order_id: str, change: Callable[[Order], Order], loaded: Order | None = None) -> Order:
        """Load an order, apply a pure change, and save it, as `change` does. NotFound if there is no such order."""
        return self.change(order_id, lambda order: change(_existing(order, order_id)), loaded)

    def assign(self, order: Order, taken: Sequence[StockCode], day: date) -> Order:
        """Store an order together with the codes that it gets on a day, all or nothing. Conflict if a code is no longer
        free or the order has changed."""
        return self._save_with(order, [take(code, order.id) for code in taken], self._pointers(order, taken, day))

    def adopt(self, order: Order, own: Sequence[StockCode], day: date) -> Order:
        """Store an order together with codes that were set aside for it, all or nothing. Conflict if one of them was
        not, or the order has changed."""
        own_already = [hand_over(code.digest, order.id, order.id) for code in own]
        return self._save_with(order, own_already, self._pointers(order, own, day))

    def _pointers(self, order: Order, codes: Sequence[StockCode], day: date) -> list[Any]:
        """The items of the licenses that got these codes on a day."""
        digests = {code.digest for code in codes}
        new = (license_ for license_ in order.licenses if key_of(license_) in digests)
        return [
            {"Put": {"TableName": self.table, "Item": license_item(each, order.id) | used_keys(each, day)}}
            for each in new
        ]

    def give_back(self, order: Order, returned: Sequence[License]) -> Order:
        """Store an order together with codes that it gives back to the stock, all or nothing. Conflict if the order has
        changed, or one of the codes has."""
        kept = {one["pk"]: one for one in self._batch_get([*(f"CODE#{key_of(each)}" for each in returned), RECALLED])}
        recalled = kept.get(RECALLED, {}).get("batches", ())
        codes = [kept.get(f"CODE#{key_of(each)}", _lost(each)) for each in returned]
        return self._save_with(order, [give_back(code, order.id, recalled) for code in codes])

    def swap_code(self, order: Order, bad: BadCode, other: StockCode, batch: str, day: date) -> Order:
        """Store an order together with another code for one of its licenses. The bad code, of this batch, is kept for a
        claim with the distributor who sold it. Conflict if the other code is no longer free or the order has
        changed."""
        return self.swap_codes(order, [(bad, other)], batch, day)

    def swap_codes(self, order: Order, swaps: Sequence[tuple[BadCode, StockCode]], batch: str, day: date) -> Order:
        """The same for several licenses, at most as many as CODES_PER_TRANSACTION, whose codes are of one batch."""
        updates = ([take(other, order.id), quarantine(bad, order.id, batch, day)] for bad, other in swaps)
        return self._save_with(order, [update for each in updates for update in each])

    def move_license(self, order: Order, to: Order, moved: License) -> Order:
        """Store an order without a license, and the new order that has it from now on, all or nothing; the code and the
        license's id lead to the new one. Conflict if the order has changed, or the new one is there."""
        new, put, _ = self._order_put(to)
        pointer = {
            "Key": {"pk": {"S": f"LICENSE#{moved.id}"}},
            "UpdateExpression": "SET order_id = :to",
            "ExpressionAttributeValues": {":to": {"S": to.id}},
        }
        others = [{"Put": {"TableName": self.table, **put}}, {"Update": {"TableName": self.table, **pointer}}]
        self._save_with(order, [hand_over(key_of(moved), order.id, to.id)], others)
        return new

    def claims(self, batch: str) -> list[BadStockCode]:
        """The bad codes of a batch (an empty name for codes without one), in the order in which they were found."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="stock",
            KeyConditionExpression="stock = :batch",
            ExpressionAttributeValues={":batch": {"S": claims_of(batch)}},
        )
        found = (
            BadStockCode(
                code=item["code"],
                sku=item["sku"],
                reason=item["reason"],
                note=item.get("note", ""),
                day=date.fromisoformat(item["stock_order"]),
            )
            for item in self._batch_get([item["pk"]["S"] for page in pages for item in page["Items"]])
        )
        return sorted(found, key=lambda bad: (bad.day, bad.code))

    def beside(self, order: Order) -> Beside:
        """What is kept beside an order, for its whole story. Unreadable when a part of its timeline is."""
        codes = self._batch_get([f"CODE#{key_of(bad)}" for bad in order.bad_codes])
        notes = {item["code"]: item["note"] for item in codes if item.get("note")}
        email = order.customer.email
        unreminded = self.unreminded(email) if email else None
        return Beside(tuple(chain.from_iterable(self._moved(order).values())), notes, unreminded)

    def _moved(self, order: Order) -> dict[int, tuple[TimelineEntry, ...]]:
        """The parts of the timeline that moved out of an order, by their numbers from 0, the oldest first. Of an erased
        order a part may have expired before the order itself has. Unreadable when a part is as no version stores
        it."""
        keys = {_page_key(order.id, number): number for number in range(order.moved // TIMELINE_PAGE)}
        found = {keys[item["pk"]]: item.get("entries") for item in self._batch_get(list(keys))}
        try:
            return {number: converter.structure(found[number], tuple[TimelineEntry, ...]) for number in sorted(found)}
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this timeline
            raise Unreadable(order.id, f"timeline {place_of(error)}") from None

    def beside_each(self, orders: Iterable[Order]) -> tuple[list[tuple[Order, Beside]], list[SetAside]]:
        """These orders with what is kept beside each, and why the others cannot be told in whole."""
        found, left_out = list[tuple[Order, Beside]](), list[SetAside]()
        for order in orders:
            try:
                found.append((order, self.beside(order)))
            except SetAside as error:
                left_out.append(error)
        return found, left_out

    def forget_words(self, order: Order, until: date) -> None:
        """Remove what people wrote from what is kept beside an order; the rest stays until the end of a day. To be
        called before the order itself is stored without words: then the erasure can be repeated after a crash."""
        for number, entries in self._moved(order).items():
            self._write("put_item", Item=_page_item(order.id, number, without_words(entries), until))
        for bad in order.bad_codes:
            self._write("update_item", Key={"pk": {"S": f"CODE#{key_of(bad)}"}}, UpdateExpression="REMOVE note")

    def orders_of(self, email: str) -> Loaded:
        """All orders of a customer, by the customer's present address, the oldest first."""
        return self._orders_of(customer_digest(email))

    def orders_of_former(self, email: str) -> Loaded:
        """The orders in which this address was corrected to another one, in any order."""
        found = self.read_all(self.former(email))
        whose = customer_digest(email)
        theirs = [each for each in found.orders if whose in map(customer_digest, each.customer.corrected)]
        return replace(found, orders=theirs)

    def _orders_of(self, customer: str) -> Loaded:
        return _of_customer(self._batch_get(self._keys_of(customer)), customer)

    def _keys_of(self, customer: str) -> list[str]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="customer",
            KeyConditionExpression="customer_digest = :customer",
            ExpressionAttributeValues={":customer": {"S": _customer_key(customer)}},
        )
        return [item["pk"]["S"] for page in pages for item in page["Items"]]

    def customer_of_wish(self, wish: Wish) -> tuple[Loaded, Address]:
        """All orders of the customer who asked on the page, by the digest of the address that was typed, the oldest
        first, and what was reported of that address."""
        keys, reported = self._keys_of(wish.whose), reported_key(wish.whose)
        found = list(self._batch_get([*keys, reported] if keys else []))
        address = next((item for item in found if item["pk"] == reported), {})
        return _of_customer(found, wish.whose), address_of(address)

    def _save_with(
        self, order: Order, updates: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]] = ()
    ) -> Order:
        saved, put, pages = self._order_put(order)
        put = {"Put": {"TableName": self.table, **put}}
        changes = ({"Update": {"TableName": self.table, **update}} for update in updates)
        try:
            self._transact([put, *changes, *others, *pages])
        except Unmet:
            raise Conflict("order_busy", order=order.id) from None
        except Unfit:
            raise CannotBeStored(order.id) from None
        return saved

    def order_of_license(self, license_id: str) -> str | None:
        key = {"pk": {"S": f"LICENSE#{license_id}"}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return item["order_id"]["S"] if item else None

    def license_of_code(self, text: str) -> str | None:
        """The id of the license that has, or had before it was swapped, a code, told in whatever spelling; None if no
        order has it. Unreadable or NewerVersion when that order cannot be read."""
        item = self.code_item(text) or {}
        order = self.load(item["order_id"]) if item.get("order_id") else None
        if order is None:
            return None
        key = str(item["pk"]).removeprefix("CODE#")
        has = {key_of(bad): bad.license for bad in order.bad_codes} | {key_of(one): one.id for one in order.licenses}
        return has.get(key)

    def load_all(self, order_ids: Sequence[str]) -> Iterator[Order]:
        """These orders, as far as they exist and can be read, in any order. Each of the others is counted and logged:
        it holds up nobody."""
        return iter(self.read_all(order_ids).orders)

    def read_all(self, order_ids: Sequence[str]) -> Loaded:
        """The same, and which of them cannot be read."""
        return _loaded(self._batch_get([f"ORDER#{id_}" for id_ in order_ids]))

    def coming(self, until: datetime) -> Iterator[Coming]:
        """The orders whose clock rings up to a moment, those set aside by the clock of what is kept beside them; in any
        order. None of them is read."""
        for page in self._clocks(until):
            for key, due_at in page:
                kind, _, order_id = key.partition("#")
                if kind in ("ORDER", "ASIDE"):
                    yield Coming(order_id, clock_of(due_at), lacking_of(due_at))

    def needing(self, reason: str, before: datetime | None = None) -> Iterator[list[str]]:
        """The ids of all orders that need this (before a moment), those first that have needed it longest, or that need
        codes soonest; page by page."""
        if reason is not Reason.STOCK:
            yield from super().needing(reason, before)
        else:
            yield from pages(order_id for _, order_id in self.needing_since(reason, before))

    def in_line(self, skus: Iterable[str], before: datetime | None = None) -> Iterator[str]:
        """The ids of the orders that wait for codes of these products, those first that need them soonest (before a
        moment). They are read as they are asked for."""
        lines = (self._needing(f"{Reason.STOCK}#{sku}", before, PAGE) for sku in dict.fromkeys(skus))
        return (order_id for _, order_id in merge(*lines))

    def needing_since(self, reason: Reason | AsideReason, before: datetime | None = None) -> Iterator[tuple[str, str]]:
        """Since when each of these orders has needed it (for stock: by when it needs codes), as text that sorts, and
        its id (before a moment). All are asked for at once, as many as fit into an answer."""
        keys = [f"{reason}#{sku}" for sku in self.skus()] if reason is Reason.STOCK else [str(reason)]
        return merge(*(self._needing(key, before) for key in keys))

    def _order_put(self, order: Order) -> tuple[Order, Any, list[Any]]:
        """The order as it is to be stored, the write that does it on condition that nobody else did, and those that go
        with it: of the entries of the timeline that move out of the order."""
        saved = replace(order, version=order.version + 1)
        pages = []
        while len(saved.timeline) >= TIMELINE_IN_ORDER + TIMELINE_PAGE:
            moving, kept = saved.timeline[:TIMELINE_PAGE], saved.timeline[TIMELINE_PAGE:]
            page = _page_item(order.id, saved.moved // TIMELINE_PAGE, moving, order.forget_on)
            pages.append({"Put": {"TableName": self.table, "Item": page}})
            saved = replace(saved, timeline=kept, moved=saved.moved + TIMELINE_PAGE)
        put: dict[str, Any] = {"Item": order_item(saved) | {"written_by": {"S": secrets.token_urlsafe(6)}}}
        if order.version == 0:
            return saved, put | {"ConditionExpression": "attribute_not_exists(pk)"}, pages
        put |= {
            "ConditionExpression": "version = :loaded",
            "ExpressionAttributeValues": {":loaded": {"N": str(order.version)}},
        }
        return saved, put, pages


def _customer_key(digest: str) -> str:
    """Of the index of customers: the first half of a digest, in a third of its signs."""
    return b64encode(bytes.fromhex(digest)[:16]).decode().rstrip("=")


def _of_customer(items: Iterable[Mapping[str, Any]], customer: str) -> Loaded:
    """Those that are orders of this customer still, as the index lags; the oldest first."""
    found = _loaded([item for item in items if item.get("customer_digest") == _customer_key(customer)])
    theirs = [each for each in found.orders if customer_digest(each.customer.email or "") == customer]
    return replace(found, orders=sorted(theirs, key=lambda order: (order.created_at, order.id)))


def _lost(license_: License) -> dict[str, Any]:
    """The item of a code that is not in the table: what is written on condition that it is there fails."""
    return {"pk": f"CODE#{key_of(license_)}", "sku": license_.sku}


def _page_key(order_id: str, number: int) -> str:
    return f"ORDER#{order_id}/TIMELINE#{number}"


def _page_item(order_id: str, number: int, entries: tuple[TimelineEntry, ...], until: date | None) -> dict[str, Any]:
    """Older entries of an order's timeline. Its number and its entries follow from those in the order, so that the same
    part moves however often a write is made."""
    item = {"pk": _page_key(order_id, number), "entries": converter.unstructure(entries, tuple[TimelineEntry, ...])}
    return to_wire(item | _expiry(until))


def _expiry(until: date | None) -> dict[str, int]:
    return {"expires": int(datetime.combine(until, datetime.max.time(), UTC).timestamp())} if until else {}


def _rings(order: Order, due: datetime) -> datetime:
    """While the mail of a purchase is being sent, the order keeps the entry that it has since it was paid. One that
    stands two minutes later, when the attempt must have ended, would cost two writes of the index; so a run of the
    schedule may poke the order in vain."""
    is_sending = any(mail.state is MailState.SENDING for mail in order.mails)
    return (order.paid_at or order.created_at) if is_sending and _is_at_once(order, due) else due


def _is_at_once(order: Order, due: datetime) -> bool:
    paid = order.paid_at or order.created_at
    return paid <= due < paid + _AT_ONCE


def order_item(order: Order) -> dict[str, Any]:
    """The item of an order, with the keys of the sparse indexes. A key is present only while the order belongs in that
    index."""
    form = max(FORM, int(order.extra.get("form", FORM)))  # what a newer version stored is still in it
    item = without_repeats(converter.unstructure(order)) | {"pk": f"ORDER#{order.id}", "form": form}
    del item["id"]  # its key says it
    if due := plan.next_due(order):
        item |= due_keys(order.id, _rings(order, due))
        if not _is_at_once(order, due):  # else what it lacks changes within seconds
            item["due_at"] = with_lacking(item["due_at"], sharing.lacking(order))
    if needs := plan.attention(order):
        reason, since = needs
        key = f"{reason}#{sharing.waited_for(order)}" if reason is Reason.STOCK else reason
        item |= {"attention": key, "attention_since": moment_text(since)}
    if order.customer.email:
        item["customer_digest"] = _customer_key(customer_digest(order.customer.email))
    item |= created_keys(order.created_at) | {"find": findable(order)}
    nothing = {name: {"NULL": True} for name, value in order.extra.items() if value is None}
    return nothing | to_wire(item | _expiry(order.forget_on))


def _existing(order: Order | None, order_id: str) -> Order:
    if order is None:
        raise NotFound("no_such_order", order=order_id)
    return order


def license_item(license_: License, order_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"LICENSE#{license_.id}"}, "order_id": {"S": order_id}}


def order_of(item: Mapping[str, Any]) -> Order:
    """The order of an item. NewerVersion when only a newer version of Keypost understands it; Unreadable when it is as
    no version stores it. What cannot be decided about, cannot be read either."""
    order_id = str(item["pk"]).removeprefix("ORDER#")
    form, readable_from = item.get("form", FORM), item.get("readable_from", FORM)
    if not isinstance(form, (int, Decimal)) or not isinstance(readable_from, (int, Decimal)):
        raise Unreadable(order_id, "form")
    if readable_from > FORM:
        raise NewerVersion(order_id, "readable_from")
    left_out = _BESIDE if form > FORM else {*_BESIDE, "form"}
    try:
        order = converter.structure(
            with_repeats({"id": order_id} | {name: item[name] for name in item.keys() - left_out}), Order
        )
        plan.next_due(order), plan.attention(order)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is about this item
        is_newer = form > FORM or all(isinstance(each, UnknownMember) for each in reasons_of(error))
        raise (NewerVersion if is_newer else Unreadable)(order_id, place_of(error)) from None
    return order


def _loaded(items: Iterable[Mapping[str, Any]]) -> Loaded:
    found = Loaded([], [])
    for item in items:
        try:
            found.orders.append(order_of(item))
        except SetAside as error:
            telemetry.outcome("OrderUnreadable", order_id=error.order_id, place=error.place, error=type(error).__name__)
            found.left_out.append(error)
    return found
