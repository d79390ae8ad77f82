"""Signatures as Standard Webhooks describes them. The library that verifies callbacks could make them too, but only one
at a time: during a rotation a call has one of each secret."""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime


def headers(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message that is sent at this moment, with a signature by each of these secrets (`whsec_` and
    base64)."""
    stamp = str(int(at.timestamp()))
    signed = f"{message_id}.{stamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"
