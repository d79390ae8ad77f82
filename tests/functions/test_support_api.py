"""The support API, called as API Gateway calls it."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from cli.local.samples import sample_products
from cli.stacks import Stack
from keypost import wiring
from keypost.api.app import ROUTES
from keypost.api.stock import MOST_CODES
from keypost.core.keys import SCOPES
from keypost.core.licensing import with_codes
from keypost.core.mail import Asked, MailSent
from keypost.core.mailing import settle_mail
from keypost.core.order import Order, Reason, waiting_for
from keypost.core.payment import Remark
from keypost.core.product import Line
from keypost.core.said import Said
from keypost.core.said import said as said_of
from keypost.core.support import with_other_code
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, PRODUCT, SKU, ZONE, code, leaked, log, notice, paid_order, product
from tests.faults import Parameters, on_call, refuse
from tests.functions.support_calls import KEY, Context, call


def served(store: Any, order_id: str = "2026-001234", number: int = 1, **changes: Any) -> Order:
    """An order that has its code, as the worker leaves it."""
    fact = notice(order_id, at=NOW.replace(day=number), **changes)
    record(store, fact, NOW.replace(day=number), INTAKE)
    order = store.load(order_id)
    list(store.add_codes(SKU, [code(number)], "B-1", None))
    (taken,) = [free for free in store.pick(SKU, 9, NOW.date()) if free.code == code(number)]
    assigned = store.assign(with_codes(order, [taken], {SKU: PRODUCT}, NOW, ZONE), [taken], NOW.date())
    saved: Order = store.save(settle_mail(assigned, "purchase-1", 1, MailSent("m-1"), NOW))
    return saved


def test_the_whole_story_is_told_without_the_code(wired: Stack) -> None:
    assert code(1) in repr(served(wired.store))

    status, said = call("GET", "/orders/{order_id}", order_id="2026-001234")

    assert status == 200
    assert (said["order_id"], said["standing"], said["email"]) == ("2026-001234", "paid", "facturen@klant.example")
    assert said["licenses"][0]["code"] == "…00001"
    assert [entry["code"] for entry in said["timeline"]] == ["payment_paid", "codes_assigned", "mail_sent"]
    assert said["mails"][0]["state"] == "sent"
    assert said["held"] is False
    assert code(1)[:-5] not in json.dumps(said)


def test_an_order_that_is_not_there_is_not_found_and_one_with_an_odd_number_is_refused(wired: Stack) -> None:
    assert call("GET", "/orders/{order_id}", order_id="none")[0] == 404
    assert call("GET", "/orders/{order_id}", order_id="a b")[0] == 422
    assert call("GET", "/orders/{order_id}", order_id="a/b")[0] == 404
    assert call("GET", "/orders/{order_id}", order_id="a\nb")[0] == 404


@pytest.mark.parametrize(
    "wanted",
    [
        {"order": " 2026-001234 "},
        {"email": "facturen@klant.example"},
        {"email": " Facturen@Klant.example "},
        {"code": "aaaaa bbbbb ccccc 00001"},
        {"license": "{license}"},
        {"license": " {license} "},
        {"payment": "cs_2026-001234"},
        {"payment": "stripe:cs_2026-001234"},
    ],
)
def test_an_order_is_found_by_all_that_a_customer_may_name(wired: Stack, wanted: dict[str, str]) -> None:
    order = served(wired.store)
    asked = {key: value.format(license=order.licenses[0].id) for key, value in wanted.items()}

    status, said = call("POST", "/orders/search", asked)

    assert status == 200
    (found,) = said["orders"]
    assert (found["order_id"], found["standing"], found["products"]) == (order.id, "paid", [SKU])
    assert (found["last_event"]["code"], found["last_event"]["text"]) == (
        "mail_sent",
        "the e-mail with the codes was sent",
    )


def test_a_code_that_was_swapped_still_leads_to_its_order(wired: Stack) -> None:
    order = served(wired.store)
    list(wired.store.add_codes(SKU, [code(2)], "B-2", None))
    (other,) = wired.store.pick(SKU, 1, NOW.date())
    changed = with_other_code(order, order.licenses[0].id, other, "invalid", Asked(NOW, "anna"))
    wired.store.swap_code(changed, changed.bad_codes[0], other, "B-1", NOW.date())

    assert call("POST", "/orders/search", {"code": code(1)})[1]["total"] == 1
    assert call("GET", "/orders/{order_id}", order_id=order.id)[1]["bad_codes"][0]["code"] == "…00001"


@pytest.mark.parametrize(
    "wanted",
    [{"order": "x"}, {"email": "a@b.example"}, {"code": "x"}, {"license": "LIC-"}, {"payment": "x"}],
)
def test_what_nobody_bought_finds_nothing(wired: Stack, wanted: dict[str, str]) -> None:
    assert call("POST", "/orders/search", wanted) == (
        200,
        {"orders": [], "total": 0, "zone": "Europe/Amsterdam", "unreadable": [], "names": {}}
        | {"next": None, "looked": None},
    )


def test_of_many_orders_the_newest_fifty_are_told(wired: Stack) -> None:
    for number in range(52):
        wired.store.save(replace(paid_order(f"many-{number:02d}"), created_at=NOW + timedelta(minutes=number)))

    _, said = call("POST", "/orders/search", {"email": "facturen@klant.example"})

    assert said["total"] == 52
    assert [found["order_id"] for found in said["orders"]] == [f"many-{number:02d}" for number in range(51, 1, -1)]


@pytest.mark.parametrize(
    ("body", "status", "about"),
    [
        ({}, 422, "exactly one"),
        ({"email": "a@b.example", "code": "x"}, 422, "exactly one"),
        ({"email": "a@b.example", "code": None}, 422, "`code` is null"),
        ({"email": None}, 422, "`email` is null"),
        ({"code": ""}, 422, "#/code"),
        ({"code": "x" * 201}, 422, "#/code"),
        ({"email": "nobody"}, 422, "is not a usable e-mail address"),
        ({"phone": "1"}, 422, "#/phone"),
        ({"a/b~": "1"}, 422, "#/a~1b~0"),
        ({"code": 1}, 422, "is not text"),
        ([{"code": "x"}], 400, "not a JSON object"),
        ("null", 400, "not a JSON object"),
        ("", 422, "#"),
        ("{", 400, "not JSON"),
        ('{"code": "x", "code": "y"}', 400, "a key twice"),
        ('{"code": NaN}', 400, "NaN"),
        ('{"code": "\\ud800"}', 400, "surrogate"),
        ("[" * 100_000, 400, "nested too deeply"),
    ],
)
def test_a_search_that_is_not_as_agreed_is_told_what_is_wrong(wired: Stack, body: Any, status: int, about: str) -> None:
    found, said = call("POST", "/orders/search", body)

    assert found == status
    assert about in json.dumps(said)


def test_a_half_typed_address_is_one_fault_at_a_json_pointer_without_a_word_of_a_library(wired: Stack) -> None:
    _, answer = call("POST", "/orders/search", {"email": "jansen@"}, headers={"Accept-Language": "nl"})

    assert answer["errors"] == [
        {
            "pointer": "#/email",
            "detail": "`email` is geen bruikbaar e-mailadres",
            "code": "not_an_address",
            "values": {"field": "email"},
        }
    ]
    assert answer["detail"] == "Het verzoek bevat fouten; er is niets gewijzigd."


def test_a_pointer_to_a_key_of_any_name_is_a_fragment_of_a_uri_and_leads_to_it(wired: Stack) -> None:
    _, answer = call("POST", "/orders/search", {"order": "x", "é a/b%~": 1})

    assert [error["pointer"] for error in answer["errors"]] == ["#/%C3%A9%20a~1b%25~0"]


@pytest.mark.parametrize(
    ("header", "language", "detail"),
    [
        ("nl-NL,nl;q=0.9,en;q=0.8", "nl", "Er is geen bestelling x: controleer het nummer, of zoek op e-mailadres."),
        ("en-GB", "en", "There is no order x: check the number, or search by e-mail address."),
        ("xx, nl;q=0", "en", "There is no order x: check the number, or search by e-mail address."),
        ("\ufffd;;q=,,=nonsense;q=9", "en", "There is no order x: check the number, or search by e-mail address."),
    ],
)
def test_a_problem_is_told_in_the_language_that_the_call_accepts_with_its_code(
    wired: Stack, header: str, language: str, detail: str
) -> None:
    answers: list[Any] = []

    status, answer = call("GET", "/orders/{order_id}", order_id="x", headers={"Accept-Language": header}, kept=answers)

    assert (status, answer["detail"]) == (404, detail)
    assert (answer["code"], answer["values"]) == ("no_such_order", {"order": "x"})
    assert answers[0]["multiValueHeaders"]["Content-Language"] == [language]
    assert answers[0]["multiValueHeaders"]["Vary"] == ["Accept-Language"]


def test_an_order_is_told_in_the_language_of_the_call_with_products_by_name_and_the_zone_of_the_shop(
    wired: Stack,
) -> None:
    why = Said("too_few_codes", {"skus": (SKU,)})
    wired.store.save(waiting_for(paid_order("waits"), Reason.STOCK, why, NOW))

    _, answer = call("GET", "/orders/{order_id}", order_id="waits", headers={"Accept-Language": "nl"})

    name = PRODUCT.name["nl"]
    assert (answer["zone"], answer["products"]) == ("Europe/Amsterdam", {SKU: name})
    assert answer["needs"] == {
        "reason": "stock",
        "why": {"code": "too_few_codes", "values": {"skus": [SKU]}, "text": f"er zijn te weinig codes voor {name}"},
        "action": {
            "code": "import_codes",
            "values": {},
            "text": "importeer codes; de bestelling gaat dan meteen verder",
        },
    }
    assert answer["timeline"][-1]["text"] == f"de bestelling wacht op codes: er zijn te weinig codes voor {name}"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/csv", "x"])
def test_only_json_is_taken_where_json_is_asked_for(wired: Stack, content_type: str) -> None:
    status, said = call("POST", "/orders/search", "code=x", content_type=content_type)

    assert (status, said["detail"]) == (415, "Send this with the Content-Type application/json.")


def test_what_is_due_is_what_the_command_says(wired: Stack) -> None:
    lacking = Said("too_few_codes", {"skus": (SKU,)})
    wired.store.save(waiting_for(paid_order("waits"), Reason.STOCK, lacking, datetime.now(UTC)))

    why = {
        "code": "too_few_codes",
        "values": {"skus": [SKU]},
        "text": f"there are not enough codes for {PRODUCT.name['en']}",
    }
    about = {"customer": "Anna Jansen", "products": {SKU: PRODUCT.name["en"]}}
    assert call("GET", "/due") == (
        200,
        [{"order_id": "waits", "purpose": "purchase", "lines": [1], "day": "2026-11-23", "why_not": why} | about],
    )


@pytest.mark.drill
def test_what_is_due_of_more_than_a_thousand_orders_comes_in_parts_and_a_link_leads_to_the_next(wired: Stack) -> None:
    for number in range(1001):
        wired.store.save(paid_order(f"due-{number:04d}", at=NOW + timedelta(seconds=number)))
    kept: list[Any] = []

    status, first = call("GET", "/due?days=3", kept=kept)

    assert (status, len(first)) == (200, 1000)
    (link,) = kept[0]["multiValueHeaders"]["Link"]
    assert link == '<?days=3&next=2026-11-23T12%3A16%3A39Z~due-0999>; rel="next"'
    status, last = call("GET", f"/due{unquote(link[1:].partition('>')[0])}", kept=kept)
    assert (status, [row["order_id"] for row in last]) == (200, ["due-1000"])
    assert "Link" not in kept[1]["multiValueHeaders"]


def test_what_is_due_behind_a_place_is_without_what_stands_before_it(wired: Stack) -> None:
    for number in range(3):
        wired.store.save(paid_order(f"due-{number}", at=NOW + timedelta(seconds=number)))

    status, rows = call("GET", "/due?days=3&next=2026-11-23T12:00:00Z~due-0")

    assert (status, [row["order_id"] for row in rows]) == (200, ["due-1", "due-2"])


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("/due?next=3", {"parameter": "next", "detail": "`next` does not have the right form"}),
        ("/due?days=367", {"parameter": "days", "detail": "`days` is too small or too large: at most 366"}),
        ("/due?days=-1", {"parameter": "days", "detail": "`days` is too small or too large: at least 0"}),
        ("/due?day=1", {"parameter": "day", "detail": "`day` is not a parameter here"}),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(wired: Stack, url: str, fault: dict[str, str]) -> None:
    status, said = call("GET", url)

    (found,) = said["errors"]
    assert (status, {"parameter": found["parameter"], "detail": found["detail"]}) == (422, fault)


def test_what_does_not_exist_is_not_found(wired: Stack) -> None:
    assert call("GET", "/nothing")[0] == 404
    assert call("DELETE", "/due")[0] == 404


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_key_without_the_scope_of_a_route_is_refused(wired: Stack, route: tuple[str, str]) -> None:
    others = " ".join(scope for scope in SCOPES if scope != ROUTES[route].scope)

    status, said = call(*route, {}, scopes=others)

    assert status == 403
    assert f"`{ROUTES[route].scope}`" in said["detail"]


def test_every_call_is_counted_with_its_key_and_nothing_of_what_it_was_about(wired: Stack, logged: io.StringIO) -> None:
    call("POST", "/orders/search", {"email": "anna@klant.example"})

    line = json.loads(logged.getvalue().splitlines()[-1])
    assert (line["message"], line["route"], line["status"], line["key"]) == (
        "SupportCalled",
        "POST /orders/search",
        200,
        KEY,
    )
    assert leaked(["klant"], logged.getvalue, log) == []


def test_a_call_is_logged_with_its_order_but_not_with_what_was_taken_for_one(wired: Stack, logged: io.StringIO) -> None:
    served(wired.store)
    call("GET", "/orders/{order_id}", order_id="2026-001234")
    assert json.loads(logged.getvalue().splitlines()[-1])["order_id"] == "2026-001234"

    call("GET", "/orders/{order_id}", order_id=code(1))
    assert leaked([code(1)], logged.getvalue, log) == []


def test_what_nobody_foresaw_tells_where_to_find_it_and_nothing_else(wired: Stack, logged: io.StringIO) -> None:
    def break_down(_: Parameters) -> None:
        raise RuntimeError("the code AAAAA-BBBBB")

    on_call(wiring.store()._client, "GetItem", break_down)

    status, said = call("GET", "/orders/{order_id}", order_id="x")

    assert status == 500
    assert said == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "code": "unforeseen",
        "values": {"request": "request-1"},
        "detail": said["detail"],
    }
    assert "report request request-1" in said["detail"]
    assert "BBBBB" not in said["detail"]
    assert '"error":"RuntimeError"' in logged.getvalue()
    assert leaked(["BBBBB"], logged.getvalue, log) == []


def test_trouble_at_aws_is_told_as_trouble_that_passes(wired: Stack) -> None:
    refuse(wiring.store()._client, "GetItem", "ThrottlingException")

    status, said = call("GET", "/orders/{order_id}", order_id="x")

    assert (status, said["detail"]) == (503, "AWS did not answer as it should: try again in a minute.")


def imported(body: Any, *, sku: str = SKU, how: str = "", content_type: str | None = None, **kwargs: Any) -> Any:
    """The answer to an import; a body of bytes is sent as CSV."""
    content_type = content_type or ("text/csv" if isinstance(body, bytes) else "application/json")
    return call("POST", "/stock/{sku}" + how, body, content_type=content_type, sku=sku, **kwargs)


def free(store: Any) -> set[str]:
    return {each.code for each in store.pick(SKU, 20_000, datetime.now(UTC).date())}


def test_codes_of_a_list_enter_the_stock_once_and_what_is_wrong_is_told_by_place(wired: Stack) -> None:
    list(wired.store.add_codes(SKU, [code(9)], None, None))
    given = [code(1), "wrong", code(1).lower(), code(9), '=HYPERLINK("x")', code(2)]

    status, said = imported({"codes": given, "batch": "B-7", "activate_before": "2099-12-31"})

    assert (status, said["added"], said["dry_run"], said["not_reached"]) == (200, 2, False, 0)
    assert [fault["line"] for fault in said["duplicates"]] == [3, 4]
    assert [fault["line"] for fault in said["invalid"]] == [2, 5]
    assert (said["duplicate_count"], said["invalid_count"]) == (2, 2)
    assert said["detail"] == "codes added: 2; left out: 4"
    assert free(wired.store) == {code(1), code(2), code(9)}
    assert wired.store.batch_of(code(1)) == "B-7"


def test_a_dry_run_tells_the_same_and_changes_nothing(wired: Stack) -> None:
    wired.store.save(waiting_for(paid_order("waits"), Reason.STOCK, Said("x"), NOW))
    given = {"codes": [code(1), code(2), "wrong"]}

    _, would = imported(given, how="?dry_run=true")
    assert free(wired.store) == set()
    _, did = imported(given)

    assert (would["detail"], would["dry_run"]) == ("codes that can be added: 2; left out: 1", True)
    assert {**would, "detail": "", "dry_run": False} == {**did, "detail": ""}
    assert did["serves"] == 1


def test_an_import_says_how_many_waiting_orders_it_serves(wired: Stack) -> None:
    lines = {"one": (Line(SKU, 1),), "two": (Line(SKU, 2),), "other": (Line("OTHER", 1),), "three": (Line(SKU, 3),)}
    for name, bought in lines.items():
        wired.store.save(waiting_for(paid_order(name, *bought), Reason.STOCK, Said("x"), NOW))

    _, said = imported({"codes": [code(n) for n in range(4)]})

    assert said["serves"] == 2


@pytest.mark.parametrize(
    "file",
    [
        f"code\n{code(1)}\n",
        f"\ufeffcode;batch\r\n{code(1)};B-1\r\n",
        f'"code","sku"\n"{code(1)}","{SKU}"\n',
        f"activate_before,code\r\n2099-12-31,{code(1)}\r\n\r\n",
        f"CODE\n {code(1).lower().replace('-', ' ')} ",
    ],
)
def test_a_file_is_taken_as_spreadsheets_save_it(wired: Stack, file: str) -> None:
    status, said = imported(file.encode(), content_type="text/csv; charset=utf-8")

    assert (status, said["added"], said["invalid"]) == (200, 1, [])
    assert free(wired.store) == {code(1)}


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        (f"code\n{code(1)}\ufffd\n".encode(), "not UTF-8"),
        (f"{code(1)}\n".encode(), "must name the columns"),
        (f"code,price,code\n{code(1)},9,\n".encode(), "a column twice"),
        (b"", "must name the columns"),
    ],
)
def test_what_is_no_file_of_codes_is_refused_and_changes_nothing(wired: Stack, file: bytes, fault: str) -> None:
    status, said = imported(file)

    assert status == 400
    assert fault in said["detail"]
    assert free(wired.store) == set()


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("=1+1,", "a spreadsheet formula"),
        ('"=HYPERLINK(""AAAAA-BBBBB-CCCCC-00001"")",', "a spreadsheet formula"),
        ("@SUM(A1),", "a spreadsheet formula"),
        (f"{code(1)},=cmd", "name of a batch"),
        (f"{code(1)},-1+2", "name of a batch"),
        (f'"{code(1)},', "the line is not CSV"),
        (f"{code(1)},B,,x", "more cells"),
    ],
)
def test_a_row_that_is_no_code_is_left_out_with_the_reason(wired: Stack, row: str, fault: str) -> None:
    _, said = imported(f"code,batch\n{row}\n{code(2)},B-1\n".encode())

    assert (said["added"], said["invalid_count"], said["invalid"][0]["line"]) == (1, 1, 2)
    assert fault in said["invalid"][0]["reason"]["text"]
    assert "00001" not in json.dumps(said)


def test_a_row_of_another_product_than_the_path_says_is_left_out(wired: Stack) -> None:
    wired.store.put_product(product("OTHER"))

    _, said = imported(f"code,sku\n{code(1)},OTHER\n{code(2)},{SKU}\n".encode())

    text = f"the SKU is not {SKU}, as in the path"
    reason = {"code": "other_sku", "values": {"sku": SKU}, "text": text}
    assert said["invalid"] == [{"line": 2, "reason": reason, "column": "sku"}]
    assert free(wired.store) == {code(2)}


def test_codes_of_an_unknown_product_are_refused(wired: Stack) -> None:
    status, said = imported({"codes": [code(1)]}, sku="UNKNOWN")

    assert status == 404
    assert said["detail"] == "There is no product UNKNOWN: add it to the catalogue first."


@pytest.mark.parametrize(
    ("body", "status", "about"),
    [
        ({"codes": []}, 422, "#/codes"),
        ({"codes": code(1)}, 422, "#/codes"),
        ({"codes": [1]}, 422, "#/codes/0"),
        ({"codes": [code(1)], "sku": SKU}, 422, "#/sku"),
        ({"codes": [code(1)], "activate_before": "31-12-2099"}, 422, "#/activate_before"),
        ({"codes": [code(1)], "activate_before": "2020-01-01"}, 400, "has passed"),
        ({"codes": [code(1)], "batch": "=1"}, 400, "name of a batch"),
        ("{", 400, "not JSON"),
    ],
)
def test_a_list_that_is_not_as_agreed_is_refused_as_a_whole(wired: Stack, body: Any, status: int, about: str) -> None:
    found, said = imported(body)

    assert found == status
    assert about in json.dumps(said)
    assert free(wired.store) == set()


def test_a_misspelled_dry_run_imports_nothing(wired: Stack) -> None:
    assert imported({"codes": [code(1)]}, how="?dryrun=true")[0] == 422
    assert imported({"codes": [code(1)]}, how="?dry_run=maybe")[0] == 422
    assert free(wired.store) == set()


@pytest.fixture
def counted(wired: Stack, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the DynamoDB calls that the API makes."""
    calls: list[str] = []

    def count(model: Any, **_: Any) -> None:
        calls.append(model.name)

    wiring.store()._client.meta.events.register("before-call.dynamodb", count)
    return calls


def test_ten_thousand_codes_are_imported_at_once_by_few_calls(wired: Stack, counted: list[str]) -> None:
    status, said = imported({"codes": [code(n) for n in range(10_000)]})

    assert (status, said["added"], said["detail"]) == (200, 10_000, "codes added: 10000")
    assert (counted.count("TransactWriteItems"), counted.count("BatchGetItem")) == (100, 101)
    assert len(counted) < 210


@pytest.mark.parametrize("is_file", [True, False])
def test_more_than_a_hundred_thousand_are_refused_before_anything_is_written(
    wired: Stack, counted: list[str], is_file: bool
) -> None:
    many = ["x"] * (MOST_CODES + 1)

    status, said = imported("\n".join(["code", *many]).encode() if is_file else {"codes": many})

    assert status in (400, 422)
    assert "100000" in json.dumps(said)
    assert "TransactWriteItems" not in counted


def test_a_body_that_is_too_large_is_refused_before_it_is_read(wired: Stack) -> None:
    assert imported("x" * (4 * 1024 * 1024 + 1))[0] == 413


@pytest.mark.parametrize(("size", "status"), [(4 * 1024 * 1024, 200), (4 * 1024 * 1024 + 3, 413)])
def test_of_a_file_the_bytes_count_and_not_how_api_gateway_spells_them(wired: Stack, size: int, status: int) -> None:
    file = b"code\n"

    assert imported(file + b"x" * (size - len(file)))[0] == status


def test_an_import_that_runs_out_of_time_goes_on_when_it_is_sent_again(wired: Stack) -> None:
    given, late = {"codes": [code(n) for n in range(1_000)]}, Context()
    late.left = 5_000

    _, first = imported(given, context=late)
    _, second = imported(given)

    assert first["added"] + first["not_reached"] == 1_000
    assert 0 < first["added"] < 1_000
    assert "send the same file again" in first["detail"]
    assert (second["added"], second["duplicate_count"]) == (first["not_reached"], first["added"])


def test_the_faults_of_a_large_import_are_shown_up_to_a_thousand(wired: Stack) -> None:
    _, said = imported({"codes": ["wrong"] * 1_500}, how="?dry_run=true")

    assert (len(said["invalid"]), said["invalid_count"]) == (1_000, 1_500)


def test_the_stock_of_every_product_is_told_with_its_forecast(
    wired: Stack, stocked: Callable[[list[str]], None]
) -> None:
    stocked([code(1), code(2)])
    today = datetime.now(UTC).date()
    wired.store.count_used(SKU, today - timedelta(days=3), 30)

    _, said = call("GET", "/stock")

    (row,) = said["stock"]
    assert (row["sku"], row["free"], row["promised"], row["waiting"], row["used"]) == (SKU, 2, 0, 0, 30)
    assert row["to_order"] == 58
    assert row["runs_out"] is not None
    assert [point["free"] for point in row["course"]][:4] == [2, 1, 0, -1]
    assert len(row["course"]) == 61


def test_of_a_product_that_is_not_sold_any_more_the_stock_says_so(wired: Stack) -> None:
    wired.store.count_used(SKU, datetime.now(UTC).date() - timedelta(days=3), 30)
    before = call("GET", "/stock")[1]["stock"][0]
    wired.store.put_product(replace(PRODUCT, retired_on=datetime.now(UTC).date() - timedelta(days=1)))

    (row,) = call("GET", "/stock")[1]["stock"]
    assert (before["is_retired"], row["is_retired"]) == (False, True)
    assert (before["to_order"] > 0, row["to_order"], row["used"]) == (True, 0, 30)
    assert call("GET", "/products")[1]["products"][0]["retired_on"] is not None


def entry(**changes: Any) -> Mapping[str, Any]:
    (sample, *_) = sample_products()
    plain: dict[str, Any] = json.loads(json.dumps(call("GET", "/products")[1]["products"][0] | {"sku": sample.sku}))
    return plain | changes


def test_a_product_is_put_into_the_catalog_and_orders_that_waited_for_it_are_looked_at(wired: Stack) -> None:
    wired.store.save(waiting_for(paid_order("waits"), Reason.PRODUCT, Said("NEW-SKU"), NOW))

    assert call("PUT", "/products/{sku}", entry(sku="NEW-SKU"), sku="NEW-SKU") == (
        200,
        {"sku": "NEW-SKU", "looked_at": 1},
    )

    _, said = call("GET", "/products")
    assert [each["sku"] for each in said["products"]] == [SKU, "NEW-SKU"]
    assert said["products"][1] == entry(sku="NEW-SKU")


@pytest.mark.parametrize(
    ("changes", "status", "about"),
    [
        ({"sku": "OTHER"}, 400, "not that of the product"),
        ({"term_days": 0}, 422, "#/term_days"),
        ({"price": 9}, 422, "#/price"),
        ({"code_example": "1"}, 422, "`code_example` does not match"),
        ({"name": {"nl": "x", "fr": "y"}}, 422, "are not in the same languages"),
        ({"name": {"NL": "x"}}, 422, "#/name/NL"),
        ({"download_url": "http://x"}, 422, "#/download_url"),
    ],
)
def test_a_product_that_does_not_fit_is_told_what_is_wrong(
    wired: Stack, changes: dict[str, Any], status: int, about: str
) -> None:
    found, said = call("PUT", "/products/{sku}", entry(**{"sku": "NEW-SKU"} | changes), sku="NEW-SKU")

    assert found == status
    assert about in json.dumps(said)
    assert "NEW-SKU" not in wired.store.catalog()


@pytest.mark.parametrize("ending", [",", ",,", ";;", ", ,"])
def test_empty_columns_that_a_spreadsheet_adds_at_the_end_are_none(wired: Stack, ending: str) -> None:
    separator = ending[0]
    file = f"code{separator}batch{ending}\n{code(1)}{separator}B-1{ending}\n"

    assert imported(file.encode())[1]["added"] == 1


def test_the_inbox_is_told_in_the_language_of_the_reader_page_by_page(wired: Stack) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for minutes in range(51):
        at, why = now - timedelta(minutes=minutes), said_of("goods_unknown", skus=["T-SHIRT"])
        wired.store.put_remark(Remark("woocommerce", at, why, f"{minutes}", f"woocommerce:{minutes}"))
    wired.store.put_remark(Remark("webhook", now - timedelta(days=8), Said("nothing_bought")))

    status, first = call("GET", "/inbox", headers={"Accept-Language": "nl"})
    assert status == 200
    assert first["items"][0] == {
        "at": now.isoformat().replace("+00:00", "Z"),
        "provider": "woocommerce",
        "order_id": "0",
        "reason": {
            "code": "goods_unknown",
            "values": {"payment": "woocommerce:0", "skus": ["T-SHIRT"]},
            "text": "geen van de betaalde producten staat in de catalogus: T-SHIRT",
        },
    }
    assert [item["order_id"] for item in first["items"]] == [str(n) for n in range(50)]

    last = call("GET", f"/inbox?next={first['next']}")[1]
    assert ([item["order_id"] for item in last["items"]], last["next"]) == (["50"], None)
    assert last["items"][0]["reason"]["text"] == "none of the products that were paid for is in the catalogue: T-SHIRT"

    before = call("GET", f"/inbox?days=9&next={first['next']}")[1]
    assert [item["order_id"] for item in before["items"]] == ["50", None]


@pytest.mark.parametrize(
    ("query", "status"),
    [("?days=0", 422), ("?days=401", 422), ("?day=7", 422), ("?days=x", 422), ("?next=x", 422), ("?days=400", 200)],
)
def test_an_odd_question_to_the_inbox_is_refused(wired: Stack, query: str, status: int) -> None:
    assert call("GET", f"/inbox{query}")[0] == status
