"""Kind: a door that nobody uses any more, or that refuses what it gets, is noticed."""

from datetime import timedelta

from keypost.core.doors import Door, heard, is_silent
from tests.builders import NOW

HOUR = timedelta(hours=1)


def test_woocommerce_switched_its_webhook_off_and_told_nobody() -> None:
    # woocommerce/woocommerce#8876: after five failed deliveries the webhook is disabled; orders go on without it.
    door: Door | None = None
    for day in range(14):
        for hour in (9, 12, 17, 22):  # a shop that sells by day
            door = heard(door, "woocommerce", NOW.replace(hour=hour) + timedelta(days=day))
    assert door is not None

    assert not is_silent(door, door.last + 11 * HOUR)  # a night
    assert is_silent(door, door.last + 13 * HOUR)
