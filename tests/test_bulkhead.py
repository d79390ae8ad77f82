"""Over the whole template, deployed as it is: one waiting order of each kind is damaged, and everybody else is
served."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.local.samples import sample_products
from cli.local.stack import LocalStack, sample_codes
from cli.stacks import Stack
from cli.stock import import_file, read_file
from keypost.core.aside_reasons import AsideReason
from keypost.core.mail import MailState
from keypost.core.order import Order, Reason
from tests.builders import notice, paid_order, put_item, stored_item, stripe_event

pytestmark = pytest.mark.journey

PRODUCTS = {product.sku: product for product in sample_products()}
STANDARD, ESET = "KASPERSKY-STANDARD-3D-1Y", "ESET-HOME-SECURITY-1D-1Y"
EMAIL = "bulkhead@klant.example"
NOW = datetime.now(UTC).replace(microsecond=0)
Damage = Callable[[dict[str, Any]], dict[str, Any]]


def _without_its_moment(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "created_at"}


DAMAGES: tuple[Damage, ...] = (
    _without_its_moment,
    lambda item: item | {"customer": item["customer"] | {"name": b"\xff\xfe\xfd"}},
    lambda item: item | {"created_at": "2026-11-28T12:00:00"},  # of no zone
    lambda item: item | {"payments": [payment | {"state": "parked"} for payment in item["payments"]]},
)
KINDS = {f"bulkhead-{reason.name.lower()}": reason for reason in Reason}


@pytest.fixture
def damaged(local: LocalStack) -> Iterator[dict[str, dict[str, Any]]]:
    """An order that waits for each reason, and that nobody can read; by id, as it is stored."""
    store = local.stack.store
    for place, (order_id, reason) in enumerate(KINDS.items()):
        store.save(paid_order(order_id, email=EMAIL, at=NOW - timedelta(days=400)))
        need = f"{reason}#{STANDARD}" if reason is Reason.STOCK else reason.value
        waits = {"attention": need, "attention_since": "2025-01-01T00:00:00Z"}
        put_item(store, DAMAGES[place % len(DAMAGES)](stored_item(store, order_id) | waits))
    yield {order_id: stored_item(store, order_id) for order_id in KINDS}
    client = local.session.client("dynamodb")
    for order_id in (*KINDS, "bulkhead-sound"):
        for kind in ("ORDER", "ASIDE"):
            client.delete_item(TableName=store.table, Key={"pk": {"S": f"{kind}#{order_id}"}})


def _stock(local: LocalStack, sku: str, count: int) -> None:
    list(local.stack.store.add_codes(sku, sample_codes(PRODUCTS[sku], count), None, None))


def _pay(local: LocalStack, order_id: str, sku: str) -> Order:
    card = {"v": "1", "order_id": order_id, "email": f"{order_id}@klant.example", "lang": "nl", "line_1": f"{sku}|1"}
    session = {"id": f"cs_test_{order_id}", "metadata": card}
    assert local.stripe_calls(stripe_event(session, created=int(time.time()))) == (200, "")
    return local.order_when(order_id, lambda order: bool(order.mails) and order.mails[0].state is MailState.SENT)


def _invoke(local: LocalStack, name: str, event: dict[str, Any]) -> None:
    client = local.session.client("lambda")
    (function,) = [f["FunctionName"] for f in client.list_functions()["Functions"] if name in f["FunctionName"]]
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer["Payload"].read()


def _ask(local: LocalStack, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {local.support_key}", "Content-Type": "application/json"}
    content = json.dumps(body).encode() if body is not None else None
    status, text = local.call(path, content, headers, method)
    assert status == 200, text
    return json.loads(text)


def _when(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.2)


def _aside(stack: Stack) -> set[str]:
    return {id_ for reason in AsideReason for page in stack.store.needing(reason) for id_ in page}


def test_one_order_of_each_kind_that_cannot_be_read_holds_up_nobody(
    local: LocalStack, damaged: dict[str, dict[str, Any]]
) -> None:
    store, ids = local.stack.store, sorted(damaged)
    before = len(local.mailbox.mails)
    _stock(local, STANDARD, 3)
    _stock(local, ESET, 2)

    for order_id, sku in (("bulkhead-same", STANDARD), ("bulkhead-other", ESET)):
        assert _pay(local, order_id, sku).licenses

    # The schedule pokes them, and each is set aside.
    _invoke(local, "FindDueOrders", {"rule": "daily"})
    _when(lambda: set(ids) <= _aside(local.stack))
    assert {id_ for page in store.due(datetime.now(UTC)) for id_ in page}.isdisjoint(ids)

    # What is told of them is accepted and kept.
    told = notice("bulkhead-hold", payment_id="cs_test_bulkhead-told")
    card = {"v": "1", "order_id": told.order_id, "email": EMAIL, "lang": "nl", "line_1": f"{STANDARD}|1"}
    event = stripe_event({"id": told.payment_id, "metadata": card}, created=int(time.time()))
    assert local.stripe_calls(event) == (200, "")
    (kept,) = store.asides([told.order_id])
    assert [fact.payment_id for fact in kept.told] == [told.payment_id]  # type: ignore[union-attr]

    # Support sees them.
    store.save(paid_order("bulkhead-sound", email=EMAIL))
    found = _ask(local, "POST", "/orders/search", {"email": EMAIL})
    assert ([order["order_id"] for order in found["orders"]], found["unreadable"]) == (["bulkhead-sound"], ids)
    assert _ask(local, "POST", "/orders/search", {"order": ids[0]})["unreadable"] == ids[:1]
    exported = _ask(local, "POST", "/customers/export", {"email": EMAIL})
    assert ([order["order_id"] for order in exported["orders"]], exported["unreadable"]) == (["bulkhead-sound"], ids)
    rows = {row["order_id"]: row["why_not"] for row in _ask(local, "GET", "/due?days=14")}
    assert all(rows[order_id] for order_id in ids)
    assert isinstance(_ask(local, "GET", "/stock")["stock"], list)
    key = {"Authorization": f"Bearer {local.support_key}"}
    assert [local.call(f"/orders/{order_id}", None, key, "GET")[0] for order_id in ids] == [409] * len(ids)

    # The worklist has all of them, page by page, for what they are now.
    listed: dict[str, str] = {}
    following = ""
    while following is not None:
        page = _ask(local, "GET", f"/attention{following}")
        listed |= {item["order_id"]: item["reason"]["code"] for item in page["items"]}
        following = page["next"] and f"?next={page['next']}"
    assert {listed[order_id] for order_id in ids} == {"unreadable", "newer_version"}
    only = _ask(local, "GET", "/attention?reason=newer_version")
    assert set(ids) > {item["order_id"] for item in only["items"]} > set()
    assert only["counts"]["unreadable"] + only["counts"]["newer_version"] >= len(ids)

    # Codes come in.
    file = "\n".join(["code", *sample_codes(PRODUCTS[STANDARD], 1)])
    done, faults = import_file(local.stack, read_file(local.stack, file.encode(), STANDARD, None))
    assert (done.added, faults) == (1, [])
    assert "bulkhead-stock" in done.left_out

    # The customer is erased as far as it is possible, and is told of the rest.
    erased = _ask(local, "POST", "/customers/erase", {"email": EMAIL})
    assert (erased["order_ids"], erased["later"]) == (["bulkhead-sound"], ids)

    # And the items are as they were.
    assert {order_id: stored_item(store, order_id) for order_id in ids} == damaged

    # The note is sent.
    _invoke(local, "WriteDailyNote", {})
    notes = [mail for mail in local.mailbox.mails[before:] if mail.tags.get("mail", "").startswith("daily-note")]
    assert notes
    assert all(order_id in notes[-1].text for order_id in ids)
