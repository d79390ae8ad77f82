"""Mollie, which is asked: what was paid there and what went back is the truth, whatever reaches Keypost of it. It may
be down, busy or slow, or answer with what was true before; and its callbacks may come late, twice or never."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from urllib3.exceptions import ProtocolError, TimeoutError  # noqa: A004 - as urllib3 names it

from cli.local.fake_providers import PROFILE, FakeProviders, mollie_answers
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.machine import Machine

Json = dict[str, Any]
FAULTS_OF_A_PROVIDER = ("provider down", "provider busy", "provider slow", "provider silent", "provider lags")
_BUSY = (429, 500, 502, 503)
_DOWN = (30, 600, 7200)  # seconds
_BEHIND = (2, 60, 300)  # seconds by which an answer lags
_SLOWEST, _SILENT = 7.5, 8.0  # seconds until an answer; the second is longer than Keypost waits


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that came, went back or is disputed at Mollie."""

    at: float
    order: str
    payment: str
    kind: str  # as the shop's callback would call it
    data: Mapping[str, Any]
    back: Decimal = Decimal(0)  # how much went back by then
    part: str = ""  # the id of the refund or the chargeback

    def is_known_by(self, item: Mapping[str, Any]) -> bool:
        """Whether an order as it is stored says so."""
        theirs = [each for each in item.get("payments", ()) if f"mollie:{self.payment}" in each.get("names", ())]
        return any(_KNOWN[self.kind](self, payment) for payment in theirs)


def _is_paid(_: Moved, payment: Mapping[str, Any]) -> bool:
    return bool(payment.get("state") == "paid")


def _is_back(moved: Moved, payment: Mapping[str, Any]) -> bool:
    said = payment.get("refunded", ())
    return any(each.get("full") or Decimal(each.get("amount") or 0) >= moved.back for each in said)


def _is_disputed(_: Moved, payment: Mapping[str, Any]) -> bool:
    return bool(payment.get("disputes"))


def _is_closed(_: Moved, payment: Mapping[str, Any]) -> bool:
    return any(each.get("state") == "won" for each in payment.get("disputes", ()))


_KNOWN: Mapping[str, Callable[[Moved, Mapping[str, Any]], bool]] = {
    "order.paid": _is_paid,
    "order.refunded": _is_back,
    "order.disputed": _is_disputed,
    "order.dispute_closed": _is_closed,
}


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
class Mollie:
    """`tell` is called with each movement of money, for the callbacks."""

    machine: Machine
    faults: Faults
    tell: Callable[[Moved], None]
    objects: dict[str, Json] = field(default_factory=dict)  # by path
    before: list[tuple[float, str, Json]] = field(default_factory=list)  # until when an object was another
    moved: list[Moved] = field(default_factory=list)
    down_until: float = 0
    asked: Counter[str] = field(default_factory=Counter)

    # --- what happens there; nothing, where a shorter story has left out what came before

    def open(self, order: str, payment: str, bought: Mapping[str, Any]) -> None:
        """A payment that the shop made for an order; nobody has paid it yet."""
        lines = {f"line_{n}": f"{line['sku']}|{line['quantity']}" for n, line in enumerate(bought["lines"], start=1)}
        self.objects[f"/v2/payments/{payment}"] = {
            "resource": "payment",
            "id": payment,
            "mode": "test",
            "createdAt": self._stamp,
            "status": "open",
            "amount": {"currency": bought["currency"], "value": bought["amount"]},
            "profileId": PROFILE,
            "billingAddress": {"givenName": "Anna", "familyName": "Jansen"},
            "metadata": {"v": "1", "order_id": order, "email": bought["email"], "lang": "nl", **lines},
        }

    def pay(self, order: str, payment: str, bought: Mapping[str, Any]) -> None:
        if self._state(payment) == "open":
            self._change(payment, status="paid", paidAt=self._stamp)
            self._move(order, payment, "order.paid", {**bought, "payment_id": payment})

    def give_back(self, order: str, payment: str, amount: str) -> None:
        """So much more of a payment, under a name that only Mollie has for it."""
        if self._state(payment) != "paid":
            return
        parts = self._parts(payment)
        refunds = [*parts.get("refunds", ()), self._part("re", payment, amount) | {"status": "processing"}]
        self._change(payment, _embedded={**parts, "refunds": refunds})
        back = sum((Decimal(each["amount"]["value"]) for each in refunds), Decimal(0))
        is_all = back >= Decimal(self._payment(payment)["amount"]["value"])
        told = {"full": True} if is_all else {"amount_refunded": str(back)}
        self._move(order, payment, "order.refunded", {**told, "payment_id": payment}, back, part=refunds[-1]["id"])

    def charge_back(self, order: str, payment: str) -> None:
        """The bank of the customer takes all of it back."""
        if self._state(payment) != "paid":
            return
        whole = self._payment(payment)["amount"]["value"]
        taken = self._part("chb", payment, whole)
        self._change(payment, _embedded=self._parts(payment) | {"chargebacks": [taken]})
        self._move(order, payment, "order.disputed", {"payment_id": payment}, part=taken["id"])

    def reverse(self, order: str, payment: str) -> None:
        """The bank gives it back to the shop."""
        parts = self._parts(payment)
        if "chargebacks" not in parts:
            return
        reversed_ones = [each | {"reversedAt": self._stamp} for each in parts["chargebacks"]]
        self._change(payment, _embedded={**parts, "chargebacks": reversed_ones})
        self._move(
            order, payment, "order.dispute_closed", {"won": True, "payment_id": payment}, part=reversed_ones[0]["id"]
        )

    @property
    def _stamp(self) -> str:
        return datetime.fromtimestamp(self.machine.now, UTC).isoformat(timespec="seconds")

    def _payment(self, payment: str) -> Json:
        return self.objects.get(f"/v2/payments/{payment}", {})

    def _state(self, payment: str) -> str:
        return str(self._payment(payment).get("status"))

    def _parts(self, payment: str) -> Json:
        parts: Json = self._payment(payment).get("_embedded", {})
        return parts

    def _part(self, prefix: str, payment: str, amount: str) -> Json:
        number = len(self._parts(payment).get("refunds", ())) + 1
        value = {"currency": "EUR", "value": amount}
        return {"id": f"{prefix}_{payment[3:]}n{number}", "amount": value, "createdAt": self._stamp}

    def _change(self, payment: str, **changes: Any) -> None:
        path = f"/v2/payments/{payment}"
        self.before.append((self.machine.now, path, self.objects[path]))
        self.objects[path] = {**self.objects[path], **changes}

    def _move(
        self, order: str, payment: str, kind: str, data: Mapping[str, Any], back: Decimal = Decimal(0), part: str = ""
    ) -> None:
        moved = Moved(self.machine.now, order, payment, kind, data, back, part)
        self.moved.append(moved)
        self.tell(moved)

    # --- what it answers; the rest is for Keypost's own client

    def request(self, _method: str, url: str, **_: Any) -> _Response:
        """In the place of a pool of connections."""
        name = self.machine.current.name if self.machine.current else "nobody"
        self.asked[name] += 1
        place = f"{name} asks Mollie {self.asked[name]}"
        kind, chance = self.faults.at(place, FAULTS_OF_A_PROVIDER), self.faults.chance(place)
        self.machine.pause(chance.uniform(0.05, 0.3))
        match kind:
            case "provider down":
                self.down_until = max(self.down_until, self.machine.now + chance.choice(_DOWN))
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
        return self._answer(url, self._objects_at(self.machine.now - behind))

    def _objects_at(self, moment: float) -> dict[str, Json]:
        later = {path: before for until, path, before in reversed(self.before) if until > moment}
        return self.objects | later

    def _answer(self, url: str, objects: dict[str, Json]) -> _Response:
        asked = urlsplit(url)
        status, said = mollie_answers(
            FakeProviders(url="https://api.mollie.com", objects=objects), asked.path, parse_qsl(asked.query)
        )
        return _Response(status, json.dumps(said).encode())

    def unknown(self, item: Callable[[str], Mapping[str, Any] | None]) -> Iterator[Moved]:
        """What is true here, and does not stand in the order."""
        yield from (each for each in self.moved if not each.is_known_by(item(each.order) or {}))
