"""Codes in stock. Each is one item whose key is the code's digest, so that a code exists once."""

import random
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from keypost.core.codes import NewCode, StockCode, as_written, digest, digests, in_groups, key_of, tail
from keypost.core.errors import Conflict, Unmet
from keypost.core.frozen import dataclass
from keypost.core.order import BadCode, License
from keypost.table.items import TRIES, jitter, to_wire
from keypost.table.products import Products

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_IMPORT_CHUNK = 100
_CHUNKS_AT_ONCE = 8  # a client keeps ten connections
_HINTS_PER_PAGE = 100
_HINTS_PER_CODE = 8  # others may have taken some of them
_KEPT_SECONDS = 60
_CROWDED = 1  # second, within which each of them reads what is free now
_MOST_LOOKED_AT = 1000
_MOST_OF_TAIL = 100  # of a million codes hardly two end alike
_NEVER_EXPIRES = "9999-12-31"
RECALLED = "RECALLED"  # the item that names the batches which were withdrawn


@dataclass(frozen=True, slots=True)
class Hints:
    """The keys of codes that may be free."""

    keys: Sequence[str] = ()
    is_kept: bool = False  # read for an earlier sale, when nobody waited and there were many more than it needed
    last_day: str = ""  # to activate them, if it is the same for all


@dataclass(frozen=True, slots=True)
class _Kept:
    """What an execution environment keeps of the stock of a product for its next sales."""

    keys: Sequence[str]  # what is left of a page of hints
    last_day: str  # no free code has an earlier one; empty if they differ
    until: float  # on the clock of `seconds`


class Codes(Products):
    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        pause: Callable[[float], None] = time.sleep,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(client, table, pause)
        self._seconds = seconds
        self._kept_hints: dict[tuple[str, date], _Kept] = {}  # by product and the day on which codes can be used

    def ran_out(self, licenses: Iterable[License], usable_on: Mapping[str, date]) -> list[License]:
        """The licenses whose codes can no longer be activated on the day on which their product can be used."""
        found = {f"CODE#{key_of(one)}": one for one in licenses}
        return [
            found[item["pk"]]
            for item in self._batch_get(list(found))
            if item.get("activate_before", _NEVER_EXPIRES) < usable_on[found[item["pk"]].sku].isoformat()
        ]

    def set_aside(self, code: StockCode, order_id: str) -> None:
        """Keep a code for an order that does not have it, so that nobody else gets it. Unmet if it is not free."""
        self._write("update_item", **take(code, order_id))

    def batch_of(self, code: str) -> str | None:
        """The batch with which a code was imported, which may be empty; None if the code is not known."""
        item = self.code_item(code)
        return None if item is None else str(item.get("batch", ""))

    def code_item(self, text: str) -> Mapping[str, Any] | None:
        """The item of a code, in whatever spelling it is told, whoever's product it is of."""
        found = self._code_item_of(digests(text))
        if found or not as_written(text).isalnum():
            return found
        examples = {product.code_example for product in self.catalog().values()}
        return self._code_item_of([each for one in sorted(examples) for each in digests(in_groups(text, one))])

    def _code_item_of(self, keys: Sequence[str]) -> Mapping[str, Any] | None:
        found = {item["pk"].removeprefix("CODE#"): item for item in self._batch_get([f"CODE#{key}" for key in keys])}
        return next((found[key] for key in keys if key in found), None)

    def code_items(self, licenses: Iterable[License]) -> dict[str, Mapping[str, Any]]:
        """The items of the codes of these licenses, by their keys."""
        items = self._batch_get([f"CODE#{key_of(one)}" for one in licenses])
        return {item["pk"].removeprefix("CODE#"): item for item in items}

    def order_of_code(self, text: str) -> str | None:
        """The order to which a code was assigned, also if it was swapped for another since."""
        order_id: str | None = (self.code_item(text) or {}).get("order_id")
        return order_id

    def orders_of_tail(self, end: str) -> list[str]:
        """The orders that got a code with these last five characters, also if it was swapped for another since."""
        found = self._client.query(
            TableName=self.table,
            IndexName="tail",
            KeyConditionExpression="tail = :tail",
            ExpressionAttributeValues={":tail": {"S": end}},
            Limit=_MOST_OF_TAIL,
        )
        items = self._batch_get([item["pk"]["S"] for item in found["Items"]])
        return sorted({item["order_id"] for item in items if item.get("order_id")})

    def pick_of_other_batch(self, sku: str, usable_on: date, batch: str) -> StockCode | None:
        """A free code, of another batch if the first thousand free codes include one. It comes from the index, which
        may be stale; the condition of the write decides."""
        hints, first = islice(self._hints(sku, usable_on.isoformat()), _MOST_LOOKED_AT), None
        while page := list(islice(hints, _HINTS_PER_PAGE)):
            for item in self._free(sku, [hint["pk"]["S"] for hint in page]):
                found = stock_code(item, sku)
                if found.batch != batch:
                    return found
                first = first or found
        return first

    def hints(self, sku: str, usable_on: date, most: int) -> Hints:
        """Some codes that were free not long ago and can still be activated on a day, those with the earliest last day
        first, at random among equals: workers that pick at once seldom choose the same ones. There are at least `most`,
        if so many are free."""
        kept, wanted = self._kept(sku, usable_on), _HINTS_PER_CODE * most
        if kept and len(kept.keys) >= wanted:
            self._kept_hints[sku, usable_on] = replace(kept, keys=kept.keys[wanted:])
            return Hints(kept.keys[:wanted], is_kept=True)
        return next(self._pages_of_hints(sku, usable_on), Hints())

    def _kept(self, sku: str, usable_on: date) -> _Kept | None:
        kept = self._kept_hints.get((sku, usable_on))
        return kept if kept and kept.until > self._seconds() else None

    def keep_hints(self, sku: str, usable_on: date, hints: Hints) -> None:
        """Have a page serve the next sales of this execution environment for a minute, since it decides nothing. Near
        the end of the stock each sale reads its own."""
        if len(hints.keys) == _HINTS_PER_PAGE:
            now = self._seconds()
            self._kept_hints = {key: kept for key, kept in self._kept_hints.items() if kept.until > now}
            left = hints.keys[_HINTS_PER_CODE:]
            self._kept_hints[sku, usable_on] = _Kept(left, hints.last_day, now + _KEPT_SECONDS)

    def drop_hints(self, sku: str) -> None:
        """After codes arrived: who waits may be served by now, and is to be asked for."""
        for key in [key for key in self._kept_hints if key[0] == sku]:
            del self._kept_hints[key]

    def pick(self, sku: str, count: int, usable_on: date, hints: Sequence[str] = ()) -> list[StockCode]:
        """Up to `count` free codes of a product that can still be activated on a day, in the order of `hints`. So
        many of those given are looked at first, and then all that there are: some may be assigned already. Nothing is
        to come between this and `assign`, which decides: what others take meanwhile is refused."""
        free = [stock_code(item, sku) for item in self._free(sku, hints[:count])] if hints else []
        if len(free) < count:
            if kept := self._kept(sku, usable_on):
                self._kept_hints[sku, usable_on] = replace(kept, keys=())
            if hints:  # others take the same codes: each reads anew at another moment
                self._pause(random.uniform(0, _CROWDED))  # noqa: S311 - spreads load, guards nothing
            free += self._pick_anew(sku, count - len(free), usable_on, {*hints[:count]})
        return free

    def _pick_anew(self, sku: str, count: int, usable_on: date, looked_at: Collection[str]) -> list[StockCode]:
        free: list[StockCode] = []
        seen = set(looked_at)
        for page in self._pages_of_hints(sku, usable_on):  # the one at random comes again among the others
            left = [key for key in page.keys if key not in seen]
            seen.update(left)
            while left and len(free) < count:
                lacking = count - len(free)
                free += [stock_code(item, sku) for item in self._free(sku, left[:lacking])]
                del left[:lacking]
            if len(free) >= count:
                break
        return free

    def _pages_of_hints(self, sku: str, usable_on: date) -> Iterator[Hints]:
        """All that there are, those with the earliest last day first; but one page at random of the codes that have
        this day goes before, if it is known and so many have it: so few workers have the same page."""
        if (kept := self._kept(sku, usable_on)) and kept.last_day:
            place = f"{kept.last_day}#{random.getrandbits(48):012x}"
            page = _in_order(islice(self._hints(sku, place), _HINTS_PER_PAGE))
            if len(page.keys) == _HINTS_PER_PAGE and page.last_day == kept.last_day:
                yield page
        hints = self._hints(sku, usable_on.isoformat())
        while (page := _in_order(islice(hints, _HINTS_PER_PAGE))).keys:
            yield page

    def _free(self, sku: str, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Those of these codes that are free, still of this product, and not of a batch that was withdrawn: one may
        come back from an order after that. The condition of the write decides."""
        items = list(self._batch_get([*keys, RECALLED], may_lag=True))
        recalled = next((item.get("batches", ()) for item in items if item["pk"] == RECALLED), ())
        free = [item for item in items if _is_free(item) and item.get("sku") == sku]
        return [item for item in free if not is_recalled(item, recalled)]

    def count_free(self, sku: str, usable_on: date, most: int) -> int:
        """How many free codes the index has, counted up to `most`. This is cheap, but the index may be stale."""
        found = 0
        for page in self._stock_pages(sku, usable_on.isoformat(), max(most, 1), Select="COUNT"):
            found += page["Count"]
            if found >= most:
                break
        return min(found, most)

    def _hints(self, sku: str, place: str) -> Iterator[Mapping[str, Any]]:
        """From a place in the stock index on: a day, or one among the codes with this last day."""
        return (item for page in self._stock_pages(sku, place, _HINTS_PER_PAGE) for item in page["Items"])

    def _stock_pages(self, sku: str, place: str, size: int, **how: Any) -> Iterable[Mapping[str, Any]]:
        return self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="stock",
            KeyConditionExpression="stock = :sku AND stock_order >= :place",
            ExpressionAttributeValues={":sku": {"S": sku}, ":place": {"S": place}},
            PaginationConfig={"PageSize": size},
            **how,
        )

    def add_codes(
        self, sku: str, new: Iterable[str], batch: str | None, activate_before: date | None
    ) -> Iterator[tuple[int, set[str]]]:
        """Add codes of one product and batch to the stock, as `add` does. Yields for each part how many codes it had,
        and which of them were already known."""
        for part, known in self.add([NewCode(sku, code, batch, activate_before) for code in new]):
            yield len(part), known

    def add(self, new: Sequence[NewCode], *, dry_run: bool = False) -> Iterator[tuple[Sequence[NewCode], set[str]]]:
        """Add codes to the stock. A code can be added only once, ever, for whatever product. Yields for each part its
        codes, and which of them were already known. A dry run changes nothing."""
        add = self._known if dry_run else self._add_chunk
        part = _IMPORT_CHUNK * _CHUNKS_AT_ONCE
        with ThreadPoolExecutor(_CHUNKS_AT_ONCE) as pool:
            for codes_now in (new[start : start + part] for start in range(0, len(new), part)):
                chunks = (codes_now[start : start + _IMPORT_CHUNK] for start in range(0, len(codes_now), _IMPORT_CHUNK))
                yield codes_now, set().union(*pool.map(add, chunks))

    def _known(self, new: Sequence[NewCode]) -> set[str]:
        """Those of these codes that are in the table, also if that took their product to be of the other kind then."""
        keys = {
            each.code: {f"CODE#{digest(each.code, case_counts=case)}": case for case in (True, False)} for each in new
        }
        items = {item["pk"]: item for item in self._batch_get([key for both in keys.values() for key in both])}
        return {each.code for each in new if any(_is_same(each, items.get(key)) for key in keys[each.code])}

    def _add_chunk(self, new: Sequence[NewCode]) -> set[str]:
        known = self._known(new)  # the cheap way: a repeated import continues where it stopped
        for attempt in range(TRIES):
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
                self._pause(jitter(attempt))
            else:
                return known
        raise Conflict("stock_busy")

    def count_used(self, sku: str, day: date, count: int) -> None:
        """Count codes of a product that took the places of others on a day. Only the forecast uses this; the code that
        a license begins with is counted by the license's own item, as no sale should write where all others do."""
        self._write(
            "update_item",
            Key=_usage(sku, day),
            UpdateExpression="ADD #day :count",
            ExpressionAttributeNames={"#day": day.isoformat()},
            ExpressionAttributeValues={":count": {"N": str(count)}},
        )

    def used(self, sku: str, days: Sequence[date]) -> int:
        """How many codes of a product were assigned on these days, which follow on each other."""
        months = {_usage(sku, day)["pk"]["S"] for day in days}
        found = {name: count for item in self._batch_get(sorted(months)) for name, count in item.items()}
        others = int(sum(found.get(day.isoformat(), 0) for day in days))
        return others + self._count_sold(sku, min(days), max(days))

    def _count_sold(self, sku: str, first: date, last: date) -> int:
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="stock",
            KeyConditionExpression="stock = :used AND stock_order BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":used": {"S": used_of(sku)},
                ":first": {"S": first.isoformat()},
                ":last": {"S": f"{last.isoformat()}$"},  # behind all that have a # there
            },
            Select="COUNT",
        )
        return sum(page["Count"] for page in pages)


def _in_order(hints: Iterable[Mapping[str, Any]]) -> Hints:
    """The earliest last day first, at random among equals."""
    found = [(item["stock_order"]["S"].partition("#")[0], item["pk"]["S"]) for item in hints]
    random.shuffle(found)
    found.sort(key=itemgetter(0))
    is_one_day = bool(found) and found[0][0] == found[-1][0]
    return Hints([key for _, key in found], last_day=found[0][0] if is_one_day else "")


def claims_of(batch: str) -> str:
    return f"bad codes of {batch}"


def _code_item(new: NewCode) -> dict[str, Any]:
    last_day = new.activate_before.isoformat() if new.activate_before else None
    return to_wire(
        {
            "pk": f"CODE#{key_of(new)}",
            "code": new.code,
            "sku": new.sku,
            "state": "free",
            "batch": new.batch,
            "activate_before": last_day,
            "case_counts": new.case_counts or None,
            "tail": tail(new.code) or None,
            "stock": new.sku,
            "stock_order": stock_place({"activate_before": last_day}),
        }
    )


def _usage(sku: str, day: date) -> dict[str, Any]:
    return {"pk": {"S": f"USED#{sku}#{day:%Y-%m}"}}


def _is_free(item: Mapping[str, Any]) -> bool:
    """One that is damaged is nobody's: the next one is taken."""
    return item.get("state") == "free" and isinstance(item.get("code"), str)


def _is_same(new: NewCode, item: Mapping[str, Any] | None) -> bool:
    """Whether this item is that of the code: where case counts for both, they are spelled alike."""
    if item is None:
        return False
    is_exact = new.case_counts and item.get("case_counts", False)
    return not is_exact or digest(str(item.get("code")), case_counts=True) == key_of(new)


def _digest(item: Mapping[str, Any]) -> str:
    return str(item["pk"]).removeprefix("CODE#")


def stock_code(item: Mapping[str, Any], sku: str) -> StockCode:
    case_counts = bool(item.get("case_counts", False))
    return StockCode(_digest(item), item["code"], sku, str(item.get("batch", "")), case_counts)


def given_of(batch: str) -> str:
    """The part of the stock index with the codes of a batch that customers have, by the numbers of their orders."""
    return f"given {batch}"


def used_of(sku: str) -> str:
    """The part of the stock index with the licenses of a product, by the days on which they got their codes."""
    return f"used {sku}"


def used_keys(license_: License, day: date) -> dict[str, Any]:
    """What the item of a license has for the stock index."""
    return {"stock": {"S": used_of(license_.sku)}, "stock_order": {"S": f"{day.isoformat()}#{license_.id}"}}


def withdrawn_of(sku: str) -> str:
    return f"withdrawn {sku}"


def recalled_name(sku: str, batch: str) -> str:
    return f"{sku}#{batch}"


def is_recalled(item: Mapping[str, Any], recalled: Collection[str]) -> bool:
    return recalled_name(str(item.get("sku")), str(item.get("batch", ""))) in recalled


def stock_place(item: Mapping[str, Any]) -> str:
    """Where a free code stands in the stock index: by its last day, at random among equals."""
    return f"{item.get('activate_before') or _NEVER_EXPIRES}#{secrets.token_hex(6)}"


def take(code: StockCode, order_id: str) -> dict[str, Any]:
    """A free code becomes an order's, unless it was moved to another product meanwhile."""
    return {
        "Key": {"pk": {"S": f"CODE#{code.digest}"}},
        "UpdateExpression": "SET #state = :assigned, order_id = :order, stock = :given, stock_order = :place",
        "ConditionExpression": "#state = :free AND sku = :sku",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":assigned": {"S": "assigned"},
            ":free": {"S": "free"},
            ":sku": {"S": code.sku},
            ":order": {"S": order_id},
            ":given": {"S": given_of(code.batch)},
            ":place": {"S": f"{order_id}#{code.digest[:8]}"},
        },
    }


def quarantine(bad: BadCode, order_id: str, batch: str, day: date) -> dict[str, Any]:
    """The item of a bad code: it stays in the stock index, under the claims of its batch."""
    return {
        "Key": {"pk": {"S": f"CODE#{key_of(bad)}"}},
        "UpdateExpression": "SET #state = :quarantined, reason = :reason, note = :note, stock = :claims,"
        " stock_order = :day",
        "ConditionExpression": "#state = :assigned AND order_id = :order",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":quarantined": {"S": "quarantined"},
            ":assigned": {"S": "assigned"},
            ":order": {"S": order_id},
            ":reason": {"S": bad.reason},
            ":note": {"S": bad.asked.why},
            ":claims": {"S": claims_of(batch)},
            ":day": {"S": day.isoformat()},
        },
    }


def hand_over(digest: str, order_id: str, to: str) -> dict[str, Any]:
    """The code of a license that another order has from now on."""
    return {
        "Key": {"pk": {"S": f"CODE#{digest}"}},
        "UpdateExpression": "SET order_id = :to, stock_order = :place",
        "ConditionExpression": "#state = :assigned AND order_id = :order",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":assigned": {"S": "assigned"},
            ":order": {"S": order_id},
            ":to": {"S": to},
            ":place": {"S": f"{to}#{digest[:8]}"},
        },
    }


def give_back(item: Mapping[str, Any], order_id: str, recalled: Collection[str]) -> dict[str, Any]:
    """A code that an order gives back is free again, unless its batch was withdrawn meanwhile."""
    is_free = not is_recalled(item, recalled)
    return {
        "Key": {"pk": {"S": item["pk"]}},
        "UpdateExpression": "SET #state = :after, stock = :stock, stock_order = :place REMOVE order_id",
        "ConditionExpression": "#state = :assigned AND order_id = :order",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":after": {"S": "free" if is_free else "withdrawn"},
            ":assigned": {"S": "assigned"},
            ":order": {"S": order_id},
            ":stock": {"S": item["sku"] if is_free else withdrawn_of(item["sku"])},
            ":place": {"S": stock_place(item)},
        },
    }
