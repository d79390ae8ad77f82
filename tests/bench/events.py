"""The events of a shop that are counted, each played on a shop of its own."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from cli.local.fake_shops import ADMINISTRATION
from tests.bench.shop import NOW, Event, Shop, shops
from tests.builders import SKU, code, event, ses_event
from tests.teller_kit import TELLERS, Told

Open = Callable[..., Shop]

_ADDRESS = "facturen@klant.example"
_RECORDED = {"stripe": datetime.fromisoformat("2026-11-18T11:08Z")}  # shortly after the moment in its callback
_PROVIDERS = ("webhook", "stripe", "mollie", "woocommerce", "moneybird")


def counted() -> list[Event]:
    with shops() as opened:
        return [found for play in PLAYS for found in play(opened)]


def _numbered(provider: str, number: int) -> Told:
    """The callback of an order of its own."""
    teller = TELLERS[provider]
    return teller.paid.numbered((teller.order_id, *teller.payments), number)


def _warm(shop: Shop, provider: str) -> None:
    """The function has had another order of this provider just before."""
    shop.tell(provider, _numbered(provider, 7))


def callbacks(opened: Open) -> Iterator[Event]:
    for provider in _PROVIDERS:
        books = {"KEYPOST_MONEYBIRD_ADMINISTRATION": ADMINISTRATION} if provider == "moneybird" else {}
        shop, teller = opened(**books), TELLERS[provider]
        shop.clock.move_to(_RECORDED.get(provider, NOW))
        _warm(shop, provider)
        with shop.counted(f"callback, {provider}"):
            shop.tell(provider)
        with shop.counted(f"callback, {provider}, repeated"):
            shop.tell(provider)
        with shop.counted(f"callback, {provider}, of the money that went back"):
            shop.tell(provider, teller.refunded)
        shop.start_anew()
        with shop.counted(f"callback, {provider}, in a cold environment"):
            shop.tell(provider, _numbered(provider, 8))
        yield from shop.found


def a_sale(opened: Open) -> Iterator[Event]:
    shop = opened()
    order_id = _sold(shop, 1)
    with shop.counted("poke of an order with nothing to do"):
        shop.poke(order_id)
    shop.tell("webhook", _numbered("webhook", 2))
    with shop.counted("poke of a paid order, one licence"):
        shop.poke(_sale_id(2))
    shop.tell("webhook", _numbered("webhook", 3))
    shop.start_anew()
    with shop.counted("poke of a paid order, one licence, in a cold environment"):
        shop.poke(_sale_id(3))
    yield from shop.found


def feedback(opened: Open) -> Iterator[Event]:
    for name in ("send", "delivery", "bounce_permanent", "complaint"):
        shop = opened()
        order_id = _sold(shop, 1)
        told = ses_event(name, order_id)
        if name == "send":
            shop.deliver("mail_feedback", ses_event("delivery", _sold(shop, 2)))  # the environment is warm
        with shop.counted(f"feedback, {name.partition('_')[0]}"):
            shop.deliver("mail_feedback", told)
        with shop.counted(f"feedback, {name.partition('_')[0]}, repeated"):
            shop.deliver("mail_feedback", told)
        yield from shop.found


def both_events(opened: Open) -> Iterator[Event]:
    """MailFeedback waits for the second of them, so that they come together."""
    shop = opened()
    order_id = _sold(shop, 1)
    shop.deliver("mail_feedback", ses_event("delivery", _sold(shop, 2)))
    with shop.counted("feedback, send and delivery together"):
        shop.deliver("mail_feedback", ses_event("send", order_id), ses_event("delivery", order_id))
    yield from shop.found


def resends(opened: Open) -> Iterator[Event]:
    shop = opened()
    order_id = _sold(shop, 1)
    with shop.counted("resend, asked by support"):
        shop.ask("POST", "/orders/{order_id}/resend", {"reason": "nothing arrived"}, order_id=order_id)
    with shop.counted("resend, poke to sent mail"):
        shop.poke(order_id)
    yield from shop.found
    shop = opened()
    order_id = _sold(shop, 1)
    with shop.counted("resend, asked on the customer's page"):
        shop.ask_on_page(urlencode({"email": _ADDRESS}))
    wish_id = shop.store.put_wish(_ADDRESS, NOW)
    with shop.counted("resend, granted to a customer"):
        shop.deliver("send_again", wish_id)
    yield from shop.found


def renewal(opened: Open) -> Iterator[Event]:
    """Paid seven weeks before its period: codes are reserved 30 days before that, and mailed seven."""
    shop = opened()
    shop.clock.move_to(datetime.fromisoformat("2026-01-12T12:00Z"))
    base = _sold(shop, 1)
    shop.clock.move_to(NOW)
    line = {"sku": SKU, "quantity": 1, "kind": "renewal", "renews": base}
    card = event("webhook/order.paid.json")
    card["data"] |= {"order_id": "2026-009999", "payment_id": "inv_99999", "amount": "39.95", "lines": [line]}
    _warm(shop, "webhook")
    with shop.counted("renewal, callback"):
        shop.tell("webhook", Told(card))
    with shop.counted("renewal, poke: when it runs"):
        shop.poke("2026-009999")
    for name, days in (("codes", 30), ("mail", 7)):
        shop.clock.move_to(datetime.fromisoformat("2027-01-12T12:00Z") - timedelta(days=days))
        with shop.counted(f"renewal, poke: {name}"):
            shop.poke("2026-009999")
    order = shop.store.existing("2026-009999")
    assert [mail.state for mail in order.mails if mail.purpose == "renewal"] == ["sent"], order
    yield from shop.found


def schedules(opened: Open) -> Iterator[Event]:
    shop = opened()
    shop.run("find_due_orders")
    for name, minutes in (("find_due_orders, nothing due", 15), ("find_due_orders, nothing due, once an hour", 30)):
        shop.clock.shift(timedelta(minutes=minutes))
        with shop.counted(name):
            shop.run("find_due_orders")
    shop.run("reconcile_payments")
    with shop.counted("reconcile_payments, nothing new"):
        shop.run("reconcile_payments")
    with shop.counted("write_daily_note, nothing to say"):
        shop.run("write_daily_note")
    yield from shop.found


def readers(opened: Open) -> Iterator[Event]:
    shop = opened()
    _sold(shop, 1)
    for path in ("/stock", "/due", "/attention"):
        with shop.counted(f"GET {path}"):
            shop.ask("GET", path)
    with shop.counted("import of 1,000 codes"):
        shop.ask("POST", "/stock/{sku}", {"codes": [code(n, "ZZZZZ") for n in range(1000)]}, sku=SKU)
    yield from shop.found


def _sale_id(number: int) -> str:
    return f"{TELLERS['webhook'].order_id}{number}"


def _sold(shop: Shop, number: int) -> str:
    """The number of an order whose mail was sent."""
    shop.tell("webhook", _numbered("webhook", number))
    shop.poke(_sale_id(number))
    order: Any = shop.store.load(_sale_id(number))
    assert order.mail("purchase-1").state == "sent", order
    return _sale_id(number)


PLAYS = (callbacks, a_sale, feedback, both_events, resends, renewal, schedules, readers)
