"""The orders to which payments belong, and what was reported of a payment before its order was known."""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

import cattrs

from keypost import telemetry
from keypost.core.errors import Conflict, Unmet
from keypost.core.order import Order
from keypost.core.payment import Fact, PaymentNotice
from keypost.core.said import said
from keypost.table.converting import converter, place_of
from keypost.table.items import Table, reference_key

_UNCLAIMED_SECONDS = 400 * 24 * 3600  # after this time, what was reported of a payment without an order is removed


Kind_co = TypeVar("Kind_co", bound=Fact, covariant=True)


@dataclass(frozen=True, slots=True)
class Heard(Generic[Kind_co]):
    """All that was reported of a payment, or of an order."""

    facts: Sequence[Kind_co]  # empty while it is not known to which order it belongs
    is_first: bool = False  # no name of it led to an order before, so that the order is a new one, as a rule
    order: Order | None = None  # as it was loaded just before, if it was


class Payments(Table):
    def orders_of_payment(self, names: Iterable[str]) -> list[str]:
        """The ids of the orders to which payments with these names are known to belong, sorted."""
        found = self._batch_get([f"PAYMENT#{name}" for name in names])
        return sorted({item["order_id"] for item in found if "order_id" in item})

    def order_of_reference(self, number: str, program: str, order_id: str) -> str:
        """The order under which another program told of this number of the shop first; otherwise this one. One program
        may use a number more than once: it may be that of a customer."""
        item = self._write(
            "update_item",
            Key={"pk": {"S": reference_key(number)}},
            UpdateExpression="SET order_id = if_not_exists(order_id, :order), told_by = if_not_exists(told_by, :by)",
            ExpressionAttributeValues={":order": {"S": order_id}, ":by": {"S": program}},
            ReturnValues="ALL_NEW",
        )["Attributes"]
        return order_id if item["told_by"]["S"] == program else str(item["order_id"]["S"])

    def order_referring_to(self, number: str, program: str) -> str:
        """The order under which this program told of this number of the shop first; empty if it did not."""
        key = {"pk": {"S": reference_key(number)}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return str(item["order_id"]["S"]) if item and item["told_by"]["S"] == program else ""

    def forget_told(self, names: Iterable[str]) -> None:
        """Remove what callbacks reported of payments before their orders were known, because it names the customer."""
        for item in self._batch_get([f"PAYMENT#{name}" for name in names]):
            names_of_told = {f"#{n}": name for n, name in enumerate(item) if name.startswith("told_")}
            if names_of_told:
                self._write(
                    "update_item",
                    Key={"pk": {"S": item["pk"]}},
                    UpdateExpression="REMOVE " + ", ".join(names_of_told),
                    ExpressionAttributeNames=names_of_told,
                )

    def facts_of(self, notice: PaymentNotice) -> Heard[PaymentNotice]:
        """All that was reported under any name of this payment, for the order to which one of the names is known to
        belong. If none is, the notice is kept under each name, and the answer is empty.

        Concurrent callers converge: each name is one atomic update, and the later caller reads what the earlier one
        wrote. A notice that uses a payment at Mollie of another order gets a `problem`."""
        order_id, facts, seen, is_first = notice.order_id, {notice}, set[str](), True
        if order_id and len(notice.names) > 1 and (heard := self._note_all(notice)):
            facts, seen, is_first = facts | set(heard.facts), set(notice.names), heard.is_first
        while names := {name for fact in facts for name in fact.names} - seen:
            name = min(names)
            # A shop's own names, and Stripe's, are protected by its signature. Several callers use Mollie's names.
            may_move = name.startswith(f"{notice.provider}:") and not name.startswith("mollie:")
            before, told = self._note(name, order_id, facts, may_move=may_move)
            owner = before if before and not (order_id and may_move) else order_id
            is_first = is_first and not before
            if order_id and owner != order_id:
                used = said("payment_of_other_order", payment=name, order=owner)
                return Heard([replace(notice, order_id=order_id, problem=used)], is_first=False)
            seen = seen | {name} if owner == order_id else {name}  # once the order is known, every name must lead to it
            order_id = owner
            facts.update(told)
        found = [replace(fact, order_id=order_id) for fact in sorted(facts, key=repr)] if order_id else []
        return Heard(found, is_first)

    def _note_all(self, notice: PaymentNotice) -> Heard[PaymentNotice] | None:
        """Store at once, under all names of a payment, to which order it belongs, if nothing is known of any of them;
        what was reported there if all lead to that order already. None where neither is so."""
        update = {
            "TableName": self.table,
            "UpdateExpression": "SET order_id = :order",
            "ConditionExpression": "attribute_not_exists(pk)",
            "ExpressionAttributeValues": {":order": {"S": notice.order_id}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            self._transact([{"Update": update | {"Key": _key(name)}} for name in notice.names])
        except Unmet as error:
            owners = [item["order_id"]["S"] for item in error.found if "order_id" in item]
            is_known = owners == [notice.order_id] * len(notice.names)
            return (
                Heard([fact for item in error.found for fact in _all_told(item)], is_first=False) if is_known else None
            )
        except Conflict:
            return None
        return Heard([], is_first=True)

    def _note(
        self, name: str, order_id: str, facts: Iterable[PaymentNotice], *, may_move: bool
    ) -> tuple[str, list[PaymentNotice]]:
        """Store under a name of a payment to which order it belongs or, if that is not known, what was reported;
        returns the id of the order that it belonged to before, or nothing, and everything that was reported under this
        name."""
        if order_id:
            whose = "order_id = :order" if may_move else "order_id = if_not_exists(order_id, :order)"
            answer = self._write(
                "update_item",
                Key=_key(name),
                UpdateExpression=f"SET {whose} REMOVE expires",
                ExpressionAttributeValues={":order": {"S": order_id}},
                ReturnValues="ALL_OLD",
            )
            item = answer.get("Attributes", {})
        else:
            item = self._keep_notice(name, list(facts))
        return item.get("order_id", {"S": ""})["S"], _all_told(item)

    def _keep_notice(self, name: str, facts: Sequence[PaymentNotice]) -> Mapping[str, Any]:
        """Store what was reported under a name of a payment; returns the whole item. It expires unless the order is
        known: of money that went back it is, as a rule."""
        told = {_told_name(fact): _text(fact) for fact in facts}
        kept = ", ".join(f"#{n} = :{n}" for n in range(len(told)))
        values = {f":{n}": {"S": text} for n, text in enumerate(told.values())}
        expires = {":expires": {"N": str(int(time.time()) + _UNCLAIMED_SECONDS)}}
        keep = partial(
            self._write,
            "update_item",
            Key=_key(name),
            ExpressionAttributeNames={f"#{n}": name for n, name in enumerate(told)},
            ReturnValues="ALL_NEW",
        )
        is_known = all(fact.state is None for fact in facts)
        for known in (True, False, True) if is_known else (False, True):  # the order of a payment is never removed
            with suppress(Unmet):
                item: Mapping[str, Any] = keep(
                    UpdateExpression=f"SET {kept}" + ("" if known else ", expires = if_not_exists(expires, :expires)"),
                    ConditionExpression="attribute_exists(order_id)" if known else "attribute_not_exists(order_id)",
                    ExpressionAttributeValues=values if known else values | expires,
                )["Attributes"]
                return item
        raise Conflict("items_busy")


def _key(name: str) -> dict[str, Any]:
    return {"pk": {"S": f"PAYMENT#{name}"}}


def _all_told(item: Mapping[str, Any]) -> list[PaymentNotice]:
    """What an item has of a payment."""
    texts = [value["S"] for key, value in sorted(item.items()) if key.startswith("told_")]
    name = item["pk"]["S"].removeprefix("PAYMENT#") if texts else ""
    return [notice for text in texts if (notice := _told(text, name))]


def _told(text: str, payment: str) -> PaymentNotice | None:
    """None for what only a newer version of Keypost understands: it stays where it is, until that reads it."""
    try:
        return converter.structure(json.loads(text), PaymentNotice)
    except cattrs.BaseValidationError as error:
        telemetry.outcome("FactUnreadable", payment=payment, place=place_of(error))
        return None


def _told_name(fact: PaymentNotice) -> str:
    """The attribute for a notice. Mollie always reports the whole payment, so its newest notice replaces the one
    before; and so does a notice that only says the same again."""
    if fact.provider == "mollie":
        return "told_mollie"
    return f"told_{hashlib.sha256(_text(replace(fact, said=None)).encode()).hexdigest()[:16]}"


def _text(fact: PaymentNotice) -> str:
    return json.dumps(converter.unstructure(fact))
