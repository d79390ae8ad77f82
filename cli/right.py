"""`keypost order ...`, continued: what a person puts right about a customer, a license or a renewal."""

from datetime import date

import click

from cli import stacks, who
from cli.orders import confirmed_option, given_address, order_group, stack_option
from cli.speech import lang, say
from keypost.core import gone, noting
from keypost.core.correcting import Right
from keypost.core.errors import InvalidInput
from keypost.core.periods import local_day
from keypost.providers.order_card import clean_name
from keypost.use_cases import settle_renewal
from keypost.use_cases.lift_complaint import lift_complaint
from keypost.use_cases.stop_reminders import resume_reminders, stop_reminders
from keypost.words import LANGUAGES

_NOW = "now"
_order = click.argument("order_id", metavar="ORDER")


@order_group.command("note")
@_order
@click.argument("words", metavar="TEXT")
@who.agent
@lang
@stack_option
def note(order_id: str, words: str, agent: str | None, stack: str | None) -> None:
    """Write TEXT into the timeline of ORDER, for whoever looks at it next."""
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    by = who.asked(to, words, agent)
    if not by.why:
        raise InvalidInput("field_empty_or_unseen", field="TEXT")
    to.desk.change(order_id, lambda order: noting.note(order, by))
    say("noted", order=order_id)


@order_group.command("customer")
@_order
@click.option("--name", metavar="NAME", help="The right name; empty if none is known.")
@click.option("--language", type=click.Choice(LANGUAGES), help="In which the customer is written to.")
@click.option("--address", "with_address", is_flag=True, help="Also the address, which is asked for or read.")
@click.option("--all-orders", is_flag=True, help="For all orders that have its present address.")
@confirmed_option
@who.reason
@who.agent
@lang
@stack_option
def customer(  # noqa: PLR0913 - each is an argument or an option of the command
    order_id: str,
    name: str | None,
    language: str | None,
    why: str,
    agent: str | None,
    stack: str | None,
    *,
    with_address: bool,
    all_orders: bool,
    confirmed: bool,
) -> None:
    """Correct who the customer of ORDER is: name, language and address."""
    if name is None and language is None and not with_address:
        raise InvalidInput("nothing_to_correct")
    email = given_address("-", confirmed=confirmed) if with_address else None
    wanted = Right(email, None if name is None else clean_name(name) or "", language)
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    found = to.desk.correct_customer(order_id, wanted, who.asked(to, why, agent), all_orders=all_orders)
    say("customer_is_corrected", orders=[order.id for order in found])


@order_group.command("stop-reminders")
@_order
@click.option("--all-orders", is_flag=True, help="For all that its customer bought and will buy.")
@click.option("--undo", is_flag=True, help="Send reminders again.")
@who.reason
@who.agent
@lang
@stack_option
def stop(order_id: str, why: str, agent: str | None, stack: str | None, *, all_orders: bool, undo: bool) -> None:
    """Send no reminders of ORDER."""
    to, do = stacks.connect_to_write(stack), resume_reminders if undo else stop_reminders
    order_id = to.number(order_id)
    do(to.desk, order_id, who.asked(to, why, agent), all_orders=all_orders)
    say("reminders_are_sent" if undo else "reminders_are_stopped", order=order_id)


@order_group.command("lift-complaint")
@_order
@click.option("--reason", "why", metavar="TEXT", required=True, help="What the customer said, for the timeline.")
@who.agent
@lang
@stack_option
def lift(order_id: str, why: str, agent: str | None, stack: str | None) -> None:
    """Write to the customer of ORDER again, who reported mail as spam, of what they paid for."""
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    lift_complaint(to.desk, order_id, who.asked(to, why, agent), to.mailer)
    say("complaint_is_lifted", order=order_id)


@order_group.command("refunded")
@_order
@click.argument("license_id", metavar="LICENSE")
@click.option("--undo", is_flag=True, help="It was for another one.")
@who.reason
@who.agent
@lang
@stack_option
def refunded(order_id: str, license_id: str, why: str, agent: str | None, stack: str | None, *, undo: bool) -> None:
    """Say that a part of the money went back for LICENSE of ORDER, which is then to be blocked."""
    to, named = stacks.connect_to_write(stack), gone.with_refunded_again if undo else gone.without_refunded
    order_id = to.number(order_id)
    by = who.asked(to, why, agent)
    to.desk.change(order_id, lambda order: named(order, license_id, by))
    say("refunded_is_named", license=license_id)


@order_group.command("renewal")
@_order
@click.argument("line", type=int)
@click.option("--renews", metavar="LICENSE", help="What it renews: a licence, or another order or its line.")
@click.option("--start", metavar="DAY", help="The first day of its period, such as 2026-12-03, or `now`.")
@click.option("--confirmed", is_flag=True, help="The licence may be another customer's.")
@click.option("--stop", is_flag=True, help="It is not to come at all.")
@who.reason
@who.agent
@lang
@stack_option
def renewal(  # noqa: PLR0913, PLR0917 - each is an argument or an option of the command
    order_id: str,
    line: int,
    renews: str | None,
    start: str | None,
    why: str,
    agent: str | None,
    stack: str | None,
    *,
    confirmed: bool,
    stop: bool,
) -> None:
    """Say which licence LINE of ORDER renews, or when its period starts; or stop that renewal."""
    if not stop and renews is None and start is None:
        raise InvalidInput("renewal_says_nothing")
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    by = who.asked(to, why, agent)
    if stop:
        settle_renewal.stop(to.desk, order_id, line, by)
    else:
        first = local_day(by.at, to.zone) if start == _NOW else _day(start)
        wanted = settle_renewal.Wanted(renews, start is not None, first, confirmed)
        settle_renewal.decide(to.desk, order_id, line, wanted, by)
    say("renewal_is_stopped" if stop else "renewal_is_settled", order=order_id, line=line)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput("field_not_a_day_or_now", field="--start") from None
