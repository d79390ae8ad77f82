from dataclasses import replace

import pytest

from keypost.core import contents, licensing
from keypost.core.codes import StockCode
from keypost.core.obstacles import OBSTACLES
from keypost.core.order import Hold, Order, Reason, waiting_for
from keypost.core.payment import Dispute, DisputeState, PaymentNotice, PaymentState, Refunded
from keypost.core.product import Line
from keypost.core.progress import Progress, progress
from keypost.core.said import Said
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, notice, paid_order, sent_order

BACK = notice(state=None, refunded=Refunded(NOW, full=True))
PART = notice(state=None, refunded=Refunded(NOW, "1.00"))
DISPUTED = notice(state=None, disputes=(Dispute("dp_1", DisputeState.OPEN, NOW),))


def after(order: Order, told: PaymentNotice) -> Order:
    return contents.with_payment(order, replace(told, order_id=order.id), NOW, "EUR")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (paid_order(state=PaymentState.OPEN), Progress.OPEN),
        (paid_order(state=PaymentState.FAILED), Progress.OPEN),
        (paid_order(), Progress.PAID),
        (licensing.with_codes(paid_order(), [StockCode("d", code(7), SKU)], {SKU: PRODUCT}, NOW, ZONE), Progress.PAID),
        (waiting_for(paid_order(), Reason.STOCK, Said("x"), NOW), Progress.WAITING),
        (sent_order(), Progress.SERVED),
        (paid_order(currency="USD"), Progress.HELD),
        (replace(paid_order(), hold=Hold(by_person=True)), Progress.HELD),
        (after(paid_order(), PART), Progress.HELD),
        (after(sent_order(), PART), Progress.SERVED),
        (after(paid_order(), BACK), Progress.REFUNDED),
        (after(sent_order(), BACK), Progress.REFUNDED),
        (after(sent_order(), DISPUTED), Progress.DISPUTED),
        (contents.canceled(paid_order(), NOW), Progress.CANCELED),
        (replace(paid_order(), forget_on=NOW.date()), Progress.ERASED),
    ],
)
def test_how_far_an_order_is_in_one_word(order: Order, expected: Progress) -> None:
    assert progress(order) is expected


def test_an_order_with_an_obstacle_is_never_said_to_go_on_by_itself() -> None:
    """Also with one that is added later."""
    held = {"belongs_to", "problem", "held", "partly_refunded"}

    assert set(OBSTACLES) >= held
    assert progress(replace(paid_order(), belongs_to="other")) is Progress.HELD


def test_an_exchange_is_served_when_its_own_codes_have_arrived() -> None:
    other = Line("OTHER", 1)

    exchanged = after(after(sent_order(), BACK), notice(sent_order().id, other, payment_id="cs_2"))

    assert progress(exchanged) is Progress.PAID
    assert progress(after(sent_order(), notice(sent_order().id, other, payment_id="cs_2"))) is Progress.HELD
