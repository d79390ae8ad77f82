"""Stripe, as its API shows a payment: a session of Checkout, with its charge, refunds and dispute. Its calls are events
with one of these as it was at that moment; the API lists the events, too."""

import json
import random
from collections.abc import Callable, Mapping
from decimal import Decimal

from cli.local.fake_providers import FakeProviders, stripe_answers
from tests.builders import STRIPE_SECRET, stripe_headers
from tests.simulator.faults.provider import Api, Json, Payment, Step, Things, callback


def _things(payment: Payment) -> Things:
    session, charge = _session(payment), _charge(payment)
    items = f"/v1/checkout/sessions/{session['id']}/line_items"
    return {
        f"/v1/checkout/sessions/{session['id']}": session,
        **{f"{items}/li_{n}": _item(payment, line) for n, line in enumerate(payment.bought["lines"], start=1)},
        f"/v1/charges/{charge['id']}": charge,
        **{f"/v1/refunds/{_refund_id(payment, step)}": _refund(payment, step) for step in payment.all_of("returned")},
        **({f"/v1/disputes/{_dispute(payment)['id']}": _dispute(payment)} if payment.dispute else {}),
        **{f"/v1/events/{event['id']}": event for step in payment.steps for event in _events(payment, step)},
    }


def _session(payment: Payment) -> Json:
    lines = {
        f"line_{n}": f"{line['sku']}|{line['quantity']}" for n, line in enumerate(payment.bought["lines"], start=1)
    }
    return {
        "id": _session_id(payment),
        "object": "checkout.session",
        "livemode": False,
        "created": int(payment.opened),
        "mode": "payment",
        "status": "complete" if payment.last("paid", "promised") else "open",
        "payment_status": "paid" if payment.paid_at else "unpaid",
        "payment_intent": payment.id,
        "amount_total": _cents(payment.whole),
        "currency": "eur",
        "customer_details": {"email": f"betaler-{payment.bought['email']}", "name": "Anna Jansen"},
        "metadata": {"v": "1", "order_id": payment.order, "email": payment.bought["email"], "lang": "nl", **lines},
    }


def _session_id(payment: Payment) -> str:
    return f"cs_test_{payment.id.removeprefix('pi_')}"


def _item(payment: Payment, line: Mapping[str, object]) -> Json:
    """Its price has the SKU, as the card has it too."""
    price = {"id": "price_1", "lookup_key": line["sku"], "product": {"id": "prod_1", "metadata": {}}}
    total = _cents(payment.whole) // len(payment.bought["lines"])
    quantity = line["quantity"]
    return {"id": f"li_{line['sku']}", "quantity": quantity, "price": price, "currency": "eur", "amount_total": total}


def _charge(payment: Payment) -> Json:
    return {
        "id": f"ch_{payment.id.removeprefix('pi_')}",
        "object": "charge",
        "livemode": False,
        "created": int(payment.opened),
        "amount": _cents(payment.whole),
        "amount_refunded": _cents(payment.back),
        "currency": "eur",
        "payment_intent": payment.id,
        "paid": payment.paid_at is not None,
    }


def _refund(payment: Payment, step: Step) -> Json:
    return {
        "id": _refund_id(payment, step),
        "object": "refund",
        "created": step.stamp,
        "amount": _cents(step.amount),
        "currency": "eur",
        "charge": _charge(payment)["id"],
        "payment_intent": payment.id,
        "status": "failed" if payment.is_undone(step) else "succeeded",
    }


def _refund_id(payment: Payment, step: Step) -> str:
    return f"re_{payment.id.removeprefix('pi_')}n{payment.steps.index(step)}"


_STATUS: Mapping[str, str] = {"disputed": "needs_response", "won": "won", "lost": "lost"}


def _dispute(payment: Payment) -> Json:
    step = payment.dispute
    assert step
    return {
        "id": f"dp_{payment.id.removeprefix('pi_')}",
        "object": "dispute",
        "livemode": False,
        "created": step.stamp,
        "amount": _cents(payment.whole),
        "currency": "eur",
        "charge": _charge(payment)["id"],
        "payment_intent": payment.id,
        "status": _STATUS[step.kind],
    }


def _cents(amount: Decimal) -> int:
    return int(amount * 100)


def _last_refund(payment: Payment) -> Json:
    return _refund(payment, payment.all_of("returned")[-1])


# The events of each step, with what they show; of a payment that was promised, others tell.
_EVENTS: Mapping[str, Mapping[str, Callable[[Payment], Json]]] = {
    "promised": {"checkout.session.completed": _session},
    "paid": {"checkout.session.completed": _session},
    "paid, as promised": {"checkout.session.async_payment_succeeded": _session},
    "failed": {"checkout.session.expired": _session},
    "failed, though promised": {"checkout.session.async_payment_failed": _session},
    "returned": {"charge.refunded": _charge, "refund.updated": _last_refund},
    "undone": {"refund.failed": _last_refund},
    "disputed": {"charge.dispute.created": _dispute, "charge.dispute.funds_withdrawn": _dispute},
    "won": {"charge.dispute.closed": _dispute, "charge.dispute.funds_reinstated": _dispute},
    "lost": {"charge.dispute.closed": _dispute},
}
_AFTER_A_PROMISE: Mapping[str, str] = {"paid": "paid, as promised", "failed": "failed, though promised"}


def _events(payment: Payment, step: Step) -> list[Json]:
    then = payment.until(step.at)
    kind = _AFTER_A_PROMISE.get(step.kind, step.kind) if then.last("promised") else step.kind
    return [
        {
            "id": f"evt_{payment.id.removeprefix('pi_')}n{payment.steps.index(step)}{letter}",
            "object": "event",
            "livemode": False,
            "created": step.stamp,
            "type": name,
            "data": {"object": shown(then)},
        }
        for letter, (name, shown) in zip("ab", _EVENTS[kind].items(), strict=False)
    ]


def _call(payment: Payment, step: Step, now: float, chance: random.Random) -> Json:
    body = json.dumps(chance.choice(_events(payment, step))).encode()
    return callback("stripe", body, stripe_headers(body, STRIPE_SECRET, now))


def _answer(things: Things, path: str, query: list[tuple[str, str]], _headers: Mapping[str, str]) -> tuple[int, Json]:
    return stripe_answers(FakeProviders(objects=things), path, query)


STRIPE = Api("Stripe", "/v1/", "stripe", _things, _answer, _call)
