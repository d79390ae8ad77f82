"""The page on which customers stop their reminders, called as API Gateway calls it."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

import reminders_page
from cli.stacks import Stack
from keypost import wiring
from keypost.core.order import Unreminded
from keypost.reminders_page import WORDS
from keypost.resend_page import HEADERS
from tests.builders import Context, count, event, leaked, log, paid_order, printed
from tests.faults import refuse, watch

ADDRESS, OTHER = "facturen@klant.example", "piet@anders.example"
NOON = datetime(2026, 11, 24, 11, 20, tzinfo=UTC)
ONE_CLICK = "List-Unsubscribe=One-Click"
NOWHERE = "aB3dE5fG7hJ9kL1mN3pQ5r"


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def link(wired: Stack) -> str:
    return wired.store.way_out(ADDRESS)


def call(link: str, body: str | None = None, kind: str = "application/x-www-form-urlencoded", **changes: Any) -> Any:
    """GET without a body, POST with one."""
    request = event("reminders/post.json") | {"body": body, "multiValueHeaders": {}, "pathParameters": {"link": link}}
    request["httpMethod"] = "GET" if body is None else "POST"
    request["headers"] = {"Content-Type": kind} | changes.pop("headers", {"Accept-Language": "nl"})
    return reminders_page.handler(request | changes, Context())


def title(outcome: str, language: str = "nl") -> str:
    return f"<h1>{WORDS[language]['told'][outcome]['title']}</h1>"


def test_opening_the_link_changes_nothing_however_often_scanners_do(wired: Stack, link: str) -> None:
    tables = watch(wiring.store()._client)
    answers = [call(link) for _ in range(3)]

    assert answers == answers[:1] * 3
    assert answers[0]["statusCode"] == 200
    assert title("ask") in answers[0]["body"]
    assert answers[0]["headers"] == HEADERS | {
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
        "Content-Language": "nl",
    }
    assert {name for name, _ in tables} == {"GetItem"}
    assert wired.store.unreminded(ADDRESS) is None


PARTS = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ONE_CLICK, "application/x-www-form-urlencoded"),
        (ONE_CLICK, "application/x-www-form-urlencoded; charset=utf-8"),
        (PARTS, "multipart/form-data; boundary=x"),
        (PARTS, 'Multipart/Form-Data; boundary="x"'),
    ],
)
def test_one_click_of_a_mail_program_stops_reminders_of_that_address_and_of_no_other(
    wired: Stack, link: str, body: str, kind: str
) -> None:
    """RFC 8058: without cookies, without a key, and never a redirect."""
    others = wired.store.way_out(OTHER)

    answer = call(link, body, kind, headers={})

    assert answer["statusCode"] == 200
    assert not {"Location", "Set-Cookie", "WWW-Authenticate"} & answer["headers"].keys()
    assert title("stopped", "en") in answer["body"]
    assert wired.store.unreminded(ADDRESS) == Unreminded(NOON, "customer")
    assert wired.store.unreminded(OTHER) is None
    assert others != link


def test_the_page_says_what_is_so_and_how_to_have_reminders_again(
    wired: Stack, link: str, at_noon: time_machine.Traveller
) -> None:
    stopped = call(link, ONE_CLICK)
    at_noon.shift(timedelta(days=1))

    assert title("stopped") in stopped["body"]
    assert "hulp@voorbeeld.example" in stopped["body"]
    assert call(link, ONE_CLICK)["body"] == call(link)["body"] == stopped["body"]
    assert wired.store.unreminded(ADDRESS) == Unreminded(NOON, "customer")  # the first time counts
    assert title("again") in call(link, "reminders=again")["body"]
    assert wired.store.unreminded(ADDRESS) is None
    assert title("ask") in call(link)["body"]
    call(link, ONE_CLICK)
    assert wired.store.unreminded(ADDRESS) == Unreminded(NOON + timedelta(days=1), "customer")


@pytest.mark.parametrize("link", [NOWHERE, "", "x", "é" * 22, "A" * 5000, "../orders/2026-001234", "a b\r\nc"])
@pytest.mark.parametrize("body", [None, ONE_CLICK, "reminders=again"])
def test_a_link_that_leads_nowhere_says_what_to_do_and_changes_nothing(
    wired: Stack, link: str, body: str | None
) -> None:
    tables = watch(wiring.store()._client)

    answer = call(link, body)

    assert answer["statusCode"] == 404
    assert title("unknown") in answer["body"]
    assert "hulp@voorbeeld.example" in answer["body"]
    assert "<form" not in answer["body"]
    assert {name for name, _ in tables} <= {"GetItem"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", "application/x-www-form-urlencoded"),
        ("List-Unsubscribe=", "application/x-www-form-urlencoded"),
        ("x=y", "application/x-www-form-urlencoded"),
        (f"{ONE_CLICK}&reminders=again", "application/x-www-form-urlencoded"),
        (f"{ONE_CLICK}&x={'y' * 5000}", "application/x-www-form-urlencoded"),
        ("&".join("a=b" for _ in range(50)), "application/x-www-form-urlencoded"),
        ('{"List-Unsubscribe": "One-Click"}', "application/json"),
        (PARTS, "multipart/form-data"),
        (PARTS, "multipart/form-data; boundary=y"),
        ("--x--", "multipart/form-data; boundary=x"),
        (PARTS.replace("form-data", "é"), "multipart/form-data; boundary=é\r\nX: y"),
    ],
)
def test_what_neither_the_page_nor_a_mail_program_sends_changes_nothing(
    wired: Stack, link: str, body: str, kind: str
) -> None:
    answer = call(link, body, kind)

    assert answer["statusCode"] == 400
    assert title("unclear") in answer["body"]
    assert wired.store.unreminded(ADDRESS) is None


def test_the_language_is_that_of_the_browser_or_the_one_that_was_chosen(wired: Stack, link: str) -> None:
    english = call(link, headers={"Accept-Language": "en-GB"})
    chosen = call(link, headers={"Accept-Language": "en-GB"}, queryStringParameters={"lang": "nl"})

    assert '<html lang="en">' in english["body"]
    assert title("ask", "en") in english["body"]
    assert '<html lang="nl">' in chosen["body"]
    assert 'action="?lang=nl"' in chosen["body"]


def test_a_customer_and_somebody_who_never_bought_cannot_be_told_apart(wired: Stack, link: str) -> None:
    """The link of an address without orders is as good as that of a customer, and nobody else's leads anywhere."""
    wired.store.save(paid_order("2026-001234", email=ADDRESS))
    stranger = wired.store.way_out(OTHER)

    assert [call(each)["body"] for each in (link, stranger)] == [call(link)["body"]] * 2
    assert call(link, ONE_CLICK)["body"] == call(stranger, ONE_CLICK)["body"]


def test_while_the_table_cannot_be_reached_nothing_is_promised(wired: Stack, link: str, logged: io.StringIO) -> None:
    refuse(wiring.store()._client, "UpdateItem", "InternalServerError")

    answer = call(link, ONE_CLICK)

    assert answer["statusCode"] == 503
    assert title("not now") in answer["body"]
    assert '"failure"' in logged.getvalue()


def test_no_log_and_no_metric_holds_a_link_or_whose_it_is(
    wired: Stack, link: str, logged: io.StringIO, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED")
    whose = wired.store.whose_link(link) or ""
    for body in (None, ONE_CLICK, "reminders=again", "x=y"):
        call(link, body)
    call(NOWHERE, ONE_CLICK)

    metrics = printed(capsys)
    assert logged.getvalue().count('"RemindersPageCalled"') == 5
    assert metrics().count('"Name":"RemindersPageCalled"') == 5
    private = [link, NOWHERE, whose, "klant.example", "203.0.113"]
    assert leaked(private, logged.getvalue, log) == []
    assert leaked(private, metrics, count) == []
