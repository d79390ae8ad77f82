"""Blocked addresses, by their digests."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from keypost.core.errors import Unmet
from keypost.core.mail import Fate
from keypost.core.mailing import BAD_ADDRESS, REMINDER_COMPLAINED
from keypost.table.items import Table, customer_digest, from_wire

_BAD_ADDRESS_KEPT = timedelta(days=2 * 365)  # longer than a license; a later mail would find out again


@dataclass(frozen=True, slots=True)
class Address:
    """What was reported of an address: by its kind, the moment of the latest report as text that sorts."""

    told: Mapping[str, str]

    @property
    def bad(self) -> tuple[Fate, datetime] | None:
        """Why nothing may be sent there, and since when; None if mail may be sent. Who lifts a bounce lifts no spam
        report."""
        for why, lifted in ((Fate.COMPLAINED, _COMPLAINT_LIFTED), (Fate.BOUNCED, "lifted")):
            if self.told.get(why, "") > self.told.get(lifted, ""):
                return why, datetime.fromisoformat(self.told[why])
        return None

    @property
    def reminder_complaint(self) -> datetime | None:
        """When a reminder was reported as spam, and no person has seen to that."""
        since = self.told.get(_REMINDER_COMPLAINED, "")
        return datetime.fromisoformat(since) if since > self.told.get(_COMPLAINT_LIFTED, "") else None

    @property
    def why_no_codes(self) -> tuple[str, datetime] | None:
        """Why no codes may be sent there, as a code with words, and since when; None if they may be. Other mails may be
        sent after a spam report on a reminder."""
        if bad := self.bad:
            return BAD_ADDRESS[bad[0]], bad[1]
        return (REMINDER_COMPLAINED, self.reminder_complaint) if self.reminder_complaint else None

    @property
    def has_complained(self) -> bool:
        """Whether mail there was ever reported as spam, lifted or not: then nothing is sent there that the customer did
        not pay for."""
        return Fate.COMPLAINED in self.told

    @property
    def was_reported(self) -> bool:
        """Whether any mail there was ever reported as spam, also a reminder."""
        return not self.told.keys().isdisjoint({Fate.COMPLAINED.value, _REMINDER_COMPLAINED})


class Addresses(Table):
    def put_bad_address(self, address: str, why: Fate, at: datetime) -> Address:
        """Store that a mail bounced or was reported as spam, and give all that is known of the address since. The order
        of calls and repetitions do not matter."""
        return _address(self._put_latest(address_key(address), why, at, at + _BAD_ADDRESS_KEPT))

    def lift_bad_address(self, address: str, at: datetime) -> None:
        """Lift the block of an address: what was reported until this moment no longer counts."""
        self._put_latest(address_key(address), "lifted", at, at + _BAD_ADDRESS_KEPT)

    def lift_complaint(self, address: str, at: datetime) -> None:
        """Lift the block after a spam report, for what the customer paid for."""
        self._put_latest(address_key(address), _COMPLAINT_LIFTED, at, at + _BAD_ADDRESS_KEPT)

    def put_reminder_complaint(self, address: str, at: datetime) -> None:
        """Store that a reminder was reported as spam, which is no block: a person is asked before codes are sent."""
        self._put_latest(address_key(address), _REMINDER_COMPLAINED, at, at + _BAD_ADDRESS_KEPT)

    def address(self, address: str) -> Address:
        key = address_key(address)
        return _address(self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item", {}))

    def bad_address(self, address: str) -> tuple[Fate, datetime] | None:
        return self.address(address).bad

    def forget_address(self, address: str) -> None:
        with suppress(Unmet):  # nothing was stored
            self._write(
                "update_item",
                Key=address_key(address),
                UpdateExpression=f"SET expires = :now REMOVE {', '.join(_TOLD_OF_ADDRESS)}",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
            )

    def put_former(self, address: str, order_id: str) -> None:
        """Keep that an address was corrected to another one in this order."""
        self._write(
            "update_item",
            Key=_former(address),
            UpdateExpression="ADD order_ids :order REMOVE expires",  # it had lost its last order, and was to go
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


def _address(item: Mapping[str, Any]) -> Address:
    return address_of(from_wire(item))


def address_of(item: Mapping[str, Any]) -> Address:
    """What an item says; nothing if it is empty, or there is none."""
    return Address({name: str(value) for name, value in item.items() if name in _TOLD_OF_ADDRESS})


def _former(address: str) -> dict[str, Any]:
    return {"pk": {"S": f"FORMER#{customer_digest(address)}"}}


def address_key(address: str) -> dict[str, Any]:
    """The key of an address: its digest, because no key may show an address."""
    return {"pk": {"S": reported_key(customer_digest(address))}}


def reported_key(customer: str) -> str:
    return f"BOUNCED#{customer}"


_COMPLAINT_LIFTED = "complaint_lifted"
_REMINDER_COMPLAINED = "reminder_complained"
_TOLD_OF_ADDRESS = (
    Fate.BOUNCED.value,
    Fate.COMPLAINED.value,
    _REMINDER_COMPLAINED,
    "lifted",
    _COMPLAINT_LIFTED,
)
