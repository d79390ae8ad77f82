"""Mollie in the simulated shops: what is true there is found without any callback, also while it has trouble."""

import pytest

from tests.simulator.faults.checks import violations
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.mollie import FAULTS_OF_A_PROVIDER
from tests.simulator.faults.shop import HOUR
from tests.simulator.faults.stories import a_shop, at_mollie, mailed

_NEVER = {f"callback of Mollie of o1 {number}": "callback never sent" for number in (1, 2)}


def test_a_payment_of_which_nobody_ever_calls_is_served_within_the_hour() -> None:
    with a_shop(Faults(1, given=_NEVER)) as shop:
        at_mollie(shop)

        (told,) = shop.simulation.told
        served = [mail for mail in shop.simulation.ses.accepted if mail.order == "o1"]

    assert (told.order, told.kind, told.teller) == ("o1", "order.paid", "mollie")
    assert [mail.mail for mail in served] == ["purchase-1"]
    assert served[0].at - told.said_at < HOUR + 60


def test_a_refund_of_which_nobody_ever_calls_is_found() -> None:
    with a_shop(Faults(1, given=_NEVER)) as shop:
        at_mollie(shop, refunded="19.95")

        assert mailed(shop) == ["purchase-1", "refunded-1"]
        assert [*shop.simulation.mollie.unknown(shop.simulation.item)] == []
        assert violations(shop) == []


@pytest.mark.parametrize("kind", FAULTS_OF_A_PROVIDER)
def test_the_next_run_makes_up_for_a_question_that_had_trouble(kind: str) -> None:
    faults = Faults(1, given={**_NEVER, "reconcile_payments #1 asks Mollie 1": kind})
    with a_shop(faults) as shop:
        at_mollie(shop)

        assert [fault.kind for fault in faults.happened] == ["callback never sent", kind]
        assert mailed(shop) == ["purchase-1"]
        assert violations(shop) == []
