"""Small stories of what somebody does from a terminal, for tests that stop a command at each of its calls."""

from tests.simulator.faults import commands
from tests.simulator.faults.renewing import renewal_of
from tests.simulator.faults.shop import HOUR, PLAIN, Old, Sale, Shop
from tests.simulator.faults.simulation import DAY
from tests.simulator.faults.stories import bought, ending, mailed, no_pokes, purchase


def codes_imported(shop: Shop) -> None:
    """A customer waits for the codes of a file."""
    shop.sell(bought("o0", quantity=6, email="ander@klant.example"), shop.simulation.now + 1)
    shop.sell(bought("o1", quantity=2), shop.simulation.now + 60)
    shop.simulation.run(HOUR)
    codes = shop.new_codes(PLAIN, 3)
    file = shop.simulation.file("codes.csv", "\n".join(("code", *codes)))
    words = ("stock", "import", file, "--sku", PLAIN)
    shop.simulation.command(*words, asks="POST /stock/{sku}", body={"codes": codes})
    shop.simulation.run(3 * HOUR)


def licenses_imported(shop: Shop) -> None:
    """Of two that were sold before, one is renewed before Keypost knows it; its mail leaves the day after tomorrow."""
    line = ending().lines[0]
    for number in range(2):
        sale = Sale(f"oud-{number}", f"oud-{number}@klant.example", (line,), None)
        shop.olds[sale.order] = Old(sale, tuple(shop.new_codes(PLAIN, 1)))
    renewal = renewal_of(shop, shop.olds["oud-0"].sale)
    shop.sell(renewal, shop.simulation.now + 1)
    shop.simulation.schedules.plan_days(shop.simulation.machine.moment, 4)
    shop.simulation.run(HOUR)
    assert mailed(shop, renewal.order) == []
    commands.import_licenses(shop, [*shop.olds.values()])
    shop.simulation.run(3 * DAY)
    assert mailed(shop, renewal.order) == ["renewal-1"]


def handed_back(shop: Shop) -> None:
    """The message of an order failed five times."""
    with no_pokes(shop):
        shop.sell(bought(), shop.simulation.now + 1)
    shop.simulation.sqs.dead.add("work", "work o1 #0", "o1", shop.simulation.now)
    shop.simulation.run(1)
    commands.hand_back(shop, "DeadLetters")
    shop.simulation.run(3 * HOUR)
    assert not shop.simulation.sqs.dead.kept


def resent(shop: Shop) -> None:
    purchase(shop)
    shop.simulation.command("order", "resend", "o1", order="o1", asks="POST /orders/{order_id}/resend")
    shop.simulation.run(3 * HOUR)
