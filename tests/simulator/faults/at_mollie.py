"""Mollie, as its API shows a payment. Its calls only name what changed; the signed ones say what happened, too."""

import hashlib
import hmac
import json
import random
from collections.abc import Mapping

from cli.local.fake_providers import PROFILE, FakeProviders, mollie_answers
from tests.builders import MOLLIE_SECRET, MOLLIE_TOKEN
from tests.simulator.faults.provider import Api, Json, Payment, Step, Things, callback, iso

_SIGNED = 0.5  # the share of its callbacks that are of its newer kind
_EVENTS: Mapping[str, str] = {
    "paid": "payment.paid",
    "failed": "payment.failed",
    "returned": "refund.processing",
    "undone": "refund.failed",
    "disputed": "chargeback.received",
    "won": "chargeback.reversed",
}


def _things(payment: Payment) -> Things:
    lines = {
        f"line_{n}": f"{line['sku']}|{line['quantity']}" for n, line in enumerate(payment.bought["lines"], start=1)
    }
    card = {"v": "1", "order_id": payment.order, "email": payment.bought["email"], "lang": "nl", **lines}
    shown = {
        "resource": "payment",
        "id": payment.id,
        "mode": "test",
        "createdAt": iso(payment.opened),
        "status": _status(payment),
        "amount": {"currency": payment.bought["currency"], "value": payment.bought["amount"]},
        "profileId": PROFILE,
        "billingAddress": {"givenName": "Anna", "familyName": "Jansen"},
        "metadata": card if payment.has_card else {"order_id": payment.order, "store_id": "shop-1"},
        "_embedded": _parts(payment),
    }
    paid = {"paidAt": iso(payment.paid_at)} if payment.paid_at else {}
    return {f"/v2/payments/{payment.id}": {**shown, **paid}}


def _status(payment: Payment) -> str:
    step = payment.last("paid", "failed")
    return step.kind if step else "open"


def _parts(payment: Payment) -> Json:
    """Its refunds and its chargeback."""
    refunds = [
        _part(payment, step) | {"status": "failed" if payment.is_undone(step) else "processing"}
        for step in payment.all_of("returned")
    ]
    won = payment.last("won")
    end = {"reversedAt": iso(won.at)} if won else {}
    chargebacks = [_part(payment, step) | end for step in payment.all_of("disputed")]
    parts = {"refunds": refunds, "chargebacks": chargebacks}
    return {name: found for name, found in parts.items() if found}


def _part(payment: Payment, step: Step) -> Json:
    whole = payment.whole if step.kind == "disputed" else step.amount
    amount = {"currency": payment.bought["currency"], "value": str(whole)}
    return {"id": _id_of(payment, step), "amount": amount, "createdAt": iso(step.at)}


def _id_of(payment: Payment, step: Step) -> str:
    """Only Mollie knows a refund or a chargeback under this name."""
    prefix = "chb" if step.kind == "disputed" else "re"
    return f"{prefix}_{payment.id[3:]}n{payment.steps.index(step)}"


def _call(payment: Payment, step: Step, _now: float, chance: random.Random) -> Json:
    if chance.random() >= _SIGNED:
        return callback("mollie", f"id={payment.id}".encode(), {}, {"token": MOLLIE_TOKEN})
    event: Json = {"resource": "event", "type": _EVENTS[step.kind], "createdAt": iso(step.at)}
    event |= _named(payment, step)
    body = json.dumps(event).encode()
    signed = hmac.new(MOLLIE_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return callback("mollie-events", body, {"x-mollie-signature": f"sha256={signed}"})


def _named(payment: Payment, step: Step) -> Json:
    """What an event says of whom it is about."""
    of = {"returned": "returned", "undone": "returned", "disputed": "disputed", "won": "disputed"}
    about = payment.last(of[step.kind]) if step.kind in of else None
    if about is None:
        return {"entityId": payment.id}
    part = _id_of(payment, about)
    return {"entityId": part, "_embedded": {"entity": {"id": part, "paymentId": payment.id}}}


def _answer(things: Things, path: str, query: list[tuple[str, str]], _headers: Mapping[str, str]) -> tuple[int, Json]:
    return mollie_answers(FakeProviders(url="https://api.mollie.com", objects=things), path, query)


MOLLIE = Api("Mollie", "/v2/", "mollie", _things, _answer, _call)
