"""Hostile callbacks at the door of every provider. `make hostile` sends more of them."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
import urllib3

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.config import MOLLIE_URL, MONEYBIRD_URL, STRIPE_URL
from keypost.core.codes import StockCode
from keypost.core.licensing import with_codes
from keypost.core.mail import MailSent
from keypost.core.mailing import settle_mail
from keypost.providers import PROVIDERS
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, paid_order
from tests.figures import note
from tests.hostile.bodies import KNOWN, KNOWN_PAYMENT, TYPED_CODE
from tests.hostile.cases import case
from tests.hostile.checks import faults
from tests.hostile.door import Tried

CASES = int(os.environ.get("KEYPOST_HOSTILE_CASES", "1800")) // len(PROVIDERS)  # of each provider
SEED = int(os.environ.get("KEYPOST_HOSTILE_SEED", "1"))
IS_WAITED_FOR = "KEYPOST_HOSTILE_CASES" in os.environ
FIRST = int(os.environ.get("KEYPOST_HOSTILE_FIRST", "0"))
_PROGRESS = 1000  # cases
_LIVE = 0.2  # of the cases of each provider are for a live stack
_ENOUGH = 20  # faults, after which no more are looked for


@pytest.fixture(scope="session")
def local(in_process: LocalStack) -> LocalStack:
    """Nothing here needs a deployed function."""
    return in_process


@pytest.fixture
def tried(
    wired: Stack, local: LocalStack, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, stage: str
) -> Iterator[Tried]:
    """The door of a stack with an order that was served and a code in stock, on the day of the recorded callbacks."""
    if stage == "live":
        _go_live(monkeypatch, local.providers.url)
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    list(wired.store.add_codes(SKU, [TYPED_CODE], None, None))
    order = paid_order(KNOWN, payment_id="cs_known", also=(f"stripe:{KNOWN_PAYMENT}",))
    served = with_codes(order, [StockCode("", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE)
    wired.store.save(settle_mail(served, "purchase-1", 1, MailSent("m"), NOW))
    with time_machine.travel(NOW, tick=False):
        yield Tried(wired, local, logged, stage)


def _go_live(monkeypatch: pytest.MonkeyPatch, providers: str) -> None:
    """A live stack takes no address of a provider but its real one. What it would ask there is asked here."""
    send = urllib3.PoolManager.request

    def sent(pool: urllib3.PoolManager, method: str, url: str, **how: Any) -> Any:
        parts = urlsplit(url)
        return send(pool, method, f"{providers}{parts.path}?{parts.query}", **how)

    monkeypatch.setattr(urllib3.PoolManager, "request", sent)
    real = {"MOLLIE": MOLLIE_URL, "STRIPE": STRIPE_URL, "MONEYBIRD": MONEYBIRD_URL, "WOOCOMMERCE": "https://x.example"}
    for name, url in real.items():
        monkeypatch.setenv(f"KEYPOST_{name}_URL", url)
    monkeypatch.setenv("KEYPOST_STAGE", "live")


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Tells somebody who waits how far it is; nobody in a run of drills."""

    def said(text: str) -> None:
        with capsys.disabled():
            print(text, file=sys.stderr, flush=True)  # the output of a worker is read by nobody

    return said if IS_WAITED_FOR else lambda _: None


@pytest.mark.drill
@pytest.mark.parametrize("stage", ["test", "live"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_hostile_callbacks_break_nothing_write_nothing_forged_and_tell_nothing(
    provider: str, stage: str, tried: Tried, say: Callable[[str], None]
) -> None:
    found: list[str] = []
    numbers = _numbers(stage)
    for number in numbers:
        for seen in tried.play(case(SEED, provider, number)):
            found += [f"{provider} {number}: {fault}: {', '.join(seen.request.how)}" for fault in faults(seen)]
        if len(found) >= _ENOUGH:
            break
        if number % _PROGRESS == _PROGRESS - 1:
            say(f"{provider}, {stage}: {number + 1} of {numbers[-1] + 1}")
    say(f"{provider}, {stage}: {tried.summary}")
    assert found == [], "\n".join(found)
    note("hostile", f"{provider}, {stage}", {"cases": len(numbers), "answers": tried.counts})


def _numbers(stage: str) -> range:
    """The cases of a provider that are played at a stack of this stage."""
    first_live = FIRST + int(CASES * (1 - _LIVE))
    return range(FIRST, first_live) if stage == "test" else range(first_live, FIRST + CASES)
