"""Over the deployed stack: nobody reads in a log or in a metric who bought, which code they got, or with which key."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import pytest

from cli.local.stack import LocalStack, sample_codes
from keypost.core.order import Order
from tests.deployed import KASPERSKY, PRODUCTS, is_mailed, logged_until, mails_to, paid_session, run

pytestmark = pytest.mark.journey

NETWORK = "192.0.2.79"  # of the customer who asks on the page


@pytest.fixture
def order(local: LocalStack) -> Order:
    """One of a customer who got a code, and whose mail then came back."""
    list(local.stack.store.add_codes(KASPERSKY, sample_codes(PRODUCTS[KASPERSKY], 1), None, None))
    local.stripe_calls(paid_session("leaks-1"))
    return local.order_when("leaks-1", is_mailed)


def agent_asks(local: LocalStack, path: str, **body: str) -> None:
    key = {"Authorization": f"Bearer {local.support_key}", "Content-Type": "application/json"}
    status, _ = local.call(path, json.dumps(body).encode() if body else None, key, "POST" if body else "GET")
    assert status == 200


def a_customer_asks(local: LocalStack, email: str, network: str = NETWORK) -> None:
    headers = {"Content-Type": "application/json", "X-Forwarded-For": network}
    local.call("/resend", json.dumps({"email": email}).encode(), headers)


def a_customer_asks_and_then_another(local: LocalStack, email: str, others: Iterator[int]) -> None:
    """Who asks twice within minutes is heard once; it is the other's wish that brings the lines of the first one."""
    a_customer_asks(local, email)
    number = next(others)
    a_customer_asks(local, f"nobody-{number}@klant.example", f"198.51.100.{number}")


def test_no_log_line_and_no_metric_names_a_customer_a_code_or_a_key(local: LocalStack, order: Order) -> None:
    """The control: each function's lines are read, and hold what they may hold: the order's number, or an outcome."""
    assert order.customer.email
    (mail,) = mails_to(local, order.id)
    code, wrong_key = order.licenses[0].code, local.support_key[:-4] + "0000"
    agent_asks(local, "/orders/search", email=order.customer.email)
    agent_asks(local, "/orders/search", code=code)
    pays = partial(local.stripe_calls, paid_session(order.id))
    customer_asks = partial(a_customer_asks, local, order.customer.email)
    intrudes = partial(local.call, "/due", None, {"Authorization": f"Bearer {wrong_key}"}, "GET")

    seen(local, pays, "PaymentCallback", "OrderPaid", order.id)
    seen(local, pays, "AdvanceOrders", "MailSent", order.id)
    seen(local, partial(agent_asks, local, f"/orders/{order.id}"), "SupportApi", "SupportCalled", order.id)
    seen(local, intrudes, "SupportAuth", "SupportKeyRefused", '"reason":"wrong"')
    seen(local, customer_asks, "SelfServicePage", "WishTaken")
    both_ask = partial(a_customer_asks_and_then_another, local, order.customer.email, count(1))
    seen(local, both_ask, "SendAgain", "WishGranted", order.id)
    link = local.stack.store.way_out(order.customer.email)
    opens = partial(local.call, f"/reminders/{link}", None, {}, "GET")
    seen(local, opens, "RemindersPage", "RemindersPageCalled", '"outcome":"ask"')
    seen(local, partial(local.mailbox.tell_fate, mail, "bounced"), "MailFeedback", "MailBounced", order.id)
    seen(local, partial(run, local, "FindDueOrders"), "FindDueOrders", "OrdersDue")
    seen(local, partial(run, local, "WriteDailyNote"), "WriteDailyNote", "DailyNoteSent")

    lines = [line.text.casefold() for line in local.log_lines()]
    for private in (
        "@klant.example",
        order.customer.email,
        code,
        local.support_key,
        wrong_key,
        NETWORK,
        link,
        "Jansen",
    ):
        assert [line for line in lines if private.casefold() in line] == []


def seen(local: LocalStack, do: Callable[[], object], function: str, outcome: str, *ids: str) -> None:
    """What this does is found in the function's log, with these ids, and among its metrics."""
    texts = (f'"message":"{outcome}"', f'"Name":"{outcome}"', *ids)
    logged_until(local, do, lambda text: all(each in text for each in texts), function)
