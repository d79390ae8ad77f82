"""The local stack: mailbox, emulator, the deployed template, a sample catalog and a stock of made-up codes."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import string
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import stripe
from standardwebhooks import Webhook

from cli import webhooks
from cli.local.deploy import deploy
from cli.local.emulator import REGION, emulator
from cli.local.event_taker import EventTaker, event_taker
from cli.local.fake_providers import MOLLIE_KEY, STRIPE_KEY, FakeProviders, fake_providers
from cli.local.fake_shops import ADMINISTRATION, MONEYBIRD_KEY, WOOCOMMERCE_KEY
from cli.local.logs import log_lines
from cli.local.mailbox import Mailbox, mailbox, over_http
from cli.local.samples import SHOP, sample_products
from cli.local.shop import Shop
from cli.logs import LogLine
from cli.stacks import Stack, local_session, stack_of
from keypost.core import keys
from keypost.core.errors import KeypostError
from keypost.core.obstacles import obstacles
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.words import FALLBACK, names_of, reader, sentence

NAME = "keypost"
CODES_PER_PRODUCT = 100
PARAMETERS = {
    "Stage": "local",
    "Emulated": "yes",
    "ShopName": SHOP.name,
    "ShopAddress": SHOP.address,
    "ShopKvk": SHOP.kvk_number,
    "ShopPhone": SHOP.phone,
    "MailDomain": SHOP.sender_address.partition("@")[2],
    "SupportAddress": SHOP.support_address,
}

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LocalStack:
    api_url: str
    endpoint_url: str
    outputs: Mapping[str, str]
    mailbox: Mailbox
    providers: FakeProviders
    stripe_webhook_secret: str
    webhook_secret: str
    mollie_token: str
    support_key: str  # with all scopes
    other_signing_secret: str  # of Mollie's next-generation webhook, WooCommerce's and Moneybird's
    session: Any
    stack: Stack
    events: EventTaker  # the shop's program that takes events

    @property
    def support_page_url(self) -> str:
        return f"{self.api_url}/support"

    @property
    def resend_url(self) -> str:
        return f"{self.api_url}/resend"

    @property
    def guide_url(self) -> str:
        return f"{self.api_url}/activate"

    def call(self, path: str, body: bytes | None, headers: Mapping[str, str], method: str = "POST") -> tuple[int, str]:
        """Call the API; returns the status and the body of its answer."""
        request = urllib.request.Request(self.api_url + path, body, dict(headers), method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stripe_calls(self, event: bytes) -> tuple[int, str]:
        """Sign the event with Stripe's own library and post it, as Stripe does."""
        sign = stripe.WebhookSignature.generate_signature_header
        signature = sign(event.decode(), self.stripe_webhook_secret)
        return self.call(
            "/callbacks/stripe", event, {"Stripe-Signature": signature, "Content-Type": "application/json"}
        )

    def shop_calls(self, callback: bytes, message_id: str) -> tuple[int, str]:
        """Sign a callback as Standard Webhooks describes and post it, as a shop's program does."""
        now = datetime.now(UTC)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.webhook_secret).sign(message_id, now, callback.decode()),
            "Content-Type": "application/json",
        }
        return self.call("/callbacks/webhook", callback, headers)

    def mollie_calls(self, payment_id: str) -> tuple[int, str]:
        """Post the id of a payment and nothing else, as Mollie's classic webhook does."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/callbacks/mollie?token={self.mollie_token}"
        return self.call(path, f"id={payment_id}".encode(), headers)

    def woocommerce_calls(self, order: bytes) -> tuple[int, str]:
        """Sign an order as WooCommerce does and post it, as its webhook "Order updated" does."""
        digest = hmac.new(self.other_signing_secret.encode(), order, hashlib.sha256).digest()
        headers = {"X-WC-Webhook-Signature": base64.b64encode(digest).decode(), "X-WC-Webhook-Topic": "order.updated"}
        return self.call("/callbacks/woocommerce", order, headers | {"Content-Type": "application/json"})

    def became(self, order_id: str) -> str:
        """In a sentence for developers, what Keypost makes of an order now. Empty if it has none."""
        order = self.stack.store.load(order_id)
        if order is None:
            return ""
        to = reader(FALLBACK, self.stack.zone, names_of(sample_products(), FALLBACK))
        goods = ", ".join(f"{line.quantity} {to.names.get(line.sku, line.sku)}" for line in order.lines)
        codes = f"{len(order.licenses)} {'code' if len(order.licenses) == 1 else 'codes'}"
        whys = "; ".join(sentence(why, to) for why in obstacles(order))
        twice = "paid twice" if order.is_paid_twice else order.standing
        told = f"{twice}, for {goods or 'nothing known'}, {codes}"
        return f"{told}. It waits: {whys}" if whys else told

    def log_lines(self, function: str = "") -> list[LogLine]:
        """What one function has logged, or all functions have, the oldest line first."""
        return log_lines(self.session, NAME, function)

    def lines_when(self, function: str, is_so: Callable[[str], bool], seconds: float = 30) -> list[LogLine]:
        """What a function has logged, as soon as `is_so` is true of its log. KeypostError if that takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            lines = self.log_lines(function)
            if is_so("\n".join(line.text for line in lines)):
                return lines
            time.sleep(0.05)
        raise _late(f"the log of {function}", seconds)

    def events_when(
        self, order_id: str, is_so: Callable[[list[dict[str, Any]]], bool], seconds: float = 30
    ) -> list[dict[str, Any]]:
        """The events of an order that the shop took, as soon as `is_so` is true of them. KeypostError if that takes too
        long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if is_so(found := self.events.told_of(order_id)):
                return found
            time.sleep(0.05)
        raise _late(f"what the shop took of order {order_id}", seconds)

    def order_when(self, order_id: str, is_so: Callable[[Order], bool], seconds: float = 30) -> Order:
        """The order, as soon as `is_so` is true of it. KeypostError if that takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        order = None
        while time.monotonic() < deadline:
            order = self.stack.store.load(order_id)
            if order and is_so(order):
                return order
            time.sleep(0.05)
        last = f": its last entry is {order.timeline[-1].code!r}" if order and order.timeline else ": there is none"
        raise _late(f"order {order_id}", seconds, last)


def _late(what: str, seconds: float, more: str = "") -> KeypostError:
    return KeypostError(f"{what} did not reach the expected state within {seconds:.0f} s{more}")


@contextmanager
def local_stack(directory: Path, progress: Progress, *, stocked: bool = True) -> Iterator[LocalStack]:
    """Run the whole system while the context lasts. It writes only into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    with mailbox() as box, fake_providers() as providers, event_taker() as events:
        progress("Starting the AWS emulator")
        with emulator(directory, box.url) as endpoint_url:
            box.pass_on = partial(over_http, endpoint_url)
            session = local_session(endpoint_url, REGION)
            progress("Deploying template.yaml")
            apis_url = f"{endpoint_url}/_aws/execute-api"
            where = _where_to_ask(providers.url) | {"PublicUrl": apis_url}
            where |= {"EventsBus": "on", "EventsUrl": events.url}
            outputs = deploy(session, NAME, PARAMETERS | where, directory)
            stack = stack_of(session, outputs)
            support_key, kept = keys.new_key("local", keys.SCOPES, 365, datetime.now(UTC).replace(microsecond=0))
            stack.store.put_support_key(kept)
            local = LocalStack(
                api_url=f"{apis_url}/{outputs['ApiId']}/v1",
                endpoint_url=endpoint_url,
                outputs=outputs,
                mailbox=box,
                providers=providers,
                stripe_webhook_secret="whsec_" + secrets.token_hex(16),
                webhook_secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
                mollie_token=secrets.token_urlsafe(16),
                support_key=support_key,
                other_signing_secret=secrets.token_urlsafe(16),
                session=session,
                stack=stack,
                events=events,
            )
            events.secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
            for name in ("mollie_signing", "woocommerce_signing", "moneybird_signing"):
                stack.secrets.set(name, local.other_signing_secret)
            for name, value in {
                "stripe_signing": local.stripe_webhook_secret,
                "webhook_signing": local.webhook_secret,
                "mollie_token": local.mollie_token,
                "other_signing_secret": local.other_signing_secret,
                "mollie_api_key": MOLLIE_KEY,
                "stripe_api_key": STRIPE_KEY,
                "woocommerce_api_key": WOOCOMMERCE_KEY,
                "moneybird_api_key": MONEYBIRD_KEY,
                "events_signing": events.secret,
            }.items():
                stack.secrets.set(name, value)
            register_webhooks(providers, outputs["ApiUrl"])
            progress("Loading the sample catalog and stock")
            for product in sample_products():
                stack.store.put_product(product)
                if stocked:
                    list(stack.store.add_codes(product.sku, sample_codes(product, CODES_PER_PRODUCT), "sample", None))
            calls = (local.stripe_calls, local.shop_calls, local.mollie_calls, local.woocommerce_calls)
            box.tell = partial(_tell, session.client("sqs"), outputs["FeedbackQueueUrl"])
            pages = (local.support_page_url, local.guide_url, local.resend_url)
            box.shop = Shop(providers, sample_products(), *calls, local.became, *pages, events.told_of)
            yield local


def _where_to_ask(url: str) -> dict[str, str]:
    """The parameters with which Keypost asks the fakes in place of the providers."""
    shops = {"WooCommerceUrl": url, "MoneybirdUrl": url, "MoneybirdAdministration": ADMINISTRATION}
    return {"MollieUrl": url, "StripeUrl": url, **shops}


def register_webhooks(providers: FakeProviders, api_url: str) -> None:
    """The webhooks that an operator makes at the providers, for `keypost doctor`. The fakes do not call them."""
    webhooks.create(webhooks.Account("stripe", providers.url, STRIPE_KEY), f"{api_url}/callbacks/stripe")
    hook = {"id": 1, "status": "active", "topic": "order.updated", "delivery_url": f"{api_url}/callbacks/woocommerce"}
    providers.objects["/wp-json/wc/v3/webhooks/1"] = hook


def _tell(sqs: Any, queue_url: str, event: str) -> None:
    """Put an event of SES into the queue, as EventBridge does."""
    sqs.send_message(QueueUrl=queue_url, MessageBody=event)


def describe(local: LocalStack) -> str:
    """The content of .local/stack.json: how to reach the stack, and the secrets that were made for it."""
    about = {
        "api_url": local.api_url,
        "endpoint_url": local.endpoint_url,
        "region": REGION,
        "stack": NAME,
        "table": local.outputs["TableName"],
        "mailbox_url": local.mailbox.url,
        "stripe_webhook_secret": local.stripe_webhook_secret,
        "webhook_secret": local.webhook_secret,
        **dict.fromkeys(("woocommerce_secret", "moneybird_secret", "mollie_secret"), local.other_signing_secret),
        "mollie_token": local.mollie_token,
        "mollie_url": local.providers.url,
        "stripe_url": local.providers.url,
        "support_key": local.support_key,
        "support_page_url": local.support_page_url,
        "resend_url": local.resend_url,
        "guide_url": local.guide_url,
    }
    return json.dumps(about, indent=2) + "\n"


def sample_codes(product: Product, count: int) -> list[str]:
    """Made-up codes in the form of the product's example."""
    letters = string.ascii_uppercase + string.digits
    return [re.sub(r"[A-Z0-9]", lambda _: secrets.choice(letters), product.code_example) for _ in range(count)]
