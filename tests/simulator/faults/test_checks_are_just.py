"""What looks like a broken promise and is none, each as the story of the simulated shop that showed it."""

from dataclasses import replace

from tests.simulator.faults.checks import violations
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.happenings import of_the_future, unreadable
from tests.simulator.faults.play import come_to_the_end, wanted
from tests.simulator.faults.shop import HOUR, PLAIN, REMINDING, Sale
from tests.simulator.faults.stories import EMAIL, a_shop, bought, mailed


def test_a_mail_that_never_left_gives_its_name_to_that_of_what_is_paid_instead() -> None:
    sale = bought(payment="pay-1")
    with a_shop() as shop:
        shop.sell(sale, shop.simulation.now + 1)
        shop.simulation.run(10)
        sends = [place for place, call in shop.simulation.cloud.places if call.operation == "SendEmail"]
    with a_shop(Faults(1, given={sends[0]: "too many mails"})) as shop:
        shop.contested.add(sale.order)
        shop.sell(sale, shop.simulation.now + 1)
        shop.simulation.run(10)
        shop.simulation.tell("o1", "order.refunded", full=True, payment_id="pay-1")
        shop.simulation.run(600)
        dearer = replace(sale, lines=({"sku": REMINDING, "quantity": 1},), payment="pay-2")
        shop.simulation.tell("o1", "order.paid", **dearer.bought())
        shop.simulation.run(3 * HOUR)

        assert [each.codes[0][:5] for each in shop.simulation.ses.accepted if each.mail == "purchase-1"] == ["RRRRR"]
        assert not violations(shop)


def test_who_reported_spam_is_served_once_a_person_was_asked_for_another_order() -> None:
    with a_shop() as shop:
        shop.sell(bought("o0"), shop.simulation.now + 1)
        shop.simulation.run(HOUR)
        shop.simulation.ses.complain(EMAIL)
        shop.simulation.run(HOUR)
        lines = ({"sku": PLAIN, "quantity": 1},)
        shop.sell(Sale("o1", EMAIL, lines, None), shop.simulation.now + 1)
        shop.simulation.run(5 * HOUR)
        assert mailed(shop) == []
        lifted = {"reason": "a mistake"}
        shop.simulation.support("POST", "/orders/{order_id}/lift-complaint", lifted, order_id="o0")
        shop.simulation.run(HOUR)
        come_to_the_end(shop, codes=4)

        assert mailed(shop) == ["purchase-1"]
        assert not violations(shop)


def test_at_the_end_of_a_story_codes_arrive_for_all_that_want_some() -> None:
    with a_shop(stock=0) as shop:
        for number in range(3):
            shop.sell(bought(f"o{number}", quantity=7, email=f"klant{number}@klant.example"), shop.simulation.now + 1)
        come_to_the_end(shop, wanted(shop))

        assert [len(mail.codes) for mail in shop.simulation.ses.accepted] == [7, 7, 7]
        assert not violations(shop)


def test_codes_that_a_refund_gave_back_wait_for_nobody_once_it_is_deleted() -> None:
    with a_shop() as shop:
        shop.simulation.ses.pause(5 * HOUR)
        shop.sell(bought(), shop.simulation.now + 1)
        shop.simulation.run(30)
        first = shop.simulation.item("o1")
        shop.simulation.tell("o1", "order.refunded", full=True)
        shop.simulation.run(30)
        shop.sell(bought("o2", email="ander@klant.example"), shop.simulation.now + 1)  # who gets the code of the first
        shop.simulation.run(30)
        shop.simulation.tell("o1", "order.refunded", amount_refunded="0")
        shop.simulation.run(8 * HOUR)
        second = shop.simulation.item("o1")

        assert first
        assert second
        assert first["licenses"][0]["code"] != second["licenses"][0]["code"]
        assert not violations(shop)


def test_an_order_that_nobody_can_read_stays_as_it_is_when_a_newer_version_has_written_elsewhere() -> None:
    with a_shop() as shop:
        sale = bought()
        shop.sell(sale, shop.simulation.now + 1)
        unreadable(shop, sale, shop.simulation.now + 60)
        of_the_future(shop, sale, shop.simulation.now + 61)
        shop.simulation.run(100)

        assert shop.unreadable == {"o1"}
        assert not violations(shop)


def test_more_for_the_same_money_is_sold_for_it_if_that_is_what_the_shop_is_first_heard_to_say() -> None:
    """Its callback of before comes after that."""
    sale, more = bought("9001", payment="9001"), bought("9001", quantity=2, payment="9001")
    with a_shop() as shop:
        shop.contested.add(sale.order)
        shop.sales[sale.order] = sale
        said_at = shop.simulation.now
        shop.simulation.run(2)
        same_money = {**more.bought(), "amount": sale.bought()["amount"]}
        shop.simulation.tell(sale.order, "order.paid", teller="woocommerce", **same_money)
        shop.simulation.run(60)
        shop.simulation.tell(sale.order, "order.paid", teller="woocommerce", said_at=said_at, **sale.bought())
        shop.simulation.run(HOUR)

        assert [len(mail.codes) for mail in shop.simulation.ses.accepted] == [2]
        assert not violations(shop)


def test_who_disputed_the_payment_while_a_batch_was_replaced_keeps_its_code() -> None:
    with a_shop() as shop:
        shop.sell(bought(), shop.simulation.now + 1)
        shop.simulation.run(60)
        shop.simulation.tell("o1", "order.disputed")
        shop.simulation.run(60)
        shop.replace_batch("batch-6")
        shop.simulation.run(3 * HOUR)
        shop.simulation.tell("o1", "order.dispute_closed", won=True)
        shop.simulation.run(3 * HOUR)

        assert shop.replaced == {"batch-6"}
        assert not violations(shop)


def test_what_an_agent_gives_after_an_erasure_may_have_an_address_like_the_erased_one() -> None:
    with a_shop() as shop:
        shop.sell(bought(), shop.simulation.now + 1)
        shop.simulation.run(60)
        shop.simulation.support("POST", "/customers/erase", {"email": EMAIL})
        shop.simulation.run(60)
        customer = {"email": f"hand-{EMAIL}", "name": "Piet Bakker"}
        given = {"customer": customer, "lines": [{"sku": PLAIN, "quantity": 1}], "why": "goodwill", "confirmed": True}
        shop.simulation.support("POST", "/orders", given, key="given")
        shop.simulation.run(HOUR)

        assert [answer.status for answer in shop.simulation.answers][-2:] == [200, 201]
        assert not violations(shop)
