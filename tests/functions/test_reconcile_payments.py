import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

import reconcile_payments
from cli.local.fake_providers import STRIPE_KEY
from cli.local.fake_shops import ADMINISTRATION
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.errors import KeypostError
from keypost.core.payment import Standing
from tests.builders import Context, counted, event, loaded, pokes, without_start

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _nothing_happened_yet(local: LocalStack) -> None:
    local.providers.objects.clear()


def run(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        reconcile_payments.handler({}, Context())


def paid_at_mollie(local: LocalStack, name: str, paid: datetime, **changes: Any) -> str:
    """A payment that no callback reported; its order has the same name."""
    card = {"v": "1", "order_id": name, "email": "a@klant.example", "line_1": "KASPERSKY-STANDARD-3D-1Y|1"}
    payment = event("mollie/payment.json") | {
        "id": f"tr_{name}Payment",
        "createdAt": (paid - timedelta(minutes=1)).isoformat(),
        "paidAt": paid.isoformat(),
        "metadata": card,
        **changes,
    }
    local.providers.objects[f"/v2/payments/{payment['id']}"] = payment
    return name


def paid_at_stripe(local: LocalStack, name: str, paid: datetime) -> str:
    happened = event("stripe/checkout.session.completed.json") | {"id": f"evt_{name}", "created": int(paid.timestamp())}
    session = happened["data"]["object"]
    session |= {"id": f"cs_test_{name}", "payment_intent": f"pi_{name}", "created": int(paid.timestamp())}
    session["metadata"] |= {"order_id": name}
    local.providers.objects[f"/v1/events/evt_{name}"] = happened
    return name


def paid_in_the_shop(local: LocalStack, name: str, paid: datetime) -> str:
    """An order at WooCommerce whose webhook never came."""
    moment = f"{paid:%Y-%m-%dT%H:%M:%S}"
    order = event("woocommerce/order.updated.json") | {"date_paid_gmt": moment, "date_modified_gmt": moment}
    order["id"] = int.from_bytes(name.encode())
    local.providers.objects[f"/wp-json/wc/v3/orders/{order['id']}"] = order
    return str(order["id"])


def paid_by_invoice(local: LocalStack, name: str, paid: datetime) -> str:
    """An invoice at Moneybird of which it told nobody."""
    invoice = event("moneybird/sales_invoice_state_changed_to_paid.json")["entity"]
    invoice |= {"id": str(int.from_bytes(name.encode())), "invoice_id": name}
    invoice |= {"paid_at": f"{paid:%Y-%m-%d}", "updated_at": f"{paid:%Y-%m-%dT%H:%M:%S}.128Z"}
    invoice["payments"][0] |= {"created_at": invoice["updated_at"]}
    local.providers.objects[f"/api/v2/{ADMINISTRATION}/sales_invoices/{invoice['id']}"] = invoice
    return str(invoice["invoice_id"])


WAYS = [paid_at_mollie, paid_at_stripe, paid_in_the_shop, paid_by_invoice]


@pytest.mark.parametrize("pay", WAYS)
def test_a_payment_that_no_callback_told_is_found_and_poked_once(
    wired: Stack, local: LocalStack, logged: io.StringIO, pay: Any
) -> None:
    run(START)
    name = pay(local, "lost", START + HOUR / 2)

    run(START + HOUR)
    run(START + 2 * HOUR)

    order = wired.store.load(name)
    assert order is not None
    assert order.is_paid
    assert order.version == 1
    assert pokes(wired, local) == [name]
    assert logged.getvalue().count('"PaymentRecovered"') == 1


@pytest.mark.parametrize("pay", WAYS)
def test_a_first_run_asks_for_nothing_older_than_a_day(wired: Stack, local: LocalStack, pay: Any) -> None:
    without_start(wired.store)
    past, new = pay(local, "past", START - 25 * HOUR), pay(local, "new", START - 23 * HOUR)

    run(START)
    run(START + HOUR)

    assert wired.store.start() == START - 24 * HOUR
    assert wired.store.load(past) is None
    assert loaded(wired.store, new).is_paid


def test_a_payment_that_is_removed_in_the_books_is_found_without_a_callback(wired: Stack, local: LocalStack) -> None:
    run(START)
    name = paid_by_invoice(local, "removed", START + HOUR / 2)
    run(START + HOUR)

    (invoice,) = local.providers.objects.values()
    changed = f"{START + 1.5 * HOUR:%Y-%m-%dT%H:%M:%SZ}"
    invoice |= {"state": "open", "payments": [], "paid_at": None, "updated_at": changed}
    run(START + 2 * HOUR)
    run(START + 3 * HOUR)

    assert loaded(wired.store, name).standing is Standing.DISPUTED
    assert loaded(wired.store, name).version == 2


def test_an_invoice_that_nobody_has_paid_leaves_nothing_behind(wired: Stack, local: LocalStack) -> None:
    run(START)
    name = paid_by_invoice(local, "open", START + HOUR / 2)
    (invoice,) = local.providers.objects.values()
    invoice |= {"state": "open", "payments": [], "paid_at": None}

    run(START + HOUR)

    assert wired.store.load(name) is None
    assert [*wired.store._batch_get([f"PAYMENT#moneybird:{invoice['id']}"])] == []


def test_after_a_long_outage_a_run_goes_back_to_the_last_that_went_well(wired: Stack, local: LocalStack) -> None:
    run(START)
    name = paid_at_mollie(local, "outage", START + HOUR)

    run(START + timedelta(days=9))

    assert wired.store.load(name) is not None


@pytest.mark.parametrize("pay", WAYS)
def test_what_the_last_run_that_went_well_was_not_shown_yet_is_found_after_a_long_outage(
    wired: Stack, local: LocalStack, pay: Any
) -> None:
    run(START)
    name = pay(local, "lagged", START - HOUR / 2)

    run(START + timedelta(days=9))

    assert wired.store.load(name) is not None


def test_a_payment_that_callbacks_told_is_not_changed_and_not_poked(wired: Stack, local: LocalStack) -> None:
    run(START)
    name = paid_at_mollie(local, "told", START + HOUR / 2)
    run(START + HOUR)
    pokes(wired, local)

    for hours in (2, 3, 4):
        run(START + hours * HOUR)

    order = wired.store.load(name)
    assert order is not None
    assert order.version == 1
    assert pokes(wired, local) == []


def test_a_refund_that_no_callback_told_is_found_once(wired: Stack, local: LocalStack) -> None:
    run(START)
    refund = {
        "id": "re_1",
        "status": "refunded",
        "amount": {"value": "39.95", "currency": "EUR"},
        "createdAt": (START + 3 * HOUR).isoformat(),
    }
    name = paid_at_mollie(local, "refunded", START + HOUR / 2)
    run(START + HOUR)
    paid_at_mollie(local, name, START + HOUR / 2, _embedded={"refunds": [refund]})

    for hours in (4, 5, 6):
        run(START + hours * HOUR)

    order = wired.store.load(name)
    assert order is not None
    assert order.standing is Standing.REFUNDED
    assert [entry.code for entry in order.timeline] == ["payment_paid", "payment_refunded"]
    assert pokes(wired, local) == [name, name]


def test_a_payment_whose_customer_was_deleted_keeps_none_behind_it_from_being_recovered(
    wired: Stack, local: LocalStack
) -> None:
    """findings/payments.md 11: Mollie answers 410 Gone, and the run stopped there for up to 36 days."""
    run(START)
    card = {"v": "1", "order_id": "orphan", "line_1": "KASPERSKY-STANDARD-3D-1Y|1"}
    names = [paid_at_mollie(local, name, START + HOUR / 2) for name in ("before", "behind")]
    orphan = {"metadata": card, "billingAddress": None, "customerId": "cst_8wmqcHMN4U"}
    names.append(paid_at_mollie(local, "orphan", START + HOUR / 2, **orphan))

    run(START + HOUR)

    assert [order.is_paid for name in names if (order := wired.store.load(name))] == [True, True, True]


def test_what_only_a_link_or_an_invoice_describes_is_found_without_their_events(
    wired: Stack, local: LocalStack
) -> None:
    run(START)
    paid = (START + HOUR / 2).isoformat()
    common = {"mode": "test", "createdAt": paid, "paidAt": paid}
    amount = {"currency": "EUR", "value": "39.95"}
    link = {"id": "pl_lostEvent", "description": "[KASPERSKY-STANDARD-3D-1Y]", "amount": amount}
    card = {"v": "1", "order_id": "F-lost", "sku": "KASPERSKY-STANDARD-3D-1Y"}
    invoice = {"id": "invoice_lostEvent", "status": "paid", "totalAmount": amount, "metadata": card}
    paid_at_mollie(local, "byLink", START + HOUR / 2, metadata=None, lines=None)
    payment = local.providers.objects["/v2/payments/tr_byLinkPayment"]
    local.providers.objects |= {
        "/v2/payment-links/pl_lostEvent": link | common,
        "/v2/payment-links/pl_lostEvent/payments/tr_byLinkPayment": payment,
        "/v2/sales-invoices/invoice_lostEvent": invoice | common,
    }

    for hours in (1, 2):
        run(START + hours * HOUR)

    found = [wired.store.load(name) for name in ("tr_byLinkPayment", "F-lost")]
    assert [(order.is_paid, order.version, len(order.lines)) for order in found if order] == [(True, 1, 1)] * 2


def test_a_provider_in_trouble_keeps_no_other_from_being_asked_and_is_asked_again_from_there(
    wired: Stack, local: LocalStack, logged: io.StringIO
) -> None:
    run(START)
    names = paid_at_mollie(local, "mollies", START + HOUR / 2), paid_at_stripe(local, "stripes", START + HOUR / 2)
    wired.secrets.set("stripe_api_key", "sk_test_wrong")
    _forget_secrets()

    with pytest.raises(KeypostError, match=r"not_reconciled .*stripe"):
        run(START + timedelta(days=5))
    assert wired.store.load(names[0]) is not None
    assert wired.store.load(names[1]) is None
    assert '"ProviderRefusedUs"' in logged.getvalue()

    wired.secrets.set("stripe_api_key", STRIPE_KEY)
    _forget_secrets()
    run(START + timedelta(days=5, hours=1))
    assert wired.store.load(names[1]) is not None


def test_a_provider_without_a_key_is_not_asked(wired: Stack, local: LocalStack) -> None:
    for name in ("mollie_api_key", "stripe_api_key", "woocommerce_api_key", "moneybird_api_key"):
        wired.secrets.set(name, "")
    asked = len(local.providers.asked)

    run(START)

    assert len(local.providers.asked) == asked


def _forget_secrets() -> None:
    wiring.secrets.cache_clear()


def test_a_provider_that_has_not_called_for_longer_than_ever_is_counted_each_hour(
    wired: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in range(10):
        wired.store.hear("stripe", START + timedelta(days=day))
        wired.store.hear("mollie", START + timedelta(days=day))
    last = START + timedelta(days=9)
    wired.store.hear("moneybird", last)

    run(last + 25 * HOUR)
    assert counted(capsys.readouterr().out, "DoorSilent") == []
    wired.store.hear("mollie", last + 25 * HOUR)
    run(last + 26 * HOUR)

    assert counted(capsys.readouterr().out, "DoorSilent") == [{"provider": "stripe", "service": "keypost"}]


def test_silence_is_counted_also_while_a_provider_cannot_be_asked(
    wired: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEYPOST_QUIET_DOORS", "webhook=2")
    wired.secrets.set("stripe_api_key", "sk_live_wrong")
    wiring.forget()
    wired.store.hear("webhook", START)

    with pytest.raises(KeypostError, match=r"not_reconciled .*stripe"):
        run(START + 3 * HOUR)

    assert counted(capsys.readouterr().out, "DoorSilent") == [{"provider": "webhook", "service": "keypost"}]
