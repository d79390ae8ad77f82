"""The orders to which payments belong, and what was reported of a payment before its order was known."""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import cattrs

from keypost import telemetry
from keypost.core.errors import Unmet
from keypost.core.payment import PaymentNotice
from keypost.core.said import said
from keypost.table.items import Table, converter, place_of

_UNCLAIMED_SECONDS = 400 * 24 * 3600  # after this time, what was reported of a payment without an order is removed


class Payments(Table):
    def orders_of_payment(self, names: Iterable[str]) -> list[str]:
        """The ids of the orders to which payments with these names are known to belong, sorted."""
        found = self._batch_get([f"PAYMENT#{name}" for name in names])
        return sorted({item["order_id"] for item in found if "order_id" in item})

    def order_of_reference(self, number: str, program: str, order_id: str) -> str:
        """The order under which another program told of this number of the shop first; otherwise this one. One program
        may use a number more than once: it may be that of a customer."""
        key = {"pk": {"S": f"REFERENCE#{number}"}}
        item = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        if item is None:
            item = self._write(
                "update_item",
                Key=key,
                UpdateExpression="SET order_id = if_not_exists(order_id, :order),"
                " told_by = if_not_exists(told_by, :by)",
                ExpressionAttributeValues={":order": {"S": order_id}, ":by": {"S": program}},
                ReturnValues="ALL_NEW",
            )["Attributes"]
        return order_id if item["told_by"]["S"] == program else str(item["order_id"]["S"])

    def order_referring_to(self, number: str, program: str) -> str:
        """The order under which this program told of this number of the shop first; empty if it did not."""
        key = {"pk": {"S": f"REFERENCE#{number}"}}
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

    def facts_of(self, notice: PaymentNotice) -> list[PaymentNotice]:
        """All that was reported under any name of this payment, for the order to which one of the names is known to
        belong. If none is, the notice is kept under each name, and the answer is empty.

        Concurrent callers converge: each name is one atomic update, and the later caller reads what the earlier one
        wrote. A notice that uses a payment at Mollie of another order gets a `problem`."""
        order_id, facts, seen = notice.order_id, {notice}, set[str]()
        while names := {name for fact in facts for name in fact.names} - seen:
            name = min(names)
            # A shop's own names, and Stripe's, are protected by its signature. Several callers use Mollie's names.
            may_move = name.startswith(f"{notice.provider}:") and not name.startswith("mollie:")
            owner, told = self._note(name, order_id, facts, may_move=may_move)
            if order_id and owner != order_id:
                used = said("payment_of_other_order", payment=name, order=owner)
                return [replace(notice, order_id=order_id, problem=used)]
            seen = seen | {name} if owner == order_id else {name}  # once the order is known, every name must lead to it
            order_id = owner
            facts.update(told)
        return [replace(fact, order_id=order_id) for fact in sorted(facts, key=repr)] if order_id else []

    def _note(
        self, name: str, order_id: str, facts: Iterable[PaymentNotice], *, may_move: bool
    ) -> tuple[str, list[PaymentNotice]]:
        """Store under a name of a payment to which order it belongs or, if that is not known, what was reported;
        returns the order's id and everything that was reported under this name."""
        whose = "order_id = :order" if may_move else "order_id = if_not_exists(order_id, :order)"
        told = {_told_name(fact): _text(fact) for fact in facts}
        names = {f"#{n}": name for n, name in enumerate(told)}
        values: dict[str, Any] = {f":{n}": {"S": text} for n, text in enumerate(told.values())}
        kept = ", ".join(f"#{n} = :{n}" for n in range(len(told)))
        expires = {":expires": {"N": str(int(time.time()) + _UNCLAIMED_SECONDS)}}
        key = {"pk": {"S": f"PAYMENT#{name}"}}
        update = partial(self._write, "update_item", Key=key, ReturnValues="ALL_NEW")
        if order_id:
            updated = update(
                UpdateExpression=f"SET {whose} REMOVE expires", ExpressionAttributeValues={":order": {"S": order_id}}
            )
        else:
            try:
                updated = update(
                    UpdateExpression=f"SET {kept}, expires = if_not_exists(expires, :expires)",
                    ConditionExpression="attribute_not_exists(order_id)",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values | expires,
                )
            except Unmet:  # the order of a payment is never removed
                updated = update(
                    UpdateExpression=f"SET {kept}", ExpressionAttributeNames=names, ExpressionAttributeValues=values
                )
        answer = updated["Attributes"]
        owner = answer.get("order_id", {"S": order_id})["S"]
        texts = [value["S"] for key, value in sorted(answer.items()) if key.startswith("told_")]
        return owner, [notice for text in texts if (notice := _told(text, name))]


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
