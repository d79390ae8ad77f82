import base64
import hashlib
import hmac
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.contents import with_payment
from keypost.core.errors import InvalidInput, ProviderRefused, ProviderUnavailable, SignatureRefused
from keypost.core.payment import (
    Charged,
    News,
    PaymentNotice,
    PaymentState,
    Refunded,
    Remark,
    Standing,
    SubscriptionEnded,
)
from keypost.core.product import Kind, Line
from keypost.core.said import Said
from keypost.providers import woocommerce
from tests.builders import EVENTS, NOW, SKU, WOOCOMMERCE_SECRET, a_call, event

BODY = (EVENTS / "woocommerce/order.updated.json").read_bytes()
PING = (EVENTS / "woocommerce/ping.txt").read_bytes()


def order(**changes: Any) -> bytes:
    return json.dumps(event("woocommerce/order.updated.json") | changes).encode()


def read(body: bytes, **how: Any) -> PaymentNotice:
    (notice,) = woocommerce.read(a_call(body, **how))
    assert isinstance(notice, PaymentNotice)
    return notice


def item(**changes: Any) -> dict[str, Any]:
    """The line of the recorded order, changed."""
    first: dict[str, Any] = event("woocommerce/order.updated.json")["line_items"][0]
    return first | changes


def meta(**values: Any) -> list[dict[str, Any]]:
    return [{"id": number, "key": key, "value": value} for number, (key, value) in enumerate(values.items())]


def sign(body: bytes, secret: str = WOOCOMMERCE_SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"x-wc-webhook-signature": base64.b64encode(digest).decode()}


PAID = PaymentNotice(
    provider="woocommerce",
    payment_id="1237",
    state=PaymentState.PAID,
    at=datetime(2026, 11, 20, 9, 14, 2, tzinfo=UTC),
    order_id="1237",
    amount="39.95",
    currency="EUR",
    email="facturen@klant.example",
    name="Anna Jansen",
    lines=(Line(SKU, 1),),
    said=datetime(2026, 11, 20, 9, 14, 5, tzinfo=UTC),
    charged=(Charged(SKU, 1, "Kaspersky Standard", "39.95"),),
    refunded=Refunded(datetime(2026, 11, 20, 9, 14, 5, tzinfo=UTC), "0"),
    itemized=True,
)


def test_a_paid_order_is_read_as_the_shop_sends_it() -> None:
    assert read(BODY) == PAID


@pytest.mark.parametrize(
    ("changes", "also"),
    [
        ({"transaction_id": "tr_5B8cwPMGnU6qLbRvo7qEZo"}, ("mollie:tr_5B8cwPMGnU6qLbRvo7qEZo",)),
        ({"transaction_id": "pi_3TVkeypost0001"}, ("stripe:pi_3TVkeypost0001",)),
        ({"transaction_id": "ch_3TVkeypost0001"}, ("stripe:ch_3TVkeypost0001",)),
        (
            {"transaction_id": "ch_3TVkeypost0001", "meta_data": meta(_stripe_intent_id="pi_3TVkeypost0001")},
            ("stripe:ch_3TVkeypost0001", "stripe:pi_3TVkeypost0001"),
        ),
        ({"meta_data": meta(_mollie_payment_id="tr_5B8cwPMGnU6qLbRvo7qEZo")}, ("mollie:tr_5B8cwPMGnU6qLbRvo7qEZo",)),
        ({"transaction_id": "a transfer of Anna"}, ()),
        ({"transaction_id": None}, ()),
        ({"transaction_id": 7}, ()),
    ],
)
def test_a_payment_at_mollie_or_stripe_is_theirs_and_not_a_second_one(
    changes: dict[str, Any], also: tuple[str, ...]
) -> None:
    assert read(order(**changes)) == replace(PAID, also=also)


@pytest.mark.parametrize(
    ("status", "paid", "state"),
    [
        ("pending", None, PaymentState.OPEN),
        ("on-hold", None, PaymentState.OPEN),
        ("processing", None, PaymentState.OPEN),
        ("processing", "2026-11-20T09:14:02", PaymentState.PAID),
        ("completed", "2026-11-20T09:14:02", PaymentState.PAID),
        ("failed", None, PaymentState.FAILED),
        ("cancelled", None, PaymentState.FAILED),
        ("cancelled", "2026-11-20T09:14:02", PaymentState.PAID),
        ("on-hold", "2026-11-20T09:14:02", PaymentState.PAID),
        ("licentie-klaar", "2026-11-20T09:14:02", PaymentState.PAID),
        ("partially-paid", "2026-11-20T09:14:02", PaymentState.OPEN),
        ("pending-deposit", None, PaymentState.OPEN),
        ("pending", "0000-00-00T00:00:00", PaymentState.OPEN),
    ],
)
def test_only_a_day_of_payment_makes_an_order_paid(status: str, paid: str | None, state: PaymentState) -> None:
    assert read(order(status=status, date_paid_gmt=paid)).state is state


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        ("processing", None),
        ("refunded", None),
        ("licentie-klaar", Said("shop_status", {"status": "licentie-klaar"})),
        ("on-hold", Said("shop_status", {"status": "on-hold"})),
        ("cancelled", Said("shop_status", {"status": "cancelled"})),
        ("voor Anna", Said("shop_status", {"status": "?"})),
        ("verzonden", None),
    ],
)
def test_a_person_looks_at_a_paid_order_whose_status_may_mean_that_it_is_not_to_be_served(
    status: str, problem: Said | None
) -> None:
    assert read(order(status=status), paid_statuses=frozenset({"verzonden"})).problem == problem


def test_a_status_of_which_nothing_is_known_is_remarked() -> None:
    (remark,) = woocommerce.read(a_call(order(status="wc-of-a-plugin", date_paid_gmt=None)))

    why = Said("shop_status", {"status": "wc-of-a-plugin"})
    assert remark == Remark("woocommerce", NOW, why, "1237", "woocommerce:1237")


def test_an_order_that_a_clock_ahead_of_ours_says_is_paid_is_paid_now() -> None:
    ahead = {"date_paid_gmt": "2026-11-23T12:00:25", "date_modified_gmt": "2026-11-23T12:00:25.5"}
    found = read(order(**ahead))

    assert found.at == NOW
    assert found.said == NOW + timedelta(seconds=25.5)


def test_refunds_are_counted_as_of_the_orders_last_change() -> None:
    refunds = [{"id": 1, "reason": "", "total": "-10.00"}, {"id": 2, "reason": "", "total": "-5.50"}]
    as_of = datetime(2026, 11, 20, 9, 14, 5, tzinfo=UTC)

    assert read(order(refunds=refunds)).refunded == Refunded(as_of, "15.50")
    assert read(order(status="refunded")).refunded == Refunded(as_of, "0", full=True)
    exact = "2026-11-20T09:14:05.123456"
    assert read(order(date_modified_gmt=exact)).refunded == Refunded(as_of.replace(microsecond=123456), "0")


def test_a_stale_body_never_undoes_newer_facts() -> None:
    """WooCommerce signs no time, so an attacker who has a call can repeat it for ever."""
    later = {"status": "refunded", "date_modified_gmt": "2026-11-21T09:00:00", "refunds": [{"total": "-39.95"}]}
    story = [read(order(status="pending", date_paid_gmt=None)), read(BODY), read(order(**later))]

    for told in permutations([*story, read(BODY)]):
        stored = None
        for notice in told:
            stored = with_payment(stored, notice, NOW, "EUR")
        assert stored is not None
        assert stored.standing is Standing.REFUNDED


@pytest.mark.parametrize(
    "body",
    [
        PING,
        order(status="checkout-draft", date_paid_gmt=None),
        order(type="shop_subscription"),
        order(billing_period="year"),
        b'{"id": 5, "name": "a product"}',
    ],
    ids=range(5),
)
def test_what_is_none_of_our_business_tells_of_nothing(body: bytes) -> None:
    assert woocommerce.read(a_call(body)) == ()


@pytest.mark.parametrize(
    "body",
    [b"[]", b"webhook_id=", order(id=None), order(total="much"), order(date_modified_gmt="now")],
    ids=range(5),
)  # fmt: skip
def test_an_order_that_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        woocommerce.read(a_call(body))


@pytest.mark.parametrize("quantity", [10_000, 2.5, "2", True, -1])
def test_an_odd_quantity_is_looked_at_by_a_person(quantity: Any) -> None:
    found = read(order(line_items=[{"sku": SKU, "quantity": quantity}]))

    assert found.problem == Said("odd_quantity")
    assert [line.sku for line in found.lines] == [SKU]


def test_what_other_goods_and_plugins_leave_out_is_no_reason_to_refuse_an_order() -> None:
    """So the call is accepted: after five refusals WooCommerce would switch the webhook off."""
    bare = read(
        order(
            transaction_id=None,
            date_modified_gmt=None,
            currency="",
            line_items=[None, {"sku": 7}, {"sku": SKU, "meta_data": [None, {"key": 5, "value": []}]}],
            billing=[],
            refunds=None,
            meta_data="none",
        )
    )

    assert (bare.lines, bare.also, bare.currency, bare.email) == ((Line(SKU, 1),), (), "", None)
    assert bare.charged == (Charged("", 1), Charged(SKU, 1))
    assert bare.said is None


def test_all_that_was_sold_is_handed_on_as_it_stands() -> None:
    """The core knows the catalog, and other spellings; an order whose line of ours was removed must be heard too."""
    others = [
        item(sku=f" {SKU.lower()}"),
        item(sku="", name="Installatie", total="50.00", total_tax="10.50"),
        item(sku="KORTING", total="-5.00", subtotal="-5.00", total_tax="-1.05"),
        item(sku="GONE", quantity=0),
    ]

    found = read(order(line_items=[item(quantity=2.0), *others]))
    assert found.charged == (
        Charged(SKU, 2, "Kaspersky Standard", "39.95"),
        Charged(f" {SKU.lower()}", 1, "Kaspersky Standard", "39.95"),
        Charged("", 1, "Installatie", "60.50"),
        Charged("KORTING", 1, "Kaspersky Standard", "-6.05"),
    )
    assert read(order(line_items=[])).charged == ()


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ({"total": "0.00", "total_tax": "0.00"}, None),  # a coupon paid for it
        ({"total": "0.00", "total_tax": "0.00", "subtotal": "0.00", "bundled_by": 20}, None),
        ({"total": "0.00", "total_tax": "0.00", "subtotal": "0.00"}, "0.00"),
        ({"total": None}, None),
    ],
)
def test_an_article_that_a_coupon_or_its_bundle_paid_for_is_no_discount(
    changes: dict[str, Any], total: str | None
) -> None:
    (charged,) = read(order(line_items=[item(**changes)])).charged

    assert charged.total == total


@pytest.mark.parametrize(
    ("on", "noted", "line"),
    [
        ("line", {"keypost_renews": "LIC-ABCDEFGHIJ"}, Line(SKU, 1, Kind.RENEWAL, "LIC-ABCDEFGHIJ")),
        ("order", {"_keypost_renews": "1201/1"}, Line(SKU, 1, Kind.RENEWAL, "1201/1")),
        ("order", {"keypost_renews": 1201}, Line(SKU, 1, Kind.RENEWAL, "1201")),
        (
            "line",
            {"keypost_renews": "1201", "keypost_kind": "renewal", "keypost_period_start": "2026-12-01"},
            Line(SKU, 1, Kind.RENEWAL, "1201", date(2026, 12, 1)),
        ),
        ("line", {"keypost_period_start": "2026-12-01"}, Line(SKU, 1, period_start=date(2026, 12, 1))),
        ("line", {"keypost_renews": ""}, Line(SKU, 1)),
        ("line", {"renews": "1201"}, Line(SKU, 1)),
    ],
)
def test_a_line_or_its_order_can_say_what_it_renews(on: str, noted: dict[str, Any], line: Line) -> None:
    where = {"line_items": [item(meta_data=meta(**noted))]} if on == "line" else {"meta_data": meta(**noted)}
    found = read(order(**where))

    assert (found.lines, found.problem) == ((line,), None)
    assert found.charged == PAID.charged


@pytest.mark.parametrize("noted", [{"keypost_kind": "gift"}, {"keypost_period_start": "tomorrow"}])
def test_what_cannot_be_read_beside_a_line_is_looked_at_by_a_person_and_the_goods_are_kept(
    noted: dict[str, Any],
) -> None:
    found = read(order(line_items=[item(sku=""), item(meta_data=meta(**noted))]))

    assert found.lines == (Line(SKU, 1),)
    assert found.problem is not None
    assert (found.problem.code, found.problem.values["line"]) == ("order_line_does_not_fit", 2)


def test_the_order_may_name_an_address_and_a_language_for_the_license() -> None:
    found = read(order(meta_data=meta(keypost_email="it@klant.example", keypost_lang="en-GB")))
    plain = read(order(meta_data=meta(keypost_email="it@klant,example", wpml_language="xx")))

    assert (found.email, found.language) == ("it@klant.example", "en")
    assert (plain.email, plain.language) == ("facturen@klant.example", "xx")


@pytest.mark.parametrize(("number", "refers_to"), [("1237", ""), (41, "41"), ("2026-0099", "2026-0099"), (None, "")])
def test_another_number_that_the_shop_shows_is_handed_on_beside_the_id(number: Any, refers_to: str) -> None:
    found = read(order(number=number))

    assert (found.order_id, found.refers_to) == ("1237", refers_to)


def renewal(**changes: Any) -> bytes:
    return order(meta_data=meta(_subscription_renewal="88"), **changes)


def test_an_automatic_order_renews_what_the_first_order_of_its_subscription_bought() -> None:
    asked = []

    def get(path: str, query: Any) -> dict[str, Any]:
        asked.append((path, query))
        return {"id": 88, "parent_id": 1201}

    found = read(renewal(), get=get)
    assert (found.lines, found.problem) == ((Line(SKU, 1, Kind.RENEWAL, "1201"),), None)
    assert found.is_subscription
    assert asked == [("/wp-json/wc/v3/subscriptions/88", {"_fields": "id,parent_id"})]


def refuses(_path: str, _query: Any) -> NoReturn:
    raise ProviderRefused("provider_refused_key", status=403)


@pytest.mark.parametrize("get", [None, refuses, lambda *_: None, lambda *_: {"parent_id": 0}], ids=range(4))
def test_an_automatic_order_of_which_nobody_knows_what_it_renews_is_held(get: Any) -> None:
    found = read(renewal(), get=get)

    assert (found.lines, found.problem) == ((Line(SKU, 1),), Said("renewal_of_what", {"subscription": "88"}))


def test_an_automatic_order_that_says_itself_what_it_renews_needs_nobody_to_be_asked() -> None:
    found = read(renewal(line_items=[item(meta_data=meta(keypost_renews="LIC-ABCDEFGHIJ"))]), get=refuses)

    assert (found.lines, found.problem) == ((Line(SKU, 1, Kind.RENEWAL, "LIC-ABCDEFGHIJ"),), None)


def test_a_shop_that_does_not_answer_now_has_its_call_repeated_or_found_later() -> None:
    def get(_path: str, _query: Any) -> None:
        raise ProviderUnavailable("provider_answered", status=500)

    with pytest.raises(ProviderUnavailable):
        woocommerce.read(a_call(renewal(), get=get))


@pytest.mark.parametrize(
    ("status", "parent", "news"),
    [
        ("active", 1201, ()),
        ("cancelled", 1201, (SubscriptionEnded("1201"),)),
        ("pending-cancel", 1201, (SubscriptionEnded("1201"),)),
        ("cancelled", 0, ()),
        (["cancelled"], 1201, ()),
        ({"slug": "cancelled"}, 1201, ()),
    ],
)
def test_a_subscription_sells_nothing_and_may_have_ended(status: Any, parent: int, news: tuple[Any, ...]) -> None:
    body = order(status=status, parent_id=parent)

    assert woocommerce.read(a_call(body, {"x-wc-webhook-topic": "subscription.updated"})) == news
    assert woocommerce.read(a_call(order(status=status, parent_id=parent, billing_period="year"))) == news


def test_what_the_shop_signed_is_accepted_and_the_unsigned_ping_too() -> None:
    woocommerce.verify(a_call(BODY, sign(BODY)), ("other", WOOCOMMERCE_SECRET))
    woocommerce.verify(a_call(PING), ())


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {}),
        (BODY, sign(BODY, "forged")),
        (BODY + b" ", sign(BODY)),
        (BODY, {"x-wc-webhook-signature": "\xe9"}),
        (PING + b"&x=1", {}),
    ],
    ids=range(5),
)
def test_a_forged_or_unsigned_order_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        woocommerce.verify(a_call(body, headers), (WOOCOMMERCE_SECRET,))


def test_an_empty_secret_accepts_nothing_not_even_what_was_signed_with_it() -> None:
    with pytest.raises(SignatureRefused):
        woocommerce.verify(a_call(BODY, sign(BODY, "")), ("",))


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=4)


@given(st.dictionaries(st.sampled_from(sorted(event("woocommerce/order.updated.json"))), json_values))
def test_whatever_stands_in_an_order_it_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        woocommerce.read(a_call(order(**changes)))
    except InvalidInput:
        return


SINCE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HOOK = {"id": 5, "status": "active", "delivery_url": "https://keypost.example/v1/callbacks/woocommerce"}
Asked = list[tuple[str, dict[str, str]]]


def recent(*orders: Any, hooks: Any = (HOOK,), asked: Asked | None = None) -> list[News]:
    """What the hourly run reads of a shop with these orders and webhooks."""

    def get(path: str, query: dict[str, str]) -> dict[str, Any]:
        if asked is not None:
            asked.append((path, query))
        found = {"/wp-json/wc/v3/orders": [*orders], "/wp-json/wc/v3/webhooks": [*hooks]}[path]
        first, size = (int(query["page"]) - 1) * int(query["per_page"]), int(query["per_page"])
        return {"list": found[first : first + size]}

    return [*woocommerce.recent(a_call(b"", get=get), SINCE)]


def listed(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(order(**changes))
    return found


def test_an_order_in_the_list_says_what_its_webhook_says() -> None:
    asked: Asked = []

    assert recent(listed(), asked=asked) == [PAID]
    assert [{**query, "_fields": ""} for path, query in asked if path.endswith("/orders")] == [
        {
            "modified_after": "2026-11-20T08:59:59",
            "dates_are_gmt": "true",
            "orderby": "modified",
            "order": "desc",
            "per_page": "20",
            "page": "1",
            "_fields": "",
        }
    ]


def test_the_list_is_asked_for_every_field_that_is_read() -> None:
    asked: Asked = []
    recent(asked=asked)

    fields = {field for path, query in asked if path.endswith("/orders") for field in query["_fields"].split(",")}
    assert fields >= {*woocommerce._Order.model_fields, "type", "parent_id"}


def test_all_pages_of_the_list_are_read() -> None:
    asked: Asked = []
    found = recent(*(listed(id=number) for number in range(1, 42)), asked=asked)

    assert len(found) == 41
    assert [query["page"] for path, query in asked if path.endswith("/orders")] == ["1", "2", "3"]


@pytest.mark.parametrize("bad", [{"total": "much"}, {"date_modified_gmt": "now"}, {"refunds": [{"total": None}]}])
def test_one_order_that_cannot_be_read_leaves_those_behind_it_as_they_are(bad: dict[str, Any]) -> None:
    first, remark, last = recent(listed(id=1), None, listed(id=2, **bad), "order", listed(id=3))

    assert [news.payment_id for news in (first, last) if isinstance(news, PaymentNotice)] == ["1", "3"]
    assert isinstance(remark, Remark)
    assert (remark.why.code, remark.order_id, remark.payment) == ("object_unreadable", "2", "woocommerce:2")


@pytest.mark.parametrize(
    ("paid", "state", "order_id"),
    [
        ("2026-11-20T09:00:00", PaymentState.PAID, "1237"),
        ("2026-11-20T08:59:59", None, ""),
        ("2024-10-03T09:14:02", None, ""),
        (None, None, ""),
    ],
)
def test_an_order_that_was_paid_before_and_changed_since_is_news_of_what_we_know_or_nothing(
    paid: str | None, state: PaymentState | None, order_id: str
) -> None:
    (found,) = recent(listed(date_paid_gmt=paid))

    assert isinstance(found, PaymentNotice)
    assert (found.state, found.order_id, found.charged) == (state, order_id, PAID.charged)


def test_a_list_that_is_none_is_asked_for_again() -> None:
    with pytest.raises(ProviderUnavailable):
        [*woocommerce.recent(a_call(b"", get=lambda *_: None), SINCE)]
    with pytest.raises(ProviderRefused):
        [*woocommerce.recent(a_call(b"", get=None), SINCE)]


def test_a_webhook_that_was_switched_off_is_found_and_said(logged: io.StringIO) -> None:
    others = {**HOOK, "id": 6, "delivery_url": "https://books.example/hook", "status": "disabled"}
    off = {**HOOK, "id": 7, "status": "disabled"}

    assert recent(hooks=[HOOK, others]) == []
    assert "WebhookSwitchedOff" not in logged.getvalue()
    assert recent(hooks=[HOOK, others, off, {**off, "id": 8, "status": "paused"}]) == [
        Remark("woocommerce", NOW, Said("webhook_switched_off", {"webhook": number})) for number in ("7", "8")
    ]
    assert logged.getvalue().count("WebhookSwitchedOff") == 2


def test_a_key_that_may_not_see_webhooks_still_finds_orders() -> None:
    def get(path: str, _query: Any) -> dict[str, Any]:
        return {"list": [listed()]} if path.endswith("/orders") else refuses(path, _query)

    assert [*woocommerce.recent(a_call(b"", get=get), SINCE)] == [PAID]
