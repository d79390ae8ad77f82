"""The only module that reads secrets: one JSON object that holds each by its name. It is kept for five minutes, and
fetched again at once, but not more often than every ten seconds, when a signature does not match: so a rotation
needs no deploy, and a stream of forgeries does not become a stream of calls."""

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
    "moneybird_signing",
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
        """The values of a secret, split at white space: during a rotation it may hold two. None when it is not set."""
        return self._read(name, _KEPT_SECONDS)

    def read_again(self, name: str) -> Values:
        """The values as they are now, for when those of `read` do not fit."""
        return self._read(name, _BETWEEN_REFRESHES_SECONDS)

    def _read(self, name: str, oldest: float) -> Values:
        now = self._seconds()
        if now - self._fetched_at > oldest:
            self._kept = json.loads(self._client.get_secret_value(SecretId=self._secret_id)["SecretString"])
            self._fetched_at = now
        return tuple(self._kept.get(name, "").split())
