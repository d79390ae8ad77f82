"""Cuts botocore's data to what the functions call: the recipe of the layer calls this with the folder of the data. It
describes 440 services, and a function would read all operations of a service, and their documentation, before its first
call. All regions and partitions stay, so that a stack can be deployed wherever AWS has the services."""

import gzip
import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# A test compares these with what the code calls.
OPERATIONS = {
    "dynamodb": (
        "BatchGetItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "TransactWriteItems",
        "UpdateItem",
    ),
    "events": ("PutEvents",),
    "secretsmanager": ("GetSecretValue",),
    "sesv2": ("DeleteSuppressedDestination", "GetAccount", "GetSuppressedDestination", "SendEmail"),
    "sqs": ("ChangeMessageVisibility", "SendMessage", "SendMessageBatch"),
}
_DESCRIBED_BY = ("service-2", "paginators-1", "endpoint-rule-set-1")
_PROSE = ("documentation", "documentationUrl")
_ENDPOINTS = {"email" if service == "sesv2" else service for service in OPERATIONS}  # as endpoints.json calls them


def cut(data: Path) -> None:
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in OPERATIONS:
            shutil.rmtree(folder)
    for service, operations in OPERATIONS.items():
        for version in (data / service).iterdir():
            if (version / "service-2.json.gz").exists():
                _cut_service(version, operations)
            else:  # an API that the service had before
                shutil.rmtree(version)
    endpoints = data / "endpoints.json"
    _write(endpoints, endpoints_of(json.loads(endpoints.read_bytes())))


def _cut_service(folder: Path, operations: Iterable[str]) -> None:
    kept = {name: _read(file) for name in _DESCRIBED_BY for file in folder.glob(f"{name}.json*")}
    for file in folder.iterdir():
        file.unlink()
    kept["service-2"] = service_of(kept["service-2"], operations)
    if "paginators-1" in kept:
        pages = kept["paginators-1"]["pagination"]
        kept["paginators-1"] = {"pagination": {name: pages[name] for name in operations if name in pages}}
    for name, content in kept.items():
        _write(folder / f"{name}.json", content)


def service_of(model: Mapping[str, Any], operations: Iterable[str]) -> dict[str, Any]:
    """The description of a service with these operations and the shapes that they need, without prose."""
    kept = {name: _without_prose(model["operations"][name]) for name in operations}
    shapes = {name: _without_prose(model["shapes"][name]) for name in sorted(_needed(kept, model["shapes"]))}
    return {**_without_prose(model), "operations": kept, "shapes": shapes}


def endpoints_of(endpoints: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoints of the services, in all regions of all partitions."""
    partitions = [
        partition | {"services": {name: each for name, each in partition["services"].items() if name in _ENDPOINTS}}
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _needed(operations: Any, shapes: Mapping[str, Any]) -> set[str]:
    """The names of all shapes that operations lead to."""
    found: set[str] = set()
    new = _named(operations)
    while new:
        found |= new
        new = {name for shape in new for name in _named(shapes[shape])} - found
    return found


def _named(part: Any) -> set[str]:
    """The shapes that a part of a description names."""
    if isinstance(part, list):
        return set().union(*map(_named, part))
    if not isinstance(part, dict):
        return set()
    own = {part["shape"]} if isinstance(part.get("shape"), str) else set()
    return own.union(*map(_named, part.values()))


def _without_prose(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_prose(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {name: _without_prose(each) for name, each in part.items() if not _is_prose(name, each)}


def _is_prose(name: str, value: Any) -> bool:
    """A member of a shape may be called documentation too: that is not text."""
    return name in _PROSE and isinstance(value, str)


def _read(file: Path) -> Any:
    raw = file.read_bytes()
    return json.loads(gzip.decompress(raw) if file.suffix == ".gz" else raw)


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")), "utf-8")


if __name__ == "__main__":
    cut(Path(sys.argv[1]))
