from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.errors import InvalidInput
from keypost.core.product import Kind, Line, renewing
from keypost.providers.order_card import Told, clean_name, read_card, read_metadata
from tests.builders import english

CARD = {"v": "1", "order_id": "2026-001235", "email": "facturen@klant.example", "lang": "nl"}


def test_numbered_lines_are_read_in_their_order() -> None:
    lines = {"line_10": "C|1", "line_1": "A|2|new", "line_2": "B|1|renewal|LIC-7F3K9Q2M|2026-12-01|2027-11-30"}

    card = read_card(CARD | lines)

    assert (card.order_id, card.email, card.lang) == ("2026-001235", "facturen@klant.example", "nl")
    assert [line.line() for line in card.lines] == [
        Line("A", 2),
        Line("B", 1, Kind.RENEWAL, "LIC-7F3K9Q2M", date(2026, 12, 1), date(2027, 11, 30)),
        Line("C", 1),
    ]


def test_the_short_form_is_one_line_and_one_piece_unless_it_says_more() -> None:
    assert read_card(CARD | {"sku": "A"}).lines[0].line() == Line("A", 1)
    assert read_card(CARD | {"sku": "A", "quantity": "3"}).lines[0].line() == Line("A", 3)


def test_numbers_are_read_as_text_and_unknown_keys_are_ignored() -> None:
    card = read_card({"v": 1, "order_id": 1234, "sku": "A", "quantity": 2, "utm_source": "ad", "empty": None})

    assert (card.order_id, card.email, card.lines[0].quantity) == ("1234", None, 2)


def test_a_card_without_lines_leaves_them_to_the_provider() -> None:
    assert read_metadata(CARD) == Told("2026-001235", "facturen@klant.example", "nl")


@pytest.mark.parametrize(
    "metadata",
    [
        {"order_id": "7"},
        {"order_id": 7, "store_id": 1, "payment_token": "x"},
        '{"order_id":7}',
        {"order_id": 7.0, "SKU": "A", "line1": "Keizersgracht 126"},
    ],
)
def test_the_metadata_of_a_shops_plugin_names_its_order_and_is_no_card(metadata: Any) -> None:
    assert read_metadata(metadata) == Told("7")


@pytest.mark.parametrize(
    "metadata", [None, [], 7, True, "text", "[" * 9999, {}, {"order_id": "a b"}, {"order_id": True}]
)
def test_metadata_that_names_no_order_tells_of_none(metadata: Any) -> None:
    assert read_metadata(metadata) == Told("")


@pytest.mark.parametrize("email", ["jan@voorbeeld,nl", "jan", "a@b.example\r\nBcc: x@y.example", 7, ["a@b.example"]])
def test_an_address_that_nobody_can_write_to_leaves_everything_else_on_its_card_as_it_is(email: Any) -> None:
    told = read_metadata(CARD | {"sku": "A", "email": email})

    assert told == Told("2026-001235", None, "nl", (Line("A", 1),))


@pytest.mark.parametrize(
    ("card", "lines", "fault"),
    [
        ({"line_1": "A|0", "line_2": "B|2"}, (Line("B", 2),), "`lines.0.quantity`"),
        ({"line_1": "A|1", "line_2": "B|2|new||||more"}, (Line("A", 1),), "too many fields"),
        ({"line_1": "A|1", "line_2": "B|1|renewal"}, (Line("A", 1),), "what it renews"),
        ({"v": "2", "line_1": "A|1"}, (Line("A", 1),), "`v`"),
        ({"v": None, "line_1": "A|1"}, (Line("A", 1),), "`v` is missing"),
        ({f"line_{n}": f"A{n}|1" for n in range(1, 22)}, tuple(Line(f"A{n}", 1) for n in range(1, 22)), "too long"),
    ],
)
def test_a_card_that_breaks_a_rule_keeps_its_good_lines_and_a_person_looks(
    card: dict[str, Any], lines: tuple[Line, ...], fault: str
) -> None:
    told = read_metadata(CARD | card)

    assert (told.order_id, told.email, told.language) == ("2026-001235", "facturen@klant.example", "nl")
    assert told.lines == lines
    assert told.problem
    assert fault in english(told.problem)


@pytest.mark.parametrize("order_id", ["#12 b", "", None, "x" * 65])
def test_a_card_with_an_order_number_that_is_none_keeps_its_lines_and_a_person_looks(order_id: Any) -> None:
    told = read_metadata(CARD | {"order_id": order_id, "sku": "A"})

    assert (told.order_id, told.lines, told.email) == ("", (Line("A", 1),), "facturen@klant.example")
    assert told.problem
    assert "`order_id`" in english(told.problem)


@pytest.mark.parametrize(
    "card",
    [
        {"v": 1.0, "order_id": 7.0, "sku": " A\u200b", "quantity": 2.0, "kind": "New", "lang": "\ufeffnl-NL"},
        {" V ": "1", "Order_ID": "\u00a07\r\n", "line_1": " A | 2 | NEW | | ", "lang": "NL "},
        {"v": "1", "order_id": "7", "LINE_01": "A|2.0|new||||", "lang": "nl"},
        {"v": "1", "order_id": "7", "line_1": "A|2", "email": " ", "lang": "nl", "line1": "Keizersgracht 126"},
    ],
)
def test_what_is_typed_and_copied_is_read_as_it_is_meant(card: dict[str, Any]) -> None:
    assert read_metadata(card) == Told("7", None, "nl", (Line("A", 2),))


def test_a_later_charge_of_a_subscription_renews_each_line_of_its_card() -> None:
    lines = [Line("A", 1), Line("B", 2, Kind.RENEWAL, "LIC-7F3K9Q2M")]

    assert renewing("7", lines) == (Line("A", 1, Kind.RENEWAL, "7/1"), Line("B", 2, Kind.RENEWAL, "LIC-7F3K9Q2M"))


@pytest.mark.parametrize(
    ("card", "fault"),
    [
        ({}, "`v` is missing"),
        ({"v": "2", "order_id": "1", "sku": "A"}, "`v`"),
        ({"v": "1", "sku": "A"}, "`order_id` is missing"),
        (CARD | {"order_id": "a b", "sku": "A"}, "`order_id`"),
        (CARD | {"order_id": "x" * 65, "sku": "A"}, "`order_id`"),
        (CARD | {"order_id": "1\n2", "sku": "A"}, "`order_id`"),
        (CARD | {"email": "a@b.example\r\nBcc: x@y.example", "sku": "A"}, "is not a usable e-mail address"),
        (CARD | {f"line_{n}": "A|1" for n in range(1, 22)}, "is too long"),
        (CARD | {"line_1": "A|0"}, "`lines.0.quantity`"),
        (CARD | {"line_1": "A|10000"}, "`lines.0.quantity`"),
        (CARD | {"line_1": "A|-1"}, "is not a whole number"),
        (CARD | {"line_1": "A|1.5"}, "is not a whole number"),
        (CARD | {"line_1": "A|\u0663"}, "is not a whole number"),
        (CARD | {"line_1": "A"}, "`lines.0.quantity` is missing"),
        (CARD | {"line_1": "A/B|1"}, "`lines.0.sku`"),
        (CARD | {"line_1": "A|1|gift"}, "`lines.0.kind`"),
        (CARD | {"line_1": "A|1|renewal"}, "what it renews"),
        (CARD | {"line_1": "A|1|new|||2026-12-01"}, "`period_end` needs `period_start`"),
        (CARD | {"line_1": "A|1|new||2026-12-02|2026-12-01"}, "ends before it starts"),
        (CARD | {"line_1": "A|1|new||2026-02-30|2027-12-01"}, "`lines.0.period_start`"),
        (CARD | {"line_1": "A|1|new||2026-02-01|9999-12-01"}, "`lines.0.period_end`"),
        (CARD | {"line_1": "A|1|new||9999-12-31"}, "`lines.0.period_start`"),
        (CARD | {"line_1": "A|1|new||||more"}, "too many fields"),
    ],
)
def test_a_card_that_breaks_a_rule_is_refused_with_the_rule(card: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidInput, match="card_") as refusal:
        read_card(card)

    assert fault in english(refusal.value.said)


@pytest.mark.parametrize(
    ("written", "language"), [("nl", "nl"), ("NL", "nl"), ("nl-NL", "nl"), ("en_GB", "en"), ("dutch", None)]
)
def test_a_language_is_read_as_it_is_meant_and_is_never_a_reason_to_keep_a_code_back(
    written: str, language: str | None
) -> None:
    assert read_card(CARD | {"sku": "A", "lang": written}).lang == language


def test_a_refusal_does_not_repeat_what_was_written() -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_card(CARD | {"email": "someone-private@", "sku": "A"})

    assert "someone-private" not in repr(refusal.value.said)


@given(st.text())
def test_a_name_is_one_visible_line_of_at_most_100_characters_or_none(name: str) -> None:
    cleaned = clean_name(name)

    assert cleaned is None or (0 < len(cleaned) <= 100 and cleaned.isprintable() and cleaned == cleaned.strip())


def test_a_name_that_hides_signs_loses_them() -> None:
    assert clean_name("Anna\r\nBcc: x\u202e\u200b Jansen ") == "Anna Bcc: x Jansen"
    assert clean_name(None) is None
    assert clean_name(12) is None
