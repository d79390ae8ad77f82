"""A made-up shop, whose customers pay, get refunds and dispute payments. Each action first changes the payment at the
fake provider; then the provider calls Keypost in its own way, with its own kind of signature."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cli.local.deploy import ROOT
from cli.local.fake_providers import FakeProviders, new_id
from keypost.core.errors import InvalidInput, KeypostError
from keypost.core.product import Product
from keypost.inputs.addresses import email_address
from keypost.providers.order_card import ORDER_ID

PRICE = Decimal("39.95")  # of every product, in euros, with 21 % VAT
LANGUAGES = ("nl", "en")
MOST = 9999  # of one product in one order, as on an order card
_FIRST_NUMBER = 1001

Answer = tuple[int, str]


class NoSuchOrder(KeypostError):
    """The shop has no order with this number."""


@dataclass
class Sale:
    order_id: str
    provider: str
    product: Product
    quantity: int
    email: str
    language: str
    key: str = field(default_factory=lambda: new_id("", 58))  # the ids at the provider are made from it
    refunded: Decimal = Decimal("0.00")
    dispute: str = ""  # open, won or lost
    answered: int = 0  # the status that Keypost gave the last callback

    @property
    def total(self) -> Decimal:
        return PRICE * self.quantity

    @property
    def left(self) -> Decimal:
        return self.total - self.refunded

    @property
    def state(self) -> str:
        if self.dispute in ("open", "lost"):
            return {"open": "disputed", "lost": "dispute lost"}[self.dispute]
        if not self.left:
            return "refunded"
        return "partly refunded" if self.refunded else "paid"

    @property
    def can_be_refunded(self) -> bool:
        return self.state in ("paid", "partly refunded")

    @property
    def can_be_disputed(self) -> bool:
        return self.can_be_refunded and not self.dispute

    @property
    def card(self) -> dict[str, str]:
        line = f"{self.product.sku}|{self.quantity}|new"
        return {"v": "1", "order_id": self.order_id, "email": self.email, "lang": self.language, "line_1": line}


@dataclass
class Shop:
    """Each action returns how Keypost answered the callback. InvalidInput and NoSuchOrder say what to do instead; then
    nothing has happened."""

    providers: FakeProviders
    products: list[Product]
    stripe_calls: Callable[[bytes], Answer]
    shop_calls: Callable[[bytes, str], Answer]
    mollie_calls: Callable[[str], Answer]
    orders: dict[str, Sale] = field(default_factory=dict)

    @property
    def next_order_id(self) -> str:
        year = datetime.now(UTC).year
        number = _FIRST_NUMBER
        while f"{year}-{number:06}" in self.orders:
            number += 1
        return f"{year}-{number:06}"

    def pay(self, order_id: str, provider: str, sku: str, quantity: int, email: str, language: str) -> Answer:
        product = next((product for product in self.products if product.sku == sku), None)
        if not ORDER_ID.fullmatch(order_id):
            raise InvalidInput("an order number has letters, digits, '.', '_' and '-', at most 64: choose another one")
        if order_id in self.orders:
            raise InvalidInput(f"order {order_id} is paid already: choose another number, {self.next_order_id} is free")
        if product is None:
            raise InvalidInput(f"the sample catalog has no such product: choose one of {_listed(self._skus)}")
        if provider not in TELL:
            raise InvalidInput(f"there is no such payment provider: choose one of {_listed(TELL)}")
        if not 1 <= quantity <= MOST:
            raise InvalidInput(f"a quantity is a whole number from 1 to {MOST}")
        if language not in LANGUAGES:
            raise InvalidInput(f"there is no such language here: choose one of {_listed(LANGUAGES)}")
        try:
            email = email_address(email)
        except ValueError:
            raise InvalidInput("the e-mail address cannot be used: give one such as klant@klant.example") from None
        self.orders[order_id] = sale = Sale(order_id, provider, product, quantity, email, language)
        return self._tell(sale, "paid")

    def refund(self, order_id: str, amount: Decimal | None = None) -> Answer:
        """Refund `amount` euros of the order, or everything that is not refunded yet."""
        sale = self._sale(order_id)
        if not sale.can_be_refunded:
            raise InvalidInput(f"order {order_id} is {sale.state}: choose one that is paid")
        amount = sale.left if amount is None else amount
        if not 0 < amount <= sale.left:
            raise InvalidInput(f"of order {order_id}, {sale.left} can be refunded: give an amount up to that")
        sale.refunded += amount
        return self._tell(sale, "refunded", amount)

    def dispute(self, order_id: str) -> Answer:
        sale = self._sale(order_id)
        if not sale.can_be_disputed:
            why = "was disputed before" if sale.can_be_refunded else f"is {sale.state}"
            raise InvalidInput(f"order {order_id} {why}: choose one that is paid and was not disputed")
        sale.dispute = "open"
        return self._tell(sale, "disputed")

    def close_dispute(self, order_id: str, won: bool) -> Answer:
        """End the dispute. `won` means that the shop wins and gets its money back."""
        sale = self._sale(order_id)
        if sale.dispute != "open":
            raise InvalidInput(f"order {order_id} is not disputed: dispute it first")
        if sale.provider == "mollie" and not won:
            raise InvalidInput(
                "Mollie sends no call when a dispute is lost: the chargeback stands, and nothing changes"
            )
        sale.dispute = "won" if won else "lost"
        return self._tell(sale, "dispute_closed")

    @property
    def _skus(self) -> list[str]:
        return [product.sku for product in self.products]

    def _sale(self, order_id: str) -> Sale:
        if order_id not in self.orders:
            raise NoSuchOrder("the shop has no order with this number: pay it first")
        return self.orders[order_id]

    def _tell(self, sale: Sale, what: str, amount: Decimal = Decimal(0)) -> Answer:
        answer = TELL[sale.provider](self, sale, what, amount)
        sale.answered = answer[0]
        return answer


def act(shop: Shop, action: str, given: Mapping[str, Any]) -> tuple[Answer, Sale]:
    """Do what a form or a JSON body asks for. InvalidInput says which field to give, and how."""
    wanted = _FIELDS.get(action)
    if wanted is None:
        raise NoSuchOrder(f"the shop has no such button: use one of {_listed(_FIELDS)}")
    texts = {name: str(value).strip() for name, value in given.items() if value is not None}
    if missing := [name for name in wanted if not texts.get(name)]:
        raise InvalidInput(f"{_listed(missing)} missing: {action} needs {_listed(wanted)}")
    order_id, *more = (texts[name] for name in wanted)
    match action:
        case "pay":
            provider, sku, quantity, email, language = more
            count = int(quantity) if re.fullmatch(r"[0-9]{1,4}", quantity) else 0
            answer = shop.pay(order_id, provider, sku, count, email, language)
        case "refund":
            answer = shop.refund(order_id, _amount(texts.get("amount")))
        case "dispute":
            answer = shop.dispute(order_id)
        case _:
            if more[0].lower() not in ("true", "false"):
                raise InvalidInput("won is true or false: who won the dispute, the shop or its customer?")
            answer = shop.close_dispute(order_id, more[0].lower() == "true")
    return answer, shop.orders[order_id]


_FIELDS = {
    "pay": ("order_id", "provider", "sku", "quantity", "email", "language"),
    "refund": ("order_id",),
    "dispute": ("order_id",),
    "close-dispute": ("order_id", "won"),
}


def _amount(text: str | None) -> Decimal | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}([.,][0-9]{1,2})?", text):
        raise InvalidInput("an amount is in euros, such as 10.00")
    return Decimal(text.replace(",", ".")).quantize(Decimal("0.01"))


def _listed(names: Any) -> str:
    return ", ".join(names)


def _recorded(path: str) -> Any:
    return json.loads((ROOT / "events" / path).read_text("utf-8"))


def _stripe_tells(shop: Shop, sale: Sale, what: str, _amount: Decimal) -> Answer:
    """Send a snapshot event; Stripe keeps the event, and the object that it is about."""
    now, cents = int(datetime.now(UTC).timestamp()), int(sale.total * 100)
    event = _recorded(f"stripe/{_STRIPE_EVENTS[what]}.json") | {"id": new_id("evt_", 24), "created": now}
    about = event["data"]["object"]
    about |= {"payment_intent": f"pi_{sale.key[:24]}", "created": now}
    match what:
        case "paid":
            net = round(cents / Decimal("1.21"))
            about |= {
                "id": f"cs_test_{sale.key}",
                "amount_total": cents,
                "amount_subtotal": net,
                "locale": sale.language,
            }
            about |= {"metadata": sale.card, "expires_at": now + 24 * 3600}
            about["customer_details"]["email"] = sale.email
            about["total_details"]["amount_tax"] = cents - net
        case "refunded":
            about |= {"id": f"ch_{sale.key[:24]}", "amount": cents, "amount_captured": cents, "refunded": not sale.left}
            about |= {"amount_refunded": int(sale.refunded * 100)}
            about["billing_details"]["email"] = sale.email
        case _:
            about |= {"id": f"dp_{sale.key[:24]}", "amount": int(sale.left * 100), "charge": f"ch_{sale.key[:24]}"}
            about["status"] = {"open": "needs_response"}.get(sale.dispute, sale.dispute)
    shop.providers.objects[f"{_STRIPE_PLACES[about['object']]}/{about['id']}"] = about
    shop.providers.objects[f"/v1/events/{event['id']}"] = event
    return shop.stripe_calls(json.dumps(event).encode())


_STRIPE_EVENTS = {
    "paid": "checkout.session.completed",
    "refunded": "charge.refunded",
    "disputed": "charge.dispute.created",
    "dispute_closed": "charge.dispute.closed",
}
_STRIPE_PLACES = {"checkout.session": "/v1/checkout/sessions", "charge": "/v1/charges", "dispute": "/v1/disputes"}


def _mollie_tells(shop: Shop, sale: Sale, what: str, amount: Decimal) -> Answer:
    """Change the payment at Mollie, and send the call that names it."""
    payment_id, now = f"tr_{sale.key[:22]}", datetime.now(UTC).isoformat(timespec="seconds")
    path = f"/v2/payments/{payment_id}"
    payment = _mollie_payment(sale, payment_id, now) if what == "paid" else shop.providers.objects[path]
    refunds, chargebacks = payment["_embedded"]["refunds"], payment["_embedded"]["chargebacks"]
    common = {"paymentId": payment_id, "createdAt": now}
    match what:
        case "refunded":
            refund = {"resource": "refund", "id": new_id("re_", 10), "status": "processing", "amount": _euros(amount)}
            refunds.append(refund | common)
        case "disputed":
            chargeback = {"resource": "chargeback", "id": new_id("chb_", 6), "amount": _euros(sale.left)}
            chargebacks.append(chargeback | common | {"reversedAt": None})
        case "dispute_closed":
            chargebacks[-1]["reversedAt"] = now
    shop.providers.objects[path] = payment
    return shop.mollie_calls(payment_id)


def _mollie_payment(sale: Sale, payment_id: str, now: str) -> Any:
    payment = _recorded("mollie/payment.json") | {
        "id": payment_id,
        "createdAt": now,
        "paidAt": now,
        "amount": _euros(sale.total),
        "amountRemaining": _euros(sale.total),
        "description": f"Bestelling {sale.order_id}",
        "locale": {"nl": "nl_NL", "en": "en_US"}[sale.language],
        "metadata": sale.card,
        "redirectUrl": f"https://shop.example/bedankt/{sale.order_id}",
    }
    payment["billingAddress"]["email"] = sale.email
    tax = {"vatRate": "21.00", "vatAmount": _euros(round(sale.total - sale.total / Decimal("1.21"), 2))}
    of_line = {"description": sale.product.name["nl"], "sku": sale.product.sku, "quantity": sale.quantity}
    payment["lines"][0] |= of_line | tax | {"unitPrice": _euros(PRICE), "totalAmount": _euros(sale.total)}
    payment["_links"]["self"]["href"] = f"https://api.mollie.com/v2/payments/{payment_id}"
    return payment


def _euros(amount: Decimal) -> dict[str, str]:
    return {"currency": "EUR", "value": str(amount)}


def _shop_tells(shop: Shop, sale: Sale, what: str, _amount: Decimal) -> Answer:
    """Send the shop's own signed callback, which has no provider's API behind it."""
    data: dict[str, Any] = {"order_id": sale.order_id, "test": True}
    match what:
        case "paid":
            data |= {"payment_id": f"inv_{sale.key[:8]}", "currency": "EUR", "amount": str(sale.total)}
            data |= {"email": sale.email, "name": "Klant B.V.", "language": sale.language}
            data["lines"] = [{"sku": sale.product.sku, "quantity": sale.quantity, "kind": "new"}]
        case "refunded":
            data |= {"amount_refunded": str(sale.refunded), "full": not sale.left}
        case "dispute_closed":
            data["won"] = sale.dispute == "won"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    callback = {"type": f"order.{what}", "timestamp": now, "data": data}
    return shop.shop_calls(json.dumps(callback).encode(), new_id("msg_", 24))


TELL: dict[str, Callable[[Shop, Sale, str, Decimal], Answer]] = {
    "stripe": _stripe_tells,
    "mollie": _mollie_tells,
    "shop": _shop_tells,
}
