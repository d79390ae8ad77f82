"""The payment providers. Each module verifies a callback and reads it, nothing else, and is imported (with its
library) only when that provider calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

from keypost.core.payment import Fact
from keypost.providers.call import Call


@dataclass(frozen=True, slots=True)
class Provider:
    module: str
    secret: str  # what its callbacks are verified with
    accepted: int = 200
    refused: int = 400  # the status for a signature that does not fit
    malformed: int = 400
    largest: int = 64 * 1024  # bytes of a body
    verifier: str = "verify"
    reader: str = "read"
    api: str = ""  # whose API answers `call.get`, when its key is set

    def verify(self, call: Call, secrets: tuple[str, ...]) -> None:
        """SignatureRefused unless one of the secrets vouches for these very bytes, within five minutes of now where
        the provider signs a time."""
        getattr(import_module(self.module), self.verifier)(call, secrets)

    def read(self, call: Call) -> Sequence[Fact]:
        """What a verified body tells of orders, if anything. InvalidInput when it is not of the agreed form, or from
        test mode on a live stack or the other way round; ProviderUnavailable or ProviderRefused when the provider
        had to be asked and did not answer."""
        facts: Sequence[Fact] = getattr(import_module(self.module), self.reader)(call)
        return facts


def recent(api: str, call: Call, since: datetime) -> Iterator[Fact]:
    """What a provider knows of payments that changed since a moment, and callbacks should have told. The errors of
    `Provider.read`, at any point."""
    facts: Iterator[Fact] = import_module(RECONCILED[api]).recent(call, since)
    return facts


_INVOICE = 256 * 1024  # an order or an invoice with its whole history

# The part of the path behind /callbacks/, and who answers there.
PROVIDERS = {
    "stripe": Provider("keypost.providers.stripe", "stripe_signing", api="stripe"),
    "webhook": Provider("keypost.providers.webhook", "webhook_signing", accepted=204, refused=401, api="mollie"),
    "woocommerce": Provider("keypost.providers.woocommerce", "woocommerce_signing", refused=401, largest=_INVOICE),
    # A malformed call of the classic kind gets its 200 too: Mollie sends none, and a prober learns nothing.
    "mollie": Provider(
        "keypost.providers.mollie",
        "mollie_token",
        refused=401,
        malformed=200,
        verifier="verify_token",
        reader="read_classic",
        api="mollie",
    ),
    "mollie-events": Provider(
        "keypost.providers.mollie",
        "mollie_signing",
        verifier="verify_signature",
        reader="read_event",
        api="mollie",
    ),
    "moneybird": Provider("keypost.providers.moneybird", "moneybird_signing", refused=401, largest=_INVOICE),
}

# The providers that can be asked what happened, by the name of their API.
RECONCILED = {"mollie": "keypost.providers.mollie", "stripe": "keypost.providers.stripe"}
