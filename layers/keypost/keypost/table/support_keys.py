"""The keys of support agents."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from keypost import telemetry
from keypost.core.keys import SupportKey
from keypost.table.items import Table, from_wire, moment_text, to_wire

_SUPPORT_KEYS = {"pk": {"S": "KEYS"}}


class SupportKeys(Table):
    def put_support_key(self, key: SupportKey) -> None:
        """Store a new key, and add its id to the list of all keys."""
        item = to_wire(_item(key))
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
        return _key(from_wire(item)) if item else None

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
        return _key(item)
    except (KeyError, TypeError, ValueError) as error:
        telemetry.outcome("KeyUnreadable", key=str(item["pk"]).partition("#")[2], place=telemetry.place(error))
        return None


def _key(item: Mapping[str, Any]) -> SupportKey:
    return SupportKey(
        id=item["id"],
        digest=item["digest"],
        agent=item["agent"],
        scopes=tuple(item["scopes"]),
        created_at=datetime.fromisoformat(item["created_at"]),
        expires_at=datetime.fromisoformat(item["expires_at"]),
        revoked_at=datetime.fromisoformat(item["revoked_at"]) if "revoked_at" in item else None,
        last_used=date.fromisoformat(item["last_used"]) if "last_used" in item else None,
    )


def _item(key: SupportKey) -> dict[str, Any]:
    return {
        "pk": f"KEY#{key.id}",
        "id": key.id,
        "digest": key.digest,
        "agent": key.agent,
        "scopes": list(key.scopes),
        "created_at": moment_text(key.created_at),
        "expires_at": moment_text(key.expires_at),
        "revoked_at": moment_text(key.revoked_at) if key.revoked_at else None,
        "last_used": key.last_used.isoformat() if key.last_used else None,
    }


def _support_key(key_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"KEY#{key_id}"}}
