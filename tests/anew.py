"""What tests of one process share, made as it was before the first of them."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from cli.local.fake_providers import FakeProviders
from cli.local.mailbox import Mailbox
from cli.local.stack import LocalStack
from keypost import telemetry, wiring
from tests import in_process

# What the servers of a stack are given once, when they start.
_GIVEN = {"url", "pass_on", "arrived", "shop", "tell"}


def begin_anew(stacks: Iterable[LocalStack]) -> None:
    """Forget what earlier tests left: mails, faults and objects of the fakes, the AWS of this process, and what modules
    of ours keep between two calls."""
    for stack in stacks:
        _empty(stack.mailbox, Mailbox())
        _empty(stack.providers, FakeProviders())
    in_process.empty()
    wiring.forget()
    telemetry.metrics.clear_metrics()
    telemetry.logger.clear_state()


def _empty(used: Any, new: Any) -> None:
    vars(used).update({field.name: getattr(new, field.name) for field in fields(new) if field.name not in _GIVEN})
