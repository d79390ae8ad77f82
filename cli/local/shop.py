"""A made-up shop, whose customers pay, exchange, get refunds and dispute payments. Each action first changes the
payment at the fake provider; then the provider calls Keypost in its own way, with its own kind of signature."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cli.local.deploy import ROOT
from cli.local.fake_providers import FakeProviders, new_id
from keypost.core.errors import InvalidInput, KeypostError
from keypost.core.languages import DEFAULT
from keypost.core.product import Product
from keypost.inputs.addresses import email_address
from keypost.providers.order_card import ORDER_ID
from keypost.words import FALLBACK, LANGUAGES, TABLES, in_language

PRICE = Decimal("39.95")  # of every product, in euros, with 21 % VAT
MOST = 9999  # of one product in one order, as on an order card
_FIRST_NUMBER = 1001
_NEVER = datetime.min.replace(tzinfo=UTC)

Answer = tuple[int, str]


class NoSuchOrder(KeypostError):
    """The shop has no order with this number."""


@dataclass
class Payment:
    """One payment of an order. What was charged may be more than what the order card says."""

    product: Product
    quantity: int
    email: str
    added: Product | None = None  # at checkout, beyond the card
    price: Decimal | None = None  # of all of it, where it is not the ordinary one
    key: str = field(default_factory=lambda: new_id("", 58))  # the ids at the provider are made from it
    refunds: list[Decimal] = field(default_factory=list)
    dispute: str = ""  # open, won or lost

    @property
    def charged(self) -> list[tuple[Product, int]]:
        return [(self.product, self.quantity), *([(self.added, 1)] if self.added else [])]

    @property
    def total(self) -> Decimal:
        return PRICE * sum(quantity for _, quantity in self.charged) if self.price is None else self.price

    @property
    def refunded(self) -> Decimal:
        return sum(self.refunds, Decimal("0.00"))

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


@dataclass
class Sale:
    """An order of the shop, with all payments that were made under its number."""

    order_id: str
    provider: str
    language: str
    payments: list[Payment]
    answered: int = 0  # the status that Keypost gave the last callback
    changed_at: datetime = _NEVER  # as WooCommerce notes it

    @property
    def payment(self) -> Payment:
        """The one that buttons are about: the newest whose money is still there."""
        there = [payment for payment in self.payments if payment.state not in ("refunded", "dispute lost")]
        return (there or self.payments)[-1]

    @property
    def state(self) -> str:
        return self.payment.state

    @property
    def can_be_refunded(self) -> bool:
        return self.state in ("paid", "partly refunded")

    @property
    def can_be_disputed(self) -> bool:
        return self.can_be_refunded and not self.payment.dispute and self.provider != "woocommerce"

    @property
    def can_be_paid_again(self) -> bool:
        return self.provider != "woocommerce"

    @property
    def can_be_changed(self) -> bool:
        return self.state == "paid" and self.provider in ("shop", "woocommerce")

    @property
    def can_delete_a_refund(self) -> bool:
        return self.provider == "woocommerce" and bool(self.payment.refunds)

    def card(self, payment: Payment) -> dict[str, str]:
        line = f"{payment.product.sku}|{payment.quantity}|new"
        return {"v": "1", "order_id": self.order_id, "email": payment.email, "lang": self.language, "line_1": line}


@dataclass
class Shop:
    """Each action returns how Keypost answered the callback. InvalidInput and NoSuchOrder say what to do instead; then
    nothing has happened."""

    providers: FakeProviders
    products: list[Product]
    stripe_calls: Callable[[bytes], Answer]
    shop_calls: Callable[[bytes, str], Answer]
    mollie_calls: Callable[[str], Answer]
    woocommerce_calls: Callable[[bytes], Answer]
    became: Callable[[str], str] = lambda _order_id: ""  # what Keypost makes of an order
    support_url: str = ""  # of the page where one sees more of that
    guide_url: str = ""  # of the page that says how to activate a license
    resend_url: str = ""  # of the page on which customers ask for their licenses again
    events_of: Callable[[str], list[dict[str, Any]]] = lambda _order_id: []  # of an order, which Keypost called with
    orders: dict[str, Sale] = field(default_factory=dict)

    @property
    def pages(self) -> dict[str, str]:
        """The pages of Keypost by what they are called; without an address where no stack is running."""
        return {"Support page": self.support_url, "Guide": self.guide_url, "Get licences again": self.resend_url}

    @property
    def next_order_id(self) -> str:
        year = datetime.now(UTC).year
        number = _FIRST_NUMBER
        while f"{year}-{number:06}" in self.orders:
            number += 1
        return f"{year}-{number:06}"

    def pay(self, order_id: str, provider: str, sku: str, quantity: int, email: str, language: str) -> Answer:
        return self._place(self._ordered(order_id, provider, sku, quantity, email, language))

    def pay_with_added(
        self, order_id: str, provider: str, sku: str, quantity: int, email: str, language: str
    ) -> Answer:
        """Pay, with a product added at checkout that the order card knows nothing of."""
        sale = self._ordered(order_id, provider, sku, quantity, email, language)
        if provider not in CHECKOUTS:
            raise InvalidInput(f"only a checkout can add an item: choose one of {_listed(CHECKOUTS)}")
        sale.payment.added = next(product for product in self.products if product.sku != sku)
        return self._place(sale)

    def _ordered(self, order_id: str, provider: str, sku: str, quantity: int, email: str, language: str) -> Sale:
        if not ORDER_ID.fullmatch(order_id):
            raise InvalidInput("an order number has letters, digits, '.', '_' and '-', at most 64: choose another one")
        if order_id in self.orders:
            raise InvalidInput(f"order {order_id} is paid already: choose another number, {self.next_order_id} is free")
        if provider not in TELL:
            raise InvalidInput(f"there is no such payment provider: choose one of {_listed(TELL)}")
        if provider == "woocommerce" and not re.fullmatch("[1-9][0-9]{0,17}", order_id):
            free = self.next_order_id.replace("-", "")
            raise InvalidInput(
                f"WooCommerce numbers its orders with digits only: choose another number, such as {free}"
            )
        if language not in LANGUAGES:
            raise InvalidInput(f"there is no such language here: choose one of {_listed(LANGUAGES)}")
        payment = Payment(self._product(sku), _checked_quantity(quantity), _checked_email(email))
        return Sale(order_id, provider, language, [payment])

    def _place(self, sale: Sale) -> Answer:
        self.orders[sale.order_id] = sale
        return self._tell(sale, "paid")

    def pay_again(self, order_id: str) -> Answer:
        """Pay the same once more under the same number, as a customer does who thinks that it went wrong."""
        sale = self._sale(order_id)
        paid = self._payable(sale).payment
        return self._pay_more(sale, Payment(paid.product, paid.quantity, paid.email))

    def second_buyer(self, order_id: str, email: str) -> Answer:
        """Let another customer pay under the same number, as shops do that begin to count again."""
        sale = self._sale(order_id)
        paid, email = self._payable(sale).payment, _checked_email(email)
        if email.casefold() in {payment.email.casefold() for payment in sale.payments}:
            raise InvalidInput(f"{email} is the customer of order {order_id}: give another address, or pay it again")
        return self._pay_more(sale, Payment(paid.product, paid.quantity, email))

    def exchange(self, order_id: str, sku: str) -> Answer:
        """Refund all of it and sell another product under the same number."""
        sale, product = self._sale(order_id), self._product(sku)
        paid = self._payable(sale).payment
        if product.sku == paid.product.sku:
            raise InvalidInput(f"order {order_id} is for {sku} already: choose another product")
        self.refund(order_id)
        return self._pay_more(sale, Payment(product, paid.quantity, paid.email))

    def change(self, order_id: str, quantity: int, amount: Decimal | None = None) -> Answer:
        """Change the quantity of a paid order. `amount` is what it costs now: as much as before, or more, or less."""
        sale = self._sale(order_id)
        if not sale.can_be_changed:
            raise InvalidInput(
                f"order {order_id} cannot be changed: choose a paid one of the shop itself or of WooCommerce; "
                "a payment at Stripe or Mollie stays as it is, so exchange it or pay it again"
            )
        payment = sale.payment
        payment.quantity, payment.price = _checked_quantity(quantity), amount
        return self._tell(sale, "paid")

    def delete_refund(self, order_id: str) -> Answer:
        """Delete the last refund, which was entered by mistake."""
        sale = self._sale(order_id)
        if not sale.can_delete_a_refund:
            raise InvalidInput(f"order {order_id} has no refund that can be deleted: only WooCommerce deletes one")
        sale.payment.refunds.pop()
        return self._tell(sale, "refunded")

    def _payable(self, sale: Sale) -> Sale:
        if not sale.can_be_paid_again:
            raise InvalidInput("WooCommerce has one payment for each order: choose an order that was paid otherwise")
        if not sale.can_be_refunded:
            raise InvalidInput(f"order {sale.order_id} is {sale.state}: choose one that is paid")
        return sale

    def _pay_more(self, sale: Sale, payment: Payment) -> Answer:
        sale.payments.append(payment)
        return self._tell(sale, "paid")

    def refund(self, order_id: str, amount: Decimal | None = None) -> Answer:
        """Refund `amount` euros of the order, or everything that is not refunded yet."""
        sale = self._sale(order_id)
        if not sale.can_be_refunded:
            raise InvalidInput(f"order {order_id} is {sale.state}: choose one that is paid")
        payment = sale.payment
        amount = payment.left if amount is None else amount
        if not 0 < amount <= payment.left:
            raise InvalidInput(f"of order {order_id}, {payment.left} can be refunded: give an amount up to that")
        payment.refunds.append(amount)
        return self._tell(sale, "refunded", payment)

    def dispute(self, order_id: str) -> Answer:
        sale = self._sale(order_id)
        if sale.provider == "woocommerce":
            raise InvalidInput("WooCommerce knows no disputes: choose an order that was paid otherwise")
        if not sale.can_be_disputed:
            why = "was disputed before" if sale.can_be_refunded else f"is {sale.state}"
            raise InvalidInput(f"order {order_id} {why}: choose one that is paid and was not disputed")
        sale.payment.dispute = "open"
        return self._tell(sale, "disputed")

    def close_dispute(self, order_id: str, won: bool) -> Answer:
        """End the dispute. `won` means that the shop wins and gets its money back."""
        sale = self._sale(order_id)
        if sale.state != "disputed":
            raise InvalidInput(f"order {order_id} is not disputed: dispute it first")
        if sale.provider == "mollie" and not won:
            raise InvalidInput(
                "Mollie sends no call when a dispute is lost: the chargeback stands, and nothing changes"
            )
        payment = sale.payment
        payment.dispute = "won" if won else "lost"
        return self._tell(sale, "dispute_closed", payment)

    @property
    def _skus(self) -> list[str]:
        return [product.sku for product in self.products]

    def _sale(self, order_id: str) -> Sale:
        if order_id not in self.orders:
            raise NoSuchOrder("the shop has no order with this number: pay it first")
        return self.orders[order_id]

    def _product(self, sku: str) -> Product:
        product = next((product for product in self.products if product.sku == sku), None)
        if product is None:
            raise InvalidInput(f"the sample catalog has no such product: choose one of {_listed(self._skus)}")
        return product

    def _tell(self, sale: Sale, what: str, payment: Payment | None = None) -> Answer:
        answer = TELL[sale.provider](self, sale, payment or sale.payment, what)
        sale.answered = answer[0]
        return answer


def _checked_quantity(quantity: int) -> int:
    if not 1 <= quantity <= MOST:
        raise InvalidInput(f"a quantity is a whole number from 1 to {MOST}")
    return quantity


def _checked_email(email: str) -> str:
    try:
        return email_address(email)
    except ValueError:
        raise InvalidInput("the e-mail address cannot be used: give one such as klant@klant.example") from None


def act(shop: Shop, action: str, given: Mapping[str, Any]) -> tuple[Answer, Sale]:
    """Do what a form or a JSON body asks for. InvalidInput says which field to give, and how."""
    wanted = _FIELDS.get(action)
    if wanted is None:
        raise NoSuchOrder(f"the shop has no such button: use one of {_listed(_FIELDS)}")
    texts = {name: str(value).strip() for name, value in given.items() if value is not None}
    if missing := [name for name in wanted if not texts.get(name)]:
        raise InvalidInput(f"{_listed(missing)} missing: {action} needs {_listed(wanted)}")
    wanted_values = [texts[name] for name in wanted]
    answer = _ACTIONS[action](shop, *wanted_values, _amount(texts.get("amount")))
    return answer, shop.orders[texts["order_id"]]


def _quantity(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else 0


def _who_won(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise InvalidInput("won is true or false: who won the dispute, the shop or its customer?")
    return text.lower() == "true"


_BUYING = ("order_id", "provider", "sku", "quantity", "email", "language")
_FIELDS = {
    "pay": _BUYING,
    "pay-with-added": _BUYING,
    "pay-again": ("order_id",),
    "second-buyer": ("order_id", "email"),
    "exchange": ("order_id", "sku"),
    "change": ("order_id", "quantity"),
    "refund": ("order_id",),
    "delete-refund": ("order_id",),
    "dispute": ("order_id",),
    "close-dispute": ("order_id", "won"),
}
# Each gets the shop, the texts of its fields in their order, and the amount, if one was given.
_ACTIONS: dict[str, Callable[..., Answer]] = {
    "pay": lambda shop, order_id, provider, sku, quantity, email, language, _: shop.pay(
        order_id, provider, sku, _quantity(quantity), email, language
    ),
    "pay-with-added": lambda shop, order_id, provider, sku, quantity, email, language, _: shop.pay_with_added(
        order_id, provider, sku, _quantity(quantity), email, language
    ),
    "pay-again": lambda shop, order_id, _: shop.pay_again(order_id),
    "second-buyer": lambda shop, order_id, email, _: shop.second_buyer(order_id, email),
    "exchange": lambda shop, order_id, sku, _: shop.exchange(order_id, sku),
    "change": lambda shop, order_id, quantity, amount: shop.change(order_id, _quantity(quantity), amount),
    "refund": lambda shop, order_id, amount: shop.refund(order_id, amount),
    "delete-refund": lambda shop, order_id, _: shop.delete_refund(order_id),
    "dispute": lambda shop, order_id, _: shop.dispute(order_id),
    "close-dispute": lambda shop, order_id, won, _: shop.close_dispute(order_id, _who_won(won)),
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


def _stripe_tells(shop: Shop, sale: Sale, payment: Payment, what: str) -> Answer:
    """Send a snapshot event; Stripe keeps the event, and the object that it is about."""
    now, cents = int(datetime.now(UTC).timestamp()), int(payment.total * 100)
    event = _recorded(f"stripe/{_STRIPE_EVENTS[what]}.json") | {"id": new_id("evt_", 24), "created": now}
    about = event["data"]["object"]
    about |= {"payment_intent": f"pi_{payment.key[:24]}", "created": now}
    match what:
        case "paid":
            net = round(cents / Decimal("1.21"))
            about |= {
                "id": f"cs_test_{payment.key}",
                "amount_total": cents,
                "amount_subtotal": net,
                "locale": sale.language,
            }
            about |= {"metadata": sale.card(payment), "expires_at": now + 24 * 3600}
            about["customer_details"]["email"] = payment.email
            about["total_details"]["amount_tax"] = cents - net
            _keep_line_items(shop, payment)
        case "refunded":
            about |= {"id": f"ch_{payment.key[:24]}", "amount": cents, "amount_captured": cents}
            about |= {"amount_refunded": int(payment.refunded * 100), "refunded": not payment.left}
            about["billing_details"]["email"] = payment.email
        case _:
            about |= {"id": f"dp_{payment.key[:24]}", "amount": int(payment.left * 100)} | {
                "charge": f"ch_{payment.key[:24]}"
            }
            about["status"] = {"open": "needs_response"}.get(payment.dispute, payment.dispute)
    shop.providers.objects[f"{_STRIPE_PLACES[about['object']]}/{about['id']}"] = about
    shop.providers.objects[f"/v1/events/{event['id']}"] = event
    return shop.stripe_calls(json.dumps(event).encode())


def _keep_line_items(shop: Shop, payment: Payment) -> None:
    """What Stripe's API lists as charged; an event does not hold it."""
    for number, (product, quantity) in enumerate(payment.charged, start=1):
        item = f"li_{payment.key[:22]}{number:02}"
        price = {"id": f"price_{item}", "object": "price", "lookup_key": product.sku, "metadata": {}}
        cents = int(PRICE * 100)
        shop.providers.objects[f"/v1/checkout/sessions/cs_test_{payment.key}/line_items/{item}"] = {
            "id": item,
            "object": "item",
            "amount_total": cents * quantity,
            "currency": "eur",
            "description": in_language(product.name, FALLBACK),
            "price": price | {"unit_amount": cents, "currency": "eur"},
            "quantity": quantity,
        }


_STRIPE_EVENTS = {
    "paid": "checkout.session.completed",
    "refunded": "charge.refunded",
    "disputed": "charge.dispute.created",
    "dispute_closed": "charge.dispute.closed",
}
_STRIPE_PLACES = {"checkout.session": "/v1/checkout/sessions", "charge": "/v1/charges", "dispute": "/v1/disputes"}


def _mollie_tells(shop: Shop, sale: Sale, payment: Payment, what: str) -> Answer:
    """Change the payment at Mollie, and send the call that names it."""
    payment_id, now = f"tr_{payment.key[:22]}", datetime.now(UTC).isoformat(timespec="seconds")
    path = f"/v2/payments/{payment_id}"
    kept = _mollie_payment(sale, payment, now) if what == "paid" else shop.providers.objects[path]
    refunds, chargebacks = kept["_embedded"]["refunds"], kept["_embedded"]["chargebacks"]
    common = {"paymentId": payment_id, "createdAt": now}
    match what:
        case "refunded":
            refund = {"resource": "refund", "id": new_id("re_", 10), "status": "processing"}
            refunds.append(refund | common | {"amount": _euros(payment.refunds[-1])})
        case "disputed":
            chargeback = {"resource": "chargeback", "id": new_id("chb_", 6), "amount": _euros(payment.left)}
            chargebacks.append(chargeback | common | {"reversedAt": None})
        case "dispute_closed":
            chargebacks[-1]["reversedAt"] = now
    shop.providers.objects[path] = kept
    return shop.mollie_calls(payment_id)


def _mollie_payment(sale: Sale, paid: Payment, now: str) -> Any:
    payment_id = f"tr_{paid.key[:22]}"
    payment = _recorded("mollie/payment.json") | {
        "id": payment_id,
        "createdAt": now,
        "paidAt": now,
        "amount": _euros(paid.total),
        "amountRemaining": _euros(paid.total),
        "description": f"Bestelling {sale.order_id}",
        "locale": TABLES[sale.language].LOCALE.replace("-", "_"),
        "metadata": sale.card(paid),
        "redirectUrl": f"https://shop.example/bedankt/{sale.order_id}",
    }
    payment["billingAddress"]["email"] = paid.email
    (line,) = payment["lines"]
    payment["lines"] = [line | _mollie_line(product, quantity) for product, quantity in paid.charged]
    payment["_links"]["self"]["href"] = f"https://api.mollie.com/v2/payments/{payment_id}"
    return payment


def _mollie_line(product: Product, quantity: int) -> dict[str, Any]:
    total = PRICE * quantity
    tax = {"vatRate": "21.00", "vatAmount": _euros(_tax(total))}
    about = {"description": in_language(product.name, DEFAULT), "sku": product.sku, "quantity": quantity}
    return about | tax | {"unitPrice": _euros(PRICE), "totalAmount": _euros(total)}


def _euros(amount: Decimal) -> dict[str, str]:
    return {"currency": "EUR", "value": str(amount)}


def _shop_tells(shop: Shop, sale: Sale, payment: Payment, what: str) -> Answer:
    """Send the shop's own signed callback, which has no provider's API behind it."""
    data: dict[str, Any] = {"order_id": sale.order_id, "payment_id": f"inv_{payment.key[:8]}", "test": True}
    match what:
        case "paid":
            data |= {"currency": "EUR", "amount": str(payment.total)}
            data |= {"email": payment.email, "name": "Klant B.V.", "language": sale.language}
            data["lines"] = [{"sku": payment.product.sku, "quantity": payment.quantity, "kind": "new"}]
        case "refunded":
            data |= {"amount_refunded": str(payment.refunded), "full": not payment.left}
        case "dispute_closed":
            data["won"] = payment.dispute == "won"
    callback = {"type": f"order.{what}", "timestamp": datetime.now(UTC).isoformat(), "data": data}
    return shop.shop_calls(json.dumps(callback).encode(), new_id("msg_", 24))


def _woocommerce_tells(shop: Shop, sale: Sale, payment: Payment, _what: str) -> Answer:
    """Change the order in WooCommerce, and send all of it, as WooCommerce does at every change."""
    path = f"/wp-json/wc/v3/orders/{sale.order_id}"
    # WooCommerce counts whole seconds; a person does not change an order twice in one of them.
    sale.changed_at = max(datetime.now(UTC).replace(microsecond=0), sale.changed_at + timedelta(seconds=1))
    now = f"{sale.changed_at:%Y-%m-%dT%H:%M:%S}"
    before = shop.providers.objects.get(path) or _recorded("woocommerce/order.updated.json") | {"date_paid_gmt": now}
    order = before | {
        "id": int(sale.order_id),
        "number": sale.order_id,
        "status": "processing" if payment.left else "refunded",
        "date_modified_gmt": now,
        "total": str(payment.total),
        "total_tax": str(_tax(payment.total)),
        "billing": before["billing"] | {"email": payment.email},
        "meta_data": [{"id": 1, "key": "keypost_lang", "value": sale.language}],
        "line_items": [before["line_items"][0] | _woocommerce_line(payment)],
        "refunds": [{"id": n, "reason": "", "total": f"-{back}"} for n, back in enumerate(payment.refunds, start=1)],
    }
    shop.providers.objects[path] = order
    return shop.woocommerce_calls(json.dumps(order).encode())


def _woocommerce_line(payment: Payment) -> dict[str, Any]:
    tax = _tax(payment.total)
    net = str(payment.total - tax)
    about = {
        "name": in_language(payment.product.name, DEFAULT),
        "sku": payment.product.sku,
        "quantity": payment.quantity,
    }
    return about | {"subtotal": net, "total": net, "total_tax": str(tax)}


def _tax(total: Decimal) -> Decimal:
    return round(total - total / Decimal("1.21"), 2)


CHECKOUTS = ("stripe", "mollie")  # where a customer may be offered something more
TELL: dict[str, Callable[[Shop, Sale, Payment, str], Answer]] = {
    "stripe": _stripe_tells,
    "mollie": _mollie_tells,
    "shop": _shop_tells,
    "woocommerce": _woocommerce_tells,
}
