import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from keypost.clients.secrets import Secrets


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client() -> Any:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    return session.client("secretsmanager")


def answers(stub: Stubber, *values: str) -> None:
    for value in values:
        stub.add_response("get_secret_value", {"SecretString": json.dumps({"stripe": value})}, {"SecretId": "keypost"})


def test_a_secret_is_fetched_once_in_five_minutes(client: Any) -> None:
    seconds = Seconds()
    secrets = Secrets(client, "keypost", seconds)
    with Stubber(client) as stub:
        answers(stub, "old", "new")

        assert [secrets.read("stripe"), secrets.read("stripe")] == [("old",), ("old",)]
        seconds.now = 301
        assert secrets.read("stripe") == ("new",)


def test_a_rotated_secret_is_there_at_once_when_asked_for_again(client: Any) -> None:
    seconds = Seconds()
    secrets = Secrets(client, "keypost", seconds)
    with Stubber(client) as stub:
        answers(stub, "old", "new")
        secrets.read("stripe")
        seconds.now = 11

        assert secrets.read_again("stripe") == ("new",)
        assert secrets.read("stripe") == ("new",)


def test_a_stream_of_forgeries_does_not_become_a_stream_of_calls(client: Any) -> None:
    seconds = Seconds()
    secrets = Secrets(client, "keypost", seconds)
    with Stubber(client) as stub:
        answers(stub, "one")
        secrets.read("stripe")

        assert {secrets.read_again("stripe") for _ in range(100)} == {("one",)}


def test_while_it_is_rotated_a_secret_may_hold_two_values(client: Any) -> None:
    with Stubber(client) as stub:
        answers(stub, " whsec_new\nwhsec_old ")

        assert Secrets(client, "keypost").read("stripe") == ("whsec_new", "whsec_old")


def test_an_empty_secret_has_no_value_at_all(client: Any) -> None:
    with Stubber(client) as stub:
        answers(stub, " ")

        assert Secrets(client, "keypost").read("stripe") == ()


def test_a_secret_that_is_not_set_has_no_value(client: Any) -> None:
    with Stubber(client) as stub:
        answers(stub, "one")

        assert Secrets(client, "keypost").read("mollie_token") == ()


@mock_aws
def test_secrets_that_are_about_to_be_deleted_are_kept_for_five_minutes_and_then_are_an_error(client: Any) -> None:
    client.create_secret(Name="keypost", SecretString=json.dumps({"stripe": "one"}))
    seconds = Seconds()
    secrets = Secrets(client, "keypost", seconds)
    assert secrets.read("stripe") == ("one",)

    client.delete_secret(SecretId="keypost")

    assert secrets.read("stripe") == ("one",)
    seconds.now = 301
    for _ in range(2):  # nothing is taken for an answer that was none
        with pytest.raises(ClientError, match="InvalidRequestException"):
            secrets.read("stripe")


@mock_aws
def test_secrets_that_do_not_exist_are_an_error_and_not_secrets_without_a_value(client: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        Secrets(client, "keypost").read("stripe")
