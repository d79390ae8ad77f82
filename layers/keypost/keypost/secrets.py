"""The only module that reads secrets. Each is kept for five minutes, and fetched again at once, but not more
often than every ten seconds, when a signature does not match: so a rotation needs no deploy, and a stream of
forgeries does not become a stream of calls."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_KEPT_SECONDS = 300
_BETWEEN_REFRESHES_SECONDS = 10

Values = tuple[str, ...]


class Secrets:
    def __init__(self, client: "SecretsManagerClient", seconds: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._seconds = seconds
        self._kept: dict[str, tuple[float, Values]] = {}

    def read(self, name: str) -> Values:
        """The values of a secret, split at white space: during a rotation it may hold two."""
        return self._read(name, _KEPT_SECONDS)

    def read_again(self, name: str) -> Values:
        """The values as they are now, for when those of `read` do not fit."""
        return self._read(name, _BETWEEN_REFRESHES_SECONDS)

    def _read(self, name: str, oldest: float) -> Values:
        now = self._seconds()
        fetched_at, values = self._kept.get(name, (-float("inf"), ()))
        if now - fetched_at > oldest:
            values = tuple(self._client.get_secret_value(SecretId=name)["SecretString"].split())
            self._kept[name] = (now, values)
        return values
