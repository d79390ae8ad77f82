"""A shop and those around it for a few days: what it sells, who buys, and when what happens to an order. All of it
follows from the seed."""

import math
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from tests.builders import code
from tests.simulator.aws_here import ask_dynamodb
from tests.simulator.faults.deployment import TABLE
from tests.simulator.faults.schedules import ZONE
from tests.simulator.faults.simulation import DAY, Simulation
from tests.simulator.faults.tape import ACTS, WHOLE, Tape

HOUR = 3600.0
PLAIN, REMINDING = "PLAIN", "REMINDING"
RARE = "RARE"  # of which the shop has none at first
PRICES = {PLAIN: Decimal("19.95"), REMINDING: Decimal("29.95"), RARE: Decimal("39.95")}
_PREFIXES = {PLAIN: "AAAAA", REMINDING: "RRRRR", RARE: "SSSSS"}
_ENTRY: Mapping[str, Any] = {
    "vendor": "Kaspersky",
    "name": {"nl": "Antivirus", "en": "Antivirus"},
    "term_days": 20,
    "devices": 1,
    "code_pattern": "[A-Z0-9]{5}(-[A-Z0-9]{5}){3}",
    "code_example": "ABCDE-12345-FGHIJ-67890",
    "download_url": "https://downloads.example/antivirus",
    "steps": {kind: {"nl": ["Open het programma."], "en": ["Open the program."]} for kind in ("new", "renewal")},
    "reserve_days_before": 10,
}
PRODUCTS: Mapping[str, Mapping[str, Any]] = {
    PLAIN: {**_ENTRY, "sku": PLAIN},
    REMINDING: {
        **_ENTRY,
        "sku": REMINDING,
        "reminder_days": [8, 0],
        "renewal_url": "https://shop.example/verlengen",
        "reserve_days_before": 30,  # longer than a term, so that a renewal behind another one has its codes, too
    },
    RARE: {**_ENTRY, "sku": RARE},
}
_UNKNOWN = "elders-1"  # what is renewed was sold elsewhere
# A usual morning, nights on which a day, a month, a year or the time of the clocks ends.
_STARTS = (
    datetime(2026, 11, 2, 9, 0, tzinfo=UTC),
    datetime(2026, 11, 2, 5, 50, tzinfo=UTC),
    datetime(2027, 3, 27, 22, 30, tzinfo=UTC),
    datetime(2026, 10, 24, 21, 50, tzinfo=UTC),
    datetime(2027, 12, 31, 22, 40, tzinfo=UTC),
    datetime(2028, 2, 28, 3, 0, tzinfo=UTC),
)


@dataclass(frozen=True, slots=True)
class Sale:
    """One order, as the shop knows it."""

    order: str
    email: str
    lines: tuple[Mapping[str, Any], ...]
    payment: str | None  # its id, if the shop says it
    starts: date | None = None  # the first day of a renewal, if it is known from the beginning
    name: str = "Anna Jansen"

    @property
    def is_renewal(self) -> bool:
        return any("renews" in line for line in self.lines)

    @property
    def named(self) -> dict[str, str]:
        """What the shop says with each callback about its payment."""
        return {"payment_id": self.payment} if self.payment else {}

    def bought(self, payment: str | None = None) -> dict[str, Any]:
        paid = {"payment_id": payment} if payment else self.named
        about = {"currency": "EUR", "amount": cost(self.lines), "email": self.email, "name": self.name}
        return {**about, "lines": self.lines, **paid}


def cost(lines: Collection[Mapping[str, Any]]) -> str:
    """What lines cost, as a decimal."""
    return str(sum((PRICES[line["sku"]] * line["quantity"] for line in lines), Decimal(0)))


@dataclass(frozen=True, slots=True)
class Old:
    """What an older system sold, with its codes."""

    sale: Sale
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Act:
    number: int
    at: float
    text: str

    def __str__(self) -> str:
        return f"{self.text} (the shop's {self.number})"


@dataclass(slots=True)
class Shop:
    """Does what the tape keeps."""

    simulation: Simulation
    chance: random.Random
    days: int
    tape: Tape = WHOLE
    is_whole: bool = True  # it has several customers, and each of their orders a life of its own
    term_days: int = 20  # of each product
    sales: dict[str, Sale] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=lambda: {sku: count() for sku in PRODUCTS})
    unreadable: set[str] = field(default_factory=set)  # orders whose items nobody can read any more
    broken: dict[str, Any] = field(default_factory=dict)  # the items of these, as nobody may touch them
    whole: dict[str, Any] = field(default_factory=dict)  # what they were before
    broken_at: dict[str, float] = field(default_factory=dict)
    mended: list[float] = field(default_factory=list)  # when such an item was put right
    stuck: set[str] = field(default_factory=set)  # orders at which every step fails
    replaced: set[str] = field(default_factory=set)  # batches that somebody had replaced
    contested: set[str] = field(
        default_factory=set
    )  # orders whose payments or tellers may differ, judged by their money
    before: set[str] = field(default_factory=set)  # orders that were paid before the day from which Keypost serves
    strangers: dict[str, str] = field(default_factory=dict)  # renewals of an order that is another customer's
    typed: dict[str, str] = field(default_factory=dict)  # by the order of a renewal, the code that its customer typed
    beside: set[str] = field(default_factory=set)  # renewals of some of the licenses of an order, by the same payer
    planted: dict[str, str] = field(default_factory=dict)  # by order, what a newer version wrote into it
    unusual: dict[str, date] = field(default_factory=dict)  # by order, the last day of a renewal that was over at once
    in_line: list[tuple[date, tuple[str, ...]]] = field(
        default_factory=list
    )  # renewals of one license, and the day on which the first of them begins
    in_time: dict[str, float] = field(default_factory=dict)  # by order, when what it waits for came
    last_days: dict[str, date] = field(default_factory=dict)  # by code, the last one on which it can be activated
    newest: dict[str, str] = field(default_factory=dict)  # by order, the address that its shop told last
    helped_at: float = math.inf  # when agents of the last day begin to do what they are asked
    olds: dict[str, Old] = field(default_factory=dict)  # by order, what is sold before and imported
    known_olds: set[str] = field(default_factory=set)  # those of them whose import came to its end

    @property
    def begins(self) -> float:
        return self.simulation.machine.now if not self.acts else self.acts[0].at

    def act(self, at: float, text: str, do: Callable[[], None]) -> None:
        """Something that somebody does at a moment."""
        act = Act(len(self.acts), at, text)
        self.acts.append(act)
        if self.tape.keeps(ACTS, str(act)) and self.tape.keeps(ACTS, str(self._first_of(act))):
            self.simulation.machine.at(at, lambda: self._do(text, do))

    def _first_of(self, act: Act) -> Act:
        """The act without which this one would say something else: other goods are others only after the first ones."""
        about = self.contested & {*act.text.split()}
        return next((other for other in self.acts if about & {*other.text.split()}), act)

    def _do(self, text: str, do: Callable[[], None]) -> None:
        self.simulation.note(f"ACT: {text}", *(order for order in self.sales if order in text.split()))
        do()

    def new_codes(self, sku: str, many: int) -> list[str]:
        return [code(next(self.made[sku]), _PREFIXES[sku]) for _ in range(many)]

    def import_codes(self, sku: str, many: int, batch: str = "", last_day: date | None = None) -> None:
        batch = batch or f"batch-{many}"
        body: dict[str, Any] = {"codes": self.new_codes(sku, many), "batch": batch}
        if last_day := last_day or self._last_day_of(batch):
            body["activate_before"] = str(last_day)
            self.last_days |= dict.fromkeys(body["codes"], last_day)
        self.simulation.support("POST", "/stock/{sku}", body, sku=sku)

    def _last_day_of(self, batch: str) -> date | None:
        """On which the codes of a batch can be activated, if there is one: behind the end of the story."""
        days = random.Random(f"{self.simulation.faults.seed}/{batch}").choice((None, 60, 400))
        return day_of(self.simulation.machine.began) + timedelta(days=days) if days and days > self.days else None

    def has_codes(self, sku: str, many: int) -> None:
        """They were imported before the story begins."""
        store = self.simulation.versions[0].modules["keypost.wiring"].store()
        batch, codes = f"batch-{many}", self.new_codes(sku, many)
        last_day = self._last_day_of(batch)
        if last_day:
            self.last_days |= dict.fromkeys(codes, last_day)
        for _ in store.add_codes(sku, codes, batch, last_day):
            pass

    def replace_batch(self, batch: str) -> None:
        def told(status: int, _: Any) -> None:
            if status < 300:
                self.replaced.add(batch)

        self.simulation.support("POST", "/batches/replace", {"batch": batch}, told)

    def put_products(self) -> None:
        """They stand in the catalog before the story begins."""
        modules = self.simulation.versions[0].modules
        entry_of, store = modules["keypost.inputs.catalog_file"].ProductEntry, modules["keypost.wiring"].store()
        for entry in PRODUCTS.values():
            store.put_product(entry_of.model_validate(entry).as_product())

    def put_start(self) -> None:
        """Keypost serves from yesterday on."""
        item = {"pk": {"S": "START"}, "begun": {"S": datetime.fromtimestamp(self.starts, UTC).isoformat()}}
        ask_dynamodb("PutItem", TableName=TABLE, Item=item)

    @property
    def ends(self) -> float:
        """When the days of the story are over."""
        return self.simulation.machine.began + self.days * DAY

    @property
    def starts(self) -> float:
        return self.simulation.machine.began - DAY

    # --- what is sold

    def somebody(self, order: str = "x", *, named: bool = True) -> Sale:
        """An order of a new customer, whose payment is named or not; it is not sold yet."""
        number = len(self.sales)
        order = f"{order}{number:02}" if order != "x" else f"{order}_{number:02}"
        sku, quantity = self.chance.choice((PLAIN, REMINDING)), self.chance.choice((1, 1, 2))
        lines = ({"sku": sku, "quantity": quantity},)
        sale = Sale(order, f"koper{number}@klant.example", lines, f"pay-{order}" if named else None)
        self.sales[order] = sale
        return sale

    def sell(self, sale: Sale, at: float, *, opened: float | None = None) -> None:
        self.sales[sale.order] = sale
        if opened is not None:
            self._tell(sale, "order.open", at - opened)
        self._tell(sale, "order.paid", at)

    def _tell(self, sale: Sale, kind: str, at: float) -> None:
        self.act(at, f"{kind} {sale.order}", lambda: self.simulation.tell(sale.order, kind, **sale.bought()))

    def customer(self, number: int) -> list[Sale]:
        """One customer's orders: something bought and, more often than not, its renewals."""
        email, sku = f"klant{number}@klant.example", self.chance.choice((PLAIN, PLAIN, REMINDING))
        at = self.simulation.now + self.chance.choice((1, 1, 60, HOUR, self.chance.random() * DAY))
        quantity = self.chance.choice((1, 1, 1, 2))
        first = Sale(f"o{number}", email, (self._bought(sku, quantity, at),), self._payment(f"o{number}"))
        if self.chance.random() < 0.1:
            other = {"sku": REMINDING, "quantity": 1, "kind": "renewal", "renews": _UNKNOWN}
            first = Sale(first.order, email, (*first.lines, other), first.payment)
        self.sell(first, at, opened=self.chance.choice((None, None, 0, 30)))
        sold = [first]
        for _ in range(self.chance.choice((0, 0, 1, 1, 2) if self.is_whole else (0, 0, 1))):
            sold.append(self._renewal(first, sold[-1], quantity))
        return sold

    def _bought(self, sku: str, quantity: int, at: float) -> dict[str, Any]:
        """From today on, or for a time that is almost over, so that its renewal is near."""
        line: dict[str, Any] = {"sku": sku, "quantity": quantity}
        if self.chance.random() < 0.7:
            today = day_of(at)
            ends = today + timedelta(days=self.chance.choice((6, 7, 7, 8, 8)))
            line |= {"period_start": str(ends - timedelta(days=19)), "period_end": str(ends)}
        return line

    def _renewal(self, first: Sale, before: Sale, quantity: int) -> Sale:
        order = f"r{first.order[1:]}-{len(self.sales)}"
        line = {**first.lines[0], "quantity": quantity, "kind": "renewal"}
        ends = line.pop("period_end", None)
        line.pop("period_start", None)
        line["renews"] = self.chance.choice((first.order, f"{first.order}/1", before.order))
        starts = date.fromisoformat(ends) + timedelta(days=1) if ends else None
        email = first.email
        sale = Sale(order, email, (line,), self._payment(order), starts)
        at = self.simulation.now + self.chance.choice((2, 2 * HOUR, self.chance.random() * self.days * DAY))
        self.sell(sale, at, opened=self.chance.choice((None, 0, 60, HOUR)))
        return sale

    def _payment(self, order: str) -> str | None:
        return self.chance.choice((None, f"pay-{order}"))


def day_of(moment: float) -> date:
    return datetime.fromtimestamp(moment, UTC).astimezone(ZONE).date()


def begin_of(seed: int) -> datetime:
    return random.Random(f"{seed}/start").choice(_STARTS)
