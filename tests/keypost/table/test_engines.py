"""The tests of this folder ask the DynamoDBs that they say they ask."""

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from keypost.table import Store
from tests.in_process import DYNAMODB
from tests.simulator.aws_here import ask_dynamodb


def test_the_store_is_tried_on_two_dynamodbs_and_on_a_third_one_if_it_is_named(
    store: Store, request: pytest.FixtureRequest
) -> None:
    engine = request.node.callspec.params["store"]
    in_emulator = store.table in ask_dynamodb("ListTables")["TableNames"]
    in_moto = store.table in dynamodb_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].tables
    at_endpoint = store._client.meta.endpoint_url == DYNAMODB

    expected = {"ministack": (not DYNAMODB, False, bool(DYNAMODB)), "moto": (False, True, False)}
    assert (in_emulator, in_moto, at_endpoint) == expected[engine]
