"""Plays one seed: a shop for a few days in some weather, then good weather in which everything is to come to its end,
then the checks."""

import gc
import random
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from time import process_time
from typing import Any

from cli.local.deploy import ROOT
from tests.other_versions import newer_version
from tests.simulator.faults import commands, seldom
from tests.simulator.faults.at_providers import asked_for, sell_at_providers
from tests.simulator.faults.checks import Violation, violations
from tests.simulator.faults.faults import Fault, Faults, weather
from tests.simulator.faults.happenings import plan_happenings
from tests.simulator.faults.machine import NeverEnds
from tests.simulator.faults.shop import PLAIN, REMINDING, Shop, begin_of
from tests.simulator.faults.simulation import DAY, Simulation, needs
from tests.simulator.faults.tape import WHOLE, Tape

_OF_TWO = 8  # of so many shops one has two versions
_PLENTY = 16  # codes of each product: more than all customers of most stories want
_WHOLE = 0.1  # the share of the shops that have several customers, each with a life of its own
_CROWDED, _CROWD = 25, 8  # one of so many shops has so many customers
_SELDOM = 0.75  # the share of the others to which something happens that happens seldom, and nothing else
_LONG, _LONG_ONES = 24, 0.03  # days, and the share of the stories that are so long: longer than a license


@dataclass(frozen=True, slots=True)
class Played:
    seed: int
    calls: int
    faults: tuple[Fault, ...]
    violations: tuple[Violation, ...]
    acts: int
    mails: int
    seconds: float = field(default=0, compare=False)  # of the processor


@dataclass(frozen=True, slots=True)
class Script:
    """What is played: a seed, or as much of it as its tape keeps."""

    seed: int
    tape: Tape = WHOLE
    roots: tuple[Path, ...] = (ROOT,)

    @property
    def command(self) -> str:
        """The line that plays it again."""
        trees = " ".join(map(str, self.roots))
        only = "" if self.tape == WHOLE else f" ONLY={self.tape}"
        return f"make prove SEED={self.seed}{only}{'' if self.roots == (ROOT,) else f' TREES={trees!r}'}"


def look_for_garbage_seldom() -> None:
    """In a process that plays many shops: what is loaded stays, and a shop leaves little."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def play(script: Script) -> Played:
    begun = process_time()
    shop, found = live_through(script)
    return replace(_told(script.seed, shop, found), seconds=process_time() - begun)


def live_through(script: Script, told: Callable[[Shop], None] = lambda _: None) -> tuple[Shop, list[Violation]]:
    """The shop when its story is over, and what is wrong there. `told` gets it before the story begins."""
    faults = Faults(script.seed, weather(script.seed), tape=script.tape)
    asked = asked_for(script.seed)
    simulation = Simulation(script.seed, faults, begin_of(script.seed), _versions(script), asked)
    simulation.cloud.tape = script.tape
    chance = random.Random(script.seed)
    is_whole = _is_whole(script.seed)
    days = _LONG if chance.random() < _LONG_ONES else chance.choice((1, 1, 2, 2, 3) if is_whole else (1, 1, 2))
    shop = Shop(simulation, chance, days, script.tape, is_whole)
    told(shop)
    with simulation.playing():
        try:
            open_shop(shop)
            live(shop)
            come_to_the_end(shop, max(_PLENTY, wanted(shop)))
            return shop, violations(shop)
        except NeverEnds as error:
            return shop, [Violation("3 the system comes to rest", "-", str(error))]
        except Exception as error:  # noqa: BLE001 - whatever it is, its seed is told
            return shop, [Violation("the story can be played", "-", _broken(error))]


def _is_whole(seed: int) -> bool:
    return _is_crowded(seed) or random.Random(f"{seed}/size").random() < _WHOLE


def _is_crowded(seed: int) -> bool:
    return seed % _CROWDED == 0


def _versions(script: Script) -> tuple[Path, ...]:
    """In some shops of this version alone a newer one works at the same table."""
    is_alone = script.roots == (ROOT,) and script.seed % _OF_TWO == _OF_TWO - 1
    return (ROOT, newer_version()) if is_alone else script.roots


def _broken(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:200]}"


def open_shop(shop: Shop, stock: int | None = None) -> None:
    """With its products, and the stock of the first days."""
    shop.simulation.faults.is_over = True
    shop.put_start()
    shop.put_products()
    for sku in (PLAIN, REMINDING):
        many = shop.chance.choice((0, 1, 2, 4, 8)) if stock is None else stock
        if many:
            shop.has_codes(sku, many)
    shop.simulation.faults.is_over = False


def live(shop: Shop) -> None:
    shop.simulation.schedules.plan_days(shop.simulation.machine.moment, shop.days + 2)
    is_seldom = shop.is_whole or shop.chance.random() < _SELDOM
    few = shop.chance.choice((1, 1, 2)) if shop.is_whole else 1
    for number in range(_CROWD if _is_crowded(shop.simulation.faults.seed) else few):
        sales = shop.customer(number)
        if not shop.is_whole:
            sales = [] if is_seldom else [shop.chance.choice(sales)]
        for sale in sales:
            sold_at = max(act.at for act in shop.acts if sale.order in act.text.split())
            plan_happenings(shop, sale, sold_at)
    sell_at_providers(shop)
    commands.run_commands(shop)
    if is_seldom:
        seldom.one_more(shop)
    commands.hand_back_when_alarmed(shop)
    shop.simulation.run(shop.days * DAY)


def wanted(shop: Shop) -> int:
    """How many codes all customers want."""
    return sum(line["quantity"] for sale in shop.sales.values() for line in sale.lines)


def _sold(shop: Shop) -> list[str]:
    """The products that somebody wants, as the shop or the table says."""
    lines = [line for sale in shop.sales.values() for line in sale.lines]
    stored = [item.get("lines", ()) for item in shop.simulation.items() if item["pk"].startswith("ORDER#")]
    return sorted({line["sku"] for line in (*lines, *chain.from_iterable(stored))})


def come_to_the_end(shop: Shop, codes: int = _PLENTY) -> None:
    """Nothing goes wrong any more, codes arrive, and agents do what they are asked: they have codes blocked, behind
    which an order hides what else it needs, and send again what did not leave."""
    simulation = shop.simulation
    simulation.faults.is_over = True
    simulation.ses.paused_until = simulation.now
    simulation.ses.pauses.append(simulation.now)
    for provider in simulation.providers.values():
        provider.down_until = simulation.now
    commands.hand_all_back(shop)
    for sku in _sold(shop):
        shop.import_codes(sku, codes)
    simulation.run(DAY)
    shop.helped_at = simulation.now
    _answer(shop, "block", "/orders/{order_id}/blocked", {})
    simulation.run(60)
    _answer(shop, "mail", "/orders/{order_id}/resend", {"reason": "end"})
    simulation.run(DAY)


def _answer(shop: Shop, reason: str, route: str, body: Mapping[str, Any]) -> None:
    """Agents do what is asked for this reason, also of orders that only Keypost knows."""
    stored = {item["pk"]: item for item in shop.simulation.items() if item["pk"].startswith("ORDER#")}
    for order in dict.fromkeys([*shop.sales, *(key.removeprefix("ORDER#") for key in sorted(stored))]):
        if order not in shop.unreadable | shop.stuck and needs(stored.get(f"ORDER#{order}")) == reason:
            shop.simulation.support("POST", route, body, order_id=order)


def _told(seed: int, shop: Shop, found: Sequence[Violation]) -> Played:
    simulation = shop.simulation
    return Played(
        seed=seed,
        calls=simulation.cloud.calls,
        faults=tuple(simulation.faults.happened),
        violations=tuple(found),
        acts=len(shop.acts),
        mails=len(simulation.ses.accepted),
    )
