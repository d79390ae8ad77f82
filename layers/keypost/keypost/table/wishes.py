"""What customers asked for on the page, and how often."""

import hashlib
import secrets
from datetime import date, datetime, timedelta

from keypost.core.order import Wish
from keypost.table.items import Table, converter, customer_digest, from_wire, moment_text, to_wire

_WISH_SECONDS = 24 * 3600  # what a customer asked for on the page is kept, and their tries are counted, so long
_SAME_ROUND = timedelta(minutes=5)  # two wishes so close are one


class Wishes(Table):
    def count_try(self, source: str, most: int, now: datetime) -> bool:
        """Count a try of this hour by who calls from there; False when so many were made."""
        hour = hashlib.sha256(f"{source} {now:%Y-%m-%dT%H}".encode()).hexdigest()
        return self._update_if(
            {"pk": {"S": f"TRIES#{hour}"}},
            "SET expires = :expires ADD tries :one",
            "attribute_not_exists(tries) OR tries < :most",
            {":one": 1, ":most": most, ":expires": _wish_expires(now)},
        )

    def put_wish(self, email: str, now: datetime) -> str:
        """Write down that this customer wants their licenses again, if it is one; gives the id of the wish. The same
        work for every address, and only its digest is kept."""
        wish = Wish(secrets.token_hex(16), customer_digest(email), now)
        item = {"pk": f"WISH#{wish.id}", "expires": _wish_expires(now), **converter.unstructure(wish)}
        self._write("put_item", Item=to_wire(item))
        return wish.id

    def wish(self, wish_id: str) -> Wish | None:
        key = {"pk": {"S": f"WISH#{wish_id}"}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return converter.structure(from_wire(item), Wish) if item else None

    def begin_round(self, wish: Wish, day: date, most: int) -> bool:
        """Count a wish among those of its customer and day. False when there were so many, or one just before; the
        same wish again counts once, and is True again."""
        return self._update_if(
            {"pk": {"S": f"ROUNDS#{wish.whose}#{day}"}},
            "SET expires = :expires, last_at = :now ADD wishes :wish",
            "attribute_not_exists(pk) OR contains(wishes, :id) OR (size(wishes) < :most AND last_at < :recently)",
            {
                ":wish": {wish.id},
                ":id": wish.id,
                ":most": most,
                ":now": moment_text(wish.asked_at),
                ":recently": moment_text(wish.asked_at - _SAME_ROUND),
                ":expires": _wish_expires(wish.asked_at),
            },
        )


def _wish_expires(now: datetime) -> int:
    return int(now.timestamp()) + _WISH_SECONDS
