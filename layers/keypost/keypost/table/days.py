"""Which orders had something happen on a day: a mail tried or one that came back, or, more than an hour from the
order's creation, money that came or went back. An order is one entry of one of a day's items. It is written before the
order itself, so it may be there although nothing happened, which the order tells."""

import zlib
from datetime import UTC, date, datetime, timedelta

from keypost.table.created import Place
from keypost.table.items import Table, moment_text

KEPT = timedelta(days=800)  # a bookkeeper closes a year in the one after it
SOON = timedelta(hours=1)  # after its creation: the index of all orders finds it then
_SHARDS = 64  # of a day: with 10,000 orders, an entry is a write of 8 kB at most
_ENTRY = "order "  # before an order's id, as the name of its attribute


class Days(Table):
    def mark_mail(self, order_id: str, day: date, at: datetime) -> None:
        """List an order among those with a mail on this day in the shop's zone. Its first moment counts, so that it
        keeps its place."""
        self._mark(f"MAILS#{day.isoformat()}", order_id, at)

    def mark_money(self, order_id: str, at: datetime) -> None:
        """List an order among those to which money came, or from which it went back, on the day of a moment in UTC."""
        self._mark(f"MONEY#{moment_text(at)[:10]}", order_id, at)

    def with_mail_on(self, day: date) -> list[Place]:
        """The orders with a mail on a day and the first moment of each, the newest first."""
        return self._marked(f"MAILS#{day.isoformat()}")

    def with_money_between(self, since: datetime, until: datetime) -> list[Place]:
        """The orders with money on the days (UTC) from one moment to another, both included."""
        days = (until.astimezone(UTC).date() - since.astimezone(UTC).date()).days
        found = [since.astimezone(UTC).date() + timedelta(days=n) for n in range(days + 1)]
        return [place for day in found for place in self._marked(f"MONEY#{day.isoformat()}")]

    def _mark(self, list_: str, order_id: str, at: datetime) -> None:
        self._write(
            "update_item",
            Key={"pk": {"S": f"{list_}#{zlib.crc32(order_id.encode()) % _SHARDS}"}},
            UpdateExpression="SET #order = if_not_exists(#order, :at), expires = :expires",
            ExpressionAttributeNames={"#order": f"{_ENTRY}{order_id}"},
            ExpressionAttributeValues={
                ":at": {"S": moment_text(at)},
                ":expires": {"N": str(int((at + KEPT).timestamp()))},
            },
        )

    def _marked(self, list_: str) -> list[Place]:
        items = self._batch_get([f"{list_}#{shard}" for shard in range(_SHARDS)])
        entries = (entry for item in items for entry in item.items() if entry[0].startswith(_ENTRY))
        found = [Place(at, name.removeprefix(_ENTRY)) for name, at in entries]
        return sorted(found, key=lambda place: (place.at, place.order_id), reverse=True)
