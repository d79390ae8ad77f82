"""`keypost order ...`, continued: what a person gives without a payment, takes back, and gives to somebody else."""

import re
from dataclasses import replace

import click

from cli import stacks, who
from cli.orders import confirmed_option, given_address, order_group, stack_option
from cli.speech import lang, say
from keypost.core import by_hand, gone
from keypost.core.by_hand import Sale
from keypost.core.errors import InvalidInput
from keypost.core.languages import DEFAULT
from keypost.core.order import Customer
from keypost.core.product import Line
from keypost.providers.order_card import MOST_LINES, SKU, clean_name
from keypost.use_cases.sell_by_hand import move_license, sell_by_hand
from keypost.words import LANGUAGES

_LINE = re.compile(rf"({SKU.pattern})(?::([1-9][0-9]{{0,3}}))?")
_KEY = re.compile(r"[A-Za-z0-9._:-]{0,100}")
_order = click.argument("order_id", metavar="ORDER")
_name = click.option("--name", default="", metavar="NAME", help="For the greeting.")
_language = click.option(
    "--language", type=click.Choice(LANGUAGES), default=DEFAULT, show_default=True, help="In which they are written to."
)


@order_group.command("by-hand")
@_name
@_language
@click.option("--line", "lines", metavar="SKU[:QUANTITY]", multiple=True, required=True, help="What they get.")
@click.option("--why", "because", type=click.Choice(by_hand.WHYS), required=True, help="Why without a payment.")
@click.option("--key", default="", metavar="KEY", help="The same key again makes no second order.")
@confirmed_option
@who.reason
@who.agent
@lang
@stack_option
def make_by_hand(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: str,
    language: str,
    lines: tuple[str, ...],
    because: str,
    key: str,
    why: str,
    agent: str | None,
    stack: str | None,
    *,
    confirmed: bool,
) -> None:
    """Make an order without a payment, which is served like any other. Asks for the customer's address, or reads it
    from standard input.

    Without a key, the same command within a minute makes no second order either.
    """
    if not _KEY.fullmatch(key):
        raise InvalidInput("field_not_as_agreed", field="--key")
    wanted = lines_given(lines)
    sale = Sale(_customer("-", name, language, confirmed=confirmed), wanted, because)
    to = stacks.connect_to_write(stack)
    by = replace(who.asked(to, why, agent), key=key)
    say("order_is_made", order=sell_by_hand(to.desk, sale, by, to.currency))


@order_group.command("withdraw")
@_order
@who.reason
@who.agent
@lang
@stack_option
def withdraw(order_id: str, why: str, agent: str | None, stack: str | None) -> None:
    """Take back what ORDER, which was made by hand, gave. Codes that were sent are to be blocked."""
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    by = who.asked(to, why, agent)
    to.desk.change(order_id, lambda order: by_hand.withdrawn(order, by, to.currency))
    say("order_is_withdrawn", order=order_id)


@order_group.command("move")
@_order
@click.argument("license_id", metavar="LICENSE")
@click.option("--to", "email", metavar="ADDRESS", required=True, help="Of its new owner; `-` asks for it or reads it.")
@_name
@_language
@confirmed_option
@who.reason
@who.agent
@lang
@stack_option
def move(  # noqa: PLR0913, PLR0917 - each is an argument or an option of the command
    order_id: str,
    license_id: str,
    email: str,
    name: str,
    language: str,
    why: str,
    agent: str | None,
    stack: str | None,
    *,
    confirmed: bool,
) -> None:
    """Give LICENSE of ORDER to another customer, who gets it by mail."""
    customer = _customer(email, name, language, confirmed=confirmed)
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    new = move_license(to.desk, order_id, license_id, customer, who.asked(to, why, agent), to.currency)
    say("license_is_moved", license=license_id, order=new)
    if renewing := gone.renewed_by(to.store.existing(order_id), license_id):
        say("former_customer_renews", orders=renewing)


def _customer(email: str, name: str, language: str, *, confirmed: bool) -> Customer:
    return Customer(email=given_address(email, confirmed=confirmed), name=clean_name(name), language=language)


def lines_given(given: tuple[str, ...]) -> tuple[Line, ...]:
    """What is to be given. InvalidInput if a line cannot be read, or if there are too many."""
    if len(given) > MOST_LINES:
        raise InvalidInput("field_too_long", field="--line", most=MOST_LINES)
    return tuple(_line(number, each) for number, each in enumerate(given, start=1))


def _line(number: int, given: str) -> Line:
    read = _LINE.fullmatch(given.strip())
    if read is None:
        raise InvalidInput("line_by_hand_unfit", line=number)
    return Line(read[1], int(read[2] or 1))
