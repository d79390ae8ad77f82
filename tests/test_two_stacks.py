"""A stack for tests and a live one in the same account and region."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import stripe

from cli.local.deploy import deploy
from cli.local.emulator import REGION, emulator
from cli.local.stack import PARAMETERS
from cli.stacks import local_session
from tests.deployed import paid_session

pytestmark = [pytest.mark.journey, pytest.mark.drill]

SECRET = "whsec_of_both"
DOMAINS = {"test": "mail.test.voorbeeld.example", "live": "mail.voorbeeld.example"}


@dataclass(frozen=True)
class Account:
    url: str
    session: Any
    outputs: Mapping[str, Mapping[str, str]]  # by stage

    def schedules(self) -> set[str]:
        return {each["Name"] for each in self.session.client("scheduler").list_schedules()["Schedules"]}

    def physical(self, stage: str, kind: str) -> set[str]:
        found = self.session.client("cloudformation").describe_stack_resources(StackName=f"keypost-{stage}")
        return {each["PhysicalResourceId"] for each in found["StackResources"] if each["ResourceType"] == kind}

    def delete(self, stack: str) -> None:
        client = self.session.client("cloudformation")
        client.delete_stack(StackName=stack)
        client.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    def stripe_calls(self, stage: str, event: bytes) -> int:
        signature = stripe.WebhookSignature.generate_signature_header(event.decode(), SECRET)
        headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
        url = f"{self.url}/_aws/execute-api/{self.outputs[stage]['ApiId']}/v1/callbacks/stripe"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, event, headers), timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    directory = tmp_path_factory.mktemp("two")
    with emulator(directory) as url:
        session = local_session(url, REGION)
        outputs = {
            stage: deploy(session, f"keypost-{stage}", PARAMETERS | {"Stage": stage, "MailDomain": domain}, directory)
            for stage, domain in DOMAINS.items()
        }
        for of_stage in outputs.values():
            client = session.client("secretsmanager")
            client.put_secret_value(SecretId=of_stage["SecretsArn"], SecretString=f'{{"stripe_signing": "{SECRET}"}}')
        yield Account(url, session, outputs)


def test_each_has_its_own_of_everything(account: Account) -> None:
    own = ("TableName", "QueueUrl", "SecretsArn", "ApiId", "ConfigurationSet", "SenderAddress")

    assert all(account.outputs["test"][name] != account.outputs["live"][name] for name in own)
    schedules = {stage: account.physical(stage, "AWS::Scheduler::Schedule") for stage in DOMAINS}
    assert {stage: len(names) for stage, names in schedules.items()} == {"test": 4, "live": 4}
    assert schedules["test"] | schedules["live"] == account.schedules()


def test_the_alarms_of_one_count_nothing_of_the_other(account: Account) -> None:
    pages = account.session.client("cloudwatch").get_paginator("describe_alarms").paginate()
    alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    services = [{each["Name"]: each["Value"] for each in alarm["Dimensions"]}.get("service") for alarm in alarms]

    assert services.count("keypost-test") == services.count("keypost-live") > 20
    assert set(services) == {"keypost-test", "keypost-live", None}


@pytest.mark.parametrize("stage", DOMAINS)
def test_each_accepts_the_payments_of_its_own_mode_only(account: Account, stage: str) -> None:
    event = json.loads(paid_session(f"two-stacks-{stage}")) | {"livemode": stage == "live"}
    event["data"]["object"]["livemode"] = stage == "live"

    answers = {each: account.stripe_calls(each, json.dumps(event).encode()) for each in DOMAINS}

    assert answers == {each: 200 if each == stage else 400 for each in DOMAINS}


def test_a_further_stack_sends_from_a_domain_that_is_an_identity_already(account: Account, tmp_path: Any) -> None:
    shared = {"Stage": "test", "MailDomain": DOMAINS["live"], "MailIdentity": "existing"}
    before = account.session.client("sesv2").get_email_identity(EmailIdentity=DOMAINS["live"])["MailFromAttributes"]

    outputs = deploy(account.session, "keypost-third", PARAMETERS | shared, tmp_path)

    assert outputs["SenderAddress"] == account.outputs["live"]["SenderAddress"]
    account.delete("keypost-third")
    kept = account.session.client("sesv2").get_email_identity(EmailIdentity=DOMAINS["live"])
    assert (kept["VerifiedForSendingStatus"], kept["MailFromAttributes"]) == (True, before)


def test_when_the_test_stack_is_deleted_the_live_one_stays_whole(account: Account) -> None:
    live = account.physical("live", "AWS::Scheduler::Schedule")

    account.delete("keypost-test")

    assert account.schedules() == live
    assert account.session.client("sesv2").get_email_identity(EmailIdentity=DOMAINS["live"])["VerifiedForSendingStatus"]
