"""Signing in at the issuer of the shop's own people: the code flow with PKCE, against an issuer on loopback."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from cli.stacks import Stack
from keypost import wiring
from tests.issuer import AUDIENCE, Issuer, issuer_here
from tests.keypost.support_desk.conftest import Desk, now

pytestmark = pytest.mark.drill

OpenDesk = Callable[..., Desk]


@pytest.fixture
def issuer(wired: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    with issuer_here() as made:
        monkeypatch.setenv("KEYPOST_STAGE", "local")  # where an issuer may be on this machine
        monkeypatch.setenv("KEYPOST_SUPPORT_ISSUER", made.url)
        monkeypatch.setenv("KEYPOST_SUPPORT_AUDIENCE", AUDIENCE)
        monkeypatch.setenv("KEYPOST_SUPPORT_CLIENT", "support-page")
        monkeypatch.setenv("KEYPOST_SUPPORT_SCOPES", "openid keypost/support")
        wiring.forget()
        yield made


def stored(desk: Desk) -> dict[str, str]:
    found: dict[str, str] = desk.page.evaluate("({...sessionStorage})")
    return found


def test_an_agent_signs_in_at_the_issuer_and_is_back_where_they_were(desk: OpenDesk, issuer: Issuer) -> None:
    at = desk("#/orders/open-1", is_in=False)
    at.sold("open-1")
    assert at.page.get_by_label("Support key").count() == 0

    at.page.get_by_role("button", name="Sign in").click()

    expect(at.page.get_by_role("heading", name="Order open-1", exact=True)).to_be_visible()
    (visit,), (exchange,) = issuer.visits, issuer.exchanges
    page = f"{at.url}/support"
    assert at.page.url == f"{page}#/orders/open-1"
    for name in ("state", "nonce", "code_challenge"):
        assert len(visit.pop(name)) == 43
    assert visit == {
        "response_type": "code",
        "client_id": "support-page",
        "redirect_uri": page,
        "scope": "openid keypost/support",
        "code_challenge_method": "S256",
    }
    assert len(exchange.pop("code_verifier")) == 43
    assert exchange == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": page,
        "client_id": "support-page",
    }
    assert at.page.evaluate("localStorage.length") == 0
    assert "keypost-remembered-openid" not in stored(at)


def test_a_token_that_has_expired_leads_back_to_what_was_typed(desk: OpenDesk, issuer: Issuer) -> None:
    at = desk("#/orders/open-2", is_in=False)
    at.sold("open-2")
    issuer.claims |= {"exp": int(now().timestamp()) + 3600}
    at.page.get_by_role("button", name="Sign in").click()
    at.page.get_by_role("button", name="Hold").click()
    at.page.get_by_label("Reason").fill("the customer phoned")
    at.page.evaluate("sessionStorage.setItem('keypost-support-key', 'a.b.c')")

    at.page.get_by_role("dialog").get_by_role("button", name="Hold").click()
    expect(at.page.get_by_role("alert")).to_contain_text("Your sign-in has expired or was revoked")
    at.page.get_by_role("button", name="Sign in").click()

    expect(at.page.get_by_role("dialog").get_by_label("Reason")).to_have_value("the customer phoned")
    at.page.get_by_role("dialog").get_by_role("button", name="Hold").click()
    expect(at.page.get_by_role("region", name="Timeline")).to_contain_text("the customer phoned")


def test_an_answer_that_this_tab_did_not_ask_for_signs_nobody_in(desk: OpenDesk, issuer: Issuer) -> None:
    at = desk(is_in=False)

    at.page.goto(f"{at.url}/support?code=code-1&state=another")

    expect(at.page.get_by_role("alert")).to_contain_text("Signing in was not completed")
    assert issuer.exchanges == []
    assert "code-1" not in at.page.url


def test_a_token_for_another_visit_signs_nobody_in(desk: OpenDesk, issuer: Issuer) -> None:
    at = desk(is_in=False)
    given: dict[str, Any] = {"access_token": issuer.token(), "id_token": issuer.token(nonce="of another visit")}
    headers = {"Access-Control-Allow-Origin": "*"}
    at.page.route("**/tenant/token", lambda route: answer(route, given, headers))

    at.page.get_by_role("button", name="Sign in").click()

    expect(at.page.get_by_role("alert")).to_contain_text("Signing in was not completed")
    assert "keypost-support-key" not in stored(at)


def answer(route: Route, given: dict[str, Any], headers: dict[str, str]) -> None:
    route.fulfill(json=given, headers=headers)


def test_who_is_not_let_in_is_told_so(desk: OpenDesk, issuer: Issuer) -> None:
    issuer.denies = True
    at = desk(is_in=False)

    at.page.get_by_role("button", name="Sign in").click()

    expect(at.page.get_by_role("alert")).to_contain_text("did not let you in")


def test_an_issuer_that_cannot_be_asked_is_said_to_be_out_of_reach(desk: OpenDesk, issuer: Issuer) -> None:
    issuer.status = 503
    at = desk(is_in=False)

    at.page.get_by_role("button", name="Sign in").click()

    expect(at.page.get_by_role("alert")).to_contain_text("could not be reached")
