"""The settings of a deployment, from the environment that template.yaml gives its functions."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from zoneinfo import ZoneInfo

from keypost.errors import KeypostError

MOLLIE_URL = "https://api.mollie.com"


@dataclass(frozen=True, slots=True)
class Config:
    stage: str  # live: live payments only; test: test payments only; local: both
    timezone: str
    currency: str
    table: str
    queue_url: str
    secrets: str
    mollie_url: str
    configuration_set: str
    shop_name: str
    shop_details: str
    sender_address: str
    support_address: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Config":
        """Every setting is a variable KEYPOST_<NAME>; a missing one stops the start."""
        names = {field.name: f"KEYPOST_{field.name.upper()}" for field in fields(cls)}
        absent = sorted(variable for variable in names.values() if not environment.get(variable))
        if absent:
            raise KeypostError(f"set {', '.join(absent)}: template.yaml does it for deployed functions")
        config = cls(**{name: environment[variable] for name, variable in names.items()})
        if config.stage == "live" and config.mollie_url != MOLLIE_URL:
            raise KeypostError(f"a live stack asks {MOLLIE_URL} only: a live key must not go elsewhere")
        return config
