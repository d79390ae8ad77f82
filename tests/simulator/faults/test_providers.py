"""The providers in the simulated shops: what is true there is found without any callback, also while they have
trouble."""

import random

import pytest

from keypost.providers import RECONCILED
from tests.simulator.faults.apis import APIS
from tests.simulator.faults.at_providers import SELLING, sell_through_mollie
from tests.simulator.faults.checks import violations
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.provider import FAULTS_OF_A_PROVIDER
from tests.simulator.faults.shop import HOUR, Shop
from tests.simulator.faults.stories import a_shop, at_provider, mailed

# By its plan, what happens to a payment in the words of a shop, and what the customer is mailed.
_PLANS = {
    "paid": (["order.paid"], ["purchase-1"]),
    "refunded": (["order.paid", "order.refunded"], ["purchase-1", "refunded-1"]),
    "refunded in parts": (["order.paid", "order.refunded", "order.refunded"], ["purchase-1", "refunded-1"]),
    "refunded in vain": (["order.paid", "order.refunded", "order.refunded"], ["purchase-1", "refunded-1"]),
    "disputed": (["order.paid", "order.disputed", "order.dispute_closed"], ["purchase-1"]),
    "lost": (["order.paid", "order.disputed", "order.dispute_closed"], ["purchase-1"]),
    "canceled": (["order.paid", "order.canceled"], ["purchase-1"]),
    "promised": (["order.paid", "order.refunded"], ["purchase-1", "refunded-1"]),
    "promised in vain": ([], []),
    "failed": ([], []),
    "never paid": ([], []),
}
# What the hourly run asks of each for news.
_ASKED = {
    "mollie": {f"/v2/{kind}" for kind in ("payments", "payment-links", "sales-invoices", "refunds", "chargebacks")},
    "stripe": {"/v1/events", "/v1/checkout/sessions"},
    "woocommerce": {"/wp-json/wc/v3/orders", "/wp-json/wc/v3/webhooks"},
    "moneybird": {f"/api/v2/123456789012345678/{kind}.json" for kind in ("sales_invoices", "external_sales_invoices")},
}
_EACH = [(name, plan) for name, selling in SELLING.items() for plan in selling.plans]


def _never(name: str) -> dict[str, str]:
    """No callback of a provider ever comes."""
    order = "8001" if name == "woocommerce" else "o1"
    return {f"callback of {APIS[name].name} of {order} {number}": "callback never sent" for number in range(1, 5)}


def _delays(shop: Shop) -> list[float]:
    """How long it took until Keypost knew what had happened."""
    return [told.at - told.said_at for told in shop.simulation.told]


@pytest.mark.parametrize(("name", "plan"), _EACH)
def test_what_a_provider_tells_is_known_at_once(name: str, plan: str) -> None:
    with a_shop(asked=(name,)) as shop:
        sale = at_provider(shop, name, plan)

        assert ([told.kind for told in shop.simulation.told], mailed(shop, sale.order)) == _PLANS[plan]
        assert {told.teller for told in shop.simulation.told} <= {name}
        assert all(delay < 60 for delay in _delays(shop))
        assert violations(shop) == []


@pytest.mark.parametrize(("name", "plan"), _EACH)
def test_what_a_provider_never_tells_is_known_within_the_hour(name: str, plan: str) -> None:
    with a_shop(Faults(1, given=_never(name)), asked=(name,)) as shop:
        sale = at_provider(shop, name, plan)

        assert ([told.kind for told in shop.simulation.told], mailed(shop, sale.order)) == _PLANS[plan]
        assert all(60 < delay < HOUR + 60 for delay in _delays(shop))
        assert violations(shop) == []


@pytest.mark.parametrize("seed", range(1, 9))
def test_an_order_that_woocommerce_and_mollie_tell_of_is_one(seed: int) -> None:
    """Whether money went back from WooCommerce or at Mollie only, and whoever calls first."""
    with a_shop(seed=seed, asked=("mollie", "woocommerce")) as shop:
        sell_through_mollie(shop, "refunded in parts", shop.simulation.now + 2, random.Random(seed))
        shop.simulation.run(5 * HOUR)

        (order,) = shop.sales
        (payment,) = (shop.simulation.item(order) or {})["payments"]
        assert payment["names"] == [f"mollie:tr_plugin{order}", f"woocommerce:{order}"]
        assert [mail for mail in mailed(shop, order) if mail.startswith("purchase")] == ["purchase-1"]
        assert violations(shop) == []


def test_an_invoice_whose_payment_came_and_went_before_anybody_heard_of_it_is_not_paid() -> None:
    with a_shop(Faults(1, given=_never("moneybird")), asked=("moneybird",)) as shop:
        at_provider(shop, "moneybird", "never paid")
        books = shop.simulation.providers["moneybird"]
        books.happen("433501", "paid")
        books.happen("433501", "disputed")
        shop.simulation.run(3 * HOUR)

        assert shop.simulation.item("o1") is None
        assert violations(shop) == []


def test_each_provider_that_keypost_asks_is_simulated() -> None:
    assert set(APIS) == set(RECONCILED) == set(SELLING)


@pytest.mark.parametrize("name", APIS)
def test_the_hourly_run_asks_for_the_lists_of_a_provider(name: str) -> None:
    with a_shop(Faults(1, given=_never(name)), asked=(name,)) as shop:
        at_provider(shop, name)

        assert _ASKED[name] <= {*shop.simulation.providers[name].questions}


@pytest.mark.parametrize("kind", FAULTS_OF_A_PROVIDER)
@pytest.mark.parametrize("name", APIS)
def test_the_next_run_makes_up_for_a_question_that_had_trouble(name: str, kind: str) -> None:
    place = f"reconcile_payments #1 asks {APIS[name].name} 1"
    faults = Faults(1, given={**_never(name), place: kind})
    with a_shop(faults, asked=(name,)) as shop:
        sale = at_provider(shop, name)

        assert [fault.kind for fault in faults.happened] == ["callback never sent", kind]
        assert mailed(shop, sale.order) == ["purchase-1"]
        assert violations(shop) == []


@pytest.mark.parametrize("name", APIS)
def test_a_provider_whose_key_is_not_set_is_not_asked(name: str) -> None:
    with a_shop(Faults(1, given=_never(name)), asked=(name,)) as shop:
        shop.simulation.cloud.asked = ()
        at_provider(shop, name)

        assert shop.simulation.providers[name].questions == []
        assert [violation.check for violation in violations(shop)] == ["3 what was paid at a provider is known"]
