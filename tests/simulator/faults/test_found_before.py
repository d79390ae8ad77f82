"""Faults of the engine that were found by putting faults into it, each with the story that showed it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from tests.simulator.faults.checks import violations
from tests.simulator.faults.faults import Faults, counted
from tests.simulator.faults.play import come_to_the_end
from tests.simulator.faults.shop import HOUR, PLAIN, REMINDING, Sale, Shop
from tests.simulator.faults.simulation import needs
from tests.simulator.faults.stories import a_shop, asks, bought, ending, mailed, no_pokes, purchase, renewing, swaps

_EVENTS_LOST = {f"mail o1 purchase-1 1 {event}": "event lost" for event in ("Send", "Delivery")}


def _places_of_a_purchase(operation: str, before: Callable[[Shop], None] = lambda _: None) -> list[str]:
    """Where its worker makes a call, in order."""
    with a_shop() as shop:
        before(shop)
        purchase(shop)
        places = [place for place, call in shop.simulation.cloud.places if call.operation == operation]
    return [place for place in places if place.startswith("advance_orders")]


def _codes_arrive(shop: Shop) -> None:
    shop.import_codes(PLAIN, 2)
    shop.simulation.run(5)


def _given(faults: Mapping[str, str]) -> Faults:
    return Faults(1, given=faults)


def test_a_write_of_an_outcome_that_meets_a_transaction_is_made_again_and_the_mail_is_not() -> None:
    settled = _places_of_a_purchase("PutItem")[-1]

    with a_shop(_given({settled: "conflict", **_EVENTS_LOST})) as shop:
        purchase(shop)

        assert counted(shop.simulation.faults.happened) == {"conflict": 1, "event lost": 2}
        assert mailed(shop) == ["purchase-1"]
        assert not violations(shop)


def test_what_is_counted_and_cannot_be_written_keeps_no_mail_back_and_no_code() -> None:
    """Nothing that is not needed stands between the codes and their mail."""
    places = _places_of_a_purchase("UpdateItem", _codes_arrive)
    assert places
    for place in places:
        with a_shop(_given({place: "conflict"})) as shop:
            _codes_arrive(shop)
            shop.sell(bought(), shop.simulation.now + 1)
            shop.simulation.run(200)
            assert mailed(shop) == ["purchase-1"]
            shop.simulation.tell("o1", "order.refunded", full=True)
            shop.simulation.run(HOUR)

            assert not violations(shop)


def test_an_order_that_is_paid_again_after_a_mail_that_failed_for_good_is_served() -> None:
    refused = _places_of_a_purchase("SendEmail")[0]

    with a_shop(_given({refused: "mail refused"})) as shop:
        sale = bought(payment="pay-1")
        shop.sell(sale, shop.simulation.now + 1)
        shop.simulation.run(600)
        shop.simulation.tell("o1", "order.refunded", full=True, payment_id=sale.payment)
        shop.simulation.run(600)
        shop.simulation.tell("o1", "order.paid", **sale.bought("pay-2"))
        shop.simulation.run(HOUR)

        assert len(shop.simulation.ses.accepted[-1].codes) == 1
        assert not violations(shop)


def test_a_short_pause_of_ses_keeps_a_purchase_back_no_longer_because_of_a_renewal_beside_it() -> None:
    unknown = {"sku": REMINDING, "quantity": 1, "kind": "renewal", "renews": "elders-1"}
    with a_shop() as shop:
        shop.simulation.ses.pause(120)
        shop.sell(bought("o0"), shop.simulation.now + 1)
        both = Sale("o1", "ander@klant.example", ({"sku": PLAIN, "quantity": 1}, unknown), None)
        shop.sell(both, shop.simulation.now + 61)
        shop.simulation.run(HOUR)

        assert mailed(shop) == ["purchase-1"]


def test_an_agent_who_asks_twice_in_one_instant_owes_one_mail() -> None:
    with a_shop() as shop:
        shop.sell(bought(), shop.simulation.now + 1)
        shop.simulation.run(600)
        asks(shop, "resend")
        asks(shop, "resend")
        shop.simulation.run(HOUR)
        come_to_the_end(shop, codes=4)

        assert mailed(shop) == ["purchase-1", "resend-1"]
        assert not violations(shop)


def test_a_renewal_that_waited_for_a_code_says_why_it_waits_once_what_it_renews_was_refunded() -> None:
    """It said that codes are lacking, which were there, and its clock stood in the past for ever."""
    with a_shop(stock=1) as shop:
        shop.sell(ending(days=6), shop.simulation.now + 1)
        shop.sell(renewing(days=6), shop.simulation.now + 60)
        shop.simulation.run(600)
        shop.simulation.tell("o1", "order.refunded", full=True)
        shop.simulation.run(60)
        come_to_the_end(shop, codes=4)
        item = shop.simulation.item("r1")

        assert item
        assert needs(item) != "stock"
        assert datetime.fromisoformat(item["due_at"].partition("#")[0]).timestamp() > shop.simulation.now


def test_a_code_that_was_swapped_in_and_never_left_is_sold_again_when_the_money_goes_back() -> None:
    with a_shop() as shop:
        shop.sell(bought(), shop.simulation.now + 1)
        shop.simulation.run(600)
        with no_pokes(shop):
            swaps(shop)
            shop.simulation.run(5)
            shop.simulation.tell("o1", "order.refunded", full=True)
        shop.simulation.poke("o1")
        shop.simulation.run(HOUR)

        assert not violations(shop)


def test_a_mail_in_doubt_of_what_was_exchanged_is_dropped_and_its_codes_are_to_be_blocked() -> None:
    """It was tried again, had no code to send, and counted as a mail that failed."""
    asked = _places_of_a_purchase("SendEmail")[0]

    with a_shop(_given({asked: "mail failed, not sent"})) as shop:
        sale = bought(payment="pay-1")
        shop.contested.add(sale.order)
        shop.sell(sale, shop.simulation.now + 1)
        shop.simulation.run(60)
        other = {"lines": [{"sku": REMINDING, "quantity": 1}], "amount": "29.95"}
        shop.simulation.tell("o1", "order.paid", **sale.bought("pay-2") | other)
        shop.simulation.run(60)
        shop.simulation.tell("o1", "order.refunded", full=True, payment_id="pay-1")
        shop.simulation.run(HOUR)
        item = shop.simulation.item("o1")

        assert item
        assert [(mail["id"], mail["state"]) for mail in item["mails"]] == [
            ("purchase-1", "dropped"),
            ("purchase-2", "sent"),
        ]
        assert needs(item) == "block"
        assert not violations(shop)
