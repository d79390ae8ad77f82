"""Blocked addresses, by their digests."""

import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from keypost.core.errors import Unmet
from keypost.core.mail import Fate
from keypost.table.items import Table, customer_digest, moment_text

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
        told = self._told_of(address)
        for why, lifted in ((Fate.COMPLAINED, _COMPLAINT_LIFTED), (Fate.BOUNCED, "lifted")):
            if told.get(why, "") > told.get(lifted, ""):
                return why, datetime.fromisoformat(told[why])
        return None

    def has_complained(self, address: str) -> bool:
        """Whether mail to an address was ever reported as spam, lifted or not: then nothing is sent there that the
        customer did not pay for."""
        return Fate.COMPLAINED in self._told_of(address)

    def _told_of(self, address: str) -> dict[str, str]:
        key = _bad_address(address)
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item", {})
        return {name: value["S"] for name, value in item.items() if name in _TOLD_OF_ADDRESS}

    def stop_reminders(self, address: str, at: datetime) -> None:
        """Send no reminders to this customer any more, whatever they buy."""
        self._write("put_item", Item=_unreminded(address) | {"stopped_at": {"S": moment_text(at)}})

    def resume_reminders(self, address: str) -> None:
        with suppress(Unmet):  # they were not stopped
            self._write(
                "update_item",
                Key=_unreminded(address),
                UpdateExpression="SET expires = :now REMOVE stopped_at",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
            )

    def reminders_stopped(self, address: str) -> bool:
        found = self._client.get_item(TableName=self.table, Key=_unreminded(address), ConsistentRead=True)
        return "stopped_at" in found.get("Item", {})

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


def _former(address: str) -> dict[str, Any]:
    return {"pk": {"S": f"FORMER#{customer_digest(address)}"}}


def _bad_address(address: str) -> dict[str, Any]:
    """The key of an address: its digest, because no key may show an address."""
    return {"pk": {"S": f"BOUNCED#{customer_digest(address)}"}}


def _unreminded(address: str) -> dict[str, Any]:
    """The key of a customer who gets no reminders, by the digest of the address."""
    return {"pk": {"S": f"UNREMINDED#{customer_digest(address)}"}}


_COMPLAINT_LIFTED = "complaint_lifted"
_TOLD_OF_ADDRESS = (Fate.BOUNCED.value, Fate.COMPLAINED.value, "lifted", _COMPLAINT_LIFTED)
