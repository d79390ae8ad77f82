"""The payment providers' APIs, and the only module that calls them: GET, one fixed host, no redirect, short times."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

from keypost.errors import InvalidInput, ProviderRefused, ProviderUnavailable
from keypost.strict_json import parse_object

_LARGEST_ANSWER = 4 * 1024 * 1024
_TIMES = urllib3.Timeout(connect=2, read=8)  # Mollie waits 15 seconds for our answer
_NOT_FOUND, _TOO_MANY, _SERVER_ERROR = 404, 429, 500


@dataclass(frozen=True, slots=True)
class ProviderApi:
    url: str
    key: str
    pool: urllib3.PoolManager

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """The object at a path, None when there is none. ProviderUnavailable when asking again later may help,
        ProviderRefused when our key or its mode does not fit."""
        url = self.url + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        try:
            answer = self.pool.request(
                "GET", url, headers=headers, timeout=_TIMES, retries=False, redirect=False, preload_content=False
            )
            try:
                body = answer.read(_LARGEST_ANSWER + 1, decode_content=True)
            finally:
                answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ProviderUnavailable(f"the provider was not reached: {type(error).__name__}") from None
        return _read(answer.status, body)


def _read(status: int, body: bytes) -> dict[str, Any] | None:
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        raise ProviderUnavailable(f"the provider answered {status}")
    if status == _NOT_FOUND and "wrong mode" not in _detail(body):
        return None
    if status != 200:  # noqa: PLR2004
        raise ProviderRefused(f"the provider answered {status}: is the API key right, and of the right mode?")
    if len(body) > _LARGEST_ANSWER:
        raise ProviderUnavailable("the provider's answer is too large")
    try:
        return parse_object(body)
    except InvalidInput as error:
        raise ProviderUnavailable(f"the provider answered nonsense: {error}") from None


def _detail(body: bytes) -> str:
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return ""
