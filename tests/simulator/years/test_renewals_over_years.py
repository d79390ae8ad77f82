"""The promise about renewals over ten years, with leap days and changes of the clock; `make simulate` plays it with
more customers."""

import pytest

from tests.simulator.years.judging import WORLD, Script, play, story, what_is_wrong
from tests.simulator.years.ten_years import TenYears
from tests.simulator.years.world import make_world


@pytest.mark.drill
def test_over_ten_years_each_mail_leaves_on_its_day_none_unpaid_and_none_twice() -> None:
    played = play(Script(WORLD, seed=1))

    assert not played.wrong, "\n".join([*map(str, played.wrong), *played.story])
    assert sum(played.mails.values()) > 12 * WORLD
    assert {*played.mails} == {"purchase", "renewal", "reminder", "refunded"}
    assert {"run skipped", "poke lost", "too many mails"} <= {*played.faults}


def test_a_mail_that_never_left_is_found_and_the_story_of_its_order_is_told() -> None:
    played = TenYears(make_world(1, seed=1), seed=1)
    with played.playing():
        played.live()
        assert what_is_wrong(played) == []

        lost = next(mail for mail in reversed(played.ses.accepted) if mail.purpose == "renewal")
        played.ses.accepted.remove(lost)

        wrong = what_is_wrong(played)[0]
        assert (wrong.check, wrong.order) == ("each mail leaves on its day", lost.order)
        assert any(f"the shop tells that {lost.order} was paid" in line for line in story(played, lost.order))
