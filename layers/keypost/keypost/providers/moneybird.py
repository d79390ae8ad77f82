"""Moneybird: signed webhooks about invoices, and its lists of invoices, which the hourly run reads. Both show the whole
invoice as of its last change. A paid invoice is an order if the description of a line has a SKU between square
brackets."""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from keypost import telemetry
from keypost.core.errors import InvalidInput, SignatureRefused
from keypost.core.payment import (
    REMOVED,
    Charged,
    Dispute,
    DisputeState,
    News,
    PaymentNotice,
    PaymentState,
    Refunded,
    Remark,
)
from keypost.core.product import Kind, Line
from keypost.core.references import spelled
from keypost.core.said import Said, said
from keypost.inputs.addresses import usable_address
from keypost.inputs.faults import first_fault
from keypost.inputs.strict_json import parse_object
from keypost.providers import refusals
from keypost.providers.call import Call
from keypost.providers.listed import pages
from keypost.providers.order_card import (
    ORDER_ID,
    SKU,
    CardLine,
    Language,
    clean_name,
    full_name,
)

_TOLERANCE_SECONDS = 300
_PAID = {"sales_invoice_state_changed_to_paid", "external_sales_invoice_state_changed_to_paid"}
_INVOICES = {"SalesInvoice", "ExternalSalesInvoice"}
# The actions that change no order, as a webhook for all actions gets them too: what the bookkeeper does beside invoices
# of customers, the steps of an invoice before it is paid, and what another action says too. An action that is neither
# read nor here stands in the inbox: it may be of money.
_CHANGES_NOTHING = re.compile(
    "(administration|advisers?|adyen|booking_rule|contact|credit_invoice|default|direct_bank_link|direct_debit|document"
    "|email_domain|estimate|feature_preference|feed_entry|financial|goal|identity|ledger_account|mollie|note|order"
    "|ponto|product|project|purchase|recurring_sales_invoice|subgoal|tax_rate|time_entry|todo|ultimate|user|vat"
    "|workflow)_.*"
    "|test_webhook"
    "|subscription_(created|edited|updated)"
    "|(send_)?payment_(email|unsuccessful_email|linked_to_financial_mutation|method_edited|registered|send_email)"
    "|payment_transaction_(authorized|awaiting.*|batch.*|executing|paid|pending|technically_validated)"
    "|(external_)?sales_invoice_(created.*|marked_as_dubious|paused|unpaused|revert.*|send_.*|updated"
    "|state_changed_to_(draft|late|open|pending_payment|reminded|scheduled))"
)
_TAG = re.compile(rf"\[({SKU.pattern})\]")
_ANY_TAG = re.compile(r"\[([^\[\]\n]{1,80})\]")  # the core may know the SKU in another spelling
_QUANTITY = re.compile(r"([0-9]{1,9})(?:[.,]0{1,2})?(?: ?[xX])?")
_CODE = "[A-Z0-9]{4,8}(?: [A-Z0-9]{4,8}){2,7}"  # with spaces between its groups
_RENEWAL = re.compile(
    rf"(?i:verlenging|renewal):? +({ORDER_ID.pattern}(?:/[0-9]{{1,4}})?|{_CODE})|(LIC-[A-Z2-7]{{10}})"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PAGE = 50  # invoices; Moneybird gives at most 100
# The states of an invoice that is paid, or may have been paid before somebody removed its payment.
_LISTED = "paid|open|late|reminded|pending_payment|uncollectible"
# By the day of the invoice: how far back the hourly run looks for those that were paid lately. Moneybird can list sales
# invoices by their last change; of external invoices it lists all.
_LISTS = {"sales_invoices": timedelta(days=1100), "external_sales_invoices": timedelta(days=92)}


def verify(call: Call, secrets: tuple[str, ...]) -> None:
    """Verify a call. While the webhook is created, Moneybird tries the URL and needs a 200 before it shows the secret:
    such a call cannot be verified, and it changes nothing."""
    if is_trial(call):
        return
    header = call.headers.get("moneybird-signature", "")
    signed = _recent_stamp(header, call.now).encode() + b"." + call.body
    given = [value.encode("utf-8", "replace") for value in _values(header, "v1")]
    for secret in filter(None, secrets):
        right = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
        if any(hmac.compare_digest(right, signature) for signature in given):
            return
    raise SignatureRefused("signature_does_not_fit", header="Moneybird-Signature")


def _recent_stamp(header: str, now: datetime) -> str:
    """The timestamp that the signature covers, in seconds. SignatureRefused if it is too old or too new."""
    stamps = _values(header, "t")
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0]):
        raise SignatureRefused("signature_header_missing", header="Moneybird-Signature")
    if abs(now.timestamp() - int(stamps[0])) > _TOLERANCE_SECONDS:
        raise SignatureRefused("signature_too_old")
    return stamps[0]


def _values(header: str, wanted: str) -> list[str]:
    """The values of one key in a header like `t=1764000000,v1=5257a8`."""
    pairs = (part.strip().partition("=") for part in header.split(","))
    return [value for key, _, value in pairs if key == wanted]


def is_trial(call: Call) -> bool:
    try:
        return parse_object(call.body).get("action") == "test_webhook"
    except InvalidInput:
        return False


def _moment(given: Any) -> datetime | None:
    """The moment of a timestamp; a day counts as its noon. None for anything else, which is no reason to keep a code
    back."""
    text = f"{given}T12:00:00Z" if isinstance(given, str) and _DAY.fullmatch(given) else given
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


Id = Annotated[str, Field(pattern=r"^[0-9]{1,64}$")]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Money = Annotated[str, Field(pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$")]


class _Contact(BaseModel):
    send_invoices_to_email: Any = None
    email: Any = None
    firstname: Any = None
    lastname: Any = None
    company_name: Any = None

    @property
    def name(self) -> str | None:
        return full_name(self.firstname, self.lastname) or clean_name(self.company_name)


class _Detail(BaseModel):
    description: str | None = None
    amount: str | None = None
    period: str | None = None
    price: Any = None  # of one
    total_price_excl_tax_with_discount: Any = None

    @property
    def tags(self) -> list[str]:
        return list(dict.fromkeys(_TAG.findall(self.description or "")))

    @property
    def is_discount(self) -> bool:
        """True for a line that takes something off, or costs nothing: no license, though it may name one."""
        sums = map(_decimal, (self.price, self.total_price_excl_tax_with_discount))
        return any(each is not None and each <= 0 for each in sums)

    @property
    def names_license(self) -> bool:
        return bool(self.tags) and not self.is_discount

    @property
    def charged(self) -> Charged:
        text = self.description or ""
        tags = dict.fromkeys(_ANY_TAG.findall(text))
        total = _decimal(self.total_price_excl_tax_with_discount)
        quantity = _quantity(self.amount)
        return Charged(
            sku="+".join(tags),  # two on one line are no SKU
            quantity=int(quantity) if quantity.isdecimal() else 1,  # of work by the hour it does not matter
            name=" ".join(text.split())[:200],
            total=None if total is None else str(total),
        )


def _decimal(given: Any) -> Decimal | None:
    text = str(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else ""
    return Decimal(text) if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,12})?", text) else None


class _Payment(BaseModel):
    credit_invoice_id: Any = None
    created_at: Moment = None  # when it was entered, which may be days after it was made


class _Invoice(BaseModel):
    id: Id
    invoice_id: Any = None  # the invoice's number; an external invoice has none
    state: str
    original_sales_invoice_id: Any = None  # of a credit note
    reference: str | None = None
    language: Language = None
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    total_price_incl_tax: Money
    paid_at: Moment = None
    updated_at: Moment = None
    contact: _Contact | None = None
    details: list[_Detail] = []
    payments: list[_Payment] = []

    def as_of(self, now: datetime) -> datetime:
        """When it was as it is: at its last change, or now if that is not said."""
        return self.updated_at or now

    @property
    def is_paid(self) -> bool:
        return self.state == "paid"

    @property
    def is_credit_note(self) -> bool:
        return Decimal(self.total_price_incl_tax) < 0

    @property
    def may_be_ours(self) -> bool:
        """False for an invoice of other work."""
        return any(_ANY_TAG.search(detail.description or "") for detail in self.details)

    @property
    def is_credited(self) -> bool:
        return any(payment.credit_invoice_id for payment in self.payments)

    @property
    def entered_at(self) -> datetime | None:
        """When its last payment was entered; None if that is not said."""
        return max((payment.created_at for payment in self.payments if payment.created_at), default=None)


class _DestroyedPayment(BaseModel):
    invoice_type: str
    invoice_id: Id  # the id of the invoice, not its number


def read(call: Call) -> Sequence[News]:
    """Read a call. A payment that was removed is an open dispute, which the next payment settles: a person decides, and
    nothing is revoked."""
    with refusals.named(call.body, _order_in):
        try:
            return _news(parse_object(call.body), call.now)
        except ValidationError as error:
            raise InvalidInput("callback_does_not_fit", why=first_fault(error)) from None


def _order_in(raw: Mapping[str, Any]) -> str:
    """The number of the invoice that a body shows; empty for anything else, such as a payment."""
    entity = raw.get("entity")
    shown = entity if isinstance(entity, dict) and str(raw.get("entity_type")) in _INVOICES else {}
    numbers = (shown.get(field) for field in ("invoice_id", "id"))
    return next((each for each in numbers if isinstance(each, str) and ORDER_ID.fullmatch(each)), "")


def _news(raw: dict[str, Any], now: datetime) -> Sequence[News]:
    action, entity, kind = str(raw.get("action")), raw.get("entity"), str(raw.get("entity_type"))
    destroyed = action.endswith("payment_destroyed")
    if destroyed and kind == "Payment":
        return _taken_back(_DestroyedPayment.model_validate(entity), now)
    if kind in _INVOICES and destroyed:
        return _without_payment(_Invoice.model_validate(entity), now)
    if kind in _INVOICES and action in _PAID:
        return _of_invoice(_Invoice.model_validate(entity), now)
    return _of_unread(raw, now)


def _of_unread(raw: Mapping[str, Any], now: datetime) -> Sequence[News]:
    """An action that nobody here reads: nothing, if it is known that it changes no order, or if it is of an invoice of
    other work."""
    action, kind, entity = str(raw.get("action")), str(raw.get("entity_type")), raw.get("entity")
    if _CHANGES_NOTHING.fullmatch(action):
        return ()
    if kind in _INVOICES and isinstance(entity, dict) and entity.get("details") and not _may_be_ours(entity):
        return ()
    name = action if re.fullmatch(r"[a-z0-9_]{1,80}", action) else "?"
    about = raw.get("entity_id")
    payment = f"moneybird:{about}" if kind in _INVOICES and re.fullmatch("[0-9]{1,64}", str(about)) else ""
    return (Remark("moneybird", now, said("moneybird_unknown_action", action=name), _order_in(raw), payment),)


def _may_be_ours(entity: Mapping[str, Any]) -> bool:
    """Whether a line of an invoice may name a license, or cannot be read."""
    try:
        return _Invoice.model_validate(entity).may_be_ours
    except ValidationError:
        return True


def _without_payment(invoice: _Invoice, now: datetime) -> Sequence[News]:
    """The news of an invoice of which a payment was removed: none if another payment has paid it."""
    if invoice.is_credit_note or invoice.is_paid or not invoice.may_be_ours:
        return ()
    return (_undone(invoice, now),)


def _of_invoice(invoice: _Invoice, now: datetime) -> Sequence[News]:
    """The news of an invoice that was paid, by what it says now."""
    if invoice.is_credit_note:
        return _credited(invoice, now) if invoice.is_paid else ()
    if not invoice.may_be_ours:
        return ()
    if not invoice.is_paid:
        why = said("invoice_not_paid_any_more", state=re.sub("[^a-z_]", "", invoice.state)[:40])
        return (Remark("moneybird", now, why, _order_id(invoice), f"moneybird:{invoice.id}"),)
    return (_paid(invoice, now),)


def _credited(note: _Invoice, now: datetime) -> Sequence[News]:
    """Money that went back by a credit note. It is news of the invoice that the note names, if that is an order; a note
    that names none is found by nobody but a person."""
    original, as_of = note.original_sales_invoice_id, note.as_of(now)
    if isinstance(original, str) and re.fullmatch("[0-9]{1,64}", original):
        back = Refunded(as_of, str(abs(Decimal(note.total_price_incl_tax))), by=f"moneybird#{note.id}")
        known = PaymentNotice("moneybird", original, state=None, at=_whole(as_of, now), order_id="")
        return (replace(known, said=note.updated_at, refunded=back),)
    return (Remark("moneybird", now, said("credit_of_what"), "", f"moneybird:{note.id}"),) if note.may_be_ours else ()


def _whole(moment: datetime, now: datetime) -> datetime:
    return min(moment.replace(microsecond=0), now)


def _taken_back(payment: _DestroyedPayment, now: datetime) -> Sequence[PaymentNotice]:
    """The dispute for a removed payment, as of now, because the payment itself was last changed before its invoice was
    paid."""
    if payment.invoice_type not in _INVOICES:
        return ()
    dispute = Dispute(REMOVED, DisputeState.OPEN, now)
    return (PaymentNotice("moneybird", payment.invoice_id, state=None, at=now, order_id="", disputes=(dispute,)),)


def _undone(invoice: _Invoice, now: datetime) -> PaymentNotice:
    return PaymentNotice(
        provider="moneybird",
        payment_id=invoice.id,
        state=None,
        at=now,
        order_id=_order_id(invoice),
        said=invoice.updated_at,
        refers_to=_refers_to(invoice),
        disputes=(Dispute(REMOVED, DisputeState.OPEN, invoice.as_of(now)),),
    )


def _paid(invoice: _Invoice, now: datetime) -> PaymentNotice:
    contact = invoice.contact or _Contact()
    lines, problem = _lines(invoice)
    return replace(
        _undone(invoice, now),
        state=PaymentState.PAID,
        at=_whole(invoice.paid_at or now, now),
        amount=invoice.total_price_incl_tax,
        currency=invoice.currency,
        email=_email(contact),
        name=contact.name,
        language=invoice.language,
        lines=lines,
        problem=said("credit_note") if invoice.is_credited else problem,
        charged=tuple(detail.charged for detail in invoice.details),
        disputes=(Dispute(REMOVED, DisputeState.WON, invoice.as_of(now)),),
        itemized=not lines and not problem,
    )


def _refers_to(invoice: _Invoice) -> str:
    """The reference of an invoice, as it stands, unless it says what is renewed. A plug-in for bookkeeping puts the
    shop's order number there."""
    return "" if _renewed_by(invoice) else (invoice.reference or "").strip()[:64]


def _order_id(invoice: _Invoice) -> str:
    number = invoice.invoice_id
    return number if isinstance(number, str) and ORDER_ID.fullmatch(number) else invoice.id


def _email(contact: _Contact) -> str | None:
    """The customer's address for invoices (the first, if there are several), else the customer's own address."""
    given = (text for text in (contact.send_invoices_to_email, contact.email) if isinstance(text, str))
    return next((found for text in given for part in re.split("[,;]", text) if (found := _address(part))), None)


def _address(typed: str) -> str | None:
    """The address in what somebody typed: alone, behind a name (`"Jan" <jan@klant.example>`), or the first of several
    with spaces between them. None for what has several lines, which is no list of addresses."""
    if "\n" in typed or "\r" in typed:
        return None
    behind_name = re.findall("<([^<>]*)>", typed)
    return next(filter(None, map(usable_address, behind_name or [typed, *typed.split()])), None)


def _lines(invoice: _Invoice) -> tuple[tuple[Line, ...], Said | None]:
    """The lines that name a license and can be read, and why no program can serve the others."""
    renews = _renewed_by(invoice)
    lines, problem = [], None
    for number, detail in enumerate(invoice.details, start=1):
        if not detail.names_license:
            continue
        try:
            lines.append(_line(detail, renews))
        except ValidationError as error:
            problem = problem or said("invoice_line_does_not_fit", line=number, why=first_fault(error))
    return tuple(lines), problem


def _renewed_by(invoice: _Invoice) -> str | None:
    """The order, the line of an order or the license that an invoice renews, as its reference says."""
    found = _RENEWAL.fullmatch(spelled(invoice.reference or ""))
    return (found[1] or found[2]) if found else None


def _line(detail: _Detail, renews: str | None) -> Line:
    given = {
        "sku": "+".join(detail.tags),  # two tags on one line are no SKU
        "quantity": _quantity(detail.amount),
        "kind": Kind.RENEWAL if renews else Kind.NEW,
        "renews": renews,
    } | _period(detail.period)
    return CardLine.model_validate(given).line()


def _quantity(amount: str | None) -> str:
    """The quantity as text: `2`, `2 x`, `2,00` and `2.0` are 2, an empty text is 1. Any other text stays as it is, and
    is then refused as no whole number."""
    text = (amount or "").strip() or "1"
    found = _QUANTITY.fullmatch(text)
    return found[1] if found else text


def _period(period: str | None) -> dict[str, str]:
    """The first and the last day of `20261201..20271130`. Any other text, such as `202612`, gives days that CardLine
    refuses."""
    if not period:
        return {}
    first, _, last = (f"{part[:4]}-{part[4:6]}-{part[6:]}" for part in period.partition(".."))
    return {"period_start": first, "period_end": last}


def recent(call: Call, since: datetime) -> Iterator[News]:
    """The invoices that changed since then, and the credit notes. One that is not paid, or whose payment was entered
    before, is no sale to serve now: what it says is news of a payment that we know, or nothing."""
    for kind, period in _LISTS.items():
        for found in _listed(call, kind, since, period):
            try:
                yield from _changed(found, call.now, since)
            except ValidationError as error:  # one unreadable invoice must not stop the others
                telemetry.outcome("PaymentUnreadable", payment_id=str(found.get("id"))[:80])
                why = said("object_unreadable", why=first_fault(error))
                given = found.get("id")
                named = f"moneybird:{given[:64]}" if isinstance(given, str) else ""
                yield Remark("moneybird", call.now, why, "", named)


def _changed(found: Mapping[str, Any], now: datetime, since: datetime) -> Sequence[News]:
    invoice = _Invoice.model_validate(found)
    if _is_older(invoice.updated_at, since):
        return ()
    if not invoice.is_paid:
        return _as_known(_without_payment(invoice, now))
    news = _of_invoice(invoice, now)
    return _as_known(news) if _is_older(invoice.entered_at, since) else news


def _as_known(news: Sequence[News]) -> Sequence[News]:
    return [replace(n, state=None, order_id="", itemized=False) for n in news if isinstance(n, PaymentNotice)]


def _is_older(moment: datetime | None, since: datetime) -> bool:
    """False also for a moment that is not said: it may be new."""
    return moment is not None and moment < since


def _listed(call: Call, kind: str, since: datetime, period: timedelta) -> Iterator[dict[str, Any]]:
    """The invoices of a kind, page by page."""
    days = f"{call.now - period:%Y%m%d}..{call.now + timedelta(days=31):%Y%m%d}"
    # Moneybird leaves out what changed at that very moment.
    after = (since - timedelta(seconds=1)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    chosen = f"state:{_LISTED},period:{days}" + (f",updated_after:{after}" if kind == "sales_invoices" else "")
    yield from pages("moneybird", call, f"/{kind}.json", {"filter": chosen}, _PAGE)
