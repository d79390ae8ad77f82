"""Looks for the first seed that finds each mutant, and prints it with the promises that are broken there. With --part
of a name, only those mutants. With --unit, says which of them the unit tests find. Exits with 1 when one lives."""

import os
import sys
from time import process_time

import click

from tests.simulator.mutants.table import MUTANTS
from tests.simulator.mutants.trees import caught_by_unit_tests, found_by, mutated


@click.command()
@click.option("--seeds", default=500, show_default=True, help="How many are played before a mutant counts as alive.")
@click.option("--part", default="", help="Only mutants with this in their name.")
@click.option("--known", is_flag=True, help="Play only the seed that the table names.")
@click.option("--unit", is_flag=True, help="Run the unit tests of the protocol instead, and say which they find.")
def main(seeds: int, part: str, *, known: bool, unit: bool) -> None:
    if unit:
        _tell_of_unit_tests(part)
        return
    if os.environ.get("PYTHONHASHSEED") != "0":
        sys.exit("PYTHONHASHSEED=0 is needed, so that a seed is the same in every process")
    alive = 0
    for name, mutant in MUTANTS.items():
        if part in name:
            with mutated(mutant) as tree:
                begun = process_time()
                found = found_by(tree, [mutant.seed] if known else range(1, seeds + 1))
            seconds = process_time() - begun
            told = f"seed {found[0].seed}: {', '.join(sorted(found[1]))}" if found else "LIVES"
            click.echo(f"{name}: {told} ({seconds:.0f} s)")
            alive += found is None
    sys.exit(1 if alive else 0)


def _tell_of_unit_tests(part: str) -> None:
    for name, mutant in MUTANTS.items():
        if part in name:
            with mutated(mutant) as tree:
                is_caught = caught_by_unit_tests(tree)
            click.echo(f"{name}: {'the unit tests find it' if is_caught else 'only the simulator finds it'}")


if __name__ == "__main__":
    main()
