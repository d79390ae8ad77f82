"""Requests of customers on their page (wishes), and how often they ask."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from keypost.core.wish import Ask, Wish
from keypost.table.items import Table, customer_digest, from_wire, moment_text, to_wire

_WISH_SECONDS = 24 * 3600  # how long requests and counts are kept
_SAME_ROUND = timedelta(minutes=5)  # two requests within this time count as one


class Wishes(Table):
    def count_try(self, source: str, most: int, now: datetime) -> bool:
        """Count a try of this hour from a network; False if it has reached the limit."""
        hour = hashlib.sha256(f"{source} {now:%Y-%m-%dT%H}".encode()).hexdigest()
        return self._update_if(
            {"pk": {"S": f"TRIES#{hour}"}},
            "SET expires = :expires ADD tries :one",
            "attribute_not_exists(tries) OR tries < :most",
            {":one": 1, ":most": most, ":expires": _wish_expires(now)},
        )

    def put_wish(self, email: str, now: datetime, ask: Ask = Ask.RESEND, source: str = "") -> str:
        """Store the request of a customer, if it is one; returns the id of the request. The work is the same for every
        address, and only the digests of the address and of the network are stored."""
        whose = customer_digest(email)
        asker = hashlib.sha256(f"{source} {whose}".encode()).hexdigest()[:16]
        wish = Wish(secrets.token_hex(16), whose, now, ask, asker)
        self._write("put_item", Item=to_wire(_item(wish) | {"expires": _wish_expires(now)}))
        return wish.id

    def wish(self, wish_id: str) -> Wish | None:
        key = {"pk": {"S": f"WISH#{wish_id}"}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return _wish(from_wire(item)) if item else None

    def begin_round(self, wish: Wish, day: date, most: int, most_of_asker: int) -> bool:
        """Count a request among those of its kind, customer and day, and among those of its network of these. False if
        there were too many, or one just before. The same request counts once, and is True again."""
        name = f"{wish.whose}#{day}" if wish.ask is Ask.RESEND else f"{wish.whose}#{day}#{wish.ask}"
        of_asker = f"of_{wish.asker}"  # sixteen hexadecimal digits, or nothing
        return self._update_if(
            {"pk": {"S": f"ROUNDS#{name}"}},
            f"SET expires = :expires, last_at = :now ADD wishes :wish, {of_asker} :wish",
            "attribute_not_exists(pk) OR contains(wishes, :id) OR (size(wishes) < :most AND last_at < :recently"
            f" AND (attribute_not_exists({of_asker}) OR size({of_asker}) < :most_of_asker))",
            {
                ":wish": {wish.id},
                ":id": wish.id,
                ":most": most,
                ":most_of_asker": most_of_asker,
                ":now": moment_text(wish.asked_at),
                ":recently": moment_text(wish.asked_at - _SAME_ROUND),
                ":expires": _wish_expires(wish.asked_at),
            },
        )


def _item(wish: Wish) -> dict[str, Any]:
    return {
        "pk": f"WISH#{wish.id}",
        "id": wish.id,
        "whose": wish.whose,
        "asked_at": moment_text(wish.asked_at),
        "ask": str(wish.ask),
        "asker": wish.asker,
    }


def _wish(item: Mapping[str, Any]) -> Wish:
    asked_at, ask = datetime.fromisoformat(item["asked_at"]), Ask(item.get("ask", Ask.RESEND))
    return Wish(item["id"], item["whose"], asked_at, ask, item.get("asker", ""))


def _wish_expires(now: datetime) -> int:
    return int(now.timestamp()) + _WISH_SECONDS
