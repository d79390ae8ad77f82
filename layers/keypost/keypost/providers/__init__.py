"""The payment providers. Each module verifies a callback and reads it, nothing else. It is imported, with its library,
only when that provider calls."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib import import_module

from keypost.core.frozen import dataclass
from keypost.core.payment import News
from keypost.providers.call import Call


@dataclass(frozen=True, slots=True)
class Provider:
    module: str
    secret: str  # the secret with which its callbacks are verified
    accepted: int = 200
    refused: int = 400  # the status of the answer to a wrong signature
    malformed: int = 400
    largest: int = 64 * 1024  # the largest body, in bytes
    verifier: str = "verify"
    reader: str = "read"
    api: str = ""  # the API behind `call.get`, if its key is set
    trial: str = ""  # the name of what recognizes a call that only tries the URL, without a signature

    @property
    def name(self) -> str:
        """What its facts call it: Mollie has two ways to call."""
        return self.module.rpartition(".")[2]

    def is_trial(self, call: Call) -> bool:
        return bool(self.trial) and bool(getattr(import_module(self.module), self.trial)(call))

    def verify(self, call: Call, secrets: tuple[str, ...]) -> None:
        """Verify a callback. SignatureRefused unless one of the secrets matches these very bytes and, if the provider
        signs a time, that time is within five minutes of now."""
        getattr(import_module(self.module), self.verifier)(call, secrets)

    def read(self, call: Call) -> Sequence[News]:
        """Read the news in a verified body; there may be none. InvalidInput if it does not have the agreed form, or if
        it is of test mode on a live stack or the other way round. ProviderUnavailable or ProviderRefused if the
        provider had to be asked and did not answer."""
        news: Sequence[News] = getattr(import_module(self.module), self.reader)(call)
        return news


def recent(api: str, call: Call, since: datetime) -> Iterator[News]:
    """The payments that changed since a moment, as the provider's API lists them; callbacks should have reported them
    already. The errors of `Provider.read` may come at any point."""
    news: Iterator[News] = import_module(RECONCILED[api]).recent(call, since)
    return news


# Bytes. An order or an invoice with its whole history: plug-ins note labels and files in an order.
# Lambda takes 6 MB, in which quotation marks and bytes beyond ASCII count double. A body that is refused is lost, and
# after five of them WooCommerce switches the webhook off.
_SNAPSHOT = 4 * 1024 * 1024

# By the part of the path after /callbacks/.
PROVIDERS = {
    "stripe": Provider("keypost.providers.stripe", "stripe_signing", api="stripe"),
    "webhook": Provider("keypost.providers.webhook", "webhook_signing", accepted=204, refused=401, api="mollie"),
    # WooCommerce does not repeat a call that was refused, it only counts it: a malformed order gets a 200.
    "woocommerce": Provider(
        "keypost.providers.woocommerce",
        "woocommerce_signing",
        refused=401,
        malformed=200,
        largest=_SNAPSHOT,
        api="woocommerce",
        trial="is_trial",
    ),
    # A malformed classic call is answered with 200 too: Mollie sends none, and an attacker learns nothing.
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
    "moneybird": Provider(
        "keypost.providers.moneybird", "moneybird_signing", refused=401, largest=_SNAPSHOT, trial="is_trial"
    ),
}

# The providers whose API can list recent payments, by the name of the API.
RECONCILED = {
    "mollie": "keypost.providers.mollie",
    "stripe": "keypost.providers.stripe",
    "woocommerce": "keypost.providers.woocommerce",
    "moneybird": "keypost.providers.moneybird",
}
