"""Ten years of a whole shop: `make simulate`, with CUSTOMERS and SEED if they are to differ."""

import os
from time import perf_counter

import click

from tests.simulator.years.simulation import simulate
from tests.simulator.years.world import make_world


@click.command()
@click.option("--customers", default=1000, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(customers: int, seed: int) -> None:
    """Every run of the daily rule is made, also those that find nothing."""
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    begun = perf_counter()
    world = make_world(customers, seed)
    click.echo(f"{customers} customers, {len(world.sales)} orders, {len(world.facts)} callbacks, seed {seed}")
    played = simulate(world, seed, click.echo, every_run=True)
    counts = ", ".join(f"{count} {what}" for what, count in sorted(played.counts.items()) if what != "planned")
    click.echo(f"{len(played.mails)} mails, each on its day, none unpaid, none twice ({counts})")
    click.echo(f"{perf_counter() - begun:.0f} s")


main()
