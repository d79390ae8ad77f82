"""The decision: where does this order stand, and what is the one next thing to do? Pure, and level-triggered:
it looks at what is, not at what woke it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from keypost.models import MailState, Order, Reason, Standing
from keypost.orders import MONEY_BACK, missing

MAIL_UNKNOWNS = 5  # attempts of unknown outcome, each of which may have reached the customer
MAIL_ATTEMPTS = 5  # after so many, somebody should know that it does not leave


@dataclass(frozen=True, slots=True)
class AssignCodes:
    needed: tuple[tuple[str, int], ...]  # sku, how many


@dataclass(frozen=True, slots=True)
class WaitForProduct:
    skus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendMail:
    mail_id: str


@dataclass(frozen=True, slots=True)
class DoubtMail:
    """The lease of an attempt ran out: whoever sent it is gone, and nobody knows whether SES took it."""

    mail_id: str


@dataclass(frozen=True, slots=True)
class GiveUpMail:
    mail_id: str


@dataclass(frozen=True, slots=True)
class ReturnCodes:
    """The order was refunded before its codes left: they can be sold again."""


Step = ReturnCodes | AssignCodes | WaitForProduct | SendMail | DoubtMail | GiveUpMail


def plan(order: Order, products: Collection[str], now: datetime) -> Step | None:
    """The next step for an order, given the SKUs that the catalog knows; None when there is nothing to do now."""
    if step := _end_of_lease(order, now):
        return step
    if _returnable(order):
        return ReturnCodes()
    if not _servable(order):
        return None
    if lacking := missing(order):
        if unknown := tuple(sku for sku in order.skus if sku not in products):
            return WaitForProduct(unknown)
        needed: dict[str, int] = {}
        for _, line, count in lacking:
            needed[line.sku] = needed.get(line.sku, 0) + count
        return AssignCodes(tuple(needed.items()))
    for mail in order.mails:
        if mail.state in (MailState.PENDING, MailState.UNKNOWN) and mail.next_at and mail.next_at <= now:
            spent = mail.state is MailState.UNKNOWN and mail.unknowns >= MAIL_UNKNOWNS
            return GiveUpMail(mail.id) if spent else SendMail(mail.id)
    return None


def _end_of_lease(order: Order, now: datetime) -> DoubtMail | None:
    for mail in order.mails:
        if mail.state is MailState.SENDING and mail.next_at and mail.next_at <= now:
            return DoubtMail(mail.id)
    return None


def _servable(order: Order) -> bool:
    return order.is_paid and order.problem is None and not order.canceled and order.belongs_to is None


def _returnable(order: Order) -> bool:
    return order.standing is Standing.REFUNDED and bool(order.licenses) and not order.code_left


def next_due(order: Order) -> datetime | None:
    """The order's clock: the next moment at which `plan` may have a step for it, None when only a new fact can
    give it one."""
    leases = [mail.next_at for mail in order.mails if mail.state is MailState.SENDING]
    if _returnable(order):
        moments = [order.paid_at]
    elif not _servable(order):
        moments = leases
    elif missing(order):
        moments = [*leases, order.waiting.retry_at if order.waiting else order.paid_at]
    else:
        moments = [mail.next_at for mail in order.mails]
    return min((moment for moment in moments if moment), default=None)


def attention(order: Order) -> tuple[Reason, datetime] | None:
    """Why an order that the customer paid for needs a person or stock, and since when."""
    since = order.paid_at
    if since is None or order.belongs_to:
        return None
    if order.standing in MONEY_BACK:
        return (Reason.BLOCK, since) if order.code_left else None
    if order.standing is Standing.PARTLY_REFUNDED:
        return None if order.code_left else (Reason.HOLD, since)
    if order.is_paid_twice:
        return Reason.PAID_TWICE, since
    if not _servable(order):
        return None if order.code_left else (Reason.HOLD, since)
    if order.waiting:
        return order.waiting.reason, order.waiting.since
    for mail in order.mails:
        if mail.state is MailState.FAILED or (mail.attempts >= MAIL_ATTEMPTS and mail.next_at):
            return Reason.MAIL, since
    return None
