"""The demonstration of a renewal. The days of the next year are played by a worker in this process, whose clock is set
to each of them. It uses the table, the stock and the mail of the deployed stack."""

import json
from datetime import UTC, date, datetime, timedelta, tzinfo

import click

from cli import tables
from cli.local.samples import SHOP
from cli.local.stack import LocalStack, Progress
from keypost import telemetry
from keypost.clients.mailer import Mailer, tag_value
from keypost.core.errors import KeypostError
from keypost.core.languages import DEFAULT
from keypost.core.mail import MailState, Purpose
from keypost.core.order import Order
from keypost.core.periods import morning_of
from keypost.use_cases.advance_order import Worker

_PAID, _UNPAID = "2027-000001", "2027-000002"
_LINE = {"sku": "KASPERSKY-STANDARD-3D-1Y", "quantity": 1}


def show_renewals(stack: LocalStack, sold: Order, progress: Progress) -> None:
    """Show two renewals, one paid ahead and one paid late. KeypostError says what did not happen."""
    progress("Selling a second license and renewing both, one paid and one an open invoice")
    _tell(stack, "order.paid", "2026-009999", _LINE)
    stack.order_when("2026-009999", lambda order: bool(order.licenses))
    _tell(stack, "order.paid", _PAID, _LINE | {"kind": "renewal", "renews": sold.id})
    _tell(stack, "order.open", _UNPAID, _LINE | {"kind": "renewal", "renews": "2026-009999"})
    paid = stack.order_when(_PAID, _is_told)
    unpaid = stack.order_when(_UNPAID, lambda order: bool(order.terms))
    zone = SHOP.zone
    mail_day = paid.terms[0].mail_at.astimezone(zone).date()

    progress("Letting the days pass")
    click.echo(f"\nThe license of order {sold.id} ends on {sold.licenses[0].last_day}; two renewals follow it:")
    click.echo(f"  today       {_PAID} is paid and waits for its day; {_UNPAID} is not paid")
    for day, orders in ((mail_day - timedelta(days=1), ()), (mail_day, (_PAID,)), (mail_day + timedelta(days=1), ())):
        _expect(stack, day, zone, orders)
    _tell(stack, "order.paid", _UNPAID, _LINE | {"kind": "renewal", "renews": "2026-009999"})
    stack.order_when(_UNPAID, _is_told)  # for the deployed worker it is paid a year ahead, too
    _expect(stack, mail_day + timedelta(days=2), zone, (_UNPAID,))
    first = unpaid.terms[0].first_day
    told = f"Both new periods start on {first}, seven days after {mail_day}: each got one mail with its code,"
    click.echo(tables.paragraph(f"{told} paid ahead or late."))


def _is_told(order: Order) -> bool:
    """Whether the customer has been told when the code comes: the days begin to pass only then."""
    return any(mail.purpose is Purpose.PAID_AHEAD and mail.state is MailState.SENT for mail in order.mails)


def _expect(stack: LocalStack, day: date, zone: tzinfo, expected: tuple[str, ...]) -> None:
    """Run the daily rule on `day`. KeypostError if it does not send exactly the mails of the `expected` orders."""
    before = len(stack.mailbox.mails)
    telemetry.logger.setLevel("WARNING")  # the log of the worker would hide the demonstration
    worker = _worker(stack, morning_of(day, zone))
    for order_id in (_PAID, _UNPAID):
        worker.advance(order_id)
    sent = stack.mailbox.mails[before:]
    subjects = "; ".join(mail.subject.strip() for mail in sent)
    if {mail.tags["order"] for mail in sent} != {tag_value(order_id) for order_id in expected}:
        raise KeypostError(f"on {day} these mails were sent: {subjects}")
    click.echo(tables.paragraph(f"{day}  {subjects or 'no mail'}", "  "))


def _worker(stack: LocalStack, now: datetime) -> Worker:
    mailer = Mailer(stack.session.session.client("sesv2", endpoint_url=stack.mailbox.url), "demo")
    return Worker(stack.stack.store, stack.stack.queue, mailer, SHOP, lambda: now)


def _tell(stack: LocalStack, kind: str, order_id: str, line: dict[str, object]) -> None:
    data: dict[str, object] = {
        "order_id": order_id,
        "currency": "EUR",
        "amount": "39.95",
        "email": "facturen@klant.example",
    }
    data |= {"name": "Anna Jansen", "language": DEFAULT, "test": True, "lines": [line]}
    body = {"type": kind, "timestamp": datetime.now(UTC).isoformat(timespec="seconds"), "data": data}
    status, answer = stack.shop_calls(json.dumps(body).encode(), f"msg_{order_id}_{kind}")
    if status != 204:  # noqa: PLR2004
        raise KeypostError(f"the callback was answered {status} {answer}")
