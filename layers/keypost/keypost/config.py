"""The settings of a deployment, from the environment that template.yaml gives its functions."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from zoneinfo import ZoneInfo

from keypost.core.errors import KeypostError

MOLLIE_URL = "https://api.mollie.com"
STRIPE_URL = "https://api.stripe.com"


@dataclass(frozen=True, slots=True)
class Config:
    stage: str  # live: live payments only; test: test payments only; local: both
    timezone: str
    currency: str
    table: str
    queue_url: str
    wishes_url: str  # the queue of what customers ask for themselves
    secrets: str
    mollie_url: str
    stripe_url: str
    configuration_set: str
    shop_name: str
    shop_address: str
    sender_address: str
    support_address: str
    support_language: str
    fiscal_years: str  # so long the orders of an erased customer stay, without the customer
    self_service: str = "on"  # or off: whether customers may ask for their licenses again
    shop_kvk: str = ""
    shop_phone: str = ""
    shop_logo: str = ""
    shop_color: str = "#0b6e5b"
    mollie_profile: str = ""  # the one whose payments count; empty for any
    support_issuer: str = ""  # whose tokens open the support API; empty: keys of our own do
    support_audience: str = ""  # whom these tokens must be for
    mails_per_second: str = "14"  # of all workers together

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def api_urls(self) -> dict[str, tuple[str, str]]:
        """Where each provider's API is asked, and where it really is."""
        return {"mollie": (self.mollie_url, MOLLIE_URL), "stripe": (self.stripe_url, STRIPE_URL)}

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Config":
        """Every setting is a variable KEYPOST_<NAME>; a missing one without a default stops the start."""
        given = {field.name: environment.get(f"KEYPOST_{field.name.upper()}", "") for field in fields(cls)}
        absent = sorted(f.name for f in fields(cls) if f.default is MISSING and not given[f.name])
        if absent:
            variables = ", ".join(f"KEYPOST_{name.upper()}" for name in absent)
            raise KeypostError(f"set {variables}: template.yaml does it for deployed functions")
        config = cls(**{name: value for name, value in given.items() if value})
        for url, official in config.api_urls.values():
            if config.stage not in ("local", "test") and url != official:
                raise KeypostError(f"a live stack asks {official} only: a live key must not go elsewhere")
        return config
