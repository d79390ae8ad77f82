"""The payment providers. Each module verifies a callback and reads it, nothing else, and is imported (with its
library) only when that provider calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast

from keypost.models import Fact, MoneyBack


class Provider(Protocol):
    def verify(self, body: bytes, headers: Mapping[str, str], secrets: tuple[str, ...], now: datetime) -> None:
        """SignatureRefused unless one of the secrets signed these very bytes within five minutes of now."""

    def read(self, body: bytes, stage: str, now: datetime) -> Fact | MoneyBack | None:
        """What a verified body tells of an order, None when it tells of none. InvalidInput when it is not of
        the agreed form, or from test mode on a live stack or the other way round."""


@dataclass(frozen=True, slots=True)
class Entry:
    module: str
    secret: str  # the setting that names its secret
    accepted: int = 200
    refused: int = 400  # the status for a signature that does not fit

    def load(self) -> Provider:
        return cast("Provider", import_module(self.module))


# The part of the path behind /callbacks/, and who answers there.
PROVIDERS = {
    "stripe": Entry("keypost.providers.stripe", "stripe_secret"),
    "webhook": Entry("keypost.providers.webhook", "webhook_secret", accepted=204, refused=401),
}
