"""`keypost attention`, `search` and `order`: what a person who answers customers does, from a terminal."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import click
from pydantic import TypeAdapter

from cli import stacks, tables, who
from cli.click_words import Command, Group
from cli.speech import lang, say, speech, text
from keypost.core import keys, support
from keypost.core.errors import InvalidInput, KeypostError
from keypost.core.order import Order
from keypost.core.periods import local_day
from keypost.core.said import Said
from keypost.core.story import Story, skus_told, story
from keypost.inputs.addresses import email_address, likely_meant
from keypost.inputs.typed import trimmed
from keypost.use_cases.find_orders import Page, Period, orders_of_days, orders_with, period
from keypost.use_cases.list_attention import REASONS, Item, worklist
from keypost.words import Reader, day, moment, names_of, sentence, worded

_SHOWN = 10  # entries of a timeline, the newest ones
_ITEM, _STORY = TypeAdapter(Item), TypeAdapter(Story)
stack_option = click.option("--stack", help="The name of a deployed stack. Default: the local one of `make run`.")
as_json = click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object a line.")
confirmed_option = click.option(
    "--confirmed", is_flag=True, help="The address is right, although it looks like a typing error."
)
_order = click.argument("order_id", metavar="ORDER")


@click.command(cls=Command)
@click.option("--reason", type=click.Choice(REASONS), metavar="REASON", help="Only this reason, such as hold or stock.")
@as_json
@lang
@stack_option
def attention(reason: str | None, stack: str | None, *, as_json: bool) -> None:
    """List the orders that need a person or stock, the most urgent first."""
    to, count = stacks.connect(stack), 0
    knows = reader_of(to)
    rows = []
    for item in _worklist(to, reason):
        count += 1
        if as_json:
            click.echo(_ITEM.dump_json(worded(item, knows)))
        else:
            rows.append(_worklist_row(item, knows))
    if not as_json:
        tables.show(_titles("col_order", "col_since", "col_by", "col_customer", "col_reason", "col_to_do"), rows)
        say("attention_count", count=count)


def _worklist(to: stacks.Stack, reason: str | None) -> Iterator[Item]:
    after = None
    while True:
        page = worklist(to.store, reason, after)
        yield from page.items
        after = page.next
        if after is None:
            return


def _worklist_row(item: Item, to: Reader) -> Sequence[str]:
    return (
        item.order_id,
        _day(item.since, to),
        _day(item.by, to),
        item.customer or "-",
        sentence(item.reason, to),
        "; ".join(sentence(each, to) for each in item.actions),
    )


_DAY = click.DateTime(["%Y-%m-%d"])
_first = click.option("--from", "first", metavar="DAY", type=_DAY, help="The first day. Default: 60 days back.")
_until = click.option("--until", metavar="DAY", type=_DAY, help="The last day, included. Default: today.")


@click.command(cls=Command)
@click.argument("wanted", required=False, metavar="[TEXT]")
@_first
@_until
@as_json
@lang
@stack_option
def search(
    wanted: str | None, first: datetime | None, until: datetime | None, stack: str | None, *, as_json: bool
) -> None:
    """Find orders by what is known of them: a part of a name, address, domain or number, or the last five of a code.

    A number, address, code, licence or payment that is known in full is found whenever it was ordered. Asks for the
    TEXT if you leave it out, or reads it from standard input: what names a customer does not belong into the history
    of a shell.
    """
    typed = trimmed(wanted if wanted is not None else _typed(text("ask_wanted")))
    if not typed:
        raise InvalidInput("nothing_to_search")
    to = stacks.connect(stack)
    days = _period(to, first, until)
    _show_found(to, _pages(lambda page: orders_with(to.store, typed, days, page)), as_json=as_json)


def _period(to: stacks.Stack, first: datetime | None, until: datetime | None) -> Period:
    today = local_day(datetime.now(UTC), to.zone)
    return period(first and first.date(), until and until.date(), today, to.zone)


def _pages(read: Callable[[str | None], Page]) -> Iterator[Page]:
    after = None
    while True:
        page = read(after)
        yield page
        after = page.next
        if after is None:
            return


def _show_found(to: stacks.Stack, pages: Iterator[Page], *, as_json: bool) -> None:
    """Print the orders as they are found for programs, and as one table for people."""
    knows, rows, unreadable = reader_of(to), list[Sequence[str]](), list[str]()
    for page in pages:
        unreadable += page.unreadable
        for order in page.orders:
            if as_json:
                click.echo(json.dumps(_found_told(order), ensure_ascii=False))
            rows.append(_found_row(order, knows))
    if not as_json:
        titles = ("col_order", "col_ordered", "col_state", "col_customer", "col_address", "col_products")
        tables.show(_titles(*titles), rows)
        say("found_count", count=len(rows))
    if unreadable:
        raise KeypostError("found_unreadable", orders=unreadable)


def _found_told(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "created_at": order.created_at.isoformat(),
        "standing": order.standing,
        "name": order.customer.name,
        "email": order.customer.email,
        "products": order.skus,
    }


def _found_row(order: Order, to: Reader) -> Sequence[str]:
    products = ", ".join(to.names.get(sku, sku) for sku in order.skus)
    standing = text(f"standing_{order.standing}".replace(" ", "_"))
    customer = order.customer
    return order.id, _day(order.created_at, to), standing, customer.name or "-", customer.email or "-", products


@click.group("order", cls=Group)
def order_group() -> None:
    """One order: show it, send it again, hold or release it, change its address."""


@order_group.command("list")
@_first
@_until
@as_json
@lang
@stack_option
def list_orders(first: datetime | None, until: datetime | None, stack: str | None, *, as_json: bool) -> None:
    """List the orders of some days, the newest first."""
    to = stacks.connect(stack)
    days = _period(to, first, until)
    _show_found(to, _pages(lambda page: orders_of_days(to.store, days, page)), as_json=as_json)


@order_group.command("show")
@_order
@click.option("--all", "whole", is_flag=True, help="The whole timeline, not only its newest ten entries.")
@as_json
@lang
@stack_option
def show_order(order_id: str, stack: str | None, *, whole: bool, as_json: bool) -> None:
    """Show the whole story of ORDER, and what happens next."""
    to = stacks.connect(stack)
    order_id = to.number(order_id)
    order = to.store.existing(order_id)
    products = to.store.products(list(skus_told(order))).values()
    reader = speech().reader(names_of(products, speech().language), to.zone)
    told = story(order, datetime.now(UTC), to.zone, to.store.beside(order), reader.names)
    if as_json:
        click.echo(_STORY.dump_json(worded(told, reader)))
    else:
        _tell(told, reader, whole=whole)


def _tell(told: Story, to: Reader, *, whole: bool) -> None:
    for name, value in _facts(told, to):
        click.echo(tables.paragraph(f"{text(name):<{_longest_label()}}  {value}"))
    for title, titles, rows in _parts(told, to):
        if rows:
            click.echo(f"\n{text(title)}")
            tables.show(_titles(*titles), rows)
    shown = told.timeline if whole else told.timeline[-_SHOWN:]
    others = len(told.timeline) - len(shown)
    click.echo(f"\n{text('col_timeline')}" + (f" ({text('timeline_rest', count=others)})" if others else ""))
    rows = [
        (moment(each.at, to), who_said(each.who), _with_words(Said(each.code, each.values), each.words, to))
        for each in shown
    ]
    tables.show(_titles("col_when", "col_who", "col_what"), rows)


_FACTS = (
    "col_order",
    "col_state",
    "col_customer",
    "col_address",
    "col_former",
    "col_ordered",
    "col_needs",
    "col_to_do",
    "col_kept_back",
    "col_next",
    "col_resend",
)


def _longest_label() -> int:
    return max(len(text(name)) for name in _FACTS)


def _facts(told: Story, to: Reader) -> Iterator[tuple[str, str]]:
    """What is known of the order, without what is empty, in the order of _FACTS."""
    needs, following = told.needs, told.next
    found = {
        "col_order": told.order_id,
        "col_state": text(f"standing_{told.standing}".replace(" ", "_")),
        "col_customer": told.name,
        "col_address": told.email,
        "col_former": ", ".join(told.former_addresses),
        "col_ordered": moment(told.created_at, to),
        "col_needs": needs and sentence(needs.why, to),
        "col_to_do": needs and sentence(needs.action, to),
        "col_kept_back": "; ".join(sentence(each, to) for each in told.obstacles),
        "col_next": following and _step(following.what, following.at, following.why_not, to),
        "col_resend": told.why_no_resend and sentence(told.why_no_resend, to),
    }
    yield from ((name, value) for name in _FACTS if (value := found[name]))


def _step(what: Said, at: datetime | None, why_not: Said | None, to: Reader) -> str:
    moment_said = f", {moment(at, to)}" if at else ""
    return sentence(what, to) + moment_said + (f": {sentence(why_not, to)}" if why_not else "")


Part = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def _parts(told: Story, to: Reader) -> Iterator[Part]:
    names = to.names
    yield (
        "col_lines",
        ("col_line", "col_product", "col_quantity", "col_codes", "col_kind", "col_period"),
        [
            (
                str(each.number),
                names.get(each.sku, each.sku),
                str(each.quantity),
                str(each.codes),
                text(f"kind_{each.kind}"),
                _days(each.first_day, each.last_day, to),
            )
            for each in told.lines
        ],
    )
    yield (
        "col_licenses",
        ("col_license", "col_product", "col_code", "col_period"),
        [
            (each.id, names.get(each.sku, each.sku), each.code, _days(each.first_day, each.last_day, to))
            for each in told.licenses
        ],
    )
    yield (
        "col_mails",
        ("col_mail", "col_address", "col_state", "col_when", "col_became"),
        [
            (
                text(f"purpose_{each.purpose}"),
                each.to or "-",
                text(f"state_{each.state}"),
                moment(each.sent_at, to) if each.sent_at else "-",
                text(f"fate_{each.fate}") if each.fate else "-",
            )
            for each in told.mails
        ],
    )
    yield (
        "col_payments",
        ("col_payment", "col_state", "col_amount", "col_when"),
        [
            (
                ", ".join(each.names),
                text(f"standing_{each.standing}".replace(" ", "_")),
                " ".join(filter(None, (each.currency, each.amount))) or "-",
                moment(each.at, to),
            )
            for each in told.payments
        ],
    )


def who_said(name: str) -> str:
    return text(f"who_{name}") if name in keys.RESERVED else name


def _with_words(what: Said, words: str, to: Reader) -> str:
    return sentence(what, to) + (f": {words}" if words else "")


def _days(first: date | None, last: date | None, to: Reader) -> str:
    """A period as one reads it; `-` for one that is not known."""
    return " - ".join(day(each, to.language) for each in (first, last) if each) or "-"


@order_group.command("resend")
@_order
@click.option("--to", "elsewhere", metavar="ADDRESS", help="To another address, once; `-` asks for it or reads it.")
@click.option("--license", "license_id", metavar="LICENSE", help="This licence only.")
@click.option("--lift-suppression", "lift", is_flag=True, help="First lift the block of the address after a bounce.")
@confirmed_option
@who.reason
@who.agent
@lang
@stack_option
def resend_order(  # noqa: PLR0913 - each is an argument or an option of the command
    order_id: str,
    elsewhere: str | None,
    license_id: str | None,
    why: str,
    agent: str | None,
    stack: str | None,
    *,
    lift: bool,
    confirmed: bool,
) -> None:
    """Send the customer of ORDER again all that was sent; or one licence, or to another address once."""
    only = support.Only(elsewhere and given_address(elsewhere, confirmed=confirmed), license_id)
    if lift and only != support.ALL:
        raise InvalidInput("lift_with_all_only")
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    by, desk = who.asked(to, why, agent), to.desk
    if only == support.ALL:
        mail = desk.resend(order_id, by, to.mailer, lift=lift)
    else:
        mail = desk.resend_only(order_id, only, by, to.mailer)
    say("mail_asked" if mail else "mail_by_itself", order=order_id, mail=mail and mail.id)


@order_group.command("hold")
@_order
@who.reason
@who.agent
@lang
@stack_option
def hold_order(order_id: str, why: str, agent: str | None, stack: str | None) -> None:
    """Hold ORDER, so that nothing is sent for it."""
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    who.change(to, order_id, support.hold, why, agent)
    say("order_held", order=order_id)


@order_group.command("release")
@_order
@who.reason
@who.agent
@lang
@stack_option
def release_order(order_id: str, why: str, agent: str | None, stack: str | None) -> None:
    """Release ORDER, for whatever reason it was held."""
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    who.change(to, order_id, support.release, why, agent)
    say("order_released", order=order_id)


@order_group.command("close")
@_order
@click.option("--reason", "why", metavar="TEXT", required=True, help="What was done about it, or why it is not ours.")
@who.agent
@lang
@stack_option
def close_order(order_id: str, why: str, agent: str | None, stack: str | None) -> None:
    """Say that what ORDER asks a person for has been done. What becomes known later opens it again."""
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    to.desk.close(order_id, who.asked(to, why, agent))
    say("order_closed", order=order_id)


@order_group.command("address")
@_order
@confirmed_option
@who.reason
@who.agent
@lang
@stack_option
def correct_address(order_id: str, why: str, agent: str | None, stack: str | None, *, confirmed: bool) -> None:
    """Change the address of ORDER and of the renewals that follow it. Asks for it, or reads it from standard input."""
    email = given_address("-", confirmed=confirmed)
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    changed = to.desk.correct_address(order_id, email, who.asked(to, why, agent))
    say("address_changed_for", orders=changed)


@order_group.command("swap")
@_order
@click.argument("license_id", metavar="LICENSE")
@click.argument("why", type=click.Choice(support.BAD_CODE_REASONS), metavar="WHY")
@click.option("--note", default="", metavar="TEXT", help="For the claim at the distributor.")
@who.agent
@lang
@stack_option
def swap_code(order_id: str, license_id: str, why: str, note: str, agent: str | None, stack: str | None) -> None:
    """Give LICENSE of ORDER another code and mail it. WHY: "already used", "wrong region" or "invalid"."""
    to = stacks.connect_to_write(stack)
    order_id = to.number(order_id)
    to.desk.swap_code(order_id, license_id, why, who.asked(to, note, agent))
    say("code_is_swapped", license=license_id)


def typed_address() -> str:
    """The address that somebody types. InvalidInput if SES cannot use it."""
    return _address(_typed(text("ask_address")))


def given_address(given: str, *, confirmed: bool) -> str:
    """The address that an option gives, or that somebody types if that is `-`. InvalidInput if SES cannot use it, or if
    it looks like a typing error."""
    email = typed_address() if given == "-" else _address(given)
    if not confirmed and (meant := likely_meant(email)):
        raise InvalidInput("probably_mistyped", meant=meant)
    return email


def _address(given: str) -> str:
    try:
        return email_address(given)
    except ValueError:
        raise InvalidInput("address_unusable") from None


def _typed(ask: str) -> str:
    typed: str = click.prompt(ask, err=True) if sys.stdin.isatty() else sys.stdin.read()
    return typed.strip()


def reader_of(to: stacks.Stack) -> Reader:
    return speech().reader(names_of(to.store.catalog().values(), speech().language), to.zone)


def _titles(*names: str) -> list[str]:
    return [text(name) for name in names]


def _day(at: datetime | None, to: Reader) -> str:
    return day(at.astimezone(to.zone).date(), to.language) if at else "-"
