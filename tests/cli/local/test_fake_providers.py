"""The promises of the fake providers, tested through the providers' own clients where they are installed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import stripe
import urllib3

from cli.local.fake_providers import MOLLIE_KEY, STRIPE_KEY, FakeProviders, fake_providers
from tests.builders import event

Asked = tuple[int, dict[str, Any]]


@pytest.fixture
def fake() -> Iterator[FakeProviders]:
    with fake_providers() as fake:
        yield fake


def ask(fake: FakeProviders, path: str, key: str | None = None, method: str = "GET", **how: Any) -> Asked:
    key = key or (STRIPE_KEY if path.startswith("/v1/") else MOLLIE_KEY)
    with urllib3.PoolManager() as pool:
        answer = pool.request(method, fake.url + path, headers={"Authorization": f"Bearer {key}"}, **how)
        return answer.status, json.loads(answer.data) if answer.data else {}


@pytest.fixture
def stripe_library(fake: FakeProviders) -> stripe.StripeClient:
    return stripe.StripeClient(STRIPE_KEY, base_addresses={"api": fake.url})


def put(fake: FakeProviders, *payments: dict[str, Any]) -> None:
    for payment in payments:
        fake.objects[f"/v2/payments/{payment['id']}"] = payment


def money(value: str) -> dict[str, str]:
    return {"currency": "EUR", "value": value}


def payment(name: str, minute: int, **more: Any) -> dict[str, Any]:
    return {"id": name, "createdAt": f"2026-11-20T09:{minute:02}:00+00:00", "amount": money("39.95"), **more}


REFUNDS = [
    {"id": "re_1", "status": "refunded", "amount": money("10.00"), "createdAt": "2026-11-21T09:00:00+00:00"},
    {"id": "re_2", "status": "failed", "amount": money("5.00"), "createdAt": "2026-11-22T09:00:00+00:00"},
]
CHARGEBACKS = [{"id": "chb_1", "amount": money("39.95"), "createdAt": "2026-11-23T09:00:00+00:00"}]


@pytest.mark.parametrize(
    "path", ["/v2/customers/cst_1/subscriptions/sub_1", "/v2/sales-invoices/invoice_1", "/v1/prices/price_1"]
)
def test_what_the_control_route_stored_is_answered_and_only_with_the_key_of_its_api(
    fake: FakeProviders, path: str
) -> None:
    thing = {"id": path.rpartition("/")[2], "metadata": {"v": "1"}}

    assert ask(fake, f"/control{path}", method="PUT", json=thing)[0] == 204

    assert ask(fake, path) == (200, thing)
    assert ask(fake, path, "test_guess")[0] == 401
    assert ask(fake, path, MOLLIE_KEY if path.startswith("/v1/") else STRIPE_KEY)[0] == 401
    assert fake.asked == [path] * 3


def test_each_api_refuses_in_its_own_words(fake: FakeProviders) -> None:
    assert ask(fake, "/v2/payments/tr_x") == (
        404,
        {"status": 404, "title": "Not Found", "detail": "No payment exists with token tr_x."},
    )
    assert set(ask(fake, "/v2/payments/tr_x", "test_guess")[1]) == {"status", "title", "detail"}
    status, body = ask(fake, "/v1/prices/price_x")
    assert (status, body["error"]["code"], body["error"]["message"]) == (
        404,
        "resource_missing",
        "No such price: 'price_x'",
    )
    assert ask(fake, "/v1/prices/price_x", "sk_test_guess")[1]["error"]["type"] == "invalid_request_error"


def test_a_payment_gives_its_refunds_and_chargebacks_only_when_asked_for_and_their_sums_always(
    fake: FakeProviders,
) -> None:
    put(fake, payment("tr_1", 1, _embedded={"refunds": REFUNDS, "chargebacks": CHARGEBACKS}))

    plain = ask(fake, "/v2/payments/tr_1")[1]
    assert "_embedded" not in plain
    assert (plain["amountRefunded"], plain["amountChargedBack"]) == (money("10.00"), money("39.95"))
    assert ask(fake, "/v2/payments/tr_1?embed=refunds")[1]["_embedded"] == {"refunds": REFUNDS}
    assert set(ask(fake, "/v2/payments/tr_1?embed=refunds,chargebacks")[1]["_embedded"]) == {"refunds", "chargebacks"}
    assert ask(fake, "/v2/payments")[1]["_embedded"]["payments"] == [plain]


def test_a_reversed_chargeback_is_money_that_came_back(fake: FakeProviders) -> None:
    reversed_ = [CHARGEBACKS[0] | {"reversedAt": "2026-11-24T09:00:00+00:00"}]
    put(fake, payment("tr_1", 1, _embedded={"chargebacks": reversed_}))

    assert "amountChargedBack" not in ask(fake, "/v2/payments/tr_1")[1]


@pytest.mark.parametrize("under", ["/v2/payments", "/v2/payment-links/pl_1/payments"])
def test_mollies_lists_are_newest_first_and_read_page_by_page(fake: FakeProviders, under: str) -> None:
    for minute in (1, 3, 2, 5, 4):
        fake.objects[f"{under}/tr_{minute}"] = payment(f"tr_{minute}", minute)

    pages, path = [], f"{under}?limit=2"
    while path:
        answer = ask(fake, path)[1]
        assert answer["count"] == len(answer["_embedded"]["payments"])
        pages.append([found["id"] for found in answer["_embedded"]["payments"]])
        following = answer["_links"]["next"]
        path = following["href"].removeprefix(fake.url) if following else ""

    assert pages == [["tr_5", "tr_4"], ["tr_3", "tr_2"], ["tr_1"]]


@pytest.mark.parametrize(("under", "key"), [("/v2/payment-links", "payment_links"), ("/v2/sales-invoices", "invoices")])
def test_links_and_invoices_are_listed_under_the_names_that_mollie_gives_them(
    fake: FakeProviders, under: str, key: str
) -> None:
    things = [{"id": f"thing_{minute}", "createdAt": f"2026-11-20T09:0{minute}:00+00:00"} for minute in (1, 2)]
    fake.objects |= {f"{under}/{each['id']}": each for each in things}
    fake.objects[f"{under}/thing_1/payments/tr_1"] = payment("tr_1", 1)

    assert ask(fake, under)[1]["_embedded"] == {key: things[::-1]}


def test_refunds_and_chargebacks_of_all_payments_are_listed_with_their_payment(fake: FakeProviders) -> None:
    put(fake, payment("tr_1", 1, _embedded={"refunds": REFUNDS[:1], "chargebacks": CHARGEBACKS}), payment("tr_2", 2))
    put(fake, payment("tr_3", 3, _embedded={"refunds": REFUNDS[1:], "chargebacks": []}))

    refunds = ask(fake, "/v2/refunds")[1]["_embedded"]["refunds"]
    assert [(refund["id"], refund["paymentId"]) for refund in refunds] == [("re_2", "tr_3"), ("re_1", "tr_1")]
    assert ask(fake, "/v2/chargebacks")[1]["_embedded"]["chargebacks"] == [CHARGEBACKS[0] | {"paymentId": "tr_1"}]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/payments?limit=250", 200),
        ("/v2/payments?limit=251", 400),
        ("/v2/payments?limit=x", 400),
        ("/v2/payments?from=tr_x", 404),
        ("/v1/events?limit=100", 200),
        ("/v1/events?limit=101", 400),
        ("/v1/events?starting_after=evt_x", 404),
        ("/v1/payouts", 404),
        ("/", 404),
    ],
)
def test_a_page_that_the_provider_would_not_give_is_refused(fake: FakeProviders, path: str, status: int) -> None:
    assert ask(fake, path, STRIPE_KEY if path.startswith("/v1/") else MOLLIE_KEY)[0] == status


def test_stripes_library_reads_the_events_it_asked_for_newest_first_over_all_pages(
    fake: FakeProviders, stripe_library: stripe.StripeClient
) -> None:
    plain = event("stripe/charge.refunded.json")
    for number in range(25):
        kind = "charge.refunded" if number % 2 else "checkout.session.completed"
        fake.objects[f"/v1/events/evt_{number}"] = plain | {"id": f"evt_{number}", "created": number, "type": kind}

    listed = stripe_library.v1.events.list({"created": {"gte": 5}, "types": ["charge.refunded"], "limit": 3})

    assert [found.id for found in listed.auto_paging_iter()] == [f"evt_{n}" for n in range(23, 4, -2)]
    assert len(stripe_library.v1.events.list().data) == 10
    assert stripe_library.v1.events.list().has_more


def test_the_lines_of_an_invoice_stay_in_their_order(fake: FakeProviders, stripe_library: stripe.StripeClient) -> None:
    for name in ("il_b", "il_a", "il_c"):
        fake.objects[f"/v1/invoices/in_1/lines/{name}"] = {"id": name, "object": "line_item"}

    found = stripe_library.v1.invoices.line_items.list("in_1", {"limit": 2})

    assert ([line.id for line in found.data], found.has_more) == (["il_b", "il_a"], True)


def test_the_invoice_of_a_payment_intent_is_found(fake: FakeProviders, stripe_library: stripe.StripeClient) -> None:
    for number in (1, 2):
        paid_by = {"type": "payment_intent", "payment_intent": f"pi_{number}"}
        found = {"id": f"inpay_{number}", "object": "invoice_payment", "created": 1, "payment": paid_by}
        fake.objects[f"/v1/invoice_payments/inpay_{number}"] = found | {"invoice": f"in_{number}"}

    query: Any = {"payment": {"type": "payment_intent", "payment_intent": "pi_2"}}
    assert [found.invoice for found in stripe_library.v1.invoice_payments.list(query).data] == ["in_2"]


def test_stripes_library_makes_a_session_that_waits_for_its_money(
    fake: FakeProviders, stripe_library: stripe.StripeClient
) -> None:
    card = {"v": "1", "order_id": "2026-001234", "line_1": "KASPERSKY-STANDARD-3D-1Y|2|new"}
    fake.objects["/v1/prices/price_1"] = {"id": "price_1", "object": "price", "unit_amount": 1000, "currency": "eur"}

    session = stripe_library.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "customer_email": "anna@klant.example",
            "success_url": "https://shop.example/bedankt",
            "metadata": card,
            "payment_intent_data": {"metadata": card},
            "line_items": [
                {
                    "quantity": 2,
                    "price_data": {"currency": "eur", "unit_amount": 3995, "product_data": {"name": "Kaspersky"}},
                },
                {"quantity": 1, "price": "price_1"},
            ],
        }
    )

    assert re.fullmatch(r"cs_test_[A-Za-z0-9]{58}", session.id)
    kept = fake.objects[f"/v1/checkout/sessions/{session.id}"]
    assert (kept["payment_status"], kept["metadata"], kept["amount_total"]) == ("unpaid", card, 8990)
    assert fake.objects[f"/v1/payment_intents/{kept['payment_intent']}"]["metadata"] == card
    items = stripe_library.v1.checkout.sessions.line_items.list(session.id)
    assert [(item.quantity, item.amount_total) for item in items.data] == [(2, 7990), (1, 1000)]


def test_a_payment_is_made_open_and_can_be_asked_for(fake: FakeProviders) -> None:
    wanted = {
        "amount": money("39.95"),
        "description": "Bestelling 2026-001236",
        "redirectUrl": "https://shop.example/bedankt",
        "webhookUrl": "https://api.example/callbacks/mollie?token=x",
        "metadata": {"v": "1", "order_id": "2026-001236"},
        "lines": [{"sku": "KASPERSKY-STANDARD-3D-1Y"}],
        "billingAddress": {"email": "anna@klant.example"},
    }

    status, made = ask(fake, "/v2/payments", method="POST", json=wanted)

    assert status == 201
    assert re.fullmatch(r"tr_[A-Za-z0-9]{22}", made["id"])
    assert (made["status"], made["mode"]) == ("open", "test")
    assert {name: made[name] for name in wanted} == wanted
    assert made["_links"]["checkout"]["href"].startswith("https://")
    assert ask(fake, f"/v2/payments/{made['id']}") == (200, made)


@pytest.mark.parametrize(("body", "status"), [(b"{}", 422), (b"[]", 400), (b"x", 400)])
def test_a_payment_without_its_needful_is_not_made(fake: FakeProviders, body: bytes, status: int) -> None:
    assert ask(fake, "/v2/payments", method="POST", body=body)[0] == status
    assert fake.objects == {}
