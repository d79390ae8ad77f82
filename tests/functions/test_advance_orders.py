import io

import advance_orders
from cli.stacks import Stack
from keypost import wiring
from keypost.core.mail import MailState
from tests.builders import SKU, Context, code, event, leaked, loaded, log, paid_order
from tests.faults import Parameters, on_call


def test_each_poked_order_is_advanced(wired: Stack) -> None:
    list(wired.store.add_codes(SKU, [code(1)], None, None))
    wired.store.save(paid_order("2026-001234"))

    answer = advance_orders.handler(event("queue/poke.json"), Context())

    assert answer == {"batchItemFailures": []}
    order = wired.store.load("2026-001234")
    assert order is not None
    assert [mail.state for mail in order.mails] == [MailState.SENT]


def test_one_order_that_fails_comes_back_alone_and_its_text_is_not_logged(wired: Stack, logged: io.StringIO) -> None:
    list(wired.store.add_codes(SKU, [code(1), code(2)], None, None))
    (record,) = event("queue/poke.json")["Records"]
    records = [record | {"messageId": name, "body": name} for name in ("first", "bad", "last")]
    for each in records:
        wired.store.save(paid_order(each["body"]))

    def fail(get: Parameters) -> None:
        (keys,) = (asked["Keys"] for asked in get["RequestItems"].values())
        if {"pk": {"S": "ORDER#bad"}} in keys:
            raise ValueError("jan@klant.example has code AAAAA-BBBBB")

    on_call(wiring.store()._client, "BatchGetItem", fail)

    answer = advance_orders.handler({"Records": records}, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert [bool(loaded(wired.store, each["body"]).mails) for each in records] == [True, False, True]
    printed = logged.getvalue()
    assert "ValueError" in printed
    assert "test_advance_orders.py:" in printed
    assert leaked(["klant.example", "AAAAA"], logged.getvalue, log) == []
