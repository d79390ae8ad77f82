"""The calls that put something right: their answers, their refusals, and what they change in the order."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dns.resolver
import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.mail import Fate
from keypost.core.order import Order
from keypost.core.payment import Refunded
from keypost.core.product import Line
from tests.builders import SKU, code, loaded, paid_order
from tests.functions.support_calls import call

ADDRESS = "facturen@klant.example"
NEW = "piet@anders.example"
CUSTOMER, NOTE, STOP = "/orders/{order_id}/customer", "/orders/{order_id}/note", "/orders/{order_id}/reminders/stop"
MAKE, WITHDRAW, LIFT = "/orders", "/orders/{order_id}/withdraw", "/orders/{order_id}/lift-complaint"
LICENSE = "/orders/{order_id}/licenses/{license_id}"
RESEND, STORY = "/orders/{order_id}/resend", "/orders/{order_id}"
BY_HAND = {"customer": {"email": NEW, "name": "Piet"}, "lines": [{"sku": SKU, "quantity": 1}], "why": "goodwill"}


@pytest.fixture(autouse=True)
def no_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests make no DNS queries: no domain has a mail server."""

    class Silent:
        def resolve(self, *_: object) -> None:
            raise dns.resolver.NXDOMAIN

    monkeypatch.setattr(dns.resolver, "get_default_resolver", Silent)


@pytest.fixture
def suppressed(local: LocalStack) -> Iterator[dict[str, str]]:
    yield local.mailbox.suppressed
    local.mailbox.suppressed.clear()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def sold(wired: Stack) -> Callable[..., Order]:
    def sell(order_id: str, *numbers: int, **changes: Any) -> Order:
        list(wired.store.add_codes(SKU, [code(n) for n in numbers], "batch-1", None))
        wired.store.save(paid_order(order_id, Line(SKU, len(numbers)), at=_now(), **changes))
        wiring.worker().advance(order_id)
        return loaded(wired.store, order_id)

    return sell


Sold = Callable[..., Order]


def test_a_corrected_customer_is_told_as_it_is_stored_and_which_orders_have_it(sold: Sold) -> None:
    for number in range(2):
        sold(f"put-{number}", number)

    right = {"email": NEW, "name": "  Piet\u200b \tBakker ", "language": "en", "all_orders": True}
    status, said = call("PUT", CUSTOMER, right, order_id="put-0")

    warnings = said.pop("warnings")
    assert status == 200
    assert said == {
        "order_ids": ["put-0", "put-1"],
        "email": NEW,
        "name": "Piet Bakker",
        "language": "en",
        "not_sent_again": ["put-0", "put-1"],
    }
    assert [each["code"] for each in warnings] == ["no_mail_server", "sent_to_former_address"]


@pytest.mark.parametrize(
    ("body", "pointer", "code_"),
    [
        ({}, "#", "nothing_to_correct"),
        ({"name": "\u200b\u202e"}, "#/name", "field_empty_or_unseen"),
        ({"name": "A" * 301}, "#/name", "field_too_long"),
        ({"email": "nobody"}, "#/email", "not_an_address"),
        ({"language": "fr"}, "#/language", "field_not_one_of"),
        ({"naam": "Piet"}, "#/naam", "field_unknown"),
    ],
)
def test_what_is_wrong_of_a_customer_is_named_and_changes_nothing(
    wired: Stack, sold: Sold, body: dict[str, Any], pointer: str, code_: str
) -> None:
    before = sold("put-2", 1)

    status, said = call("PUT", CUSTOMER, body, order_id="put-2")

    assert status == 422
    assert (pointer, code_) in {(error["pointer"], error["code"]) for error in said["errors"]}
    assert loaded(wired.store, "put-2") == before


def test_a_slip_in_the_address_comes_back_before_anything_is_changed(wired: Stack, sold: Sold) -> None:
    before = sold("put-3", 1)

    for url, body in ((CUSTOMER, {"email": "anna@gmial.com"}), (RESEND, {"to": "anna@gmial.com"})):
        status, said = call("PUT" if url == CUSTOMER else "POST", url, body, order_id="put-3")
        assert (status, said["suggestion"]) == (409, "anna@gmail.com")
    assert loaded(wired.store, "put-3") == before


def test_an_order_by_hand_is_made_once_served_and_told_as_such(wired: Stack) -> None:
    list(wired.store.add_codes(SKU, [code(1)], "batch-1", None))

    answers = [call("POST", MAKE, BY_HAND, headers={"Idempotency-Key": "ticket-1"}) for _ in range(2)]

    assert answers[0] == answers[1]
    status, said = answers[0]
    wiring.worker().advance(said["order_id"])
    _, story = call("GET", STORY, order_id=said["order_id"])
    assert (status, story["by_hand"], story["standing"]) == (201, "goodwill", "paid")
    assert (story["payments"][0]["amount"], len(story["licenses"])) == (None, 1)
    assert [mail["state"] for mail in story["mails"]] == ["sent"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"lines": [{"sku": "NO-SUCH", "quantity": 1}]}, 404),
        ({"lines": []}, 422),
        ({"lines": [{"sku": SKU, "quantity": 0}]}, 422),
        ({"lines": [{"sku": SKU, "quantity": 1, "kind": "renewal"}]}, 422),
        ({"lines": [{"sku": SKU, "quantity": 1001}]}, 409),
        ({"why": "because"}, 422),
        ({"customer": {"name": "Piet"}}, 422),
    ],
)
def test_an_order_by_hand_that_is_not_right_is_not_made(wired: Stack, changes: dict[str, Any], status: int) -> None:
    assert call("POST", MAKE, BY_HAND | changes)[0] == status
    assert wired.store.orders_of(NEW).orders == []


def test_an_order_by_hand_is_withdrawn_and_another_one_is_not(wired: Stack, sold: Sold) -> None:
    sold("put-4", 1)
    made = call("POST", MAKE, BY_HAND)[1]["order_id"]

    assert call("POST", WITHDRAW, {"reason": "made twice"}, order_id=made) == (200, {"order_id": made})
    assert loaded(wired.store, made).is_withdrawn
    assert call("POST", WITHDRAW, {}, order_id="put-4")[0] == 409


def test_an_order_by_hand_whose_codes_left_is_withdrawn_and_asks_to_have_them_blocked(wired: Stack) -> None:
    list(wired.store.add_codes(SKU, [code(1)], "batch-1", None))
    made = call("POST", MAKE, BY_HAND)[1]["order_id"]
    wiring.worker().advance(made)

    assert call("POST", WITHDRAW, {"reason": "made twice"}, order_id=made) == (200, {"order_id": made})

    story = call("GET", STORY, order_id=made)[1]
    assert (story["needs"]["reason"], story["obstacles"][0]["code"]) == ("block", "withdrawn")


def test_one_mail_elsewhere_wants_the_scope_to_change_addresses(wired: Stack, sold: Sold) -> None:
    license_ = sold("put-5", 1).licenses[0].id
    once = {"to": NEW, "license": license_}

    assert call("POST", RESEND, once, scopes="support", order_id="put-5")[0] == 403
    assert call("POST", RESEND, {"license": license_}, scopes="support", order_id="put-5")[0] == 202
    status, said = call("POST", RESEND, once, scopes="support contact", order_id="put-5")

    assert (status, said["to"], said["license"], said["mail"]) == (202, NEW, license_, "resend-2")
    assert [each["code"] for each in said["warnings"]] == ["no_mail_server"]
    assert loaded(wired.store, "put-5").customer.email == ADDRESS


def test_a_license_that_is_not_of_the_order_is_a_404(sold: Sold) -> None:
    sold("put-6", 1)
    unknown = "LIC-ABCDEFGH23"

    assert call("POST", RESEND, {"license": "LIC-ABCDEFGH23"}, order_id="put-6")[0] == 404
    assert call("POST", LICENSE + "/move", {"email": NEW}, order_id="put-6", license_id=unknown)[0] == 404
    assert call("POST", LICENSE + "/refunded", {}, order_id="put-6", license_id=unknown)[0] == 404


def test_lifting_goes_with_the_whole_order_only(sold: Sold) -> None:
    sold("put-7", 1)

    status, said = call("POST", RESEND, {"to": NEW, "lift_suppression": True}, order_id="put-7")

    assert (status, said["errors"][0]["code"]) == (422, "lift_with_all_only")


def test_a_license_moves_and_both_orders_name_each_other(wired: Stack, sold: Sold) -> None:
    license_ = sold("put-8", 1).licenses[0].id

    status, said = call("POST", LICENSE + "/move", {"email": NEW}, order_id="put-8", license_id=license_)

    new = said["order_id"]
    assert (status, said["moved_from"], said["license"], said["renewed_by"]) == (201, "put-8", license_, [])
    old = call("GET", STORY, order_id="put-8")[1]
    assert [(each["gone"], each["moved_to"]) for each in old["licenses"]] == [("moved", new)]
    told = call("GET", STORY, order_id=new)[1]
    assert (told["moved_from"], told["by_hand"], told["licenses"][0]["id"]) == ("put-8", "moved", license_)
    assert call("POST", "/orders/search", {"license": license_})[1]["orders"][0]["order_id"] == new
    assert wired.store.order_of_code(code(1)) == new


def test_the_license_of_a_partial_refund_is_named_and_taken_back(wired: Stack, sold: Sold) -> None:
    order = sold("put-9", 1, 2, amount="79.90")
    first = order.licenses[0].id
    assert call("POST", LICENSE + "/refunded", {}, order_id="put-9", license_id=first)[0] == 409

    back = (Refunded(_now(), "39.95", by="stripe"),)
    payment = replace(order.payments[0], refunded=back)
    wired.store.change_existing("put-9", lambda latest: replace(latest, payments=(payment,)))
    assert call("POST", LICENSE + "/refunded", {"reason": "one of two"}, order_id="put-9", license_id=first) == (
        200,
        {"order_id": "put-9"},
    )
    story = call("GET", STORY, order_id="put-9")[1]
    assert (story["needs"]["reason"], [each["gone"] for each in story["licenses"]]) == ("block", ["refunded", None])

    call("POST", LICENSE + "/refunded", {"undo": True}, order_id="put-9", license_id=first)
    assert loaded(wired.store, "put-9").gone == ()


def test_a_note_is_words_that_can_be_read(wired: Stack, sold: Sold) -> None:
    sold("put-10", 1)

    assert call("POST", NOTE, {"note": "calls\nback"}, order_id="put-10") == (200, {"order_id": "put-10"})
    assert [call("POST", NOTE, {"note": words}, order_id="put-10")[0] for words in ("", "\u200b", "A" * 201)] == [
        422,
        422,
        422,
    ]
    entry = loaded(wired.store, "put-10").timeline[-1]
    assert (entry.code, entry.words, entry.who) == ("note", "calls back", "anna")


def test_reminders_are_stopped_for_an_order_or_a_customer_and_had_again(wired: Stack, sold: Sold) -> None:
    sold("put-11", 1)

    call("POST", STOP, {}, order_id="put-11")
    assert loaded(wired.store, "put-11").without_reminders
    assert not wired.store.unreminded(ADDRESS)
    call("POST", STOP, {"all_orders": True}, order_id="put-11")
    assert wired.store.unreminded(ADDRESS)
    call("POST", STOP, {"all_orders": True, "undo": True}, order_id="put-11")

    assert not wired.store.unreminded(ADDRESS)
    assert not loaded(wired.store, "put-11").without_reminders
    wired.store.save(paid_order("put-12", email=None))
    assert call("POST", STOP, {"all_orders": True}, order_id="put-12")[0] == 409


def test_a_complaint_is_lifted_with_what_the_customer_said_by_a_scope_of_its_own(
    wired: Stack, sold: Sold, suppressed: dict[str, str]
) -> None:
    sold("put-13", 1)
    suppressed[ADDRESS] = "COMPLAINT"
    wired.store.put_bad_address(ADDRESS, Fate.COMPLAINED, _now())
    said = {"reason": "pressed it by mistake"}

    assert call("POST", RESEND, {}, order_id="put-13")[0] == 409
    assert call("POST", LIFT, said, scopes="support contact suppression", order_id="put-13")[0] == 403
    assert (
        call("POST", LIFT, {}, order_id="put-13")[0] == call("POST", LIFT, {"reason": " "}, order_id="put-13")[0] == 422
    )
    assert suppressed
    assert call("POST", LIFT, said, scopes="complaints", order_id="put-13") == (200, {"order_id": "put-13"})

    assert not suppressed
    assert call("POST", RESEND, {}, order_id="put-13")[0] == 202


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("PUT", CUSTOMER, {"name": "Piet"}),
        ("POST", NOTE, {"note": "hello"}),
        ("POST", STOP, {"all_orders": True}),
        ("POST", LIFT, {"reason": "said so"}),
        ("POST", WITHDRAW, {}),
    ],
)
def test_there_is_nothing_to_put_right_of_an_order_that_there_is_not(
    wired: Stack, method: str, url: str, body: dict[str, Any]
) -> None:
    assert call(method, url, body, order_id="no-such-order")[0] == 404
