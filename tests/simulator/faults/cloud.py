"""All of AWS that functions call, as a model whose faults are ours to choose: DynamoDB by MiniStack in this process,
with errors that it never gives by itself, SQS, SES and Secrets Manager by modules beside this one. Each call takes its
time before and after its effect, so that others come between."""

import json
import re
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from tests.builders import SECRETS
from tests.simulator.aws_here import Answer, AwsCall, ask_dynamodb, emulated
from tests.simulator.faults.deployment import TABLE
from tests.simulator.faults.faults import CALLS, Faults
from tests.simulator.faults.machine import Crash, Invocation, Machine
from tests.simulator.faults.ses import FAULTS_OF_A_MAIL, Ses
from tests.simulator.faults.sqs import Sqs
from tests.simulator.faults.tape import WAITS, WHOLE, Tape

READING = ("BatchGetItem", "GetAccount", "GetItem", "GetSecretValue", "Query")
WRITES = ("PutItem", "UpdateItem", "TransactWriteItems", "DeleteItem")
_TIMEOUTS = {
    "dynamodb": 5,
    "sqs": 10,
    "sesv2": 10,
    "secrets-manager": 5,
    "eventbridge": 5,
    "cloudformation": 60,
}  # seconds, as wiring sets them
_CONNECT_TIMEOUT = 3
_MOST_LINES = 4  # of the source, in a story
_OURS = re.compile(r"(?<=layers/keypost/)keypost/[^.]+\.py$|functions/[^.]+\.py$")
_SHORT, _MOST_KEYS = 24, 4  # of a key, and of a call, in a story
_MAY_BE_THROTTLED = ("dynamodb", "sqs")
_ERRORS = {"dynamodb": "com.amazonaws.dynamodb.v20120810", "sqs": "com.amazonaws.sqs"}
_THROTTLED = {"dynamodb": "ThrottlingException", "sqs": "RequestThrottled"}


@dataclass(slots=True)
class Cloud:
    """`wrote` is called after each write that took place, with the items that it put, in the SDK's form, and the keys
    of those that it changed or deleted."""

    machine: Machine
    faults: Faults
    sqs: Sqs
    ses: Ses
    wrote: Callable[[Invocation | None, list[dict[str, Any]], list[str]], None]
    on_bus: Callable[[AwsCall], Answer]
    stack: Callable[[AwsCall], Answer]
    changed: Callable[[AwsCall], AwsCall] = lambda call: call  # as DynamoDB sees it; a test may break it here
    tape: Tape = WHOLE
    asked: Collection[str] = ()  # the providers of whose APIs the functions have the keys
    told: Callable[[str, Invocation, str, str], None] | None = None  # of each call: its place, what it does, its lines
    calls: int = 0
    shown: dict[str, Answer] = field(default_factory=dict)  # what an index answered before, by its question
    before: dict[str, Any] = field(default_factory=dict)  # the items before their last writes
    places: list[tuple[str, AwsCall]] = field(default_factory=list)  # all calls of functions, in order

    def watch(self, call: AwsCall) -> Answer | None:
        """What the SDK gets. A fault of this model itself stops the machine: a handler would take it for one of AWS."""
        try:
            return self._taken(call)
        except (ConnectTimeoutError, ReadTimeoutError):
            raise
        except Exception as error:
            self.machine.broken = error
            raise

    def _taken(self, call: AwsCall) -> Answer:
        invocation = self.machine.current
        self.calls += 1
        if invocation is None:
            return self._answer(call, None, None)
        if invocation.is_dead:
            raise Crash
        invocation.calls += 1
        place = f"{invocation.name} call {invocation.calls}: {call.operation}"
        self.places.append((place, call))
        if self.told:
            self.told(place, invocation, _said(call), _lines())
        kind = self.faults.at(place, faults_of(call), _lines)
        takes = self.machine.pause if kind or self.tape.keeps(WAITS, place) else self.machine.pass_by
        takes(self._delay(call, invocation, kind, place))
        self._before(invocation, call, kind)
        answer = self._answer(call, invocation, kind)
        takes(invocation.chance.uniform(0.002, 0.01))
        self._after(invocation, call, kind)
        return answer

    def _delay(self, call: AwsCall, invocation: Invocation, kind: str | None, place: str) -> float:
        """Seconds until a call takes effect."""
        usual = (0.05, 0.5) if call.operation == "SendEmail" else (0.002, 0.02)
        drawn = invocation.chance.uniform(*usual)
        return drawn + 20 * self.faults.chance(place).random() ** 3 if kind == "slow" else drawn

    def _before(self, invocation: Invocation, call: AwsCall, kind: str | None) -> None:
        match kind:
            case "crash before":
                raise _crash(invocation)
            case "not reached":
                self.machine.pause(_CONNECT_TIMEOUT)
                raise ConnectTimeoutError(endpoint_url=call.service)
            case "request lost":
                self.machine.pause(_TIMEOUTS[call.service])
                raise ReadTimeoutError(endpoint_url=call.service)
            case "time over before":
                self.machine.pause(_until_its_end(invocation, self.machine.now))

    def _after(self, invocation: Invocation, call: AwsCall, kind: str | None) -> None:
        match kind:
            case "crash after":
                raise _crash(invocation)
            case "answer lost" | "mail taken, not told":
                self.ses.answer_lost(call)
                self.machine.pause(_TIMEOUTS[call.service])
                raise ReadTimeoutError(endpoint_url=call.service)
            case "time over after":
                self.machine.pause(_until_its_end(invocation, self.machine.now))

    def _answer(self, call: AwsCall, invocation: Invocation | None, kind: str | None) -> Answer:
        if kind == "throttled":
            return _error(call.service, _THROTTLED[call.service])
        if kind == "some refused":
            return _with_first_refused(call, self._answer(_without_first(call), invocation, None))
        match call.service:
            case "dynamodb":
                return self._of_dynamodb(call, invocation, kind)
            case "sqs":
                return self.sqs.take(call)
            case "eventbridge":
                return self.on_bus(call)
            case "cloudformation":
                return self.stack(call)
            case "sesv2":
                return self.ses.take(call, invocation, kind)
            case _:
                return 200, {}, json.dumps({"SecretString": json.dumps(self._secrets)})

    @property
    def _secrets(self) -> dict[str, str]:
        keys = {name for name in SECRETS if name.endswith("_api_key")} - {f"{api}_api_key" for api in self.asked}
        return {name: secret for name, secret in SECRETS.items() if name not in keys}

    def _of_dynamodb(self, call: AwsCall, invocation: Invocation | None, kind: str | None) -> Answer:
        if kind == "conflict":
            return _conflict(call)
        if kind == "stale index":
            return self.shown.get(call.content, _NOTHING_FOUND)
        if kind == "stale read":
            return _as_before(call, self.before)
        if kind == "unprocessed keys":
            return _of_some_keys(call)
        self._remember(call)
        answer = emulated(self.changed(call))
        if call.operation == "Query":
            self.shown[call.content] = answer
        if call.operation in WRITES and answer[0] == 200:
            self.wrote(invocation, written(call), touched(call))
        return answer

    def _remember(self, call: AwsCall) -> None:
        """What the items are that a call writes, for those who may read what was before."""
        if call.operation in WRITES and self.faults.may_happen("stale read"):
            for key in (*(item["pk"]["S"] for item in written(call)), *touched(call)):
                found = ask_dynamodb("GetItem", TableName=TABLE, Key={"pk": {"S": key}})
                self.before[key] = found.get("Item")


def _as_before(call: AwsCall, before: Mapping[str, Any]) -> Answer:
    """The answer of a read, with each item as it was before its last write."""
    status, headers, content = emulated(call)
    said = json.loads(content)
    if call.operation == "GetItem":
        key = call.body["Key"]["pk"]["S"]
        found = before.get(key, said.get("Item"))
        return status, headers, json.dumps({"Item": found} if found else {})
    for table, items in said["Responses"].items():
        keys = [each["pk"]["S"] for each in call.body["RequestItems"][table]["Keys"]]
        now = {item["pk"]["S"]: item for item in items}
        said["Responses"][table] = [item for key in keys if (item := before.get(key, now.get(key)))]
    return status, headers, json.dumps(said)


def _of_some_keys(call: AwsCall) -> Answer:
    """The answer of a table that is busy: the last half of the keys, but never none."""
    (table, wanted), *_ = call.body["RequestItems"].items()
    half = len(wanted["Keys"]) // 2
    now, later = wanted["Keys"][half:], wanted["Keys"][:half]
    status, headers, content = emulated(
        replace(call, content=json.dumps({"RequestItems": {table: {**wanted, "Keys": now}}}))
    )
    left = {"UnprocessedKeys": {table: {**wanted, "Keys": later}}} if later else {}
    return status, headers, json.dumps(json.loads(content) | left)


def _without_first(call: AwsCall) -> AwsCall:
    return replace(call, content=json.dumps({**call.body, "Entries": call.body["Entries"][1:]}))


def _with_first_refused(call: AwsCall, answer: Answer) -> Answer:
    """The answer to a call whose first message or event was refused, by that to the call without it."""
    status, headers, content = answer
    said = json.loads(content)
    if call.service == "eventbridge":
        refused: dict[str, Any] = {"ErrorCode": "InternalFailure", "ErrorMessage": "later"}
        more: dict[str, Any] = {"FailedEntryCount": 1, "Entries": [refused, *said["Entries"]]}
    else:
        refused = {"Id": call.body["Entries"][0]["Id"], "Code": "InternalError", "SenderFault": False}
        more = {"Failed": [refused]}
    return status, headers, json.dumps(said | more)


def _is_consistent(call: AwsCall) -> bool:
    """Whether a read asks for the newest."""
    tables = call.body.get("RequestItems", {"": call.body}).values()
    return all(each.get("ConsistentRead", False) for each in tables)


_NOTHING_FOUND: Answer = 200, {}, json.dumps({"Items": [], "Count": 0, "ScannedCount": 0})


def written(call: AwsCall) -> list[dict[str, Any]]:
    """The whole items that a call puts."""
    writes = call.body.get("TransactItems", [{"Put": call.body}])
    return [write["Put"]["Item"] for write in writes if "Item" in write.get("Put", {})]


def touched(call: AwsCall) -> list[str]:
    """The keys of the items that a call updates or deletes."""
    writes = call.body.get("TransactItems", [{"": call.body}])
    return [each["Key"]["pk"]["S"] for write in writes for each in write.values() if "Key" in each]


def _said(call: AwsCall) -> str:
    """A call in a story: what it does with which items."""
    keys = [item["pk"]["S"] for item in written(call)] + touched(call) if call.service == "dynamodb" else []
    more = [f"and {len(keys) - _MOST_KEYS} more"] if len(keys) > _MOST_KEYS else []
    return " ".join([call.operation, *(key[:_SHORT] for key in keys[:_MOST_KEYS]), *more])


def _lines() -> str:
    """The lines of the product from which this call is made, the innermost first."""
    found = (_line(frame, number) for frame, number in traceback.walk_stack(None))
    return " < ".join([*filter(None, found)][:_MOST_LINES])


def _line(frame: FrameType, number: int) -> str | None:
    """None for a line that is not one of ours, or by which each write of the table goes."""
    if not (place := _OURS.search(frame.f_code.co_filename)) or place[0].endswith("table/items.py"):
        return None
    return f"{place[0]}:{number} {frame.f_code.co_name}"


_OF_OPERATIONS: Mapping[str, Callable[[AwsCall], tuple[str, ...]]] = {
    "Query": lambda _: ("stale index",),
    "PutEvents": lambda _: ("some refused",),
    "SendMessageBatch": lambda _: ("some refused",),
    "GetItem": lambda call: () if _is_consistent(call) else ("stale read",),
    "BatchGetItem": lambda call: ("unprocessed keys",) if _is_consistent(call) else ("unprocessed keys", "stale read"),
}


def faults_of(call: AwsCall) -> tuple[str, ...]:
    """Those that this call may meet."""
    possible: Mapping[str, bool] = {
        "throttled": call.service in _MAY_BE_THROTTLED,
        "conflict": call.operation in WRITES,
    }
    of_call = tuple(kind for kind in CALLS if possible.get(kind, True))
    if call.operation == "SendEmail":
        return (*of_call, *FAULTS_OF_A_MAIL)
    of_operation = _OF_OPERATIONS.get(call.operation)
    return (*of_call, *of_operation(call)) if of_operation else of_call


def _until_its_end(invocation: Invocation, now: float) -> float:
    """Seconds until Lambda has stopped it, because its time is over."""
    return max(invocation.deadline - now, 0) + 0.001


def _crash(invocation: Invocation) -> Crash:
    invocation.is_dead = True
    return Crash()


def _conflict(call: AwsCall) -> Answer:
    if call.operation != "TransactWriteItems":
        return _error("dynamodb", "TransactionConflictException")
    reasons = [{"Code": "None"} for _ in call.body["TransactItems"]]
    reasons[-1] = {"Code": "TransactionConflict"}
    return _error("dynamodb", "TransactionCanceledException", CancellationReasons=reasons)


def _error(service: str, code: str, **more: Any) -> Answer:
    return 400, {}, json.dumps({"__type": f"{_ERRORS[service]}#{code}", "message": code, **more})
