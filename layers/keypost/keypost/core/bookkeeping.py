"""What happened to an order, as a bookkeeper counts it: a payment came in, money went back, a license was sent."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from keypost.core.frozen import dataclass
from keypost.core.mail import MailState
from keypost.core.order import Beside, License, Order, TimelineEntry
from keypost.core.payment import Payment, PaymentState, Standing
from keypost.core.telling import IMPORT

_NOTHING = Decimal(0)
_MONEY_BACK = ("payment_refunded", "payment_partly_refunded")
_MONEY_IS_BACK = "payment_paid"  # of a payment of which money had gone back: a refund failed


class What(StrEnum):
    PAID = "paid"
    RETURNED = "returned"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Happened:
    what: What
    at: datetime
    payment: Payment | None = None
    amount: Decimal | None = None  # in the payment's currency; what went back is negative
    license: License | None = None


def happened(order: Order, beside: Beside) -> list[Happened]:
    """All that happened to an order, the oldest first."""
    return sorted((*money_of(order, beside), *_sent(order)), key=lambda each: each.at)


def money_of(order: Order, beside: Beside = Beside()) -> Iterator[Happened]:  # noqa: B008 - a frozen value
    """The money that came and went back, by payment. What came before Keypost is in the books already."""
    for payment in order.settled:
        if payment.state is PaymentState.PAID and IMPORT not in payment.tellers:
            amount = Decimal(payment.amount) if payment.amount else None
            yield Happened(What.PAID, payment.at, payment, amount)
        yield from _returned(payment, (*beside.timeline, *order.timeline))


def _returned(payment: Payment, timeline: tuple[TimelineEntry, ...]) -> Iterator[Happened]:
    """Each time that more of a payment went back, or some came again. Tellers say how much went back by then, all
    refunds together; the timeline knows when each was told."""
    total, last = _NOTHING, payment.at
    for entry in timeline:
        if f"{entry.values.get('provider')}:{entry.values.get('payment')}" in payment.names:
            back = _back_by(entry, total)
            if back != total:
                yield Happened(What.RETURNED, entry.at, payment, total - back)
                last = entry.at
            total = back
    is_whole = payment.standing is Standing.REFUNDED and payment.amount
    now = Decimal(payment.amount or 0) if is_whole else payment.returned
    if now != total:  # the timeline does not have it
        moments = [each.as_of for each in payment.refunded] + [each.as_of for each in payment.disputes]
        yield Happened(What.RETURNED, max([last, *moments]), payment, total - now)


def _back_by(entry: TimelineEntry, total: Decimal) -> Decimal:
    """How much of a payment had gone back when this was told."""
    if entry.code == _MONEY_IS_BACK:
        return _NOTHING
    if entry.code not in _MONEY_BACK:
        return total
    return Decimal(str(entry.values.get("amount", "")).rpartition(" ")[2] or total)


def _sent(order: Order) -> Iterator[Happened]:
    """Each license once, at the moment at which SES accepted the first mail that had it."""
    sent = sorted(
        (mail for mail in order.mails if mail.holds_codes and mail.sent_at), key=lambda mail: _at(mail.sent_at)
    )
    before = [mail for mail in sent if mail.state is MailState.BEFORE]
    seen = set(order.licenses_of(before))
    for mail in sent:
        for license_id in sorted(order.licenses_of([mail]) - seen):
            yield Happened(What.SENT, _at(mail.sent_at), license=order.license(license_id))
            seen.add(license_id)


def _at(moment: datetime | None) -> datetime:
    return moment or datetime.max.replace(tzinfo=UTC)


def month_of(text: str) -> tuple[date, date]:
    """The first day of a month such as 2026-11, and the first one of the month after it. ValueError if it is none."""
    first = date.fromisoformat(f"{text}-01")
    return first, date(first.year + first.month // 12, first.month % 12 + 1, 1)
