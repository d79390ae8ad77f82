"""Signing in and out, and what the browser keeps."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cli.local.stack import LocalStack
from keypost.core.order import Order
from tests.builders import leaked
from tests.keypost.support_page.conftest import Visit, find, sign_in


def test_the_key_of_an_agent_opens_the_page_and_another_one_does_not(
    visit: Callable[..., Visit], local: LocalStack
) -> None:
    page = visit().page
    page.get_by_label("Support key").fill("kp_0123456789_" + "0" * 64)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text(
        "This key is not valid, or is no longer valid: sign in with another one, or ask the operator for one."
    )

    page.get_by_label("Support key").fill(local.support_key)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_label("Find an order")).to_be_visible()


def test_the_key_is_kept_in_this_browser_and_in_no_storage_that_outlives_it(
    visit: Callable[..., Visit], local: LocalStack
) -> None:
    visited = visit()
    page = visited.page
    sign_in(page, local.support_key)

    page.reload()
    expect(page.get_by_label("Find an order")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0
    assert page.context.cookies() == []
    assert (
        leaked(
            [local.support_key],
            lambda: "\n".join([page.url, *visited.urls]),
            lambda canary: page.evaluate("text => fetch(`support?canary=${text}`)", canary),
        )
        == []
    )

    stranger = visit().page
    expect(stranger.get_by_label("Support key")).to_be_visible()


def test_another_tab_of_the_browser_need_not_ask_and_signing_out_is_of_all_tabs(page: Page) -> None:
    another = page.context.new_page()
    another.goto(page.url)
    expect(another.get_by_label("Find an order")).to_be_visible()

    another.get_by_role("button", name="Sign out").click()

    expect(page.get_by_label("Support key")).to_be_visible()
    third = page.context.new_page()
    third.goto(page.url)
    expect(third.get_by_label("Support key")).to_be_visible()
    another.close()
    third.close()


def test_signing_out_forgets_the_key_and_what_was_shown(page: Page, sold: Callable[..., Order]) -> None:
    sold("page-sign-out")
    find(page, "page-sign-out")
    expect(page.get_by_role("heading", name="Order page-sign-out")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_label("Support key")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    assert "page-sign-out" not in page.content()
    assert "kp_" not in page.evaluate("JSON.stringify(sessionStorage)")


def test_a_key_that_is_refused_later_is_asked_for_again(page: Page) -> None:
    page.evaluate("sessionStorage.setItem('keypost-support-key', 'kp_0123456789_' + '0'.repeat(64))")

    find(page, "page-any")

    expect(page.get_by_label("Support key")).to_be_visible()
    expect(page.get_by_role("alert")).not_to_be_empty()
    assert page.evaluate("sessionStorage.getItem('keypost-support-key')") is None


def test_an_api_that_cannot_be_reached_is_told_as_such(page: Page) -> None:
    page.route("**/orders/**", lambda route: route.abort())

    find(page, "page-any")

    expect(page.get_by_role("alert")).to_contain_text("could not be reached")


@pytest.mark.parametrize("detail", ["it is busy: try again in a minute", "<img src=x onerror=alert(1)>"])
def test_a_problem_is_told_in_the_words_of_the_api(page: Page, detail: str) -> None:
    answer = {"title": "Busy", "code": "order_busy", "detail": detail}
    page.route("**/orders/**", lambda route: route.fulfill(status=503, json=answer))

    find(page, "page-any")

    expect(page.get_by_role("alert")).to_have_text(detail)
