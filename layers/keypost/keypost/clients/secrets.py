"""The only module that reads secrets: one JSON object with a value per name. It is cached for five minutes. When a
signature does not match it is fetched again at once, but not more often than every ten seconds. So a rotation needs no
deploy, and a stream of forged calls does not become a stream of calls to AWS."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_KEPT_SECONDS = 300
_BETWEEN_REFRESHES_SECONDS = 10
NAMES = (
    "stripe_signing",
    "stripe_api_key",
    "webhook_signing",
    "mollie_token",
    "mollie_signing",
    "mollie_api_key",
    "woocommerce_signing",
    "woocommerce_api_key",
    "moneybird_signing",
    "moneybird_api_key",
    "events_signing",
)

Values = tuple[str, ...]


class Secrets:
    def __init__(
        self, client: "SecretsManagerClient", secret_id: str, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._seconds = seconds
        self._fetched_at = -float("inf")
        self._kept: dict[str, str] = {}

    def read(self, name: str) -> Values:
        """The values of a secret, split at white space: during a rotation there may be two. None if the secret is not
        set."""
        return self._read(name, _KEPT_SECONDS)

    def read_again(self, name: str) -> Values:
        """The values fetched again, for a signature that those of `read` do not match."""
        return self._read(name, _BETWEEN_REFRESHES_SECONDS)

    def _read(self, name: str, oldest: float) -> Values:
        now = self._seconds()
        if now - self._fetched_at > oldest:
            self._kept = json.loads(self._client.get_secret_value(SecretId=self._secret_id)["SecretString"])
            self._fetched_at = now
        return tuple(self._kept.get(name, "").split())
