import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.errors import (
    InvalidInput,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnreadable,
    SignatureRefused,
)
from keypost.core.payment import (
    Charged,
    Dispute,
    DisputeState,
    News,
    PaymentNotice,
    PaymentState,
    Refunded,
    Remark,
)
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.providers import mollie
from tests.builders import EVENTS, MOLLIE_SECRET, MOLLIE_TOKEN, NOW, SKU, a_call, event

ID = "tr_5B8cwPMGnU6qLbRvo7qEZo"
EVENT = (EVENTS / "mollie/payment.paid.json").read_bytes()


def payment(**changes: Any) -> dict[str, Any]:
    """The recorded payment, with changes; a change to None takes the field away."""
    given: dict[str, Any] = event("mollie/payment.json") | changes
    return {key: value for key, value in given.items() if value is not None}


def fetched(found: dict[str, Any] | None, stage: str = "test") -> News | None:
    asked: list[tuple[str, Mapping[str, str]]] = []

    def get(path: str, query: Mapping[str, str]) -> dict[str, Any] | None:
        asked.append((path, query))
        return found

    news = mollie.read_classic(a_call(f"id={ID}".encode(), stage=stage, get=get))
    assert asked == [(f"/v2/payments/{ID}", {"embed": "refunds,chargebacks"})]
    return news[0] if news else None


def notice(**changes: Any) -> PaymentNotice:
    found = fetched(payment(**changes))
    assert isinstance(found, PaymentNotice)
    return found


def remarked(why: Said, payment_id: str = "") -> Remark:
    return Remark("mollie", NOW, why, payment=f"mollie:{payment_id}" if payment_id else "")


def sign(body: bytes, secret: str = MOLLIE_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


PAID = PaymentNotice(
    provider="mollie",
    payment_id=ID,
    state=PaymentState.PAID,
    at=datetime(2026, 11, 20, 9, 14, 2, tzinfo=UTC),
    order_id="2026-001236",
    amount="39.95",
    currency="EUR",
    email="facturen@klant.example",
    name="Anna Jansen",
    language="nl",
    lines=(Line(SKU, 1),),
    said=NOW,
    charged=(Charged(SKU, 1, "Kaspersky Standard", "39.95"),),
    refunded=Refunded(NOW, "0"),
)


def test_a_payment_is_read_as_mollie_says_it_is_now() -> None:
    assert notice() == PAID


def test_metadata_may_be_a_text_of_json() -> None:
    assert notice(metadata=json.dumps(payment()["metadata"])) == PAID


def test_a_shop_on_mollies_plugin_works_without_changing_anything() -> None:
    lines = [
        {"type": "digital", "sku": SKU, "quantity": 2},
        {"type": "shipping_fee", "sku": "shipping", "quantity": 1},
        {"type": "physical", "quantity": 1},
    ]

    found = notice(metadata={"order_id": 1234}, lines=lines)

    assert found == replace(
        PAID,
        order_id="1234",
        email="anna@klant.example",
        by_payer=True,
        lines=(Line(SKU, 2),),
        itemized=True,
        charged=(Charged(SKU, 2), Charged("", 1)),
    )


@pytest.mark.parametrize(
    "metadata", [None, 12, "text", [1], {}, {"order_id": None}, {"order_id": True}, {"order_id": "a b"}]
)
def test_a_payment_that_names_no_order_leaves_that_open(metadata: Any) -> None:
    found = notice(metadata=metadata)

    assert (found.order_id, found.lines, found.problem) == ("", (Line(SKU, 1),), None)


def test_a_payment_that_says_nothing_of_what_was_bought_has_no_lines() -> None:
    found = notice(metadata={"order_id": "7"}, lines=None, billingAddress=None)

    assert (found.order_id, found.lines, found.email) == ("7", (), None)


def test_an_address_at_paypal_is_none_to_write_to() -> None:
    details = {"consumerAccount": "paypal-login@klant.example"}

    assert notice(metadata=None, billingAddress=None, details=details).email is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("open", PaymentState.OPEN),
        ("pending", PaymentState.OPEN),
        ("authorized", PaymentState.OPEN),
        ("canceled", PaymentState.FAILED),
        ("expired", PaymentState.FAILED),
        ("failed", PaymentState.FAILED),
        ("paid", PaymentState.PAID),
    ],
)
def test_the_status_says_how_far_a_payment_came(status: str, state: PaymentState) -> None:
    assert notice(status=status).state is state


@pytest.mark.parametrize(("status", "state"), [("new-in-2027", "new-in-2027"), ("Jan Jansen", "?")])
def test_a_status_that_is_not_known_is_remarked(status: str, state: str) -> None:
    why = said("mollie_unknown_state", object=ID, state=state)

    assert fetched(payment(status=status)) == remarked(why, ID)


def test_a_payment_of_nothing_only_sets_up_a_mandate() -> None:
    assert fetched(payment(amount={"value": "0.00", "currency": "EUR"})) is None


def test_an_unknown_payment_tells_of_nothing_and_another_than_was_asked_for_cannot_be_read() -> None:
    assert fetched(None) is None
    with pytest.raises(ProviderUnreadable, match="mollie_other_object"):
        fetched(payment(id="tr_another1"))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_moment_that_nobody_can_count_with_makes_no_order_that_nobody_can_read(moment: str) -> None:
    with pytest.raises(ProviderUnreadable, match="field_not_a_moment"):
        fetched(payment(status="open", paidAt=None, createdAt=moment))


def back(*refunds: tuple[str, str]) -> dict[str, Any]:
    return {
        "refunds": [{"status": status, "amount": {"value": value, "currency": "EUR"}} for status, value in refunds],
        "chargebacks": [],
    }


@pytest.mark.parametrize(
    ("refunds", "amount"),
    [
        ([("processing", "10.00")], "10.00"),
        ([("refunded", "10.00"), ("processing", "29.95")], "39.95"),
        ([("queued", "10.00"), ("pending", "5.00")], "0"),
        ([("failed", "39.95"), ("canceled", "1.00")], "0"),
    ],
)
def test_refunds_count_from_processing_on_and_not_when_they_failed(refunds: list[tuple[str, str]], amount: str) -> None:
    assert notice(_embedded=back(*refunds)).refunded == Refunded(NOW, amount)


def test_a_key_that_may_not_see_refunds_and_chargebacks_still_sees_their_sums() -> None:
    some = {"value": "39.95", "currency": "EUR"}

    assert notice(amountRefunded=some, _embedded=None).refunded == Refunded(NOW, "39.95")
    assert notice(amountChargedBack=some, _embedded=None).disputes == (Dispute("chargeback", DisputeState.OPEN, NOW),)
    assert notice(amountRefunded=some, amountChargedBack=some, _embedded=back()).refunded == Refunded(NOW, "0")
    assert notice(amountRefunded=None, _embedded=None).refunded is None


@pytest.mark.parametrize("card", [{"v": "2"}, {"v": "1", "line_1": f"{SKU}|zwei"}])
def test_a_broken_card_is_looked_at_by_a_person_whatever_the_plugin_says(card: dict[str, str]) -> None:
    found = notice(metadata={"order_id": "7"} | card, lines=[{"sku": SKU, "quantity": 1}])

    assert (found.order_id, found.lines, found.itemized) == ("7", (), False)
    assert found.problem
    assert found.problem.code == "card_does_not_fit"


@pytest.mark.parametrize("lines", [True, 7, [7], [{"type": "tip", "sku": 7}], "text", {}])
def test_lines_that_are_none_do_not_keep_the_card_from_being_read(lines: Any) -> None:
    assert replace(notice(lines=lines), charged=PAID.charged) == PAID


def test_a_payment_of_the_old_orders_api_is_known_by_that_order_too() -> None:
    assert notice(orderId="ord_pbjz8x").names == {f"mollie:{ID}", "mollie:ord_pbjz8x"}


def test_a_shop_that_charges_a_mandate_itself_has_an_order_card_for_each_charge() -> None:
    assert notice(sequenceType="recurring") == PAID


def test_a_chargeback_is_a_dispute_until_it_is_reversed() -> None:
    first = {"id": "chb_1", "createdAt": "2026-11-21T10:00:00+00:00", "reversedAt": None}
    second = {"id": "chb_2", "createdAt": "2026-11-21T11:00:00+00:00", "reversedAt": "2026-11-22T10:00:00+00:00"}

    found = notice(_embedded={"chargebacks": [first, second]})

    assert found.disputes == (
        Dispute("chb_1", DisputeState.OPEN, datetime(2026, 11, 21, 10, tzinfo=UTC)),
        Dispute("chb_2", DisputeState.WON, datetime(2026, 11, 22, 10, tzinfo=UTC)),
    )


@pytest.mark.parametrize(("value", "part"), [("10.00", "10.00"), ("39.95", None), ("64.95", None)])
def test_a_chargeback_of_a_part_says_how_much(value: str, part: str | None) -> None:
    amount = {"value": value, "currency": "EUR"}
    chargeback = {"id": "chb_1", "createdAt": "2026-11-21T10:00:00.123456+00:00", "amount": amount}
    moment = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)

    whole = notice(_embedded={"chargebacks": [chargeback]})
    summed = notice(_embedded=None, amountChargedBack=amount)

    assert whole.disputes == (Dispute("chb_1", DisputeState.OPEN, moment, part),)
    assert summed.disputes == (Dispute("chargeback", DisputeState.OPEN, NOW, part),)


def answering(things: dict[str, dict[str, Any]]) -> Any:
    """An API of Mollie that has only these objects, by path."""
    return lambda path, _query: things.get(path)


def read_news(things: dict[str, dict[str, Any]], body: bytes | None = None, **how: Any) -> Sequence[News]:
    call = a_call(body or f"id={ID}".encode(), get=answering(things), **how)
    return mollie.read_event(call) if body else mollie.read_classic(call)


def read_all(things: dict[str, dict[str, Any]], body: bytes | None = None, **how: Any) -> list[PaymentNotice]:
    return [news for news in read_news(things, body, **how) if isinstance(news, PaymentNotice)]


def happened(kind: str, entity_id: str, ago: timedelta = timedelta(seconds=9), **changes: Any) -> bytes:
    about = {"type": kind, "entityId": entity_id, "createdAt": (NOW - ago).isoformat()}
    return json.dumps(event("mollie/payment.paid.json") | about | changes).encode()


SUBSCRIPTION = {
    f"/v2/payments/{ID}": payment(
        metadata=None,
        sequenceType="recurring",
        customerId="cst_8wmqcHMN4U",
        subscriptionId="sub_rVKGtNd6s3",
        billingAddress=None,
        locale=None,
    ),
    "/v2/customers/cst_8wmqcHMN4U/subscriptions/sub_rVKGtNd6s3": {
        "metadata": {"v": "1", "order_id": "2025-000042", "line_1": f"{SKU}|2"}
    },
    "/v2/customers/cst_8wmqcHMN4U": {"email": "abonnee@klant.example", "name": "Anna Jansen", "locale": "nl_NL"},
}


def test_a_payment_of_a_subscription_is_an_order_of_its_own_that_renews_the_first() -> None:
    (found,) = read_all(SUBSCRIPTION)

    assert found.order_id == ID
    assert found.lines == (Line(SKU, 2, Kind.RENEWAL, "2025-000042/1"),)
    assert (found.email, found.name, found.language) == ("abonnee@klant.example", "Anna Jansen", "nl")
    assert (found.problem, found.itemized, found.is_subscription) == (None, False, True)


def test_metadata_that_mollie_did_forward_from_the_subscription_is_not_asked_for() -> None:
    card = {"v": "1", "order_id": "7", "line_1": f"{SKU}|1", "email": "a@klant.example"}
    path = f"/v2/payments/{ID}"

    (found,) = read_all({path: SUBSCRIPTION[path] | {"metadata": card}})

    assert (found.lines, found.email) == ((Line(SKU, 1, Kind.RENEWAL, "7/1"),), "a@klant.example")


def test_a_recurring_payment_of_which_nothing_is_known_has_no_lines() -> None:
    path = f"/v2/payments/{ID}"

    found, subscription, customer = read_news({path: SUBSCRIPTION[path]})

    assert isinstance(found, PaymentNotice)
    assert (found.order_id, found.lines, found.email) == (ID, (), None)
    assert [subscription, customer] == [
        remarked(said("mollie_gone", object="sub_rVKGtNd6s3"), ID),
        remarked(said("mollie_gone", object="cst_8wmqcHMN4U"), ID),
    ]


@pytest.mark.parametrize("ids", [{"customerId": "cst_/../x"}, {"subscriptionId": "sub_?"}, {"customerId": None}])
def test_ids_of_others_than_mollies_form_reach_no_url(ids: dict[str, Any]) -> None:
    path = f"/v2/payments/{ID}"
    things: dict[str, dict[str, Any]] = {path: SUBSCRIPTION[path] | ids}

    def get(asked: str, _query: object) -> dict[str, Any] | None:
        assert asked == path or "/../" not in asked
        assert "?" not in asked
        return things.get(asked)

    news = mollie.read_classic(a_call(f"id={ID}".encode(), get=get))
    assert len([each for each in news if isinstance(each, PaymentNotice)]) == 1


LINK = {
    "/v2/payment-links/pl_4Y0eZitmBnQ6IDoMqZQKh": {
        "id": "pl_4Y0eZitmBnQ6IDoMqZQKh",
        "mode": "test",
        "description": "Kaspersky Standard",
        "amount": {"value": "39.95", "currency": "EUR"},
        "reusable": False,
        "lines": [{"type": "digital", "sku": SKU, "quantity": 2}, {"type": "shipping_fee", "sku": "post"}],
        "billingAddress": {"email": "link@klant.example"},
    },
    "/v2/payment-links/pl_4Y0eZitmBnQ6IDoMqZQKh/payments": {
        "_embedded": {"payments": [payment(metadata=None), payment(id="tr_0therAttempt", status="expired")]},
        "_links": {"next": None},
    },
    f"/v2/payments/{ID}": payment(metadata=None, billingAddress=None, lines=None),
}
LINK_PAID = happened("payment-link.paid", "pl_4Y0eZitmBnQ6IDoMqZQKh")


def with_link(**changes: Any) -> dict[str, dict[str, Any]]:
    path = "/v2/payment-links/pl_4Y0eZitmBnQ6IDoMqZQKh"
    return LINK | {path: LINK[path] | changes}


def test_a_paid_payment_link_says_what_its_payment_cannot() -> None:
    (found,) = read_all(LINK, LINK_PAID)

    assert (found.payment_id, found.order_id, found.email) == (ID, "", "link@klant.example")
    assert (found.lines, found.itemized, found.problem) == ((Line(SKU, 2),), True, None)


def test_the_description_of_a_payment_link_may_name_the_sku() -> None:
    (found,) = read_all(with_link(lines=None, description=f"Kaspersky Standard, 1 jaar [{SKU}]"), LINK_PAID)

    assert found.lines == (Line(SKU, 1),)


@pytest.mark.parametrize("changes", [{"reusable": True}, {"amount": None}])
def test_a_reusable_link_and_one_of_open_amount_are_looked_at_by_a_person(changes: dict[str, Any]) -> None:
    (found,) = read_all(with_link(**changes), LINK_PAID)

    assert found.problem == Said("payment_link_reusable")


INVOICE = {
    "/v2/sales-invoices/invoice_4Y0eZitmBn": {
        "id": "invoice_4Y0eZitmBn",
        "mode": "test",
        "status": "paid",
        "paidAt": "2026-11-20T10:00:00+00:00",
        "totalAmount": {"value": "39.95", "currency": "EUR"},
        "metadata": {"v": "1", "order_id": "F-2026-12", "line_1": f"{SKU}|1"},
        "recipient": {"email": "factuur@klant.example", "organizationName": "Klant B.V.", "locale": "nl_NL"},
        "paymentDetails": [{"source": "payment", "sourceReference": ID}],
    }
}
INVOICE_PAID = happened("sales-invoice.paid", "invoice_4Y0eZitmBn")


def with_invoice(**changes: Any) -> dict[str, dict[str, Any]]:
    ((path, invoice),) = INVOICE.items()
    return {path: invoice | changes}


def test_a_paid_sales_invoice_is_an_order_and_the_same_payment_as_the_one_that_paid_it() -> None:
    assert read_news(INVOICE, INVOICE_PAID) == [
        PaymentNotice(
            provider="mollie",
            payment_id="invoice_4Y0eZitmBn",
            state=PaymentState.PAID,
            at=datetime(2026, 11, 20, 10, tzinfo=UTC),
            order_id="F-2026-12",
            amount="39.95",
            currency="EUR",
            email="factuur@klant.example",
            name="Klant B.V.",
            language="nl",
            lines=(Line(SKU, 1),),
            said=NOW,
            also=(f"mollie:{ID}",),
        )
    ]


def test_a_sales_invoice_paid_through_its_link_is_the_payment_of_that_link() -> None:
    link = "pl_4Y0eZitmBnQ6IDoMqZQKh"
    things = LINK | with_invoice(paymentDetails={"source": "payment-link", "sourceReference": link})

    (found,) = read_all(things, INVOICE_PAID)

    assert found.also == (f"mollie:{ID}",)


def test_an_invoice_settled_by_something_else_than_a_payment_names_none() -> None:
    (found,) = read_all(with_invoice(paymentDetails=[{"source": "manual", "sourceReference": ID}]), INVOICE_PAID)

    assert found.also == ()


def test_of_a_reusable_link_only_the_newest_payment_is_fetched() -> None:
    paid = [payment(id=f"tr_payment{n}", metadata=None) for n in range(5)]
    path = "/v2/payment-links/pl_4Y0eZitmBnQ6IDoMqZQKh"
    things = with_link(reusable=True) | {f"{path}/payments": page("payments", *paid)}
    asked = []

    def get(path: str, _query: object) -> Any:
        asked.append(path)
        return things.get(path) or next((p for p in paid if path.endswith(p["id"])), None)

    (found,) = mollie.read_event(a_call(LINK_PAID, get=get))

    assert isinstance(found, PaymentNotice)
    assert found.payment_id == "tr_payment0"
    assert len(asked) == 3


def test_every_payment_of_a_reusable_link_that_was_paid_lately_is_told_of() -> None:
    """Two buyers within a second: when the first event is read, the second payment is the newest already."""
    lately = (NOW - timedelta(hours=1)).isoformat()
    paid = [payment(id=f"tr_payment{n}", metadata=None, paidAt=lately) for n in range(2)] + [payment(id="tr_payment2")]
    path = "/v2/payment-links/pl_4Y0eZitmBnQ6IDoMqZQKh"
    things = with_link(reusable=True) | {f"{path}/payments": page("payments", *paid)}
    things |= {f"/v2/payments/{each['id']}": each for each in paid}

    assert [found.payment_id for found in read_all(things, LINK_PAID)] == ["tr_payment0", "tr_payment1"]


def test_a_sales_invoice_that_somebody_marked_as_paid_is_paid() -> None:
    (found,) = read_all(with_invoice(paymentDetails=[{"source": "manual"}]), INVOICE_PAID)

    assert (found.state, found.also) == (PaymentState.PAID, ())


@pytest.mark.parametrize("changes", [{"metadata": None}, {"metadata": {"project": "roof"}}])
def test_a_sales_invoice_for_something_else_tells_of_nothing(changes: dict[str, Any]) -> None:
    assert read_news(with_invoice(**changes), INVOICE_PAID) == []


def test_a_sales_invoice_that_was_paid_in_cash_and_is_not_any_more_was_returned() -> None:
    (found,) = read_all(with_invoice(status="payment-reversed", paymentDetails=[{"source": "manual"}]), INVOICE_PAID)
    (by_payment,) = read_all(with_invoice(status="payment-reversed"), INVOICE_PAID)

    assert found.refunded == Refunded(NOW, "39.95", full=True)
    assert by_payment.refunded is None, "the payment that paid it says that itself"


@pytest.mark.parametrize(
    ("things", "body"), [(LINK, LINK_PAID), (INVOICE, INVOICE_PAID)], ids=["payment link", "sales invoice"]
)
def test_a_link_or_an_invoice_of_test_mode_never_reaches_a_live_stack(
    things: dict[str, dict[str, Any]], body: bytes
) -> None:
    with pytest.raises(ProviderRefused, match="mode"):
        read_all(things, body, stage="live")


def test_only_payments_of_our_profile_count_where_one_is_set() -> None:
    things = {f"/v2/payments/{ID}": payment(profileId="pfl_another1")}

    assert read_news(things, profile="pfl_QkEhN94Ba") == []
    assert len(read_all(things, profile="pfl_another1")) == 1
    assert len(read_all(things, profile="")) == 1


def test_without_a_key_of_the_api_nothing_can_be_asked() -> None:
    with pytest.raises(ProviderRefused, match="mollie_key_missing"):
        mollie.read_classic(a_call(f"id={ID}".encode(), get=None))


def page(kind: str, *found: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    next_page = {"href": f"https://api.mollie.com/v2/{kind}?limit=250&from={following}"} if following else None
    return {"_embedded": {kind: list(found)}, "_links": {"next": next_page}}


SINCE = datetime(2026, 11, 20, tzinfo=UTC)


def recent(pages: dict[tuple[str, str], dict[str, Any]], things: dict[str, dict[str, Any]] | None = None) -> list[str]:
    """The payments found, when Mollie's lists have these pages (by path and first id)."""

    def get(path: str, query: Mapping[str, str]) -> Any:
        if things and path in things:
            return things[path]
        return pages.get((path, query.get("from", "")), page(path.rpartition("/")[2]))

    news = mollie.recent(a_call(b"", get=get), SINCE)
    return [each.payment_id for each in news if isinstance(each, PaymentNotice)]


def test_recent_payments_are_those_paid_since_and_the_list_is_read_no_further_than_a_debit_takes() -> None:
    def made(name: str, created: str, paid: str | None = None, **changes: Any) -> dict[str, Any]:
        return payment(id=f"tr_{name}", createdAt=f"{created}T10:00:00+00:00", **changes) | (
            {"paidAt": f"{paid}T10:00:00+00:00"} if paid else {}
        )

    first = page(
        "payments",
        made("isOpen", "2026-11-21", status="open"),
        made("justPaid", "2026-11-20", "2026-11-20"),
        following="tr_slowDebit",
    )
    second = page(
        "payments",
        made("slowDebit", "2026-10-25", "2026-11-21"),
        made("oldOne", "2026-10-25", "2026-10-25"),
        made("nobodys", "2026-10-25", "2026-11-21", metadata=None, lines=None),
        made("tooOld", "2026-10-01", "2026-11-21"),
        following="tr_neverAsked",
    )

    pages = {("/v2/payments", ""): first, ("/v2/payments", "tr_slowDebit"): second}
    assert recent(pages) == ["tr_justPaid", "tr_slowDebit"]


def test_recent_refunds_and_chargebacks_lead_to_their_payments() -> None:
    now, old = "2026-11-21T10:00:00+00:00", "2026-11-19T10:00:00+00:00"
    pages = {
        ("/v2/refunds", ""): page(
            "refunds", {"paymentId": ID, "createdAt": now}, {"paymentId": "tr_anotherOne", "createdAt": old}
        ),
        ("/v2/chargebacks", ""): page("chargebacks", {"paymentId": ID, "createdAt": now}),
    }

    things = {f"/v2/payments/{ID}": payment(), "/v2/payments/tr_anotherOne": payment(id="tr_anotherOne")}
    assert recent(pages, things) == [ID, "tr_anotherOne", ID]


def test_a_refund_of_a_payment_from_before_the_first_run_makes_no_order_of_it() -> None:
    refunds = {"/v2/refunds": page("refunds", {"paymentId": ID, "createdAt": "2026-11-21T10:00:00+00:00"})}
    things = refunds | {f"/v2/payments/{ID}": payment(_embedded=back(("failed", "39.95")))}

    (news,) = mollie.recent(a_call(b"", get=lambda path, _q: things.get(path, page(path.rpartition("/")[2]))), SINCE)

    assert isinstance(news, PaymentNotice)
    assert (news.state, news.order_id) == (None, "")


def test_a_listed_payment_of_which_something_was_returned_is_fetched_for_the_whole_story() -> None:
    listed = payment(amountRefunded={"value": "39.95", "currency": "EUR"})
    refund = {"status": "refunded", "amount": {"value": "39.95", "currency": "EUR"}}
    things: dict[str, dict[str, Any]] = {f"/v2/payments/{ID}": payment(_embedded={"refunds": [refund]})}

    def get(path: str, _query: object) -> Any:
        pages = things | {"/v2/payments": page("payments", listed)}
        return pages.get(path, page(path.rpartition("/")[2]))

    (found,) = mollie.recent(a_call(b"", get=get), SINCE)
    assert isinstance(found, PaymentNotice)
    assert found.refunded == Refunded(NOW, "39.95")


@pytest.mark.parametrize("answer", [{}, {"_embedded": []}, {"_embedded": {"payments": [7]}}, {"_embedded": None}])
def test_a_list_that_is_not_as_documented_is_asked_for_again(answer: dict[str, Any]) -> None:
    with pytest.raises(ProviderUnavailable):
        list(mollie.recent(a_call(b"", get=lambda _path, _query: answer), SINCE))


@pytest.mark.parametrize(("stage", "mode"), [("live", "test"), ("test", "live")])
def test_a_payment_of_the_other_mode_is_a_mistake_in_the_settings(stage: str, mode: str) -> None:
    with pytest.raises(ProviderRefused, match="mode"):
        fetched(payment(mode=mode), stage)


@pytest.mark.parametrize(
    "changes", [{"amount": None}, {"amount": {"value": "39,95", "currency": "EUR"}}, {"createdAt": "now"}, {"id": 7}]
)
def test_an_answer_that_is_not_as_documented_is_asked_for_again(changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderUnavailable, match="provider_unreadable"):
        fetched(payment(**changes))


@pytest.mark.parametrize(
    "body",
    [b"", b"id=", b"id=ord_12345", b"id=tr_/../../v2/customers/cst_x", b"id=tr_abc%0a123456", b"id=tr_12345", b"\xff",
     b"id=" + b"tr_" + b"a" * 65, b"&".join(b"a=1" for _ in range(50))],
    ids=range(9),
)  # fmt: skip
def test_an_id_that_is_none_of_a_payment_never_reaches_a_url(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        mollie.read_classic(a_call(body, get=_nobody_asks))


def _nobody_asks(path: str, _query: Mapping[str, str]) -> None:
    raise AssertionError(path)


REFUNDED = [{"id": "re_4qqhO89gsT", "status": "processing", "amount": {"value": "39.95", "currency": "EUR"}}]
CHARGED_BACK = [{"id": "chb_n9z0tp", "createdAt": "2026-11-21T10:00:00+00:00"}]


@pytest.mark.parametrize(
    ("kind", "entity_id", "embedded"),
    [
        ("payment.paid", ID, {}),
        ("payment.new-in-2027", ID, {}),
        ("refund.processing", "re_4qqhO89gsT", {"entity": {"id": "re_4qqhO89gsT", "paymentId": ID}}),
        ("refund.processing", "re_4qqhO89gsT", {"refund": {"id": "re_4qqhO89gsT", "paymentId": ID}}),
        ("refund.processing", "re_4qqhO89gsT", {"entity": {"id": "re_4qqhO89gsT"}, "payment": {"id": ID}}),
        ("chargeback.received", "chb_n9z0tp", {"chargeback": {"paymentId": ID}}),
        ("capture.succeeded", "cpt_vytxeTZskV", {"capture": {"paymentId": ID}}),
    ],
)
def test_an_event_leads_to_its_payment(kind: str, entity_id: str, embedded: dict[str, Any]) -> None:
    found = payment(_embedded={"refunds": REFUNDED, "chargebacks": CHARGED_BACK})
    body = happened(kind, entity_id, _embedded=embedded)

    (news,) = read_all({f"/v2/payments/{ID}": found}, body)
    assert news.payment_id == ID


def test_mollies_own_examples_of_events_are_read() -> None:
    """They name the snapshot by its kind, where the API's own answer says `entity`."""
    refunded = {f"/v2/payments/{ID}": payment(_embedded={"refunds": REFUNDED})}

    (refund,) = read_all(refunded, (EVENTS / "mollie/refund.processing.json").read_bytes())
    (link,) = read_all(LINK, (EVENTS / "mollie/payment-link.paid.json").read_bytes())

    assert (refund.payment_id, refund.refunded) == (ID, Refunded(NOW, "39.95"))
    assert (link.payment_id, link.lines) == (ID, (Line(SKU, 2),))


@pytest.mark.parametrize(
    "entity",
    [
        payment(),
        {"resource": "refund", "id": "re_4qqhO89gsT", "status": "refunded", "paymentId": ID},
        {"resource": "chargeback", "id": "chb_n9z0tp", "paymentId": ID, "reversedAt": None},
    ],
    ids=lambda entity: str(entity["resource"]),
)
def test_a_signed_body_may_be_the_entity_itself(entity: dict[str, Any]) -> None:
    found = payment(_embedded={"refunds": REFUNDED, "chargebacks": CHARGED_BACK})

    (news,) = read_all({f"/v2/payments/{ID}": found}, json.dumps(entity).encode())
    assert news.payment_id == ID


@pytest.mark.parametrize(("kind", "part"), [("refund", "re_4qqhO89gsT"), ("chargeback", "chb_n9z0tp")])
@pytest.mark.parametrize("embedded", [None, {"entity": "re_1"}, {"entity": {"paymentId": "cst_1"}}])
def test_the_payment_of_a_refund_without_a_snapshot_stands_in_mollies_list(kind: str, part: str, embedded: Any) -> None:
    things = {
        f"/v2/payments/{ID}": payment(_embedded={"refunds": REFUNDED, "chargebacks": CHARGED_BACK}),
        f"/v2/{kind}s": page(f"{kind}s", {"id": part, "paymentId": ID}),
    }

    verb = "processing" if kind == "refund" else "received"
    (news,) = read_all(things, happened(f"{kind}.{verb}", part, _embedded=embedded))
    assert news.payment_id == ID


@pytest.mark.parametrize("status", [400, 403])
def test_a_refund_that_the_list_cannot_begin_with_is_left_to_the_hourly_run(status: int) -> None:
    """So the callback is accepted: after repeated refusals Mollie would switch the webhook off, for payments too."""

    def get(path: str, query: Mapping[str, str]) -> None:
        assert (path, query) == ("/v2/refunds", {"from": "re_4qqhO89gsT", "limit": "1"})
        raise ProviderRefused("provider_refused_key", status=status)

    news = mollie.read_event(a_call(happened("refund.processing", "re_4qqhO89gsT", _embedded=None), get=get))
    assert news == [remarked(said("mollie_part_unknown", object="re_4qqhO89gsT"))]


def test_a_refund_without_a_snapshot_waits_for_the_right_key() -> None:
    def get(_path: str, _query: object) -> None:
        raise ProviderRefused("provider_refused_key", status=401)

    with pytest.raises(ProviderRefused):
        mollie.read_event(a_call(happened("refund.processing", "re_4qqhO89gsT", _embedded=None), get=get))


@pytest.mark.parametrize("kind", ["payout.paid", "balance-transaction.created", "hook.ping", "ping"])
def test_an_event_about_something_else_tells_of_nothing(kind: str) -> None:
    body = event("mollie/payment.paid.json") | {"type": kind}

    assert mollie.read_event(a_call(json.dumps(body).encode(), get=_nobody_asks)) == ()


@pytest.mark.parametrize(("kind", "named"), [("", "?"), ("voucher.issued", "voucher.issued"), ("Jan J.", "?")])
def test_an_event_of_a_type_that_is_not_known_is_remarked(kind: str, named: str) -> None:
    news = mollie.read_event(a_call(happened(kind, ID), get=_nobody_asks))

    assert news == [remarked(said("mollie_unknown_event", kind=named))]


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": "payment"},
        {"resource": "settlement"},
        {"entityId": "tr_/../x"},
        {"entityId": None},
    ],
)
def test_an_event_that_names_no_payment_is_refused(changes: dict[str, Any]) -> None:
    body = event("mollie/payment.paid.json") | changes

    with pytest.raises(InvalidInput):
        mollie.read_event(a_call(json.dumps(body).encode(), get=_nobody_asks))


def test_what_mollie_signed_is_accepted_also_twice_in_one_header_during_a_rotation() -> None:
    for header in (sign(EVENT), f"{sign(EVENT, 'old')},{sign(EVENT)}", f"{sign(EVENT)} , {sign(EVENT, 'new')}"):
        mollie.verify_signature(a_call(EVENT, {"x-mollie-signature": header}), ("other", MOLLIE_SECRET))


@pytest.mark.parametrize(
    "header",
    [
        "",
        sign(EVENT, "forged"),
        sign(EVENT)[7:],
        sign(EVENT).upper(),
        sign(EVENT + b" "),
        "sha256=",
        "sha256=\xe9",
        ",",
    ],
    ids=range(8),
)
def test_a_forged_or_malformed_signature_is_refused(header: str) -> None:
    with pytest.raises(SignatureRefused):
        mollie.verify_signature(a_call(EVENT, {"x-mollie-signature": header}), (MOLLIE_SECRET,))


def test_an_empty_secret_accepts_nothing_not_even_what_was_signed_with_it() -> None:
    for secrets in ((), ("",)):
        with pytest.raises(SignatureRefused):
            mollie.verify_signature(a_call(EVENT, {"x-mollie-signature": sign(EVENT, "")}), secrets)


@pytest.mark.parametrize(
    "query", [{}, {"token": ""}, {"token": "wrong"}, {"token": MOLLIE_TOKEN + "x"}, {"token": "\xe9"}]
)
def test_a_classic_call_without_the_token_of_this_stack_is_refused(query: dict[str, str]) -> None:
    mollie.verify_token(a_call(b"", query={"token": MOLLIE_TOKEN}), (MOLLIE_TOKEN,))

    for secrets in ((), (MOLLIE_TOKEN,)):
        with pytest.raises(SignatureRefused):
            mollie.verify_token(a_call(b"", query=query), secrets)


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=4)


@given(st.dictionaries(st.sampled_from(sorted(payment())), json_values), st.binary(max_size=80))
def test_whatever_mollie_or_a_stranger_says_it_is_read_or_refused(changes: dict[str, Any], body: bytes) -> None:
    for read, sent in (
        (mollie.read_classic, f"id={ID}".encode()),
        (mollie.read_classic, body),
        (mollie.read_event, body),
    ):
        try:
            read(a_call(sent, get=lambda _path, _query: event("mollie/payment.json") | changes))
        except (InvalidInput, ProviderRefused, ProviderUnavailable):
            continue
