"""Stories of the other doors: each provider that calls, the authorizer of the support API, and what only reads."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulator.aws_here import ask_dynamodb
from tests.simulator.faults.at_the_desk import Story
from tests.simulator.faults.deployment import TABLE
from tests.simulator.faults.events import support_event
from tests.simulator.faults.machine import Invocation
from tests.simulator.faults.shop import HOUR, Shop
from tests.simulator.faults.stories import EMAIL, asks, at_provider, bought, purchase

_KEY_ID, _KEY = "0123456789", f"kp_0123456789_{'0' * 64}"
_ARN = "arn:aws:execute-api:eu-west-1:123456789012:api/v1/GET/orders"


def _told_by(shop: Shop, teller: str, order: str) -> None:
    shop.sales[order] = sale = bought(order, payment="4711")
    shop.simulation.tell(order, "order.paid", teller=teller, **sale.bought())
    shop.simulation.run(3 * HOUR)


def by_stripe(shop: Shop) -> None:
    _told_by(shop, "stripe", "o1")


def by_woocommerce(shop: Shop) -> None:
    _told_by(shop, "woocommerce", "9001")


def by_moneybird(shop: Shop) -> None:
    _told_by(shop, "moneybird", "o1")


def by_mollie(shop: Shop) -> None:
    """By its classic calls, which only name the payment."""
    at_provider(shop, "mollie", "refunded")


def by_mollies_events(shop: Shop) -> None:
    """Which are signed; of which kind the calls about an order are follows from its number."""
    at_provider(shop, "mollie", "refunded", "o2")


def by_nobody(shop: Shop) -> None:
    """No callback of Mollie ever comes; the hourly run asks."""
    faults = shop.simulation.faults
    faults.given = {**(faults.given or {}), "callback of Mollie of o1 1": "callback never sent"}
    at_provider(shop, "mollie")


def admitted(shop: Shop) -> None:
    """An agent comes in with a key, and asks again when there is no answer."""
    now = datetime.fromtimestamp(shop.simulation.now, UTC)
    item = {
        "pk": {"S": f"KEY#{_KEY_ID}"},
        "id": {"S": _KEY_ID},
        "digest": {"S": hashlib.sha256(_KEY.encode()).hexdigest()},
        "agent": {"S": "anna"},
        "scopes": {"L": [{"S": "support"}]},
        "created_at": {"S": now.isoformat()},
        "expires_at": {"S": (now + timedelta(days=9)).isoformat()},
    }
    ask_dynamodb("PutItem", TableName=TABLE, Item=item)
    purchase(shop)
    _comes_in(shop)
    shop.simulation.run(HOUR)


def _comes_in(shop: Shop) -> None:
    def over(run: Invocation) -> None:
        if run.has_failed:
            shop.simulation.machine.later(60, lambda: _comes_in(shop))
            return
        assert run.result["policyDocument"]["Statement"][0]["Effect"] == "Allow"
        asks(shop, "resend")

    event = {"type": "TOKEN", "authorizationToken": f"Bearer {_KEY}", "methodArn": _ARN}
    shop.simulation.start("support_auth", event, 5, over)


# What of the support API only reads: with what is asked, in the query or in the body.
READS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("POST", "/orders/search"): {"email": EMAIL},
    ("GET", "/orders"): {},
    ("GET", "/orders/{order_id}"): {},
    ("GET", "/orders/{order_id}/mails/{mail_id}/preview"): {},
    ("GET", "/orders/{order_id}/proof"): {},
    ("POST", "/customers/export"): {"email": EMAIL},
    ("GET", "/export/orders"): {"month": "2026-11"},
    ("GET", "/attention"): {},
    ("GET", "/mails"): {},
    ("GET", "/inbox"): {},
    ("GET", "/due"): {},
    ("GET", "/stock"): {},
    ("POST", "/batches/orders"): {"batch": "batch-6"},
    ("GET", "/products"): {},
}
# The functions of pages that are looked at.
PAGES = ("guide_page", "support_page", "self_service")
_PATH = {"order_id": "o1", "mail_id": "purchase-1"}


def looked_up(shop: Shop) -> None:
    """All that can be looked at, once, which changes nothing; who gets no answer does not ask again."""
    purchase(shop)
    simulation = shop.simulation
    before = simulation.items(), [*simulation.sqs.bodies]
    look(shop)
    assert (simulation.items(), simulation.sqs.bodies) == before


def look(shop: Shop) -> list[Invocation]:
    """The runs that looked, all of which are over."""
    runs: list[Invocation] = []
    for (method, route), asked in READS.items():
        event = support_event(method, route, asked if method == "POST" else {}, _PATH)
        query = {"queryStringParameters": {**asked}} if method == "GET" and asked else {}
        shop.simulation.start("support_api", event | query, 29, runs.append)
        shop.simulation.run(30)
    for function in PAGES:
        event = {"httpMethod": "GET", "headers": {}, "pathParameters": None, "requestContext": {}, "body": None}
        shop.simulation.start(function, event, 30, runs.append)
        shop.simulation.run(30)
    return runs


_SOLD = {"o1": ("purchase-1",)}
AT_THE_DOOR: Mapping[str, Story] = {
    "by stripe": Story(by_stripe, _SOLD),
    "by woocommerce": Story(by_woocommerce, {"9001": ("purchase-1",)}),
    "by moneybird": Story(by_moneybird, _SOLD),
    "by mollie": Story(by_mollie, {"o1": ("purchase-1", "refunded-1")}),
    "by mollie's events": Story(by_mollies_events, {"o2": ("purchase-1", "refunded-1")}),
    "by nobody": Story(by_nobody, _SOLD),
    "admitted": Story(admitted, {"o1": ("purchase-1", "resend-1")}),
    "looked up": Story(looked_up, _SOLD),
}
