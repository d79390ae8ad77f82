"""Values for tests, each the simplest of its kind."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import stripe
from standardwebhooks import Webhook

from cli.local.fake_providers import MOLLIE_KEY, STRIPE_KEY
from keypost.core.contents import with_payment
from keypost.core.order import Order
from keypost.core.payment import Payment, PaymentNotice, PaymentState, with_notice
from keypost.core.product import Kind, Line, Product
from keypost.core.said import Said
from keypost.emails import Shop
from keypost.providers.call import Call
from keypost.table import Store
from keypost.words import reader, sentence

EVENTS = Path(__file__).parents[1] / "events"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Amsterdam")
SKU = "KASPERSKY-STANDARD-3D-1Y"
SESSION = "cs_test_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6a7B8c9"  # as long as those of Stripe
STRIPE_SECRET = "whsec_test_0123456789"
WEBHOOK_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
WOOCOMMERCE_SECRET = "woocommerce-signing-secret"
MONEYBIRD_SECRET = "moneybird-signing-secret"
MOLLIE_TOKEN, MOLLIE_SECRET = "token-of-this-stack", "mollie-signing-secret"
SECRETS = {
    "stripe_signing": STRIPE_SECRET,
    "stripe_api_key": STRIPE_KEY,
    "webhook_signing": WEBHOOK_SECRET,
    "mollie_token": MOLLIE_TOKEN,
    "mollie_signing": MOLLIE_SECRET,
    "mollie_api_key": MOLLIE_KEY,
    "woocommerce_signing": WOOCOMMERCE_SECRET,
    "moneybird_signing": MONEYBIRD_SECRET,
}

PRODUCT = Product(
    sku=SKU,
    vendor="Kaspersky",
    name={"nl": "Kaspersky Standard", "en": "Kaspersky Standard"},
    term_days=365,
    devices=3,
    code_pattern="[A-Z0-9]{5}(-[A-Z0-9]{5}){3}",
    code_example="ABCDE-12345-FGHIJ-67890",
    download_url="https://downloads.example/standard",
    steps={kind: {"nl": ("Open het programma.",), "en": ("Open the program.",)} for kind in Kind},
)
SHOP = Shop(
    name="Voorbeeld Software",
    address="Voorbeeldstraat 1",
    kvk_number="12345678",
    sender_address="licenties@mail.voorbeeld.example",
    support_address="hulp@voorbeeld.example",
    zone=ZONE,
)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def english(what: Said) -> str:
    """The sentence that an English reader in the shop's zone gets."""
    return sentence(what, reader("en", ZONE))


def loaded(store: Store, order_id: str) -> Order:
    order = store.load(order_id)
    assert order is not None
    return order


def product(sku: str) -> Product:
    return replace(PRODUCT, sku=sku)


def code(number: int, prefix: str = "AAAAA") -> str:
    return f"{prefix}-BBBBB-CCCCC-{number:05d}"


def notice(order_id: str = "2026-001234", *lines: Line, **changes: Any) -> PaymentNotice:
    """A paid payment of one license, unless told otherwise."""
    plain = PaymentNotice(
        provider="stripe",
        payment_id=f"cs_{order_id}",
        state=PaymentState.PAID,
        at=NOW,
        order_id=order_id,
        amount="39.95",
        currency="EUR",
        email="facturen@klant.example",
        name="Anna Jansen",
        language="nl",
        lines=lines or (Line(SKU, 1),),
    )
    return replace(plain, **changes)


def paid_order(order_id: str = "2026-001234", *lines: Line, **changes: Any) -> Order:
    return with_payment(None, notice(order_id, *lines, **changes), NOW, "EUR")


def of_customer(order: Order, **changes: Any) -> Order:
    """The order with these changes, of which the name, the address and the language are its customer's."""
    own = {name: changes.pop(name) for name in ("name", "email", "language") if name in changes}
    return replace(order, customer=replace(order.customer, **own), **changes)


def refused(client: Any, operation: str, code: str, times: int = 1) -> Iterator[int]:
    """Have a boto3 client refuse an operation so many times, with this code, before any request leaves. Gives how often
    the operation was asked for, as of each `next`."""
    asked = 0

    def refuse(**_: Any) -> Any:
        nonlocal asked
        asked += 1
        answer = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return (SimpleNamespace(status_code=400), answer) if asked <= times else None

    client.meta.events.register_first(
        f"before-call.{client.meta.service_model.service_id.hyphenize()}.{operation}", refuse
    )
    return iter(lambda: asked, None)


def added_up(notices: Iterable[PaymentNotice]) -> Payment:
    """The one payment that these notices are about."""
    payments: tuple[Payment, ...] = ()
    for each in notices:
        payments, _ = with_notice(payments, each)
    (payment,) = payments
    return payment


def event(path: str) -> Any:
    return json.loads((EVENTS / path).read_text("utf-8"))


def stripe_event(session: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """The recorded event of a paid session, with changes to it and to its session."""
    body = event("stripe/checkout.session.completed.json") | changes
    body["data"]["object"] |= session or {}
    return json.dumps(body).encode()


def a_call(body: bytes, headers: dict[str, str] | None = None, **how: Any) -> Call:
    """A callback as a provider's module sees it, on a test stack at noon of NOW, with no API to ask."""
    plain = Call(body, headers or {}, {}, "test", NOW, ZONE, profile="", get=lambda _path, _query: None)
    return replace(plain, **how)


def stripe_headers(body: bytes, secret: str = STRIPE_SECRET, at: float | None = None) -> dict[str, str]:
    sign = stripe.WebhookSignature.generate_signature_header
    stamp = int(time.time() if at is None else at)
    return {"stripe-signature": sign(body.decode("utf-8", "surrogateescape"), secret, stamp)}


def webhook_headers(body: bytes, secret: str = WEBHOOK_SECRET, at: float | None = None) -> dict[str, str]:
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", moment, body.decode()),
    }
