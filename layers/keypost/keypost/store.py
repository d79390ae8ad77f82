"""The table, and the only module that talks to DynamoDB. An order is one item, saved under its version; a code
is one item, keyed by its digest; what must change together changes in one transaction."""

import hashlib
import json
import random
import secrets
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import cattrs
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from keypost import codes, plan
from keypost.errors import Conflict, NotFound, Unmet
from keypost.keys import SupportKey
from keypost.models import (
    BadCode,
    BadStockCode,
    Fate,
    License,
    NewCode,
    Order,
    PaymentNotice,
    Product,
    Reason,
    StockCode,
    Wish,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CODES_PER_TRANSACTION = 49  # of the 100 items DynamoDB takes, one is the order, and each code has its license's
DUE_SHARDS = 16
_IMPORT_CHUNK = 100
_CHUNKS_AT_ONCE = 8  # a client keeps ten connections
_HINTS_PER_PAGE = 100
_MOST_LOOKED_AT = 1000
_TRIES = 20
_UNCLAIMED_SECONDS = 400 * 24 * 3600  # what is said of a payment that stays unknown is forgotten then
_WISH_SECONDS = 24 * 3600  # what a customer asked for on the page is kept, and their tries are counted, so long
_SAME_ROUND = timedelta(minutes=5)  # two wishes so close are one
_NOTE_LEASE = timedelta(minutes=10)  # longer than the function may run
_BAD_ADDRESS_KEPT = timedelta(days=2 * 365)  # longer than a license; a mail after that finds it out anew
_SMOKE_KEPT = timedelta(days=1)
_NEVER_EXPIRES = "9999-12-31"
# Refusals after which the same write may succeed a moment later: another write was at the item, or too many came.
_BUSY = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}
_BUSY_REASONS = {"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
_UNMET = "ConditionalCheckFailed"  # the reason in a transaction; as an exception it ends in `Exception`


class Store:
    """`pause` is called with seconds between two tries of a write that met another."""

    def __init__(self, client: "DynamoDBClient", table: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self.table = table
        self._pause = pause

    def load(self, order_id: str) -> Order | None:
        key = {"pk": {"S": f"ORDER#{order_id}"}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return _order(item) if item else None

    def existing(self, order_id: str) -> Order:
        """NotFound when there is no such order."""
        return _existing(self.load(order_id), order_id)

    def save(self, order: Order) -> Order:
        """Store an order on condition that nobody else did since it was loaded; Conflict otherwise."""
        saved, put = self._order_put(order)
        try:
            self._write("put_item", **put)
        except Unmet:
            # The SDK sends a put again when its answer was lost: then the item carries the writer's own mark. Its
            # content proves nothing, as another worker may have computed the same order in the same second.
            if self._writer_of(order.id) != put["Item"]["written_by"]:
                raise Conflict(f"order {order.id} was changed meanwhile") from None
        return saved

    def _writer_of(self, order_id: str) -> Any:
        key = {"pk": {"S": f"ORDER#{order_id}"}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item", {})
        return item.get("written_by")

    def _write(self, operation: str, **request: Any) -> Any:
        """The one place from which an item is written. Unmet when its condition does not hold; Conflict when other
        writes kept being at the same item."""
        for attempt in range(_TRIES):
            try:
                return getattr(self._client, operation)(TableName=self.table, **request)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == f"{_UNMET}Exception":
                    raise Unmet("the item is not as the write demands") from None
                if code not in _BUSY:
                    raise
            self._pause(_jitter(attempt))
        raise Conflict("an item is being changed by too many at once; try again")

    def _transact(self, writes: Sequence[Any]) -> None:
        """The one place from which several items are written, all or none. Unmet, with the places of those writes
        whose condition does not hold; Conflict when other writes were at one of the items."""
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
            if not set(reasons) <= {*_BUSY_REASONS, _UNMET, "None"}:
                raise
            unmet = tuple(place for place, reason in enumerate(reasons) if reason == _UNMET)
            if unmet:
                raise Unmet("the items are not as the writes demand", unmet) from None
            raise Conflict("the items are being changed") from None
        except ClientError as error:
            if error.response["Error"]["Code"] in _BUSY:
                raise Conflict("the items are being changed") from None
            raise

    def change(self, order_id: str, change: Callable[[Order | None], Order], loaded: Order | None = None) -> Order:
        """Load an order (unless the caller just did), apply a pure change, save; again from the start when
        somebody else was first."""
        for attempt in range(_TRIES):
            before = loaded if loaded and attempt == 0 else self.load(order_id)
            after = change(before)
            if after is before:
                return after
            try:
                return self.save(after)
            except Conflict:
                self._pause(_jitter(attempt))
        raise Conflict(f"order {order_id} is changed by too many at once; try again")

    def change_existing(self, order_id: str, change: Callable[[Order], Order], loaded: Order | None = None) -> Order:
        """The same of an order that is there; NotFound when it is not."""
        return self.change(order_id, lambda order: change(_existing(order, order_id)), loaded)

    def assign(self, order: Order, taken: Sequence[StockCode]) -> Order:
        """Store an order together with the codes it took, all or nothing. Conflict when a code is no longer
        free or the order has moved."""
        digests = {code.digest for code in taken}
        new = [license_ for license_ in order.licenses if codes.digest(license_.code) in digests]
        pointers = [
            {"Put": {"TableName": self.table, "Item": _license_item(license_.id, order.id)}} for license_ in new
        ]
        return self._save_with(order, [self._take(code.digest, order.id) for code in taken], pointers)

    def give_back(self, order: Order, returned: Sequence[License]) -> Order:
        """Store an order together with codes that it gives back to the stock, all or nothing. Conflict as above."""
        return self._save_with(order, [self._give_back(codes.digest(r.code), r.sku, order.id) for r in returned])

    def ran_out(self, licenses: Iterable[License], usable_on: Mapping[str, date]) -> list[License]:
        """Those whose codes can no longer be activated on the day on which their product can be used."""
        found = {f"CODE#{codes.digest(one.code)}": one for one in licenses}
        return [
            found[item["pk"]]
            for item in self._batch_get(list(found))
            if item.get("activate_before", _NEVER_EXPIRES) < usable_on[item["sku"]].isoformat()
        ]

    def swap_code(self, order: Order, bad: BadCode, other: StockCode, batch: str, day: date) -> Order:
        """Store an order together with another code for one of its licenses; the bad one, of this batch, is set aside
        for a claim at who sold it. Conflict as above."""
        return self._save_with(order, [self._take(other.digest, order.id), self._quarantine(bad, order.id, batch, day)])

    def claims(self, batch: str) -> list[BadStockCode]:
        """The bad codes of a batch (empty for those without one), in the order in which they were found."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="stock",
            KeyConditionExpression="stock = :batch",
            ExpressionAttributeValues={":batch": {"S": _claims_of(batch)}},
        )
        items = list(self._batch_get([item["pk"]["S"] for page in pages for item in page["Items"]]))
        theirs = self.load_all(sorted({item["order_id"] for item in items}))
        notes = {bad.code: bad.asked.why for order in theirs for bad in order.bad_codes}
        found = (
            BadStockCode(
                code=item["code"],
                sku=item["sku"],
                reason=item["reason"],
                note=notes.get(item["code"], ""),
                day=date.fromisoformat(item["stock_order"]),
            )
            for item in items
        )
        return sorted(found, key=lambda bad: (bad.day, bad.code))

    def batch_of(self, code: str) -> str | None:
        """The batch with which a code came, which may be empty; None for a code that is not known."""
        return next((str(item.get("batch", "")) for item in self._batch_get([f"CODE#{codes.digest(code)}"])), None)

    def order_of_code(self, code: str) -> str | None:
        """The order that a code was given to, also if it was swapped for another since."""
        return next((item.get("order_id") for item in self._batch_get([f"CODE#{codes.digest(code)}"])), None)

    def orders_of(self, email: str) -> list[Order]:
        """All orders of a customer, by the address that they have now, the oldest first."""
        return self._orders_of(_customer(email))

    def _orders_of(self, customer: str) -> list[Order]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="customer",
            KeyConditionExpression="customer = :customer",
            ExpressionAttributeValues={":customer": {"S": customer}},
        )
        found = self.load_all([order_id for page in pages for order_id in _order_ids(page["Items"])])
        theirs = (order for order in found if order.email and _customer(order.email) == customer)  # the index lags
        return sorted(theirs, key=lambda order: (order.created_at, order.id))

    def orders_of_payment(self, names: Iterable[str]) -> list[str]:
        """The ids of the orders that payments of these names are known to be of."""
        found = self._batch_get([f"PAYMENT#{name}" for name in names])
        return sorted({item["order_id"] for item in found if "order_id" in item})

    def forget_told(self, names: Iterable[str]) -> None:
        """Remove what callbacks said of payments before their orders were known: it names the customer."""
        for item in self._batch_get([f"PAYMENT#{name}" for name in names]):
            if told := [name for name in item if name.startswith("told_")]:
                self._write(
                    "update_item",
                    Key={"pk": {"S": item["pk"]}},
                    UpdateExpression="REMOVE " + ", ".join(f"#{n}" for n in range(len(told))),
                    ExpressionAttributeNames={f"#{n}": name for n, name in enumerate(told)},
                )

    def _save_with(
        self, order: Order, updates: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]] = ()
    ) -> Order:
        saved, put = self._order_put(order)
        put = {"Put": {"TableName": self.table, **put}}
        try:
            self._transact([put, *({"Update": update} for update in updates), *others])
        except Unmet:
            raise Conflict(f"order {order.id} or one of its codes was changed meanwhile") from None
        return saved

    def order_of_license(self, license_id: str) -> str | None:
        key = {"pk": {"S": f"LICENSE#{license_id}"}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return item["order_id"]["S"] if item else None

    def load_all(self, order_ids: Sequence[str]) -> Iterator[Order]:
        """These orders, as far as they exist, in any order."""
        return (_converter.structure(item, Order) for item in self._batch_get([f"ORDER#{id_}" for id_ in order_ids]))

    def pick_of_other_batch(self, sku: str, usable_on: date, batch: str) -> StockCode | None:
        """A free code as below, of another batch if there is one among the first thousand."""
        hints, first = islice(self._hints(sku, usable_on), _MOST_LOOKED_AT), None
        while page := list(islice(hints, _HINTS_PER_PAGE)):
            for item in self._batch_get([hint["pk"]["S"] for hint in page]):
                if item["state"] == "free":
                    found = StockCode(_digest(item), item["code"], item["sku"])
                    if item.get("batch", "") != batch:
                        return found
                    first = first or found
        return first

    def pick(self, sku: str, count: int, usable_on: date) -> list[StockCode]:
        """Up to `count` free codes of a product that can still be activated on a day, those that run out first
        before the others, at random among equals. A hint: the index lags, `assign` decides."""
        hints = self._hints(sku, usable_on)
        free: list[StockCode] = []
        # Some to spare: who picks at once should not meet. On to the end: those in front may be taken already.
        while len(free) < count and (found := list(islice(hints, 2 * count + 20))):
            random.shuffle(found)
            found.sort(key=lambda item: item["stock_order"]["S"].partition("#")[0])
            while found and len(free) < count:
                lacking = count - len(free)
                items = self._batch_get([item["pk"]["S"] for item in found[:lacking]])
                free += [StockCode(_digest(i), i["code"], i["sku"]) for i in items if i["state"] == "free"]
                del found[:lacking]
        return free

    def count_free(self, sku: str, usable_on: date, most: int) -> int:
        """How many codes the index offers, counted no further than `most`: cheap, and a hint like `pick`."""
        found = 0
        for page in self._stock_pages(sku, usable_on, max(most, 1), Select="COUNT"):
            found += page["Count"]
            if found >= most:
                break
        return min(found, most)

    def _hints(self, sku: str, usable_on: date) -> Iterator[Mapping[str, Any]]:
        return (item for page in self._stock_pages(sku, usable_on, _HINTS_PER_PAGE) for item in page["Items"])

    def _stock_pages(self, sku: str, usable_on: date, size: int, **how: Any) -> Iterable[Mapping[str, Any]]:
        return self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="stock",
            KeyConditionExpression="stock = :sku AND stock_order >= :day",
            ExpressionAttributeValues={":sku": {"S": sku}, ":day": {"S": usable_on.isoformat()}},
            PaginationConfig={"PageSize": size},
            **how,
        )

    def add_codes(
        self, sku: str, new: Iterable[str], batch: str | None, activate_before: date | None
    ) -> Iterator[tuple[int, set[str]]]:
        """Add codes of one kind to the stock, as `add` does. Yields, part by part, how many and which it knew."""
        for part, known in self.add([NewCode(sku, code, batch, activate_before) for code in new]):
            yield len(part), known

    def add(self, new: Sequence[NewCode], *, dry_run: bool = False) -> Iterator[tuple[Sequence[NewCode], set[str]]]:
        """Add codes to the stock: a code enters once, ever, for whatever product. Yields, part by part, the codes and
        which of them were known already. A dry run changes nothing."""
        add = self._known if dry_run else self._add_chunk
        part = _IMPORT_CHUNK * _CHUNKS_AT_ONCE
        with ThreadPoolExecutor(_CHUNKS_AT_ONCE) as pool:
            for codes_now in (new[start : start + part] for start in range(0, len(new), part)):
                chunks = (codes_now[start : start + _IMPORT_CHUNK] for start in range(0, len(codes_now), _IMPORT_CHUNK))
                yield codes_now, set().union(*pool.map(add, chunks))

    def _known(self, new: Sequence[NewCode]) -> set[str]:
        keys = {f"CODE#{codes.digest(each.code)}": each.code for each in new}
        return {keys[item["pk"]] for item in self._batch_get(list(keys))}

    def _add_chunk(self, new: Sequence[NewCode]) -> set[str]:
        known = self._known(new)  # the cheap way: an import that is made again goes on where it stopped
        for attempt in range(_TRIES):
            items = [_code_item(each) for each in new if each.code not in known]
            puts: list[Any] = [
                {"Put": {"TableName": self.table, "Item": i, "ConditionExpression": "attribute_not_exists(pk)"}}
                for i in items
            ]
            if not puts:
                return known
            try:
                self._transact(puts)
            except Unmet as error:
                known.update(items[place]["code"]["S"] for place in error.places)
            except Conflict:
                self._pause(_jitter(attempt))
            else:
                return known
        raise Conflict("the stock is being changed by too many at once; import the file again, it adds no code twice")

    def facts_of(self, notice: PaymentNotice) -> list[PaymentNotice]:
        """All that was said under any name of this payment, for the order that one of the names is known to be of.
        While none is, the notice is kept under each of them and this is empty. Each step updates one name, so of
        two who meet there, the second sees what the first left. Who names a payment at Mollie that is known to be of
        another order has a `problem`."""
        order_id, facts, seen = notice.order_id, {notice}, set[str]()
        while names := {name for fact in facts for name in fact.names} - seen:
            name = min(names)
            # A shop's own names, and Stripe's, are as good as its signature. Mollie's come from several tellers.
            may_move = name.startswith(f"{notice.provider}:") and not name.startswith("mollie:")
            owner, told = self._note(name, order_id, facts, may_move=may_move)
            if order_id and owner != order_id:
                used = f"its payment {name} has paid order {owner} already: refund it, or serve it by hand"
                return [replace(notice, order_id=order_id, problem=used)]
            seen = seen | {name} if owner == order_id else {name}  # once the order is known, every name is to say so
            order_id = owner
            facts.update(told)
        return [replace(fact, order_id=order_id) for fact in sorted(facts, key=repr)] if order_id else []

    def _note(
        self, name: str, order_id: str, facts: Iterable[PaymentNotice], *, may_move: bool
    ) -> tuple[str, list[PaymentNotice]]:
        """Leave under a payment's name whose it is or, if that is not known, what was said of it; gives whose it is
        and what was said."""
        whose = "order_id = :order" if may_move else "order_id = if_not_exists(order_id, :order)"
        told = {_told_name(text, fact): text for fact in facts for text in [json.dumps(_converter.unstructure(fact))]}
        names = {f"#{n}": name for n, name in enumerate(told)}
        values: dict[str, Any] = {f":{n}": {"S": text} for n, text in enumerate(told.values())}
        kept = ", ".join(f"#{n} = :{n}" for n in range(len(told)))
        expires = {":expires": {"N": str(int(time.time()) + _UNCLAIMED_SECONDS)}}
        key = {"pk": {"S": f"PAYMENT#{name}"}}
        update = partial(self._write, "update_item", Key=key, ReturnValues="ALL_NEW")
        if order_id:
            updated = update(
                UpdateExpression=f"SET {whose} REMOVE expires", ExpressionAttributeValues={":order": {"S": order_id}}
            )
        else:
            try:
                updated = update(
                    UpdateExpression=f"SET {kept}, expires = if_not_exists(expires, :expires)",
                    ConditionExpression="attribute_not_exists(order_id)",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values | expires,
                )
            except Unmet:  # whose it is, is never forgotten
                updated = update(
                    UpdateExpression=f"SET {kept}", ExpressionAttributeNames=names, ExpressionAttributeValues=values
                )
        answer = updated["Attributes"]
        owner = answer.get("order_id", {"S": order_id})["S"]
        texts = [value["S"] for key, value in sorted(answer.items()) if key.startswith("told_")]
        return owner, [_converter.structure(json.loads(text), PaymentNotice) for text in texts]

    def reconciled(self, api: str, now: datetime) -> tuple[datetime, datetime]:
        """When a provider was first asked for its payments, which is now if it never was, and up to which moment it
        was asked with success."""
        answer = self._write(
            "update_item",
            Key={"pk": {"S": f"RECONCILED#{api}"}},
            UpdateExpression="SET begun = if_not_exists(begun, :now), done_until = if_not_exists(done_until, :now)",
            ExpressionAttributeValues={":now": {"S": _moment(now)}},
            ReturnValues="ALL_NEW",
        )["Attributes"]
        return datetime.fromisoformat(answer["begun"]["S"]), datetime.fromisoformat(answer["done_until"]["S"])

    def put_reconciled(self, api: str, until: datetime) -> None:
        self._write(
            "update_item",
            Key={"pk": {"S": f"RECONCILED#{api}"}},
            UpdateExpression="SET done_until = :until",
            ExpressionAttributeValues={":until": {"S": _moment(until)}},
        )

    def begin_note(self, day: date, now: datetime) -> bool:
        """Take the note of a day for one attempt, unless it was sent or somebody has it."""
        return self._update_if(
            _note(day),
            "SET taken_until = :until, taken_by = :me",
            "attribute_not_exists(done)"
            " AND (attribute_not_exists(taken_until) OR taken_until < :now OR taken_by = :me)",  # the SDK asks again
            {":until": _moment(now + _NOTE_LEASE), ":now": _moment(now), ":me": secrets.token_hex(8)},
        )

    def end_note(self, day: date) -> None:
        self._write(
            "update_item",
            Key=_note(day),
            UpdateExpression="SET done = :done",
            ExpressionAttributeValues={":done": {"BOOL": True}},
        )

    def give_up_note(self, day: date) -> None:
        """Let the next run try again."""
        self._write("update_item", Key=_note(day), UpdateExpression="REMOVE taken_until")

    def count_try(self, source: str, most: int, now: datetime) -> bool:
        """Count a try of this hour by who calls from there; False when so many were made."""
        hour = hashlib.sha256(f"{source} {now:%Y-%m-%dT%H}".encode()).hexdigest()
        return self._update_if(
            {"pk": {"S": f"TRIES#{hour}"}},
            "SET expires = :expires ADD tries :one",
            "attribute_not_exists(tries) OR tries < :most",
            {":one": 1, ":most": most, ":expires": _wish_expires(now)},
        )

    def put_wish(self, email: str, now: datetime) -> str:
        """Write down that this customer wants their licenses again, if it is one; gives the id of the wish. The same
        work for every address, and only its digest is kept."""
        wish = Wish(secrets.token_hex(16), _customer(email), now)
        item = {"pk": f"WISH#{wish.id}", "expires": _wish_expires(now), **_converter.unstructure(wish)}
        self._write("put_item", Item=_wire(item))
        return wish.id

    def wish(self, wish_id: str) -> Wish | None:
        key = {"pk": {"S": f"WISH#{wish_id}"}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return _converter.structure(_plain(item), Wish) if item else None

    def orders_of_wish(self, wish: Wish) -> list[Order]:
        """As `orders_of`, for the address that was typed."""
        return self._orders_of(wish.whose)

    def begin_round(self, wish: Wish, day: date, most: int) -> bool:
        """Count a wish among those of its customer and day. False when there were so many, or one just before; the
        same wish again counts once, and is True again."""
        return self._update_if(
            {"pk": {"S": f"ROUNDS#{wish.whose}#{day}"}},
            "SET expires = :expires, last_at = :now ADD wishes :wish",
            "attribute_not_exists(pk) OR contains(wishes, :id) OR (size(wishes) < :most AND last_at < :recently)",
            {
                ":wish": {wish.id},
                ":id": wish.id,
                ":most": most,
                ":now": _moment(wish.asked_at),
                ":recently": _moment(wish.asked_at - _SAME_ROUND),
                ":expires": _wish_expires(wish.asked_at),
            },
        )

    def _update_if(self, key: dict[str, Any], update: str, condition: str, values: Mapping[str, Any]) -> bool:
        """Whether the condition held, and the item was updated."""
        try:
            self._write(
                "update_item",
                Key=key,
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=_wire(values),
            )
        except Unmet:
            return False
        return True

    def put_bad_address(self, address: str, why: Fate, at: datetime) -> None:
        """Write down that a mail bounced, or that its reader complained; in any order, and again."""
        self._put_latest(_bad_address(address), why, at, at + _BAD_ADDRESS_KEPT)

    def lift_bad_address(self, address: str, at: datetime) -> None:
        """What was told of an address until then does not count any more."""
        self._put_latest(_bad_address(address), "lifted", at, at + _BAD_ADDRESS_KEPT)

    def bad_address(self, address: str) -> tuple[Fate, datetime] | None:
        """Why nothing may be sent to an address, and since when; None when it may. A complaint is never lifted."""
        key = _bad_address(address)
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item", {})
        told = {name: value["S"] for name, value in item.items() if name in _TOLD_OF_ADDRESS}
        for why, lifted in ((Fate.COMPLAINED, ""), (Fate.BOUNCED, told.get("lifted", ""))):
            if told.get(why, "") > lifted:
                return why, datetime.fromisoformat(told[why])
        return None

    def forget_address(self, address: str) -> None:
        with suppress(Unmet):  # nothing was known
            self._write(
                "update_item",
                Key=_bad_address(address),
                UpdateExpression=f"SET expires = :now REMOVE {', '.join(_TOLD_OF_ADDRESS)}",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
            )

    def pause_mail(self, until: datetime) -> None:
        """SES takes no mail of the account: until then nobody asks it again."""
        self._put_latest(_PAUSE, "until_then", until, until)

    def mail_paused(self, now: datetime) -> bool:
        item = self._client.get_item(TableName=self.table, Key=_PAUSE).get("Item", {})
        return "until_then" in item and item["until_then"]["S"] > _moment(now)

    def _put_latest(self, key: dict[str, Any], name: str, at: datetime, expires: datetime) -> None:
        with suppress(Unmet):  # something later is known
            self._write(
                "update_item",
                Key=key,
                UpdateExpression="SET #name = :at, expires = :expires",
                ConditionExpression="attribute_not_exists(#name) OR #name < :at",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={
                    ":at": {"S": _moment(at)},
                    ":expires": {"N": str(int(expires.timestamp()))},
                },
            )

    def put_smoke(self, mail_id: str, fate: Fate, now: datetime) -> None:
        """Write down what SES told of a mail of a smoke test, for who waits for it."""
        self._write(
            "update_item",
            Key={"pk": {"S": f"SMOKE#{mail_id}"}},
            UpdateExpression="SET expires = :expires ADD fates :fate",
            ExpressionAttributeValues={
                ":fate": {"SS": [fate]},
                ":expires": {"N": str(int((now + _SMOKE_KEPT).timestamp()))},
            },
        )

    def smoke(self, mail_ids: Sequence[str]) -> dict[str, set[Fate]]:
        """What SES has told of these mails."""
        found = self._batch_get([f"SMOKE#{mail_id}" for mail_id in mail_ids])
        return {item["pk"].removeprefix("SMOKE#"): {Fate(fate) for fate in item["fates"]} for item in found}

    def put_product(self, product: Product) -> None:
        item = {"pk": f"PRODUCT#{product.sku}", **_converter.unstructure(product)}
        self._write("put_item", Item=_wire(item))
        self._write(
            "update_item",
            Key=_CATALOG,
            UpdateExpression="ADD skus :sku",
            ExpressionAttributeValues={":sku": {"SS": [product.sku]}},
        )

    def catalog(self) -> dict[str, Product]:
        """All products, by SKU."""
        item = self._client.get_item(TableName=self.table, Key=_CATALOG).get("Item", {})
        return dict(sorted(self.products(item.get("skus", {"SS": []})["SS"]).items()))

    def count_used(self, sku: str, day: date, count: int) -> None:
        """Add to the codes of a product that were given out on a day: for the forecast only."""
        self._write(
            "update_item",
            Key=_usage(sku, day),
            UpdateExpression="ADD #day :count",
            ExpressionAttributeNames={"#day": day.isoformat()},
            ExpressionAttributeValues={":count": {"N": str(count)}},
        )

    def used(self, sku: str, days: Sequence[date]) -> int:
        """How many codes of a product were given out on these days."""
        months = {_usage(sku, day)["pk"]["S"] for day in days}
        found = {name: count for item in self._batch_get(sorted(months)) for name, count in item.items()}
        return int(sum(found.get(day.isoformat(), 0) for day in days))

    def put_support_key(self, key: SupportKey) -> None:
        """Keep a new key, and its id in the list of all."""
        item = _wire({"pk": f"KEY#{key.id}", **_converter.unstructure(key)})
        put = {"TableName": self.table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        listed = {
            "TableName": self.table,
            "Key": _SUPPORT_KEYS,
            "UpdateExpression": "ADD ids :id",
            "ExpressionAttributeValues": {":id": {"SS": [key.id]}},
        }
        writes: list[Any] = [{"Put": put}, {"Update": listed}]
        self._transact(writes)

    def support_key(self, key_id: str) -> SupportKey | None:
        """As it is this moment: a key that was revoked just now is."""
        item = self._client.get_item(TableName=self.table, Key=_support_key(key_id), ConsistentRead=True).get("Item")
        return _converter.structure(_plain(item), SupportKey) if item else None

    def support_keys(self) -> list[SupportKey]:
        """All keys that ever were, the newest last."""
        ids = self._client.get_item(TableName=self.table, Key=_SUPPORT_KEYS, ConsistentRead=True).get("Item", {})
        items = self._batch_get([f"KEY#{key_id}" for key_id in ids.get("ids", {"SS": []})["SS"]])
        return sorted((_converter.structure(item, SupportKey) for item in items), key=lambda k: (k.created_at, k.id))

    def revoke_support_key(self, key_id: str, now: datetime) -> bool:
        """For ever, from the first time on. False when there is no such key."""
        return self._update_support_key(
            key_id, "SET revoked_at = if_not_exists(revoked_at, :now)", "", {":now": _moment(now)}
        )

    def note_support_key_used(self, key_id: str, day: date) -> None:
        unless_noted = " AND (attribute_not_exists(last_used) OR last_used < :day)"
        self._update_support_key(key_id, "SET last_used = :day", unless_noted, {":day": day.isoformat()})

    def _update_support_key(self, key_id: str, update: str, condition: str, values: Mapping[str, str]) -> bool:
        return self._update_if(_support_key(key_id), update, f"attribute_exists(pk){condition}", values)

    def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """The products among these SKUs that the catalog knows."""
        items = self._batch_get([f"PRODUCT#{sku}" for sku in skus])
        return {item["sku"]: _converter.structure(item, Product) for item in items}

    def due(self, now: datetime) -> Iterator[list[str]]:
        """The ids of all orders whose clock has rung, page by page."""
        for shard in range(DUE_SHARDS):
            pages = self._client.get_paginator("query").paginate(
                TableName=self.table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": {"S": str(shard)}, ":now": {"S": _moment(now)}},
            )
            yield from (ids for page in pages if (ids := _order_ids(page["Items"])))

    def needing(self, reason: Reason, before: datetime | None = None) -> Iterator[list[str]]:
        """The ids of all orders that need this (before a moment), who has needed it longest first, page by page."""
        until = _moment(before) if before else "9999"
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="attention",
            KeyConditionExpression="attention = :reason AND attention_since < :until",
            ExpressionAttributeValues={":reason": {"S": reason}, ":until": {"S": until}},
        )
        yield from (ids for page in pages if (ids := _order_ids(page["Items"])))

    def _batch_get(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The items under these keys, in any order, without those that do not exist."""
        for start in range(0, len(keys), 100):
            hundred = [{"pk": {"S": key}} for key in keys[start : start + 100]]
            wanted: Any = {self.table: {"Keys": hundred, "ConsistentRead": True}}
            while wanted:
                answer = self._client.batch_get_item(RequestItems=wanted)
                yield from map(_plain, answer["Responses"].get(self.table, []))
                wanted = answer.get("UnprocessedKeys")

    def _order_put(self, order: Order) -> tuple[Order, Any]:
        saved = replace(order, version=order.version + 1)
        put: dict[str, Any] = {"Item": _order_item(saved) | {"written_by": {"S": secrets.token_hex(8)}}}
        if order.version == 0:
            return saved, put | {"ConditionExpression": "attribute_not_exists(pk)"}
        return saved, put | {
            "ConditionExpression": "version = :loaded",
            "ExpressionAttributeValues": {":loaded": {"N": str(order.version)}},
        }

    def _take(self, digest: str, order_id: str) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "Key": {"pk": {"S": f"CODE#{digest}"}},
            "UpdateExpression": "SET #state = :assigned, order_id = :order REMOVE stock",
            "ConditionExpression": "#state = :free",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":assigned": {"S": "assigned"},
                ":free": {"S": "free"},
                ":order": {"S": order_id},
            },
        }

    def _quarantine(self, bad: BadCode, order_id: str, batch: str, day: date) -> dict[str, Any]:
        """It stays in the stock index, under the claims of its batch."""
        return {
            "TableName": self.table,
            "Key": {"pk": {"S": f"CODE#{codes.digest(bad.code)}"}},
            "UpdateExpression": "SET #state = :quarantined, reason = :reason, stock = :claims, stock_order = :day",
            "ConditionExpression": "#state = :assigned AND order_id = :order",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":quarantined": {"S": "quarantined"},
                ":assigned": {"S": "assigned"},
                ":order": {"S": order_id},
                ":reason": {"S": bad.reason},
                ":claims": {"S": _claims_of(batch)},
                ":day": {"S": day.isoformat()},
            },
        }

    def _give_back(self, digest: str, sku: str, order_id: str) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "Key": {"pk": {"S": f"CODE#{digest}"}},
            "UpdateExpression": "SET #state = :free, stock = :sku REMOVE order_id",
            "ConditionExpression": "#state = :assigned AND order_id = :order",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":assigned": {"S": "assigned"},
                ":free": {"S": "free"},
                ":order": {"S": order_id},
                ":sku": {"S": sku},
            },
        }


def _order_item(order: Order) -> dict[str, Any]:
    """The order, and beside it the keys of the sparse indexes, there only while they say something."""
    item = _converter.unstructure(order) | {"pk": f"ORDER#{order.id}"}
    if due := plan.next_due(order):
        item |= {"due_shard": str(zlib.crc32(order.id.encode()) % DUE_SHARDS), "due_at": _moment(due)}
    if needs := plan.attention(order):
        reason, since = needs
        item |= {"attention": reason, "attention_since": _moment(since)}
    if order.email:
        item["customer"] = _customer(order.email)
    if order.forget_on:
        item["expires"] = int(datetime.combine(order.forget_on, datetime.max.time(), UTC).timestamp())
    return _wire(item)


def _existing(order: Order | None, order_id: str) -> Order:
    if order is None:
        raise NotFound(f"there is no order {order_id}: check the number, or search by address")
    return order


def _customer(email: str) -> str:
    return hashlib.sha256(email.casefold().encode()).hexdigest()


def _wish_expires(now: datetime) -> int:
    return int(now.timestamp()) + _WISH_SECONDS


def _bad_address(address: str) -> dict[str, Any]:
    """A digest: an address is nobody's key."""
    return {"pk": {"S": f"BOUNCED#{_customer(address)}"}}


def _claims_of(batch: str) -> str:
    return f"bad codes of {batch}"


def _code_item(new: NewCode) -> dict[str, Any]:
    last_day = new.activate_before.isoformat() if new.activate_before else None
    return _wire(
        {
            "pk": f"CODE#{codes.digest(new.code)}",
            "code": new.code,
            "sku": new.sku,
            "state": "free",
            "batch": new.batch,
            "activate_before": last_day,
            "stock": new.sku,
            "stock_order": f"{last_day or _NEVER_EXPIRES}#{secrets.token_hex(6)}",
        }
    )


def _told_name(text: str, fact: PaymentNotice) -> str:
    """Mollie tells all of a payment each time, so its newest word takes the place of the one before."""
    return "told_mollie" if fact.provider == "mollie" else f"told_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _usage(sku: str, day: date) -> dict[str, Any]:
    return {"pk": {"S": f"USED#{sku}#{day:%Y-%m}"}}


def _note(day: date) -> dict[str, Any]:
    return {"pk": {"S": f"NOTE#{day.isoformat()}"}}


def _support_key(key_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"KEY#{key_id}"}}


def _license_item(license_id: str, order_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"LICENSE#{license_id}"}, "order_id": {"S": order_id}}


def _order(item: Mapping[str, Any]) -> Order:
    return _converter.structure(_plain(item), Order)


def _order_ids(items: Iterable[Mapping[str, Any]]) -> list[str]:
    return [item["pk"]["S"].removeprefix("ORDER#") for item in items]


def _digest(item: Mapping[str, Any]) -> str:
    return str(item["pk"]).removeprefix("CODE#")


def _wire(item: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _serializer.serialize(v) for k, v in item.items() if v is not None}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _deserializer.deserialize(v) for k, v in item.items()}


def _moment(moment: datetime) -> str:
    """A moment as text whose order is the order of time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _jitter(attempt: int) -> float:
    return random.uniform(0, min(0.5, 0.01 * 2**attempt))  # noqa: S311 - spreads load, guards nothing


_serializer = TypeSerializer()
_deserializer = TypeDeserializer()
_CATALOG = {"pk": {"S": "CATALOG"}}
_SUPPORT_KEYS = {"pk": {"S": "KEYS"}}
_PAUSE = {"pk": {"S": "PAUSE"}}
_TOLD_OF_ADDRESS = (Fate.BOUNCED.value, Fate.COMPLAINED.value, "lifted")
_converter = cattrs.Converter(omit_if_default=True)
_converter.register_unstructure_hook(datetime, _moment)
_converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
_converter.register_unstructure_hook(date, date.isoformat)
_converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
_converter.register_structure_hook(int, lambda number, _: int(Decimal(number)))
_converter.register_structure_hook(bool, lambda flag, _: flag)  # a bool is an int too
