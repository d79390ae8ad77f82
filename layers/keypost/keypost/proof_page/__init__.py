"""Proof of delivery: what a shop attaches when a payment is disputed. One page that prints well, with what is known of
an order and nothing else. Codes are masked."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path
from string import Template

from keypost.core.codes import masked
from keypost.core.finding import readable
from keypost.core.frozen import dataclass
from keypost.core.mail import Fate, Mail, MailState
from keypost.core.order import License, Order
from keypost.core.payment import Payment, PaymentState
from keypost.core.said import Said, said
from keypost.core.support import CUSTOMER
from keypost.core.telling import IMPORT
from keypost.words import Reader, day, moment, money, sentence

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8")


_CSS, _PAGE = _file("page.css"), Template(_file("page.html"))


@dataclass(frozen=True, slots=True)
class Seller:
    name: str
    address: str
    kvk: str = ""


def render(order: Order, seller: Seller, to: Reader, now: datetime) -> str:
    """The page, in the language of the reader, with moments in the shop's zone."""
    write = _Writer(to)
    title = write.say(said("proof_title", order=order.id))
    content = "\n".join(filter(None, _parts(order, seller, write, now)))
    return _PAGE.substitute(language=to.language, title=title, css=_CSS, content=content)


def _parts(order: Order, seller: Seller, write: "_Writer", now: datetime) -> Iterator[str]:
    yield f"<h1>{write.say(said('proof_title', order=order.id))}</h1>"
    yield write.line(", ".join(filter(None, (seller.name, seller.address))))
    if seller.kvk:
        yield write.line(sentence(said("proof_kvk", number=seller.kvk), write.to))
    yield write.line(sentence(said("proof_made", at=now, zone=str(write.to.zone)), write.to))
    if order.imported:
        yield write.line(sentence(said("proof_imported", at=order.imported.asked.at), write.to))
    yield write.table("proof_customer", ("proof_name", "proof_address"), _customer(order))
    yield write.table("proof_sold", ("proof_product", "proof_number", "proof_kind"), _sold(order, write))
    heads: tuple[str, ...] = ("proof_at", "proof_amount", "proof_by", "proof_payment", "proof_returned")
    yield write.table("proof_paid", heads, [_paid(payment, write) for payment in order.settled if _is_paid(payment)])
    heads = ("proof_license", "proof_product", "proof_code", "proof_from", "proof_until")
    yield write.table("proof_given", heads, [_license(each, write) for each in order.licenses])
    heads = ("proof_mail", "proof_address", "proof_holds", "proof_became")
    mails = [mail for mail in order.mails if mail.holds_codes and (mail.attempts or mail.sent_at)]
    yield write.table("proof_sent", heads, [_mail(order, mail, write) for mail in mails])
    yield write.table("proof_swapped", ("proof_at", "proof_license", "proof_code", "proof_why"), _swapped(order, write))
    yield write.line(write.say(said("proof_known")))


class _Writer:
    """Words and cells for one reader."""

    def __init__(self, to: Reader) -> None:
        self.to = to

    def say(self, what: Said) -> str:
        return escape(sentence(what, self.to))

    def day(self, value: date) -> str:
        return day(value, self.to.language)

    def moment(self, value: datetime | None) -> str:
        return moment(value, self.to) if value else ""

    def money(self, amount: str | None, currency: str | None) -> str:
        return money(f"{currency} {amount}", self.to.language) if amount and currency else ""

    def product(self, sku: str) -> str:
        return self.to.names.get(sku, sku)

    def line(self, text: str) -> str:
        return f'<p class="quiet">{escape(text)}</p>' if text else ""

    def table(self, title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        """Nothing if there are no rows."""
        names = [self.say(Said(head)) for head in heads]
        body = "".join(f"<tr>{''.join(map(self._cell, names, row))}</tr>\n" for row in rows)
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"
        return f"<h2>{self.say(Said(title))}</h2>\n{table}" if body else ""

    def _cell(self, name: str, text: str) -> str:
        return f'<td data-name="{name}">{escape(text)}</td>'


def _is_paid(payment: Payment) -> bool:
    """Of what an import tells nobody knows the money."""
    return payment.state is PaymentState.PAID and payment.tellers != {IMPORT}


def _customer(order: Order) -> Iterator[Sequence[str]]:
    if order.customer.email or order.customer.name:
        yield order.customer.name or "", readable(order.customer.email or "")


def _sold(order: Order, write: _Writer) -> Iterator[Sequence[str]]:
    for line in order.lines:
        yield write.product(line.sku), str(line.quantity), sentence(said(f"kind_{line.kind}"), write.to)


def _paid(payment: Payment, write: _Writer) -> Sequence[str]:
    told = [name for name in payment.names if not name.startswith(f"{IMPORT}:")]
    provider, _, name = told[0].partition(":")
    returned = str(payment.returned) if payment.returned else None
    return (
        write.moment(payment.at),
        write.money(payment.amount, payment.currency),
        sentence(said("provider_named", provider=provider), write.to),
        name,
        write.money(returned, payment.currency),
    )


def _license(each: License, write: _Writer) -> Sequence[str]:
    return each.id, write.product(each.sku), masked(each.code), write.day(each.first_day), write.day(each.last_day)


def _mail(order: Order, mail: Mail, write: _Writer) -> Sequence[str]:
    about = [sentence(said(f"purpose_{mail.purpose}"), write.to)]
    if mail.asked:
        who = "proof_asked_by_customer" if mail.asked.who == CUSTOMER else "proof_asked_by_shop"
        about.append(sentence(said(who, at=mail.asked.at), write.to))
    became = "; ".join(sentence(each, write.to) for each in _became(mail))
    became += f" {sentence(said('proof_id', id=mail.message_id), write.to)}" if mail.message_id else ""
    holds = ", ".join(sorted(order.licenses_of([mail])))
    return "; ".join(about), readable(mail.to or mail.sent_to or ""), holds, became


def _became(mail: Mail) -> Iterator[Said]:
    """What is known of a mail, in the order in which it happened; never more than was reported."""
    if mail.state is MailState.BEFORE:
        yield said("proof_before")
    elif mail.sent_at:
        yield said("proof_accepted", at=mail.sent_at)
    elif mail.state is MailState.FAILED:
        yield said("proof_refused")
    else:
        yield said("proof_not_known")
    for told in sorted(mail.told, key=lambda each: each.at or datetime.max.replace(tzinfo=UTC)):
        if told.fate in _FATES:
            where = {"server": told.server or None, "answer": told.answer or None}
            yield said(_FATES[told.fate], at=told.at, **where)


def _swapped(order: Order, write: _Writer) -> Iterator[Sequence[str]]:
    for bad in order.bad_codes:
        why = sentence(said(bad.reason.replace(" ", "_")), write.to)
        yield write.moment(bad.asked.at), bad.license, masked(bad.code), why


_FATES = {
    Fate.DELIVERED: "proof_delivered",
    Fate.DELAYED: "proof_delayed",
    Fate.RETURNED: "proof_came_back",
    Fate.REJECTED: "proof_rejected",
    Fate.BOUNCED: "proof_came_back",
    Fate.COMPLAINED: "proof_complained",
}
