"""Moments of Mollie's: its clock may be ahead of ours, and delivery never changes what is true."""

from datetime import timedelta
from typing import Any

import pytest

from keypost.core.payment import Dispute, DisputeState, PaymentNotice, Refunded
from keypost.providers import mollie
from tests.builders import NOW, a_call, event

ID = "tr_5B8cwPMGnU6qLbRvo7qEZo"
PAYMENT = event("mollie/payment.json")


def read(now_is: timedelta = timedelta(), **changes: Any) -> PaymentNotice:
    found = PAYMENT | changes
    (notice,) = mollie.read_classic(a_call(f"id={ID}".encode(), now=NOW + now_is, get=lambda _path, _query: found))
    assert isinstance(notice, PaymentNotice)
    return notice


@pytest.mark.parametrize("ahead", [timedelta(seconds=25), timedelta(hours=2)])
def test_a_payment_that_mollies_clock_puts_into_the_future_is_paid_now(ahead: timedelta) -> None:
    """findings/payments.md 18: the mail left minutes late, at the next run of the safety net."""
    notice = read(paidAt=(NOW + ahead).isoformat(), createdAt=(NOW + ahead).isoformat())

    assert (notice.at, notice.said) == (NOW, NOW)


def test_a_payment_has_the_moment_that_mollie_gives_and_its_word_that_of_the_fetching() -> None:
    """The control of the test above; and settled.md 1: an object is said when it is fetched."""
    fraction = timedelta(microseconds=250_000)

    notice = read(now_is=fraction, paidAt=(NOW - timedelta(hours=1, microseconds=7)).isoformat())

    assert (notice.at, notice.said) == (NOW - timedelta(hours=1, seconds=1), NOW + fraction)
    assert notice.refunded == Refunded(NOW + fraction, "0")


def test_a_chargeback_keeps_mollies_own_stamp_also_when_it_is_ahead() -> None:
    """K-A: a stamp that was cut to seconds lost against one of the same second that was not."""
    stamp = NOW + timedelta(seconds=2, microseconds=400_000)
    chargeback = {"id": "chb_n9z0tp", "createdAt": stamp.isoformat()}

    assert read(_embedded={"chargebacks": [chargeback]}).disputes == (Dispute("chb_n9z0tp", DisputeState.OPEN, stamp),)
