"""The actions of the support API: their answers, and what they change in the order."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dns.resolver
import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.api.app import ROUTES
from keypost.core.contents import with_payment
from keypost.core.mail import Fate
from keypost.core.obstacles import obstacles
from keypost.core.order import Order
from keypost.core.payment import PaymentState, Refunded, Standing
from keypost.core.plan import attention
from keypost.core.product import Line
from keypost.use_cases.take_fact import record
from tests.builders import INTAKE, SKU, bought, code, loaded, notice, paid_order, put_item
from tests.functions.support_calls import call

ADDRESS = "facturen@klant.example"
NEW = "anna@klant.example"
OTHER = "KASPERSKY-PLUS-3D-1Y"
RESEND, EMAIL = "/orders/{order_id}/resend", "/orders/{order_id}/email"
SWAP = "/orders/{order_id}/licenses/{license_id}/replace"
Sent = Callable[[str], list[str]]


@pytest.fixture(autouse=True)
def no_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests make no DNS queries."""

    class Silent:
        def resolve(self, *_: object) -> None:
            raise dns.resolver.NXDOMAIN

    monkeypatch.setattr(dns.resolver, "get_default_resolver", Silent)


@pytest.fixture
def suppressed(local: LocalStack) -> Iterator[dict[str, str]]:
    yield local.mailbox.suppressed
    local.mailbox.suppressed.clear()


@pytest.fixture
def sold(wired: Stack) -> Callable[..., Order]:
    def sell(order_id: str, *numbers: int, **changes: Any) -> Order:
        list(wired.store.add_codes(SKU, [code(n) for n in numbers], "batch-1", None))
        wired.store.save(paid_order(order_id, Line(SKU, len(numbers)), at=_now(), **changes))
        wiring.worker().advance(order_id)
        return loaded(wired.store, order_id)

    return sell


Sold = Callable[..., Order]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def test_one_call_sends_an_order_again_and_a_double_click_is_one_mail(wired: Stack, sold: Sold, sent: Sent) -> None:
    sold("action-1", 1)

    answers = [call("POST", RESEND, {"reason": "got nothing"}, order_id="action-1") for _ in range(2)]
    wiring.worker().advance("action-1")

    assert answers == [(202, {"order_id": "action-1", "mail": "resend-1"})] * 2
    assert len(sent("action-1")) == 2
    (asked,) = [entry for entry in loaded(wired.store, "action-1").timeline if entry.code == "resend_asked"]
    assert (asked.who, asked.words) == ("anna", "got nothing")


def test_a_key_tells_two_wishes_from_one_that_is_repeated(wired: Stack, sold: Sold) -> None:
    sold("action-2", 1)

    for key in ("one", "one"):
        assert call("POST", RESEND, {}, headers={"Idempotency-Key": key}, order_id="action-2")[0] == 202
    wiring.worker().advance("action-2")
    status, said = call("POST", RESEND, {}, headers={"Idempotency-Key": "two"}, order_id="action-2")

    assert (status, said["mail"]) == (202, "resend-2")


def test_what_cannot_be_sent_again_is_a_409_that_says_why(wired: Stack) -> None:
    wired.store.save(paid_order("action-3", state=PaymentState.OPEN))

    status, said = call("POST", RESEND, {}, order_id="action-3")

    assert (status, "not been paid" in said["detail"]) == (409, True)


def test_the_fourth_time_in_a_day_is_a_429(wired: Stack, sold: Sold) -> None:
    sold("action-4", 1)
    for n in range(3):
        assert call("POST", RESEND, {}, headers={"Idempotency-Key": f"k{n}"}, order_id="action-4")[0] == 202
        wiring.worker().advance("action-4")

    assert call("POST", RESEND, {}, headers={"Idempotency-Key": "k9"}, order_id="action-4")[0] == 429


def test_lifting_a_suppression_wants_a_scope_of_its_own(wired: Stack, sold: Sold, suppressed: dict[str, str]) -> None:
    sold("action-5", 1)
    suppressed[ADDRESS] = "BOUNCE"
    lift = {"lift_suppression": True}

    assert call("POST", RESEND, {}, order_id="action-5")[0] == 409
    assert call("POST", RESEND, lift, scopes="support", order_id="action-5")[0] == 403
    assert suppressed
    assert call("POST", RESEND, lift, scopes="support suppression", order_id="action-5")[0] == 202
    assert not suppressed


def test_a_slip_in_an_address_comes_back_with_what_was_meant_and_can_be_confirmed(wired: Stack, sold: Sold) -> None:
    before = sold("action-6", 1)

    status, said = call("PUT", EMAIL, {"email": "anna@gmial.com"}, order_id="action-6")
    assert (status, said["suggestion"]) == (409, "anna@gmail.com")
    assert loaded(wired.store, "action-6") == before

    status, said = call("PUT", EMAIL, {"email": "anna@gmial.com", "confirmed": True}, order_id="action-6")
    assert (status, said["order_ids"]) == (200, ["action-6"])


def test_a_domain_that_dns_does_not_know_is_a_warning_only(wired: Stack, sold: Sold) -> None:
    sold("action-7", 1)

    status, said = call("PUT", EMAIL, {"email": "anna@klant-van-ons.nl"}, order_id="action-7")

    assert (status, len(said["warnings"])) == (200, 1)
    assert loaded(wired.store, "action-7").customer.email == "anna@klant-van-ons.nl"


def test_a_swapped_code_is_told_by_its_end(wired: Stack, sold: Sold, sent: Sent) -> None:
    order = sold("action-8", 1)
    list(wired.store.add_codes(SKU, [code(2)], "batch-2", None))
    where: dict[str, Any] = {"order_id": "action-8", "license_id": order.licenses[0].id}

    status, said = call("POST", SWAP, {"reason": "already used", "note": "the vendor says so"}, **where)
    wiring.worker().advance("action-8")

    assert (status, said["mail"], said["license"]) == (202, "replacement-1", order.licenses[0].id)
    assert said["code"].endswith(code(2)[-5:])
    assert code(2) not in repr(said)
    assert code(2) in sent("action-8")[-1]


def test_a_reason_that_is_none_of_the_list_changes_nothing(wired: Stack, sold: Sold) -> None:
    order = sold("action-9", 1)

    status, _ = call("POST", SWAP, {"reason": "ugly"}, order_id="action-9", license_id=order.licenses[0].id)

    assert status == 422
    assert loaded(wired.store, "action-9") == order


def test_an_order_is_held_and_let_go(wired: Stack) -> None:
    wired.store.save(paid_order("action-10"))

    assert call("POST", "/orders/{order_id}/hold", {"reason": "looks odd"}, order_id="action-10")[0] == 200
    held = loaded(wired.store, "action-10")
    assert (held.hold.by_person, held.timeline[-1].words, held.timeline[-1].who) == (True, "looks odd", "anna")
    assert call("POST", "/orders/{order_id}/release", {}, order_id="action-10")[0] == 200
    assert not loaded(wired.store, "action-10").hold.by_person


CONTENTS = "/orders/{order_id}/contents"


def differing(order_id: str) -> Order:
    """An order of which two payments say other goods, of other customers."""
    second = notice(order_id, Line(OTHER, 2), payment_id=f"cs_2-{order_id}", email=NEW)
    return with_payment(paid_order(order_id), second, _now(), "EUR")


def test_two_baskets_under_one_number_are_shown_and_settled_by_a_person(wired: Stack) -> None:
    wired.store.save(differing("action-differs"))

    shown = call("GET", "/orders/{order_id}", order_id="action-differs")[1]
    assert [each["code"] for each in shown["obstacles"]] == ["contents"]
    assert shown["needs"]["action"]["code"] == "settle_contents"
    assert [(word["lines"], word["email"]) for payment in shown["payments"] for word in payment["told"]] == [
        ([f"1 x {SKU}"], ADDRESS),
        ([f"2 x {OTHER}"], NEW),
    ]
    assert call("POST", "/orders/{order_id}/release", {}, order_id="action-differs")[0] == 409

    right = {"payment": "stripe:cs_2-action-differs", "reason": "they exchanged it"}
    assert call("PUT", CONTENTS, right, order_id="action-differs") == (
        200,
        {"order_id": "action-differs", "own_order": None},
    )
    order = loaded(wired.store, "action-differs")
    assert ([(line.sku, line.quantity) for line in order.lines], order.customer.email) == ([(OTHER, 2)], NEW)
    assert (order.timeline[-1].code, order.timeline[-1].who) == ("contents_settled", "anna")


def test_of_two_tellers_of_one_payment_a_person_says_which_is_right(wired: Stack) -> None:
    name = "action-tellers"
    shop = notice(
        name, Line(OTHER, 2), provider="webhook", payment_id="inv_1", email=NEW, also=(f"stripe:cs_1-{name}",)
    )
    order = with_payment(None, notice(name, Line(SKU, 1), payment_id=f"cs_1-{name}"), _now(), "EUR")
    wired.store.save(with_payment(order, shop, _now(), "EUR"))
    shown = call("GET", "/orders/{order_id}", order_id=name)[1]
    assert [each["code"] for each in shown["obstacles"]] == ["contents"]
    assert [word["by"] for payment in shown["payments"] for word in payment["told"]] == ["stripe", "webhook"]
    assert set(shown["products"]) == {SKU, OTHER}

    payment = {"payment": f"stripe:cs_1-{name}"}
    assert call("PUT", CONTENTS, payment | {"by": "mollie"}, order_id=name)[0] == 409
    for by, sku, quantity, email in (("stripe", SKU, 1, ADDRESS), ("webhook", OTHER, 2, NEW)):
        assert call("PUT", CONTENTS, payment | {"by": by}, order_id=name)[0] == 200
        order = loaded(wired.store, name)
        assert [(line.sku, line.quantity) for line in order.lines] == [(sku, quantity)]
        assert order.customer.email == email


def test_a_second_payment_becomes_an_order_of_its_own_and_its_callbacks_follow_it(wired: Stack) -> None:
    wired.store.save(differing("action-own"))

    moved = {"own_order": "stripe:cs_2-action-own"}
    answers = [call("PUT", CONTENTS, moved, order_id="action-own") for _ in range(2)]

    assert answers == [(200, {"order_id": "action-own", "own_order": "action-own-2"})] * 2
    first, second = loaded(wired.store, "action-own"), loaded(wired.store, "action-own-2")
    assert ([line.sku for line in first.lines], first.customer.email) == ([SKU], ADDRESS)
    assert ([line.sku for line in second.lines], second.customer.email) == ([OTHER], NEW)
    refund = notice(
        "action-own", payment_id="cs_2-action-own", state=None, lines=(), refunded=Refunded(_now(), full=True)
    )
    assert record(wired.store, replace(refund, lines=()), _now(), INTAKE) == ("action-own-2", True)
    assert loaded(wired.store, "action-own-2").standing is Standing.REFUNDED
    assert loaded(wired.store, "action-own").standing is Standing.PAID


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"lines": [{"sku": SKU, "quantity": 1}], "payment": "stripe:cs_1"}, 422),
        ({"lines": [{"sku": SKU, "quantity": 0}]}, 422),
        ({"payment": "stripe:unknown"}, 404),
        ({"own_order": "stripe:unknown", "by": "webhook"}, 422),
        ({"own_order": "stripe:unknown"}, 404),
    ],
)
def test_contents_that_say_nothing_or_too_much_change_nothing(wired: Stack, body: Any, status: int) -> None:
    wired.store.save(differing(f"action-odd-{len(str(body))}"))
    before = loaded(wired.store, f"action-odd-{len(str(body))}")

    assert call("PUT", CONTENTS, body, order_id=before.id)[0] == status
    assert loaded(wired.store, before.id) == before


def test_an_order_that_is_held_without_lines_is_completed_and_served(wired: Stack) -> None:
    bare = with_payment(None, replace(notice("action-bare"), lines=(), email=None), _now(), "EUR")
    wired.store.save(bare)

    lines = [{"sku": SKU, "quantity": 1}]
    assert call("PUT", CONTENTS, {"lines": lines, "email": NEW}, order_id="action-bare")[0] == 200

    order = loaded(wired.store, "action-bare")
    assert (order.lines, order.customer.email, obstacles(order)) == ((Line(SKU, 1),), NEW, ())


def test_codes_that_the_vendor_has_blocked_are_written_down(wired: Stack, sold: Sold) -> None:
    sold("action-16", 16)
    refund = notice("action-16", refunded=Refunded(_now(), full=True))
    wired.store.change("action-16", lambda order: with_payment(order, refund, _now(), "EUR"))

    assert call("POST", "/orders/{order_id}/blocked", {}, order_id="action-16")[0] == 200
    assert attention(loaded(wired.store, "action-16")) is None


def test_what_we_know_of_a_customer_is_told_without_codes(wired: Stack, sold: Sold) -> None:
    sold("action-11", 11)
    sold("action-12", 12, email="piet@elders.example")

    status, said = call("POST", "/customers/export", {"email": ADDRESS.upper()})

    assert status == 200
    assert ADDRESS in repr(said)
    assert "Anna Jansen" in repr(said)
    assert code(11)[-5:] in repr(said)
    assert code(11)[:-5] not in repr(said)
    assert "action-11" in repr(said)
    assert "action-12" not in repr(said)


def test_erasing_a_customer_names_the_subscriptions_that_go_on_elsewhere(wired: Stack, sold: Sold) -> None:
    assert "klant.example" in repr(sold("action-13", 13))
    sold("action-14", 14, is_subscription=True)

    status, said = call("POST", "/customers/erase", {"email": ADDRESS})

    assert (status, sorted(said["order_ids"]), said["subscriptions"]) == (
        200,
        ["action-13", "action-14"],
        ["action-14"],
    )
    assert "klant.example" not in repr(loaded(wired.store, "action-13"))
    assert call("POST", "/customers/erase", {"email": ADDRESS}) == (
        200,
        {"order_ids": [], "subscriptions": [], "later": [], "linked": []},
    )


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", RESEND, {}),
        ("PUT", EMAIL, {"email": NEW}),
        ("POST", SWAP, {"reason": "invalid"}),
        ("POST", "/orders/{order_id}/hold", {}),
        ("POST", "/orders/{order_id}/release", {}),
        ("POST", "/orders/{order_id}/blocked", {}),
    ],
)
def test_an_order_that_does_not_exist_is_a_404(wired: Stack, method: str, url: str, body: Any) -> None:
    parameters: dict[str, Any] = {"order_id": "nowhere", "license_id": "LIC-AAAAAAAAAA"}
    if "{license_id}" not in url:
        del parameters["license_id"]

    assert call(method, url, body, **parameters)[0] == 404


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (RESEND, {"to": "nobody"}),
        (RESEND, {"reason": "a" * 201}),
        (RESEND, []),
        ("/customers/erase", {"email": "nobody"}),
        ("/customers/export", {}),
    ],
)
def test_a_body_that_is_not_as_agreed_is_refused_field_by_field(wired: Stack, url: str, body: Any) -> None:
    parameters: dict[str, Any] = {"order_id": "action-1"} if "{" in url else {}
    status, said = call("POST", url, body, **parameters)

    assert status in (400, 422)
    assert "errors" in said or "JSON object" in said["detail"]


def test_words_of_an_agent_are_kept_without_signs_that_nobody_sees_and_no_longer_than_fits(
    wired: Stack, sold: Sold
) -> None:
    sold("action-words", 1)

    call("POST", "/orders/{order_id}/hold", {"reason": "a\u0000b \u202edlo\u202c\n c"}, order_id="action-words")
    assert loaded(wired.store, "action-words").timeline[-1].words == "a b dlo c"
    call("POST", "/orders/{order_id}/release", {"reason": "\U0001f600" * 200}, order_id="action-words")
    assert loaded(wired.store, "action-words").timeline[-1].words == "\U0001f600" * 100


def test_of_two_codes_that_are_swapped_at_once_both_name_the_mail_that_tells_them(wired: Stack, sold: Sold) -> None:
    order = sold("action-two", 1, 2)
    list(wired.store.add_codes(SKU, [code(n) for n in (3, 4)], "batch-2", None))

    for license_ in order.licenses:
        status, said = call("POST", SWAP, {"reason": "invalid"}, order_id="action-two", license_id=license_.id)
        assert (status, said["mail"]) == (202, "replacement-1")


def test_an_order_that_sends_by_itself_has_no_mail_to_name_when_a_suppression_is_lifted(
    wired: Stack, sold: Sold, suppressed: dict[str, str]
) -> None:
    wired.store.put_bad_address(ADDRESS, Fate.BOUNCED, _now())
    suppressed[ADDRESS] = "BOUNCE"
    sold("action-lift", 1)
    assert loaded(wired.store, "action-lift").mails == ()

    body = {"lift_suppression": True}
    answer = call("POST", RESEND, body, scopes="support suppression", order_id="action-lift")

    assert answer == (202, {"order_id": "action-lift", "mail": None})
    wiring.worker().advance("action-lift")
    assert [mail.id for mail in loaded(wired.store, "action-lift").mails] == ["purchase-1"]
    assert suppressed == {}


def test_an_order_whose_timeline_is_damaged_is_named_and_the_others_are_exported(wired: Stack) -> None:
    for order_id in ("damaged", "sound"):
        order = paid_order(order_id, email=ADDRESS)
        wired.store.save(replace(order, timeline=order.timeline * 70))
    put_item(wired.store, {"pk": "ORDER#damaged/TIMELINE#0", "entries": 7})

    status, said = call("POST", "/customers/export", {"email": ADDRESS})

    assert (status, [order["order_id"] for order in said["orders"]], said["unreadable"]) == (
        200,
        ["sound"],
        ["damaged"],
    )
    assert call("GET", "/orders/{order_id}", order_id="damaged")[1]["code"] == "refused_unreadable"


def test_more_than_one_answer_holds_is_exported_by_the_command(
    wired: Stack,
) -> None:
    for number in range(9):
        wired.store.save(replace(bought(1200), id=f"action-many-{number}"))

    status, said = call("POST", "/customers/export", {"email": ADDRESS})

    assert status == 409
    assert "keypost export" in said["detail"]


CLOSE = "/orders/{order_id}/close"


def test_what_was_done_by_hand_is_closed_with_its_reason_and_who_did_it(wired: Stack) -> None:
    wired.store.save(paid_order("action-closed", currency="USD", at=_now()))

    answered = call("POST", CLOSE, {"reason": "refunded at the bank"}, order_id="action-closed")

    assert answered == (200, {"order_id": "action-closed"})
    told = call("GET", "/orders/{order_id}", order_id="action-closed")[1]
    assert told["needs"] is None
    assert [(each["code"], each["who"], each["words"]) for each in told["timeline"][-1:]] == [
        ("closed", "anna", "refunded at the bank")
    ]


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \u200b "}, {"why": "done"}])
def test_nothing_is_closed_without_a_reason(wired: Stack, body: dict[str, str]) -> None:
    wired.store.save(paid_order("action-unclosed", currency="USD", at=_now()))

    assert call("POST", CLOSE, body, order_id="action-unclosed")[0] == 422

    assert attention(loaded(wired.store, "action-unclosed")) is not None
    wired.store.change_existing("action-unclosed", lambda order: replace(order, belongs_to="x"))


def test_an_order_that_asks_for_nothing_cannot_be_closed(sold: Callable[..., Order]) -> None:
    order = sold("action-served", 71)

    status, problem = call("POST", CLOSE, {"reason": "done"}, order_id=order.id)

    assert (status, problem["code"]) == (409, "nothing_to_close")


CHANGES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/orders/{order_id}/resend"): {},
    ("PUT", "/orders/{order_id}/email"): {"email": "other@klant.example"},
    ("POST", "/orders/{order_id}/licenses/{license_id}/replace"): {"reason": "invalid"},
    ("POST", "/orders/{order_id}/hold"): {},
    ("POST", "/orders/{order_id}/release"): {},
    ("PUT", "/orders/{order_id}/contents"): {"lines": [{"sku": SKU, "quantity": 1}]},
    ("POST", "/orders/{order_id}/blocked"): {},
    ("POST", "/orders/{order_id}/close"): {"reason": "done"},
    ("POST", "/orders/{order_id}/subscription-ended"): {},
    ("PUT", "/orders/{order_id}/lines/{n}/renewal"): {"period_start": "now"},
    ("POST", "/orders/{order_id}/lines/{n}/renewal/stop"): {},
    ("PUT", "/orders/{order_id}/customer"): {"name": "Piet", "all_orders": True},
    ("POST", "/orders/{order_id}/note"): {"note": "hello"},
    ("POST", "/orders/{order_id}/reminders/stop"): {"all_orders": True},
    ("POST", "/orders/{order_id}/lift-complaint"): {"reason": "a mistake"},
    ("POST", "/orders/{order_id}/withdraw"): {},
    ("POST", "/orders/{order_id}/licenses/{license_id}/move"): {"email": "other@klant.example"},
    ("POST", "/orders/{order_id}/licenses/{license_id}/refunded"): {},
}


@pytest.mark.parametrize("route", CHANGES, ids=" ".join)
def test_a_call_about_an_order_that_moved_meanwhile_changes_nothing(
    sold: Callable[..., Order], wired: Stack, route: tuple[str, str]
) -> None:
    order = sold("action-moved", 72) if not wired.store.load("action-moved") else loaded(wired.store, "action-moved")
    parts: dict[str, Any] = {"order_id": order.id, "license_id": order.licenses[0].id, "n": "1"}
    named = {name: value for name, value in parts.items() if f"{{{name}}}" in route[1]}

    stale = {"If-Match": f'"{order.version - 1}"'}
    status, problem = call(*route, CHANGES[route], headers=stale, **named)

    assert (status, problem["code"]) == (409, "order_moved")
    assert loaded(wired.store, order.id) == order


def test_every_call_that_changes_an_order_is_tried_with_a_version_that_is_over() -> None:
    changing = {route for route in ROUTES if route[0] != "GET" and route[1].startswith("/orders/{order_id}/")}

    assert changing == set(CHANGES)


def test_of_two_agents_at_once_the_second_one_is_asked_to_look_again(wired: Stack) -> None:
    wired.store.save(paid_order("action-twice", currency="USD", at=_now()))
    kept: list[Any] = []
    seen = call("GET", "/orders/{order_id}", order_id="action-twice", kept=kept)[1]["version"]
    assert kept[0]["multiValueHeaders"]["ETag"] == [f'"{seen}"']
    both = {"If-Match": kept[0]["multiValueHeaders"]["ETag"][0]}

    first = call("POST", "/orders/{order_id}/hold", {}, headers=both, order_id="action-twice")
    second = call("POST", "/orders/{order_id}/release", {}, headers=both, order_id="action-twice")

    assert (first[0], second[0], second[1]["code"]) == (200, 409, "order_moved")
    assert loaded(wired.store, "action-twice").hold.by_person
    again = {"If-Match": "*"}
    assert call("POST", "/orders/{order_id}/release", {}, headers=again, order_id="action-twice")[0] == 200


def test_a_version_that_is_none_is_refused(wired: Stack) -> None:
    wired.store.save(paid_order("action-odd", currency="USD", at=_now()))

    odd = {"If-Match": '"newest"'}
    status, problem = call("POST", "/orders/{order_id}/hold", {}, headers=odd, order_id="action-odd")

    assert (status, problem["code"]) == (400, "if_match_unfit")
