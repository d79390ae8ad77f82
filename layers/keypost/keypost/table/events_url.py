"""Whether the shop's URL for events has said that it is gone for good (410), so that it is not called any more."""

import hashlib
from datetime import datetime

from keypost.table.items import Table, moment_text

_KEY = {"pk": {"S": "EVENTSURL"}}


class EventsUrl(Table):
    def is_gone(self, url: str) -> bool:
        """Another URL is not: a new one is called at once."""
        item = self._client.get_item(TableName=self.table, Key=_KEY, ConsistentRead=True).get("Item", {})
        return item.get("gone", {}).get("S") == _digest(url)

    def put_gone(self, url: str, now: datetime) -> None:
        self._write(
            "update_item",
            Key=_KEY,
            UpdateExpression="SET gone = :url, since = :now",
            ExpressionAttributeValues={":url": {"S": _digest(url)}, ":now": {"S": moment_text(now)}},
        )

    def forget_gone(self) -> None:
        """Have the URL called again."""
        self._write("update_item", Key=_KEY, UpdateExpression="REMOVE gone, since")


def _digest(url: str) -> str:
    """A URL may have a secret in it."""
    return hashlib.sha256(url.encode()).hexdigest()
