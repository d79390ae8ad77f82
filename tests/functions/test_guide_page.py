"""The guide for customers, called as API Gateway calls it."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

import guide_page
from cli.stacks import Stack
from keypost import wiring
from keypost.guide_page.writing import WORDS
from tests.builders import OTHER, PRODUCT, SKU, Context, event, leaked, log
from tests.faults import refuse, watch

NOON = datetime(2026, 11, 24, 11, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def catalog(wired: Stack) -> Stack:
    for product in (PRODUCT, OTHER):
        wired.store.put_product(product)
    return wired


def call(sku: str | None = SKU, headers: dict[str, str] | None = None, **changes: Any) -> Any:
    path = "/activate" if sku is None else f"/activate/{sku}"
    request = event("activate/get.json") | {"path": path, "pathParameters": sku and {"sku": sku}}
    request["multiValueHeaders"] = {}
    request["headers"] = {"Accept-Language": "nl"} | (headers or {})
    return guide_page.handler(request | changes, Context())


def title(answer: Any) -> str:
    return str(answer["body"]).partition("<h1>")[2].partition("</h1>")[0]


def test_the_guide_opens_in_the_language_of_the_browser_and_may_be_kept_for_an_hour(catalog: Stack) -> None:
    answer = guide_page.handler(event("activate/get.json"), Context())

    assert answer["statusCode"] == 200
    assert title(answer) == "Kaspersky Standard installeren en activeren"
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert answer["headers"]["Cache-Control"] == "public, max-age=3600"
    assert answer["headers"]["Vary"] == "Accept-Language"
    assert answer["headers"]["Content-Language"] == "nl"
    assert "Voorbeeld Software" in answer["body"]


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [("en", "nl", "en"), ("nl", "en", "nl"), ("tlh", "nl", "nl"), ("../x", "fr", "en"), ("", "", "en")],
)
def test_the_language_of_the_address_counts_before_that_of_the_browser(
    catalog: Stack, chosen: str, accepted: str, language: str
) -> None:
    answer = call(None, {"Accept-Language": accepted}, queryStringParameters={"lang": chosen})

    assert (answer["statusCode"], answer["headers"]["Content-Language"]) == (200, language)
    assert title(answer) == WORDS[language]["overview_title"]


def test_all_products_lead_to_their_pages_and_back_wherever_the_api_is(catalog: Stack) -> None:
    everything, one, slashed = call(None), call(), call(SKU, path=f"/activate/{SKU}/")

    assert f'href="activate/{SKU}?lang=nl"' in everything["body"]
    assert 'href="../activate?lang=nl"' in one["body"]
    assert 'href="../resend?lang=nl"' in one["body"]
    assert 'href="../../activate?lang=nl"' in slashed["body"]
    assert f'href="../activate/{SKU}?lang=nl"' in call(None, path="/activate/")["body"]


@pytest.mark.parametrize(
    "sku", ["UNKNOWN", "kaspersky-standard-3d-1y", "..", "%00", "<b>x</b>", "a" * 3000, "a%2Fb", "%ff"]
)
def test_an_unknown_product_has_a_page_with_the_way_to_the_shop_and_to_all_products(catalog: Stack, sku: str) -> None:
    answer = call(sku)

    assert (answer["statusCode"], title(answer)) == (404, WORDS["nl"]["unknown_title"])
    assert 'href="../activate?lang=nl"' in answer["body"]
    assert 'href="mailto:hulp@voorbeeld.example"' in answer["body"]
    assert "<b>x" not in answer["body"]
    assert answer["headers"]["Cache-Control"] == "public, max-age=60"


def test_a_product_that_is_escaped_in_the_address_is_found(catalog: Stack) -> None:
    assert call(SKU.replace("-", "%2D"))["statusCode"] == 200


def test_from_its_day_on_a_retired_product_is_gone_and_no_longer_listed(
    catalog: Stack, at_noon: time_machine.Traveller
) -> None:
    catalog.store.put_product(replace(PRODUCT, retired_on=date(2026, 11, 25)))
    before = call()
    at_noon.move_to(datetime(2026, 11, 24, 23, 0, tzinfo=UTC))  # midnight in the shop's zone

    answer = call()
    assert (before["statusCode"], answer["statusCode"]) == (200, 410)
    assert title(answer) == WORDS["nl"]["retired_title"]
    assert "Kaspersky Standard verkopen wij niet meer" in answer["body"]
    assert 'href="mailto:hulp@voorbeeld.example"' in answer["body"]
    assert 'href="../activate?lang=nl"' in answer["body"]
    assert 'href="../resend?lang=nl"' in answer["body"]  # for a visitor who bought it and lost the mail
    assert SKU not in call(None)["body"]
    assert "OTHER" in call(None)["body"]


def test_a_browser_that_has_the_page_gets_it_only_after_it_changed(
    catalog: Stack, at_noon: time_machine.Traveller
) -> None:
    tag = call()["headers"]["ETag"]

    for known in (tag, f'"x", W/{tag}', "*"):
        again = call(SKU, {"If-None-Match": known})
        assert (again["statusCode"], again["body"], again["headers"]["ETag"]) == (304, "", tag)
        assert again["headers"]["Cache-Control"] == "public, max-age=3600"
    catalog.store.put_product(replace(PRODUCT, term_days=730))
    at_noon.shift(timedelta(minutes=5))
    assert call(SKU, {"If-None-Match": tag})["statusCode"] == 200


def test_head_gets_the_headers_and_no_page(catalog: Stack) -> None:
    whole, head = call(), call(httpMethod="HEAD")

    assert (head["statusCode"], head["headers"], head["body"]) == (200, whole["headers"], "")
    assert call("UNKNOWN", httpMethod="HEAD")["body"] == ""


def test_ten_thousand_visitors_read_the_table_once_in_five_minutes(
    catalog: Stack, at_noon: time_machine.Traveller
) -> None:
    reads = watch(wiring.store()._client)
    for _ in range(20):
        call()
        at_noon.shift(timedelta(seconds=14))
        call(None)
    assert [name for name, _ in reads] == ["GetItem", "BatchGetItem"]

    at_noon.shift(timedelta(minutes=5))
    call()
    assert len(reads) == 4


def test_while_products_cannot_be_read_the_page_says_so_and_nobody_keeps_it(
    catalog: Stack, logged: io.StringIO
) -> None:
    refuse(wiring.store()._client, "GetItem", "InternalServerError")

    answer = call()
    assert (answer["statusCode"], title(answer)) == (503, WORDS["nl"]["failed_title"])
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert "hulp@voorbeeld.example" in answer["body"]
    assert '"GuideNotRead"' in logged.getvalue()
    assert call()["statusCode"] == 200


def test_without_self_service_no_page_leads_to_it(catalog: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = call()
    monkeypatch.setenv("KEYPOST_SELF_SERVICE", "off")
    wiring.config.cache_clear()

    assert "resend?" in with_it["body"]
    assert "resend?" not in call()["body"]


def test_no_log_holds_who_looked(catalog: Stack, logged: io.StringIO) -> None:
    call(SKU, {"Cookie": "klant.example"}, queryStringParameters={"lang": "klant.example"})

    assert leaked(["klant.example", "203.0.113.7"], logged.getvalue, log) == []
