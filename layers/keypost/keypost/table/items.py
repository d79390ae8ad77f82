"""The one place in which the table is read and written."""

import hashlib
import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from keypost.core.errors import Conflict, Unfit, Unmet

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


TRIES = 20
DUE_SHARDS = 16

# Refusals after which the same write may succeed a moment later: another write was at the item, or there were too many.
_BUSY = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}
_BUSY_REASONS = {"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
_UNMET = "ConditionalCheckFailed"  # the reason in a transaction; as an exception it ends in `Exception`
_UNFIT, _UNFIT_REASON = "ValidationException", "ValidationError"  # the content is such that no try succeeds


Part = TypeVar("Part", bound="Table")


class Table:
    """One table. `pause` is called with the seconds to wait between two tries of a write that conflicted with another,
    or of a read for which the table was too busy."""

    def __init__(self, client: "DynamoDBClient", table: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self.table = table
        self._pause = pause

    def part(self, kind: "type[Part]") -> "Part":
        """A part of the same table that few functions need, and so is not put together with the others."""
        return kind(self._client, self.table, self._pause)

    def _write(self, operation: str, **request: Any) -> Any:
        """Write one item; every single write goes through here. Unmet if its condition does not hold; Unfit if the item
        is too large; Conflict if other writes kept changing the same item."""
        for attempt in range(TRIES):
            try:
                return getattr(self._client, operation)(TableName=self.table, **request)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == f"{_UNMET}Exception":
                    found: Any = error.response.get("Item", {})
                    raise Unmet("condition_unmet", found=(found,)) from None
                if _is_unfit(error):
                    raise Unfit("item_too_large") from error
                if code not in _BUSY:
                    raise
            self._pause(jitter(attempt))
        raise Conflict("items_busy")

    def _transact(self, writes: Sequence[Any]) -> None:
        """Write several items, all or none; every transaction goes through here. Unmet, with the places of the writes
        whose condition does not hold; Unfit if one of them is too large; Conflict if other writes changed one of
        the items."""
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
            if _UNFIT_REASON in reasons:
                raise Unfit("item_too_large") from error
            if not set(reasons) <= {*_BUSY_REASONS, _UNMET, "None"}:
                raise
            unmet = tuple(place for place, reason in enumerate(reasons) if reason == _UNMET)
            if unmet:
                found: Any = tuple(error.response["CancellationReasons"][place].get("Item", {}) for place in unmet)
                raise Unmet("condition_unmet", unmet, found) from None
            raise Conflict("items_busy") from None
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if _is_unfit(error):
                raise Unfit("item_too_large") from error
            if code in _BUSY:
                raise Conflict("items_busy") from None
            raise

    def _batch_get(self, keys: Sequence[str], *, may_lag: bool = False) -> Iterator[dict[str, Any]]:
        """The items with these keys, in any order, each once, without those that do not exist. A read that may lag
        costs half, and may miss what was written in the last second. Conflict if the table is too busy to read them
        all."""
        keys = list(dict.fromkeys(keys))  # DynamoDB refuses a request that names one twice
        for start in range(0, len(keys), 100):
            hundred = [{"pk": {"S": key}} for key in keys[start : start + 100]]
            wanted: Any = {self.table: {"Keys": hundred, "ConsistentRead": not may_lag}}
            for attempt in range(TRIES):
                answer = self._client.batch_get_item(RequestItems=wanted)
                yield from map(from_wire, answer["Responses"].get(self.table, []))
                wanted = answer.get("UnprocessedKeys")
                if not wanted:
                    break
                self._pause(jitter(attempt))  # who asks a throttled table at once keeps it busy
            else:
                raise Conflict("items_busy")

    def _update_if(self, key: dict[str, Any], update: str, condition: str, values: Mapping[str, Any]) -> bool:
        """Update an item on a condition; returns whether the condition held."""
        try:
            self._write(
                "update_item",
                Key=key,
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_wire(values),
            )
        except Unmet:
            return False
        return True

    def _put_latest(self, key: dict[str, Any], name: str, at: datetime, expires: datetime) -> Mapping[str, Any]:
        """Store a moment, unless a later one is there; returns the whole item as it is now."""
        try:
            written: Mapping[str, Any] = self._write(
                "update_item",
                Key=key,
                UpdateExpression="SET #name = :at, expires = :expires",
                ConditionExpression="attribute_not_exists(#name) OR #name < :at",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={
                    ":at": {"S": moment_text(at)},
                    ":expires": {"N": str(int(expires.timestamp()))},
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )["Attributes"]
        except Unmet as error:
            return error.found[0]
        return written


def due_keys(name: str, due: datetime) -> dict[str, str]:
    """The keys of the index of what is due."""
    return {"due_shard": str(zlib.crc32(name.encode()) % DUE_SHARDS), "due_at": moment_text(due)}


def _is_unfit(error: ClientError) -> bool:
    """True if DynamoDB refuses what an item holds, and not the name of the table."""
    answer = error.response["Error"]
    return answer["Code"] == _UNFIT and "tablename" not in answer.get("Message", "").lower()


def customer_digest(email: str) -> str:
    return hashlib.sha256(email.casefold().encode()).hexdigest()


def reference_key(number: str) -> str:
    """The key of another program's number of an order, which a bookkeeper may have typed: no key may show an address or
    a code."""
    return f"REFERENCE#{hashlib.sha256(number.encode()).hexdigest()}"


def order_ids(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """Of orders, and of what is kept beside them."""
    return [item["pk"]["S"].partition("#")[2] for item in items]


def to_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _written(value) for name, value in item.items() if value is not None}


def from_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _read(value) for name, value in item.items()}


def _written(value: Any) -> Any:
    """The value with DynamoDB's names of its types. Most of what is stored is text, which boto3's serializer takes for
    eight other types first; so only what is rare is left to it."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, dict):
        return {"M": {name: _written(each) for name, each in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [_written(each) for each in value]}
    return _serializer.serialize(value)


def _read(value: Any) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return content
        case "M":
            return {name: _read(each) for name, each in content.items()}
        case "L":
            return [_read(each) for each in content]
    return _deserializer.deserialize(value)


def moment_text(moment: datetime) -> str:
    """A moment as text that sorts as time does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def months(first: str, last: str) -> Iterator[str]:
    """The months that these texts begin with, and those between them, as 2026-11: the newest first."""
    oldest, newest = (int(text[:4]) * 12 + int(text[5:7]) - 1 for text in (first, last))
    for number in range(newest, oldest - 1, -1):
        yield f"{number // 12:04}-{number % 12 + 1:02}"


def jitter(attempt: int) -> float:
    return random.uniform(0, min(0.5, 0.01 * 2**attempt))  # noqa: S311 - spreads load, guards nothing


_serializer = TypeSerializer()
_deserializer = TypeDeserializer()
