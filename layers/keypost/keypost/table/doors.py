"""The doors: by provider, the last call with a genuine signature and the longest gaps between calls."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from keypost.core.doors import Door, Gap, heard
from keypost.table.items import Table, moment_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SECOND = timedelta(seconds=1)


class Doors(Table):
    def __init__(self, client: "DynamoDBClient", table: str, pause: Callable[[float], None] = time.sleep) -> None:
        super().__init__(client, table, pause)
        self._heard: dict[str, datetime] = {}  # by provider, the hour that is known to be written down

    def hear(self, provider: str, now: datetime) -> None:
        """Write down that a provider called with a genuine signature. In each hour that is one write for a door, and
        one read for an execution environment."""
        hour = _hour(now)
        if self._heard.get(provider) == hour:
            return
        door = next(self.doors([provider]), None)
        if door is None or _hour(door.last) < hour:
            self._put(door, heard(door, provider, now))
        self._heard[provider] = hour

    def was_heard(self, provider: str) -> bool:
        """Whether a provider ever called with a genuine signature: once it did, that is known without asking."""
        if provider not in self._heard and next(self.doors([provider]), None) is None:
            return False
        self._heard.setdefault(provider, datetime.min.replace(tzinfo=UTC))
        return True

    def doors(self, providers: Iterable[str]) -> Iterator[Door]:
        """The doors of these providers that were ever called, in any order."""
        return map(_door, self._batch_get([f"DOOR#{provider}" for provider in providers]))

    def _put(self, before: Door | None, after: Door) -> None:
        """If another function was faster, its call stands for this one."""
        values: dict[str, Any] = {
            ":first": moment_text(after.first),
            ":last": moment_text(after.last),
            ":gaps": [{"until": moment_text(gap.until), "seconds": gap.length // _SECOND} for gap in after.gaps],
        }
        self._update_if(
            {"pk": {"S": f"DOOR#{after.provider}"}},
            "SET first_call = :first, last_call = :last, gaps = :gaps",
            "last_call = :before" if before else "attribute_not_exists(last_call)",
            values | ({":before": moment_text(before.last)} if before else {}),
        )


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _door(item: dict[str, Any]) -> Door:
    gaps = (Gap(datetime.fromisoformat(gap["until"]), int(gap["seconds"]) * _SECOND) for gap in item["gaps"])
    first, last = (datetime.fromisoformat(item[name]) for name in ("first_call", "last_call"))
    return Door(item["pk"].removeprefix("DOOR#"), first, last, tuple(gaps))
