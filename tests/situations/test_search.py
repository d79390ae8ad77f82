"""What an agent on the telephone hears of an order, and the lists of a day."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core import codes, support
from keypost.core.errors import InvalidInput
from keypost.core.finding import findable, words_of
from keypost.core.licensing import with_codes
from keypost.core.mail import Asked
from keypost.core.order import Customer, Order
from keypost.table import Store
from keypost.table.orders import order_item
from keypost.use_cases.find_orders import MOST_DAYS, Page, orders_of_days, orders_with, period
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, NOW, PRODUCT, SKU, ZONE, code, notice, of_customer, paid_order
from tests.functions.support_calls import call

TODAY = NOW.date()
DAYS = period(None, None, TODAY, ZONE)


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


def put(store: Store, orders: Iterable[Order]) -> None:
    items: Iterator[Any] = ({"PutRequest": {"Item": order_item(replace(order, version=1))}} for order in orders)
    while chunk := list(islice(items, 25)):
        store._client.batch_write_item(RequestItems={store.table: chunk})


def an_order(order_id: str, *, days: int = 0, email: str = "info@klant.example", name: str = "Jan") -> Order:
    return replace(paid_order(order_id, email=email, name=name), created_at=NOW - timedelta(days=days))


def ids(page: Page) -> list[str]:
    return [order.id for order in page.orders]


HEARD = [
    "jansen",  # a part of a name
    "JANSEN",
    "muller jansen",
    "Müller\u2013Jansen",  # the dash that Word makes
    "  jansen\u00a0",
    "anna jansen",
    "jansen anna",
    "facturen@",
    "acturen@de-kla",
    "klant.example",
    "de-klant",
    "001234",
    "2026 001234",
    "2026-0012",
]


@pytest.mark.parametrize("text", HEARD)
def test_an_order_is_found_by_a_part_of_what_its_customer_says_however_it_is_spelled(store: Store, text: str) -> None:
    """C 7, pages B7: "Jansen, ik geloof november". Only what was known in full found anything."""
    theirs = an_order("2026-001234", email="facturen@de-klant.example", name="Anna Müller-Jansen")
    put(store, [theirs, an_order("2026-009999", email="x@elders.example", name="Piet Pietersen")])

    assert ids(orders_with(store, text, DAYS)) == ["2026-001234"]


def test_what_is_not_there_is_not_found(store: Store) -> None:
    put(store, [an_order("2026-001234")])

    assert ids(orders_with(store, "jansen", DAYS)) == []
    assert ids(orders_with(store, "jan elders", DAYS)) == []  # each word counts


def test_names_with_letters_of_other_languages_are_found_by_what_a_dutch_keyboard_has() -> None:
    order = of_customer(paid_order(), name="Łukasz Ørsted-Groß", email="info@xn--mnchen-3ya.example")

    assert findable(order) == ("2026001234 lukaszorstedgross info@munchenexample annajansen facturen@klantexample")
    assert words_of("LUKASZ orsted  gross") == ("lukasz", "orsted", "gross")


def test_what_an_order_is_found_by_is_gone_when_its_customer_is_erased() -> None:
    customer = Customer("new@klant.example", "Anna", corrected={"old@klant.example": "new@klant.example"})
    order = replace(paid_order(), customer=customer)
    assert "old@klantexample" in findable(order)

    assert findable(support.erase(order, Asked(NOW, "anna"), date(2033, 12, 31))) == "2026001234"


def test_a_search_looks_back_sixty_days_and_further_when_asked(store: Store) -> None:
    put(store, [an_order(f"R-{days}", days=days) for days in (0, 59, 61, 200)])

    assert ids(orders_with(store, "klant", DAYS)) == ["R-0", "R-59"]
    further = period(TODAY - timedelta(days=366), None, TODAY, ZONE)
    assert ids(orders_with(store, "klant", further)) == ["R-0", "R-59", "R-61", "R-200"]
    until = period(TODAY - timedelta(days=250), TODAY - timedelta(days=61), TODAY, ZONE)
    assert ids(orders_with(store, "klant", until)) == ["R-61", "R-200"]


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        (TODAY, TODAY - timedelta(days=1), "period_backwards"),
        (TODAY - timedelta(days=MOST_DAYS + 1), TODAY, "period_too_long"),
    ],
)
def test_days_that_are_none_or_too_many_are_refused_in_words(first: date, last: date, why: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        period(first, last, TODAY, ZONE)

    assert refusal.value.said.code == why


def given(store: Store, order_id: str, number: int, prefix: str = "AAAAA") -> Order:
    """An order that has this code."""
    list(store.add_codes(SKU, [code(number, prefix)], "B-1", None))
    [free] = [each for each in store.pick(SKU, 9, TODAY) if each.code == code(number, prefix)]
    order = replace(paid_order(order_id), created_at=NOW - timedelta(days=300))
    return store.assign(with_codes(order, [free], {SKU: PRODUCT}, NOW, ZONE), [free], NOW.date())


@pytest.mark.parametrize("told", ["O1042", "01042", "0IO42", "…01042", "o1o42"])
def test_the_last_five_of_a_code_find_its_order_whenever_it_was_made(store: Store, told: str) -> None:
    """A17: the last five found nothing, and neither did a code told by telephone with O for 0."""
    given(store, "2025-000001", 1042)
    given(store, "2025-000002", 1043)

    assert ids(orders_with(store, told, DAYS)) == ["2025-000001"]


def test_a_free_code_is_nobodys(store: Store) -> None:
    list(store.add_codes(SKU, [code(1042)], "B-1", None))

    assert ids(orders_with(store, "01042", DAYS)) == []


def test_a_code_has_its_end_in_the_index_once_and_a_short_code_would_show_too_much() -> None:
    assert codes.tail("ABCDE-12345-FGHIJ-6789O") == "67890"
    assert codes.tail("ABCD-EFGH") == ""  # five of eight


def test_what_is_known_in_full_is_found_whenever_it_was_ordered(wired: Stack) -> None:
    record(wired.store, notice("2025-000001"), NOW - timedelta(days=300), INTAKE)
    order = given(wired.store, "2025-000002", 7)

    for text, order_id in {
        "2025-000001": "2025-000001",
        "stripe:cs_2025-000001": "2025-000001",
        " cs_2025-000001": "2025-000001",
        order.licenses[0].id.lower(): "2025-000002",
        code(7).lower().replace("-", " "): "2025-000002",
    }.items():
        assert ids(orders_with(wired.store, text, DAYS)) == [order_id], text


def test_a_former_address_finds_its_order_whenever_it_was_ordered(wired: Stack) -> None:
    """A12a: `former_addresses` had it, and search found nothing."""
    store, asked = wired.store, Asked(NOW, "anna")
    store.save(replace(an_order("2025-000001", days=300, email="old@klant.example")))
    wired.desk.correct_address("2025-000001", "new@klant.example", asked)

    for found in ({"email": "Old@klant.example"}, {"text": "old@klant.example"}, {"email": "new@klant.example"}):
        assert [each["order_id"] for each in call("POST", "/orders/search", found)[1]["orders"]] == ["2025-000001"]


def test_a_former_address_is_forgotten_with_its_customer(wired: Stack) -> None:
    store, asked = wired.store, Asked(NOW, "anna")
    for order_id, right in (("1", "new@klant.example"), ("2", "other@klant.example")):
        store.save(an_order(order_id, email="old@klant.example"))
        wired.desk.correct_address(order_id, right, asked)
    assert store.former("old@klant.example") == ["1", "2"]

    wired.desk.erase("new@klant.example", asked, 7)
    assert store.former("old@klant.example") == ["2"]
    wired.desk.erase("other@klant.example", asked, 7)
    assert store.former("old@klant.example") == []


def test_a_half_typed_address_is_a_search_by_text(wired: Stack) -> None:
    """A18: `nobody` was answered with the words of a library, at `#/email/function-after[...]`."""
    put(wired.store, [replace(an_order("2026-001234"), created_at=datetime.now(UTC).replace(microsecond=0))])

    status, found = call("POST", "/orders/search", {"text": "info@kla"})
    assert (status, [each["order_id"] for each in found["orders"]], found["next"]) == (200, ["2026-001234"], None)
    assert found["looked"]["code"] == "looked_at_period"


@pytest.mark.parametrize(
    ("body", "status", "code_", "pointer"),
    [
        ({"email": "nobody"}, 422, "not_as_agreed", "#/email"),
        ({"text": ""}, 422, "not_as_agreed", "#/text"),
        ({"text": "\u200b \u00a0"}, 422, "not_as_agreed", "#/text"),
        ({"text": "-"}, 400, "search_too_short", None),
        ({"text": "a"}, 400, "search_too_short", None),
        ({"text": "klant", "page": "x"}, 400, "no_such_page", None),
        ({"text": "klant", "page": "{}"}, 422, "not_as_agreed", "#/page"),
        ({"text": "klant", "from": "gisteren"}, 422, "not_as_agreed", "#/from"),
        ({"text": "klant", "from": "2026-12-01", "until": "2026-11-01"}, 400, "period_backwards", None),
        ({"text": "klant", "from": "2020-01-01", "until": "2026-11-01"}, 400, "period_too_long", None),
        ({"text": "klant", "order": "1"}, 422, "not_as_agreed", "#"),
        ({"order": "1", "from": "2026-11-01"}, 422, "not_as_agreed", "#"),
    ],
)
def test_an_odd_search_is_refused_in_words_at_a_json_pointer(
    wired: Stack, body: Any, status: int, code_: str, pointer: str | None
) -> None:
    answered, said = call("POST", "/orders/search", body)

    assert (answered, said["code"]) == (status, code_)
    assert [error["pointer"] for error in said.get("errors", [])] == ([pointer] if pointer else [])
    assert "String should" not in repr(said)


def test_pages_of_a_search_have_every_order_once_the_newest_first(store: Store) -> None:
    put(store, [an_order(f"S-{days:02d}", days=days) for days in range(50)])  # of two months
    given(store, "S-OLD", 9)

    read = partial(orders_with, store, "klant", DAYS, size=7)
    assert list(pages(read)) == [f"S-{days:02d}" for days in range(50)]
    by_day = partial(orders_of_days, store, DAYS, size=7)
    assert list(pages(by_day)) == [f"S-{days:02d}" for days in range(50)]


def pages(read: Callable[..., Page]) -> Iterator[str]:
    page: str | None = None
    while True:
        found = read(page=page)
        yield from ids(found)
        if (page := found.next) is None:
            return
        assert found.looked.code == "looked_back_to"


def test_orders_of_one_second_are_listed_once_each(store: Store) -> None:
    put(store, [an_order(f"S-{number}") for number in range(9)])

    assert sorted(pages(partial(orders_of_days, store, DAYS, size=4))) == [f"S-{number}" for number in range(9)]


def test_a_day_is_one_of_the_shops_zone_with_both_its_ends(wired: Stack) -> None:
    moments = ["2026-11-21T22:59:59", "2026-11-21T23:00:00", "2026-11-22T22:59:59", "2026-11-22T23:00:00"]
    put(
        wired.store,
        [replace(paid_order(str(n)), created_at=datetime.fromisoformat(at + "+00:00")) for n, at in enumerate(moments)],
    )

    status, listed = call("GET", "/orders?from=2026-11-22&until=2026-11-22")
    assert (status, [each["order_id"] for each in listed["orders"]]) == (200, ["2", "1"])
    assert (listed["next"], listed["zone"], listed["unreadable"]) == (None, "Europe/Amsterdam", [])
    assert call("GET", "/orders?from=2026-11-22&page=x")[1]["code"] == "no_such_page"
    assert call("GET", "/orders?form=2026-11-22")[1]["errors"][0]["parameter"] == "form"


def test_one_call_looks_at_so_many_orders_and_says_how_far_and_the_next_one_goes_on(store: Store) -> None:
    """A month of 50,000 orders: DynamoDB's answers of one MB are answers of ten entries here."""
    put(store, [an_order(f"M-{number:03d}", name="Jansen" if number == 55 else "Jan") for number in range(60)])
    answers = []

    def ten_at_once(params: dict[str, Any], **_: Any) -> None:
        params.setdefault("Limit", 10)

    store._client.meta.events.register("provide-client-params.dynamodb.Query", ten_at_once)
    page = None
    while True:
        found = orders_with(store, "jansen", DAYS, page, most=20)
        answers.append((ids(found), found.looked.code, found.looked.values.get("count")))
        if (page := found.next) is None:
            break

    unnamed = [each for each in answers if each[0] == []]
    assert [each[0] for each in answers if each[0]] == [["M-055"]]
    assert all(each[1:] == ("looked_back_to", 20) for each in answers[:-1])
    assert len(unnamed) == len(answers) - 1 >= 2


def test_an_order_costs_one_entry_in_the_index_of_search_at_its_creation_and_one_when_that_changes(
    store: Store,
) -> None:
    """Counted as DynamoDB charges: an entry is written when its keys or what it projects changes."""
    order = replace(paid_order(), version=0)
    list(store.add_codes(SKU, [code(1)], "B-1", None))
    taken = store.pick(SKU, 1, TODAY)
    history = [
        order,
        assigned := with_codes(order, taken, {SKU: PRODUCT}, NOW, ZONE),
        support.hold(assigned, "anna", NOW),
        moved := support.with_address(assigned, "new@klant.example", Asked(NOW, "anna"), ZONE),
        support.hold(moved, "anna", NOW),
        support.erase(moved, Asked(NOW, "anna"), date(2033, 12, 31)),
    ]
    entries = [
        tuple(order_item(each).get(name, {}).get("S") for name in ("month", "created_at", "find")) for each in history
    ]

    written = [entry != before for before, entry in zip([None, *entries], entries, strict=False)]
    assert written == [True, False, False, True, False, True]


def test_a_sale_writes_nothing_into_the_index_of_the_ends_of_codes(store: Store) -> None:
    list(store.add_codes(SKU, [code(1)], "B-1", None))
    key = {"pk": {"S": f"CODE#{codes.digest(code(1))}"}}
    before = store._client.get_item(TableName=store.table, Key=key)["Item"]["tail"]
    order = store.save(paid_order())
    taken = store.pick(SKU, 1, TODAY)
    store.assign(with_codes(order, taken, {SKU: PRODUCT}, NOW, ZONE), taken, NOW.date())

    assert store._client.get_item(TableName=store.table, Key=key)["Item"]["tail"] == before == {"S": "00001"}


def test_a_customer_is_found_of_whom_two_tellers_say_different_names(store: Store) -> None:
    """An order that waits because its tellers differ has no customer, and is looked for by either name."""
    order = replace(paid_order(), customer=Customer())
    assert notice().name == "Anna Jansen"
    put(store, [order])

    assert ids(orders_with(store, "jansen", DAYS)) == ["2026-001234"]
