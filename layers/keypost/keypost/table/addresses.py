"""Blocked addresses, by their digests."""

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from keypost.core.errors import Unmet
from keypost.core.mail import Fate
from keypost.core.mailing import BAD_ADDRESS, REMINDER_COMPLAINED
from keypost.table.items import Table, customer_digest

_BAD_ADDRESS_KEPT = timedelta(days=2 * 365)  # longer than a license; a later mail would find out again


class Addresses(Table):
    def put_bad_address(self, address: str, why: Fate, at: datetime) -> None:
        """Store that a mail bounced or was reported as spam. The order of calls and repetitions do not matter."""
        self._put_latest(_bad_address(address), why, at, at + _BAD_ADDRESS_KEPT)

    def lift_bad_address(self, address: str, at: datetime) -> None:
        """Lift the block of an address: what was reported until this moment no longer counts."""
        self._put_latest(_bad_address(address), "lifted", at, at + _BAD_ADDRESS_KEPT)

    def lift_complaint(self, address: str, at: datetime) -> None:
        """Lift the block after a spam report, for what the customer paid for."""
        self._put_latest(_bad_address(address), _COMPLAINT_LIFTED, at, at + _BAD_ADDRESS_KEPT)

    def bad_address(self, address: str) -> tuple[Fate, datetime] | None:
        """Why nothing may be sent to an address, and since when; None if mail may be sent. Who lifts a bounce lifts no
        spam report."""
        return _bad(self._told_of(address))

    def put_reminder_complaint(self, address: str, at: datetime) -> None:
        """Store that a reminder was reported as spam, which is no block: a person is asked before codes are sent."""
        self._put_latest(_bad_address(address), _REMINDER_COMPLAINED, at, at + _BAD_ADDRESS_KEPT)

    def reminder_complaint(self, address: str) -> datetime | None:
        """When a reminder to an address was reported as spam, and no person has seen to that."""
        return _of_reminder(self._told_of(address))

    def why_no_codes(self, address: str) -> tuple[str, datetime] | None:
        """Why no codes may be sent to an address, as a code with words, and since when; None if they may be. Other
        mails may be sent after a spam report on a reminder."""
        told = self._told_of(address)
        if bad := _bad(told):
            return BAD_ADDRESS[bad[0]], bad[1]
        since = _of_reminder(told)
        return (REMINDER_COMPLAINED, since) if since else None

    def has_complained(self, address: str) -> bool:
        """Whether mail to an address was ever reported as spam, lifted or not: then nothing is sent there that the
        customer did not pay for."""
        return Fate.COMPLAINED in self._told_of(address)

    def was_reported(self, address: str) -> bool:
        """Whether any mail to an address was ever reported as spam, also a reminder."""
        return not self._told_of(address).keys().isdisjoint({Fate.COMPLAINED.value, _REMINDER_COMPLAINED})

    def _told_of(self, address: str) -> dict[str, str]:
        key = _bad_address(address)
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item", {})
        return {name: value["S"] for name, value in item.items() if name in _TOLD_OF_ADDRESS}

    def forget_address(self, address: str) -> None:
        with suppress(Unmet):  # nothing was stored
            self._write(
                "update_item",
                Key=_bad_address(address),
                UpdateExpression=f"SET expires = :now REMOVE {', '.join(_TOLD_OF_ADDRESS)}",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
            )

    def put_former(self, address: str, order_id: str) -> None:
        """Keep that an address was corrected to another one in this order."""
        self._write(
            "update_item",
            Key=_former(address),
            UpdateExpression="ADD order_ids :order",
            ExpressionAttributeValues={":order": {"SS": [order_id]}},
        )

    def former(self, address: str) -> list[str]:
        """The ids of the orders in which this address was corrected."""
        item = self._client.get_item(TableName=self.table, Key=_former(address)).get("Item", {})
        return sorted(item["order_ids"]["SS"]) if "order_ids" in item else []

    def forget_former(self, address: str, order_id: str) -> None:
        """Forget that an address was corrected in this order; the item goes with its last order."""
        values = {":order": {"SS": [order_id]}}
        with suppress(Unmet):  # others are left
            self._write(
                "update_item",
                Key=_former(address),
                UpdateExpression="SET expires = :now REMOVE order_ids",
                ConditionExpression="order_ids = :order",
                ExpressionAttributeValues={**values, ":now": {"N": str(int(time.time()))}},
            )
            return
        self._write(
            "update_item",
            Key=_former(address),
            UpdateExpression="DELETE order_ids :order",
            ExpressionAttributeValues=values,
        )


def _bad(told: Mapping[str, str]) -> tuple[Fate, datetime] | None:
    for why, lifted in ((Fate.COMPLAINED, _COMPLAINT_LIFTED), (Fate.BOUNCED, "lifted")):
        if told.get(why, "") > told.get(lifted, ""):
            return why, datetime.fromisoformat(told[why])
    return None


def _of_reminder(told: Mapping[str, str]) -> datetime | None:
    since = told.get(_REMINDER_COMPLAINED, "")
    return datetime.fromisoformat(since) if since > told.get(_COMPLAINT_LIFTED, "") else None


def _former(address: str) -> dict[str, Any]:
    return {"pk": {"S": f"FORMER#{customer_digest(address)}"}}


def _bad_address(address: str) -> dict[str, Any]:
    """The key of an address: its digest, because no key may show an address."""
    return {"pk": {"S": f"BOUNCED#{customer_digest(address)}"}}


_COMPLAINT_LIFTED = "complaint_lifted"
_REMINDER_COMPLAINED = "reminder_complained"
_TOLD_OF_ADDRESS = (
    Fate.BOUNCED.value,
    Fate.COMPLAINED.value,
    _REMINDER_COMPLAINED,
    "lifted",
    _COMPLAINT_LIFTED,
)
