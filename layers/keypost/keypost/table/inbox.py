"""The inbox: what was told and changes nothing. Its items hold no name, no address and no code."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from heapq import merge
from itertools import islice
from typing import Any

from keypost.core.errors import Unmet
from keypost.core.payment import Remark
from keypost.core.said import Said
from keypost.table.converting import converter
from keypost.table.items import Table, moment_text, months, to_wire

KEPT = timedelta(days=400)
_SHARDS = 4  # of a month in the index: what is remarked in a rush must not hold up the callbacks that it comes with


class Inbox(Table):
    def put_remark(self, remark: Remark) -> None:
        """Keep a remark for 400 days. The same one again on the same day (UTC) changes nothing."""
        told = {"provider": remark.provider, "order_id": remark.order_id, "payment": remark.payment}
        why = converter.unstructure(remark.why)
        digest = sha256(json.dumps([told, why], sort_keys=True).encode()).hexdigest()[:32]
        since = moment_text(remark.at)
        item = {
            "pk": f"INBOX#{since[:10]}#{digest}",
            "attention": _shard(since[:7], int(digest, 16) % _SHARDS),
            "attention_since": f"{since}~{digest}",  # no two are equal, so that a page can begin behind any of them
            "expires": int((remark.at + KEPT).timestamp()),
            "why": why,
            **told,
        }
        with suppress(Unmet):
            self._write("put_item", Item=to_wire(item), ConditionExpression="attribute_not_exists(pk)")

    def inbox(self, since: datetime, until: datetime, before: str | None = None) -> Iterator[tuple[str, str]]:
        """The place and the key of each remark since a moment, the newest first, or those behind a place. They are read
        as they are asked for."""
        first, last = moment_text(since), min(before or "~", f"{moment_text(until)}~~")
        for month in months(first, last) if first <= last else ():
            yield from merge(*(self._of_shard(_shard(month, n), first, last) for n in range(_SHARDS)), reverse=True)

    def remarks(self, keys: Sequence[str]) -> list[Remark]:
        """The remarks with these keys, in their order, without those that are gone."""
        found = {item["pk"]: item for item in self._batch_get(keys)}
        return [_remark(found[key]) for key in keys if key in found]

    def count_remarks(self, since: datetime, until: datetime, most: int) -> int:
        """How many there are since a moment, counted up to `most`."""
        return sum(1 for _ in islice(self.inbox(since, until), most))

    def _of_shard(self, shard: str, first: str, last: str) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="attention",
            KeyConditionExpression="attention = :shard AND attention_since BETWEEN :first AND :last",
            ExpressionAttributeValues=to_wire({":shard": shard, ":first": first, ":last": last}),
            ScanIndexForward=False,
            PaginationConfig={"PageSize": 100},
        )
        for page in pages:
            for item in page["Items"]:
                if (place := item["attention_since"]["S"]) < last:
                    yield place, item["pk"]["S"]


def _shard(month: str, shard: int) -> str:
    return f"inbox {month} {shard}"


def _remark(item: dict[str, Any]) -> Remark:
    at = datetime.fromisoformat(item["attention_since"].partition("~")[0])
    why = converter.structure(item["why"], Said)
    return Remark(item["provider"], at, why, item["order_id"], item["payment"])
