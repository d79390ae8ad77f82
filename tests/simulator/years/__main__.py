"""`make simulate`: ten years of a shop, in worlds of a few customers, on all cores. Exits with 1 when a promise was
broken."""

import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import perf_counter

import click

from tests.simulator.years.judging import WORLD, Played, Script, play

_PROGRESS = 10  # lines
_TOLD = 2  # worlds whose stories are told
_SHOWN = 8  # of what is wrong in a world


@click.command()
@click.option("--customers", default=1000, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Of the first world; each further one has the next.")
def main(customers: int, seed: int) -> None:
    """Plays ten years of renewals, and checks the promises."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        sys.exit("PYTHONHASHSEED=0 is needed, so that a world is the same in every process")
    begun, scripts = perf_counter(), scripts_of(customers, seed)
    played = [*_progress(_played(scripts), len(scripts))]
    _summary(played, perf_counter() - begun)
    failing = [(script, each) for script, each in zip(scripts, played, strict=True) if each.wrong]
    for script, each in failing:
        for violation in each.wrong[:_SHOWN]:
            click.echo(f"  {script.command}   {violation}")
        if len(each.wrong) > _SHOWN:
            click.echo(f"  {script.command}   and {len(each.wrong) - _SHOWN} more")
    for _, each in failing[:_TOLD]:
        click.echo("\n" + "\n".join(each.story))
    sys.exit(1 if failing else 0)


def scripts_of(customers: int, seed: int) -> list[Script]:
    """Worlds of as many customers as make a small table, which is quicker than a large one."""
    sizes = [min(WORLD, customers - before) for before in range(0, customers, WORLD)]
    return [Script(size, number) for number, size in enumerate(sizes, start=seed)]


def _played(scripts: Sequence[Script]) -> Iterator[Played]:
    """In the order of the scripts, on all cores."""
    if len(scripts) == 1:
        yield play(scripts[0])
        return
    with multiprocessing.get_context("spawn").Pool() as pool:
        yield from pool.imap(play, scripts)


def _progress(played: Iterator[Played], count: int) -> Iterator[Played]:
    failing = 0
    for number, each in enumerate(played, start=1):
        failing += bool(each.wrong)
        if number % max(1, count // _PROGRESS) == 0:
            click.echo(f"{number} of {count} worlds, {failing} of them with a violation")
        yield each


def _summary(played: Sequence[Played], seconds: float) -> None:
    orders, callbacks = sum(each.orders for each in played), sum(each.callbacks for each in played)
    calls, used = sum(each.calls for each in played), sum(each.seconds for each in played)
    click.echo(
        f"{orders} orders, {callbacks} callbacks, {calls} calls of AWS in {seconds:.0f} s ({used:.0f} s of processors)"
    )
    click.echo("Mails: " + _told(each.mails for each in played))
    click.echo("Faults: " + _told(each.faults for each in played))
    wrong = Counter(violation.check for each in played for violation in each.wrong)
    click.echo("Violations: " + (_told([wrong]) or "none: each mail left on its day, none unpaid and none twice"))


def _told(counts: Iterable[Mapping[str, int]]) -> str:
    total = sum(map(Counter, counts), Counter[str]())
    return ", ".join(f"{count} {what}" for what, count in sorted(total.items()))


if __name__ == "__main__":
    main()
