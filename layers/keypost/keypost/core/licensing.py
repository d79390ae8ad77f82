"""Give codes to an order and take them back. Each function gets an order and returns the changed order."""

import base64
import hashlib
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, tzinfo

from keypost.core.codes import StockCode, key_of
from keypost.core.mail import Mail, MailState
from keypost.core.mailing import claim_mail, owe_mail
from keypost.core.obstacles import is_servable, obstacle
from keypost.core.order import License, Order, Reason, Reminder, noted, without_waits
from keypost.core.owed import Delivery, deliveries, missing
from keypost.core.periods import local_day, period_from
from keypost.core.product import Product
from keypost.core.renewals import reminders_of


def with_codes(  # noqa: PLR0913 - all that decides it
    order: Order,
    codes: Iterable[StockCode],
    products: Mapping[str, Product],
    now: datetime,
    zone: tzinfo,
    delivery: Delivery | None = None,
    *,
    may_mail: bool = True,
) -> Order:
    """Give codes to the lines of a delivery (by default the first) that lack them. Each license gets the period of its
    term; a purchase without one runs from the day of payment, unless the order card names a period. If no line lacks a
    code then, and the time of the mail has come, the mail is added and claimed for its first attempt."""
    delivery = delivery or deliveries(order)[0]
    bought_on = local_day(order.paid_at or now, zone)
    supply: defaultdict[str, deque[StockCode]] = defaultdict(deque)
    for code in codes:
        supply[code.sku].append(code)
    given: list[License] = []
    reminders: list[Reminder] = []
    for number, line, count in missing(order, delivery.lines):
        days = _period(order, number, bought_on, products[line.sku])
        taken = [supply[line.sku].popleft() for _ in range(min(count, len(supply[line.sku])))]
        given += [
            License(license_id(order.id, number, c.digest), number, line.sku, c.code, *days, c.case_counts)
            for c in taken
        ]
        if number not in {reminder.line for reminder in order.reminders}:
            reminders += reminders_of(number, days[1], products[line.sku], zone)
    order = replace(order, licenses=(*order.licenses, *given), reminders=(*order.reminders, *reminders))
    order = noted(order, now, "codes_assigned", count=len(given))
    if missing(order, delivery.lines):
        return order
    order = without_waits(order, Reason.STOCK, Reason.PRODUCT, lines=delivery.lines)
    return with_mail_of(order, delivery, now) if may_mail and delivery.mail_at <= now else order


def _period(order: Order, number: int, bought_on: date, product: Product) -> tuple[date, date]:
    """The first and the last day of the licenses of a line."""
    line, term = order.line(number), order.term(number)
    if term:
        return term.first_day, term.last_day
    first, last = period_from(line.period_start or bought_on, product.term_days)
    return first, line.period_end or last


def with_mail_of(order: Order, delivery: Delivery, now: datetime) -> Order:
    """Add the mail of a delivery, claimed for its first attempt."""
    order = without_waits(order, Reason.STOCK, Reason.PRODUCT, Reason.RENEWS, lines=delivery.lines)
    owed = owe_mail(order, delivery.purpose, now, delivery.lines)
    return claim_mail(owed, owed.mails[-1].id, now)


def license_id(order_id: str, line: int, digest: str) -> str:
    """An id that is short enough to read out, the same on every try for the digest of a code, of which it says
    nothing."""
    seed = hashlib.sha256(f"{order_id}/{line}/{digest}".encode()).digest()
    return "LIC-" + base64.b32encode(seed)[:10].decode()


def traces(order: Order, mail: Mail) -> list[str]:
    """What a log says of the codes in a mail: for each the id that its license would have had with it from the first,
    since a code may have been swapped. Without the code it leads nowhere; with all codes at hand, it finds the one."""
    told = order.licenses_of([mail]) if mail.holds_codes else frozenset[str]()
    return [license_id(order.id, one.line, key_of(one)) for one in order.licenses if one.id in told]


def with_codes_returned(order: Order, returned: Collection[str], now: datetime) -> Order:
    """Take back the licenses with these ids, whose mail was never sent. The caller returns their codes to stock."""
    kept = tuple(license_ for license_ in order.licenses if license_.id not in returned)
    untrue = _untrue(order, kept)
    mails = tuple(m for m in order.mails if m.state is not MailState.PENDING or m.purpose.is_notice or m not in untrue)
    order = replace(order, licenses=kept, mails=mails)
    return noted(order, now, "codes_returned", count=len(returned), why=obstacle(order))


def _untrue(order: Order, kept: tuple[License, ...]) -> tuple[Mail, ...]:
    """The mails that tell of nothing that is still there."""
    if not is_servable(order):
        return order.mails
    lines = {license_.line for license_ in kept} & order.numbered.keys()
    return tuple(mail for mail in order.mails if mail.holds_codes and lines.isdisjoint(order.lines_of([mail])))


def with_codes_exchanged(order: Order, ran_out: Collection[str], now: datetime) -> Order:
    """Take back the licenses with these ids, whose codes can no longer be activated because their mail was kept back.
    Other codes are assigned in their place."""
    kept = tuple(license_ for license_ in order.licenses if license_.id not in ran_out)
    return noted(replace(order, licenses=kept), now, "codes_exchanged", count=len(ran_out))
