"""Whose clock says what: each teller's own, and ours for nothing but what has already happened."""

from datetime import UTC, datetime, timedelta

from keypost.core.contents import with_payment
from keypost.core.payment import PaymentNotice, Refunded
from keypost.providers import stripe
from tests.builders import NOW, a_call, stripe_event

ahead = int(NOW.timestamp()) + 25


def heard(body: bytes) -> PaymentNotice:
    (found,) = stripe.read(a_call(body))
    assert isinstance(found, PaymentNotice)
    return found


def test_a_session_that_stripes_clock_puts_into_the_future_is_paid_now_and_ordered_by_stripes_stamp() -> None:
    """Own trial: paid 25 s ahead, the mail left minutes late."""
    found = heard(stripe_event(created=ahead))

    assert (found.at, found.said) == (NOW, NOW + timedelta(seconds=25))


def test_a_refund_that_stripes_clock_puts_into_the_future_is_dated_by_stripe() -> None:
    """Own trial: a stamp within the second in which it arrives counted as undated, and lost against an older one."""
    found = heard(stripe_event({"amount_refunded": 3995}, "charge.refunded", created=ahead))

    assert found.refunded == Refunded(NOW + timedelta(seconds=25), "39.95")
    assert found.at == NOW


def test_an_event_that_stripe_sends_again_after_months_keeps_its_moment() -> None:
    """docs.stripe.com/webhooks/process-undelivered-events: events are sent again by hand; a start date needs theirs."""
    found = heard(stripe_event(created=1735689600))

    assert found.at == found.said == datetime(2025, 1, 1, tzinfo=UTC)


def test_a_stamp_that_is_nonsense_is_none() -> None:
    for created in (0, -1, 10**400, "yesterday", None, int(NOW.timestamp()) + 3600):
        found = heard(stripe_event(created=created))
        assert (found.at, found.said) == (NOW, None)


def test_a_session_that_the_hourly_run_fetched_is_as_of_then() -> None:
    session = {"livemode": False, "id": "cs_1", "mode": "payment", "payment_status": "paid", "metadata": {"sku": "A"}}

    def get(path: str, _query: object) -> dict[str, object] | None:
        return {"data": [session] if path == "/v1/checkout/sessions" else [], "has_more": False}

    (found,) = stripe.recent(a_call(b"", get=get), NOW - timedelta(days=3))

    assert isinstance(found, PaymentNotice)
    assert (found.at, found.said) == (NOW, NOW)


def test_an_event_that_is_told_again_changes_nothing() -> None:
    """docs.stripe.com/webhooks: the same event may come more than once, and the hourly run lists it every hour."""
    notice = heard(stripe_event())
    order = with_payment(None, notice, NOW, "EUR")

    assert with_payment(order, notice, NOW, "EUR") is order
