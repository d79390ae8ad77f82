"""Everything that people read has its words in every language, and every word is used."""

import ast
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cli.local.deploy import ROOT
from cli.local.samples import NAMES as SAMPLE_NAMES
from keypost.core import errors
from keypost.core.aside_reasons import AsideReason
from keypost.core.by_hand import MOVED, WHYS
from keypost.core.contents import PAYMENT_IS
from keypost.core.errors import KeypostError
from keypost.core.keys import SCOPES
from keypost.core.mail import Fate, MailState, Purpose
from keypost.core.mailing import BAD_ADDRESS
from keypost.core.obstacles import ACTIONS, OBSTACLES
from keypost.core.order import Reason
from keypost.core.payment import Standing
from keypost.core.product import Kind
from keypost.core.said import Said, said
from keypost.core.support import BAD_CODE_REASONS
from keypost.core.telling import IMPORT, PERSON
from keypost.core.upcoming import Outlook
from keypost.inputs.faults import _CODES as FAULTS
from keypost.providers import PROVIDERS
from keypost.use_cases.take_mail_event import SES
from keypost.words import (
    FALLBACK,
    LANGUAGES,
    TABLES,
    accepted,
    day,
    in_language,
    mail_texts,
    moment,
    money,
    reader,
    sentence,
    spoken,
    worded,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FOLDERS = ("layers/keypost/keypost", "functions", "cli")
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, KeypostError)}
SAYING = {"said", "Said", "say", "text", "_list", *ERRORS}  # their first argument is a code
WAITED_FOR = (
    Reason.STOCK,
    Reason.PRODUCT,
    Reason.ADDRESS,
    Reason.RENEWS,
    Reason.OTHER_CUSTOMER,
    Reason.UNUSUAL_START,
    Reason.UNPAID,
)

# Texts in place of codes: the made-up shop and the emulator of this machine, which only developers use, in English.
# It may only shrink, but for the shop, which gets a refusal with each new button.
TEXTS_LEFT = {
    "cli/local/commands.py": 2,
    "cli/local/deploy.py": 2,
    "cli/local/emulator.py": 2,
    "cli/local/mailbox.py": 3,
    "cli/local/renewals.py": 2,
    "cli/local/shop.py": 24,
    "cli/local/stack.py": 1,
}


@cache
def sources() -> Mapping[str, ast.AST]:
    """The code that says something, by its file. It is read once, by the worker that tests it."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8"))
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "words" not in path.relative_to(ROOT).parts
    }


@cache
def calls() -> Sequence[tuple[str, str, ast.Call]]:
    """The calls in all sources: the file, the name of what is called, and the call."""
    nodes = ((at, node) for at, tree in sources().items() for node in ast.walk(tree))
    return [(at, called(node), node) for at, node in nodes if isinstance(node, ast.Call)]


def called(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else ast.unparse(function).rpartition(".")[2]


def code_of(name: str, call: ast.Call) -> str | None:
    """The code that a call says; None if it says none, or one that is computed."""
    place = 2 if name == "noted" else 0
    if name not in {*SAYING, "noted"} or len(call.args) <= place:
        return None
    argument = call.args[place]
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def is_text(call: ast.Call) -> bool:
    """Whether the first argument is made of words."""
    first = call.args[0] if call.args else None
    parts = [node.value for node in ast.walk(first) if isinstance(node, ast.Constant)] if first else []
    return any(isinstance(part, str) and " " in part for part in parts)


def said_somewhere() -> list[tuple[str, str, ast.Call]]:
    """Each code that is said: the file, the code, and the call that says it."""
    return [(at, code, call) for at, name, call in calls() if (code := code_of(name, call))]


def of_enums() -> set[str]:
    """The codes that are built of a name."""
    return {
        *(f"waits_{reason}" for reason in WAITED_FOR),
        *(f"reason_{reason}" for reason in (*Reason, *AsideReason)),
        *(f"mail_{fate}" for fate in Fate),
        *(f"fate_{fate}" for fate in Fate),
        *(f"state_{state}" for state in MailState),
        *(f"purpose_{purpose}" for purpose in Purpose),
        *(f"the_mail_{purpose}" for purpose in Purpose),
        *(f"{purpose}_leaves" for purpose in (Purpose.PURCHASE, Purpose.RENEWAL, Purpose.REMINDER)),
        *(f"kind_{kind}" for kind in Kind),
        *(f"standing_{standing}".replace(" ", "_") for standing in Standing),
        *(f"standing_{state}" for state in ("held", "canceled", "erased", "subscription")),  # of the support page
        *(f"because_{why}" for why in (*WHYS, MOVED)),
        *(f"{part}_corrected" for part in ("name", "language")),
        *(f"provider_{teller}" for teller in (PERSON, IMPORT, SES)),
        *(f"provider_{provider.partition('-')[0]}" for provider in PROVIDERS),
        *(f"scope_{scope}" for scope in SCOPES),
        *(f"sample_{name}".replace("-", "_") for name in SAMPLE_NAMES),
        *(f"who_{who}" for who in ("keypost", "customer")),
        *(reason.replace(" ", "_") for reason in BAD_CODE_REASONS),
        *PAYMENT_IS.values(),
        *BAD_ADDRESS.values(),
        *FAULTS.values(),
        *OBSTACLES,
        *(obstacle.action for obstacle in OBSTACLES.values()),
        *ACTIONS.values(),
    }


def constants() -> set[str]:
    """All texts that stand in the sources by themselves."""
    nodes = (node for tree in sources().values() for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def needed(text: str) -> set[str]:
    """The values without which a sentence has a hole."""
    return {name for _, name, _, _ in Formatter().parse(re.sub(r"\[[^\[\]]*\]", "", text)) if name}


def test_all_languages_have_the_same_codes_with_the_same_fields() -> None:
    def fields(text: str) -> list[tuple[str, str | None]]:
        return sorted((name, spec) for _, name, spec, _ in Formatter().parse(text) if name)

    first, *others = (TABLES[language] for language in LANGUAGES)
    for other in others:
        assert list(first.TEXTS) == list(other.TEXTS)
        assert list(first.SES) == list(other.SES)
        assert {code for code in first.TEXTS if fields(first.TEXTS[code]) != fields(other.TEXTS[code])} == set()
        assert len(first.MONTHS) == len(other.MONTHS) == 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_the_sources_say_has_its_words(language: str) -> None:
    texts = TABLES[language].TEXTS.keys() | mail_texts(FALLBACK).keys()

    assert len(said_somewhere()) > 200
    assert {(at, code) for at, code, _ in said_somewhere() if code not in texts and " " not in code} == set()
    assert of_enums() - set(texts) == set()


def test_each_entry_is_used() -> None:
    of_gateway = set(re.findall(r'"code": "(\w+)"', (ROOT / "template.yaml").read_text("utf-8")))
    used = constants() | of_enums() | of_gateway

    assert of_gateway
    assert set(TABLES[FALLBACK].TEXTS) - used == set()


def test_what_waits_has_words_for_that_and_for_nothing_else() -> None:
    waited = {
        node.attr
        for _, name, call in calls()
        if name in {"_wait", "waiting_for", "Waiting"}
        for argument in call.args
        for node in [argument]
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Reason"
    }

    assert waited == {reason.name for reason in WAITED_FOR}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_entry_is_empty_and_each_names_how_its_values_are_written(language: str) -> None:
    texts = TABLES[language].TEXTS
    plain = {"", "day", "moment", "money", "list", "goods", "product", "products", "ses", "the_mail"}
    ways = plain | {entry.rpartition("_")[0] for entry in texts}

    assert len(texts) > 800
    assert [code for code, text in texts.items() if text.strip() != text or not text] == []
    assert [(code, how_written(text) - ways) for code, text in texts.items() if how_written(text) - ways] == []


def how_written(text: str) -> set[str]:
    """How the values of a sentence are written: a day, a list, or as they are."""
    return {spec or "" for _, name, spec, _ in Formatter().parse(text) if name}


def test_whatever_is_said_comes_with_the_values_that_its_sentence_needs() -> None:
    texts = TABLES[FALLBACK].TEXTS
    holes = {
        (at, code, field)
        for at, code, call in said_somewhere()
        if code in texts and all(keyword.arg for keyword in call.keywords)
        for field in needed(texts[code]) - {keyword.arg for keyword in call.keywords}
        if "Said(" not in ast.unparse(call)[:5]
    }

    assert holes == set()


def test_no_error_says_a_text_where_a_code_belongs_but_those_that_are_left() -> None:
    texts = Counter(at for at, name, call in calls() if name in ERRORS and is_text(call))

    assert dict(texts) == TEXTS_LEFT


def test_nothing_is_said_in_words_in_place_of_a_code() -> None:
    saying = SAYING - ERRORS | {"noted"}
    found = [(at, ast.unparse(call)) for at, name, call in calls() if name in saying]

    assert [(at, call) for at, call in found if re.search(r'\A\w+\(["\'][^"\']* ', call)] == []
    assert len(found) > 100


def test_a_sentence_nests_another_one_and_writes_days_and_products_as_its_language_does() -> None:
    why = said("too_few_codes", skus=["A", "X"])
    what = said("needed_by", why=why, first_day=date(2026, 12, 3))

    dutch, english = (sentence(what, reader(language, AMSTERDAM, {"A": "Pakket"})) for language in ("nl", "en"))

    assert dutch.startswith("er zijn te weinig codes voor Pakket, X; de nieuwe periode begint op 3 december 2026, als")
    assert english.startswith(
        "there are not enough codes for Pakket, X; the new period starts on 3 December 2026, when"
    )


def test_a_part_is_left_out_whose_value_is_not_known_or_has_no_words() -> None:
    to = reader("en", AMSTERDAM)

    assert sentence(said("mail_bounced", mail="purchase-1", detail="Permanent NoEmail"), to) == (
        "the e-mail with the codes was permanently refused: the address does not exist"
    )
    assert sentence(said("mail_bounced", mail="purchase-2", detail="Permanent General"), to) == (
        "the e-mail with the codes (2) was permanently refused"
    )
    assert sentence(said("purchase_leaves"), to) == "the e-mail with the codes will be sent"
    assert sentence(said("purchase_leaves", lines=()), to) == "the e-mail with the codes will be sent"
    assert sentence(said("purchase_leaves", lines=(1, 2)), to) == "the e-mail with the codes will be sent (line 1, 2)"


@pytest.mark.parametrize("code", ["goods_differ", "goods_grew", "left_is_more", "contents_changed", "contents_settled"])
def test_goods_stand_in_a_sentence_as_people_write_them(code: str) -> None:
    goods = ["1 x A", "2 x B"]
    found = [sentence(said(code, told=goods, left=goods, lines=goods), reader(each, UTC)) for each in LANGUAGES]

    assert ["1 \N{MULTIPLICATION SIGN} A; 2 \N{MULTIPLICATION SIGN} B" in each for each in found] == [True] * len(found)


def test_a_code_of_a_newer_version_is_its_own_sentence() -> None:
    assert sentence(Said("of {tomorrow}", {"x": 1}), reader("nl", UTC)) == "of {tomorrow}"


@pytest.mark.parametrize(
    ("code", "values", "text"),
    [
        ("period_unpaid", {"first_day": "soon"}, "the new period starts on soon, but the renewal has not been paid"),
        ("period_unpaid", {"first_day": 7}, "the new period starts on 7, but the renewal has not been paid"),
        ("too_few_codes", {"skus": 5}, "there are not enough codes for 5"),
        ("mail_sent", {"mail": 3}, "3 was sent"),
        ("payment_paid", {"payment": "p", "provider": 1, "amount": "12"}, "payment p (1) of 12 was received"),
        (
            "payment_paid",
            {"payment": "p", "provider": "webhook", "amount": "EUR x"},
            "payment p (the shop) of EUR x was received",
        ),
    ],
)
def test_a_value_that_another_version_stored_otherwise_stays_as_it_is(
    code: str, values: dict[str, Any], text: str
) -> None:
    assert sentence(Said(code, values), reader("en", UTC)) == text


def test_a_text_that_lacks_a_language_is_told_in_another_one() -> None:
    assert [in_language({"nl": "Pakket", "en": "Suite"}, language) for language in ("nl", "en", "xx")] == [
        "Pakket",
        "Suite",
        "Suite",
    ]
    assert [in_language({"xx": "Pakxx"}, language) for language in LANGUAGES] == ["Pakxx"] * len(LANGUAGES)


def test_what_others_wrote_is_never_read_as_a_sentence() -> None:
    odd = "[{order}] {0.__class__}"

    assert sentence(said("no_such_order", order=odd), reader("en", UTC)) == (
        f"There is no order {odd}: check the number, or search by e-mail address."
    )


def test_moments_are_those_of_the_shop_and_amounts_as_the_language_writes_them() -> None:
    at = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    assert moment(at, reader("nl", AMSTERDAM)) == "1 januari 2027 om 00:30"
    assert moment(at, reader("en", AMSTERDAM)) == "1 January 2027 at 00:30"
    assert day(date(2026, 3, 1), "nl") == "1 maart 2026"
    assert [money("EUR 39.95", language) for language in ("nl", "en")] == ["€\N{NO-BREAK SPACE}39,95", "€39.95"]
    assert [money("EUR 1234567.50", language) for language in ("nl", "en")] == [
        "€\N{NO-BREAK SPACE}1.234.567,50",
        "€1,234,567.50",
    ]
    assert [money("CHF 3", language) for language in ("nl", "en")] == ["CHF\N{NO-BREAK SPACE}3"] * 2


def test_a_language_that_nobody_wrote_falls_back() -> None:
    assert (spoken("nl"), spoken("xx"), reader("", UTC).language) == ("nl", "en", "en")
    assert accepted("\N{REPLACEMENT CHARACTER};q=zz,,;" * 500) == "en"
    assert accepted("fil-NL, x-nl, en;q=0.5") == "en"  # a region and a private tag are no language
    assert accepted("fil-NL, nl-BE;q=0.6, en;q=0.5") == "nl"


def test_every_place_in_an_answer_gets_its_sentence_also_within() -> None:
    why = said("needed_by", why=said("unpaid"), first_day=date(2026, 12, 3))
    told = worded((Outlook("a", Purpose.RENEWAL, (1,), None, why),), reader("nl", AMSTERDAM))

    assert told[0].why_not == why
    assert told[0].why_not.text.startswith("de bestelling is niet betaald; de nieuwe periode")
    assert told[0].why_not.values["why"].text == "de bestelling is niet betaald"


def test_a_problem_of_api_gateway_has_its_words_too(template: dict[str, Any]) -> None:
    responses = json.dumps(template["Resources"])

    for code in set(re.findall(r'\\"code\\": \\"(\w+)\\"', responses)):
        assert all(code in TABLES[language].TEXTS for language in LANGUAGES)


@pytest.mark.parametrize(
    ("code", "values", "text"),
    [
        (
            "contents_changed",
            {"lines": ["2 x A-1", "1 x B-2"]},
            "the order is now for 2 x Alpha; 1 x B-2",
        ),
        (
            "goods_differ",
            {"told": ["1 x A-1, 1 x B-2", "3 x A-1"]},
            "the payments are for different products (1 x Alpha, 1 x B-2; 3 x Alpha)",
        ),
        (
            "left_is_more",
            {"left": ["1 x A-1"]},
            "more has been sent than was paid for (1 x Alpha)",
        ),
    ],
)
def test_goods_are_called_by_the_names_of_their_products(code: str, values: dict[str, Any], text: str) -> None:
    assert sentence(Said(code, values), reader("en", UTC, {"A-1": "Alpha"})) == text.replace(
        " x ", " \N{MULTIPLICATION SIGN} "
    )
