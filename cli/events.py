"""`keypost events`: what leaves for the shop's own programs."""

from datetime import UTC, datetime

import click

from cli import stacks
from cli.click_words import Group
from cli.orders import stack_option
from cli.speech import say
from keypost.core.errors import InvalidInput, KeypostError
from keypost.core.periods import midnight_of
from keypost.table.events_url import EventsUrl
from keypost.use_cases.tell_again import tell_again, tell_all_again


@click.group("events", cls=Group)
def events_group() -> None:
    """The events that leave for programs of the shop."""


@events_group.command("again")
@click.argument("orders", nargs=-1, metavar="[ORDER]...")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Only events of this day and later. Of all orders, if none is named.",
)
@stack_option
def again(orders: tuple[str, ...], since: datetime | None, stack: str | None) -> None:
    """Have events leave again, as they were: those of each ORDER, or of a time in which they were lost."""
    if not orders and since is None:
        raise InvalidInput("events_of_what")
    to, now = _with("EventsBus", "EventsUrl", stack=stack), datetime.now(UTC)
    first = midnight_of(since.date(), to.zone) if since else None
    if orders:
        count = tell_again(to.store, map(to.number, orders), first, now)
    else:
        count = tell_all_again(to.store, first or now, now)
    say("events_leave_again", count=count)


@events_group.command("on")
@stack_option
def switch_on(stack: str | None) -> None:
    """Call EventsUrl again, after it answered that it is gone for good (410)."""
    _with("EventsUrl", stack=stack).store.part(EventsUrl).forget_gone()
    say("events_url_is_on")


def _with(*ways: str, stack: str | None) -> stacks.Stack:
    """The stack, if one of these parameters lets events leave. KeypostError if none does: nobody would read them."""
    to = stacks.connect_to_write(stack)
    if all(to.parameters.get(each, "") in ("", "off") for each in ways):
        raise KeypostError("no_way_for_events", names=list(ways))
    return to
