"""The promise about renewals over ten years, with leap days and changes of the clock; `make simulate` plays it with
more customers."""

import pytest

from tests.simulator.years.simulation import simulate
from tests.simulator.years.world import make_world


@pytest.mark.drill
def test_over_ten_years_each_mail_leaves_on_its_day_none_unpaid_and_none_twice() -> None:
    world = make_world(24, seed=1)

    played = simulate(world, 1, print, every_run=False)

    assert len(played.mails) > 300
    assert {mail.purpose for mail in played.mails} == {"purchase", "renewal", "reminder", "refunded"}
    assert played.counts["pokes lost"]
    assert played.counts["mails refused"]
