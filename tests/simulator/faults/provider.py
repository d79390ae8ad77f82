"""A payment provider, which is asked: what was paid there and what went back is the truth, whatever reaches Keypost of
it. It may be down, busy or slow, or answer with what was true before; and its callbacks may come late, twice or never.
What is special about each of them stands in at_mollie.py, at_stripe.py, at_woocommerce.py and at_moneybird.py."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from urllib3.exceptions import ProtocolError, TimeoutError  # noqa: A004 - as urllib3 names it

from tests.simulator.faults.faults import Faults
from tests.simulator.faults.machine import Machine

Json = dict[str, Any]
Things = dict[str, Json]  # objects of a provider's API by their paths
FAULTS_OF_A_PROVIDER = ("provider down", "provider busy", "provider slow", "provider silent", "provider lags")
_NOTHING = Decimal(0)
_BUSY = (429, 500, 502, 503)
_DOWN = (30, 600, 7200)  # seconds
_BEHIND = (2, 60, 300)  # seconds by which an answer lags
_SLOWEST, _SILENT = 7.5, 8.0  # seconds until an answer; the second is longer than Keypost waits


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens to a payment."""

    at: float
    kind: str  # one of MAY_HAPPEN
    amount: Decimal = _NOTHING  # that goes back

    @property
    def stamp(self) -> int:
        """In whole seconds."""
        return int(self.at)


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that the shop asked for, with what became of it."""

    order: str
    id: str
    bought: Mapping[str, Any]
    opened: float
    steps: tuple[Step, ...] = ()
    through: str = ""  # of an order in WooCommerce: the payment at Mollie by which it is paid
    has_card: bool = True  # it says what was bought; that of an order in WooCommerce does not

    def until(self, moment: float) -> "Payment":
        """As it was then."""
        return replace(self, steps=tuple(step for step in self.steps if step.at <= moment))

    def last(self, *kinds: str) -> Step | None:
        return next((step for step in reversed(self.steps) if step.kind in kinds), None)

    def all_of(self, kind: str) -> list[Step]:
        return [step for step in self.steps if step.kind == kind]

    @property
    def paid_at(self) -> float | None:
        paid = self.last("paid")
        return paid.at if paid else None

    @property
    def changed_at(self) -> float:
        return self.steps[-1].at if self.steps else self.opened

    @property
    def whole(self) -> Decimal:
        return Decimal(self.bought["amount"])

    def is_undone(self, returned: Step) -> bool:
        """Whether a refund came to nothing."""
        undone = self.last("undone")
        return undone is not None and undone.at >= returned.at

    @property
    def standing(self) -> list[Step]:
        """The refunds that did not come to nothing."""
        return [step for step in self.all_of("returned") if not self.is_undone(step)]

    @property
    def back(self) -> Decimal:
        return sum((step.amount for step in self.standing), _NOTHING)

    @property
    def dispute(self) -> Step | None:
        """Its newest step."""
        return self.last("disputed", "won", "lost")

    @property
    def is_disputed(self) -> bool:
        return self.dispute is not None and self.dispute.kind == "disputed"

    def told_by(self, step: Step) -> tuple[str, dict[str, Any]]:
        """What the callback of a shop would say of this step, the newest: its kind and its data."""
        about = {"payment_id": self.through or self.id}
        match step.kind:
            case "paid":
                return "order.paid", {**self.bought, **about}
            case "returned" | "undone":
                back = {"full": True} if self.back >= self.whole else {"amount_refunded": str(self.back)}
                return "order.refunded", {**back, **about}
            case "disputed":
                return "order.disputed", about
            case "won" | "lost":
                return "order.dispute_closed", {"won": step.kind == "won", **about}
        return "order.canceled", {}


def _is_open(payment: Payment) -> bool:
    return payment.last("paid", "failed") is None


def _is_paid(payment: Payment) -> bool:
    return payment.last("paid") is not None


# What may happen to a payment, and when. A shorter story may have left out what came before.
MAY_HAPPEN: Mapping[str, Callable[[Payment], bool]] = {
    "promised": lambda payment: _is_open(payment) and payment.last("promised") is None,  # by a debit, which takes days
    "failed": _is_open,
    "paid": _is_open,
    "returned": _is_paid,
    "undone": lambda payment: payment.back > 0,  # a refund comes to nothing
    "disputed": lambda payment: _is_paid(payment) and payment.dispute is None,
    "won": lambda payment: payment.is_disputed,
    "lost": lambda payment: payment.is_disputed,
    "canceled": lambda payment: _is_paid(payment) and payment.last("canceled") is None,
}
# What a step changes; of several that change the same, only the newest is true.
_CHANGES: Mapping[str, str] = {
    "paid": "payment",
    "returned": "money back",
    "undone": "money back",
    "disputed": "dispute",
    "won": "dispute",
    "lost": "dispute",
    "canceled": "order",
}
_TAKES_BACK: Mapping[str, str] = {"undone": "returned", "won": "disputed"}


# --- whether a payment as an order has it says so


def _says_paid(_: Payment, stored: Mapping[str, Any]) -> bool:
    return bool(stored.get("state") == "paid")


def _says_returned(payment: Payment, stored: Mapping[str, Any]) -> bool:
    return any(is_full or back >= payment.back for back, is_full in _reports(stored))


def _says_undone(payment: Payment, stored: Mapping[str, Any]) -> bool:
    return not any(is_full or back > payment.back for back, is_full in _reports(stored))


def _reports(stored: Mapping[str, Any]) -> Iterator[tuple[Decimal, bool]]:
    """How much went back by each reporter, and whether that is all. Moneybird has a report for each credit note."""
    for _, same in groupby(stored.get("refunded", ()), lambda each: str(each.get("by")).partition("#")[0]):
        parts = [*same]
        back = sum((Decimal(each.get("amount") or 0) for each in parts), _NOTHING)
        yield back, any(each.get("full") for each in parts)


def _dispute_is(*states: str) -> Callable[[Payment, Mapping[str, Any]], bool]:
    return lambda _, stored: any(each.get("state") in states for each in stored.get("disputes", ()))


def _says_won(payment: Payment, stored: Mapping[str, Any]) -> bool:
    return not _dispute_is("open", "lost", "inquiry")(payment, stored)


def _says_canceled(_: Payment, stored: Mapping[str, Any]) -> bool:
    return any((each.get("problem") or {}).get("code") == "shop_status" for each in stored.get("goods", ()))


_SAYS: Mapping[str, Callable[[Payment, Mapping[str, Any]], bool]] = {
    "paid": _says_paid,
    "returned": _says_returned,
    "undone": _says_undone,
    "disputed": _dispute_is("open", "lost", "inquiry"),
    "won": _says_won,
    "lost": _dispute_is("lost"),
    "canceled": _says_canceled,
}


# --- the providers


@dataclass(frozen=True, slots=True)
class Api:
    """What is special about a provider: how its API shows a payment, and how it tells of a step."""

    name: str
    path: str  # how the paths of its API begin
    prefix: str  # of what an order calls its payments
    things: Callable[[Payment], Things]
    answer: Callable[[Things, str, list[tuple[str, str]], Mapping[str, str]], tuple[int, Any]]
    call: Callable[[Payment, Step, float, random.Random], Json]  # the callback of a payment's newest step
    calls_again: Sequence[float] = (5, 60, 600, 3600, 7200)  # seconds after which it repeats a call that failed
    environment: Mapping[str, str] = field(default_factory=dict)  # of functions that ask it
    removes: bool = False  # a payment that is disputed is not there any more

    def name_of(self, payment: Payment) -> str:
        return f"{self.prefix}:{payment.id}"


@dataclass(frozen=True, slots=True)
class Moved:
    """A step of which Keypost is to know, as its payment was after it."""

    api: Api
    payment: Payment
    step: Step

    @property
    def text(self) -> str:
        return f"{self.step.kind} {self.payment.id}"

    def is_known_by(self, item: Mapping[str, Any]) -> bool:
        """Whether an order as it is stored says so."""
        name = self.api.name_of(self.payment)
        theirs = [each for each in item.get("payments", ()) if name in each.get("names", ())]
        return any(_SAYS[self.step.kind](self.payment, each) for each in theirs)

    def takes_back(self, other: "Moved") -> bool:
        """Whether this is the end of what the other one was."""
        kind = _TAKES_BACK.get(self.step.kind)
        return kind == other.step.kind and self.payment.id == other.payment.id


@dataclass(frozen=True, slots=True)
class _Response:
    """As urllib3 gives it."""

    status: int
    content: bytes

    def read(self, _most: int, *, decode_content: bool) -> bytes:
        assert decode_content
        return self.content

    def release_conn(self) -> None:
        pass


@dataclass(slots=True)
class Provider:
    """`tell` is called with each step, for the callbacks."""

    api: Api
    machine: Machine
    faults: Faults
    tell: Callable[[Moved], None]
    payments: dict[str, Payment] = field(default_factory=dict)
    down_until: float = 0
    was_away: bool = False
    asked: Counter[str] = field(default_factory=Counter)  # by the name of an invocation
    questions: list[str] = field(default_factory=list)  # the paths that were asked for

    # --- what happens there

    def open(self, order: str, payment: str, bought: Mapping[str, Any], **how: Any) -> None:
        """A payment that the shop made for an order; nobody has paid it yet."""
        self.payments[payment] = Payment(order, payment, bought, self.machine.now, **how)

    def happen(self, payment: str, kind: str, amount: Decimal = _NOTHING) -> None:
        """Nothing, where a shorter story has left out what came before."""
        before = self.payments.get(payment)
        if before is None or not MAY_HAPPEN[kind](before):
            return
        step = Step(self.machine.now, kind, amount)
        after = self.payments[payment] = replace(before, steps=(*before.steps, step))
        self.tell(Moved(self.api, after, step))

    def is_away(self, seconds: float) -> None:
        """It answers nobody for so long."""
        self.was_away = True
        self.down_until = max(self.down_until, self.machine.now + seconds)

    @property
    def steps(self) -> int:
        return sum(len(payment.steps) for payment in self.payments.values())

    # --- what it answers, in the place of a pool of connections

    def request(self, _method: str, url: str, headers: Mapping[str, str], **_: Any) -> _Response:
        name = self.machine.current.name if self.machine.current else "nobody"
        self.asked[name] += 1
        self.questions.append(urlsplit(url).path)
        place = f"{name} asks {self.api.name} {self.asked[name]}"
        kind, chance = self.faults.at(place, FAULTS_OF_A_PROVIDER), self.faults.chance(place)
        self.machine.pause(chance.uniform(0.05, 0.3))
        match kind:
            case "provider down":
                self.is_away(chance.choice(_DOWN))
            case "provider slow":
                self.machine.pause(_SLOWEST * chance.random())
            case "provider silent":
                self.machine.pause(_SILENT)
                raise TimeoutError
            case "provider busy":
                return _Response(chance.choice(_BUSY), b"busy")
        if self.machine.now < self.down_until and not self.faults.is_over:
            raise ProtocolError
        behind = chance.choice(_BEHIND) if kind == "provider lags" else 0.0
        return self._answer(url, headers, self.machine.now - behind)

    def _answer(self, url: str, headers: Mapping[str, str], moment: float) -> _Response:
        asked = urlsplit(url)
        things: Things = {}
        for payment in self.payments.values():
            if payment.opened <= moment:
                things |= self.api.things(payment.until(moment))
        status, said = self.api.answer(things, asked.path, parse_qsl(asked.query), headers)
        return _Response(status, json.dumps(said).encode())

    # --- what is true there

    def unknown(self, item: Callable[[str], Mapping[str, Any] | None]) -> Iterator[Moved]:
        """What is true here, and does not stand in the order."""
        for payment in self.payments.values():
            newest = {_CHANGES[step.kind]: step for step in payment.steps if step.kind in _CHANGES}
            unknown = [
                moved
                for moved in (Moved(self.api, payment, step) for step in newest.values())
                if not moved.is_known_by(item(payment.order) or {})
            ]
            # Nobody has to know of what came and went.
            is_gone = self.api.removes and payment.is_disputed and "paid" in [moved.step.kind for moved in unknown]
            yield from () if is_gone else unknown


def is_to_be_known(moved: Moved) -> bool:
    return moved.step.kind in _CHANGES


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def callback(provider: str, body: bytes, headers: Mapping[str, str], query: Mapping[str, str] | None = None) -> Json:
    """The event with which API Gateway passes on a provider's call."""
    return {
        "httpMethod": "POST",
        "pathParameters": {"provider": provider},
        "headers": dict(headers),
        "queryStringParameters": dict(query or {}),
        "body": body.decode(),
        "isBase64Encoded": False,
    }
