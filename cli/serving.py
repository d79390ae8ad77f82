"""Which versions of a stack's functions serve, the way back to the former ones, and whether each function answers."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.stacks import Found
from keypost.core.errors import KeypostError

ALIAS = "live"
_LEADER = "AdvanceOrders"  # moves last: as long as it has not, the way back is still the same one
_FIRST = "$LATEST"  # no version, but what the next one is published from


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    revision: str  # of the deploy that published it; empty for a deploy by hand without one


@dataclass(frozen=True, slots=True)
class Function:
    id: str  # in template.yaml
    name: str
    serves: Version
    published: tuple[Version, ...]  # the oldest first
    is_shifting: bool = False  # a deploy gives it to a part of the calls only


@dataclass(frozen=True, slots=True)
class Move:
    function: Function
    to: Version


def functions_of(at: Found) -> list[Function]:
    """The functions of a stack by their names in template.yaml. The errors are botocore's."""
    client = at.session.client("lambda")
    return [_function(client, id_, name) for id_, name in sorted(names_of(at, "AWS::Lambda::Function").items())]


def names_of(at: Found, kind: str) -> dict[str, str]:
    """The physical names of a stack's resources of one type, by their names in template.yaml."""
    pages = at.session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=at.name)
    found = (each for page in pages for each in page["StackResourceSummaries"] if each["ResourceType"] == kind)
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def _function(client: Any, id_: str, name: str) -> Function:
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    every = [each for page in pages for each in page["Versions"] if each["Version"] != _FIRST]
    published = sorted((Version(int(each["Version"]), each.get("Description", "")) for each in every), key=_number)
    alias = client.get_alias(FunctionName=name, Name=ALIAS)
    serves = next(each for each in published if each.number == int(alias["FunctionVersion"]))
    return Function(id_, name, serves, tuple(published), bool(alias.get("RoutingConfig", {})))


def _number(version: Version) -> int:
    return version.number


def way_back(functions: Sequence[Function]) -> list[Move]:
    """How each function gets the version of the deploy before the one that serves. One that was new in that deploy
    keeps its version. KeypostError if there is no deploy to go back to."""
    leader = _leader(functions)
    former = [each for each in leader.published if each.number < leader.serves.number]
    if not former:
        raise KeypostError("no_former_version")
    return _moves(functions, former[-1].revision, is_back=True)


def way_forward(functions: Sequence[Function]) -> list[Move]:
    """How each function gets the version of the newest deploy again."""
    return _moves(functions, _leader(functions).published[-1].revision, is_back=False)


def _leader(functions: Sequence[Function]) -> Function:
    return next(each for each in functions if each.id == _LEADER)


def _moves(functions: Sequence[Function], revision: str, *, is_back: bool) -> list[Move]:
    if not revision:
        raise KeypostError("deploy_has_no_revision")
    moves = []
    for function in sorted(functions, key=lambda each: each.id == _LEADER):
        serves = function.serves.number
        fit = [each for each in function.published if each.revision == revision]
        fit = [each for each in fit if each.number < serves] if is_back else fit
        if fit and fit[-1].number != serves:
            moves.append(Move(function, fit[-1]))
    return moves


def move(client: Any, one: Move) -> None:
    """Let a version serve all calls of a function from now on. The errors are botocore's."""
    everything = {"AdditionalVersionWeights": dict[str, float]()}
    client.update_alias(
        FunctionName=one.function.name, Name=ALIAS, FunctionVersion=str(one.to.number), RoutingConfig=everything
    )


# ---------------------------------------------------------------------------------------------------------------------
# Whether each function answers
# ---------------------------------------------------------------------------------------------------------------------

_NOBODYS_KEY = {"Authorization": f"Bearer kp_{'0' * 10}_{'0' * 64}"}
ROUTES: Mapping[str, tuple[str, Mapping[str, str], tuple[int, ...]]] = {  # path, headers, and what is right
    "GuidePage": ("/activate", {}, (200,)),
    "PaymentCallback": ("/callbacks/webhook", {}, (405,)),
    "RemindersPage": ("/reminders/nobodys", {}, (200, 404)),
    "SelfServicePage": ("/resend", {}, (200, 403)),
    "SupportAuth": ("/due", _NOBODYS_KEY, (401,)),
    "SupportPage": ("/support", {}, (200,)),
}
_NO_MESSAGE = {"Records": list[Any]()}
_NO_ROUTE = {
    "resource": "/nothing",
    "path": "/nothing",
    "httpMethod": "GET",
    "headers": {},
    "multiValueHeaders": {},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "requestContext": {"stage": "v1", "requestId": "check", "path": "/v1/nothing", "authorizer": {}},
    "body": None,
    "isBase64Encoded": False,
}
EVENTS: Mapping[str, Any] = {  # each changes nothing but what the next run of its schedule would
    "AdvanceOrders": _NO_MESSAGE,
    "FindDueOrders": {},
    "MailFeedback": _NO_MESSAGE,
    "SendAgain": _NO_MESSAGE,
    "SupportApi": _NO_ROUTE,
    "TellEvents": _NO_MESSAGE,
}
UNASKED = ("DeliverEvents", "ReconcilePayments", "WriteDailyNote")  # no run of theirs is harmless: alarms tell of them


@dataclass(frozen=True, slots=True)
class Answer:
    function: str
    is_right: bool
    answer: str


def answers(at: Found, functions: Sequence[Function]) -> Iterator[Answer]:
    """Have each function that can be asked without harm answer once, by its name."""
    client, url = at.session.client("lambda"), api_url(at)
    for function in functions:
        if function.id in ROUTES:
            yield _asked(function.id, url)
        elif function.id in EVENTS:
            yield _invoked(client, function)


def api_url(at: Found) -> str:
    """The address of the API; the emulator has all APIs under its own."""
    if at.parameters.get("Emulated") == "yes":
        emulator = at.session.client("lambda").meta.endpoint_url
        return f"{emulator}/_aws/execute-api/{at.outputs['ApiId']}/v1"
    return at.outputs["ApiUrl"]


def _asked(function: str, url: str) -> Answer:
    path, headers, right = ROUTES[function]
    try:
        request = urllib.request.Request(url + path, headers=dict(headers))  # noqa: S310 - the API of the stack itself
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError as error:
        return Answer(function, is_right=False, answer=type(error).__name__)
    return Answer(function, status in right, str(status))


def _invoked(client: Any, function: Function) -> Answer:
    event = json.dumps(EVENTS[function.id]).encode()
    answer = client.invoke(FunctionName=function.name, Qualifier=ALIAS, Payload=event)
    said = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        return Answer(function.id, is_right=False, answer=str((said or {}).get("errorType", answer["FunctionError"])))
    return Answer(function.id, is_right=True, answer=str((said or {}).get("statusCode", "ok")))
