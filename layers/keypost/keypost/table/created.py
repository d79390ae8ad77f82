"""All orders by the moment of their creation, with the text by which they are found. A month is one partition of the
index: the API lets 50 calls a second in, of which each writes one entry at most."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from keypost.core.frozen import dataclass
from keypost.table.items import Table, moment_text, months, order_ids

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Of an order in the index."""

    at: str  # a moment, as text that sorts
    order_id: str


@dataclass(frozen=True, slots=True)
class Part:
    """A page of the index."""

    found: Sequence[Place]
    looked_at: int  # entries, of which `found` are those with the words
    end: Place | None  # the last of them; None at the end of a month


class Created(Table):
    def created(
        self,
        since: datetime,
        until: datetime,
        words: Sequence[str] = (),
        after: Place | None = None,
        size: int | None = None,
    ) -> Iterator[Part]:
        """The orders that were created since one moment and before another, the newest first, or those behind a place:
        all, or those that have each of these words. Read as asked for, `size` entries at once or one MB."""
        first, last = moment_text(since), moment_text(until - _SECOND)
        for month in months(first, after.at if after else last) if first <= last else ():
            how: dict[str, Any] = {"PaginationConfig": {"PageSize": size}} if size else {}
            yield from self._created_in((month, first, last), words, after, ScanIndexForward=False, **how)

    def created_from(self, begin: Place, until: datetime, words: Sequence[str]) -> Iterator[Part]:
        """The orders behind a place that were created before a moment and have each of these words, the oldest first.
        Read as asked for, up to one MB at once."""
        last = moment_text(until - _SECOND)
        for month in reversed(list(months(begin.at, last))) if begin.at <= last else ():
            yield from self._created_in((month, begin.at, last), words, begin, ScanIndexForward=True)

    def _created_in(
        self, between: tuple[str, str, str], words: Sequence[str], behind: Place | None, **how: Any
    ) -> Iterator[Part]:
        month, first, last = between
        if behind and behind.order_id and behind.at.startswith(month):
            how["ExclusiveStartKey"] = _key(month, behind)
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="created",
            KeyConditionExpression="#month = :month AND created_at BETWEEN :first AND :last",
            ExpressionAttributeNames={"#month": "month"},
            ExpressionAttributeValues={":month": {"S": month}, ":first": {"S": first}, ":last": {"S": last}}
            | {f":word{n}": {"S": word} for n, word in enumerate(words)},
            **_filter(words),
            **how,
        )
        for page in pages:
            end = page.get("LastEvaluatedKey")
            yield Part(_places(page["Items"]), page["ScannedCount"], _places([end])[0] if end else None)


def created_keys(at: datetime) -> dict[str, str]:
    """What an order's item has for the index beside its moment of creation."""
    return {"month": moment_text(at)[:7]}


def _filter(words: Sequence[str]) -> dict[str, Any]:
    """DynamoDB leaves out what has not each of the words: it reads it all the same, but nobody has to parse it here."""
    return {"FilterExpression": " AND ".join(f"contains(find, :word{n})" for n in range(len(words)))} if words else {}


def _key(month: str, place: Place) -> dict[str, Any]:
    return {"month": {"S": month}, "created_at": {"S": place.at}, "pk": {"S": f"ORDER#{place.order_id}"}}


def _places(items: Sequence[Mapping[str, Any]]) -> list[Place]:
    return [Place(item["created_at"]["S"], id_) for item, id_ in zip(items, order_ids(items), strict=True)]
