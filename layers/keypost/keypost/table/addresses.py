"""Addresses that take no mail, by their digests."""

import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from keypost.core.errors import Unmet
from keypost.core.mail import Fate
from keypost.table.items import Table, customer_digest

_BAD_ADDRESS_KEPT = timedelta(days=2 * 365)  # longer than a license; a mail after that finds it out anew


class Addresses(Table):
    def put_bad_address(self, address: str, why: Fate, at: datetime) -> None:
        """Write down that a mail bounced, or that its reader complained; in any order, and again."""
        self._put_latest(_bad_address(address), why, at, at + _BAD_ADDRESS_KEPT)

    def lift_bad_address(self, address: str, at: datetime) -> None:
        """What was told of an address until then does not count any more."""
        self._put_latest(_bad_address(address), "lifted", at, at + _BAD_ADDRESS_KEPT)

    def bad_address(self, address: str) -> tuple[Fate, datetime] | None:
        """Why nothing may be sent to an address, and since when; None when it may. A complaint is never lifted."""
        key = _bad_address(address)
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item", {})
        told = {name: value["S"] for name, value in item.items() if name in _TOLD_OF_ADDRESS}
        for why, lifted in ((Fate.COMPLAINED, ""), (Fate.BOUNCED, told.get("lifted", ""))):
            if told.get(why, "") > lifted:
                return why, datetime.fromisoformat(told[why])
        return None

    def forget_address(self, address: str) -> None:
        with suppress(Unmet):  # nothing was known
            self._write(
                "update_item",
                Key=_bad_address(address),
                UpdateExpression=f"SET expires = :now REMOVE {', '.join(_TOLD_OF_ADDRESS)}",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
            )


def _bad_address(address: str) -> dict[str, Any]:
    """A digest: an address is nobody's key."""
    return {"pk": {"S": f"BOUNCED#{customer_digest(address)}"}}


_TOLD_OF_ADDRESS = (Fate.BOUNCED.value, Fate.COMPLAINED.value, "lifted")
