"""What tests do with the deployed local stack, and read from it."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from cli.local.mailbox import SentMail
from cli.local.samples import sample_products
from cli.local.stack import LocalStack
from cli.logs import LogLine
from keypost.core.errors import KeypostError
from keypost.core.mail import MailState
from keypost.core.order import Order
from keypost.core.product import Product
from tests.builders import stripe_event

PRODUCTS = {product.sku: product for product in sample_products()}
KASPERSKY, ESET = "KASPERSKY-STANDARD-3D-1Y", "ESET-HOME-SECURITY-1D-1Y"


def empty(local: LocalStack, sku: str) -> None:
    """Take all free codes of this product out of the stock."""
    store = local.stack.store
    for code in store.pick(sku, 1000, datetime.now(UTC).date()):
        client = local.session.client("dynamodb")
        client.delete_item(TableName=store.table, Key={"pk": {"S": f"CODE#{code.digest}"}})


def paid_session(order_id: str, line: str = f"{KASPERSKY}|1", **session: Any) -> bytes:
    card = {"v": "1", "order_id": order_id, "email": f"{order_id}@klant.example", "lang": "nl", "line_1": line}
    return stripe_event({"id": f"cs_test_{order_id}", "metadata": card, **session}, created=int(time.time()))


def mails_to(local: LocalStack, order_id: str) -> list[SentMail]:
    return [mail for mail in local.mailbox.mails if mail.tags.get("order") == order_id.replace("_", "_5f")]


def is_mailed(order: Order) -> bool:
    return bool(order.mails) and order.mails[0].state is MailState.SENT


def free_codes(local: LocalStack, product: Product) -> set[str]:
    return {free.code for free in local.stack.store.pick(product.sku, 1000, datetime.now(UTC).date())}


def run(local: LocalStack, function: str) -> None:
    """Call a function as its schedule does."""
    client = local.session.client("lambda")
    (name,) = [f["FunctionName"] for f in client.list_functions()["Functions"] if function in f["FunctionName"]]
    answer = client.invoke(FunctionName=name, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def logged_until(
    local: LocalStack, do: Callable[[], object], is_so: Callable[[str], bool], function: str
) -> list[LogLine]:
    """What a deployed function has logged, as soon as `is_so` is true of it. Calls `do` repeatedly until then, because
    the emulator may keep the last lines of one invocation with the next one."""
    for _ in range(10):
        do()
        with suppress(KeypostError):
            return local.lines_when(function, is_so, seconds=3)
    raise AssertionError(f"not in the log of {function}, though it was done ten times")
