"""The store's tests run on two DynamoDBs, so that they show what DynamoDB does and not what one emulator does."""

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from keypost.table import Store
from tests.builders import PRODUCT


@pytest.fixture(params=["ministack", "moto"])
def store(request: pytest.FixtureRequest, template: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    if request.param == "ministack":
        yield request.getfixturevalue("stack").store
        return
    answer, one_by_one = BotocoreStubber.__call__, threading.Lock()

    def answers(moto: BotocoreStubber, *args: Any, **kwargs: Any) -> Any:
        with one_by_one:  # moto loses updates otherwise, or breaks off
            return answer(moto, *args, **kwargs)

    monkeypatch.setattr(BotocoreStubber, "__call__", answers)
    with mock_aws():
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
        client = session.client("dynamodb")
        described = template["Resources"]["Table"]["Properties"]
        wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        client.create_table(TableName="moto", **{key: described[key] for key in wanted})
        store = Store(client, "moto")
        store.put_product(PRODUCT)
        yield store
