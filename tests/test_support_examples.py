"""The examples of docs/support.md, run as they stand against the system on this machine."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.local.deploy import ROOT
from cli.local.samples import sample_products
from cli.local.stack import LocalStack, sample_codes
from keypost.api.app import ROUTES
from keypost.core.mail import Fate, MailState
from keypost.core.order import Order
from keypost.core.payment import Refunded
from keypost.core.product import Kind, Line
from tests.builders import paid_order
from tests.deployed import KASPERSKY, PRODUCTS, empty, is_mailed, paid_session

pytestmark = [pytest.mark.journey, pytest.mark.needs("curl")]

TEXT = (ROOT / "docs/support.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"^```sh ([\w-]+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
Sold = Callable[[str], Order]
PLUS = "KASPERSKY-PLUS-3D-1Y"


@pytest.fixture
def run(local: LocalStack) -> Any:
    """Run an example; returns the JSON that it prints."""

    return lambda name, order=None: json.loads(printed_by(name, local, order))


def printed_by(name: str, local: LocalStack, order: Order | None = None) -> str:
    """What an example prints, with the names of this order in it."""
    code = EXAMPLES[name]
    if order:
        names = {"2026-001234": order.id, "facturen@klant.example": order.customer.email or ""}
        for written, meant in (names | {"LIC-ABCDEFGH23": order.licenses[0].id}).items():
            code = code.replace(written, meant)
    environment = {"KEYPOST_URL": local.api_url, "KEYPOST_KEY": local.support_key, "PATH": "/usr/bin:/bin"}
    done: subprocess.CompletedProcess[bytes] = subprocess.run(
        ["sh", "-eu"], input=code.encode(), env=environment, capture_output=True, check=True, timeout=60
    )
    return done.stdout.decode()


@pytest.fixture
def sold(local: LocalStack) -> Callable[[str], Order]:
    """Create an order whose mail was sent."""

    def sell(order_id: str) -> Order:
        list(local.stack.store.add_codes(KASPERSKY, sample_codes(PRODUCTS[KASPERSKY], 1), None, None))
        assert local.stripe_calls(paid_session(order_id)) == (200, "")
        return local.order_when(order_id, is_mailed)

    return sell


@pytest.fixture
def tidied(local: LocalStack) -> Iterator[None]:
    """Remove the code and the product of the examples afterwards."""
    yield
    empty(local, PLUS)
    client, table = local.session.client("dynamodb"), local.outputs["TableName"]
    for key in ("PRODUCT#EXAMPLE-1D-1Y", "CATALOG"):
        client.delete_item(TableName=table, Key={"pk": {"S": key}})
    for product in sample_products():
        local.stack.store.put_product(product)


def test_every_example_has_a_test_here() -> None:
    read = {
        "search",
        "search-text",
        "orders",
        "mails",
        "story",
        "mail",
        "due",
        "attention",
        "inbox",
        "stock",
        "import-preview",
        "import",
        "withdraw-codes",
        "batch-orders",
        "products",
        "put-product",
    }
    acting = {"mails-resend", "resend", "email", "replace", "hold", "release", "contents", "export", "erase"}
    acting |= {"export-month", "renewal", "stop-renewal", "proof"}
    putting_right = {"resend-once", "customer", "note", "stop-reminders", "license-refunded", "move"}
    tested = read | acting | putting_right | {"by-hand", "withdraw", "lift-complaint"}

    assert set(EXAMPLES) == tested
    assert TEXT.count("\n```") == 2 * (len(tested) + 1)


def test_a_renewal_is_stopped_and_goes_on_after_all(run: Any, local: LocalStack) -> None:
    line = Line(KASPERSKY, 1, Kind.RENEWAL, "2019-000001")
    list(local.stack.store.add_codes(KASPERSKY, sample_codes(PRODUCTS[KASPERSKY], 1), None, None))
    local.stack.store.save(paid_order("2026-001236", line))

    assert run("stop-renewal")["next"]["code"] == "refund_stopped"
    told = run("renewal")
    local.order_when(
        "2026-001236", lambda order: bool(order.licenses)
    )  # it takes no code from the order of another test

    assert (told["order_id"], told["renews"]) == ("2026-001236", "2019-000001")


def test_the_document_lists_every_route_with_its_scope_and_no_other() -> None:
    listed = re.findall(r"^\| `([A-Z]+) (/[^`]*)` \| `(\w+)` \|", TEXT, re.MULTILINE)

    assert {(method, path): scope for method, path, scope in listed} == {
        route: access.scope for route, access in ROUTES.items()
    }


def test_an_order_is_found_and_told(run: Any, sold: Sold, local: LocalStack) -> None:
    order = sold("example-support")

    assert [found["order_id"] for found in run("search", order)["orders"]] == [order.id]

    assert set(run("search-text")) == {"orders", "total", "zone", "unreadable", "next", "looked", "names"}
    assert {"day", "mails", "next", "orders", "unreadable"} == set(run("mails"))
    assert f"Bewijs van levering van bestelling {order.id}" in printed_by("proof", local, order)
    headers, _, month = printed_by("export-month", local).partition("\r\n\r\n")
    assert "text/csv" in headers
    assert month.startswith("\ufeffDatum;Tijd;Bestelling;")
    assert {"day", "sent", "left_out", "next", "done", "orders"} == set(run("mails-resend"))
    assert set(run("orders")) == {"orders", "next", "looked", "zone", "unreadable", "names"}

    told = run("story", order)
    assert told["mails"][0]["state"] == "sent"
    fields = re.findall(r"^\| (`.*?) \|", TEXT.partition("## The whole story")[2].partition("\n## ")[0], re.MULTILINE)
    listed = set(re.findall(r"`(\w+)`", "".join(fields)))
    assert order.licenses[0].code not in run("mail", order)["text"]
    assert listed | {"order_id", "created_at", "held", "canceled", "erased", "problem", "belongs_to"} == set(told)


def test_an_order_is_sent_again_swapped_and_corrected(run: Any, sold: Sold, local: LocalStack) -> None:
    order = sold("example-acts")

    mail = run("resend", order)["mail"]
    local.order_when(order.id, lambda order: order.mail(mail).state is MailState.SENT)
    list(local.stack.store.add_codes(KASPERSKY, sample_codes(PRODUCTS[KASPERSKY], 1), None, None))
    swapped = run("replace", order)["mail"]
    local.order_when(order.id, lambda order: order.mail(swapped).state is MailState.SENT)
    assert run("email", order)["order_ids"] == [order.id]

    assert local.order_when(order.id, lambda order: order.customer.email == "anna@klant.example").bad_codes


def test_an_order_is_put_right_and_its_license_moves(run: Any, sold: Sold, local: LocalStack) -> None:
    order = sold("example-right")

    assert run("resend-once", order)["to"] == "beheer@partner.example"
    corrected = run("customer", order)
    assert (order.id in corrected["order_ids"], corrected["name"]) == (True, "Anna de Boer")
    assert run("note", order) == run("stop-reminders", order) == {"order_id": order.id}
    moved = run("move", order)
    assert (moved["moved_from"], moved["license"]) == (order.id, order.licenses[0].id)

    local.order_when(moved["order_id"], is_mailed)


def test_an_order_is_made_by_hand_once_and_withdrawn(run: Any, local: LocalStack) -> None:
    list(local.stack.store.add_codes(KASPERSKY, sample_codes(PRODUCTS[KASPERSKY], 1), None, None))

    made, again = run("by-hand"), run("by-hand")
    order = local.order_when(made["order_id"], is_mailed)
    withdrawn = run("withdraw", order)

    assert (made, withdrawn) == (again, {"order_id": order.id})
    assert local.order_when(order.id, lambda order: order.is_withdrawn).by_hand


def test_a_refunded_license_is_named_and_a_complaint_lifted(run: Any, sold: Sold, local: LocalStack) -> None:
    order = sold("example-named")
    now = datetime.now(UTC).replace(microsecond=0)
    back = replace(order.payments[0], refunded=(Refunded(now, "5.00"),))
    local.stack.store.change_existing(order.id, lambda latest: replace(latest, payments=(back,)))
    local.stack.store.put_bad_address(order.customer.email or "", Fate.COMPLAINED, now)

    assert run("license-refunded", order) == run("lift-complaint", order) == {"order_id": order.id}

    assert local.order_when(order.id, lambda order: bool(order.gone)).gone_for("refunded") == {order.licenses[0].id}


def test_an_order_is_held_released_exported_and_erased(run: Any, sold: Sold, local: LocalStack) -> None:
    order = sold("example-holds")

    assert run("hold", order) == run("release", order) == {"order_id": order.id}
    assert [each["order_id"] for each in run("export", order)["orders"]] == [order.id]
    assert run("erase", order) == {"order_ids": [order.id], "subscriptions": [], "later": [], "linked": []}

    assert local.order_when(order.id, lambda order: order.is_erased).customer.email is None


def test_what_an_order_is_for_is_settled_and_each_telling_has_the_fields_of_the_table(
    run: Any, sold: Sold, local: LocalStack
) -> None:
    order = sold("example-contents")
    other = f"{order.id}-other@klant.example"
    card = {"v": "1", "order_id": order.id, "email": other, "line_1": f"{KASPERSKY}|1"}
    local.stripe_calls(paid_session(order.id, id="cs_test_example_other", payment_intent="pi_other", metadata=card))
    differs = run("story", order)
    assert [each["code"] for each in differs["obstacles"]] == ["contents"]
    told = [word for payment in differs["payments"] for word in payment["told"]]
    assert sorted(word["email"] for word in told) == sorted([str(order.customer.email), other])
    (row,) = re.findall(r"^\| `payments\[\]\.told` \| (.*) \|$", TEXT, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) - {"null"} == set(told[0])

    assert run("contents", order) == {"order_id": order.id, "own_order": None}

    settled = run("story", order)
    assert (settled["obstacles"], settled["timeline"][-1]["words"]) == ([], "asked the customer")


def test_what_is_to_come_and_in_stock_is_told(run: Any) -> None:
    assert isinstance(run("due"), list)
    assert set(run("attention")) == {"counts", "items", "next", "zone", "names"}
    assert set(run("inbox")) == {"items", "next"}
    assert PLUS in [product["sku"] for product in run("stock")["stock"]]


@pytest.mark.usefixtures("tidied")
def test_codes_are_looked_at_and_imported(run: Any) -> None:
    preview = run("import-preview")
    assert (preview["added"], [fault["line"] for fault in preview["invalid"]]) == (1, [2])

    assert run("import")["added"] == 1
    assert run("import")["duplicate_count"] == 1
    assert run("withdraw-codes")["done"] == 1
    assert run("batch-orders")["progress"]["state"] == "not begun"


@pytest.mark.usefixtures("tidied")
def test_a_product_is_put_into_the_catalog(run: Any) -> None:
    assert run("put-product") == {"sku": "EXAMPLE-1D-1Y", "looked_at": 0}
    assert "EXAMPLE-1D-1Y" in [product["sku"] for product in run("products")["products"]]
