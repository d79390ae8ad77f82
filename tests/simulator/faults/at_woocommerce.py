"""WooCommerce, as its API shows an order. Its calls have the whole order as it was, and are never repeated."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Mapping
from typing import Any

from cli.local.fake_shops import shop_answers
from tests.builders import WOOCOMMERCE_SECRET
from tests.simulator.faults.provider import Api, Json, Payment, Step, Things, callback, iso


def _things(payment: Payment) -> Things:
    return {f"/wp-json/wc/v3/orders/{payment.id}": _order(payment)}


def _order(payment: Payment) -> Json:
    lines = enumerate(payment.bought["lines"], start=1)
    return {
        "id": int(payment.id),
        "number": payment.id,
        "parent_id": 0,
        "type": "shop_order",
        "status": _status(payment),
        "currency": payment.bought["currency"],
        "total": payment.bought["amount"],
        "date_modified_gmt": _gmt(payment.changed_at),
        "date_paid_gmt": _gmt(payment.paid_at) if payment.paid_at else None,
        "transaction_id": payment.through,
        "billing": {"email": payment.bought["email"], "first_name": "Anna", "last_name": "Jansen"},
        "line_items": [{"id": number, "name": "Antivirus", "meta_data": [], **line} for number, line in lines],
        "refunds": [
            {"id": number, "total": f"-{step.amount}"} for number, step in enumerate(payment.standing, start=1)
        ],
        "meta_data": [],
    }


def _status(payment: Payment) -> str:
    if payment.last("canceled"):
        return "cancelled"
    if payment.last("failed"):
        return "failed"
    if payment.back >= payment.whole:
        return "refunded"
    return "processing" if payment.paid_at else "pending"


def _gmt(moment: float) -> str:
    return iso(moment).partition("+")[0]


def _call(payment: Payment, _step: Step, _now: float, _chance: random.Random) -> Json:
    body = json.dumps(_order(payment)).encode()
    signed = base64.b64encode(hmac.new(WOOCOMMERCE_SECRET.encode(), body, hashlib.sha256).digest()).decode()
    return callback("woocommerce", body, {"x-wc-webhook-signature": signed, "x-wc-webhook-topic": "order.updated"})


def _answer(things: Things, path: str, query: list[tuple[str, str]], headers: Mapping[str, str]) -> tuple[int, Any]:
    return shop_answers(things, path, dict(query), headers.get("Authorization"))


WOOCOMMERCE = Api(
    "WooCommerce",
    "/wp-json/",
    "woocommerce",
    _things,
    _answer,
    _call,
    calls_again=(),
    environment={"KEYPOST_WOOCOMMERCE_URL": "http://127.0.0.1:9"},
)
