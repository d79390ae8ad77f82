"""A test meets nothing of another: what the tests of one process share is as it was before the first of them."""

from typing import Any

from cli.local.mailbox import SesFault
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import telemetry, wiring
from keypost.core.product import Line
from tests.anew import begin_anew
from tests.builders import SKU, code, paid_order


def shared(local: LocalStack) -> dict[str, Any]:
    """All that a test could meet."""
    box, providers, client = local.mailbox, local.providers, local.session.client
    return {
        "mails": len(box.mails),
        "addresses that take no mail": dict(box.suppressed),
        "limits of SES": box.account["SendQuota"]["MaxSendRate"],
        "faults of SES": _raised(box.before_send) + _raised(box.after_send),
        "objects of providers": dict(providers.objects),
        "calls of providers": list(providers.asked),
        "trouble of providers": providers.trouble(),
        "tables": client("dynamodb").list_tables()["TableNames"],
        "queues": client("sqs").list_queues().get("QueueUrls"),
        "secrets": client("secretsmanager").list_secrets()["SecretList"],
        "what a function builds once": wiring.worker.cache_info().currsize,
        "counted": len(telemetry.metrics.metric_set),
        "ids in each line of the log": "function_name" in telemetry.logger.get_current_keys(),
    }


def _raised(do: Any) -> list[str]:
    try:
        do()
    except SesFault as fault:
        return [str(fault)]
    return []


def leave(wired: Stack, local: LocalStack) -> None:
    list(wired.store.add_codes(SKU, [code(1)], "batch-1", None))
    wired.store.save(paid_order("left-1", Line(SKU, 1)))
    wiring.worker().advance("left-1")
    local.mailbox.suppressed["jan@klant.example"] = "BOUNCE"
    local.mailbox.account["SendQuota"]["MaxSendRate"] = 1.0
    local.mailbox.before_send = local.mailbox.after_send = _refuse
    local.providers.objects["/v2/payments/tr_left"] = {}
    local.providers.asked.append("/v2/payments/tr_left")
    local.providers.trouble = lambda: (500, {}, b"")
    telemetry.metrics.add_metric(name="Left", unit="Count", value=1)
    telemetry.logger.append_keys(function_name="left")


def _refuse() -> None:
    raise SesFault(500, "left")


def test_a_test_meets_nothing_that_another_left(wired: Stack, local: LocalStack) -> None:
    leave(wired, local)
    left = shared(local)
    begin_anew([local])

    assert [name for name, now in shared(local).items() if now == left[name]] == []
    assert shared(local) == {
        "mails": 0,
        "addresses that take no mail": {},
        "limits of SES": 1000.0,
        "faults of SES": [],
        "objects of providers": {},
        "calls of providers": [],
        "trouble of providers": None,
        "tables": [],
        "queues": [],
        "secrets": [],
        "what a function builds once": 0,
        "counted": 0,
        "ids in each line of the log": False,
    }
