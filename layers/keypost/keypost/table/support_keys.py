"""The keys of support agents."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import cattrs

from keypost import telemetry
from keypost.core.keys import SupportKey
from keypost.table.items import Table, converter, from_wire, moment_text, place_of, to_wire

_SUPPORT_KEYS = {"pk": {"S": "KEYS"}}


class SupportKeys(Table):
    def put_support_key(self, key: SupportKey) -> None:
        """Store a new key, and add its id to the list of all keys."""
        item = to_wire({"pk": f"KEY#{key.id}", **converter.unstructure(key)})
        put = {"TableName": self.table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        listed = {
            "TableName": self.table,
            "Key": _SUPPORT_KEYS,
            "UpdateExpression": "ADD ids :id",
            "ExpressionAttributeValues": {":id": {"SS": [key.id]}},
        }
        writes: list[Any] = [{"Put": put}, {"Update": listed}]
        self._transact(writes)

    def support_key(self, key_id: str) -> SupportKey | None:
        """The key in its present state, so that a key that was revoked just now is revoked here too."""
        item = self._client.get_item(TableName=self.table, Key=_support_key(key_id), ConsistentRead=True).get("Item")
        return converter.structure(from_wire(item), SupportKey) if item else None

    def support_keys(self) -> list[SupportKey]:
        """All keys that were ever made and can be read, the newest last. Each of the others is counted and logged."""
        ids = self._client.get_item(TableName=self.table, Key=_SUPPORT_KEYS, ConsistentRead=True).get("Item", {})
        items = self._batch_get([f"KEY#{key_id}" for key_id in ids.get("ids", {"SS": []})["SS"]])
        return sorted(filter(None, map(_read, items)), key=lambda k: (k.created_at, k.id))

    def revoke_support_key(self, key_id: str, now: datetime) -> bool:
        """Revoke a key; only the first call sets the moment. False if there is no such key."""
        return self._update_support_key(
            key_id, "SET revoked_at = if_not_exists(revoked_at, :now)", "", {":now": moment_text(now)}
        )

    def note_support_key_used(self, key_id: str, day: date) -> None:
        unless_noted = " AND (attribute_not_exists(last_used) OR last_used < :day)"
        self._update_support_key(key_id, "SET last_used = :day", unless_noted, {":day": day.isoformat()})

    def _update_support_key(self, key_id: str, update: str, condition: str, values: Mapping[str, str]) -> bool:
        return self._update_if(_support_key(key_id), update, f"attribute_exists(pk){condition}", values)


def _read(item: Mapping[str, Any]) -> SupportKey | None:
    try:
        return converter.structure(item, SupportKey)
    except cattrs.BaseValidationError as error:
        telemetry.outcome("KeyUnreadable", key=str(item["pk"]).partition("#")[2], place=place_of(error))
        return None


def _support_key(key_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"KEY#{key_id}"}}
