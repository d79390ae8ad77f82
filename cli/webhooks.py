"""The webhooks that providers call, read and made through their APIs, where a key allows it. What is known of each API,
and from where:

- Stripe, `/v1/webhook_endpoints` (read, in its reference): the list has `url`, `status` (enabled, disabled) and
  `enabled_events`; only the answer to the creation has `secret`. A restricted key without the right gets a 403
  (assumed).
- Mollie, `/v2/webhooks` (read, in its own Python package): the list has `url`, `status` and `eventTypes`; only the
  answer to the creation has `webhookSecret`. It needs an access token; an API key of a profile is refused (assumed: 401
  or 403).
- WooCommerce, `/wp-json/wc/v3/webhooks` (read, in its source): `delivery_url`, `status` (active, paused, disabled).

Nothing here was tried against the providers themselves."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from keypost.core.errors import ProviderForbidden, ProviderRefused, ProviderUnavailable

Json = dict[str, Any]

MOLLIE_EVENTS = (
    "payment.paid",
    "payment.failed",
    "payment.canceled",
    "payment.expired",
    "refund.processing",
    "refund.refunded",
    "refund.failed",
    "refund.canceled",
    "chargeback.received",
    "chargeback.reversed",
    "payment-link.paid",
    "sales-invoice.paid",
)
_STRIPE_VERSION = "2026-10-28.endive"  # in which its events are written; the newest one that was read against
_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _SERVER_ERROR = 401, 403, 429, 500
_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook as a provider keeps it."""

    url: str
    is_on: bool
    events: frozenset[str]


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a provider. The key is used for calls, and shown nowhere."""

    provider: str  # as in PROVIDERS
    url: str  # of its API
    key: str
    is_test: bool = True

    def __repr__(self) -> str:
        return f"Account({self.provider})"


def events_of(provider: str) -> Sequence[str]:
    """The events that a webhook must report."""
    if provider == "mollie-events":
        return MOLLIE_EVENTS
    from keypost.providers.stripe import EVENTS  # noqa: PLC0415 - loads Stripe's library, a quarter of a second

    return tuple(sorted(EVENTS))


def hooks(account: Account) -> list[Hook]:
    """All webhooks of an account. ProviderForbidden if the key may not see them, ProviderRefused if it is no key there,
    ProviderUnavailable if asking again later may help."""
    return _LISTS[account.provider](account)


def create(account: Account, url: str) -> str:
    """Make a webhook that calls this URL; returns its secret, which the provider shows only now. The errors are those
    of `hooks`."""
    return _MAKES[account.provider](account, url)


def _stripe_list(account: Account) -> list[Hook]:
    listed = _ask(account, "GET", "/v1/webhook_endpoints?limit=100")["data"]
    return [Hook(each["url"], each["status"] == "enabled", frozenset(each["enabled_events"])) for each in listed]


def _stripe_make(account: Account, url: str) -> str:
    wanted = [("url", url), ("description", "Keypost"), ("api_version", _STRIPE_VERSION)]
    wanted += [("enabled_events[]", event) for event in events_of(account.provider)]
    form = "application/x-www-form-urlencoded"
    return str(_ask(account, "POST", "/v1/webhook_endpoints", urlencode(wanted).encode(), form)["secret"])


def _mollie_list(account: Account) -> list[Hook]:
    query = urlencode({"limit": 250, "testmode": str(account.is_test).lower()})
    listed = _ask(account, "GET", f"/v2/webhooks?{query}")["_embedded"]["webhooks"]
    return [Hook(each["url"], each["status"] == "enabled", frozenset(each["eventTypes"])) for each in listed]


def _mollie_make(account: Account, url: str) -> str:
    wanted = {"name": "Keypost", "url": url, "eventTypes": MOLLIE_EVENTS, "testmode": account.is_test}
    made = _ask(account, "POST", "/v2/webhooks", json.dumps(wanted).encode(), "application/json")
    return str(made["webhookSecret"])


def _woocommerce_list(account: Account) -> list[Hook]:
    listed = _ask(account, "GET", "/wp-json/wc/v3/webhooks?per_page=100")
    return [Hook(each["delivery_url"], each["status"] == "active", frozenset([each["topic"]])) for each in listed]


_LISTS: Mapping[str, Callable[[Account], list[Hook]]] = {
    "stripe": _stripe_list,
    "mollie-events": _mollie_list,
    "woocommerce": _woocommerce_list,
}
_MAKES: Mapping[str, Callable[[Account, str], str]] = {"stripe": _stripe_make, "mollie-events": _mollie_make}
CAN_LIST, CAN_MAKE = tuple(_LISTS), tuple(_MAKES)


def _ask(account: Account, method: str, path: str, body: bytes | None = None, kind: str = "") -> Any:
    import urllib3  # noqa: PLC0415 - only here a provider is called

    headers = {"Authorization": _authorization(account), **({"Content-Type": kind} if kind else {})}
    try:
        answer = urllib3.request(
            method, account.url + path, body=body, headers=headers, timeout=_SECONDS, retries=False, redirect=False
        )
    except urllib3.exceptions.HTTPError as error:
        raise ProviderUnavailable("provider_unreachable", error=type(error).__name__) from None
    _check(answer.status)
    try:
        return json.loads(answer.data)
    except ValueError:
        raise ProviderUnavailable("provider_answered", status=answer.status) from None


def _authorization(account: Account) -> str:
    if account.provider == "woocommerce":
        return "Basic " + base64.b64encode(account.key.encode()).decode()
    return f"Bearer {account.key}"


def _check(status: int) -> None:
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        raise ProviderUnavailable("provider_answered", status=status)
    if status == _UNAUTHORIZED:
        raise ProviderRefused("provider_refused_key", status=status)
    if not 200 <= status < 300:  # noqa: PLR2004 - the answers of success
        raise ProviderForbidden("provider_refused_key", status=status)
