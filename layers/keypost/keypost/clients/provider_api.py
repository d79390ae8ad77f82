"""The only module that calls the payment providers' APIs: at one fixed host, without redirects, with short time-outs.
It fetches objects, and has a provider verify its own callbacks."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any
from urllib.parse import urlencode

import urllib3

from keypost.core.errors import InvalidInput, ProviderForbidden, ProviderRefused, ProviderUnavailable
from keypost.core.frozen import dataclass
from keypost.inputs.strict_json import parse_answer, parse_object

_LARGEST_ANSWER = 4 * 1024 * 1024
_TIMES = urllib3.Timeout(connect=2, read=8)  # seconds; Mollie waits 15 seconds for our answer to its callback
_OTHER_MODE = re.compile("wrong mode is used|similar object exists in (live|test) mode")
_FORBIDDEN, _NOT_FOUND, _GONE, _TOO_MANY, _SERVER_ERROR = 403, 404, 410, 429, 500

Parse = Callable[[bytes], dict[str, Any]]
Query = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class ProviderApi:
    url: str
    key: str
    pool: urllib3.PoolManager
    headers: Mapping[str, str] = field(default_factory=dict)  # of each call
    query: Mapping[str, str] = field(default_factory=dict)  # of each call
    scheme: str = "Bearer"  # before the key, in the header Authorization
    gives_lists: bool = False  # bare, as WooCommerce and Moneybird do; `get` gives each as an object with the key LIST

    def get(self, path: str, query: Query) -> dict[str, Any] | None:
        """The object at a path; None if there is none, or none any more. ProviderUnavailable if asking again later may
        help; ProviderForbidden if the key may not see this object; ProviderRefused if the key or its mode is wrong."""
        return self._ask("GET", path, query, {}, None)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any] | None:
        """The answer to this very body, which is JSON unless `headers` say otherwise; they also replace those of every
        call. The errors are those of `get`. Nothing may depend on its being sent only once: a callback is repeated."""
        return self._ask("POST", path, {}, {"Content-Type": "application/json", **headers}, body)

    def _ask(
        self, method: str, path: str, query: Query, headers: Mapping[str, str], body: bytes | None
    ) -> dict[str, Any] | None:
        parameters = {**query, **self.query}
        url = self.url + path + (f"?{urlencode(parameters, doseq=True)}" if parameters else "")
        whole = {"Authorization": f"{self.scheme} {self.key}", "Accept": "application/json", **self.headers, **headers}
        try:
            answer = self.pool.request(
                method,
                url,
                body=body,
                headers=whole,
                timeout=_TIMES,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                content = answer.read(_LARGEST_ANSWER + 1, decode_content=True)
            finally:
                answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ProviderUnavailable("provider_unreachable", error=type(error).__name__) from None
        return _read(answer.status, content, parse_answer if self.gives_lists else parse_object)


def _read(status: int, body: bytes, parse: Parse) -> dict[str, Any] | None:
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        raise ProviderUnavailable("provider_answered", status=status)
    if _is_nothing(status, body):
        return None
    if status == _FORBIDDEN:
        raise ProviderForbidden("provider_refused_key", status=status)
    if status != 200:  # noqa: PLR2004
        raise ProviderRefused("provider_refused_key", status=status)
    return _parsed(body, parse)


def _is_nothing(status: int, body: bytes) -> bool:
    """True if there is no such object; False if the key only is of the other mode."""
    return status in (_NOT_FOUND, _GONE) and not _OTHER_MODE.search(_detail(body))


def _parsed(body: bytes, parse: Parse) -> dict[str, Any]:
    if len(body) > _LARGEST_ANSWER:
        raise ProviderUnavailable("provider_answer_too_large")
    try:
        return parse(body)
    except InvalidInput as error:
        raise ProviderUnavailable("provider_unreadable", why=error.said) from None


def _detail(body: bytes) -> str:
    """The reason that Mollie or Stripe gives for a refusal."""
    try:
        answer = json.loads(body)
        return str(answer["detail"] if "detail" in answer else answer["error"]["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
