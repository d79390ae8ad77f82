"""What Mollie's API does not say yet, says no more, or says in unknown words is never a 200 and forgotten."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from keypost.core.errors import InvalidInput, ProviderForbidden, ProviderUnavailable
from keypost.core.payment import Charged, Dispute, DisputeState, News, PaymentNotice, PaymentState, Refunded, Remark
from keypost.core.product import Line
from keypost.core.said import Said, said
from keypost.providers import mollie
from tests.builders import NOW, SKU, a_call, event

ID, REFUND, CHARGEBACK = "tr_5B8cwPMGnU6qLbRvo7qEZo", "re_4qqhO89gsT", "chb_n9z0tp"
LINK, INVOICE, ORDER = "pl_4Y0eZitmBnQ6IDo", "invoice_4Y0eZitmBn", "ord_pbjz8x"
A_DAY = timedelta(days=1)
EUR = {"currency": "EUR", "value": "39.95"}


def payment(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = event("mollie/payment.json") | changes
    return found


def refunds(*statuses: str) -> dict[str, Any]:
    return {"refunds": [{"id": REFUND, "status": status, "amount": EUR} for status in statuses], "chargebacks": []}


def chargebacks(*reversed_at: str | None) -> dict[str, Any]:
    made = {"id": CHARGEBACK, "createdAt": "2026-11-22T10:00:00+00:00", "amount": EUR}
    return {"refunds": [], "chargebacks": [made | {"reversedAt": moment} for moment in reversed_at]}


def things(**found: Any) -> dict[str, Any]:
    """An API of Mollie that has these objects."""
    paths = {"payment": f"payments/{ID}", "link": f"payment-links/{LINK}", "invoice": f"sales-invoices/{INVOICE}"}
    return {f"/v2/{paths[name]}": thing for name, thing in found.items()}


def link_with(*payments: dict[str, Any]) -> dict[str, Any]:
    page = {"_embedded": {"payments": list(payments)}, "_links": {"next": None}}
    return things(link={"id": LINK, "mode": "test", "amount": EUR}) | {f"/v2/payment-links/{LINK}/payments": page}


def invoice(**changes: Any) -> dict[str, Any]:
    card = {"v": "1", "order_id": "F-1", "sku": SKU}
    return {"id": INVOICE, "mode": "test", "status": "paid", "totalAmount": EUR, "metadata": card} | changes


def told(found: dict[str, Any], kind: str, entity_id: str, ago: timedelta = timedelta(0)) -> Sequence[News]:
    """What an event says, with the API as it is."""
    embedded = {"entity": {"id": entity_id, "paymentId": ID}}
    about = {"type": kind, "entityId": entity_id, "createdAt": (NOW - ago).isoformat(), "_embedded": embedded}
    body = json.dumps(event("mollie/payment.paid.json") | about).encode()

    def get(path: str, _query: Any) -> Any:
        if isinstance(answer := found.get(path), Exception):
            raise answer
        return answer

    return mollie.read_event(a_call(body, get=get))


def remarked(why: Said, payment_id: str = "") -> Remark:
    return Remark("mollie", NOW, why, payment=f"mollie:{payment_id}" if payment_id else "")


LAGGING = {
    "a payment that is not there yet": ("payment.paid", ID, {}),
    "a payment that our key may not see": (
        "refund.processing",
        REFUND,
        things(payment=ProviderForbidden("provider_refused_key", status=403)),
    ),
    "a payment that is still open": ("payment.paid", ID, things(payment=payment(status="open", paidAt=None))),
    "a payment that is still authorized": ("payment.paid", ID, things(payment=payment(status="authorized"))),
    "a failed payment that is still pending": ("payment.failed", ID, things(payment=payment(status="pending"))),
    "a refund that is not there yet": ("refund.processing", REFUND, things(payment=payment(_embedded=refunds()))),
    "a refund that still waits": ("refund.refunded", REFUND, things(payment=payment(_embedded=refunds("queued")))),
    "a refund without the right to see it": ("refund.refunded", REFUND, things(payment=payment(_embedded={}))),
    "a failed refund": ("refund.failed", REFUND, things(payment=payment(_embedded=refunds("processing")))),
    "a chargeback": ("chargeback.received", CHARGEBACK, things(payment=payment(_embedded=chargebacks()))),
    "a chargeback without the right": ("chargeback.received", CHARGEBACK, things(payment=payment(_embedded={}))),
    "a reversal": ("chargeback.reversed", CHARGEBACK, things(payment=payment(_embedded=chargebacks(None)))),
    "a link that is not there yet": ("payment-link.paid", LINK, {}),
    "a link without payments": ("payment-link.paid", LINK, link_with()),
    "a link with an open payment": ("payment-link.paid", LINK, link_with(payment(status="open"))),
    "a link whose payment is paid in the list only": (
        "payment-link.paid",
        LINK,
        link_with(payment()) | things(payment=payment(status="open")),
    ),
    "one of two payments of a link": (
        "payment-link.paid",
        LINK,
        link_with(payment(id="tr_another1", paidAt=NOW.isoformat()), payment(paidAt=NOW.isoformat()))
        | things(payment=payment())
        | {"/v2/payments/tr_another1": payment(id="tr_another1", status="open")},
    ),
    "an invoice that is not there yet": ("sales-invoice.paid", INVOICE, {}),
    "an issued invoice": ("sales-invoice.paid", INVOICE, things(invoice=invoice(status="issued"))),
    "an invoice in a new state": ("sales-invoice.paid", INVOICE, things(invoice=invoice(status="new-in-2027"))),
}


@pytest.mark.parametrize(("kind", "entity_id", "found"), LAGGING.values(), ids=LAGGING)
def test_mollie_tells_again_what_its_api_does_not_show_yet(kind: str, entity_id: str, found: dict[str, Any]) -> None:
    """findings/payments.md 12 (mollie/mollie-api-node#295, laravel-cashier-mollie#304): 200, and lost for ever."""
    with pytest.raises(ProviderUnavailable, match="mollie_not_shown_yet"):
        told(found, kind, entity_id, A_DAY - timedelta(seconds=1))


@pytest.mark.parametrize(("kind", "entity_id", "found"), LAGGING.values(), ids=LAGGING)
def test_an_event_of_yesterday_that_never_came_true_is_remarked_so_that_the_webhook_stays_on(
    kind: str, entity_id: str, found: dict[str, Any]
) -> None:
    """Mollie tells an event ten times in 26 hours, and switches a webhook off that refuses again and again."""
    news = told(found, kind, entity_id, A_DAY)

    of_payment = ID if kind.partition(".")[0] in ("payment", "refund", "chargeback") else ""
    why = said("mollie_never_shown", object=of_payment or entity_id, kind=kind)
    assert [each for each in news if isinstance(each, Remark)] == [remarked(why, of_payment)]


SHOWN = {
    "a paid payment": ("payment.paid", ID, things(payment=payment())),
    "a late event of an attempt that failed before": ("payment.expired", ID, things(payment=payment())),
    "a payment that waits for the bank": ("payment.pending", ID, things(payment=payment(status="pending"))),
    "a refund": ("refund.processing", REFUND, things(payment=payment(_embedded=refunds("refunded")))),
    "a refund by its sum": ("refund.refunded", REFUND, things(payment=payment(_embedded={}, amountRefunded=EUR))),
    "a refund that failed meanwhile": (
        "refund.processing",
        REFUND,
        things(payment=payment(_embedded=refunds("failed"))),
    ),
    "a refund that was deleted": ("refund.canceled", REFUND, things(payment=payment(_embedded=refunds()))),
    "a refund that waits": ("refund.queued", REFUND, things(payment=payment(_embedded=refunds()))),
    "a chargeback": ("chargeback.received", CHARGEBACK, things(payment=payment(_embedded=chargebacks(None)))),
    "a reversal": (
        "chargeback.reversed",
        CHARGEBACK,
        things(payment=payment(_embedded=chargebacks("2026-11-23T10:00Z"))),
    ),
    "a link": ("payment-link.paid", LINK, link_with(payment()) | things(payment=payment())),
    "an invoice": ("sales-invoice.paid", INVOICE, things(invoice=invoice())),
}


@pytest.mark.parametrize(("kind", "entity_id", "found"), SHOWN.values(), ids=SHOWN)
@pytest.mark.parametrize("ago", [timedelta(0), 30 * A_DAY], ids=["now", "replayed"])
def test_what_the_api_shows_is_told_at_once(kind: str, entity_id: str, found: dict[str, Any], ago: timedelta) -> None:
    """The control of the two tests above."""
    (notice,) = told(found, kind, entity_id, ago)

    assert isinstance(notice, PaymentNotice)


def test_an_event_whose_own_moment_is_unreadable_is_never_refused_for_ever() -> None:
    body = json.dumps(event("mollie/payment.paid.json") | {"createdAt": "yesterday"}).encode()

    (news,) = mollie.read_event(a_call(body))
    assert news == remarked(said("mollie_never_shown", object=ID, kind="payment.paid"), ID)


@pytest.mark.parametrize("kind", ["payment-link.created", "sales-invoice.issued", "sales-invoice.canceled"])
def test_news_of_a_link_or_an_invoice_that_is_not_paid_waits_for_nothing(kind: str) -> None:
    assert told({}, kind, LINK if kind.startswith("payment-link") else INVOICE) == []


@pytest.mark.parametrize(
    ("statuses", "back"),
    [
        (["processing"], "39.95"),
        (["failed"], "0"),
        (["canceled"], "0"),
        (["queued"], "0"),
        (["pending"], "0"),
        ([], "0"),
    ],
)
def test_a_snapshot_always_says_how_much_is_returned_also_nothing(statuses: list[str], back: str) -> None:
    """K-E, as findings/payments.md 13: a refund that was deleted or failed stayed a refund for ever."""
    (notice,) = mollie.read_classic(_asking(payment(_embedded=refunds(*statuses))))

    assert isinstance(notice, PaymentNotice)
    assert notice.refunded == Refunded(NOW, back)


def test_a_refund_of_more_than_the_payment_is_told_as_it_is() -> None:
    """Some methods allow 25 euros more (mollie/Shopware6#410)."""
    more = {"refunds": [{"id": REFUND, "status": "refunded", "amount": EUR | {"value": "64.95"}}]}

    (notice,) = mollie.read_classic(_asking(payment(_embedded=more)))

    assert isinstance(notice, PaymentNotice)
    assert (notice.amount, notice.refunded) == ("39.95", Refunded(NOW, "64.95"))


def test_a_refund_in_a_state_that_is_not_known_is_remarked_beside_its_payment() -> None:
    notice, remark = mollie.read_classic(_asking(payment(_embedded=refunds("processing", "on-its-way"))))

    assert isinstance(notice, PaymentNotice)
    assert notice.refunded == Refunded(NOW, "39.95")
    assert remark == remarked(said("mollie_unknown_refund", object=ID, state="on-its-way"), ID)


def _asking(found: dict[str, Any]) -> Any:
    return a_call(f"id={ID}".encode(), get=lambda _path, _query: found)


@pytest.mark.parametrize("status", ["settled", "partially-paid"])
def test_a_payment_in_a_state_that_is_not_known_is_remarked(status: str) -> None:
    """K-E: it was a 200 and forgotten."""
    why = said("mollie_unknown_state", object=ID, state=status)

    assert mollie.read_classic(_asking(payment(status=status))) == [remarked(why, ID)]
    assert told(things(payment=payment(status=status)), "payment.paid", ID) == [remarked(why, ID)]


OLD_ORDER = {
    "metadata": {"v": "1", "order_id": "2026-7", "sku": SKU},
    "billingAddress": {"email": "oud@klant.example", "givenName": "Anna"},
    "lines": [{"sku": SKU, "quantity": 2, "name": "Kaspersky", "totalAmount": EUR}],
    "_embedded": {"payments": [{"id": ID}, 7, {"id": "?"}]},
}


def test_an_order_of_the_old_orders_api_leads_to_its_payments() -> None:
    """K-E: `id=ord_...` was a 200 and forgotten."""
    bare = payment(metadata=None, lines=None, billingAddress=None, orderId=ORDER)
    found = {f"/v2/orders/{ORDER}": OLD_ORDER, f"/v2/payments/{ID}": bare}

    (notice,) = mollie.read_classic(a_call(f"id={ORDER}".encode(), get=lambda path, _query: found.get(path)))

    assert isinstance(notice, PaymentNotice)
    assert (notice.order_id, notice.state, notice.email, notice.name) == (
        "2026-7",
        PaymentState.PAID,
        "oud@klant.example",
        "Anna",
    )
    assert (notice.lines, notice.charged) == ((Line(SKU, 1),), (Charged(SKU, 2, "Kaspersky", "39.95"),))


def test_an_order_that_mollie_does_not_know_or_does_not_show_us() -> None:
    """The answer is a 200 in any case: a stranger who guesses ids learns nothing."""
    call = a_call(f"id={ORDER}".encode())

    def forbidden(_path: str, _query: object) -> None:
        raise ProviderForbidden("provider_refused_key", status=403)

    assert mollie.read_classic(call) == []
    assert mollie.read_classic(a_call(call.body, get=forbidden)) == [
        remarked(said("mollie_forbidden", object=ORDER)),
    ]


def test_a_classic_call_about_a_payment_that_mollie_does_not_know_tells_a_stranger_nothing() -> None:
    assert mollie.read_classic(a_call(f"id={ID}".encode())) == []


@pytest.mark.parametrize(("kind", "name"), [("payment-link.paid", LINK), ("sales-invoice.paid", INVOICE)])
def test_a_link_or_an_invoice_that_our_key_may_not_see_is_remarked(kind: str, name: str) -> None:
    """K-G: a 503 until Mollie switched the webhook off, for payments too."""
    forbidden = ProviderForbidden("provider_refused_key", status=403)

    assert told(things(link=forbidden, invoice=forbidden), kind, name) == [
        remarked(said("mollie_forbidden", object=name)),
    ]


@pytest.mark.parametrize("kind", ["payment.paid", "payment-link.paid", "sales-invoice.paid"])
def test_a_signed_event_without_an_id_is_refused_with_the_reason(kind: str) -> None:
    with pytest.raises(InvalidInput, match="mollie_no_id"):
        told({}, kind, "?")


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (None, Dispute("chargeback", DisputeState.WON, NOW)),
        ({"currency": "EUR", "value": "0.00"}, Dispute("chargeback", DisputeState.WON, NOW)),
        ({"currency": "EUR", "value": "10.00"}, Dispute("chargeback", DisputeState.OPEN, NOW, "10.00")),
    ],
)
def test_a_chargeback_that_was_reversed_does_not_stay_open_for_a_key_that_may_not_see_it(
    total: dict[str, str] | None, expected: Dispute
) -> None:
    """K-E: the sum is all that such a key sees, and it says nothing of a reversal: the dispute stayed open for ever."""
    hidden = things(payment=payment(_embedded={}, amountChargedBack=total))

    found, *remarks = told(hidden, "chargeback.reversed", CHARGEBACK)

    assert isinstance(found, PaymentNotice)
    assert found.disputes == (expected,)
    unseen = [remarked(said("mollie_reversed_unseen", object=ID), ID)]
    assert remarks == (unseen if expected.state is DisputeState.OPEN else [])
