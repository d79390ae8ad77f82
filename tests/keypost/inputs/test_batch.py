import io
import json
from typing import Any

import pytest

from keypost.core.errors import BatchFailed
from keypost.inputs.batch import handle_each
from tests.builders import leaked, log


def batch(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m-{body}", "body": body} for body in bodies]}


def refuse(*bad: str) -> Any:
    """Handles every message but these."""

    def handle(body: str) -> None:
        if body in bad:
            raise ValueError(f"jan@klant.example, of order {body}, has code AAAAA-BBBBB")

    return handle


def test_a_message_that_fails_comes_back_alone(logged: io.StringIO) -> None:
    assert handle_each(batch("1", "2", "3"), refuse("2"), failed="AdvanceFailed", id_name="order_id") == {
        "batchItemFailures": [{"itemIdentifier": "m-2"}]
    }
    failure, outcome = map(json.loads, logged.getvalue().splitlines())
    assert (failure["message"], failure["error"], failure["order_id"]) == ("failure", "ValueError", "2")
    assert failure["place"].startswith("test_batch.py:")
    assert outcome["message"] == "AdvanceFailed"


def test_a_batch_of_which_all_messages_fail_is_an_error_that_tells_nothing_of_them(logged: io.StringIO) -> None:
    with pytest.raises(BatchFailed) as failed:
        handle_each(batch("1", "2"), refuse("1", "2"), failed="AdvanceFailed")

    assert str(failed.value) == "batch_failed (count=2)"
    assert failed.value.__context__ is None  # the runtime would log the text of that one too
    assert logged.getvalue().count('"AdvanceFailed"') == 2


def test_what_has_no_id_of_ours_is_not_logged(logged: io.StringIO) -> None:
    handle_each(batch("jan@klant.example", "2"), refuse("jan@klant.example"), failed="FeedbackFailed")

    assert '"FeedbackFailed"' in logged.getvalue()
    assert leaked(["klant.example"], logged.getvalue, log) == []


def test_a_batch_without_messages_is_no_failure() -> None:
    assert handle_each(batch(), refuse(), failed="AdvanceFailed") == {"batchItemFailures": []}
