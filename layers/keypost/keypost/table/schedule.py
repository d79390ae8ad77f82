"""What the schedules read: which orders are due, which are set aside, and since when Keypost serves. A function that
reads no order loads only this."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache, lru_cache
from itertools import islice
from typing import NamedTuple

from keypost.core.aside_reasons import AsideReason
from keypost.table.clocks import clock_of, is_at_once, last_clock
from keypost.table.items import DUE_SHARDS, Table, moment_text, order_ids

BATCH = "BATCH#"  # before the id of a batch that is being replaced: its item, and the poke for it
CODES_CAME = "CODES#"  # before a SKU: the mark of a product that got codes, and the poke of those who wait for it
PAGE = 100
_MOST = 1_000_000  # entries: as many as DynamoDB puts into one answer
_START = {"pk": {"S": "START"}}


class Due(NamedTuple):
    """An order that is due, or the mark of what else is to be poked."""

    at: datetime  # since when
    name: str  # of the poke
    is_at_once: bool  # it was paid shortly before: its customer waits


class Schedule(Table):
    def due(self, now: datetime) -> Iterator[list[str]]:
        """The ids of all orders that are due, and the pokes of the products that got codes; page by page, sorted only
        within each shard. An order that is set aside is tried by the clock of what is kept beside it: nothing can move
        its own clock."""
        for page in self.due_since(now):
            yield [each.name for each in page]

    def due_since(self, now: datetime) -> Iterator[list[Due]]:
        """The same, each with the moment at which it became due."""
        for page in self._clocks(now):
            yield [Due(_clock(clock_of(at)), _poke_of(key), is_at_once(at)) for key, at in page]

    def _clocks(self, until: datetime) -> Iterator[list[tuple[str, str]]]:
        """The keys of what is due by then and the text of its clock, page by page; without the orders that are set
        aside."""
        aside = cache(self._aside)  # asked for only if something is due
        for shard in range(DUE_SHARDS):
            pages = self._client.get_paginator("query").paginate(
                TableName=self.table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at <= :until",
                ExpressionAttributeValues={":shard": {"S": str(shard)}, ":until": {"S": last_clock(until)}},
            )
            for page in pages:
                found = ((item["pk"]["S"], item["due_at"]["S"]) for item in page["Items"])
                if clocks := [each for each in found if each[0] not in aside()]:
                    yield clocks

    def _aside(self) -> set[str]:
        return {f"ORDER#{id_}" for reason in AsideReason for page in self.needing(reason) for id_ in page}

    def needing(self, reason: str, before: datetime | None = None) -> Iterator[list[str]]:
        """The ids of all orders that need this (before a moment), those first that have needed it longest; page by
        page."""
        return pages(order_id for _, order_id in self._needing(reason, before))

    def _needing(self, attention: str, before: datetime | None, size: int = _MOST) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="attention",
            KeyConditionExpression="attention = :attention AND attention_since < :until",
            ExpressionAttributeValues={
                ":attention": {"S": attention},
                ":until": {"S": moment_text(before) if before else "9999"},
            },
            PaginationConfig={"PageSize": size},
        )
        for page in pages:
            for item, order_id in zip(page["Items"], order_ids(page["Items"]), strict=True):
                yield item["attention_since"]["S"], order_id

    def start(self) -> datetime | None:
        """The moment from which Keypost serves; None until one is stored."""
        found = self._client.get_item(TableName=self.table, Key=_START, ConsistentRead=True).get("Item")
        return datetime.fromisoformat(found["begun"]["S"]) if found else None

    def start_or(self, first: datetime) -> datetime:
        """The moment from which Keypost serves. If none is stored, this stores `first`, unless another function has
        just stored one."""
        if known := self.start():
            return known
        answer = self._write(
            "update_item",
            Key=_START,
            UpdateExpression="SET begun = if_not_exists(begun, :first)",
            ExpressionAttributeValues={":first": {"S": moment_text(first)}},
            ReturnValues="ALL_NEW",
        )["Attributes"]
        return datetime.fromisoformat(answer["begun"]["S"])

    def put_start(self, start: datetime) -> None:
        self._write("put_item", Item=_START | {"begun": {"S": moment_text(start)}})


def pages(order_ids: Iterable[str]) -> Iterator[list[str]]:
    ids = iter(order_ids)
    while page := list(islice(ids, PAGE)):
        yield page


@lru_cache(maxsize=1024)
def _clock(text: str) -> datetime:
    """Of the many that are due on one morning, the moment is the same."""
    return datetime.fromisoformat(text)


def _poke_of(key: str) -> str:
    """The poke for which something is due: an order's is its id, that of a product or a batch is its mark."""
    return key if key.startswith((CODES_CAME, BATCH)) else key.partition("#")[2]
