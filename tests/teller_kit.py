"""What holds at the door of every payment provider, whoever adds one: the rules, and for each provider of PROVIDERS a
record with which they are tried (docs/adding-a-provider.md). A rule gets a door: the real handler of callbacks behind
real signatures, on a table of its own."""

import base64
import hashlib
import hmac
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost import wiring
from keypost.core.errors import InvalidInput, ProviderRefused, ProviderUnavailable
from keypost.core.order import Order
from keypost.core.payment import Standing
from keypost.providers import PROVIDERS
from tests.builders import EVENTS, NOW, SECRETS, SESSION, SKU, event, leaked, loaded, log
from tests.functions.callbacks import call

Json = dict[str, Any]
Broken = tuple[str, Any]

DAY = 24 * 3600  # seconds
PERSONAL = ("Anna", "Jansen", "klant.example")


@dataclass(frozen=True)
class Told:
    """A callback: its body, and what the provider's API answers then, by path."""

    body: Json | bytes
    api: Mapping[str, Json] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    def numbered(self, names: Sequence[str], number: int) -> "Told":
        """The same callback about an order and a payment of their own."""

        def renamed(text: str) -> str:
            for name in names:
                text = text.replace(name, f"{name}{number or ''}")
            return text

        api = {renamed(path): json.loads(renamed(json.dumps(thing))) for path, thing in self.api.items()}
        return Told(renamed(self.raw.decode()).encode(), api)


@dataclass(frozen=True)
class Signed:
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Teller:
    """What the rules need to know of a provider. Each callback is about the same order and payment."""

    sign: Callable[[bytes, str, int], Signed]  # a body with a secret, at a moment in seconds since 1970
    forged: str  # a secret of the right form that is not ours
    order_id: str
    payments: tuple[str, ...]  # all names of the payment in its callbacks, and what else only one order may have
    open: Told  # not paid yet
    paid: Told  # one license of SKU
    refunded: Told  # all the money went back
    other_mode: Told | None  # the live payment that a test stack refuses; None if the provider names no mode
    unknown: Mapping[str, Told]  # genuine callbacks of a state or a type that no module knows, each with its name
    signs_time: bool = True
    after_refund: Standing = Standing.REFUNDED
    personal: tuple[str, ...] = PERSONAL  # words of the paid callback that must not be logged


@dataclass
class Door:
    """The door of one provider, which keeps all that it answered."""

    provider: str
    teller: Teller
    stack: Stack
    local: LocalStack
    logged: io.StringIO
    printed: Callable[[], str]
    answers: list[Any] = field(default_factory=list)

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.teller.order_id, *self.teller.payments)

    def knock(self, body: bytes, signed: Signed) -> int:
        answer = call(self.provider, body, signed.headers, query=signed.query)
        self.answers.append(answer)
        status: int = answer["statusCode"]
        return status

    def send(self, body: bytes, *, secret: str = "", later: int = 0) -> int:
        """The status of the answer to this body, signed so many seconds later than now."""
        secret = secret or SECRETS[PROVIDERS[self.provider].secret]
        return self.knock(body, self.teller.sign(body, secret, int(time.time()) + later))

    def tell(self, told: Told, number: int = 0, **how: Any) -> int:
        """The status of the answer to this callback, which is about the order and the payment of that number."""
        numbered = told.numbered(self._names, number)
        self.local.providers.objects |= numbered.api
        return self.send(numbered.raw, **how)

    def tell_all(self, story: Sequence[Told], number: int) -> None:
        """Tell these in this order. The provider's API answers what is true after all that happened."""
        for each in sorted(story, key=[self.teller.open, self.teller.paid, self.teller.refunded].index):
            self.local.providers.objects |= each.numbered(self._names, number).api
        for each in story:
            assert self.send(each.numbered(self._names, number).raw) == self.accepted

    def read(self, told: Told) -> Sequence[Any]:
        """What the provider's module reads in it."""
        self.local.providers.objects |= told.api
        here = wiring.provider_call(PROVIDERS[self.provider].api, NOW, told.raw)
        return PROVIDERS[self.provider].read(here)

    def order(self, number: int = 0) -> Order:
        return loaded(self.stack.store, f"{self.teller.order_id}{number or ''}")

    @property
    def accepted(self) -> int:
        return PROVIDERS[self.provider].accepted

    @property
    def refused(self) -> int:
        return PROVIDERS[self.provider].refused

    @property
    def malformed(self) -> int:
        return PROVIDERS[self.provider].malformed

    @property
    def items(self) -> list[str]:
        """The keys of all orders and payments in the table."""
        found = self.local.session.client("dynamodb").scan(TableName=self.stack.store.table)["Items"]
        keys = [item["pk"]["S"] for item in found]
        return [key for key in keys if key.startswith(("ORDER#", "PAYMENT#", "ASIDE#"))]

    @property
    def traces(self) -> int:
        """How many orders and payments there are, and remarks in the inbox."""
        return len(self.items) + self.stack.store.count_remarks(NOW - timedelta(days=1), NOW + timedelta(days=1), 1000)


GARBAGE = (
    b"",
    b"\xff\xfe",
    b"not json",
    b"null",
    b"[]",
    b"{}",
    b'{"a":NaN}',
    b'{"a":1,"a":2}',
    b'{"a":"\\ud800"}',
    b'{"a":' * 5000,
    b"id=",
    b"id=tr_" + b"x" * 2000,
    b"\x00" * 64,
)


def garbage_is_refused_and_changes_nothing(door: Door) -> None:
    """An empty object may be a call of a kind that is none of ours, as at WooCommerce."""
    for body in GARBAGE:
        assert door.send(body) in {door.malformed, door.refused, *([door.accepted] if body == b"{}" else [])}, body
    assert door.items == []


def a_body_that_is_too_large_is_not_read(door: Door) -> None:
    most = PROVIDERS[door.provider].largest

    assert door.send(b" " * (most + 1)) == 413
    assert door.knock(b" " * most, Signed()) == door.refused
    assert door.items == []


def a_wrong_key_is_refused(door: Door) -> None:
    assert door.tell(door.teller.paid, secret=door.teller.forged) == door.refused
    assert door.items == []

    assert door.tell(door.teller.paid) == door.accepted
    assert door.order().is_paid


def without_a_signature_nothing_is_read(door: Door) -> None:
    for body in (door.teller.paid.raw, b""):
        assert door.knock(body, Signed()) == door.refused
    assert door.items == []


def a_signature_of_yesterday_or_of_tomorrow_is_refused(door: Door) -> None:
    expected = door.refused if door.teller.signs_time else door.accepted
    for later in (-DAY, DAY):
        assert door.tell(door.teller.paid, secret="", later=later) == expected
    assert bool(door.items) is not door.teller.signs_time


def a_callback_again_is_the_same_order_one_payment_and_one_sale(door: Door) -> None:
    for _ in range(3):
        assert door.tell(door.teller.paid) == door.accepted

    order = door.order()
    assert (order.standing, len(order.payments), order.is_paid_twice) == (Standing.PAID, 1, False)
    assert [(line.sku, line.quantity) for line in order.lines] == [(SKU, 1)]
    assert [entry.code for entry in order.timeline].count("payment_paid") == 1
    assert door.logged.getvalue().count('"OrderPaid"') == 1


def a_payment_of_the_other_mode_makes_no_order(door: Door) -> None:
    if door.teller.other_mode is None:
        return
    assert door.tell(door.teller.other_mode) in {door.malformed, 503}
    assert door.items == []


def any_order_of_events_gives_the_same_order(door: Door) -> None:
    teller = door.teller
    for number, story in enumerate(permutations([teller.open, teller.paid, teller.refunded]), start=1):
        door.tell_all(story, number)
        order = door.order(number)
        assert (order.standing, len(order.payments), order.is_paid_twice) == (teller.after_refund, 1, False), number
    for number, story in enumerate(permutations([teller.open, teller.paid]), start=10):
        door.tell_all(story, number)
        assert (door.order(number).standing, len(door.order(number).payments)) == (Standing.PAID, 1), number


def what_nobody_knows_leaves_a_trace(door: Door) -> None:
    """An order, or what stands in the inbox; also if it is refused."""
    for number, (name, told) in enumerate(door.teller.unknown.items(), start=1):
        before = door.traces
        status = door.tell(told, number)
        assert status in {door.accepted, door.malformed}, name
        assert door.traces > before, f"{door.provider}: {name}: {status}, and nothing of it is kept"


# In place of a field. The dates and the number are legal, and no moment that Python can count with in another zone.
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, "", "x", "9" * 400, "\ud800", "a\r\nb\x00",
    "0000-00-00T00:00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", [], [None], ["x"], {}, {"x": None},
)  # fmt: skip


def broken(thing: Any) -> Iterator[Broken]:
    """The thing with one field of it replaced or gone, and where."""
    for path in _paths(thing):
        for odd in ODD:
            owner, whole = _copy(thing, path)
            owner[path[-1]] = odd
            yield f"{path} = {odd!r:.40}", whole
        owner, whole = _copy(thing, path)
        del owner[path[-1]]
        yield f"{path} is gone", whole


def _paths(thing: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in members:
        yield (*above, key)
        yield from _paths(value, (*above, key))


def _copy(thing: Any, path: tuple[Any, ...]) -> tuple[Any, Any]:
    """A copy of the thing, and what in it has the field at this path."""
    whole = deepcopy(thing)
    owner = whole
    for key in path[:-1]:
        owner = owner[key]
    return owner, whole


def one_odd_field_is_no_fault_of_keypost(door: Door) -> None:
    """Everything that differs in what the module reads is then told to the door, each about an order of its own."""
    for number, (place, told) in enumerate(_differing(door), start=100):
        status = door.tell(told, number)
        assert status in {door.accepted, door.malformed, 503}, f"{door.provider}: {place}: {status}"
    assert _leaks(door) == []


def _differing(door: Door) -> list[tuple[str, Told]]:
    """One of each answer that the module gives to a broken callback. It raises none but the errors of `read`."""
    found: dict[str, tuple[str, Told]] = {}
    faults = []
    for place, told in _broken_told(door.teller.paid):
        try:
            found.setdefault(repr(door.read(told)), (place, told))
        except (InvalidInput, ProviderUnavailable, ProviderRefused) as error:
            found.setdefault(repr(error), (place, told))
        except Exception as error:  # noqa: BLE001 - this is what the rule looks for
            faults.append(f"{place}: {type(error).__name__}: {error}")
    assert faults == []
    return [*found.values()]


def _broken_told(told: Told) -> Iterator[tuple[str, Told]]:
    if isinstance(told.body, dict):
        for place, body in broken(told.body):
            yield place, Told(body, told.api)
    for path, thing in told.api.items():
        for place, changed in broken(thing):
            yield f"{path}: {place}", Told(told.body, {**told.api, path: changed})


def nothing_personal_is_answered_or_logged(door: Door) -> None:
    """Also of a callback that is forged, cut off, not understood or of the other mode."""
    teller = door.teller
    told = b"".join([teller.paid.raw, *(json.dumps(thing).encode() for thing in teller.paid.api.values())])
    assert [word for word in teller.personal if word.encode() not in told] == []  # there is something to be found

    for number, each in enumerate([teller.paid, teller.refunded, *teller.unknown.values()], start=1):
        door.tell(each, number)
    if teller.other_mode:
        door.tell(teller.other_mode)
    door.tell(teller.paid, secret=teller.forged)
    door.send(teller.paid.raw[:-5])

    assert _leaks(door) == []


def _leaks(door: Door) -> list[str]:
    """The personal words and the secrets that were answered, logged or printed."""
    private = [*door.teller.personal, *filter(None, SECRETS.values())]
    return leaked(private, lambda: door.logged.getvalue() + door.printed() + json.dumps(door.answers), log)


RULES: tuple[Callable[[Door], None], ...] = (
    garbage_is_refused_and_changes_nothing,
    a_body_that_is_too_large_is_not_read,
    a_wrong_key_is_refused,
    without_a_signature_nothing_is_read,
    a_signature_of_yesterday_or_of_tomorrow_is_refused,
    a_callback_again_is_the_same_order_one_payment_and_one_sale,
    a_payment_of_the_other_mode_makes_no_order,
    any_order_of_events_gives_the_same_order,
    what_nobody_knows_leaves_a_trace,
    one_odd_field_is_no_fault_of_keypost,
    nothing_personal_is_answered_or_logged,
)


def _hex_hmac(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _of_stripe(header: str) -> Callable[[bytes, str, int], Signed]:
    """The scheme of Stripe, which Moneybird has too."""
    return lambda body, secret, at: Signed({header: f"t={at},v1={_hex_hmac(secret, str(at).encode() + b'.' + body)}"})


def _standard(body: bytes, secret: str, at: int) -> Signed:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"msg_1.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return Signed({"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signature})


def _of_woocommerce(body: bytes, secret: str, _at: int) -> Signed:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return Signed({"X-WC-Webhook-Signature": base64.b64encode(digest).decode()})


def _merged(thing: Any, changes: Json) -> Any:
    """The thing with these changes at any depth; a map is merged, anything else is replaced."""
    if not isinstance(thing, dict):
        return changes
    plain = {
        key: _merged(thing.get(key), value) if isinstance(value, dict) else value for key, value in changes.items()
    }
    return thing | plain


def _session(**changes: Any) -> Told:
    """Stripe's event of a session, whose line items its API knows."""
    body = event("stripe/checkout.session.completed.json")
    item = {
        "id": "li_1",
        "object": "item",
        "amount_total": 3995,
        "currency": "eur",
        "description": "Kaspersky Standard",
        "price": {"id": "price_1SXkeypost", "object": "price", "lookup_key": SKU, "metadata": {}, "product": "prod_1"},
        "quantity": 1,
    }
    return Told(_merged(body, changes), {f"/v1/checkout/sessions/{SESSION}/line_items/li_1": item})


def _at_mollie(told: Json | bytes, **changes: Any) -> Told:
    """A call of Mollie's, which only names a payment, and the payment as Mollie shows it then."""
    payment = event("mollie/payment.json")
    return Told(told, {f"/v2/payments/{payment['id']}": _merged(payment, changes)})


_REFUND = {
    "resource": "refund",
    "id": "re_4qqhO89gsT",
    "status": "refunded",
    "amount": {"value": "39.95", "currency": "EUR"},
    "createdAt": "2026-11-21T10:00:00+00:00",
}


def _mollie(sign: Callable[[bytes, str, int], Signed], told: Json | bytes, **unknown: Told) -> Teller:
    return Teller(
        sign=sign,
        forged="forged",
        order_id="2026-001236",
        payments=("tr_5B8cwPMGnU6qLbRvo7qEZo",),
        open=_at_mollie(told, status="open", paidAt=None),
        paid=_at_mollie(told),
        refunded=_at_mollie(
            told, amountRefunded={"value": "39.95", "currency": "EUR"}, _embedded={"refunds": [_REFUND]}
        ),
        other_mode=_at_mollie(told, mode="live"),
        unknown={"a state": _at_mollie(told, status="settling", paidAt=None), **unknown},
        signs_time=False,  # the payment is fetched, so an old call says nothing old
    )


def _shops(kind: str = "order.paid", **data: Any) -> Told:
    body = event("webhook/order.paid.json") | {"type": kind}
    body["data"] |= {"amount": "39.95", "name": "Anna Jansen", "lines": [{"sku": SKU, "quantity": 1}]} | data
    return Told(body)


def _woocommerce(**changes: Any) -> Told:
    return Told(event("woocommerce/order.updated.json") | changes)


def _moneybird(action: str = "sales_invoice_state_changed_to_paid", **changes: Any) -> Told:
    body = event("moneybird/sales_invoice_state_changed_to_paid.json") | {"action": action}
    return Told(_merged(body, {"entity": changes}))


_MOLLIE_EVENT = event("mollie/payment.paid.json")

# By the name in PROVIDERS.
TELLERS: dict[str, Teller] = {
    "stripe": Teller(
        sign=_of_stripe("Stripe-Signature"),
        forged="whsec_forged",
        order_id="2026-001234",
        payments=(SESSION, "pi_3SXk1keypost", "ch_3SXk1keypost"),
        open=_session(data={"object": {"payment_status": "unpaid"}}),
        paid=_session(),
        refunded=Told(event("stripe/charge.refunded.json")),
        other_mode=_session(livemode=True, data={"object": {"livemode": True}}),
        unknown={
            "a state of a session": _session(data={"object": {"payment_status": "settling"}}),
            "a type": _session(type="charge.dispute.escalated"),
        },
    ),
    "webhook": Teller(
        sign=_standard,
        forged="whsec_" + "B" * 32,
        order_id="2026-001235",
        payments=("inv_88231",),
        open=_shops("order.open"),
        paid=_shops(),
        refunded=Told(
            _merged(
                event("webhook/order.refunded.json"), {"data": {"payment_id": "inv_88231", "amount_refunded": "39.95"}}
            )
        ),
        other_mode=_shops(test=False),
        unknown={"a type": _shops("order.cancelled")},
    ),
    "woocommerce": Teller(
        sign=_of_woocommerce,
        forged="forged",
        order_id="1237",
        payments=("facturen@",),  # a customer's other orders are looked at
        open=_woocommerce(status="pending", date_paid_gmt=None, date_modified_gmt="2026-11-20T09:12:41"),
        paid=_woocommerce(),
        refunded=_woocommerce(
            status="refunded",
            date_modified_gmt="2026-11-21T10:00:00",
            refunds=[{"id": 1, "reason": "", "total": "-39.95"}],
        ),
        other_mode=None,  # an order does not say in which mode its gateway was
        unknown={
            "a state": _woocommerce(status="licentie-klaar", date_paid_gmt=None),
            "less than an order": Told({"id": 1237}),
        },
        signs_time=False,  # each order has the moment of its change
    ),
    "mollie": _mollie(
        lambda _body, secret, _at: Signed(query={"token": secret}), (EVENTS / "mollie/classic.txt").read_bytes()
    ),
    "mollie-events": _mollie(
        lambda body, secret, _at: Signed({"X-Mollie-Signature": f"sha256={_hex_hmac(secret, body)}"}),
        _MOLLIE_EVENT,
        **{"a type": _at_mollie(_MOLLIE_EVENT | {"type": "voucher.paid"})},
    ),
    "moneybird": Teller(
        sign=_of_stripe("Moneybird-Signature"),
        forged="forged",
        order_id="2026-0187",
        # The reference may be a shop's number of the order, and a customer's other orders are looked at.
        payments=("433546309874484716", "PO 4711", "facturen@"),
        open=_moneybird("sales_invoice_created", state="open", paid_at=None),
        paid=_moneybird(),
        refunded=Told(event("moneybird/payment_destroyed.json")),
        other_mode=None,  # Moneybird has no test mode, only other administrations
        unknown={"a state": _moneybird(state="settling"), "an action": _moneybird("sales_invoice_halved")},
        after_refund=Standing.DISPUTED,  # a payment that was taken out of the books is a question, not yet a refund
    ),
}


def teller_of(provider: str) -> Teller:
    """The record of a provider. It fails, with what is to be done, for one that has none."""
    if provider not in TELLERS:
        pytest.fail(
            f"{provider} is in keypost.providers.PROVIDERS and not in TELLERS of tests/teller_kit.py: add a Teller "
            "with its signature and its callbacks there (docs/adding-a-provider.md shows one)."
        )
    return TELLERS[provider]
