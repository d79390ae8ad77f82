"""Two clocks are never compared, and one that is ahead delays nothing (K-A): WooCommerce and Moneybird."""

from datetime import UTC, datetime, timedelta

from keypost.providers import moneybird, woocommerce
from tests.builders import NOW, a_call, of_moneybird, of_woocommerce, only_notice


def test_a_shop_whose_clock_is_25_seconds_ahead_has_its_mail_sent_at_once() -> None:
    """Tried: the mail left 3 min 32 s after the moment of payment."""
    ahead = f"{NOW + timedelta(seconds=25):%Y-%m-%dT%H:%M:%S}"
    found = only_notice(woocommerce.read(a_call(of_woocommerce(date_paid_gmt=ahead, date_modified_gmt=ahead))))

    assert found.at == NOW
    assert found.said == NOW + timedelta(seconds=25)


def test_a_plug_in_that_writes_local_time_where_gmt_belongs_delays_no_mail() -> None:
    """Tried: an hour or two, for each order of such a shop."""
    local = f"{NOW + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}"

    assert only_notice(woocommerce.read(a_call(of_woocommerce(date_paid_gmt=local)))).at == NOW


def test_two_changes_of_one_second_at_moneybird_keep_their_order() -> None:
    """developer.moneybird.com: updated_at has milliseconds."""
    first, second = (
        only_notice(moneybird.read(a_call(of_moneybird(updated_at=f"2026-11-20T09:14:03.{ms}Z")))) for ms in (128, 129)
    )

    assert (first.said, second.said) == (
        datetime(2026, 11, 20, 9, 14, 3, 128000, UTC),
        datetime(2026, 11, 20, 9, 14, 3, 129000, UTC),
    )
    assert first.disputes[0].as_of < second.disputes[0].as_of
