"""`make prove`: many seeds on all cores, or one seed with its story. Exits with 1 when a promise was broken."""

import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

import click

from cli.local.deploy import ROOT
from tests.simulator import page as reliability
from tests.simulator.faults.play import Played, Script, look_for_garbage_seldom, play
from tests.simulator.faults.shrinking import missing, shrunk
from tests.simulator.faults.tape import WHOLE, Tape
from tests.simulator.faults.telling import tell

_PROGRESS = 10  # lines
_ENOUGH = 20  # seeds with a violation, after which no more are played
_TOLD = 2  # promises of which a story is told
_SECONDS = 90  # of the processor, to find the shortest story of each


@click.command()
@click.option("--seeds", default=300, show_default=True, help="How many.")
@click.option("--first", default=1, show_default=True, help="The first of them.")
@click.option("--seed", default=None, type=int, help="Only this one, with its story.")
@click.option("--only", default=None, help="Of this one seed, only these decisions, as a failing run prints them.")
@click.option("--tree", multiple=True, type=Path, help="Trees of the versions that run together; this one if none.")
@click.option("--page", is_flag=True, help="Write docs/reliability.md by what was found.")
def main(seeds: int, first: int, seed: int | None, only: str | None, tree: Sequence[Path], *, page: bool) -> None:
    """Plays shops under faults, and checks the promises."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        sys.exit("PYTHONHASHSEED=0 is needed, so that a seed is the same in every process")
    roots = tuple(tree) or (ROOT,)
    tape = Tape(frozenset(only.split(","))) if only else WHOLE
    scripts = [Script(number, tape, roots) for number in ([seed] if seed else range(first, first + seeds))]
    begun = perf_counter()
    played = [*_progress(_played(scripts), scripts)]
    _summary(played, perf_counter() - begun)
    failing = [(script, each) for script, each in zip(scripts, played, strict=False) if each.violations]
    if page:
        reliability.write(played, sum(each.seconds for each in played))
    for script, check in _shortest(failing)[:_TOLD]:
        _tell(script, check)
    for script in scripts if only else ():
        if lost := missing(script):
            click.echo(f"This run has no decisions {', '.join(lost)}: the source has changed since they were printed")
    sys.exit(1 if failing else 0)


def _played(scripts: list[Script]) -> Iterator[Played]:
    """In the order of the scripts, on all cores."""
    if len(scripts) == 1:
        yield play(scripts[0])
        return
    with multiprocessing.get_context("spawn").Pool(initializer=look_for_garbage_seldom) as pool:
        yield from pool.imap(play, scripts)


def _progress(played: Iterator[Played], scripts: Sequence[Script]) -> Iterator[Played]:
    """Names each violation as soon as it is found, and ends when there are enough."""
    failing = 0
    for number, (script, each) in enumerate(zip(scripts, played, strict=True), start=1):
        failing += bool(each.violations)
        for violation in each.violations:
            click.echo(f"  {script.command}   {violation}")
        if number % max(1, len(scripts) // _PROGRESS) == 0:
            click.echo(f"{number} of {len(scripts)} seeds, {failing} of them with a violation")
        yield each
        if failing == _ENOUGH:
            click.echo(f"{failing} seeds have a violation: no more are played")
            return


def _shortest(failing: Sequence[tuple[Script, Played]]) -> list[tuple[Script, str]]:
    """Of each check that was broken, first of those that were broken often, the seed in which least happened."""
    often = Counter(check for _, each in failing for check in {violation.check for violation in each.violations})
    found = list[tuple[Script, str]]()
    for check, _ in often.most_common():
        where = [(script, each) for script, each in failing if check in {one.check for one in each.violations}]
        script, _ = min(where, key=lambda one: one[1].acts + len(one[1].faults))
        found.append((script, check))
    return found


def _summary(played: list[Played], seconds: float) -> None:
    kinds = Counter(fault.kind for each in played for fault in each.faults)
    calls, mails = sum(each.calls for each in played), sum(each.mails for each in played)
    click.echo(f"{len(played)} seeds in {seconds:.0f} s: {calls} calls of AWS, {mails} mails, {kinds.total()} faults")
    click.echo("Faults: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    found = Counter(violation.check for each in played for violation in each.violations)
    click.echo("Violations: " + (", ".join(f"{count} of {check}" for check, count in sorted(found.items())) or "none"))


def _tell(script: Script, check: str) -> None:
    """The story of a failing seed, with as few decisions as still break the check, or with those asked for."""
    if script.tape == WHOLE:
        click.echo(f'\nSeed {script.seed}: what is needed to break "{check}"?')
        script = shrunk(script, check, _SECONDS, lambda line: click.echo(f"  {line}"))
    click.echo("\n".join(tell(script, check)))


if __name__ == "__main__":
    main()
