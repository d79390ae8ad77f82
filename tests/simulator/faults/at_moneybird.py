"""Moneybird, as its API shows an invoice. What goes back is a credit note, which is an invoice of its own. A payment
that is removed from its invoice makes that one open again."""

import json
import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cli.local.fake_shops import ADMINISTRATION, shop_answers
from tests.builders import MONEYBIRD_SECRET, stripe_headers
from tests.simulator.faults.provider import Api, Json, Payment, Step, Things, callback, iso
from tests.simulator.faults.schedules import ZONE

_INVOICES = f"/api/v2/{ADMINISTRATION}/sales_invoices"


def _things(payment: Payment) -> Things:
    shown = [_invoice(payment), *(_credit_note(payment, step) for step in payment.all_of("returned"))]
    return {f"{_INVOICES}/{each['id']}": each for each in shown}


def _invoice(payment: Payment) -> Json:
    lines = enumerate(payment.bought["lines"], start=1)
    paid = payment.last("paid", "won")
    entered = [_payment(payment, paid)] if paid and _is_paid(payment) else []
    # A credit note changes no date of the invoice that it is of.
    changed = payment.last("paid", "disputed", "won")
    return {
        "id": payment.id,
        "invoice_id": payment.order,
        "state": "paid" if entered else "open",
        "invoice_date": _day(payment.opened),
        "original_sales_invoice_id": None,
        "reference": "",
        "language": "nl",
        "currency": payment.bought["currency"],
        "total_price_incl_tax": payment.bought["amount"],
        "paid_at": _day(paid.at) if paid and entered else None,
        "updated_at": iso(changed.at if changed else payment.opened),
        "contact": {"firstname": "Anna", "lastname": "Jansen", "email": payment.bought["email"]},
        "details": [
            {"id": f"{payment.id}{n}", "description": f"Antivirus [{line['sku']}]", "amount": f"{line['quantity']} x"}
            for n, line in lines
        ],
        "payments": entered,
    }


def _is_paid(payment: Payment) -> bool:
    return payment.paid_at is not None and not payment.is_disputed


def _payment(payment: Payment, step: Step) -> Json:
    return {
        "id": f"{payment.id}7{payment.steps.index(step)}",
        "invoice_type": "SalesInvoice",
        "invoice_id": payment.id,
        "price": payment.bought["amount"],
        "credit_invoice_id": None,
        "created_at": iso(step.at),
    }


def _credit_note(payment: Payment, step: Step) -> Json:
    credit = {
        "id": f"{payment.id}9{payment.steps.index(step)}",
        "invoice_id": f"{payment.order}C{payment.steps.index(step)}",
        "state": "paid",
        "original_sales_invoice_id": payment.id,
        "invoice_date": _day(step.at),
        "total_price_incl_tax": f"-{step.amount}",
        "paid_at": _day(step.at),
        "updated_at": iso(step.at),
        "payments": [],
    }
    return _invoice(payment) | credit


def _day(moment: float) -> str:
    """As the bookkeeper's calendar has it."""
    return f"{datetime.fromtimestamp(moment, ZONE):%Y-%m-%d}"


def _call(payment: Payment, step: Step, now: float, chance: random.Random) -> Json:
    action, kind, entity = _told(payment, step, chance)
    told = {"action": action, "entity_type": kind, "entity_id": entity["id"], "entity": entity}
    body = json.dumps(told).encode()
    signed = stripe_headers(body, MONEYBIRD_SECRET, now)["stripe-signature"]  # it signs as Stripe does
    return callback("moneybird", body, {"moneybird-signature": signed})


def _told(payment: Payment, step: Step, chance: random.Random) -> tuple[str, str, Json]:
    """The action, and what it is about. A payment that was removed comes by itself, or by its invoice."""
    if step.kind == "disputed":
        paid = payment.last("paid")
        assert paid
        by_itself = ("payment_destroyed", "Payment", _payment(payment, paid))
        return chance.choice((by_itself, ("payment_destroyed", "SalesInvoice", _invoice(payment))))
    shown = _credit_note(payment, step) if step.kind == "returned" else _invoice(payment)
    return "sales_invoice_state_changed_to_paid", "SalesInvoice", shown


def _answer(things: Things, path: str, query: list[tuple[str, str]], headers: Mapping[str, str]) -> tuple[int, Any]:
    return shop_answers(things, path, dict(query), headers.get("Authorization"))


MONEYBIRD = Api(
    "Moneybird",
    "/api/v2/",
    "moneybird",
    _things,
    _answer,
    _call,
    removes=True,
    environment={"KEYPOST_MONEYBIRD_URL": "http://127.0.0.1:9", "KEYPOST_MONEYBIRD_ADMINISTRATION": ADMINISTRATION},
)
