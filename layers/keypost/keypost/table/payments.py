"""Whose a payment is, and what was said of it before its order was known."""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from keypost.core.errors import Unmet
from keypost.core.payment import PaymentNotice
from keypost.core.said import said
from keypost.table.items import Table, converter

_UNCLAIMED_SECONDS = 400 * 24 * 3600  # what is said of a payment that stays unknown is forgotten then


class Payments(Table):
    def orders_of_payment(self, names: Iterable[str]) -> list[str]:
        """The ids of the orders that payments of these names are known to be of."""
        found = self._batch_get([f"PAYMENT#{name}" for name in names])
        return sorted({item["order_id"] for item in found if "order_id" in item})

    def forget_told(self, names: Iterable[str]) -> None:
        """Remove what callbacks said of payments before their orders were known: it names the customer."""
        for item in self._batch_get([f"PAYMENT#{name}" for name in names]):
            if told := [name for name in item if name.startswith("told_")]:
                self._write(
                    "update_item",
                    Key={"pk": {"S": item["pk"]}},
                    UpdateExpression="REMOVE " + ", ".join(f"#{n}" for n in range(len(told))),
                    ExpressionAttributeNames={f"#{n}": name for n, name in enumerate(told)},
                )

    def facts_of(self, notice: PaymentNotice) -> list[PaymentNotice]:
        """All that was said under any name of this payment, for the order that one of the names is known to be of.
        While none is, the notice is kept under each of them and this is empty. Each step updates one name, so of
        two who meet there, the second sees what the first left. Who names a payment at Mollie that is known to be of
        another order has a `problem`."""
        order_id, facts, seen = notice.order_id, {notice}, set[str]()
        while names := {name for fact in facts for name in fact.names} - seen:
            name = min(names)
            # A shop's own names, and Stripe's, are as good as its signature. Mollie's come from several tellers.
            may_move = name.startswith(f"{notice.provider}:") and not name.startswith("mollie:")
            owner, told = self._note(name, order_id, facts, may_move=may_move)
            if order_id and owner != order_id:
                used = said("payment_of_other_order", payment=name, order=owner)
                return [replace(notice, order_id=order_id, problem=used)]
            seen = seen | {name} if owner == order_id else {name}  # once the order is known, every name is to say so
            order_id = owner
            facts.update(told)
        return [replace(fact, order_id=order_id) for fact in sorted(facts, key=repr)] if order_id else []

    def _note(
        self, name: str, order_id: str, facts: Iterable[PaymentNotice], *, may_move: bool
    ) -> tuple[str, list[PaymentNotice]]:
        """Leave under a payment's name whose it is or, if that is not known, what was said of it; gives whose it is
        and what was said."""
        whose = "order_id = :order" if may_move else "order_id = if_not_exists(order_id, :order)"
        told = {_told_name(text, fact): text for fact in facts for text in [json.dumps(converter.unstructure(fact))]}
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
            except Unmet:  # whose it is, is never forgotten
                updated = update(
                    UpdateExpression=f"SET {kept}", ExpressionAttributeNames=names, ExpressionAttributeValues=values
                )
        answer = updated["Attributes"]
        owner = answer.get("order_id", {"S": order_id})["S"]
        texts = [value["S"] for key, value in sorted(answer.items()) if key.startswith("told_")]
        return owner, [converter.structure(json.loads(text), PaymentNotice) for text in texts]


def _told_name(text: str, fact: PaymentNotice) -> str:
    """Mollie tells all of a payment each time, so its newest word takes the place of the one before."""
    return "told_mollie" if fact.provider == "mollie" else f"told_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
