from collections.abc import Iterator

import pytest
import urllib3

from cli.local.fake_providers import MOLLIE_KEY, FakeProviders, fake_providers
from keypost.clients.provider_api import ProviderApi
from keypost.core.errors import ProviderForbidden, ProviderRefused, ProviderUnavailable

PATH = "/v2/payments/tr_123456"


@pytest.fixture
def fake() -> Iterator[FakeProviders]:
    with fake_providers() as fake:
        fake.objects[PATH] = {"id": "tr_123456"}
        yield fake


@pytest.fixture
def api(fake: FakeProviders) -> Iterator[ProviderApi]:
    pool = urllib3.PoolManager()
    yield ProviderApi(fake.url, MOLLIE_KEY, pool)
    pool.clear()


def test_an_object_is_asked_for_once_with_its_query(api: ProviderApi, fake: FakeProviders) -> None:
    assert api.get(PATH, {"embed": "refunds,chargebacks"}) == {"id": "tr_123456"}
    assert fake.asked == [f"{PATH}?embed=refunds%2Cchargebacks"]


def test_a_list_in_a_query_is_a_name_for_each_and_what_every_call_needs_is_added(fake: FakeProviders) -> None:
    pool = urllib3.PoolManager()
    api = ProviderApi(fake.url, MOLLIE_KEY, pool, {"Stripe-Version": "2026-10-28.endive"}, {"testmode": "true"})

    api.get(PATH, {"types[]": ["a", "b"]})

    assert fake.asked == [f"{PATH}?types%5B%5D=a&types%5B%5D=b&testmode=true"]
    pool.clear()


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":404,"detail":"Payment tr_1 exists, but the wrong mode is used"}',
        b'{"error":{"message":"No such price; a similar object exists in live mode, but a test mode key was used"}}',
    ],
    ids=["mollie", "stripe"],
)
def test_a_key_of_the_other_mode_is_not_taken_for_nothing_there(
    api: ProviderApi, fake: FakeProviders, body: bytes
) -> None:
    fake.trouble = lambda: (404, {}, body)

    with pytest.raises(ProviderRefused):
        api.get(PATH, {})


def test_what_is_not_there_is_none(api: ProviderApi) -> None:
    assert api.get("/v2/payments/tr_654321", {}) is None


def test_what_was_deleted_is_none(api: ProviderApi, fake: FakeProviders) -> None:
    fake.trouble = lambda: (410, {}, b'{"status":410,"title":"Gone","detail":"The customer is no longer available"}')

    assert api.get("/v2/customers/cst_8wmqcHMN4U", {}) is None


@pytest.mark.parametrize(("status", "is_of_one_object"), [(401, False), (403, True)])
def test_a_key_that_may_not_see_one_object_is_told_from_a_key_that_is_refused(
    api: ProviderApi, fake: FakeProviders, status: int, *, is_of_one_object: bool
) -> None:
    fake.trouble = lambda: (status, {}, b"{}")

    with pytest.raises(ProviderRefused) as refusal:
        api.get(PATH, {})
    assert isinstance(refusal.value, ProviderForbidden) is is_of_one_object


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b""),
        (429, {"Retry-After": "1"}, b"{}"),
        (200, {}, b"not json"),
        (200, {}, b"[]"),
        (200, {}, b'{"a":"' + b"x" * 4 * 1024 * 1024 + b'"}'),
    ],
    ids=["down", "too many", "no JSON", "no object", "too large"],
)
def test_an_answer_of_no_use_is_asked_for_later_and_not_at_once(
    api: ProviderApi, fake: FakeProviders, answer: tuple[int, dict[str, str], bytes]
) -> None:
    fake.trouble = lambda: answer

    with pytest.raises(ProviderUnavailable):
        api.get(PATH, {})
    assert len(fake.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403])
def test_an_answer_that_asking_again_would_not_change_is_for_a_person(
    api: ProviderApi, fake: FakeProviders, status: int
) -> None:
    """A redirect is not followed, because the key must not be sent to another host."""
    fake.trouble = lambda: (status, {"Location": f"{fake.url}/elsewhere"}, b"{}")

    with pytest.raises(ProviderRefused):
        api.get(PATH, {})
    assert fake.asked == [PATH]


def test_a_provider_that_is_not_there_is_asked_later() -> None:
    with fake_providers() as gone:
        pass

    with pytest.raises(ProviderUnavailable, match="provider_unreachable"):
        ProviderApi(gone.url, MOLLIE_KEY, urllib3.PoolManager()).get(PATH, {})
