"""Hostile callbacks at the door of every provider. `make hostile` sends more of them."""

import io
import os
from collections.abc import Callable, Iterator

import pytest
import time_machine

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.core.codes import StockCode
from keypost.core.licensing import with_codes
from keypost.core.mail import MailSent
from keypost.core.mailing import settle_mail
from keypost.providers import PROVIDERS
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, paid_order
from tests.hostile.bodies import KNOWN, KNOWN_PAYMENT, TYPED_CODE
from tests.hostile.cases import case
from tests.hostile.checks import faults
from tests.hostile.door import Tried

CASES = int(os.environ.get("KEYPOST_HOSTILE_CASES", "1800")) // len(PROVIDERS)  # of each provider
SEED = int(os.environ.get("KEYPOST_HOSTILE_SEED", "1"))
IS_WAITED_FOR = "KEYPOST_HOSTILE_CASES" in os.environ
FIRST = int(os.environ.get("KEYPOST_HOSTILE_FIRST", "0"))
_PROGRESS = 1000  # cases
_ENOUGH = 20  # faults, after which no more are looked for


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def tried(wired: Stack, local: LocalStack, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tried]:
    """The door of a stack with an order that was served and a code in stock, on the day of the recorded callbacks."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    list(wired.store.add_codes(SKU, [TYPED_CODE], None, None))
    order = paid_order(KNOWN, payment_id="cs_known", also=(f"stripe:{KNOWN_PAYMENT}",))
    served = with_codes(order, [StockCode("", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE)
    wired.store.save(settle_mail(served, "purchase-1", 1, MailSent("m"), NOW))
    with time_machine.travel(NOW, tick=False):
        yield Tried(wired, local, logged)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Tells somebody who waits how far it is; nobody in a run of drills."""

    def said(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    return said if IS_WAITED_FOR else lambda _: None


@pytest.mark.drill
@pytest.mark.parametrize("provider", PROVIDERS)
def test_hostile_callbacks_break_nothing_write_nothing_forged_and_tell_nothing(
    provider: str, tried: Tried, say: Callable[[str], None]
) -> None:
    found: list[str] = []
    for number in range(FIRST, FIRST + CASES):
        for seen in tried.play(case(SEED, provider, number)):
            found += [f"{provider} {number}: {fault}: {', '.join(seen.request.how)}" for fault in faults(seen)]
        if len(found) >= _ENOUGH:
            break
        if number % _PROGRESS == _PROGRESS - 1:
            say(f"{provider}: {number + 1 - FIRST} of {CASES}")
    say(f"{provider}: {tried.summary}")
    assert found == [], "\n".join(found)
