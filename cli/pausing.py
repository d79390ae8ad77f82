"""Stills a stack without touching its table: no function runs. Queues keep what arrives, and providers call again."""

import time
from collections.abc import Callable
from typing import Any

from cli.serving import ALIAS, names_of
from cli.stacks import Found
from keypost.core.errors import KeypostError

# What assigns codes, sends mails, or reads what SES tells of them. Facts come in through all others.
HAND = (
    "AdvanceOrders",
    "DeliverEvents",
    "FindDueOrders",
    "MailFeedback",
    "SendAgain",
    "TellEvents",
    "WriteDailyNote",
)
_SECONDS = 120
_BETWEEN_LOOKS = 2  # seconds


def pause(at: Found, wait: Callable[[float], None] = time.sleep) -> None:
    """Let no function of a stack run. First the queues stop handing messages over: a function that may not run would
    have them received in vain, until they were dead letters. KeypostError if they do not stop."""
    client = at.session.client("lambda")
    mappings = list(names_of(at, "AWS::Lambda::EventSourceMapping").values())
    for mapping in mappings:
        client.update_event_source_mapping(UUID=mapping, Enabled=False)
    _wait(lambda: all(_state(client, mapping) == "Disabled" for mapping in mappings), wait)
    for name in names_of(at, "AWS::Lambda::Function").values():
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)


def open_doors(at: Found) -> None:
    """Let facts come in again, while nothing leaves, and ask the providers for those that are missing."""
    _release(at, lambda function: function not in HAND)
    asks = names_of(at, "AWS::Lambda::Function")["ReconcilePayments"]
    at.session.client("lambda").invoke(FunctionName=asks, Qualifier=ALIAS, InvocationType="Event", Payload=b"{}")


def resume(at: Found) -> None:
    _release(at, lambda _: True)
    client = at.session.client("lambda")
    for mapping in names_of(at, "AWS::Lambda::EventSourceMapping").values():
        client.update_event_source_mapping(UUID=mapping, Enabled=True)


def _release(at: Found, is_meant: Callable[[str], bool]) -> None:
    client = at.session.client("lambda")
    for function, name in names_of(at, "AWS::Lambda::Function").items():
        if is_meant(function):
            client.delete_function_concurrency(FunctionName=name)


def is_hand_still(at: Found) -> bool:
    """Whether nothing can leave: neither the worker nor what pokes it runs."""
    client, names = at.session.client("lambda"), names_of(at, "AWS::Lambda::Function")
    there = (names[each] for each in HAND if each in names)  # events are left out of a stack that tells nobody
    found = [client.get_function_concurrency(FunctionName=name) for name in there]
    return all(each.get("ReservedConcurrentExecutions") == 0 for each in found)


def _state(client: Any, mapping: str) -> str:
    return str(client.get_event_source_mapping(UUID=mapping)["State"])


def _wait(is_so: Callable[[], bool], wait: Callable[[float], None]) -> None:
    for _ in range(_SECONDS // _BETWEEN_LOOKS):
        if is_so():
            return
        wait(_BETWEEN_LOOKS)
    raise KeypostError("queues_do_not_stop")
