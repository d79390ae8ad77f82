"""Marks of the schedules and the worker: how far a run came, which invocation writes the daily note, until when SES
refuses all mail."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from keypost.core.mail import Fate
from keypost.table.created import Place
from keypost.table.items import Table, due_keys, moment_text
from keypost.table.schedule import CODES_CAME

_CODES_SETTLE = timedelta(minutes=10)  # longer than an import by the support API or a look at an order takes
_NOTE_LEASE = timedelta(minutes=10)  # longer than the time-out of the function
_SMOKE_KEPT = timedelta(days=1)
_NOTED_KEPT = timedelta(days=400)
_NOTED = {"pk": {"S": "NOTED"}}
PAUSE = {"pk": {"S": "PAUSE"}}
_FORGETTING = {"pk": {"S": "FORGETTING"}}


class Marks(Table):
    def reconciled(self, api: str, now: datetime) -> datetime:
        """The moment up to which a provider was last asked for its payments with success; now, if it never was, so that
        runs that fail from the first one on do not move it."""
        answer = self._write(
            "update_item",
            Key={"pk": {"S": f"RECONCILED#{api}"}},
            UpdateExpression="SET done_until = if_not_exists(done_until, :now)",
            ExpressionAttributeValues={":now": {"S": moment_text(now)}},
            ReturnValues="ALL_NEW",
        )["Attributes"]
        return datetime.fromisoformat(answer["done_until"]["S"])

    def put_reconciled(self, api: str, until: datetime) -> None:
        self._write(
            "update_item",
            Key={"pk": {"S": f"RECONCILED#{api}"}},
            UpdateExpression="SET done_until = :until",
            ExpressionAttributeValues={":until": {"S": moment_text(until)}},
        )

    def mark_codes_came(self, sku: str, now: datetime) -> None:
        """Have the orders that wait for codes of a product looked at again, at once and by the next run of the
        schedules. The mark is due like an order, so that nobody asks for it while no codes came."""
        due = due_keys(f"{CODES_CAME}{sku}", now)
        self._write(
            "update_item",
            Key={"pk": {"S": f"{CODES_CAME}{sku}"}},
            UpdateExpression="SET due_shard = :shard, due_at = :now",
            ExpressionAttributeValues={":shard": {"S": due["due_shard"]}, ":now": {"S": due["due_at"]}},
        )

    def end_codes_came(self, sku: str, now: datetime) -> None:
        """Take the mark away, unless codes came so short a time ago that somebody who looked before them may not be in
        line yet."""
        self._update_if(
            {"pk": {"S": f"{CODES_CAME}{sku}"}},
            "REMOVE due_shard, due_at",
            "due_at <= :old",
            {":old": moment_text(now - _CODES_SETTLE)},
        )

    def forgetting(self, today: date) -> tuple[Place | None, int]:
        """Behind which order the forgetting of customers goes on, and how many orders it looked at today."""
        item = self._client.get_item(TableName=self.table, Key=_FORGETTING, ConsistentRead=True).get("Item", {})
        place = Place(item["place_at"]["S"], item["order_id"]["S"]) if "place_at" in item else None
        is_today = item.get("day", {}).get("S") == today.isoformat()
        return place, int(item["looked"]["N"]) if is_today else 0

    def put_forgetting(self, today: date, place: Place | None, looked: int) -> None:
        item = {"day": {"S": today.isoformat()}, "looked": {"N": str(looked)}}
        at = {"place_at": {"S": place.at}, "order_id": {"S": place.order_id}} if place else {}
        self._write("put_item", Item=_FORGETTING | item | at)

    def count_forgotten(self, now: datetime, count: int) -> None:
        """Count customers who were forgotten, for the daily note."""
        self._write(
            "update_item",
            Key={"pk": {"S": f"FORGOTTEN#{moment_text(now)[:10]}"}},
            UpdateExpression="SET expires = :expires ADD #at :count",
            ExpressionAttributeNames={"#at": moment_text(now)},
            ExpressionAttributeValues={
                ":count": {"N": str(count)},
                ":expires": {"N": str(int((now + _NOTED_KEPT).timestamp()))},
            },
        )

    def forgotten(self, since: datetime, until: datetime) -> int:
        """How many customers were forgotten after one moment and up to another."""
        days = [moment_text(since + timedelta(days=n))[:10] for n in range((until - since).days + 2)]
        first, last = moment_text(since), moment_text(until)
        found = self._batch_get([f"FORGOTTEN#{day}" for day in days])
        return int(sum(count for item in found for at, count in item.items() if first < at <= last))

    def begin_note(self, day: date, now: datetime) -> bool:
        """Claim the daily note of a day for one attempt; False if it was sent, or if another invocation has it."""
        return self._update_if(
            _note(day),
            "SET taken_until = :until, taken_by = :me",
            "attribute_not_exists(done)"
            " AND (attribute_not_exists(taken_until) OR taken_until < :now OR taken_by = :me)",  # the SDK may repeat it
            {":until": moment_text(now + _NOTE_LEASE), ":now": moment_text(now), ":me": secrets.token_hex(8)},
        )

    def noted_until(self, now: datetime) -> datetime:
        """Up to when the last daily note looked at the inbox; a day ago, if there was none."""
        item = self._client.get_item(TableName=self.table, Key=_NOTED).get("Item", {})
        return datetime.fromisoformat(item["until_then"]["S"]) if item else now - timedelta(days=1)

    def end_note(self, day: date, now: datetime) -> None:
        self._put_latest(_NOTED, "until_then", now, now + _NOTED_KEPT)
        self._write(
            "update_item",
            Key=_note(day),
            UpdateExpression="SET done = :done",
            ExpressionAttributeValues={":done": {"BOOL": True}},
        )

    def give_up_note(self, day: date) -> None:
        """Release the daily note, so that the next run tries again."""
        self._write("update_item", Key=_note(day), UpdateExpression="REMOVE taken_until")

    def pause_mail(self, until: datetime) -> None:
        """Store until when nobody asks SES again, because it refuses all mail of the account."""
        self._put_latest(PAUSE, "until_then", until, until)

    def put_smoke(self, mail_id: str, fate: Fate, now: datetime) -> None:
        """Store what SES reported of a mail of a smoke test, for the command that waits for it."""
        self._write(
            "update_item",
            Key={"pk": {"S": f"SMOKE#{mail_id}"}},
            UpdateExpression="SET expires = :expires ADD fates :fate",
            ExpressionAttributeValues={
                ":fate": {"SS": [fate]},
                ":expires": {"N": str(int((now + _SMOKE_KEPT).timestamp()))},
            },
        )

    def smoke(self, mail_ids: Sequence[str]) -> dict[str, set[Fate]]:
        """What SES has reported of these mails."""
        found = self._batch_get([f"SMOKE#{mail_id}" for mail_id in mail_ids])
        return {item["pk"].removeprefix("SMOKE#"): {Fate(fate) for fate in item["fates"]} for item in found}


def _note(day: date) -> dict[str, Any]:
    return {"pk": {"S": f"NOTE#{day.isoformat()}"}}
