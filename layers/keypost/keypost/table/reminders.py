"""Which customers get no reminders, and the link in each reminder by which its customer stops them: a random text, by
which nobody can tell whose it is."""

import re
import secrets
import time
from contextlib import suppress
from datetime import datetime
from typing import Any

from keypost.core.errors import Unmet
from keypost.core.order import Unreminded
from keypost.table.items import Table, customer_digest, moment_text

_LINK = re.compile(r"[A-Za-z0-9_-]{22}")  # 16 random bytes


class Reminders(Table):
    def stop_reminders(self, address: str, at: datetime, who: str) -> None:
        """Send no reminders to this customer any more, whatever they buy. The first one who said so stays; what was
        said before reminders were wanted again changes nothing."""
        self.stop_reminders_of(customer_digest(address), at, who)

    def stop_reminders_of(self, whose: str, at: datetime, who: str) -> None:
        """The same by the digest of an address, which is all that a link leads to."""
        with suppress(Unmet):  # they are stopped already, or were wanted again since
            self._write(
                "update_item",
                Key=_reminders(whose),
                UpdateExpression="SET stopped_at = :at, stopped_by = :who REMOVE expires",
                ConditionExpression=(
                    "attribute_not_exists(stopped_at) AND (attribute_not_exists(resumed_at) OR resumed_at <= :at)"
                ),
                ExpressionAttributeValues={":at": {"S": moment_text(at)}, ":who": {"S": who}},
            )

    def resume_reminders(self, address: str, at: datetime) -> None:
        self.resume_reminders_of(customer_digest(address), at)

    def resume_reminders_of(self, whose: str, at: datetime) -> None:
        """Nothing happens if they were not stopped."""
        with suppress(Unmet):
            self._write(
                "update_item",
                Key=_reminders(whose),
                UpdateExpression="SET resumed_at = :at REMOVE stopped_at, stopped_by",
                ConditionExpression="attribute_exists(stopped_at)",
                ExpressionAttributeValues={":at": {"S": moment_text(at)}},
            )

    def unreminded(self, address: str) -> Unreminded | None:
        """Who stopped the reminders of this customer, and when; None if they are sent."""
        return self.unreminded_of(customer_digest(address))

    def unreminded_of(self, whose: str) -> Unreminded | None:
        return _stopped(self._reminders_of(whose))

    def way_out(self, address: str) -> str:
        """The last part of the link by which this customer stops reminders. It is made before the first reminder, and
        works until the customer is erased."""
        whose = customer_digest(address)
        while "link" not in (item := self._reminders_of(whose)):
            link = secrets.token_urlsafe(16)
            with suppress(Unmet):  # another worker has just made one
                self._transact([self._set_link(whose, link), self._lead(link, whose)])
        return str(item["link"]["S"])

    def _set_link(self, whose: str, link: str) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.table,
                "Key": _reminders(whose),
                "UpdateExpression": "SET link = :link REMOVE expires",
                "ConditionExpression": "attribute_not_exists(link)",
                "ExpressionAttributeValues": {":link": {"S": link}},
            }
        }

    def _lead(self, link: str, whose: str) -> dict[str, Any]:
        return {"Put": {"TableName": self.table, "Item": _link(link) | {"whose": {"S": whose}}}}

    def whose_link(self, link: str) -> str | None:
        """The digest of the address to which the reminder with this link went; None if there is no such link."""
        if not _LINK.fullmatch(link):
            return None
        item = self._client.get_item(TableName=self.table, Key=_link(link), ConsistentRead=True).get("Item", {})
        return item["whose"]["S"] if "whose" in item else None

    def forget_reminders(self, address: str) -> None:
        """Remove what is kept of this customer, with the link, which leads nowhere from then on."""
        whose = customer_digest(address)
        item = self._reminders_of(whose)
        if "link" in item:
            self._expire(_link(item["link"]["S"]), "whose")
        self._expire(_reminders(whose), "link, stopped_at, stopped_by, resumed_at")

    def _reminders_of(self, whose: str) -> dict[str, Any]:
        found = self._client.get_item(TableName=self.table, Key=_reminders(whose), ConsistentRead=True)
        return dict(found.get("Item", {}))

    def _expire(self, key: dict[str, Any], names: str) -> None:
        with suppress(Unmet):  # nothing was stored
            self._write(
                "update_item",
                Key=key,
                UpdateExpression=f"SET expires = :now REMOVE {names}",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
            )


def _stopped(item: dict[str, Any]) -> Unreminded | None:
    if "stopped_at" not in item:
        return None
    return Unreminded(datetime.fromisoformat(item["stopped_at"]["S"]), item["stopped_by"]["S"])


def _reminders(whose: str) -> dict[str, Any]:
    return {"pk": {"S": f"REMINDERS#{whose}"}}


def _link(link: str) -> dict[str, Any]:
    return {"pk": {"S": f"WAYOUT#{link}"}}
