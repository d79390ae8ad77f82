import io

import pytest

import advance_orders
from cli.stacks import Stack
from keypost import wiring
from keypost.core.mail import MailState
from tests.builders import code, event, paid_order
from tests.functions.test_payment_callback import Context


def test_each_poked_order_is_advanced(wired: Stack) -> None:
    list(wired.store.add_codes("KASPERSKY-STANDARD-3D-1Y", [code(1)], None, None))
    wired.store.save(paid_order("2026-001234"))

    answer = advance_orders.handler(event("queue/poke.json"), Context())

    assert answer == {"batchItemFailures": []}
    order = wired.store.load("2026-001234")
    assert order is not None
    assert [mail.state for mail in order.mails] == [MailState.SENT]


def test_one_order_that_fails_comes_back_alone_and_its_text_is_not_logged(
    wired: Stack, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    done: list[str] = []

    def try_order(order_id: str, _receives: int) -> None:
        if order_id == "bad":
            raise ValueError("jan@klant.example has code AAAAA-BBBBB")
        done.append(order_id)

    monkeypatch.setattr(wiring, "try_order", try_order)
    (record,) = event("queue/poke.json")["Records"]
    records = [record | {"messageId": name, "body": name} for name in ("first", "bad", "last")]

    answer = advance_orders.handler({"Records": records}, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert done == ["first", "last"]
    printed = logged.getvalue()
    assert "ValueError" in printed
    assert "test_advance_orders.py:" in printed
    assert "klant.example" not in printed
    assert "AAAAA" not in printed
