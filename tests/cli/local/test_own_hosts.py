"""A page of another site whose name leads to this machine gets nothing from the servers here."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from cli.local.fake_providers import fake_providers
from cli.local.mailbox import mailbox


@pytest.fixture(params=["mailbox", "fake_providers"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with ExitStack() as servers:
        if request.param == "mailbox":
            yield servers.enter_context(mailbox()).url
        else:
            yield servers.enter_context(fake_providers()).url


def status(url: str, host: str | None, method: str = "GET") -> int:
    """What a server answers to a call that names this host."""
    with closing(HTTPConnection(urlsplit(url).netloc)) as connection:
        connection.putrequest(method, "/v2/payments" if method == "GET" else "/shop/pay", skip_host=True)
        if host is not None:
            connection.putheader("Host", host)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        with connection.getresponse() as answer:
            return answer.status


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_here_answers_its_own_names_only(url: str, method: str) -> None:
    port = urlsplit(url).port
    own = [f"127.0.0.1:{port}", f"localhost:{port}", None]
    others = [f"attacker.example:{port}", "attacker.example", "127.0.0.1", f"localhost:{port}.attacker.example", ""]

    assert 421 not in {status(url, host, method) for host in own}
    assert {status(url, host, method) for host in others} == {421}
