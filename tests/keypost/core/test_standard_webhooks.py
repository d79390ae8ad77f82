import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from keypost.core.standard_webhooks import headers
from tests.builders import WEBHOOK_SECRET

BODY = b'{"type":"order.served","data":{"order_id":"1"}}'
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(24)).decode()


def test_the_signature_is_that_of_the_official_library() -> None:
    at = datetime(2026, 11, 23, 12, 0, 0, 999_999, UTC)

    made = headers([WEBHOOK_SECRET], "evt_1", at, BODY)

    assert made["webhook-signature"] == Webhook(WEBHOOK_SECRET).sign("evt_1", at, BODY.decode())
    assert made["webhook-timestamp"] == str(int(at.timestamp()))
    assert made["webhook-id"] == "evt_1"


def test_during_a_rotation_a_program_with_the_new_secret_and_one_with_the_old_accept_the_same_call() -> None:
    made = headers([OTHER_SECRET, WEBHOOK_SECRET], "evt_1", datetime.now(UTC), BODY)

    for secret in (OTHER_SECRET, WEBHOOK_SECRET):
        assert Webhook(secret).verify(BODY, made)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(bytes(range(1, 25))).decode()).verify(BODY, made)
