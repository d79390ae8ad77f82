"""Faults of AWS, injected at a client, so that the code that calls the client stays as it is."""

from collections.abc import Callable
from typing import Any

Parameters = dict[str, Any]


def on_call(client: Any, operation: str, do: Callable[[Parameters], object]) -> None:
    """Call `do` with the parameters before each call of this operation. The caller gets what `do` raises."""

    def called(params: Parameters, **_: object) -> None:
        do(params)

    client.meta.events.register(f"provide-client-params.{_service(client)}.{operation}", called, unique_id=called)


def refuse(
    client: Any, operation: str, code: str, *, after: int = 0, times: int = 1, **answer: Any
) -> list[Parameters]:
    """Refuse the next `times` calls of this operation with this code, after `after` calls that are not refused.
    `answer` holds the other parts of the refusal. Returns the parameters of all calls from now on."""
    calls: list[Parameters] = []

    def refused(params: Parameters) -> None:
        calls.append(params)
        if after < len(calls) <= after + times:
            said = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}, **answer}
            raise client.exceptions.from_code(code)(said, operation)

    on_call(client, operation, refused)
    return calls


def overtake(client: Any, *, times: int = 1) -> None:
    """Refuse the next `times` transactions, as if another write had changed one of their items first."""
    reasons = [{"Code": "ConditionalCheckFailed"}]
    code = "TransactionCanceledException"
    refuse(client, "TransactWriteItems", code, times=times, CancellationReasons=reasons)


def watch(client: Any, operation: str = "") -> list[tuple[str, Parameters]]:
    """The calls of this operation, or of all operations, from now on: each with its name and its parameters."""
    calls: list[tuple[str, Parameters]] = []

    def called(params: Parameters, model: Any, **_: object) -> None:
        calls.append((model.name, params))

    name = f"provide-client-params.{_service(client)}" + (f".{operation}" if operation else "")
    client.meta.events.register(name, called, unique_id=called)
    return calls


def _service(client: Any) -> str:
    return str(client.meta.service_model.service_id.hyphenize())
