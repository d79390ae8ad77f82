"""Which orders had a mail tried, or one come back, on a day. An order is one entry of one of a day's items, written
beside the mail itself: it may be there although nothing left, which the order tells."""

import zlib
from datetime import date, datetime, timedelta

from keypost.table.created import Place
from keypost.table.items import Table, moment_text

KEPT = timedelta(days=60)
_SHARDS = 64  # of a day: with 10,000 mails, an entry is a write of 5 kB at most
_ENTRY = "order "  # before an order's id, as the name of its attribute


class Mailed(Table):
    def mark_mailed(self, order_id: str, day: date, now: datetime) -> None:
        """The first moment of a day counts, so that an order keeps its place in the list."""
        self._write(
            "update_item",
            Key={"pk": {"S": _key(day, zlib.crc32(order_id.encode()) % _SHARDS)}},
            UpdateExpression="SET #order = if_not_exists(#order, :now), expires = :expires",
            ExpressionAttributeNames={"#order": f"{_ENTRY}{order_id}"},
            ExpressionAttributeValues={
                ":now": {"S": moment_text(now)},
                ":expires": {"N": str(int((now + KEPT).timestamp()))},
            },
        )

    def mailed(self, day: date) -> list[Place]:
        """The orders of a day and the moment of each, the newest first. Nothing is kept for more than 60 days."""
        items = self._batch_get([_key(day, shard) for shard in range(_SHARDS)])
        entries = (entry for item in items for entry in item.items() if entry[0].startswith(_ENTRY))
        found = [Place(at, name.removeprefix(_ENTRY)) for name, at in entries]
        return sorted(found, key=lambda place: (place.at, place.order_id), reverse=True)


def _key(day: date, shard: int) -> str:
    return f"MAILED#{day.isoformat()}#{shard}"
