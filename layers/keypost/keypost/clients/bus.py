"""The only module that calls EventBridge: the bus of the stack, on which events leave. An event may be put twice, with
the same id."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keypost.core.errors import BusUnavailable

SOURCE = "keypost"
_AT_ONCE = 10  # events in a request


class Bus:
    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def put_all(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Put events, as programs get them, in their order. BusUnavailable if EventBridge did not accept them all."""
        for start in range(0, len(events), _AT_ONCE):
            entries = [
                {
                    "EventBusName": self._name,
                    "Source": SOURCE,
                    "DetailType": event["type"],
                    "Time": datetime.fromisoformat(event["timestamp"]),
                    "Detail": json.dumps(event),
                }
                for event in events[start : start + _AT_ONCE]
            ]
            try:
                refused = self._client.put_events(Entries=entries)["FailedEntryCount"]
            except (ClientError, BotoCoreError) as error:
                raise BusUnavailable("bus_refused", error=type(error).__name__) from None
            if refused:
                raise BusUnavailable("bus_refused_some", refused=refused, count=len(entries))
