"""Codes by batch: those that customers have, those that are withdrawn, and how far the replacing of a batch is."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from keypost.core.batches import Replacing, State
from keypost.core.codes import StockCode, as_written, digests, in_groups
from keypost.core.errors import Conflict, Unmet
from keypost.core.frozen import dataclass
from keypost.table.codes import (
    RECALLED,
    Codes,
    claims_of,
    given_of,
    is_recalled,
    recalled_name,
    stock_code,
    stock_place,
    withdrawn_of,
)
from keypost.table.converting import converter
from keypost.table.items import due_keys, from_wire, moment_text, to_wire
from keypost.table.schedule import BATCH

_AT_ONCE = 8  # a client keeps ten connections
_PAGE = 100
_TRIED_AGAIN = timedelta(minutes=15)  # by the schedules, when a poke was lost or too few codes are free


@dataclass(frozen=True, slots=True)
class GivenTo:
    """The codes of a batch that an order has."""

    order_id: str
    items: tuple[Mapping[str, Any], ...]

    @property
    def skus(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(item["sku"]) for item in self.items))


class Batches(Codes):
    def codes_of_batch(self, sku: str, batch: str, state: str) -> Iterator[list[Mapping[str, Any]]]:
        """The codes of a batch that are `free` or `withdrawn`, page by page, as the table has them now."""
        keys = (item["pk"]["S"] for page in self._of_partition(_partition(sku, state)) for item in page)
        while page := _some(keys):
            yield [item for item in self._batch_get(page) if _is(item, sku, state) and item.get("batch", "") == batch]

    def codes_named(self, texts: Iterable[str]) -> list[Mapping[str, Any] | None]:
        """The codes that are told, in whatever spelling, in this order; None for one that the table does not have."""
        examples = sorted({product.code_example for product in self.catalog().values()})
        keys = [_keys_of(text, examples) for text in texts]
        found = {item["pk"]: item for item in self._batch_get([f"CODE#{key}" for each in keys for key in each])}
        return [next((found[f"CODE#{key}"] for key in each if f"CODE#{key}" in found), None) for each in keys]

    def withdraw(self, items: Sequence[Mapping[str, Any]], why: str, who: str, at: datetime) -> int:
        """Take free codes out of the stock; returns how many were still free."""
        return self._each(items, partial(_withdrawal, why=why, who=who, at=at))

    def put_back(self, items: Sequence[Mapping[str, Any]]) -> int:
        """Put withdrawn codes back into the stock; returns how many were still withdrawn."""
        return self._each(items, _return)

    def move(self, items: Sequence[Mapping[str, Any]], sku: str) -> int:
        """Give free codes to another product; returns how many were still free."""
        return self._each(items, partial(_move, sku=sku))

    def _each(self, items: Sequence[Mapping[str, Any]], update: Callable[[Mapping[str, Any]], dict[str, Any]]) -> int:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return sum(pool.map(lambda item: self._did(update(item)), items))

    def _did(self, update: Mapping[str, Any]) -> bool:
        try:
            self._write("update_item", **update)
        except Unmet:
            return False
        return True

    def recall(self, sku: str, batch: str) -> None:
        """Have codes of this batch that come back from orders leave the stock too."""
        self._change_recalled("ADD", sku, batch)

    def end_recall(self, sku: str, batch: str) -> None:
        self._change_recalled("DELETE", sku, batch)

    def _change_recalled(self, how: str, sku: str, batch: str) -> None:
        self._write(
            "update_item",
            Key={"pk": {"S": RECALLED}},
            UpdateExpression=f"{how} batches :batch",
            ExpressionAttributeValues={":batch": {"SS": [recalled_name(sku, batch)]}},
        )

    def recalled(self) -> frozenset[str]:
        """The batches that are withdrawn, each with its product, as `recalled_name` writes them."""
        found = list(self._batch_get([RECALLED]))
        return frozenset(found[0].get("batches", ())) if found else frozenset()

    def is_recalled(self, sku: str, batch: str) -> bool:
        return is_recalled({"sku": sku, "batch": batch}, self.recalled())

    def given(self, batch: str, behind: str = "", most: int = 50) -> list[GivenTo]:
        """The orders that have codes of a batch, by their numbers, from the one behind `behind` on; at most so many."""
        orders: dict[str, list[str]] = {}
        for page in self._of_partition(given_of(batch), f"{behind}$" if behind else ""):
            for item in page:
                orders.setdefault(item["stock_order"]["S"].rpartition("#")[0], []).append(item["pk"]["S"])
            if len(orders) > most:
                break
        first = dict(list(orders.items())[:most])
        found = {item["pk"]: item for item in self._batch_get([key for keys in first.values() for key in keys])}
        return [
            GivenTo(order_id, tuple(found[key] for key in keys if key in found and _is_given(found[key], order_id)))
            for order_id, keys in first.items()
        ]

    def count_given(self, batch: str) -> int:
        return self._count_partition(given_of(batch))

    def count_claims(self, batch: str) -> int:
        """How many codes of a batch did not work and were replaced."""
        return self._count_partition(claims_of(batch))

    def _count_partition(self, partition: str) -> int:
        return sum(page["Count"] for page in self._partition_pages(partition, Select="COUNT"))

    def _of_partition(self, partition: str, behind: str = "") -> Iterator[list[Mapping[str, Any]]]:
        pages = self._partition_pages(partition, behind, PaginationConfig={"PageSize": _PAGE})
        return (page["Items"] for page in pages)

    def _partition_pages(self, partition: str, behind: str = "", **how: Any) -> Iterable[Mapping[str, Any]]:
        """Those behind a place; there is no place before a space."""
        return self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="stock",
            KeyConditionExpression="stock = :partition AND stock_order > :behind",
            ExpressionAttributeValues={":partition": {"S": partition}, ":behind": {"S": behind or " "}},
            **how,
        )

    def replacing(self, batch_id: str) -> Replacing | None:
        key = {"pk": {"S": f"{BATCH}{batch_id}"}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return converter.structure(from_wire(item)["replacing"], Replacing) if item else None

    def save_replacing(self, replacing: Replacing, now: datetime) -> Replacing:
        """Store how far it is; Conflict if others did meanwhile. It is due until it is done."""
        saved = replace(replacing, version=replacing.version + 1)
        name = f"{BATCH}{batch_id(replacing.batch, replacing.sku)}"
        item = {"pk": name, "version": saved.version, "replacing": converter.unstructure(saved)}
        if saved.state is not State.DONE:
            item |= due_keys(name, now + _TRIED_AGAIN)
        try:
            self._write(
                "put_item",
                Item=to_wire(item),
                ConditionExpression="attribute_not_exists(pk) OR version = :loaded",
                ExpressionAttributeValues={":loaded": {"N": str(replacing.version)}},
            )
        except Unmet:
            raise Conflict("items_busy") from None
        return saved


def batch_id(batch: str, sku: str) -> str:
    """By what a batch is named where its name may not stand."""
    return hashlib.sha256(f"{batch}\n{sku}".encode()).hexdigest()[:20]


def _keys_of(text: str, examples: Iterable[str]) -> list[str]:
    spelled = [in_groups(text, example) for example in examples] if as_written(text).isalnum() else []
    return list(dict.fromkeys(key for each in (text, *spelled) for key in digests(each)))


def _some(keys: Iterator[str]) -> list[str]:
    return [key for key, _ in zip(keys, range(_PAGE), strict=False)]


def _partition(sku: str, state: str) -> str:
    return withdrawn_of(sku) if state == "withdrawn" else sku


def _is(item: Mapping[str, Any], sku: str, state: str) -> bool:
    return item.get("state") == state and item.get("sku") == sku and isinstance(item.get("code"), str)


def _is_given(item: Mapping[str, Any], order_id: str) -> bool:
    return item.get("state") == "assigned" and item.get("order_id") == order_id


def replacement_of(item: Mapping[str, Any]) -> StockCode:
    return stock_code(item, str(item["sku"]))


def _withdrawal(item: Mapping[str, Any], why: str, who: str, at: datetime) -> dict[str, Any]:
    values = {":why": why, ":who": who, ":at": moment_text(at), ":stock": withdrawn_of(item["sku"])}
    return _update(item, "free", "withdrawn", "stock = :stock, why = :why, who = :who, withdrawn_at = :at", values)


def _return(item: Mapping[str, Any]) -> dict[str, Any]:
    values = {":stock": item["sku"], ":place": stock_place(item)}
    return _update(item, "withdrawn", "free", "stock = :stock, stock_order = :place", values)


def _move(item: Mapping[str, Any], sku: str) -> dict[str, Any]:
    return _update(item, "free", "free", "stock = :to, sku = :to", {":to": sku})


def _update(
    item: Mapping[str, Any], before: str, after: str, changes: str, values: Mapping[str, str]
) -> dict[str, Any]:
    """On condition that nobody has changed the code since it was read."""
    return {
        "Key": {"pk": {"S": item["pk"]}},
        "UpdateExpression": f"SET #state = :after, {changes}",
        "ConditionExpression": "#state = :before AND sku = :sku",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": to_wire({":before": before, ":after": after, ":sku": item["sku"], **values}),
    }
