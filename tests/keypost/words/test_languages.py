"""One order that has been through much, looked at in every language: no word of another one."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from cli.local.samples import SHOP
from keypost import support_page
from keypost.core import contents, licensing, mailing, support
from keypost.core.aside_reasons import AsideReason
from keypost.core.codes import StockCode
from keypost.core.daily_note import DailyNote, Section, aside_entry, entry
from keypost.core.forecast import Stock, forecast
from keypost.core.mail import Asked, Fate, MailNotSent, MailReport, MailSent, MailUnknown
from keypost.core.obstacles import ACTIONS, OBSTACLES
from keypost.core.order import Beside, Concern, Order, Reason, waiting_for
from keypost.core.payment import Refunded
from keypost.core.said import Said, said
from keypost.core.story import Story, story
from keypost.core.wish import Ask
from keypost.emails.daily_note import compose_daily_note
from keypost.words import FALLBACK, LANGUAGES, TABLES, in_language, names_of, of_folder, reader, sentence, worded
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, notice, paid_order
from tests.languages import foreign

ASKED = Asked(NOW, "anna", "")


def through_much() -> Order:
    """Paid twice, mailed, come back, swapped, held and released, returned in part, disputed, erased in the end."""
    order = licensing.with_codes(paid_order("2026-001234"), [StockCode("d", code(7), SKU)], {SKU: PRODUCT}, NOW, ZONE)
    for outcome in (
        MailNotSent(said("ses_refused", answer="ThrottlingException")),
        MailUnknown(said("ses_answer_lost", error="ReadTimeoutError")),
        MailSent("m-1"),
    ):
        order = mailing.settle_mail(order, "purchase-1", order.mail("purchase-1").attempts, outcome, NOW)
        order = mailing.claim_mail(order, "purchase-1", NOW) if not isinstance(outcome, MailSent) else order
    for fate in Fate:
        order = mailing.with_report(order, report(fate, order.mail("purchase-1").attempts), NOW)
    order = support.with_address(order, "nieuw@klant.example", Asked(NOW, "anna", "belde"), ZONE)
    order = support.with_other_code(order, order.licenses[0].id, StockCode("e", code(8), SKU), "already used", ASKED)
    order = support.release(support.hold(order, "anna", NOW), "anna", NOW)
    order = mailing.fail_mail(order, order.mails[-1].id, said("never_known"), NOW)
    order = contents.with_payment(order, notice(payment_id="second"), NOW, "EUR")
    back = notice(state=None, refunded=Refunded(NOW, amount="10.00"))
    order = contents.with_payment(order, back, NOW + timedelta(days=1), "EUR")
    for reason, why in WAITS.items():
        order = waiting_for(order, reason, why, NOW)
    return contents.canceled(contents.with_subscription_ended(order, NOW), NOW)


def report(fate: Fate, attempt: int) -> MailReport:
    address = "facturen@klant.example"
    return MailReport("2026-001234", "purchase-1", attempt, fate, NOW, "Transient MailboxFull", address, "ses-1", NOW)


OTHERS = tuple(language for language in LANGUAGES if language != FALLBACK)
DAY = date(2026, 12, 3)
WAITS = {
    Reason.STOCK: said("too_few_codes", skus=[SKU]),
    Reason.PRODUCT: said("not_in_catalog", skus=[SKU]),
    Reason.ADDRESS: said("address_bounced"),
    Reason.RENEWS: said("end_unknown", renews=["2025-1"]),
    Reason.UNPAID: said("period_unpaid", first_day=DAY),
}
# For each field of a sentence something that is said of it; `why` is a sentence itself.
VALUES: dict[str, Any] = {
    "why": said("needed_by", why=said("too_few_codes", skus=[SKU]), first_day=DAY),
    "first_day": "2026-12-03", "last_day": "2027-12-02", "day": "2026-12-03", "before": "2026-12-03",
    "until": "2026-12-03", "last_used": "2026-12-03", "at": "2026-12-03T06:00:00+00:00", "skus": [SKU], "sku": SKU,
    "licenses": ["LIC-A"], "lines": (1, 2), "renews": ["2025-1"], "payments": ["stripe:cs_1"], "mail": "resend-2",
    "detail": "Permanent NoEmail",
    "captured": "EUR 39.95",
    "amount": "EUR 39.95", "price": "EUR 39.95", "told": ["1 x A", "1 x B"], "left": ["1 x A"],
    "provider": "webhook", "purpose": "renewal", "scope": "contact", "fate": "bounced",
    "reason": said("already_used"), "columns": ["code"], "types": ["text/csv"], "headers": ["webhook-id"],
    "variables": ["KEYPOST_TABLE"], "providers": ["stripe"], "one_of": ["x"], "scopes": ["stock"],
    "whole": "EUR 79.90", "missing": ["success@"], "orders": ["2026-1"], "renewals": ["2026-2"],
}  # fmt: skip


def texts_of(value: Any) -> Iterator[str]:
    """All sentences in an answer."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from [each] if name == "text" else texts_of(each)
    for each in value if isinstance(value, list | tuple) else ():
        yield from texts_of(each)


def told(order: Order, language: str) -> dict[str, Any]:
    to = reader(language, ZONE, names_of([PRODUCT], language))
    answer = worded(story(order, NOW, ZONE, Beside(), to.names), to)
    found: dict[str, Any] = json.loads(TypeAdapter(Story).dump_json(answer))
    return found


def without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_texts(each) for name, each in value.items() if name not in ("text", "products")}
    return [without_texts(each) for each in value] if isinstance(value, list) else value


def test_the_lists_see_a_word_of_another_language() -> None:
    assert foreign("er is iemand nodig: the order is held", "nl") == {"the"}
    assert foreign("the order waits: de bestelling, die Bestellung", "en") == {"de", "bestelling", "die", "bestellung"}
    assert foreign("die Bestellung wartet: the order, de bestelling", "de") == {"the", "de", "bestelling"}


def test_an_order_is_the_same_in_all_languages_and_no_sentence_has_a_word_of_another_one() -> None:
    english, *others = stories = [told(through_much(), language) for language in (FALLBACK, *OTHERS)]
    found = {language: list(texts_of(story)) for language, story in zip((FALLBACK, *OTHERS), stories, strict=True)}

    assert [without_texts(other) for other in others] == [without_texts(english)] * len(others)
    assert len({entry["code"] for entry in english["timeline"]}) > 20
    assert {len(texts) for texts in found.values()} == {len(found[FALLBACK])}
    assert len(found[FALLBACK]) > 40
    assert [text for language in OTHERS for text in found[language] if text in found[FALLBACK]] == []
    for language, texts in found.items():
        assert {text: words for text in texts if (words := foreign(text, language))} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_that_can_be_said_has_a_word_of_another_language(language: str) -> None:
    to = reader(language, ZONE, names_of([PRODUCT], language))
    said_so = {code: sentence(Said(code, Texts(VALUES)), to) for code in TABLES[language].TEXTS}

    assert {code: words for code, text in said_so.items() if (words := foreign(text, language))} == {}


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_was_left_in_english(language: str) -> None:
    """One word, such as Product or E-mail, may be the same in both, and so are the names of providers."""
    english = TABLES[FALLBACK].TEXTS
    said_so = {code: text for code, text in TABLES[language].TEXTS.items() if not code.startswith("provider_")}
    same = {text for code, text in said_so.items() if text == english.get(code)}

    assert {text for text in same if len(re.findall(r"[\w-]{2,}", re.sub(r"\{[^{}]*\}", "", text))) > 1} - {
        "Amazon SES"
    } == set()


class Texts(dict[str, Any]):
    """Of whatever is not named here, a number."""

    def get(self, key: str, _default: Any = None) -> Any:
        return super().get(key, 7)


def note(language: str) -> EmailMessage:
    order = through_much()
    held = replace(order, canceled=False, waits=(), concerns=(Concern(Ask.NOTHING_CAME, NOW),))
    waiting = {reason: waiting_for(held, reason, why, NOW) for reason, why in WAITS.items()}
    sections = [Section(reason, (entry(waiting.get(reason, held), reason),), 2) for reason in Reason]
    sections += [Section(reason, (aside_entry(order.id, reason),), 0) for reason in AsideReason]
    stock = Stock(SKU, 3, 2, {NOW.date(): 9}, 21, PRODUCT.name)
    found = DailyNote(NOW.date(), tuple(sections), (forecast(stock, NOW.date()),), remarks=3)
    return compose_daily_note(found, SHOP, language, NOW)


def test_the_daily_note_with_every_reason_has_no_word_of_another_language() -> None:
    for language in LANGUAGES:
        message = note(language)
        body = message.get_body(("plain",))
        assert body is not None
        text = body.get_content().partition(SHOP.name)[0]

        assert all(TABLES[language].TEXTS[f"reason_{reason}"] in text for reason in (*Reason, *AsideReason))
        assert in_language(PRODUCT.name, language) in text
        assert text.count(SKU) == 1  # the product that no catalog has
        assert foreign(f"{message['Subject']} {text}", language) == set()


def test_every_obstacle_and_every_need_is_among_what_is_said() -> None:
    codes = {*OBSTACLES, *(each.action for each in OBSTACLES.values()), *ACTIONS.values()}

    assert codes <= set(TABLES["nl"].TEXTS)


def test_the_words_of_the_support_page_have_no_word_of_another_language() -> None:
    for language in LANGUAGES:
        source = of_folder(language, "support_page.js")
        texts = [text for text in re.findall(r': "((?:[^"\\]|\\.)*)"', source) if "{" not in text or " " in text]
        assert len(texts) > 100
        found = {text: foreign(re.sub(r"\{\w+\}|activate_before|code, batch", "", text), language) for text in texts}
        assert {text: words for text, words in found.items() if words} == {}


def test_every_module_of_the_support_page_imports_what_it_says_with() -> None:
    folder = Path(support_page.__file__).parent
    said_with = re.findall(r"^export (?:const|function) (\w+)", (folder / "words.js").read_text("utf-8"), re.MULTILINE)
    lacks = dict[str, set[str]]()
    for path in sorted(folder.glob("*.js")):
        source = path.read_text("utf-8")
        known = {name for names in re.findall(r"import \{(.*?)\}", source) for name in re.findall(r"\w+", names)}
        known |= set(re.findall(r"(?:const|let|function) (\w+)", source))
        used = {name for name in said_with if re.search(rf"(?<![.\w]){name}\(", source)}
        lacks |= {path.name: used - known} if used - known else {}

    assert len(said_with) > 15
    assert lacks == {}
