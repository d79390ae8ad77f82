"""Hostile callbacks at the door of every provider. `make hostile` sends more of them."""

import io
import os
import sys
from collections.abc import Iterator

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
FIRST = int(os.environ.get("KEYPOST_HOSTILE_FIRST", "0"))
_PROGRESS = 500  # cases
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


@pytest.mark.drill
@pytest.mark.parametrize("provider", PROVIDERS)
def test_hostile_callbacks_break_nothing_write_nothing_forged_and_tell_nothing(provider: str, tried: Tried) -> None:
    found: list[str] = []
    for number in range(FIRST, FIRST + CASES):
        for seen in tried.play(case(SEED, provider, number)):
            found += [f"{provider} {number}: {fault}: {', '.join(seen.request.how)}" for fault in faults(seen)]
        if len(found) >= _ENOUGH:
            break
        if number % _PROGRESS == _PROGRESS - 1:
            print(f"{provider}: {number + 1 - FIRST} of {CASES}", file=sys.__stderr__, flush=True)
    print(provider, dict(sorted(tried.counts.items())), tried.slowest, file=sys.__stderr__, flush=True)
    assert found == [], "\n".join(found)
