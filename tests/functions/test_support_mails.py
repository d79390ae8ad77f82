"""What support sees of a mail: the mail as its customer got it, and no code."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.stacks import Stack
from keypost import wiring
from keypost.core.order import Order
from keypost.core.product import Line
from tests.builders import SKU, code, leaked, loaded, paid_order
from tests.functions.support_calls import call

PREVIEW = "/orders/{order_id}/mails/{mail_id}/preview"
SWAP = "/orders/{order_id}/licenses/{license_id}/replace"
Sold = Callable[..., Order]


@pytest.fixture
def sold(wired: Stack) -> Sold:
    def sell(order_id: str, *numbers: int, **changes: Any) -> Order:
        list(wired.store.add_codes(SKU, [code(n) for n in numbers], "batch-1", None))
        wired.store.save(
            paid_order(order_id, Line(SKU, len(numbers)), at=datetime.now(UTC).replace(microsecond=0), **changes)
        )
        wiring.worker().advance(order_id)
        return loaded(wired.store, order_id)

    return sell


def shown(order: Order, mail_id: str = "purchase-1") -> Any:
    status, answer = call("GET", PREVIEW, order_id=order.id, mail_id=mail_id)
    assert status == 200
    return answer


def test_a_mail_is_shown_as_the_customer_got_it_but_for_the_codes(sold: Sold, sent: Callable[[str], list[str]]) -> None:
    order = sold("preview-1", 1, 2)
    (left,) = sent("preview-1")

    mail = shown(order)

    hidden = left
    for each in order.licenses:
        hidden = hidden.replace(each.code, f"\N{HORIZONTAL ELLIPSIS}{each.code[-5:]}")
    assert mail["text"].split() == hidden.split()
    assert f"\N{HORIZONTAL ELLIPSIS}{order.licenses[0].code[-5:]}" in mail["html"]
    assert {name: mail[name] for name in ("order_id", "mail", "language", "to")} == {
        "order_id": "preview-1",
        "mail": "purchase-1",
        "language": "nl",
        "to": order.customer.email,
    }
    assert "preview-1" in mail["subject"]


def test_no_code_is_told_whatever_mail_is_looked_at_nor_the_one_that_was_swapped(wired: Stack, sold: Sold) -> None:
    before = sold("preview-2", 3).licenses[0]
    list(wired.store.add_codes(SKU, [code(4)], "batch-1", None))
    call("POST", SWAP, {"reason": "invalid"}, order_id="preview-2", license_id=before.id)
    wiring.worker().advance("preview-2")
    order = loaded(wired.store, "preview-2")
    (after,) = order.licenses
    seen = [str(shown(order, mail.id)) for mail in order.mails]

    assert [mail.id for mail in order.mails] == ["purchase-1", "replacement-1"]
    assert leaked([before.code, after.code], lambda: "".join(seen), seen.append) == []
    assert after.code[-5:] in shown(order, "replacement-1")["text"]


def test_a_mail_from_before_a_swap_shows_the_end_of_the_code_that_it_had(wired: Stack, sold: Sold) -> None:
    sold("preview-3", 5)
    list(wired.store.add_codes(SKU, [code(6)], "batch-1", None))
    (license_,) = loaded(wired.store, "preview-3").licenses
    earlier = datetime(2026, 1, 1, tzinfo=UTC)
    wired.desk.change(
        "preview-3", lambda order: replace(order, mails=tuple(replace(mail, sent_at=earlier) for mail in order.mails))
    )
    call("POST", SWAP, {"reason": "invalid"}, order_id="preview-3", license_id=license_.id)

    mail = shown(loaded(wired.store, "preview-3"))

    assert license_.code[-5:] in mail["text"]


def test_what_is_no_mail_of_the_order_is_not_found(sold: Sold) -> None:
    sold("preview-4", 7)

    assert call("GET", PREVIEW, order_id="preview-4", mail_id="renewal-9")[0] == 404
    assert call("GET", PREVIEW, order_id="preview-4", mail_id="..")[0] == 422


def test_a_mail_about_what_no_longer_belongs_to_its_order_is_refused_in_words(wired: Stack, sold: Sold) -> None:
    sold("preview-5", 8)
    wired.desk.change("preview-5", lambda order: replace(order, lines=()))

    status, answer = call("GET", PREVIEW, order_id="preview-5", mail_id="purchase-1")

    assert (status, answer["code"]) == (409, "mail_not_shown")
