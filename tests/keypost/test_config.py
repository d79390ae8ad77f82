from dataclasses import fields
from datetime import timedelta

import pytest

from keypost.config import Config, variable
from keypost.core.errors import KeypostError
from keypost.core.repeat import Repeat

ENVIRONMENT: dict[str, str] = {variable(field.name): f"<{field.name}>" for field in fields(Config)} | {
    "KEYPOST_STAGE": "test",
    "KEYPOST_TIMEZONE": "Europe/Amsterdam",
    "KEYPOST_FISCAL_YEARS": "7",
    "KEYPOST_FORGET_AFTER_YEARS": "3",
    "KEYPOST_MAILS_PER_SECOND": "14",
    "KEYPOST_QUIET_DOORS": "stripe=48,mollie=0",
    "KEYPOST_REPEAT_ORDERS": "woocommerce=renewal,mollie=ask",
}
OFFICIAL = {
    "KEYPOST_MOLLIE_URL": "https://api.mollie.com",
    "KEYPOST_STRIPE_URL": "https://api.stripe.com",
    "KEYPOST_MONEYBIRD_URL": "https://moneybird.com",
    "KEYPOST_WOOCOMMERCE_URL": "https://shop.example/winkel/",
}


def test_every_setting_is_a_variable_of_its_name() -> None:
    config = Config.read(ENVIRONMENT | {"KEYPOST_TIMEZONE": "Europe/Amsterdam", "PATH": "/bin"})

    assert config.shop_name == "<shop_name>"
    assert (config.zone.key, config.fiscal_years, config.mails_per_second) == ("Europe/Amsterdam", 7, 14.0)
    assert config.quiet_doors == {"stripe": timedelta(hours=48), "mollie": timedelta()}
    assert config.repeat_orders == {"woocommerce": Repeat.RENEWAL, "mollie": Repeat.ASK}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEYPOST_TIMEZONE", "Europe/Atlantis"),
        ("KEYPOST_TIMEZONE", "../etc"),
        ("KEYPOST_FISCAL_YEARS", "seven"),
        ("KEYPOST_FORGET_AFTER_YEARS", "never"),
        ("KEYPOST_MAILS_PER_SECOND", "0"),
        ("KEYPOST_MAILS_PER_SECOND", "nan"),
        ("KEYPOST_MAILS_PER_SECOND", "many"),
        ("KEYPOST_QUIET_DOORS", "stripe"),
        ("KEYPOST_QUIET_DOORS", "stripe=a day"),
        ("KEYPOST_REPEAT_ORDERS", "woocommerce"),
        ("KEYPOST_REPEAT_ORDERS", "woocommerce=guess"),
    ],
)
def test_a_setting_that_cannot_be_stops_the_start_and_is_named(name: str, value: str) -> None:
    with pytest.raises(KeypostError, match="setting_unfit") as error:
        Config.read(ENVIRONMENT | {name: value})

    assert error.value.said.values == {"variable": name}


@pytest.mark.parametrize("provider", ["MOLLIE", "STRIPE", "MONEYBIRD"])
def test_a_live_stack_sends_its_key_nowhere_but_to_the_provider(provider: str) -> None:
    live = ENVIRONMENT | OFFICIAL | {"KEYPOST_STAGE": "live"}
    assert Config.read(live).stage == "live"

    with pytest.raises(KeypostError, match="live_stack_elsewhere"):
        Config.read(live | {f"KEYPOST_{provider}_URL": "https://api.provider.example"})


def test_a_live_stack_sends_the_key_of_a_shop_over_https_only() -> None:
    live = ENVIRONMENT | OFFICIAL | {"KEYPOST_STAGE": "live"}
    assert Config.read(live).api_urls["woocommerce"][0] == "https://shop.example/winkel"

    with pytest.raises(KeypostError, match="live_stack_elsewhere"):
        Config.read(live | {"KEYPOST_WOOCOMMERCE_URL": "http://shop.example"})


def test_statuses_that_mean_paid_are_read_with_commas_between_them() -> None:
    read = [Config.read(ENVIRONMENT | {"KEYPOST_WOOCOMMERCE_PAID_STATUSES": text}) for text in ("", "a,b-c, d")]

    assert [config.paid_statuses for config in read] == [frozenset(), {"a", "b-c", "d"}]


def test_a_setting_that_has_a_default_may_be_empty() -> None:
    empty = {"KEYPOST_MOLLIE_PROFILE": "", "KEYPOST_SHOP_COLOR": "", "KEYPOST_QUIET_DOORS": ""}
    config = Config.read(ENVIRONMENT | empty)

    assert config.mollie_profile == ""
    assert config.quiet_doors == {}
    assert config.shop_color == "#0b6e5b"


def test_a_missing_or_empty_setting_stops_the_start_and_is_named() -> None:
    incomplete = {key: value for key, value in ENVIRONMENT.items() if key != "KEYPOST_TABLE"} | {"KEYPOST_STAGE": ""}

    with pytest.raises(KeypostError, match=r"settings_missing .*'KEYPOST_STAGE', 'KEYPOST_TABLE'"):
        Config.read(incomplete)
