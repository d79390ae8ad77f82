import base64
from datetime import timedelta

import pytest

from cli.local.fake_shops import ADMINISTRATION, MONEYBIRD_KEY, WOOCOMMERCE_KEY
from cli.stacks import Stack
from keypost import wiring
from keypost.clients.provider_api import ProviderApi
from keypost.core.errors import ProviderRefused
from tests.builders import NOW, without_start


def api(name: str) -> ProviderApi:
    found = wiring.provider_api(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        ("mollie", "live_abcdefghij"),
        ("mollie", "access_abcdefghij"),
        ("stripe", "sk_live_abcdefghij"),
        ("stripe", "rk_live_abcdefghij"),
        ("stripe", "sk_org_live_abcdefghij"),
    ],
)
def test_only_a_test_key_goes_to_another_host_than_its_providers_on_whatever_stage(
    wired: Stack, provider: str, key: str
) -> None:
    wired.secrets.set(f"{provider}_api_key", key)

    with pytest.raises(ProviderRefused, match="live_key_elsewhere"):
        wiring.provider_api(provider)


def test_an_access_token_says_with_each_call_that_test_mode_is_meant_and_needs_a_profile(
    wired: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api("mollie").query == {}
    wired.secrets.set("mollie_api_key", "access_abcdefghij")
    wiring.secrets.cache_clear()
    monkeypatch.setenv("KEYPOST_MOLLIE_URL", "https://api.mollie.com")
    wiring.config.cache_clear()
    with pytest.raises(ProviderRefused, match="mollie_profile_missing"):
        wiring.provider_api("mollie")

    monkeypatch.setenv("KEYPOST_MOLLIE_PROFILE", "pfl_QkEhN94Ba")
    wiring.config.cache_clear()
    assert api("mollie").query == {"testmode": "true"}


def test_stripe_is_asked_in_the_version_that_its_answers_are_read_in(wired: Stack) -> None:
    assert api("stripe").headers == {"Stripe-Version": "2026-10-28.endive"}


def test_a_provider_without_a_key_or_without_an_api_cannot_be_asked(wired: Stack) -> None:
    wired.secrets.set("mollie_api_key", "")

    assert wiring.provider_api("mollie") is None
    assert wiring.provider_api("") is None


def test_a_shop_is_asked_with_its_key_and_secret_and_bookkeeping_in_its_own_administration(wired: Stack) -> None:
    shop, books = api("woocommerce"), api("moneybird")

    assert (shop.scheme, base64.b64decode(shop.key).decode()) == ("Basic", WOOCOMMERCE_KEY)
    assert (books.scheme, books.key) == ("Bearer", MONEYBIRD_KEY)
    assert books.url.endswith(f"/api/v2/{ADMINISTRATION}")
    assert shop.gives_lists
    assert books.gives_lists


@pytest.mark.parametrize("variable", ["KEYPOST_WOOCOMMERCE_URL", "KEYPOST_MONEYBIRD_ADMINISTRATION"])
def test_a_shop_of_which_nobody_said_where_it_is_cannot_be_asked(
    wired: Stack, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "")
    wiring.config.cache_clear()

    assert wiring.provider_api("woocommerce" if "WOO" in variable else "moneybird") is None
    assert wiring.provider_api("moneybird" if "WOO" in variable else "woocommerce") is not None


def test_a_key_that_is_none_of_the_tests_goes_to_no_shop_without_https(wired: Stack) -> None:
    wired.secrets.set("woocommerce_api_key", "ck_abcdefghij:cs_abcdefghij")

    with pytest.raises(ProviderRefused, match="live_key_elsewhere"):
        wiring.provider_api("woocommerce")


def test_everything_that_was_built_is_forgotten_at_once(wired: Stack) -> None:
    def kept() -> set[str]:
        built = {name: value for name, value in vars(wiring).items() if hasattr(value, "cache_info")}
        return {name for name, builder in built.items() if builder.cache_info().currsize}

    builders = (wiring.worker, wiring.desk, wiring.wishes, wiring.secrets)
    for build in builders:
        build()
    assert kept() >= {build.__name__ for build in builders} | {"config", "store", "queue", "mailer", "session"}

    wiring.forget()

    assert kept() == set()


def test_the_first_function_that_runs_writes_down_that_keypost_serves_since_a_day_before(wired: Stack) -> None:
    without_start(wired.store)

    assert wiring.intake(NOW).start == NOW - timedelta(hours=24)

    wiring.forget()  # another function, days later
    assert wiring.intake(NOW + timedelta(days=3)).start == wired.store.start() == NOW - timedelta(hours=24)


def test_a_start_that_a_person_sets_counts_within_a_minute(wired: Stack) -> None:
    before = wiring.intake(NOW).start
    wired.store.put_start(NOW)

    assert [wiring.intake(NOW + timedelta(seconds=seconds)).start for seconds in (59, 60)] == [before, NOW]


def test_on_one_machine_there_is_no_start_until_a_person_sets_one_and_it_counts_at_once(
    wired: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_start(wired.store)
    monkeypatch.setenv("KEYPOST_STAGE", "local")
    wiring.config.cache_clear()
    assert wiring.intake(NOW).start is None

    wired.store.put_start(NOW)

    assert wiring.intake(NOW).start == NOW


def test_moneybird_is_known_to_tell_of_orders_a_minute_after_its_first_call_and_for_ever(
    wired: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wiring.intake(NOW).has_books  # by its setting
    monkeypatch.setenv("KEYPOST_MONEYBIRD_ADMINISTRATION", "")
    wiring.config.cache_clear()
    assert not wiring.intake(NOW).has_books

    wired.store.hear("moneybird", NOW)

    assert [wiring.intake(NOW + timedelta(seconds=seconds)).has_books for seconds in (59, 60)] == [False, True]
