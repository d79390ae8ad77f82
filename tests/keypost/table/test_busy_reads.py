"""What a read of many items does when the table is too busy to answer whole."""

from collections.abc import Sequence
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from keypost.core.errors import Conflict
from keypost.table.items import TRIES, Table

NAME = "keypost-table"


def answer(found: Sequence[str], left: Sequence[str]) -> dict[str, Any]:
    items = [{"pk": {"S": key}} for key in found]
    return {"Responses": {NAME: items}, "UnprocessedKeys": asked(left) if left else {}}


def asked(keys: Sequence[str]) -> dict[str, Any]:
    return {NAME: {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}}


def read(keys: Sequence[str], answers: Sequence[dict[str, Any]]) -> tuple[list[str], list[float]]:
    """What is read when DynamoDB answers so, and how long was waited in between. All of the answers are needed."""
    client = boto3.client("dynamodb", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    waited: list[float] = []
    with Stubber(client) as stubber:
        left = keys
        for each in answers:
            stubber.add_response("batch_get_item", each, {"RequestItems": asked(left)})
            left = [key["pk"]["S"] for key in each["UnprocessedKeys"].get(NAME, {"Keys": []})["Keys"]]
        found = [item["pk"] for item in Table(client, NAME, waited.append)._batch_get(keys)]
        stubber.assert_no_pending_responses()
    return found, waited


def test_a_busy_table_is_asked_for_the_rest_after_a_pause() -> None:
    found, waited = read(["A", "B", "C"], [answer(["A"], ["B", "C"]), answer([], ["B", "C"]), answer(["B", "C"], [])])

    assert found == ["A", "B", "C"]
    assert len(waited) == 2
    assert all(0 <= each <= 0.5 for each in waited)


def test_a_table_that_answers_is_not_waited_for() -> None:
    assert read(["A"], [answer(["A"], [])]) == (["A"], [])


def test_a_table_that_is_busy_without_end_is_a_conflict() -> None:
    with pytest.raises(Conflict):
        read(["A"], [answer([], ["A"])] * TRIES)
