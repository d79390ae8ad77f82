"""The settings of a deployment, read from the environment that template.yaml gives its functions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields
from datetime import timedelta
from math import inf
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from keypost.core.errors import KeypostError
from keypost.core.frozen import dataclass
from keypost.core.languages import DEFAULT
from keypost.core.repeat import Repeat

MOLLIE_URL = "https://api.mollie.com"
STRIPE_URL = "https://api.stripe.com"
MONEYBIRD_URL = "https://moneybird.com"


@dataclass(frozen=True, slots=True)
class Config:
    stage: str  # live: live payments only; test: test payments only; local: both
    zone: ZoneInfo  # KEYPOST_TIMEZONE
    currency: str
    table: str
    queue_url: str
    wishes_url: str  # the queue of customers' requests
    secrets: str
    mollie_url: str
    stripe_url: str
    configuration_set: str
    shop_name: str
    shop_address: str
    sender_address: str
    support_address: str
    support_language: str
    fiscal_years: int  # years that the orders of an erased customer are kept, without the customer
    forget_after_years: int = 0  # after a customer's last license ended, the customer is erased by itself; 0: never
    self_service: str = "on"  # on or off: whether customers may ask for their licenses again
    paid_ahead: str = "on"  # on or off: whether customers who pay for a renewal long before are told when it comes
    shop_kvk: str = ""
    shop_phone: str = ""
    shop_logo: str = ""
    shop_color: str = "#0b6e5b"
    mollie_profile: str = ""  # the profile whose payments count; empty for every profile
    woocommerce_url: str = ""  # of the shop, below which its API is; empty: Keypost asks no WooCommerce
    woocommerce_paid_statuses: str = ""  # made up by the shop, with commas between them
    moneybird_url: str = MONEYBIRD_URL
    moneybird_administration: str = ""  # its number; empty: Keypost asks no Moneybird
    public_url: str = ""  # of the API, as links in mails have it; empty where nothing is mailed
    support_page_url: str = ""  # where agents open the support page; empty: the daily note has no links to it
    support_issuer: str = ""  # the issuer whose tokens open the support API; empty: keys open it
    support_audience: str = ""  # the audience of these tokens
    support_client: str = ""  # the support page, as the issuer knows it; empty: the audience
    support_scopes: str = "openid"  # what the page asks the issuer for
    tells_events: str = "off"  # on or off: whether anybody hears of events
    event_bus: str = ""  # on which events leave; empty: none
    event_queue_url: str = ""  # of the events for the shop's URL; empty: the shop has none
    events_url: str = ""  # where the shop's program takes events
    heartbeat_url: str = ""  # of an outside monitor, which a daily rule calls; empty: none is called
    mails_per_second: float = 14  # of all workers together
    shop_language: str = DEFAULT  # of a customer of whom nobody says it
    repeat_orders: Mapping[str, Repeat] = field(default_factory=dict)  # by provider: what a product bought again is
    quiet_doors: Mapping[str, timedelta] = field(default_factory=dict)  # how long a provider may be silent; 0 for ever

    @property
    def api_urls(self) -> dict[str, tuple[str, str]]:
        """The base URL of each provider's API as configured, and its real one. Both are empty if there is none."""
        shop, books = self.woocommerce_url.rstrip("/"), self.moneybird_administration
        return {
            "mollie": (self.mollie_url, MOLLIE_URL),
            "stripe": (self.stripe_url, STRIPE_URL),
            "woocommerce": (shop, re.sub("^http:", "https:", shop)),
            "moneybird": (f"{self.moneybird_url}/api/v2/{books}", f"{MONEYBIRD_URL}/api/v2/{books}")
            if books
            else ("", ""),
        }

    @property
    def paid_statuses(self) -> frozenset[str]:
        return frozenset(self.woocommerce_paid_statuses.replace(",", " ").split())

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Config":
        """Read the settings from variables KEYPOST_<NAME>. KeypostError at the start, and not at the first use, if one
        without a default is missing or has a value that it cannot have."""
        given = {each.name: environment.get(variable(each.name), "") for each in fields(cls)}
        absent = sorted(variable(each.name) for each in fields(cls) if _is_needed(each) and not given[each.name])
        if absent:
            raise KeypostError("settings_missing", variables=absent)
        config = cls(**{name: _typed(name, value) for name, value in given.items() if value})
        for url, official in config.api_urls.values():
            if config.stage not in ("local", "test") and url != official:
                raise KeypostError("live_stack_elsewhere", url=official)
        return config


def variable(name: str) -> str:
    """The variable of the environment that holds a setting."""
    return "KEYPOST_TIMEZONE" if name == "zone" else f"KEYPOST_{name.upper()}"


def _is_needed(setting: Field[Any]) -> bool:
    return setting.default is MISSING and setting.default_factory is MISSING


def _typed(name: str, value: str) -> Any:
    """The value of a setting in its type; text stays as it is."""
    try:
        return _TYPES[name](value) if name in _TYPES else value
    except (ValueError, ZoneInfoNotFoundError):
        raise KeypostError("setting_unfit", variable=variable(name)) from None


def _rate(value: str) -> float:
    rate = float(value)
    if not 0 < rate < inf:
        raise ValueError(value)
    return rate


def _repeats(value: str) -> dict[str, Repeat]:
    """`woocommerce=renewal,mollie=ask`."""
    pairs = (each.partition("=") for each in value.split(","))
    return {provider.strip(): Repeat(repeat.strip()) for provider, _, repeat in pairs}


def _hours(value: str) -> dict[str, timedelta]:
    """Hours by name, from stripe=48,mollie=0."""
    return {name: timedelta(hours=int(hours)) for name, hours in (each.split("=") for each in value.split(","))}


_TYPES: dict[str, Callable[[str], Any]] = {
    "zone": ZoneInfo,
    "fiscal_years": int,
    "forget_after_years": int,
    "mails_per_second": _rate,
    "quiet_doors": _hours,
    "repeat_orders": _repeats,
}
