"""The promise about renewals over ten years, with leap days and changes of the clock; `make simulate` plays it with
more customers."""

import pytest

from tests.simulator.years.judging import WORLD, Script, play


@pytest.mark.drill
def test_over_ten_years_each_mail_leaves_on_its_day_none_unpaid_and_none_twice() -> None:
    played = play(Script(WORLD, seed=1))

    assert not played.wrong, "\n".join([*map(str, played.wrong), *played.story])
    assert sum(played.mails.values()) > 12 * WORLD
    assert {*played.mails} == {"purchase", "renewal", "reminder", "refunded"}
    assert {"run skipped", "poke lost", "too many mails"} <= {*played.faults}
