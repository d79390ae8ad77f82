"""What a call of AWS costs by DynamoDB's rules, computed from the sizes of the items before and after it: MiniStack's
own figures of capacity depend on neither."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from tests.simulator.aws_here import Answer, AwsCall, ask_dynamodb, emulated

_WRITE_UNIT, _READ_UNIT = 1024, 4096  # bytes
_WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of AWS. `about` names items by the kinds of their keys, an index by its name, never an id."""

    service: str  # as botocore names it: dynamodb, sqs, sesv2, secrets-manager
    operation: str
    about: str = ""
    read: str = ""  # consistent, or eventual as an index always is
    writes: float = 0  # write units of the table
    index_writes: Mapping[str, float] = field(default_factory=dict)  # and of each index
    reads: float = 0  # read units
    requests: int = 0  # of SQS
    is_refused: bool = False

    @property
    def name(self) -> str:
        return f"{self.operation} {self.about}".strip()


@dataclass(frozen=True, slots=True)
class Index:
    keys: tuple[str, ...]  # its own and those of the table
    projected: tuple[str, ...]


def indexes(table: Mapping[str, Any]) -> dict[str, Index]:
    """Those of a table as template.yaml describes it."""
    own = tuple(key["AttributeName"] for key in table["KeySchema"])
    return {
        each["IndexName"]: Index(
            (*(key["AttributeName"] for key in each["KeySchema"]), *own),
            tuple(each["Projection"].get("NonKeyAttributes", ())),
        )
        for each in table["GlobalSecondaryIndexes"]
    }


def made(call: AwsCall, of_table: Mapping[str, Index]) -> tuple[Answer, Call]:
    """Have the emulator answer a call of DynamoDB, and what it costs."""
    if call.operation in _WRITES or call.operation == "TransactWriteItems":
        return _written(call, of_table)
    answer = emulated(call)
    body = json.loads(answer[2])
    match call.operation:
        case "GetItem":
            return answer, _got(call, [body.get("Item")], [call.body["Key"]], call.body.get("ConsistentRead", False))
        case "BatchGetItem":
            ((table, asked),) = call.body["RequestItems"].items()
            found = {item["pk"]["S"]: item for item in body["Responses"].get(table, [])}
            items = [found.get(key["pk"]["S"]) for key in asked["Keys"]]
            return answer, _got(call, items, asked["Keys"], asked.get("ConsistentRead", False))
        case "Query":
            return answer, _queried(call, of_table)
    raise AssertionError(f"nobody has said here what {call.operation} costs")


def size(item: Item) -> int:
    """Of an item in the SDK's form, in bytes."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(str(content).encode())
        case "N":
            digits = str(content).replace(".", "").strip("-0")
            return (len(digits) + 1) // 2 + 1 + int(content < "0")
        case "L":
            return 3 + sum(1 + _size(each) for each in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(each) for name, each in content.items())
        case "SS":
            return sum(len(each.encode()) for each in content)
    return 1  # BOOL and NULL


def _units(bytes_: int, unit: int) -> int:
    return max(1, ceil(bytes_ / unit))


def _got(call: AwsCall, items: Iterable[Item | None], keys: Iterable[Item], consistent: bool) -> Call:
    reads = sum(_units(size(item) if item else 0, _READ_UNIT) for item in items) * (1 if consistent else 0.5)
    read = "consistent" if consistent else "eventual"
    return Call(call.service, call.operation, _kinds(keys), read, reads=reads)


def _kinds(keys: Iterable[Item]) -> str:
    """The kinds of these keys: `2 PRODUCT, PAUSE`."""
    counted = Counter(kind_of(key["pk"]["S"]) for key in keys)
    return ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in sorted(counted.items()))


def kind_of(key: str) -> str:
    return "TIMELINE" if "/TIMELINE#" in key else key.partition("#")[0]


def _queried(call: AwsCall, of_table: Mapping[str, Index]) -> Call:
    """DynamoDB charges what it looks at, also where it answers with a number or leaves entries out."""
    asked = {name: value for name, value in call.body.items() if name not in ("Select", "FilterExpression")}
    left = {name for name in asked.get("ExpressionAttributeValues", {}) if name.startswith(":word")}
    asked["ExpressionAttributeValues"] = {
        name: value for name, value in asked.get("ExpressionAttributeValues", {}).items() if name not in left
    }
    items = ask_dynamodb("Query", **asked)["Items"]
    name = call.body["IndexName"]
    kept = {*of_table[name].keys, *of_table[name].projected}
    total = sum(size({field: value for field, value in item.items() if field in kept}) for item in items)
    line = (
        " of a product" if asked["ExpressionAttributeValues"].get(":attention", {}).get("S", "")[:6] == "stock#" else ""
    )
    about = f"index {name}{line}, {len(items)} {'entry' if len(items) == 1 else 'entries'}"
    return Call(call.service, call.operation, about, "eventual", reads=_units(total, _READ_UNIT) / 2)


def _written(call: AwsCall, of_table: Mapping[str, Index]) -> tuple[Answer, Call]:
    writes = list(_writes(call))
    before = [_stored(table, key) for _, table, key in writes]
    answer = emulated(call)
    after = [_stored(table, key) for _, table, key in writes]
    times = 2 if call.operation == "TransactWriteItems" else 1
    sizes = (max(size(old or {}), size(new or {})) for old, new in zip(before, after, strict=True))
    indexed: Counter[str] = Counter()
    for old, new in zip(before, after, strict=True):
        for name, index in of_table.items():
            indexed[name] += _index_units(old, new, index)
    about = ", ".join(_whats(writes))
    return answer, Call(
        call.service,
        call.operation,
        about,
        writes=times * sum(_units(each, _WRITE_UNIT) for each in sizes),
        index_writes={name: count for name, count in indexed.items() if count},
        is_refused=answer[0] != 200,
    )


def _writes(call: AwsCall) -> Iterator[tuple[str, str, Item]]:
    """Of each write what it does, its table and its key."""
    each_one: Any = call.body.get("TransactItems") or [{_WRITES[call.operation]: call.body}]
    for one in each_one:
        ((verb, write),) = one.items()
        yield verb, write["TableName"], write.get("Key") or {"pk": write["Item"]["pk"]}


def _whats(writes: Iterable[tuple[str, str, Item]]) -> Iterator[str]:
    counted = Counter(kind_of(key["pk"]["S"]) for _, _, key in writes)
    return (f"{count} {kind}" if count > 1 else kind for kind, count in counted.items())


def _stored(table: str, key: Item) -> Item | None:
    return ask_dynamodb("GetItem", TableName=table, Key=key, ConsistentRead=True).get("Item")


def _index_units(before: Item | None, after: Item | None, index: Index) -> int:
    """An entry that comes or goes is a write, one whose keys change is two, and one that stays as it is none."""
    old, new = _entry(before, index), _entry(after, index)
    if old == new:
        return 0
    if old and new and all(old[key] == new[key] for key in index.keys):
        return _units(max(size(old), size(new)), _WRITE_UNIT)
    return sum(_units(size(entry), _WRITE_UNIT) for entry in (old, new) if entry)


def _entry(item: Item | None, index: Index) -> Item | None:
    if item is None or not all(key in item for key in index.keys):
        return None
    return {name: item[name] for name in (*index.keys, *index.projected) if name in item}
