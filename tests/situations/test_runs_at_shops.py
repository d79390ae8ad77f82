"""A run goes on, and finds what no callback told (K-G, promise 3): WooCommerce and Moneybird."""

import json
from datetime import timedelta
from typing import Any

import pytest

from keypost.core.errors import ProviderUnavailable
from keypost.core.payment import PaymentNotice, PaymentState, Remark
from keypost.providers import moneybird, woocommerce
from tests.builders import NOW, a_call, added_up, of_moneybird, of_woocommerce

SINCE = NOW - timedelta(hours=1)
NOON, BEFORE = f"{NOW:%Y-%m-%dT%H:%M:%S}", f"{SINCE - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"


def order(number: int, **changes: Any) -> Any:
    return json.loads(of_woocommerce(id=number, date_paid_gmt=NOON, date_modified_gmt=NOON, **changes))


def invoice(number: str, **changes: Any) -> Any:
    entered = {"updated_at": f"{NOON}Z", "payments": [{"created_at": f"{NOON}Z"}]}
    return json.loads(of_moneybird(id=number, **(entered | changes)))["entity"]


def found_among(reader: Any, **listed: list[Any]) -> list[Any]:
    """What a run finds in these lists of the provider's API, by the last part of their paths."""

    def get(path: str, query: Any) -> dict[str, Any]:
        return {"list": listed.get(path.rpartition("/")[2].removesuffix(".json"), []) if query["page"] == "1" else []}

    return [*reader.recent(a_call(b"", get=get), SINCE)]


def what_of(news: Any) -> Any:
    return (news.payment_id, news.state) if isinstance(news, PaymentNotice) else (news.payment, news.why.code)


def test_one_order_that_cannot_be_read_stops_no_other() -> None:
    """A plug-in wrote a total that is no number."""
    found = found_among(woocommerce, orders=[order(1), order(2, total="NaN"), order(3)])

    assert [what_of(news) for news in found] == [
        ("1", PaymentState.PAID),
        ("woocommerce:2", "object_unreadable"),
        ("3", PaymentState.PAID),
    ]


def test_one_invoice_that_cannot_be_read_stops_no_other() -> None:
    found = found_among(
        moneybird, sales_invoices=[invoice("1"), invoice("2", details=None)], external_sales_invoices=[invoice("3")]
    )

    assert [what_of(news) for news in found] == [
        ("1", PaymentState.PAID),
        ("moneybird:2", "object_unreadable"),
        ("3", PaymentState.PAID),
    ]


def test_an_old_order_that_somebody_edited_is_no_sale_for_the_run() -> None:
    """woocommerce/woocommerce#62492: synchronizing, a bulk edit and anonymizing change orders of years ago."""
    (old,) = found_among(woocommerce, orders=[order(1) | {"date_paid_gmt": "2024-10-03T09:14:02"}])

    assert (old.state, old.order_id) == (None, "")


def test_a_transfer_of_last_week_that_was_entered_now_is_found() -> None:
    """Moneybird's paid_at is the day on the bank statement, which is entered days later."""
    (found,) = found_among(moneybird, sales_invoices=[invoice("1", paid_at="2026-11-16")])

    assert (found.state, found.order_id) == (PaymentState.PAID, "2026-0187")


def test_an_invoice_that_was_entered_before_the_last_run_is_no_sale_for_this_one() -> None:
    (found,) = found_among(moneybird, sales_invoices=[invoice("1", payments=[{"created_at": f"{BEFORE}Z"}])])

    assert (found.state, found.order_id) == (None, "")


def test_a_webhook_that_woocommerce_switched_off_is_found() -> None:
    """woocommerce/woocommerce#8876: after five failed deliveries, and nobody is told."""
    hook = {"id": 5, "status": "disabled", "delivery_url": "https://keypost.example/v1/callbacks/woocommerce"}
    (remark,) = found_among(woocommerce, webhooks=[hook], orders=[])

    assert isinstance(remark, Remark)
    assert remark.why.code == "webhook_switched_off"


def test_the_same_order_in_every_run_is_told_once() -> None:
    """Tried: each hourly run stored the sum once more."""
    (told,) = found_among(woocommerce, orders=[order(1)])
    (again,) = found_among(woocommerce, orders=[order(1)])

    assert added_up([told, again]) == added_up([told])


def test_an_order_too_large_to_be_read_stops_no_other() -> None:
    """A plug-in keeps files in the meta data of orders; an answer of more than 4 MB is not read."""
    orders = [order(number) for number in range(1, 25)]

    def get(path: str, query: Any) -> dict[str, Any]:
        if path.endswith("/webhooks"):
            return {"list": []}
        size, page = int(query["per_page"]), int(query["page"])
        found = orders[(page - 1) * size : page * size]
        if any(each["id"] == 3 for each in found):
            raise ProviderUnavailable("provider_answer_too_large")
        return {"list": found}

    found = [what_of(news) for news in woocommerce.recent(a_call(b"", get=get), SINCE)]
    assert found.count(("", "object_unreadable")) == 1
    assert [name for name, _ in found if name] == [str(n) for n in range(1, 25) if n != 3]


def test_a_shop_that_answers_badly_is_asked_again_by_the_next_run() -> None:
    def get(_path: str, _query: Any) -> None:
        raise ProviderUnavailable("provider_answered", status=500)

    with pytest.raises(ProviderUnavailable):
        [*woocommerce.recent(a_call(b"", get=get), SINCE)]


def test_a_subscription_of_which_the_shop_does_not_answer_stops_no_order_and_is_asked_for_again() -> None:
    renewal = order(2, meta_data=[{"key": "_subscription_renewal", "value": "88"}])
    news: list[Any] = []

    def get(path: str, _query: Any) -> dict[str, Any]:
        if path.endswith("/subscriptions/88"):
            raise ProviderUnavailable("provider_answered", status=500)
        return {"list": [order(1), renewal, order(3)] if path.endswith("/orders") else []}

    with pytest.raises(ProviderUnavailable):
        news.extend(map(what_of, woocommerce.recent(a_call(b"", get=get), SINCE)))
    assert news == [("1", PaymentState.PAID), ("3", PaymentState.PAID)]
