"""`keypost order ...`, continued: what an order is for and who says so, the proof of delivery, and its mails as the
customer got them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from cli import stacks, tables, who
from cli.by_hand import lines_given
from cli.orders import given_address, order_group, stack_option
from cli.speech import lang, say, speech, text
from keypost import proof_page
from keypost.core import settling
from keypost.core.errors import InvalidInput, KeypostError, NotFound, Refused
from keypost.core.order import Order
from keypost.core.shop import Intake
from keypost.core.story import PaymentTold, Story, WordTold, skus_told, story
from keypost.emails import Shop, preview
from keypost.words import Reader, moment, names_of

_order = click.argument("order_id", metavar="ORDER")


@order_group.command("contents")
@_order
@click.option("--payment", metavar="PAYMENT", help="This payment says rightly what the order is for.")
@click.option("--by", metavar="TELLER", help="As this one says it, if those who tell of the payment differ.")
@click.option("--line", "lines", metavar="SKU[:QUANTITY]", multiple=True, help="What it is for instead.")
@click.option("--to", "email", metavar="ADDRESS", help="With --line: the customer's address; `-` asks for it.")
@click.option("--own-order", metavar="PAYMENT", help="This payment is an order of its own.")
@who.reason
@who.agent
@lang
@stack_option
def contents(  # noqa: PLR0913, PLR0917 - each is an argument or an option of the command
    order_id: str,
    payment: str | None,
    by: str | None,
    lines: tuple[str, ...],
    email: str | None,
    own_order: str | None,
    why: str,
    agent: str | None,
    stack: str | None,
) -> None:
    """Show what each teller says that ORDER is for; or settle it, with --payment, --line or --own-order."""
    wanted = [each for each in (payment, lines, own_order) if each]
    if len(wanted) > 1 or (by and not payment) or (email and not lines):
        raise InvalidInput("contents_not_one")
    if not wanted:
        _show_contents(stacks.connect(stack), order_id)
        return
    address = given_address(email, confirmed=True) if email else None
    to = stacks.connect_to_write(stack)
    order_id, asked = to.number(order_id), who.asked(to, why, agent)
    if own_order:
        own = to.desk.make_own_order(order_id, own_order, asked, Intake(to.currency, to.store.start(), to.zone))
        say("own_order_is_made", payment=own_order, order=own)
        return

    def settled(order: Order) -> Order:
        told = settling.told_by(order, payment, by) if payment else (lines_given(lines), address)
        return settling.settle(order, *told, asked, to.currency)

    to.desk.change(order_id, settled)
    say("contents_are_settled", order=order_id)


def _show_contents(to: stacks.Stack, typed: str) -> None:
    order = to.store.existing(to.number(typed))
    titles = ("col_payment", "col_state", "col_told_by", "col_products", "col_customer", "col_address", "col_amount")
    rows = [row for each in _story(to, order).payments for row in _words_of(each)]
    tables.show([text(title) for title in titles], rows)


def _words_of(payment: PaymentTold) -> Iterator[Sequence[str]]:
    """A line for each teller; the payment and its state stand in the first."""
    standing = text(f"standing_{payment.standing}".replace(" ", "_"))
    for number, word in enumerate(payment.told):
        yield (*((", ".join(payment.names), standing) if number == 0 else ("", "")), *_said(word))


def _said(word: WordTold) -> Sequence[str]:
    amount = " ".join(filter(None, (word.currency, word.amount)))
    return word.by, ", ".join(word.lines) or "-", word.name or "-", word.email or "-", amount or "-"


@order_group.command("proof")
@_order
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@lang
@stack_option
def proof(order_id: str, file: Path, stack: str | None) -> None:
    """Write the proof of delivery of ORDER into FILE, a page to print: what was sold, paid and sent, codes masked."""
    to = stacks.connect(stack)
    order = to.store.existing(to.number(order_id))
    seller = proof_page.Seller(*(to.parameters.get(name, "") for name in ("ShopName", "ShopAddress", "ShopKvk")))
    page = proof_page.render(order, seller, _reader_of(to, order), datetime.now(UTC).replace(microsecond=0))
    _write(file, page)
    say("proof_is_written", order=order.id, path=file)


@order_group.command("mail")
@_order
@click.argument("mail_id", metavar="MAIL", required=False)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Also write it as a page into this file.")
@lang
@stack_option
def mail(order_id: str, mail_id: str | None, html: Path | None, stack: str | None) -> None:
    """Show MAIL of ORDER as its customer got it or will get it, codes masked. Without MAIL, list its mails."""
    to = stacks.connect(stack)
    order = to.store.existing(to.number(order_id))
    if mail_id is None:
        _list_mails(_story(to, order), _reader_of(to, order))
        return
    found = next((each for each in order.mails if each.id == mail_id), None)
    if found is None:
        raise NotFound("no_such_mail", order=order.id)
    products = to.store.products({*order.skus, *(license_.sku for license_ in order.licenses)})
    try:
        message = preview(order, found, products, _shop(to), datetime.now(UTC).replace(microsecond=0))
    except (InvalidInput, KeyError):  # what it was about is not of this order any more, or left the catalog
        raise Refused("mail_not_shown", order=order.id) from None
    address = found.sent_to or found.to or order.customer.email
    for title, value in (
        ("col_sender", message["From"]),
        ("col_address", address),
        ("col_subject", message["Subject"]),
    ):
        click.echo(f"{text(title)}: {value}")
    body, page = message.get_body(("plain",)), message.get_body(("html",))
    click.echo(f"\n{body.get_content() if body else ''}")
    if html and page:
        _write(html, page.get_content())


def _story(to: stacks.Stack, order: Order) -> Story:
    return story(order, datetime.now(UTC), to.zone, to.store.beside(order), _reader_of(to, order).names)


def _list_mails(told: Story, to: Reader) -> None:
    rows = [
        (
            each.id,
            text(f"purpose_{each.purpose}"),
            text(f"state_{each.state}"),
            moment(each.sent_at, to) if each.sent_at else "-",
            text(f"fate_{each.fate}") if each.fate else "-",
        )
        for each in told.mails
    ]
    tables.show([text(title) for title in ("col_mail", "col_kind", "col_state", "col_when", "col_became")], rows)


def _reader_of(to: stacks.Stack, order: Order) -> Reader:
    products = to.store.products(list(skus_told(order))).values()
    return speech().reader(names_of(products, speech().language), to.zone)


def _shop(to: stacks.Stack) -> Shop:
    """The shop as the stack's settings have it; the local stack's are those of its last start."""
    given = to.parameters
    return Shop(
        name=given.get("ShopName", ""),
        address=given.get("ShopAddress", ""),
        sender_address=to.sender,
        support_address=given.get("SupportAddress", ""),
        zone=to.zone,
        kvk_number=given.get("ShopKvk", ""),
        phone=given.get("ShopPhone", ""),
        logo_url=given.get("ShopLogo", ""),
        color=given.get("ShopColor", "#0b6e5b"),
        public_url=to.guide_url.removesuffix("/activate"),
    )


def _write(file: Path, content: str) -> None:
    try:
        file.write_text(content, "utf-8")
    except OSError:
        raise KeypostError("not_writable", path=file) from None
