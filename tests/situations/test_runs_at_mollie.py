"""The hourly run at Mollie: an object that is gone, forbidden or unreadable is left out with a remark, and everything
behind it is recovered in the same run. Payment links and sales invoices are found in this way too."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from keypost.core.errors import ProviderForbidden, ProviderRefused, ProviderUnavailable
from keypost.core.payment import News, PaymentNotice, PaymentState, Refunded, Remark
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.providers import mollie
from tests.builders import NOW, SKU, a_call, event

SINCE = NOW - timedelta(hours=26)
PAID = (NOW - timedelta(hours=1)).isoformat()
FORBIDDEN = ProviderForbidden("provider_refused_key", status=403)
DOWN = ProviderUnavailable("provider_answered", status=500)
EUR = {"currency": "EUR", "value": "39.95"}
LISTS = ("payments", "payment-links", "sales-invoices", "refunds", "chargebacks")
LINK, INVOICE = "pl_4Y0eZitmBnQ6IDo", "invoice_4Y0eZitmBn"


def payment(payment_id: str, **changes: Any) -> dict[str, Any]:
    card = {"v": "1", "order_id": payment_id, "sku": SKU}
    plain = {"id": payment_id, "createdAt": PAID, "paidAt": PAID, "metadata": card, "amountRefunded": None}
    found: dict[str, Any] = event("mollie/payment.json") | plain | changes
    return found


def run(lists: Mapping[str, Any], objects: Mapping[str, Any] | None = None, **how: Any) -> list[News]:
    """The news of a run that finds these, where some paths may answer with an error."""

    def get(path: str, _query: object) -> Any:
        kind = path.removeprefix("/v2/")
        answer = (objects or {}).get(kind) or lists.get(kind)
        if isinstance(answer, Exception):
            raise answer
        if kind in lists or kind in LISTS:
            return {"_embedded": {"things": answer or []}, "_links": {"next": None}}
        return answer

    return list(mollie.recent(a_call(b"", get=get, **how), SINCE))


def payments(news: list[News]) -> list[str]:
    return [each.payment_id for each in news if isinstance(each, PaymentNotice)]


def remarks(news: list[News]) -> list[Remark]:
    return [each for each in news if isinstance(each, Remark)]


def remarked(why: Said, payment_id: str = "") -> Remark:
    return Remark("mollie", NOW, why, payment=f"mollie:{payment_id}" if payment_id else "")


OF_CUSTOMER = {"customerId": "cst_8wmqcHMN4U", "billingAddress": None}
BAD_CUSTOMER = payment("tr_ofCustomer", **OF_CUSTOMER)


@pytest.mark.parametrize(
    ("answer", "code"), [(None, "mollie_gone"), (FORBIDDEN, "mollie_forbidden")], ids=["gone", "forbidden"]
)
def test_a_payment_whose_customer_was_deleted_is_still_a_payment(answer: Any, code: str) -> None:
    """findings/payments.md 11 (mollie/Shopware6#1002): the run stopped there, for up to 36 days."""
    news = run(
        {"payments": [payment("tr_before"), BAD_CUSTOMER, payment("tr_behind")]}, {"customers/cst_8wmqcHMN4U": answer}
    )

    assert payments(news) == ["tr_before", "tr_ofCustomer", "tr_behind"]
    assert remarks(news) == [remarked(said(code, object="cst_8wmqcHMN4U"), "tr_ofCustomer")]
    (bare,) = (each for each in news if isinstance(each, PaymentNotice) and each.payment_id == "tr_ofCustomer")
    assert (bare.email, bare.lines, bare.state) == (None, (Line(SKU, 1),), PaymentState.PAID)


def test_a_callback_of_a_payment_whose_customer_was_deleted_is_no_503_for_ever() -> None:
    found = {"/v2/payments/tr_ofCustomer": BAD_CUSTOMER}

    notice, remark = mollie.read_classic(a_call(b"id=tr_ofCustomer", get=lambda path, _query: found.get(path)))

    assert isinstance(notice, PaymentNotice)
    assert remark == remarked(said("mollie_gone", object="cst_8wmqcHMN4U"), "tr_ofCustomer")


@pytest.mark.parametrize(
    ("answer", "code"), [(None, "mollie_gone"), (FORBIDDEN, "mollie_forbidden")], ids=["gone", "forbidden"]
)
def test_a_charge_of_a_subscription_that_is_gone_is_remarked_and_stops_nothing(answer: Any, code: str) -> None:
    charge = payment("tr_ofSubscription", metadata=None, lines=None, subscriptionId="sub_rVKGtNd6s3", **OF_CUSTOMER)
    path = "customers/cst_8wmqcHMN4U/subscriptions/sub_rVKGtNd6s3"

    news = run({"payments": [charge, payment("tr_behind")]}, {path: answer})

    assert payments(news) == ["tr_behind"]
    assert remarks(news) == [remarked(said(code, object="sub_rVKGtNd6s3"), "tr_ofSubscription")]


def test_a_charge_of_a_subscription_that_is_there_renews() -> None:
    """The control of the test above."""
    charge = payment("tr_ofSubscription", metadata=None, lines=None, subscriptionId="sub_rVKGtNd6s3", **OF_CUSTOMER)
    card = {"v": "1", "order_id": "2025-42", "sku": SKU, "email": "a@klant.example"}
    path = "customers/cst_8wmqcHMN4U/subscriptions/sub_rVKGtNd6s3"

    (notice,) = run({"payments": [charge]}, {path: {"metadata": card}})

    assert isinstance(notice, PaymentNotice)
    assert notice.lines == (Line(SKU, 1, Kind.RENEWAL, "2025-42/1"),)


BACK = {"amountRefunded": EUR}
LEFT_OUT = {
    "no object": (7, "?"),
    "a list": ([], "?"),
    "no id": ({"createdAt": PAID}, "?"),
    "an id that is none": ({"id": "tr_/../x", "createdAt": PAID}, "?"),
    "no amount": (payment("tr_unreadable", amount=None), "tr_unreadable"),
    "no moment": (payment("tr_unreadable", paidAt="yesterday"), "tr_unreadable"),
}


@pytest.mark.parametrize(("entry", "name"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_an_entry_that_cannot_be_read_is_left_out_and_remarked(entry: Any, name: str) -> None:
    """K-G: an entry that is no object ended the run with an AttributeError."""
    news = run({"payments": [payment("tr_before"), entry, payment("tr_behind")]})

    assert payments(news) == ["tr_before", "tr_behind"]
    (remark,) = remarks(news)
    assert (remark.why.code, remark.why.values["object"]) == ("mollie_unreadable", name)
    assert remark.payment == ("mollie:tr_unreadable" if name.startswith("tr_") else "")


@pytest.mark.parametrize(
    ("answer", "code"), [(FORBIDDEN, "mollie_forbidden"), (DOWN, "mollie_unreadable")], ids=["forbidden", "broken"]
)
def test_a_payment_that_mollie_does_not_show_us_keeps_none_behind_it_from_being_found(answer: Any, code: str) -> None:
    news = run({"payments": [payment("tr_refunded", **BACK), payment("tr_behind")]}, {"payments/tr_refunded": answer})

    assert payments(news) == ["tr_behind"]
    assert [(each.why.code, each.payment) for each in remarks(news)] == [(code, "mollie:tr_refunded")]


def test_a_mollie_that_is_down_is_asked_again_from_where_this_run_began() -> None:
    """One object without an answer is left out. After several in a row the run fails, and the next goes as far back."""
    some = [payment(f"tr_refunded{n}", **BACK) for n in range(5)]
    down = {f"payments/{each['id']}": DOWN for each in some}

    assert len(remarks(run({"payments": some[:3]}, down))) == 3
    with pytest.raises(ProviderUnavailable, match="provider_answered"):
        run({"payments": some}, down)


def test_many_payments_without_an_answer_among_those_that_have_one_fail_no_run() -> None:
    """The control of the test above: Mollie is not down."""
    bad = [payment(f"tr_refunded{n}", **BACK) for n in range(5)]
    good = [payment(f"tr_ordinary{n}") for n in range(5)]

    news = run(
        {"payments": [each for pair in zip(bad, good, strict=True) for each in pair]},
        {f"payments/{each['id']}": DOWN for each in bad},
    )

    assert payments(news) == [each["id"] for each in good]
    assert len(remarks(news)) == 5


def test_a_refunded_payment_that_only_the_list_shows_is_told_from_the_list() -> None:
    (notice,) = run({"payments": [payment("tr_refunded", _embedded=None, **BACK)]}, {})

    assert isinstance(notice, PaymentNotice)
    assert notice.refunded == Refunded(NOW, "39.95")


@pytest.mark.parametrize("kind", ["refunds", "chargebacks"])
def test_a_refund_whose_payment_is_gone_or_that_names_none_stops_no_other(kind: str) -> None:
    parts = [
        {"id": "re_gone123", "paymentId": "tr_goneAway", "createdAt": PAID},
        {"id": "re_none123", "createdAt": PAID},
        "text",
        {"id": "re_good123", "paymentId": "tr_refunded", "createdAt": PAID},
    ]

    news = run({kind: parts}, {"payments/tr_refunded": payment("tr_refunded")})

    assert payments(news) == ["tr_refunded"]
    assert [(each.why.code, each.why.values["object"]) for each in remarks(news)] == [
        ("mollie_gone", "tr_goneAway"),
        ("mollie_unreadable", "re_none123"),
        ("mollie_unreadable", "?"),
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("refunds", [remarked(said("mollie_forbidden", object="refunds"))]),
        ("chargebacks", [remarked(said("mollie_forbidden", object="chargebacks"))]),
        ("payment-links", []),
        ("sales-invoices", []),
    ],
)
def test_a_list_that_the_key_may_not_see_stops_no_other(kind: str, expected: list[Remark]) -> None:
    """A shop without links and invoices need not give us the right to see them; without refunds it should."""
    others = {"payments": [payment("tr_paid123")], "chargebacks": [{"paymentId": "tr_paid123", "createdAt": PAID}]}

    news = run(others | {kind: FORBIDDEN}, {"payments/tr_paid123": payment("tr_paid123")})

    assert payments(news) == ["tr_paid123"] * (1 if kind == "chargebacks" else 2)
    assert remarks(news) == expected


def test_a_key_that_may_not_list_payments_is_for_the_operator() -> None:
    with pytest.raises(ProviderRefused):
        run({"payments": FORBIDDEN})


def test_a_list_that_does_not_answer_lets_the_others_be_read_and_then_fails_the_run() -> None:
    def get(path: str, _query: object) -> Any:
        if path == "/v2/payment-links":
            raise DOWN
        found = {"/v2/sales-invoices": [invoice()]}.get(path, [])
        return {"_embedded": {"invoices": found}, "_links": {"next": None}}

    found = mollie.recent(a_call(b"", get=get), SINCE)

    assert payments([next(found)]) == [INVOICE]
    with pytest.raises(ProviderUnavailable, match="provider_answered"):
        next(found)


def link(**changes: Any) -> dict[str, Any]:
    plain = {"id": LINK, "mode": "test", "createdAt": PAID, "paidAt": PAID, "amount": EUR, "description": f"[{SKU}]"}
    return plain | changes


def run_with_link(found: dict[str, Any], *paid: dict[str, Any], **how: Any) -> list[News]:
    objects = {f"payments/{each['id']}": each for each in paid}
    return run({"payment-links": [found, 7], f"payment-links/{LINK}/payments": list(paid)}, objects, **how)


BARE = {"metadata": None, "lines": None}


def test_a_payment_by_a_link_is_found_without_its_event() -> None:
    """Promise 3: the payment says nothing of what was bought, so only the link's event led to it."""
    news = run_with_link(link(), payment("tr_byLink1", **BARE))

    (notice,) = (each for each in news if isinstance(each, PaymentNotice))
    assert (notice.payment_id, notice.lines, notice.state) == ("tr_byLink1", (Line(SKU, 1),), PaymentState.PAID)
    assert [each.why.code for each in remarks(news)] == ["mollie_unreadable"]


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({"paidAt": None}, {}),
        ({"paidAt": (SINCE - timedelta(seconds=1)).isoformat()}, {}),
        ({"profileId": "pfl_another1"}, {"profile": "pfl_QkEhN94Ba"}),
        ({"reusable": True, "paidAt": None, "archived": True}, {}),
    ],
    ids=["not paid", "paid before", "another profile", "archived"],
)
def test_a_link_that_was_not_paid_since_is_not_asked_for_its_payments(
    changes: dict[str, Any], how: dict[str, Any]
) -> None:
    assert payments(run_with_link(link(**changes), payment("tr_byLink1", **BARE), **how)) == []


def test_of_a_reusable_link_the_run_finds_each_payment_since() -> None:
    old = (SINCE - timedelta(minutes=1)).isoformat()
    paid = [payment("tr_byLink2", **BARE), payment("tr_byLink1", **BARE), payment("tr_byLink0", paidAt=old, **BARE)]

    assert payments(run_with_link(link(reusable=True, paidAt=None), *paid)) == ["tr_byLink2", "tr_byLink1"]
    assert payments(run_with_link(link(reusable=True, paidAt=None), paid[2])) == []


def invoice(**changes: Any) -> dict[str, Any]:
    card = {"v": "1", "order_id": "F-1", "sku": SKU}
    plain = {"id": INVOICE, "mode": "test", "status": "paid", "createdAt": PAID, "paidAt": PAID, "totalAmount": EUR}
    return plain | {"metadata": card} | changes


def test_a_paid_sales_invoice_is_found_without_its_event() -> None:
    (notice,) = run({"sales-invoices": [invoice()]})

    assert isinstance(notice, PaymentNotice)
    assert (notice.payment_id, notice.order_id, notice.lines) == (INVOICE, "F-1", (Line(SKU, 1),))


def test_an_invoice_paid_by_a_link_that_we_may_not_see_is_paid_all_the_same() -> None:
    by_link = invoice(paymentDetails=[{"source": "payment-link", "sourceReference": LINK}])

    (notice,) = run({"sales-invoices": [by_link]}, {f"payment-links/{LINK}/payments": FORBIDDEN})

    assert isinstance(notice, PaymentNotice)
    assert (notice.payment_id, notice.also) == (INVOICE, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "issued"},
        {"paidAt": None},
        {"paidAt": (SINCE - timedelta(seconds=1)).isoformat()},
        {"metadata": None},
    ],
    ids=["issued", "no moment", "paid before", "for something else"],
)
def test_a_sales_invoice_that_was_not_paid_since_is_no_news(changes: dict[str, Any]) -> None:
    assert run({"sales-invoices": [invoice(**changes)]}) == []


def test_a_sales_invoice_whose_payment_was_reversed_is_found_for_a_month() -> None:
    paid = (SINCE - timedelta(days=34)).isoformat()

    (notice,) = run({"sales-invoices": [invoice(status="payment-reversed", paidAt=paid)]})

    assert isinstance(notice, PaymentNotice)
    assert notice.refunded
    assert notice.refunded.full


@pytest.mark.parametrize("kind", LISTS)
def test_only_lists_that_know_profiles_are_asked_for_one(kind: str) -> None:
    """Mollie refuses a parameter that a list does not know."""
    asked = {}

    def get(path: str, query: Mapping[str, str]) -> Any:
        asked[path.removeprefix("/v2/")] = dict(query)
        return {"_embedded": {"things": []}, "_links": {"next": None}}

    list(mollie.recent(a_call(b"", get=get, profile="pfl_QkEhN94Ba"), SINCE))

    of_profile = {"profileId": "pfl_QkEhN94Ba"} if kind in ("payments", "refunds", "chargebacks") else {}
    assert asked[kind] == {"limit": "250"} | of_profile


def test_the_hourly_run_does_not_tell_of_each_payment_that_nothing_of_it_was_returned() -> None:
    """That would be a write for each payment of the last day, every hour."""
    (notice,) = run({"payments": [payment("tr_paid123", amountRefunded=EUR | {"value": "0.00"})]})

    assert isinstance(notice, PaymentNotice)
    assert notice.refunded is None
