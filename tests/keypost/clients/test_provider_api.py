import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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
    with pytest.raises(ProviderUnavailable, match="provider_unreachable"):
        ProviderApi(gone.url, MOLLIE_KEY, urllib3.PoolManager()).post(PATH, b"{}", {})


class _Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        given = {name: self.headers[name] for name in ("Authorization", "Content-Type")}
        answer = json.dumps({"path": self.path, "body": body.decode(), **given}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Write no log of requests."""


@pytest.fixture
def echo() -> Iterator[ProviderApi]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        pool = urllib3.PoolManager()
        yield ProviderApi(f"http://127.0.0.1:{server.server_address[1]}", "a-key", pool)
        pool.clear()
        server.shutdown()
        thread.join()


def test_a_body_is_posted_byte_for_byte_with_the_key(echo: ProviderApi) -> None:
    """PayPal verifies the very text that it sent: another order of its keys, or another space, is no longer genuine."""
    assert echo.post("/verify", b'{"b": 1,  "a":2}', {}) == {
        "path": "/verify",
        "body": '{"b": 1,  "a":2}',
        "Authorization": "Bearer a-key",
        "Content-Type": "application/json",
    }


def test_a_post_may_send_a_form_or_the_token_that_the_key_was_changed_for(echo: ProviderApi) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Bearer a-token"}

    assert echo.post("/token", b"grant_type=client_credentials", form) == {
        "path": "/token",
        "body": "grant_type=client_credentials",
        **form,
    }


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((500, {}, b""), ProviderUnavailable),
        ((429, {}, b"{}"), ProviderUnavailable),
        ((200, {}, b"not json"), ProviderUnavailable),
        ((401, {}, b"{}"), ProviderRefused),
        ((307, {"Location": "/elsewhere"}, b"{}"), ProviderRefused),
    ],
    ids=["down", "too many", "no JSON", "wrong key", "redirect"],
)
def test_the_errors_of_a_post_are_those_of_a_get_and_it_is_sent_once(
    api: ProviderApi, fake: FakeProviders, answer: tuple[int, dict[str, str], bytes], error: type[Exception]
) -> None:
    fake.trouble = lambda: answer

    with pytest.raises(error):
        api.post("/v1/verify", b"{}", {})
    assert fake.asked == ["/v1/verify"]
