"""Every rule of the kit, at the door of every provider."""

import io
from collections.abc import Callable, Iterator

import pytest
import time_machine

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.providers import PROVIDERS
from tests.builders import NOW, printed
from tests.teller_kit import RULES, TELLERS, Door, one_odd_field_is_no_fault_of_keypost, teller_of


@pytest.fixture
def door(
    provider: str, wired: Stack, local: LocalStack, logged: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> Iterator[Door]:
    """The door on the day of the recorded callbacks, whenever this runs. What the providers' APIs know after a rule, no
    other test finds there."""
    known = dict(local.providers.objects)
    with time_machine.travel(NOW, tick=False):
        yield Door(provider, teller_of(provider), wired, local, logged, printed(capsys))
    local.providers.objects.clear()
    local.providers.objects.update(known)


# Thousands of bodies for each provider, with one odd field each.
LONG = {one_odd_field_is_no_fault_of_keypost}


@pytest.mark.parametrize(
    "rule",
    [pytest.param(rule, marks=[pytest.mark.drill] if rule in LONG else [], id=rule.__name__) for rule in RULES],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_at_the_door_of_every_provider(door: Door, rule: Callable[[Door], None]) -> None:
    rule(door)


def test_no_record_is_of_a_provider_that_is_no_more() -> None:
    assert set(TELLERS) <= set(PROVIDERS)


def test_a_provider_without_a_record_fails_with_what_is_to_be_done() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"add a Teller with its signature and its callbacks"):
        teller_of("somepay")
