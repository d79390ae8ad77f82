"""Kind (K-E, promise 3): a door that nobody uses any more, or that refuses what it gets, is noticed."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from keypost.core.doors import Door, heard, is_silent
from keypost.core.payment import Remark
from keypost.core.said import Said
from keypost.inputs.strict_json import LIST
from keypost.providers import woocommerce
from keypost.providers.woocommerce import recent
from keypost.table import Store
from tests.builders import NOW, a_call

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def door_of(*calls: datetime) -> Door:
    door: Door | None = None
    for at in calls:
        door = heard(door, "woocommerce", at)
    assert door is not None
    return door


def by_day(days: int) -> list[datetime]:
    """The calls of a shop that sells by day."""
    return [NOW.replace(hour=hour) + timedelta(days=day) for day in range(days) for hour in (9, 12, 17, 22)]


def test_woocommerce_switched_its_webhook_off_and_told_nobody() -> None:
    """K-E29, woocommerce/woocommerce#8876: after five failed deliveries the webhook is disabled; orders go on."""
    door = door_of(*by_day(14))

    assert not is_silent(door, door.last + 11 * HOUR)  # a night
    assert is_silent(door, door.last + 13 * HOUR)


@pytest.mark.parametrize("days", [1, 3, 6])
def test_a_shop_that_was_connected_this_week_is_not_called_silent(days: int) -> None:
    """Own trial: nobody knows the weekend of a door that has seen none."""
    door = door_of(*by_day(days))

    assert not is_silent(door, door.last + 2 * DAY)


def test_a_shop_that_is_closed_on_sundays_is_silent_on_a_monday_evening() -> None:
    """Own trial: the longest gap of the last 28 days counts (settled 10)."""
    door = door_of(*(at for at in by_day(21) if at.isoweekday() != 7))
    night_and_sunday = max(gap.length for gap in door.gaps)

    assert not is_silent(door, door.last + night_and_sunday)
    assert is_silent(door, door.last + night_and_sunday + 2 * HOUR)


def test_a_call_that_only_tries_the_url_is_no_sign_of_life() -> None:
    """K-E29: who looks for the fault saves the webhook again, and WooCommerce tries its URL without a signature."""
    assert woocommerce.is_trial(a_call(b"webhook_id=7"))
    assert not woocommerce.is_trial(a_call(b"webhook_id=7&id=1237"))


def test_a_webhook_that_is_not_active_is_said_by_the_hourly_run() -> None:
    """K-E29, woocommerce/woocommerce#8876: the run asks for the state of the webhooks themselves."""
    hooks = [
        {"id": 3, "delivery_url": "https://keypost.example/callbacks/woocommerce", "status": "disabled"},
        {"id": 4, "delivery_url": "https://keypost.example/callbacks/woocommerce", "status": "active"},
        {"id": 5, "delivery_url": "https://elsewhere.example/", "status": "disabled"},
    ]

    def get(path: str, _query: Any) -> Any:
        return {LIST: hooks if path.endswith("/webhooks") else []}

    news = list(recent(a_call(b"", get=get), NOW - DAY))

    assert news == [Remark("woocommerce", NOW, Said("webhook_switched_off", {"webhook": "3"}))]


def test_a_door_is_written_down_once_an_hour_however_many_call(store: Store) -> None:
    """settled 10: a sale of many orders must not be as many writes at one item."""
    for minutes in (0, 10, 59):
        store.hear("stripe", NOW + timedelta(minutes=minutes))
    assert [door.last for door in store.doors(["stripe"])] == [NOW]

    store.hear("stripe", NOW + HOUR)
    assert [door.last for door in store.doors(["stripe"])] == [NOW + HOUR]
