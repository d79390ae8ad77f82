"""A kind of mail is one record, spread over as few places as the rings allow. Each test says what a kind lacks."""

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest

from cli.local.deploy import ROOT
from cli.local.samples import SAMPLES, sample_mail
from keypost.core.mail import KINDS, MailKind, Purpose
from keypost.emails import WRITERS, lacking
from keypost.emails.kinds import kinds_without, language_of
from keypost.words import FALLBACK, LANGUAGES, TABLES, mail_texts

FACTS: dict[str, MailKind] = {purpose.value: facts for purpose, facts in KINDS.items()}
OWING = {"owe_mail", "new_mail", "with_notice", "Delivery"}  # they make an order owe the mail of a purpose


@cache
def owed() -> set[str]:
    """The purposes for which some rule of the core makes an order owe a mail."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "layers/keypost/keypost").rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    owing = [call for call in calls if {getattr(call.func, "id", None), getattr(call.func, "attr", None)} & OWING]
    found = {ast.unparse(argument) for call in owing for argument in call.args}
    return {purpose.value for purpose in Purpose if f"Purpose.{purpose.name}" in found}


@dataclass(frozen=True)
class Places:
    """Where a kind of mail stands."""

    facts: Mapping[str, MailKind] = field(default_factory=lambda: FACTS)
    writers: Collection[str] = tuple(WRITERS)
    mails: Collection[str] = tuple(mail_texts(FALLBACK))
    sentences: Mapping[str, Collection[str]] = field(
        default_factory=lambda: {language: tuple(table.TEXTS) for language, table in TABLES.items()}
    )
    samples: Collection[str] = tuple(sample.mail.purpose for sample in SAMPLES.values())
    owed: Collection[str] = field(default_factory=owed)


def lacks(kind: str, places: Places) -> Iterator[str]:
    """A sentence for everything that a kind of mail lacks."""
    facts = places.facts.get(kind)
    if facts is None:
        yield f"core/mail.py: KINDS does not say what Keypost does with a mail for {kind}"
    elif facts.is_offer and (facts.holds_codes or facts.is_notice):
        yield f"core/mail.py: a customer could stop mails for {kind}, and they have codes or tell what was done"
    if kind not in places.writers:
        yield f"emails/kinds.py: WRITERS has no function that writes the mail for {kind}"
    yield from lacks_words(kind, places)
    if kind not in places.samples:
        yield f"cli/local/samples.py: SAMPLES shows no mail for {kind}"
    if kind not in places.owed:
        yield f"core: no rule makes an order owe a mail for {kind}"


def lacks_words(kind: str, places: Places) -> Iterator[str]:
    for part in ("subject", "preheader", "heading"):
        if not any(code.startswith(f"{kind}_{part}") for code in places.mails):
            yield f"words/{FALLBACK}/mails.py: the mail for {kind} has no {kind}_{part}"
    for language, codes in places.sentences.items():
        for name in (f"purpose_{kind}", f"the_mail_{kind}"):
            if name not in codes:
                yield f"words/{language}/sentences.py: people read of the mail for {kind}, and {name} is missing"


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_kind_of_mail_lacks_nothing(purpose: Purpose) -> None:
    assert list(lacks(purpose, Places())) == []


def without(kind: str, part: str) -> Places:
    """The places, of which one lacks a kind."""
    places: Any = getattr(Places(), part)
    if part == "sentences":
        return replace(Places(), sentences={one: [c for c in codes if kind not in c] for one, codes in places.items()})
    if isinstance(places, dict):
        return replace(Places(), facts={name: each for name, each in places.items() if name != kind})
    changes: dict[str, Any] = {part: [each for each in places if not each.startswith(kind)]}
    return replace(Places(), **changes)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("facts", ["KINDS does not say what Keypost does with a mail for waiting"]),
        ("writers", ["WRITERS has no function that writes the mail for waiting"]),
        ("mails", [f"the mail for waiting has no waiting_{part}" for part in ("subject", "preheader", "heading")]),
        ("samples", ["SAMPLES shows no mail for waiting"]),
        ("owed", ["no rule makes an order owe a mail for waiting"]),
    ],
)
def test_what_a_kind_lacks_is_said(part: str, said: list[str]) -> None:
    assert [sentence.partition(": ")[2] for sentence in lacks("waiting", without("waiting", part))] == said


def test_the_names_by_which_people_read_of_a_kind_are_missed_in_each_language() -> None:
    found = [sentence.partition(": ")[0] for sentence in lacks("waiting", without("waiting", "sentences"))]

    assert found == [f"words/{language}/sentences.py" for language in LANGUAGES for _ in range(2)]


def test_a_kind_that_stands_nowhere_lacks_everything_and_one_of_codes_is_no_offer() -> None:
    assert len(list(lacks("made_up", Places()))) == 7 + 2 * len(LANGUAGES)
    facts = FACTS | {"purchase": MailKind(holds_codes=True, is_offer=True)}
    odd = Places(facts=facts)
    assert [sentence for sentence in lacks("purchase", odd) if "could stop" in sentence]


@pytest.mark.parametrize("name", list(SAMPLES))
def test_a_mail_does_what_its_record_says(name: str) -> None:
    sample, message = SAMPLES[name], sample_mail(name, FALLBACK)
    codes = {license_.code for license_ in sample.order.licenses}

    has_codes = any(
        code in str(part.get_content()) for code in codes for part in message.walk() if not part.is_multipart()
    )
    assert has_codes == sample.mail.purpose.holds_codes
    assert (message["List-Unsubscribe"] is not None) == sample.mail.purpose.is_offer


def test_a_kind_for_which_a_language_lacks_a_text_is_written_in_english_as_a_whole() -> None:
    assert lacking("nl") == lacking(FALLBACK) == kinds_without([]) == []
    assert kinds_without(["reminder_ends", "paid_ahead_goods"]) == [Purpose.REMINDER, Purpose.PAID_AHEAD]
    assert kinds_without(["letter_closing"]) == list(Purpose)  # which stands in all of them
    assert {language_of(purpose, "xx") for purpose in Purpose} == {FALLBACK}
