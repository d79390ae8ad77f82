"""Plays one seed: a shop for a few days in some weather, then good weather in which everything is to come to its end,
then the checks."""

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

from cli.local.deploy import ROOT
from tests.simulator.faults.checks import Violation, violations
from tests.simulator.faults.faults import Fault, Faults, weather
from tests.simulator.faults.happenings import plan_happenings
from tests.simulator.faults.machine import NeverEnds
from tests.simulator.faults.shop import PLAIN, PRODUCTS, REMINDING, Shop, begin_of
from tests.simulator.faults.simulation import DAY, Simulation, needs

_PLENTY = 16  # codes of each product: more than all customers of most stories want
_LONG, _LONG_ONES = 24, 0.03  # days, and the share of the stories that are so long: longer than a license
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Played:
    seed: int
    calls: int
    faults: tuple[Fault, ...]
    violations: tuple[Violation, ...]
    acts: int
    mails: int
    seconds: float = field(default=0, compare=False)  # of the processor
    stories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """What is played: a seed, or as much of it as is left when faults and acts are taken out."""

    seed: int
    faults: Mapping[str, str] | None = None  # by place, in the place of those that chance would make
    without: frozenset[int] = frozenset()  # acts
    roots: tuple[Path, ...] = (ROOT,)


def play(script: Script) -> Played:
    begun = process_time()
    rates = weather(script.seed) if script.faults is None else {}
    faults = Faults(script.seed, rates, script.faults)
    simulation = Simulation(script.seed, faults, begin_of(script.seed), script.roots)
    chance = random.Random(script.seed)
    days = _LONG if chance.random() < _LONG_ONES else chance.choice((1, 1, 2, 2, 3))
    shop = Shop(simulation, chance, days, script.without)
    with simulation.playing():
        try:
            open_shop(shop)
            live(shop)
            come_to_the_end(shop, max(_PLENTY, wanted(shop)))
            found = violations(shop)
        except NeverEnds as error:
            found = [Violation("3 the system comes to rest", "-", str(error))]
    return replace(_told(script.seed, shop, found), seconds=process_time() - begun)


def open_shop(shop: Shop, stock: int | None = None) -> None:
    """With its products, and the stock of the first days."""
    shop.simulation.faults.is_over = True
    shop.put_start()
    shop.put_products()
    shop.simulation.run(5)
    for sku in (PLAIN, REMINDING):
        many = shop.chance.choice((0, 1, 2, 4, 8)) if stock is None else stock
        if many:
            shop.import_codes(sku, many)
    shop.simulation.run(5)
    shop.simulation.faults.is_over = False


def live(shop: Shop) -> None:
    shop.simulation.schedules.plan_days(shop.simulation.machine.moment, shop.days + 2)
    for number in range(shop.chance.choice((1, 1, 2))):
        for sale in shop.customer(number):
            sold_at = max(act.at for act in shop.acts if sale.order in act.text.split())
            plan_happenings(shop, sale, sold_at)
    shop.simulation.run(shop.days * DAY)


def wanted(shop: Shop) -> int:
    """How many codes all customers want."""
    return sum(line["quantity"] for sale in shop.sales.values() for line in sale.lines)


def come_to_the_end(shop: Shop, codes: int = _PLENTY) -> None:
    """Nothing goes wrong any more, codes arrive, and agents send again what did not leave."""
    simulation = shop.simulation
    simulation.faults.is_over = True
    simulation.ses.paused_until = simulation.now
    simulation.ses.pauses.append(simulation.now)
    simulation.sqs.redrive()
    for sku in PRODUCTS:
        shop.import_codes(sku, codes)
    simulation.run(DAY)
    for order in shop.sales:
        if order not in shop.unreadable | shop.stuck and needs(simulation.item(order)) == "mail":
            simulation.support("POST", "/orders/{order_id}/resend", {"reason": "end"}, order_id=order)
    simulation.run(DAY)


def _told(seed: int, shop: Shop, found: Sequence[Violation]) -> Played:
    simulation = shop.simulation
    stories = {violation.order: tuple(story(shop, violation.order)) for violation in found}
    return Played(
        seed=seed,
        calls=simulation.cloud.calls,
        faults=tuple(simulation.faults.happened),
        violations=tuple(found),
        acts=len(shop.acts),
        mails=len(simulation.ses.accepted),
        stories=stories,
    )


def story(shop: Shop, order: str) -> list[str]:
    """What happened to the orders that are named, and what went wrong for them, line by line."""
    simulation, orders = shop.simulation, order.split()
    lines = [
        (entry.at, entry.text) for entry in simulation.journal if not entry.orders or set(orders) & set(entry.orders)
    ]
    lines += [
        (fault.at, f"FAULT: {fault}")
        for fault in simulation.faults.happened
        if any(name in fault.place.replace("+", " ").split() for name in orders) or "run of" in fault.place
    ]
    lines += [
        (mail.at, f"SES takes {mail.mail}, attempt {mail.attempt}, to {mail.to} with {len(mail.codes)} codes")
        for mail in simulation.ses.accepted
        if mail.order in orders
    ]
    began = simulation.machine.began
    return [f"{_clock(at - began)}  {text}" for at, text in sorted(lines, key=lambda line: line[0])]


def _clock(seconds: float) -> str:
    days, rest = divmod(seconds, DAY)
    return f"{days:.0f}d {rest // 3600:02.0f}:{rest // 60 % 60:02.0f}:{rest % 60:06.3f}"


def smallest(script: Script, seconds: float) -> Script:
    """The same violation with as few faults and acts as are found in so much time: halves are left out, then
    quarters, down to single ones."""
    first = play(script)
    wanted = {violation.check for violation in first.violations}
    best = replace(script, faults={fault.place: fault.kind for fault in first.faults})
    if not _fails(best, wanted):
        return script
    until = perf_counter() + seconds
    acts = fewest([*range(first.acts)], lambda kept: _fails(_with_acts(best, first.acts, kept), wanted), until)
    best = _with_acts(best, first.acts, acts)
    places = dict(best.faults or {})
    kept = fewest([*places], lambda some: _fails(replace(best, faults=_only(places, some)), wanted), until)
    return replace(best, faults=_only(places, kept))


def _with_acts(script: Script, acts: int, kept: Collection[int]) -> Script:
    return replace(script, without=frozenset(range(acts)) - frozenset(kept))


def _only(faults: Mapping[str, str], places: Collection[str]) -> dict[str, str]:
    return {place: kind for place, kind in faults.items() if place in places}


def _fails(script: Script, checks: Collection[str]) -> bool:
    return any(violation.check in checks for violation in play(script).violations)


def fewest(all_of_them: list[T], fails: Callable[[list[T]], bool], until: float) -> list[T]:
    """As few of these as still fail, found until a moment of `perf_counter`."""
    kept, size = all_of_them, max(1, len(all_of_them) // 2)
    while kept:
        for start in range(0, len(kept), size):
            fewer = kept[:start] + kept[start + size :]
            if perf_counter() > until:
                return kept
            if fails(fewer):
                kept = fewer
                break
        else:
            if size == 1:
                return kept
            size = max(1, size // 2)
    return kept
