"""The examples of docs/connecting-a-shop.md, run as they stand: against the system on this machine, with the
providers' own libraries, the shell and whatever other interpreters are here."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mollie
import pytest
import stripe
from mollie.models import WebhookEventTypes

from cli.local.deploy import ROOT
from cli.local.fake_providers import MOLLIE_KEY, STRIPE_KEY
from cli.local.samples import sample_products
from cli.local.stack import LocalStack, sample_codes
from cli.stacks import Stack
from keypost.core.mail import MailState
from keypost.core.order import Order
from keypost.core.payment import PaymentNotice
from keypost.core.product import Kind, Line, Product
from keypost.providers import mollie as mollie_provider
from keypost.providers import moneybird, webhook
from keypost.providers import stripe as stripe_provider
from keypost.providers import woocommerce as woocommerce_provider
from keypost.providers.order_card import read_metadata
from tests.builders import SKU, a_call, event, of_woocommerce
from tests.functions.callbacks import stripe as stripe_calls_here

TEXT = (ROOT / "docs/connecting-a-shop.md").read_text("utf-8")
EXAMPLES = {
    (language, name): code
    for language, name, code in re.findall(r"^```(\w+) ([\w-]+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
}
CALLBACKS = {
    "sh": ["sh", "-eu"],
    "python": [sys.executable, "-W", "error", "-"],
    "php": ["php"],
    "js": ["node", "--input-type=module", "-"],
}
HERE = [language for language in CALLBACKS if language in ("sh", "python") or shutil.which(CALLBACKS[language][0])]
ESET = "ESET-HOME-SECURITY-1D-1Y"
OTHER_SECRET = "whsec_" + "QUJD" * 11


def example(language: str, name: str, order_id: str | None = None) -> str:
    """The code of an example, for another order than the documented one where the stack is shared."""
    code = EXAMPLES[language, name]
    return re.sub(r"2026-0012[0-9]{2}", order_id, code) if order_id else code


def execute(code: str) -> None:
    exec(compile(code, "docs/connecting-a-shop.md", "exec"), {})  # noqa: S102 - what the document says is the subject


def literal(code: str, name: str) -> Any:
    """What Python code assigns to this variable, or says under this key of a map."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
        for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
            if isinstance(key, ast.Constant) and key.value == name:
                return ast.literal_eval(value)
    raise AssertionError(f"no {name} in the example")


def not_said(code: str, facts: dict[str, str]) -> list[str]:
    """The names of the facts that the code does not contain, in the notation of any of the languages."""
    pair = r"""['"]?\b{}\b['"]?\s*(?:=>|:)\s*['"]{}['"]"""
    return [name for name, value in facts.items() if not re.search(pair.format(name, re.escape(value)), code)]


def run_php(code: str, *, before: str = "", after: str = "") -> Any:
    done = subprocess.run(
        ["php"], input=f"<?php {before}\n{code}\n{after}", capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


@pytest.fixture
def shop(local: LocalStack, monkeypatch: pytest.MonkeyPatch) -> LocalStack:
    """The environment of a shop, whose libraries call the providers on this machine."""
    for name, value in {
        "KEYPOST_URL": local.api_url,
        "KEYPOST_MOLLIE_TOKEN": local.mollie_token,
        "KEYPOST_WEBHOOK_SECRET": local.webhook_secret,
        "MOLLIE_API_KEY": MOLLIE_KEY,
        "STRIPE_API_KEY": STRIPE_KEY,
        "STRIPE_PRICE": "price_1SXkeypost",
    }.items():
        monkeypatch.setenv(name, value)
    url = local.providers.url
    monkeypatch.setattr(mollie, "ClientSDK", partial(mollie.ClientSDK, server_url=url))
    monkeypatch.setattr(stripe, "StripeClient", partial(stripe.StripeClient, base_addresses={"api": url}))
    price = event_price()
    monkeypatch.setitem(local.providers.objects, f"/v1/prices/{price['id']}", price)
    return local


def event_price() -> dict[str, Any]:
    """A price at Stripe whose product says its SKU."""
    product = {"id": "prod_1SXkeypost", "object": "product", "metadata": {"sku": SKU}}
    plain = {"id": "price_1SXkeypost", "object": "price", "currency": "eur", "unit_amount": 3995}
    return plain | {"lookup_key": None, "metadata": {}, "product": product}


def product_of(sku: str) -> Product:
    return next(product for product in sample_products() if product.sku == sku)


@pytest.fixture
def served(local: LocalStack) -> Callable[..., Order]:
    """The order after its mail was sent. Enough codes are added first, because all tests share the stock."""

    def wait(order_id: str, pay: Callable[[], None], line: Line) -> Order:
        list(local.stack.store.add_codes(line.sku, sample_codes(product_of(line.sku), line.quantity), None, None))
        pay()
        return local.order_when(order_id, lambda o: bool(o.mails) and o.mails[0].state is MailState.SENT)

    return wait


def made(local: LocalStack, path: str, order_id: str) -> dict[str, Any]:
    """The object that an example created for this order at a provider."""
    found = [o for place, o in local.providers.objects.items() if place.rpartition("/")[0] == path]
    (wanted,) = [o for o in found if (o.get("metadata") or {}).get("order_id") == order_id]
    return wanted


def completed(session: dict[str, Any]) -> bytes:
    """The event of Stripe after this session was paid."""
    body = event("stripe/checkout.session.completed.json") | {"created": int(time.time())}
    paid = {"payment_status": "paid", "status": "complete", "customer_details": {"email": "anna@klant.example"}}
    body["data"]["object"] = session | paid
    return json.dumps(body).encode()


def test_every_example_has_a_test_here() -> None:
    tested = {(language, "callback") for language in CALLBACKS} | {
        ("python", "nightly"),
        ("python", "mollie-payment"),
        ("php", "mollie-payment"),
        ("sh", "mollie-webhook"),
        ("python", "stripe-payment"),
        ("python", "stripe-subscription"),
        ("python", "stripe-line-items"),
        ("php", "woocommerce-card"),
        ("php", "woocommerce-renewal"),
        ("sh", "moneybird-webhook"),
    }

    assert set(EXAMPLES) == tested
    assert TEXT.count("\n```") == 2 * len(tested)


def test_no_example_holds_a_secret() -> None:
    assert re.findall(r"\b(?:whsec|sk|rk|live|test|access)_[A-Za-z0-9+/]{8,}", TEXT) == []


def test_a_payment_made_with_mollies_library_is_served_once_it_is_paid(
    shop: LocalStack, served: Callable[..., Order], capsys: pytest.CaptureFixture[str]
) -> None:
    execute(example("python", "mollie-payment", "example-mollie"))
    payment = made(shop, "/v2/payments", "example-mollie")
    assert capsys.readouterr().out.strip() == payment["_links"]["checkout"]["href"]

    def pay() -> None:
        payment.update(status="paid", paidAt=payment["createdAt"])
        path = payment["webhookUrl"].removeprefix(shop.api_url)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert shop.call(path, f"id={payment['id']}".encode(), form) == (200, "")

    order = served("example-mollie", pay, Line(SKU, 1))
    assert order.lines == (Line(SKU, 1),)
    assert (order.customer.email, order.customer.language) == ("facturen@klant.example", "nl")


def test_the_payment_in_php_is_that_of_the_python_example() -> None:
    python, php = example("python", "mollie-payment"), example("php", "mollie-payment")
    card, amount = literal(python, "card"), literal(python, "amount")

    assert not_said(php, card | amount | {"description": literal(python, "description")}) == []
    if shutil.which("php"):
        stub = r"""namespace Mollie\Api { class MollieApiClient { public $payments; public $asked;
          function __construct() { $this->payments = $this; } function setApiKey($key) {}
          function create($asked) { $this->asked = $asked; return $this; }
          function getCheckoutUrl() { return json_encode($this->asked); } } } namespace {"""
        asked = run_php(php, before=stub, after="}")
        assert (asked["metadata"], asked["amount"]) == (card, amount)
        assert asked["redirectUrl"] == literal(python, "redirect_url")


def given_to_curl(code: str, directory: Path, **environment: str) -> tuple[list[str], Any]:
    """The arguments and the JSON input with which the shell calls curl, which is a stub here."""
    curl = directory / "curl"
    curl.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{directory}/arguments\nexec cat >{directory}/body\n')
    curl.chmod(0o755)
    environment |= {"PATH": f"{directory}:{os.environ['PATH']}", "KEYPOST_URL": "https://keypost.example/v1"}
    subprocess.run(["sh", "-eu"], input=code, text=True, check=True, env=os.environ | environment, timeout=60)
    return (directory / "arguments").read_text().splitlines(), json.loads((directory / "body").read_text())


def test_the_webhook_at_mollie_tells_what_keypost_asks_about(tmp_path: Path) -> None:
    arguments, body = given_to_curl(example("sh", "mollie-webhook"), tmp_path, MOLLIE_ACCESS_TOKEN="of-the-shop")

    assert {"https://api.mollie.com/v2/webhooks", "Authorization: Bearer of-the-shop"} <= set(arguments)
    assert body["url"] == "https://keypost.example/v1/callbacks/mollie-events"
    assert set(body["eventTypes"]) <= {kind.value for kind in WebhookEventTypes}
    asked: list[str] = []

    def get(path: str, _query: object) -> None:
        asked.append(path)

    entities = {"payment-link": "pl_4Y0eZitmBnQ6IDo", "sales-invoice": "invoice_4Y0eZitmBnQ"}
    for kind in body["eventTypes"]:
        name = entities.get(kind.partition(".")[0], "tr_5B8cwPMGnU6qLbRvo7qEZo")
        told = {"resource": "event", "type": kind, "entityId": name, "_embedded": {"entity": {"paymentId": name}}}
        mollie_provider.read_event(a_call(json.dumps(told).encode(), get=get))
    assert len(asked) == len(set(body["eventTypes"]))


def test_the_webhook_at_moneybird_tells_what_keypost_reads(tmp_path: Path) -> None:
    arguments, body = given_to_curl(
        example("sh", "moneybird-webhook"),
        tmp_path,
        MONEYBIRD_TOKEN="of-the-shop",
        MONEYBIRD_ADMINISTRATION="123",
    )

    assert "https://moneybird.com/api/v2/123/webhooks.json" in arguments
    assert "Authorization: Bearer of-the-shop" in arguments
    assert body == {
        "url": "https://keypost.example/v1/callbacks/moneybird",
        "enabled_events": body["enabled_events"],
    }
    assert set(body["enabled_events"]) == moneybird._PAID | {"payment_destroyed"}


def test_a_session_made_with_stripes_library_is_served_once_it_is_paid(
    shop: LocalStack, served: Callable[..., Order], capsys: pytest.CaptureFixture[str]
) -> None:
    execute(example("python", "stripe-payment", "example-stripe"))
    session = made(shop, "/v1/checkout/sessions", "example-stripe")
    assert capsys.readouterr().out.strip() == session["url"]

    def pay() -> None:
        assert shop.stripe_calls(completed(session)) == (200, "")

    order = served("example-stripe", pay, Line(SKU, 1))
    assert order.lines == (Line(SKU, 1),)
    assert (order.customer.email, order.customer.language) == ("facturen@klant.example", "nl")


def test_a_subscription_is_served_by_its_first_invoice_and_renewed_by_the_next(
    shop: LocalStack, served: Callable[..., Order]
) -> None:
    code = example("python", "stripe-subscription", "example-subscription")
    card = literal(code, "card")
    execute(code)  # Stripe's library takes it

    def invoice(reason: str, invoice_id: str) -> bytes:
        body = event("stripe/invoice.paid.json") | {"created": int(time.time())}
        body["data"]["object"] |= {"id": invoice_id, "billing_reason": reason}
        body["data"]["object"]["parent"]["subscription_details"]["metadata"] = card
        return json.dumps(body).encode()

    def pay() -> None:
        assert shop.stripe_calls(invoice("subscription_create", "in_example1")) == (200, "")

    order = served("example-subscription", pay, Line(SKU, 1))
    assert [(line.sku, line.quantity, line.kind) for line in order.lines] == [(SKU, 1, Kind.NEW)]
    (fact,) = stripe_provider.read(a_call(invoice("subscription_cycle", "in_example2")))
    assert fact.order_id == "in_example2"
    assert [(line.kind, line.renews) for line in getattr(fact, "lines", ())] == [
        (Kind.RENEWAL, "example-subscription/1")
    ]


def test_the_quantity_that_the_buyer_sets_is_read_from_stripe(shop: LocalStack, wired: Stack) -> None:
    execute(example("python", "stripe-line-items", "example-items"))
    session = made(shop, "/v1/checkout/sessions", "example-items")
    (item,) = shop.providers.below(f"/v1/checkout/sessions/{session['id']}/line_items")
    item["quantity"] = 3

    assert stripe_calls_here(completed(session))["statusCode"] == 200

    order = wired.store.load("example-items")
    assert order is not None
    assert order.is_paid
    assert order.lines == (Line(SKU, 3),)


def test_the_document_chooses_the_events_that_keypost_reads() -> None:
    table = TEXT.partition("| event | reports |")[2].partition("\n\n")[0]

    assert re.findall(r"`([a-z_.]+)`", table) == list(stripe_provider.EVENTS)


def test_the_card_on_a_payment_of_woocommerces_plugin_is_a_card() -> None:
    """The functions of WordPress and WooCommerce are stubs here. One of the two products is a license."""
    code = example("php", "woocommerce-card")

    assert "'mollie-payments-for-woocommerce_payment_object_metadata'" in code
    assert not_said(code, {"v": "1", "lang": "nl"}) == []
    if shutil.which("php"):
        stub = r"""class Made { public $id; function __construct($id = 0) { $this->id = $id; }
          function get_meta($key) { return $key === 'license_email' ? 'it@klant.example' : ''; }
          function get_items() { return [new Made(7), new Made(8)]; } function get_product_id() { return $this->id; }
          function get_product() { return $this; } function get_sku() { return 'ESET-HOME-SECURITY-1D-1Y'; }
          function get_quantity() { return 2; } }
        function wc_get_order($id) { return new Made($id); }
        function has_term($term, $taxonomy, $id) { return [$term, $taxonomy, $id] === ['licenses', 'product_cat', 8]; }
        function add_filter($name, $filter) { echo json_encode($filter(['order_id' => 1234])); }"""
        told = read_metadata(run_php(code, before=stub))
        assert (told.order_id, told.email, told.lines) == ("1234", "it@klant.example", (Line(ESET, 2),))
        nothing = run_php(code, before=stub.replace("'product_cat', 8", "'product_cat', 9"))
        assert nothing == {"order_id": 1234}


@pytest.mark.parametrize(
    ("asked", "renews"),
    [("LIC-ABCDEFGHIJ", "LIC-ABCDEFGHIJ"), ("1201/1", "1201/1"), ("<b>", None), (["A"], None), (None, None)],
)
def test_what_the_link_of_a_reminder_names_is_noted_on_the_line_of_the_order(asked: Any, renews: str | None) -> None:
    """The functions of WordPress and WooCommerce are stubs here."""
    code = example("php", "woocommerce-renewal")

    assert {"'woocommerce_add_cart_item_data'", "'woocommerce_checkout_create_order_line_item'"} <= set(
        re.findall(r"'woocommerce_\w+'", code)
    )
    if shutil.which("php"):
        stub = """$made = []; function add_filter($name, $made) { $GLOBALS['made'][] = $made; }
          function add_action($name, $made, $rank, $count) { $GLOBALS['made'][] = $made; }
          class Item { public $meta = []; function add_meta_data($key, $value, $unique) {
            $this->meta[] = ['key' => $key, 'value' => $value]; } }"""
        given = f"$_GET = json_decode('{json.dumps({} if asked is None else {'keypost_renews': asked})}', true);"
        checkout = "$item = new Item(); $made[1]($item, 'a', $made[0]([])); echo json_encode($item->meta);"
        noted = run_php(code, before=stub, after=given + checkout)
        line = {"sku": SKU, "quantity": 1, "meta_data": noted}
        (fact,) = woocommerce_provider.read(a_call(of_woocommerce(line_items=[line])))
        assert isinstance(fact, PaymentNotice)
        assert [line.renews for line in fact.lines] == [renews]


@pytest.mark.parametrize("language", CALLBACKS)
def test_the_callback_says_the_same_in_every_language(language: str) -> None:
    code = example(language, "callback")
    python = example("python", "callback")
    facts = literal(python, "card") | literal(python, "paid") | {"type": literal(python, "type")}

    assert not_said(code, facts) == []
    for part in ("KEYPOST_URL", "KEYPOST_WEBHOOK_SECRET", "/callbacks/webhook", "2026-001237-paid", "v1,"):
        assert part in code
    assert [name for name in webhook._HEADERS if name not in code] == []


@pytest.mark.parametrize("language", HERE)
def test_the_callback_is_accepted_and_served(shop: LocalStack, served: Callable[..., Order], language: str) -> None:
    order_id = f"example-{language}"

    def pay() -> None:
        done = call_back(language, example(language, "callback", order_id))
        assert done.returncode == 0, done.stderr

    order = served(order_id, pay, Line(ESET, 2))
    assert order.lines == (Line(ESET, 2),)
    assert (order.customer.email, order.customer.language) == ("facturen@klant.example", "nl")
    assert [(payment.amount, payment.currency) for payment in order.payments] == [("79.90", "EUR")]


@pytest.mark.parametrize("language", HERE)
def test_the_callback_ends_with_an_error_when_it_is_refused(
    shop: LocalStack, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("KEYPOST_WEBHOOK_SECRET", OTHER_SECRET)

    done = call_back(language, example(language, "callback", "example-forged"))

    assert done.returncode != 0
    assert "401" in done.stdout + done.stderr
    assert shop.stack.store.load("example-forged") is None


def test_a_job_at_night_tells_everything_again_and_prints_what_somebody_should_look_at(
    shop: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bought = {"currency": "EUR", "amount": "79.90", "email": "facturen@klant.example"}
    card = {"v": "1", "lang": "nl", "line_1": f"{ESET}|2"}
    told = [
        {"type": "order.paid", "data": {"order_id": "nightly-paid", **bought, **card}},
        {"type": "order.open", "data": {"order_id": "nightly-open", **bought, **card}},
        {"type": "order.paid", "data": {"order_id": "nightly-held", **bought, **card, "currency": "USD"}},
        {"type": "order.canceled", "data": {"order_id": "nightly-canceled"}},
    ]
    monkeypatch.chdir(tmp_path)
    Path("told-today.jsonl").write_text("".join(f"{json.dumps(body)}\n" for body in told))
    list(shop.stack.store.add_codes(ESET, sample_codes(product_of(ESET), 2), None, None))

    for _ in range(2):
        execute(example("python", "nightly"))
        assert capsys.readouterr().out == "nightly-open open\nnightly-held held\n"


def call_back(language: str, code: str) -> subprocess.CompletedProcess[str]:
    for program in ("openssl", "curl") if language == "sh" else ():
        assert shutil.which(program), f"install {program}: the example for the shell is run with it"
    code = f"<?php\n{code}" if language == "php" else code
    return subprocess.run(CALLBACKS[language], input=code, capture_output=True, text=True, check=False, timeout=60)


def test_the_callback_of_the_order_card_page_is_read() -> None:
    (body,) = re.findall(
        r"^```json\n(.*?)^```$", (ROOT / "docs/order-card.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )

    (notice,) = webhook.read(a_call(body.encode(), stage="local"))

    assert notice.order_id == "2026-001235"
    assert getattr(notice, "lines", ()) == (Line(ESET, 2),)
