"""Money that went back (K-F)."""

import json

from keypost.core.payment import PaymentNotice, Refunded
from keypost.providers import webhook
from tests.builders import NOW, a_call


def test_a_refund_that_names_another_id_than_the_payment_names_its_order_all_the_same() -> None:
    """Findings 8 and 35: the id of the refund or of the credit note."""
    told = {"order_id": "2026-1", "payment_id": "re_9", "full": True, "test": True}
    body = json.dumps({"type": "order.refunded", "timestamp": NOW.isoformat(), "data": told})

    assert webhook.read(a_call(body.encode())) == (
        PaymentNotice("webhook", "re_9", None, NOW, "2026-1", said=NOW, refunded=Refunded(NOW, None, full=True)),
    )
