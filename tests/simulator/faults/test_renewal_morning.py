"""A morning on which more is due than SES takes in a minute: who buys does not wait behind it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keypost.core.periods import morning_of
from keypost.core.product import Line
from keypost.core.sharing import Lacking
from keypost.table.clocks import with_lacking
from keypost.table.items import due_keys
from keypost.table.orders import order_item
from tests.builders import ZONE, paid_order
from tests.simulator.aws_here import ask_dynamodb
from tests.simulator.faults.deployment import TABLE
from tests.simulator.faults.shop import PLAIN
from tests.simulator.faults.simulation import START
from tests.simulator.faults.stories import a_shop, bought

PLANNED = 101  # one more than are poked at once


@pytest.mark.drill
def test_a_purchase_overtakes_what_was_planned_for_this_morning() -> None:
    with a_shop(stock=PLANNED + 1, mails_per_second=2) as shop:
        simulation = shop.simulation
        morning = morning_of(START.astimezone(ZONE).date(), ZONE)
        for number in range(PLANNED):
            name = f"planned{number}"
            order = order_item(replace(paid_order(name, Line(PLAIN, 1), at=START - timedelta(days=1)), version=1))
            clock = with_lacking(due_keys(name, morning)["due_at"], [Lacking(PLAIN, 1, morning)])
            due = {"due_at": {"S": clock}, "due_shard": {"S": "0"}}
            ask_dynamodb("PutItem", TableName=TABLE, Item=order | due)
        began = simulation.now
        simulation.run_schedule()
        simulation.run(10)
        shop.sell(bought("o1"), simulation.now)
        simulation.run(900)

        left = {sent.order: sent.at - began for sent in simulation.ses.accepted}
        assert left["o1"] < 25
        assert sum(at < left["o1"] for at in left.values()) < PLANNED / 2
        assert len(left) == len(simulation.ses.accepted) == PLANNED + 1
