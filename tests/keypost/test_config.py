from dataclasses import fields

import pytest

from keypost.config import Config
from keypost.core.errors import KeypostError

ENVIRONMENT: dict[str, str] = {f"KEYPOST_{field.name.upper()}": f"<{field.name}>" for field in fields(Config)} | {
    "KEYPOST_STAGE": "test"
}
OFFICIAL = {"KEYPOST_MOLLIE_URL": "https://api.mollie.com", "KEYPOST_STRIPE_URL": "https://api.stripe.com"}


def test_every_setting_is_a_variable_of_its_name() -> None:
    config = Config.read(ENVIRONMENT | {"KEYPOST_TIMEZONE": "Europe/Amsterdam", "PATH": "/bin"})

    assert config.shop_name == "<shop_name>"
    assert config.zone.key == "Europe/Amsterdam"


@pytest.mark.parametrize("provider", ["MOLLIE", "STRIPE"])
def test_a_live_stack_sends_its_key_nowhere_but_to_the_provider(provider: str) -> None:
    live = ENVIRONMENT | OFFICIAL | {"KEYPOST_STAGE": "live"}
    assert Config.read(live).stage == "live"

    with pytest.raises(KeypostError, match="live_stack_elsewhere"):
        Config.read(live | {f"KEYPOST_{provider}_URL": "https://api.provider.example"})


def test_a_setting_that_has_a_default_may_be_empty() -> None:
    config = Config.read(ENVIRONMENT | {"KEYPOST_MOLLIE_PROFILE": "", "KEYPOST_SHOP_COLOR": ""})

    assert config.mollie_profile == ""
    assert config.shop_color == "#0b6e5b"


def test_a_missing_or_empty_setting_stops_the_start_and_is_named() -> None:
    incomplete = {key: value for key, value in ENVIRONMENT.items() if key != "KEYPOST_TABLE"} | {"KEYPOST_STAGE": ""}

    with pytest.raises(KeypostError, match=r"settings_missing .*'KEYPOST_STAGE', 'KEYPOST_TABLE'"):
        Config.read(incomplete)
