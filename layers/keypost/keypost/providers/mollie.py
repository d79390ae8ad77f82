"""Mollie: its calls, its events, and its lists. They only name an object, which Keypost then fetches: what that says
now counts."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import filterfalse
from typing import Any
from urllib.parse import parse_qs

from keypost import telemetry
from keypost.core.errors import (
    InvalidInput,
    ProviderForbidden,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnreadable,
    SignatureRefused,
)
from keypost.core.frozen import dataclass
from keypost.core.payment import News, PaymentNotice, Remark
from keypost.core.said import Said, said
from keypost.inputs.strict_json import parse_object
from keypost.providers import refusals
from keypost.providers.call import Call
from keypost.providers.mollie_notices import (
    invoiced,
    is_of_profile,
    noticed,
    paid_by_link,
    paid_by_order,
    payment_with,
    remark,
    reversed_unseen,
    word,
)
from keypost.providers.mollie_objects import (
    INVOICE,
    LATEST_PAID,
    LINK,
    ORDER,
    PAYMENT,
    Invoice,
    Link,
    Payment,
    ask,
    embedded_in,
    is_id,
    listed,
    moment_of,
    objects,
    read,
)
from keypost.providers.order_card import read_metadata

_TOLD_AGAIN = timedelta(days=1)  # Mollie repeats an event for 26 hours
_TOLD_LATELY = timedelta(hours=26)
_LONGEST_OPEN = timedelta(days=100)  # a link or an invoice that is paid later than this is found by its event only
_MOST_UNANSWERED = 3  # single objects, after which Mollie is taken to be down
# The lists of a run, in its order: what was created at most this long before it changed.
_LISTS = {
    "payments": LATEST_PAID,
    "payment-links": _LONGEST_OPEN,
    "sales-invoices": _LONGEST_OPEN,
    "refunds": LATEST_PAID,
    "chargebacks": LATEST_PAID,
}
_OPTIONAL_LISTS = ("payment-links", "sales-invoices")  # a shop that uses neither need not give us the right to see them
_OBJECTS = ("payment", "refund", "chargeback", "capture", "payment-link", "sales-invoice")
_NOT_LISTED = (400, 403, 422)  # the answers to a list that may not begin with an object, or that our key may not see
_PART_LISTS = {"re": "refunds", "chb": "chargebacks"}  # by the prefix of the ids in them
_OTHERS = ("payout", "balance-transaction", "business-account-transfer", "hook", "webhook", "ping")


def verify_token(call: Call, secrets: tuple[str, ...]) -> None:
    """Verify a classic call, which has no signature. The token in its URL prevents strangers from making us ask Mollie.
    It proves nothing, and need not, because the payment is fetched."""
    given = call.query.get("token", "").encode(errors="replace")
    if not any(hmac.compare_digest(given, secret.encode()) for secret in secrets):
        raise SignatureRefused("mollie_token_missing")


def verify_signature(call: Call, secrets: tuple[str, ...]) -> None:
    """Verify a next-generation call: HMAC over the body, twice in one header while a secret is rotated."""
    given = [
        part.strip().encode(errors="replace") for part in call.headers.get("x-mollie-signature", "").split(",")[:10]
    ]
    for secret in filter(None, secrets):
        right = b"sha256=" + hmac.new(secret.encode(), call.body, hashlib.sha256).hexdigest().encode()
        if any(hmac.compare_digest(right, signature) for signature in given):
            return
    raise SignatureRefused("signature_does_not_fit", header="X-Mollie-Signature")


def read_classic(call: Call) -> Sequence[News]:
    """Read a call that names a payment, or an order of the old Orders API. What Mollie does not know tells of nothing:
    a payment that Mollie's API does not show yet is left to the hourly run, because anybody can make up an id."""
    form = parse_qs(call.body.decode("utf-8", "replace"))
    (given,) = form.get("id", [""])[:1]
    if is_id(ORDER, given):
        return paid_by_order(call, given)
    if not is_id(PAYMENT, given):
        raise InvalidInput("mollie_no_payment")
    return _fetched(call, given)


def _fetched(call: Call, payment_id: str) -> list[News]:
    payment = payment_with(call, payment_id)
    return noticed(call, payment) if payment else []


@dataclass(frozen=True, slots=True)
class _Event:
    kind: str  # as in payment.paid
    entity_id: Any
    snapshots: Sequence[Mapping[str, Any]]  # of the entity, and of what belongs to it
    at: datetime | None

    @property
    def subject(self) -> str:
        return self.kind.partition(".")[0]

    @property
    def payment_id(self) -> str | None:
        """The payment that a refund or the like belongs to, as its snapshot says."""
        named = (thing.get(key) for thing in self.snapshots for key in ("paymentId", "id"))
        return next((each for each in (*named, self.entity_id) if is_id(PAYMENT, each)), None)


def read_event(call: Call) -> Sequence[News]:
    """Read an event, which names an entity."""
    with refusals.named(call.body, _order_in):
        return _read_event(call, _event(call.body))


def _order_in(given: Mapping[str, Any]) -> str:
    """The order that a snapshot in an event names."""
    shown = (given, *objects(list(embedded_in(given).values())))
    return next(filter(None, (read_metadata(each.get("metadata")).order_id for each in shown)), "")


def _read_event(call: Call, event: _Event) -> Sequence[News]:
    match event.subject:
        case "payment":
            return _of_payment(call, event, _needed(PAYMENT, event.entity_id))
        case "refund" | "chargeback" | "capture":
            return _of_part(call, event)
        case "payment-link":
            return _of_link(call, event, _needed(LINK, event.entity_id))
        case "sales-invoice":
            return _of_invoice(call, event, _needed(INVOICE, event.entity_id))
        case subject if subject in _OTHERS:
            return ()
    return [remark(call, said("mollie_unknown_event", kind=word(event.kind)))]


def _event(body: bytes) -> _Event:
    """The event in a body. Its snapshot stands under `entity` or under the name of its kind; a body may also be the
    bare entity."""
    given = parse_object(body)
    snapshots = objects(list(embedded_in(given).values()))
    if given.get("resource") == "event":
        return _Event(str(given.get("type")), given.get("entityId"), snapshots, moment_of(given, "createdAt"))
    if given.get("resource") not in _OBJECTS:
        raise InvalidInput("mollie_no_event")
    at = moment_of(given, "paidAt", "createdAt")
    return _Event(f"{given['resource']}.{_happened(given)}", given.get("id"), [given, *snapshots], at)


def _happened(entity: Mapping[str, Any]) -> str:
    """What has happened to an entity that comes without an event."""
    match entity["resource"]:
        case "payment-link":
            return "paid"
        case "chargeback":
            return "reversed" if entity.get("reversedAt") else "received"
    return str(entity.get("status"))


def _needed(kind: str, entity_id: Any) -> str:
    if not is_id(kind, entity_id):
        raise InvalidInput("mollie_no_id")
    return str(entity_id)


def _of_payment(call: Call, event: _Event, payment_id: str) -> Sequence[News]:
    try:
        payment = payment_with(call, payment_id)
    except ProviderForbidden:  # the operator has a day to give the key that right
        payment = None
    if payment is None:
        return _not_shown(call, event, payment_id)
    if not is_of_profile(call, payment.profile_id):
        return []
    news = noticed(call, payment)
    if not payment.shows(event.kind, event.entity_id):
        return [*_not_shown(call, event, payment_id), *news]
    if event.kind == "chargeback.reversed" and payment.embedded.chargebacks is None:
        return reversed_unseen(call, payment, news)
    return news


def _of_part(call: Call, event: _Event) -> Sequence[News]:
    """The payment of a refund, a chargeback or a capture. Without a snapshot (of a webhook that was made in the
    dashboard) a list of Mollie's API says which one that is. If it does not say that, the part is left to the hourly
    run, because after repeated refusals Mollie switches a webhook off, for payments too."""
    part = _name(event.entity_id)
    list_of_part = _PART_LISTS.get(part.partition("_")[0])
    try:
        payment_id = event.payment_id or (list_of_part and _payment_of_part(call, list_of_part, part))
    except ProviderRefused as error:
        if error.said.values.get("status") not in _NOT_LISTED:
            raise
        payment_id = list_of_part = None
    if payment_id:
        return _of_payment(call, event, payment_id)
    return _not_shown(call, event, part) if list_of_part else [remark(call, said("mollie_part_unknown", object=part))]


def _payment_of_part(call: Call, kind: str, part: str) -> str | None:
    """The payment of a refund or a chargeback, by the list that begins with it."""
    page = ask(call, f"/v2/{kind}", {"from": part, "limit": "1"}) or {}
    found = objects(embedded_in(page).get(kind))
    named = (each.get("paymentId") for each in found if each.get("id") == part)
    return next((str(each) for each in named if is_id(PAYMENT, each)), None)


def _name(given: Any) -> str:
    """The id of any object of Mollie's; a question mark in place of anything else."""
    return given if is_id("[a-z]{2,8}", given) else "?"


def _of_link(call: Call, event: _Event, link_id: str) -> Sequence[News]:
    try:
        found = ask(call, f"/v2/payment-links/{link_id}")
        news = paid_by_link(call, read(Link, found), call.now - _TOLD_LATELY) if found is not None else None
    except ProviderForbidden:
        return [_forbidden(call, link_id)]
    if news is None:
        return _not_shown(call, event, link_id) if event.kind == "payment-link.paid" else []
    return news


def _of_invoice(call: Call, event: _Event, invoice_id: str) -> Sequence[News]:
    try:
        found = ask(call, f"/v2/sales-invoices/{invoice_id}")
    except ProviderForbidden:
        return [_forbidden(call, invoice_id)]
    invoice = read(Invoice, found) if found is not None else None
    if not invoice or not invoice.was_paid:
        return _not_shown(call, event, invoice_id) if event.kind == "sales-invoice.paid" else []
    return invoiced(call, invoice)


def _not_shown(call: Call, event: _Event, object_id: str) -> list[News]:
    """Mollie's API does not show yet what an event says: Mollie has to tell it again. It does so for 26 hours. An event
    that is older is a replay, or is of something that was deleted; to refuse it for ever would switch the webhook
    off."""
    if event.at and call.now - event.at < _TOLD_AGAIN:
        raise ProviderUnavailable("mollie_not_shown_yet")
    payment_id = object_id if is_id(PAYMENT, object_id) else ""
    return [remark(call, said("mollie_never_shown", object=object_id, kind=word(event.kind)), payment_id)]


def _forbidden(call: Call, object_id: str) -> Remark:
    return remark(call, said("mollie_forbidden", object=object_id))


def recent(call: Call, since: datetime) -> Iterator[News]:
    """The payments that were paid since then, and those of which something was returned lately. A payment that does not
    say what it was for is left to its callback, because an account may receive money for other things too. What cannot
    be read is left out and remarked; the next runs look at it again while it is that new."""
    failed: list[ProviderUnavailable] = []
    for kind in _LISTS:
        try:
            yield from _of_list(call, kind, since)
        except ProviderForbidden:
            if kind == "payments":
                raise
            yield from _list_forbidden(call, kind)
        except ProviderUnavailable as error:  # the other lists may answer
            failed.append(error)
    if failed:
        raise failed[0]


def _list_forbidden(call: Call, kind: str) -> list[News]:
    telemetry.outcome("ListForbidden", list=kind)
    return [] if kind in _OPTIONAL_LISTS else [_forbidden(call, kind)]


def _of_list(call: Call, kind: str, since: datetime) -> Iterator[News]:
    """The news in a list. An object of which Mollie does not answer keeps none behind it from being found, unless that
    happens to several in a row."""
    unanswered = 0
    for found in listed(call, kind, since - _LISTS[kind]):
        try:
            news = _TOLD_BY[kind](call, found, since)
            unanswered = 0
        except (ProviderForbidden, ProviderUnavailable) as error:
            unanswered += not isinstance(error, ProviderForbidden | ProviderUnreadable)
            if unanswered > _MOST_UNANSWERED:
                raise
            news = [_left_out(call, found, error)]
        yield from news


def _left_out(call: Call, found: Any, error: ProviderForbidden | ProviderUnavailable) -> Remark:
    given = found.get("id") if isinstance(found, dict) else None
    object_id = _name(given)
    telemetry.outcome("PaymentUnreadable", payment_id=object_id)
    payment_id = object_id if is_id(PAYMENT, object_id) else ""
    return remark(call, _why_left_out(object_id, error), payment_id)


def _why_left_out(object_id: str, error: ProviderForbidden | ProviderUnavailable) -> Said:
    if isinstance(error, ProviderForbidden):
        return said("mollie_forbidden", object=object_id)
    return said("mollie_unreadable", object=object_id, why=error.said)


def _told_by_payment(call: Call, found: Any, since: datetime) -> Sequence[News]:
    payment = read(Payment, found)
    if not payment.was_paid_since(since):
        return ()
    if payment.has_moved_back and is_id(PAYMENT, payment.id):
        whole = payment_with(call, payment.id) or payment
        return [*filter(_says_what_it_was_for, noticed(call, whole))]
    return [*map(_in_brief, filter(_says_what_it_was_for, noticed(call, payment)))]


def _says_what_it_was_for(news: News) -> bool:
    if not isinstance(news, PaymentNotice):
        return True
    return bool(news.lines or news.problem or any(each.sku for each in news.charged))


def _in_brief(news: News) -> News:
    """The news without saying that nothing was returned, which would be a write for each payment in each run."""
    if isinstance(news, PaymentNotice) and news.refunded and not Decimal(news.refunded.amount or 0):
        return replace(news, refunded=None)
    return news


def _told_by_link(call: Call, found: Any, since: datetime) -> Sequence[News]:
    link = read(Link, found)
    is_ours = is_id(LINK, link.id) and is_of_profile(call, link.profile_id)
    if not is_ours or not link.may_be_paid_since(since):
        return ()
    news = paid_by_link(call, link, since) or ()
    return [*map(_in_brief, filterfalse(partial(_is_older, since=since), news))]


def _is_older(news: News, since: datetime) -> bool:
    """True for a payment before then, by the second."""
    return isinstance(news, PaymentNotice) and news.at < since.replace(microsecond=0)


def _told_by_invoice(call: Call, found: Any, since: datetime) -> Sequence[News]:
    invoice = read(Invoice, found)
    if not invoice.was_paid or not invoice.paid_at:
        return ()
    is_new = invoice.paid_at >= since - (timedelta() if invoice.status == "paid" else LATEST_PAID)
    return invoiced(call, invoice) if is_new else ()


def _told_by_part(call: Call, found: Any, _since: datetime) -> Sequence[News]:
    """The payment of a refund or a chargeback. It may be older than our first run: then it is news of a payment that we
    know, or nothing."""
    payment_id = found.get("paymentId") if isinstance(found, dict) else None
    if not is_id(PAYMENT, payment_id):
        raise ProviderUnreadable("provider_unreadable", why=said("field_missing", field="paymentId"))
    payment = payment_with(call, str(payment_id))
    if payment is None:
        return [remark(call, said("mollie_gone", object=payment_id), str(payment_id))]
    return [_of_known(news) for news in noticed(call, payment)]


def _of_known(news: News) -> News:
    return replace(news, state=None, order_id="", itemized=False) if isinstance(news, PaymentNotice) else news


_TOLD_BY = {
    "payments": _told_by_payment,
    "payment-links": _told_by_link,
    "sales-invoices": _told_by_invoice,
    "refunds": _told_by_part,
    "chargebacks": _told_by_part,
}


def confirm(call: Call, payment_id: str) -> PaymentNotice | None:
    """The payment that a shop names, as Mollie knows it; None if it does not."""
    return next((news for news in _fetched(call, payment_id) if isinstance(news, PaymentNotice)), None)
