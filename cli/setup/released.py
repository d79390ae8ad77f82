"""Deploys a release: puts its archives into a bucket of the account, from which CloudFormation makes the stack."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import ClientError

from cli import revisions
from cli.places import ARTIFACTS, TEMPLATE
from cli.setup import account
from cli.setup.answers import Answers, save
from keypost.core.errors import KeypostError

_SECONDS_BETWEEN_LOOKS = 2


def deploy(session: Any, turns: Sequence[Answers]) -> Answers:
    """Deploy with these answers in turn; what CloudFormation says of each resource is the progress. Returns the last
    answers, with what tells this deploy from others. KeypostError if it fails."""
    turns = [each.with_parameter(revisions.NAME, revisions.revision_of(each.parameters, [ARTIFACTS])) for each in turns]
    url = upload(session, turns[-1].parameters)
    for answers in turns:
        save(answers)
        _make(session, answers, url)
    return turns[-1]


def upload(session: Any, answered: Mapping[str, str]) -> str:
    """Put the archives and the template into the account; returns the address of the template.

    A name is made from the bytes of its file: an older version's files stay, so that CloudFormation can go back to it.
    """
    s3, owner = session.client("s3"), account.number_of_account(session)
    bucket = _bucket(s3, owner, session.region_name)

    def put(name: str, content: bytes) -> str:
        key = f"{hashlib.sha256(content).hexdigest()}/{name}"
        s3.put_object(Bucket=bucket, Key=key, Body=content, ExpectedBucketOwner=owner)
        return key

    places = {each.name: f"s3://{bucket}/{put(each.name, each.read_bytes())}" for each in archives()}
    key = put(TEMPLATE.name, placed(TEMPLATE.read_text("utf-8"), places, answered).encode())
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def archives() -> list[Path]:
    return sorted(ARTIFACTS.glob("*.zip"))


def placed(template: str, places: Mapping[str, str], answered: Mapping[str, str]) -> str:
    """The template, with the addresses of the archives in place of their names, and the answers as defaults: SAM
    decides by some of them, and an emulator shows it the defaults only."""
    for name, address in places.items():
        template = template.replace(json.dumps(name), json.dumps(address))
    parsed = json.loads(template)
    for name, described in parsed["Parameters"].items():
        described.update({"Default": answered[name]} if name in answered else {})
    return json.dumps(parsed, ensure_ascii=False)


def _bucket(s3: Any, owner: str, region: str) -> str:
    """A bucket of this account. Its name can be guessed, so each call names the owner that it must have: the bucket of
    a stranger is refused."""
    name = f"keypost-{owner}-{region}"
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **place)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        pass
    except s3.exceptions.BucketAlreadyExists:
        raise KeypostError("bucket_is_taken", bucket=name) from None
    return name


def _make(session: Any, answers: Answers, url: str) -> None:
    cloudformation, there = session.client("cloudformation"), account.stack_there(session, answers.stack)
    described = json.loads(TEMPLATE.read_text("utf-8"))["Parameters"]
    wanted = {
        "StackName": answers.stack,
        "TemplateURL": url,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],  # the second is for SAM's transform
        "Parameters": parameters(answers.parameters, there.parameters if there else {}, described),
    }
    before = next(_events(cloudformation, answers.stack), None) if there else None
    try:
        (cloudformation.update_stack if there else cloudformation.create_stack)(**wanted)
    except ClientError as error:
        if "No updates are to be performed" not in error.response["Error"]["Message"]:
            raise
    else:
        _until_done(cloudformation, answers.stack, before)


def parameters(
    answered: Mapping[str, str], there: Mapping[str, str], described: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What CloudFormation is given: the answers, and for what was not asked the value that the stack has. A parameter
    that this version lacks is left out."""
    given = [{"ParameterKey": name, "ParameterValue": answered[name]} for name in described if name in answered]
    kept = [name for name in described if name in there and name not in answered]
    return given + [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]


def _until_done(cloudformation: Any, stack: str, last: Mapping[str, Any] | None) -> None:
    """Print what became of each resource until the stack is done. Ctrl-C ends the printing and not the deploy."""
    why, is_done = list[str](), False
    while not is_done:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        is_done = not status.endswith("_IN_PROGRESS")
        for event in _since(last, _events(cloudformation, stack)):
            last = event
            why += _shown(event)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise KeypostError("stack_failed", stack=stack, status=status, why="; ".join(why) or "-")


def _since(last: Mapping[str, Any] | None, events: Iterator[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The events after the last one that was seen, the oldest first."""
    new = takewhile(lambda event: last is None or event["EventId"] != last["EventId"], events)
    return list(new)[::-1]


def _events(cloudformation: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    """What happened to the stack and its resources, the newest first."""
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        yield from page["StackEvents"]


def _shown(event: Mapping[str, Any]) -> list[str]:
    """Print an event that ends something; returns why it failed, if it did."""
    status = event["ResourceStatus"]
    if not status.endswith("_IN_PROGRESS"):
        click.echo(f"  {status:<20} {event['LogicalResourceId']}")
    if not status.endswith("_FAILED"):
        return []
    return [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', status)}"]
