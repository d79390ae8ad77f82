import pytest

from cli.stacks import Stack
from keypost import wiring
from keypost.errors import ProviderRefused
from keypost.provider_api import ProviderApi


def api(name: str) -> ProviderApi:
    get = wiring.provider_get(name)
    assert get is not None
    found = get.__self__  # type: ignore[attr-defined]
    assert isinstance(found, ProviderApi)
    return found


@pytest.mark.parametrize("key", ["live_abcdefghij", "sk_live_abcdefghij", "rk_live_abcdefghij"])
def test_a_live_key_goes_to_no_other_host_than_its_providers_on_whatever_stage(wired: Stack, key: str) -> None:
    provider = "mollie" if key.startswith("live") else "stripe"
    wired.secrets.set(f"{provider}_api_key", key)

    with pytest.raises(ProviderRefused, match="a live key"):
        wiring.provider_get(provider)


def test_an_access_token_says_with_each_call_that_test_mode_is_meant(wired: Stack) -> None:
    assert api("mollie").query == {}

    wired.secrets.set("mollie_api_key", "access_abcdefghij")
    wiring.secrets.cache_clear()

    assert api("mollie").query == {"testmode": "true"}


def test_stripe_is_asked_in_the_version_that_its_answers_are_read_in(wired: Stack) -> None:
    assert api("stripe").headers == {"Stripe-Version": "2026-10-28.endive"}


def test_a_provider_without_a_key_or_without_an_api_cannot_be_asked(wired: Stack) -> None:
    wired.secrets.set("mollie_api_key", "")

    assert wiring.provider_get("mollie") is None
    assert wiring.provider_get("") is None
