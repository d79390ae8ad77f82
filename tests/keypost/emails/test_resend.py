from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keypost.core.mail import Asked, Fate, Mail, MailState, Purpose, Told
from keypost.core.order import BadCode, Order
from keypost.emails import compose
from tests.builders import NOW, SHOP, SKU, TWO_PRODUCTS, bought, code
from tests.keypost.emails.reading import message_of, part, seen

RESEND = Mail("resend-1", Purpose.RESEND, MailState.SENDING, NOW, attempts=1)
SENT_AT = datetime(2026, 11, 15, 23, 30, tzinfo=UTC)  # half past midnight in Amsterdam
FIRST = Mail("purchase-1", Purpose.PURCHASE, MailState.SENT, None, attempts=1, sent_at=SENT_AT, may_have_left=True)
BAD_CODE = BadCode("LIC-0", code(9), SKU, "invalid", Asked(SENT_AT + timedelta(days=1), "anna"))
DAY = {
    "nl": "onze e-mail van 16 november 2026: er is geen nieuwe code",
    "en": "our e-mail of 16 November 2026: no new code",
}


def reported(fate: Fate) -> Any:
    return (Told(1, fate, NOW),)


def texts(order: Order, *mails: Mail) -> list[str]:
    """Both parts of the mail that repeats the codes, as one text."""
    message = message_of(compose(replace(order, mails=(*mails, RESEND)), RESEND, TWO_PRODUCTS, SHOP, NOW))
    return [" ".join(part(message, "plain").split()), seen(part(message, "html"))]


@pytest.mark.parametrize("language", ["nl", "en"])
def test_it_names_the_day_of_the_mail_that_held_the_same_in_the_shops_time(language: str) -> None:
    for text in texts(bought(1, language=language), FIRST):
        assert DAY[language] in text


@pytest.mark.parametrize(
    ("language", "sentence"), [("nl", "niet om gevraagd? Laat"), ("en", "did not ask for this, please")]
)
def test_who_did_not_ask_for_it_is_told_what_to_do(language: str, sentence: str) -> None:
    for text in texts(bought(1, language=language), FIRST):
        assert sentence in text


@pytest.mark.parametrize(
    ("order", "mails"),
    [
        (bought(1), []),
        (bought(1), [replace(FIRST, state=MailState.FAILED)]),
        (bought(1), [replace(FIRST, told=reported(Fate.BOUNCED))]),
        (bought(1), [replace(FIRST, told=reported(Fate.RETURNED))]),
        (bought(1, 1), [replace(FIRST, lines=(1,))]),
        (bought(2), [replace(FIRST, purpose=Purpose.REPLACEMENT, licenses=("LIC-0",))]),
        (bought(1), [replace(FIRST, purpose=Purpose.WAITING)]),
        (bought(1, bad_codes=(BAD_CODE,)), [FIRST]),
    ],
    ids=["none", "failed", "bounced", "returned", "other line", "one license", "a notice", "code swapped since"],
)
def test_it_names_no_mail_that_did_not_hold_the_same_or_did_not_arrive(order: Order, mails: list[Mail]) -> None:
    for text in texts(order, *mails):
        assert "onze e-mail van" not in text


def test_after_a_swap_it_names_the_mail_that_held_the_new_code() -> None:
    again = replace(FIRST, id="resend-0", purpose=Purpose.RESEND, sent_at=SENT_AT + timedelta(days=2))

    for text in texts(bought(1, bad_codes=(BAD_CODE,)), FIRST, again):
        assert "onze e-mail van 18 november 2026" in text
