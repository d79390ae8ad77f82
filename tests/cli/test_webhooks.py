"""Webhooks at the providers, against fakes whose answers the providers' own packages can read."""

from collections.abc import Iterator

import pytest
import stripe
from mollie import ClientSDK, Security

from cli import webhooks
from cli.local.fake_providers import (
    MOLLIE_KEY,
    MOLLIE_TOKEN,
    STRIPE_KEY,
    STRIPE_READING_KEY,
    FakeProviders,
    fake_providers,
)
from cli.local.fake_shops import WOOCOMMERCE_KEY
from cli.webhooks import Account, Hook, create, events_of, hooks
from keypost.core.errors import KeypostError, ProviderForbidden, ProviderRefused, ProviderUnavailable

URL = "https://a1.execute-api.eu-west-1.amazonaws.com/v1/callbacks/"


@pytest.fixture
def fake() -> Iterator[FakeProviders]:
    with fake_providers() as providers:
        yield providers


def account(fake: FakeProviders, provider: str, key: str = "") -> Account:
    keys = {"stripe": STRIPE_KEY, "mollie-events": MOLLIE_TOKEN, "woocommerce": WOOCOMMERCE_KEY}
    return Account(provider, fake.url, key or keys[provider])


@pytest.mark.parametrize("provider", webhooks.CAN_MAKE)
def test_a_webhook_is_made_with_all_its_events_and_its_secret_is_told_once(fake: FakeProviders, provider: str) -> None:
    assert hooks(account(fake, provider)) == []

    secret = create(account(fake, provider), URL + provider)

    assert len(secret) >= 32
    assert hooks(account(fake, provider)) == [Hook(URL + provider, True, frozenset(events_of(provider)))]


@pytest.mark.parametrize(
    ("provider", "path", "status"),
    [("stripe", "/v1/webhook_endpoints", "disabled"), ("mollie-events", "/v2/webhooks", "blocked")],
)
def test_a_webhook_that_the_provider_has_switched_off_is_seen(
    fake: FakeProviders, provider: str, path: str, status: str
) -> None:
    create(account(fake, provider), URL + provider)
    (kept,) = fake.below(path)
    kept["status"] = status

    assert [hook.is_on for hook in hooks(account(fake, provider))] == [False]


@pytest.mark.parametrize(("is_test", "mode"), [(True, "true"), (False, "false")])
def test_mollie_is_asked_about_the_mode_of_the_stack(fake: FakeProviders, is_test: bool, mode: str) -> None:
    hooks(Account("mollie-events", fake.url, MOLLIE_TOKEN, is_test))

    assert fake.asked == [f"/v2/webhooks?limit=250&testmode={mode}"]


def test_stripes_own_library_reads_what_the_fake_keeps(fake: FakeProviders) -> None:
    create(account(fake, "stripe"), URL + "stripe")

    client = stripe.StripeClient(STRIPE_KEY, base_addresses={"api": fake.url})
    (found,) = client.v1.webhook_endpoints.list().data
    assert (found.url, found.status, found.api_version) == (URL + "stripe", "enabled", "2026-10-28.endive")
    assert sorted(found.enabled_events) == sorted(events_of("stripe"))


def test_mollies_own_library_reads_what_the_fake_keeps(fake: FakeProviders) -> None:
    create(account(fake, "mollie-events"), URL + "mollie-events")

    with ClientSDK(security=Security(o_auth=MOLLIE_TOKEN), server_url=fake.url) as client:
        listed = client.webhooks.list(testmode=True)
    (found,) = listed.result.embedded.webhooks
    assert (found.url, found.status.value, found.mode.value) == (URL + "mollie-events", "enabled", "test")
    assert {kind.value for kind in found.event_types} == set(events_of("mollie-events"))


def test_the_webhooks_of_woocommerce_are_listed(fake: FakeProviders) -> None:
    hook = {"id": 7, "status": "disabled", "topic": "order.updated", "delivery_url": f"{URL}woocommerce"}
    fake.objects["/wp-json/wc/v3/webhooks/7"] = hook

    assert hooks(account(fake, "woocommerce")) == [Hook(f"{URL}woocommerce", False, frozenset({"order.updated"}))]


def test_a_key_that_may_only_read_makes_no_webhook(fake: FakeProviders) -> None:
    reading = account(fake, "stripe", STRIPE_READING_KEY)

    assert hooks(reading) == []
    with pytest.raises(ProviderForbidden):
        create(reading, URL + "stripe")
    with pytest.raises(ProviderForbidden):
        hooks(account(fake, "mollie-events", MOLLIE_KEY))
    assert fake.below("/v1/webhook_endpoints") == []


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"{}", ProviderRefused),
        (403, b"{}", ProviderForbidden),
        (404, b"{}", ProviderForbidden),
        (429, b"{}", ProviderUnavailable),
        (500, b"{}", ProviderUnavailable),
        (200, b"<html>", ProviderUnavailable),
    ],
)
def test_each_refusal_is_told_without_the_key(
    fake: FakeProviders, status: int, body: bytes, error: type[KeypostError]
) -> None:
    fake.trouble = lambda: (status, {}, body)

    with pytest.raises(error) as refused:
        hooks(account(fake, "stripe"))
    assert type(refused.value) is error
    assert STRIPE_KEY not in f"{refused.value!r} {refused.value.said} {account(fake, 'stripe')!r}"


def test_a_provider_that_is_not_there_is_told() -> None:
    with pytest.raises(ProviderUnavailable):
        hooks(Account("stripe", "http://127.0.0.1:9", STRIPE_KEY))
