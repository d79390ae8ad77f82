"""WooCommerce's own webhooks, which send the order whenever it changes, and its list of orders, which the hourly run
reads. Both show the whole order as it is, with the moment of its last change, so a stale one undoes nothing. The
webhooks are signed without a time: an old one may be repeated at any time."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from keypost import telemetry
from keypost.core.errors import InvalidInput, ProviderRefused, ProviderUnavailable, SignatureRefused
from keypost.core.languages import language_of
from keypost.core.payment import Charged, News, PaymentNotice, PaymentState, Refunded, Remark, SubscriptionEnded
from keypost.core.product import Kind, Line
from keypost.core.said import Said, said
from keypost.inputs.addresses import usable_address
from keypost.inputs.faults import first_fault
from keypost.inputs.strict_json import parse_object
from keypost.providers import refusals
from keypost.providers.call import Call
from keypost.providers.listed import pages
from keypost.providers.order_card import CardLine, full_name, is_sku

_YEARS = range(1999, 2200)
_PING = re.compile(rb"webhook_id=[0-9]{1,20}")  # without a signature; it must be answered with 200
_PAID = {"processing", "completed", "refunded"}
_TAKEN_BACK = {"cancelled", "failed", "trash", "on-hold", "pending"}  # paid or not: the shop does not want it served
_FAILED = {"cancelled", "failed", "trash"}
# Of plugins for deposits: a part was paid, and the order's total is not the sum that was.
_IN_PART = {
    "deposit",
    "deposit-paid",
    "partial",
    "partial-paid",
    "partial-payment",
    "partially-paid",
    "pending-deposit",
    "scheduled-payment",
}
_DRAFTS = {"auto-draft", "checkout-draft", "draft"}  # a basket that was never ordered
_SUBSCRIPTION_ENDED = {"cancelled", "pending-cancel", "expired"}
_NAMES = (
    ("mollie", re.compile(r"(tr|ord)_[A-Za-z0-9.]{6,64}")),  # ord_: of the Orders API, which plugins used before
    ("stripe", re.compile(r"(pi|cs|in|ch|py)_[A-Za-z0-9_]{6,80}")),
)
# Where the plugins of both note their payment, besides `transaction_id`.
_NOTED = ("_mollie_payment_id", "_mollie_order_id", "_stripe_intent_id", "_stripe_charge_id", "_wcpay_intent_id")
_MOST = 9999
_PAGE = 20  # orders; one order with labels or files in its meta data has some 200 kB
_FIELDS = (
    "id,number,parent_id,type,status,currency,total,date_modified_gmt,date_paid_gmt,transaction_id,billing,"
    "meta_data,line_items,refunds"
)
_OUR_PATH = "/callbacks/woocommerce"
# What else WooCommerce calls for, by the first word of the topic: nothing of it is an order.
_OTHER_TOPICS = frozenset({"action", "coupon", "customer", "product"})


def is_trial(call: Call) -> bool:
    """WooCommerce tries the URL when a webhook is saved, without a signature."""
    return _PING.fullmatch(call.body) is not None


def verify(call: Call, secrets: tuple[str, ...]) -> None:
    if is_trial(call):
        return
    given = call.headers.get("x-wc-webhook-signature", "").encode(errors="replace")
    for secret in filter(None, secrets):
        right = base64.b64encode(hmac.new(secret.encode(), call.body, hashlib.sha256).digest())
        if hmac.compare_digest(right, given):
            return
    raise SignatureRefused("signature_does_not_fit", header="X-WC-Webhook-Signature")


def _in_utc(text: Any) -> Any:
    """The moment of one of WooCommerce's times, which are in GMT without saying so. None for one that is not set."""
    if not isinstance(text, str):
        return text
    if not text.strip("0-:T "):
        return None  # "", or the zeros that older databases have
    return f"{text}Z" if re.fullmatch(r"[0-9T:.-]+", text) else text


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""


def _objects(given: Any) -> list[Any]:
    """The objects of a list, without whatever else stands in it."""
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _object(given: Any) -> Any:
    return given if isinstance(given, dict) else {}  # PHP writes an empty map as []


def _possible(moment: datetime | None) -> datetime | None:
    """A moment that is also one in another zone. Some databases have the year 1 where none was set."""
    if moment is not None and not _YEARS.start < moment.year < _YEARS.stop:
        raise ValueError("field_not_a_moment")
    return moment


Time = Annotated[datetime | None, BeforeValidator(_in_utc), AfterValidator(_possible)]
_TIME = TypeAdapter[datetime | None](Time)
Money = Annotated[str, Field(pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$")]
Text = Annotated[str, BeforeValidator(_text)]


class _Meta(BaseModel):
    key: Text = ""
    value: Any = None


_MetaData = Annotated[list[_Meta], BeforeValidator(_objects)]


def _noted(meta_data: Sequence[_Meta], *keys: str) -> str:
    """The text of the first of these keys that has one."""
    values = {meta.key: str(meta.value).strip() for meta in meta_data if isinstance(meta.value, str | int)}
    return next((values[key] for key in keys if values.get(key)), "")


def _ours(meta_data: Sequence[_Meta], field: str) -> str:
    """What a shop notes for Keypost; an underscore hides a key from WooCommerce's own pages."""
    return _noted(meta_data, f"keypost_{field}", f"_keypost_{field}")


def _count(given: Any) -> Any:
    return int(given) if isinstance(given, float) and given.is_integer() else given  # 2.0, as plugins for parts write 2


class _Item(BaseModel):
    name: Text = ""
    sku: Text = ""
    quantity: Annotated[Any, BeforeValidator(_count)] = 1
    subtotal: Any = None  # before coupons, without VAT
    total: Any = None  # without VAT
    total_tax: Any = None
    bundled_by: Any = None
    meta_data: _MetaData = []

    @property
    def is_sold(self) -> bool:
        return bool(self.quantity)

    @property
    def has_odd_quantity(self) -> bool:
        return type(self.quantity) is not int or not 1 <= self.quantity <= _MOST

    @property
    def is_renewal(self) -> bool:
        return bool(_ours(self.meta_data, "renews"))

    @property
    def charged(self) -> Charged:
        return Charged(self.sku, 1 if self.has_odd_quantity else self.quantity, self.name[:200], self._charged_total())

    def _charged_total(self) -> str | None:
        """What was charged for the line, with VAT. None if that is nothing though the line is an article: a coupon paid
        for it, or the bundle that it is part of. WooCommerce keeps discounts apart from the articles."""
        total = _decimal(self.total)
        if total is None:
            return None
        return None if self._is_article and not total else str(total + (_decimal(self.total_tax) or 0))

    @property
    def _is_article(self) -> bool:
        """True for a line that had a price before coupons, or that is part of a bundle."""
        return bool(self.bundled_by) or (_decimal(self.subtotal) or 0) > 0


def _decimal(given: Any) -> Decimal | None:
    text = str(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else ""
    return Decimal(text) if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,12})?", text) else None


class _Refund(BaseModel):
    total: Money


class _Billing(BaseModel):
    email: Any = None
    first_name: Any = ""
    last_name: Any = ""


class _Order(BaseModel):
    id: int = Field(ge=1)
    number: Any = None  # a plugin for order numbers may count otherwise than the ids
    status: str
    currency: Text = ""
    total: Money = "0"
    date_modified_gmt: Time = None
    date_paid_gmt: Time = None
    transaction_id: Text = ""
    billing: Annotated[_Billing, BeforeValidator(_object)] = _Billing()
    line_items: Annotated[list[_Item], BeforeValidator(_objects)] = []
    refunds: Annotated[list[_Refund], BeforeValidator(_objects)] = []
    meta_data: _MetaData = []

    @property
    def sold(self) -> list[_Item]:
        return [item for item in self.line_items if item.is_sold]

    @property
    def subscription(self) -> str:
        """The subscription (by its id) that an automatic order of WooCommerce Subscriptions renews."""
        return _noted(self.meta_data, "_subscription_renewal")


def read(call: Call) -> Sequence[News]:
    """Read a call. Whatever it is about, it is answered with 200: after five other answers WooCommerce switches the
    webhook off."""
    if is_trial(call):
        return ()
    with refusals.named(call.body, _order_in):
        return _of_body(call, parse_object(call.body))


def _order_in(raw: Mapping[str, Any]) -> str:
    return _order_id(raw.get("id"))


def _of_body(call: Call, raw: dict[str, Any]) -> Sequence[News]:
    topic = call.headers.get("x-wc-webhook-topic", "")
    if "status" not in raw or "line_items" not in raw:
        return _of_less(call, raw, topic)
    return _of_subscription(call, raw) if _is_subscription(raw, topic) else _of_order(call, raw)


def _of_less(call: Call, raw: Mapping[str, Any], topic: str) -> Sequence[News]:
    """What is no whole order: of another topic, or an order that was deleted, of which only the id is left."""
    if topic.partition(".")[0] in _OTHER_TOPICS or (not topic and "name" in raw):
        return ()
    known = topic if re.fullmatch(r"[a-z_]{1,40}\.[a-z_]{1,40}", topic) else "?"
    is_deleted = topic == "order.deleted" or (not topic and raw.keys() == {"id"})
    why = said("shop_order_deleted") if is_deleted else said("shop_no_order", topic=known)
    return (_remark(call, why, _order_in(raw)),)


def _is_subscription(raw: Mapping[str, Any], topic: str = "") -> bool:
    """True for a subscription of WooCommerce Subscriptions. It has the form of an order and sells nothing: its orders
    do."""
    return topic.startswith("subscription.") or raw.get("type") == "shop_subscription" or "billing_period" in raw


def _of_subscription(call: Call, raw: Mapping[str, Any]) -> Sequence[News]:
    """The end of a subscription. One that ended long ago is told again whenever somebody edits it, so that the moment
    at which it was canceled counts before that of the edit."""
    has_ended, parent = _text(raw.get("status")) in _SUBSCRIPTION_ENDED, _order_id(raw.get("parent_id"))
    moments = (_moment_of(raw.get(name)) for name in ("cancelled_date_gmt", "end_date_gmt", "date_modified_gmt"))
    at = min(next(filter(None, moments), call.now), call.now)
    return (SubscriptionEnded(parent, at),) if has_ended and parent else ()


def _moment_of(given: Any) -> datetime | None:
    try:
        return _TIME.validate_python(given) if given else None
    except ValidationError:
        return None


def _order_id(given: Any) -> str:
    """The id of an order; empty for anything else, such as the 0 that stands in place of none."""
    return str(given) if type(given) is int and given > 0 else ""


def _of_order(call: Call, raw: Mapping[str, Any]) -> Sequence[News]:
    try:
        order = _Order.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput("callback_does_not_fit", why=first_fault(error)) from None
    state, problem = _state(order, call.paid_statuses)
    if state is not None:
        return (_notice(call, order, state, problem),)
    if order.status in _DRAFTS:
        return ()
    return (_remark(call, said("shop_status", status=_slug(order.status)), str(order.id)),)


def _remark(call: Call, why: Said, order_id: str) -> Remark:
    return Remark("woocommerce", call.now, why, order_id, f"woocommerce:{order_id}" if order_id else "")


def _state(order: _Order, paid_statuses: frozenset[str]) -> tuple[PaymentState | None, Said | None]:
    """The state of an order, and why a person must look at it. A day of payment makes it paid, under whatever status;
    a person decides what a status means that the shop has made up. `processing` without a day of payment is cash on
    delivery: not paid. None for an order of which nothing can be said."""
    status = order.status
    if status in _IN_PART:
        return PaymentState.OPEN, None
    if order.date_paid_gmt:
        known = status in _PAID | paid_statuses
        return PaymentState.PAID, None if known else said("shop_status", status=_slug(status))
    if status in _FAILED:
        return PaymentState.FAILED, None
    return (PaymentState.OPEN if status in _PAID | _TAKEN_BACK else None), None


def _slug(status: str) -> str:
    """A status as it may be shown: shops make them up."""
    return status if re.fullmatch(r"[a-z0-9_-]{1,40}", status) else "?"


def _notice(call: Call, order: _Order, state: PaymentState, problem: Said | None) -> PaymentNotice:
    modified = order.date_modified_gmt or call.now
    lines, fault = _lines(call, order)
    return PaymentNotice(
        provider="woocommerce",
        payment_id=str(order.id),
        state=state,
        at=min(_whole(order.date_paid_gmt or modified), call.now),
        order_id=str(order.id),
        refers_to=_number(order),
        amount=order.total,
        currency=order.currency.upper(),
        email=usable_address(_ours(order.meta_data, "email")) or usable_address(order.billing.email),
        name=full_name(order.billing.first_name, order.billing.last_name),
        language=_language(order),
        lines=lines,
        problem=problem or fault,
        said=order.date_modified_gmt,
        charged=tuple(item.charged for item in order.sold),
        refunded=_refunded(order, modified),
        also=_payment_elsewhere(order),
        is_subscription=bool(order.subscription),
        itemized=True,
    )


def _number(order: _Order) -> str:
    """The number that the shop shows, if it is not the id of the order."""
    number = str(order.number).strip() if isinstance(order.number, str | int) else ""
    return "" if number == str(order.id) else number[:64]


def _language(order: _Order) -> str | None:
    """The language in which the customer ordered, as Keypost's own key or a plugin for languages notes it."""
    noted = _ours(order.meta_data, "lang") or _noted(order.meta_data, "wpml_language", "trp_language")
    return language_of(noted)


def _lines(call: Call, order: _Order) -> tuple[tuple[Line, ...], Said | None]:
    """The lines as the shop means them, with what they renew. Each has the quantity 1 if any quantity is odd, because
    then a person decides."""
    named = {number: item for number, item in enumerate(order.sold, start=1) if is_sku(item.sku)}
    if any(item.has_odd_quantity for item in named.values()):
        return tuple(Line(item.sku, 1) for item in named.values()), said("odd_quantity")
    return _noted_lines(call, order, named)


def _noted_lines(call: Call, order: _Order, named: Mapping[int, _Item]) -> tuple[tuple[Line, ...], Said | None]:
    """The lines (by their number) with what their meta data say, and why a person must look at them."""
    renews, problem = _renewed_by(call, order)
    lines = []
    for number, item in named.items():
        try:
            lines.append(_line(item, order.meta_data, renews))
        except ValidationError as error:  # the goods are known all the same
            lines.append(Line(item.sku, item.quantity))
            problem = problem or said("order_line_does_not_fit", line=number, why=first_fault(error))
    return tuple(lines), problem


def _line(item: _Item, of_order: Sequence[_Meta], renews: str) -> Line:
    """A line with what its meta data, or else that of its order, say for Keypost. One that renews is a renewal."""
    given = ({"renews": renews} if renews else {}) | _noted_fields(item, of_order)
    kind = Kind.RENEWAL if "renews" in given else Kind.NEW
    return CardLine.model_validate({"sku": item.sku, "quantity": item.quantity, "kind": kind, **given}).line()


def _noted_fields(item: _Item, of_order: Sequence[_Meta]) -> dict[str, str]:
    noted = {field: _ours(item.meta_data, field) or _ours(of_order, field) for field in _CARD_FIELDS}
    return {field: text for field, text in noted.items() if text}


_CARD_FIELDS = ("kind", "renews", "period_start", "period_end")


def _renewed_by(call: Call, order: _Order) -> tuple[str, Said | None]:
    """The first order of the subscription that an automatic order renews. The order names only the subscription, whose
    own first order has to be asked for; without a key, or if nobody knows it, a person decides."""
    if not order.subscription or _ours(order.meta_data, "renews") or any(item.is_renewal for item in order.line_items):
        return "", None
    parent = _first_order_of(call, order.subscription)
    return (parent, None) if parent else ("", said("renewal_of_what", subscription=_slug(order.subscription)))


def _first_order_of(call: Call, subscription: str) -> str:
    """The id of a subscription's first order; empty if it cannot be known. ProviderUnavailable if the shop does not
    answer now."""
    if call.get is None or not re.fullmatch("[0-9]{1,18}", subscription):
        return ""
    try:
        found = call.get(f"/wp-json/wc/v3/subscriptions/{subscription}", {"_fields": "id,parent_id"}) or {}
    except ProviderRefused:
        return ""
    return _order_id(found.get("parent_id"))


def _payment_elsewhere(order: _Order) -> tuple[str, ...]:
    """The names that Mollie or Stripe has for the payment, which their plugins note in the order. With them WooCommerce
    and its provider report one payment, not two."""
    noted = (order.transaction_id, *(_noted(order.meta_data, key) for key in _NOTED))
    names = (f"{provider}:{each}" for each in noted for provider, form in _NAMES if form.fullmatch(each))
    return tuple(dict.fromkeys(names))


def _refunded(order: _Order, modified: datetime) -> Refunded:
    """All that is returned by now: nothing, if a refund was entered by mistake and deleted."""
    back = sum((abs(Decimal(refund.total)) for refund in order.refunds), Decimal(0))
    return Refunded(modified, str(back), full=order.status == "refunded")


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def recent(call: Call, since: datetime) -> Iterator[News]:
    """The orders that changed since then. One that was not paid since then is no sale to serve now: what it says is
    news of a payment that we know, or nothing. ProviderUnavailable, at the end, if something about one of them could
    not be asked now."""
    # WooCommerce leaves out what changed at that very second.
    before = f"{(since - timedelta(seconds=1)).astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    changed = {"modified_after": before, "dates_are_gmt": "true", "orderby": "modified"}
    # The latest change first: what changes while the pages are read comes twice, and nothing is left out.
    query = {**changed, "order": "desc", "_fields": _FIELDS}
    unanswered: ProviderUnavailable | None = None
    for found in pages("woocommerce", call, "/wp-json/wc/v3/orders", query, _PAGE):
        try:
            yield from _changed(call, found, since)
        except ProviderUnavailable as error:
            unanswered = error
    yield from _switched_off(call)
    if unanswered:
        raise unanswered


def _changed(call: Call, found: Mapping[str, Any], since: datetime) -> Sequence[News]:
    """What an order in the list says. One that cannot be read must not stop the others."""
    if _is_subscription(found):
        return ()
    try:
        news = _of_order(call, found)
    except InvalidInput as error:
        order_id = str(found["id"]) if isinstance(found.get("id"), int) else ""
        telemetry.outcome("PaymentUnreadable", payment_id=order_id)
        return (_remark(call, said("object_unreadable", why=error.said), order_id),)
    return news if _was_paid_since(found, since) else [*map(_as_known, news)]


def _was_paid_since(found: Mapping[str, Any], since: datetime) -> bool:
    paid = _Order.model_validate(found).date_paid_gmt
    return paid is not None and paid >= since


def _as_known(news: News) -> News:
    return replace(news, state=None, order_id="", itemized=False) if isinstance(news, PaymentNotice) else news


def _switched_off(call: Call) -> Iterator[Remark]:
    """The webhooks to Keypost that WooCommerce does not call any more: after five refusals in a row it switches one
    off, and tells nobody. A key that may not see webhooks says nothing about them."""
    try:
        hooks = [*pages("woocommerce", call, "/wp-json/wc/v3/webhooks", {}, _PAGE)]
    except ProviderRefused:
        return
    for hook in hooks:
        if str(hook.get("delivery_url")).rstrip("/").endswith(_OUR_PATH) and hook.get("status") != "active":
            telemetry.outcome("WebhookSwitchedOff", provider="woocommerce", webhook=str(hook.get("id"))[:20])
            yield Remark("woocommerce", call.now, said("webhook_switched_off", webhook=str(hook.get("id"))[:20]))
