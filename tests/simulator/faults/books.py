"""The books of a shop, kept by hand: which money was taken for which goods, and how much of it went back, as callbacks
said it and by no rule of the product."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.simulator.faults.ses import Accepted
from tests.simulator.faults.shop import PLAIN, PRICES, RARE, REMINDING, cost
from tests.simulator.faults.simulation import Answered, Saved, Simulation, Told

_NOTHING = Decimal(0)
_FAILED = 300  # the status of an answer from which on nothing was done
_SKU_OF = {"AAAAA": PLAIN, "RRRRR": REMINDING, "SSSSS": RARE}  # by how its codes begin


@dataclass(frozen=True, slots=True)
class Basket:
    """What one payment is for, by the newest word about it."""

    payment: str
    goods: Mapping[str, int]
    email: str


@dataclass(frozen=True, slots=True)
class Books:
    """Of one order, at the end of a story."""

    simulation: Simulation
    order: str

    @property
    def _told(self) -> list[Told]:
        return [each for each in self.simulation.told if each.order == self.order]

    @property
    def _answers(self) -> list[Answered]:
        return [each for each in self.simulation.answers if each.order == self.order and each.may_be_done]

    @property
    def _payments(self) -> dict[str, list[Told]]:
        """All that was said of each, by its own clock."""
        found: dict[str, list[Told]] = {}
        for each in sorted(self._told, key=lambda told: told.said_at):
            found.setdefault(each.payment, []).append(each)
        return found

    @property
    def standing(self) -> list[Basket]:
        """The payments of which not all went back."""
        found = ((name, _paid(facts), facts) for name, facts in self._payments.items())
        return [_basket(name, paid[-1]) for name, paid, facts in found if paid and _back(facts) < _amount(paid[-1])]

    @property
    def unmatched(self) -> bool:
        return any(not _paid(facts) and _refunds(facts) for facts in self._payments.values())

    @property
    def is_partly_back(self) -> bool:
        paid = [facts for facts in self._payments.values() if _paid(facts)]
        return any(0 < _back(facts) < _amount(_paid(facts)[-1]) for facts in paid)

    @property
    def is_canceled(self) -> bool:
        return any(each.kind == "order.canceled" for each in self._told)

    @property
    def is_closed(self) -> bool:
        """Whether a person said that it is done with."""
        return any(each.route.endswith("close") for each in self._answers)

    @property
    def released(self) -> bool:
        return any("release" in each.route for each in self._answers)

    @property
    def is_plain(self) -> bool:
        """One thing was paid for by one customer, and nobody ever said otherwise of that payment."""
        standing = [facts for name, facts in self._payments.items() if name in {one.payment for one in self.standing}]
        words = {(_goods(paid), paid.data["email"]) for facts in standing for paid in _paid(facts)}
        return len(words) == 1 and not self.unmatched and not self.is_partly_back

    def _is_last_word(self, answer: Answered) -> bool:
        """Whether all that was told after that is what had been told before."""
        before = {_word(each) for each in self._told if each.at < answer.asked_at}
        return answer.status < _FAILED and all(_word(each) in before for each in self._told)

    @property
    def may_be_given(self) -> list[Mapping[str, int]]:
        """What an order that waits for nobody may have: what all say, or what a person said."""
        answers = [each for each in self._answers if each.route.endswith("contents")]
        contents = [each.body for each in answers]
        if answers and "lines" in contents[-1] and self._is_last_word(answers[-1]):
            return [_counted(contents[-1]["lines"])]
        settled: list[Mapping[str, int]] = [_counted(body["lines"]) for body in contents if "lines" in body]
        if any("own_order" in body for body in contents):
            settled.append(sum((Counter(each.goods) for each in self.standing), Counter[str]()))
        distinct = {(tuple(sorted(each.goods.items())), each.email) for each in self.standing}
        return [*settled, self.standing[0].goods] if len(distinct) == 1 else settled


def _word(told: Told) -> tuple[str, str, int]:
    return told.payment, told.kind, int(told.said_at)


def _paid(facts: Iterable[Told]) -> list[Told]:
    return [each for each in facts if each.kind == "order.paid"]


def _refunds(facts: Iterable[Told]) -> list[Told]:
    return [each for each in facts if each.kind == "order.refunded"]


def _amount(paid: Told) -> Decimal:
    return Decimal(paid.data["amount"])


def _basket(payment: str, paid: Told) -> Basket:
    return Basket(payment, _counted(paid.data["lines"]), paid.data["email"])


def _goods(paid: Told) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(_counted(paid.data["lines"]).items()))


def _counted(lines: Iterable[Mapping[str, Any]]) -> Counter[str]:
    count = Counter[str]()
    for line in lines:
        count[line["sku"]] += line["quantity"]
    return count


def _back(facts: Sequence[Told]) -> Decimal:
    """How much of a paid payment went back, by the newest word."""
    paid, refunds = _paid(facts), _refunds(facts)
    disputes = [each for each in facts if each.kind == "order.dispute_closed"]
    if not paid:
        return _NOTHING
    if disputes and not disputes[-1].data["won"]:
        return _amount(paid[-1])
    return _returned(refunds[-1], _amount(paid[-1])) if refunds else _NOTHING


def _returned(refund: Told, whole: Decimal) -> Decimal:
    return whole if refund.data.get("full") else Decimal(refund.data["amount_refunded"])


# --- by and by: does the money that is there at a moment pay for the codes that leave


def unpaid_codes(simulation: Simulation, order: str, family: Sequence[str]) -> Iterator[str]:
    """Mails with codes for which there was not enough money. `family` is the order with those that its payments became.
    In doubt of when something was known, it is in favor of the product."""
    till, given, seen = _Till(simulation, order), Counter[str](), set[str]()
    moments: list[tuple[float, str, dict[str, str]]] = [*_leaving(simulation, family), *till.gone]
    for at, mail, licenses in sorted(moments, key=lambda moment: moment[:2]):
        if not mail:  # what left for money that went back is to be blocked
            given &= till.goods(at)
        new = [licenses[name] for name in licenses.keys() - seen]
        seen |= licenses.keys()
        given += Counter(new)
        cost, allowed = sum((PRICES[sku] * count for sku, count in given.items()), _NOTHING), till.allowed(at)
        if new and cost > allowed:
            yield f"{mail} left with {sorted(new)}; that makes {cost}, and {allowed} was paid"


def _leaving(simulation: Simulation, family: Sequence[str]) -> Iterator[tuple[float, str, dict[str, str]]]:
    """The mails with codes, at the moments of their claims: the licenses with their products."""
    for mail in simulation.ses.accepted:
        if mail.order in family and mail.codes:
            claim = _first_claim(simulation, mail)
            names = _licenses(simulation, mail.order)
            found = {names.get(code, code): _SKU_OF[code[:5]] for code in mail.codes}
            yield claim.at if claim else mail.at, mail.mail, found


def _first_claim(simulation: Simulation, mail: Accepted) -> Saved | None:
    """That of this attempt; of the first one of a mail with these codes, this or an earlier one, of which nobody could
    know whether it had left: who asks for codes that may have left gets them again."""
    claim = simulation.claims.get((mail.order, mail.mail, mail.attempt))
    stored = claim.item.get("mails", ()) if claim else ()
    doubtful = [(mail.order, each["id"], 1) for each in stored if each.get("may_have_left")]
    firsts = [simulation.claims[key] for key in doubtful if key in simulation.claims]
    same = (first for first in firsts if {*mail.codes} <= {one["code"] for one in first.item.get("licenses", ())})
    return min(same, key=lambda first: first.at, default=claim)


def _licenses(simulation: Simulation, order: str) -> dict[str, str]:
    """The license that had each code: a code that is swapped in is the same license."""
    saves = simulation.saves.get(order, ())
    return {one["code"]: f"{order} {one['id']}" for saved in saves for one in saved.item.get("licenses", ())}


@dataclass(slots=True)
class _Till:
    simulation: Simulation
    order: str

    @property
    def told(self) -> list[Told]:
        return [each for each in self.simulation.told if each.order == self.order]

    @property
    def _names(self) -> set[str]:
        return {each.payment for each in self.told}

    @property
    def gone(self) -> list[tuple[float, str, dict[str, str]]]:
        """The moments at which money went back."""
        return [(each.at, "", {}) for each in self.told if each.kind in ("order.refunded", "order.dispute_closed")]

    def goods(self, at: float) -> Counter[str]:
        """What the payments are for whose money is there."""
        total = Counter[str]()
        for name in self._names:
            said = [each for each in _paid(self.told) if each.payment == name and each.said_at <= at]
            most = Counter[str]()
            for each in said if self._there(name, at) > 0 else ():
                most |= _counted(each.data["lines"])
            total += most
        return total

    def allowed(self, at: float) -> Decimal:
        """For how much codes may be given at a moment: what is in the till, and what a person let go."""
        there = max(sum((self._there(name, at) for name in self._names), _NOTHING), _NOTHING)
        done = [each for each in self.simulation.answers if each.order == self.order and each.may_be_done]
        asked = [each for each in done if each.asked_at <= at]
        forgiven = max((self._back_by(each.at, at) for each in asked if "release" in each.route), default=_NOTHING)
        lines = [each for each in asked if "lines" in each.body and there]
        settled = [Decimal(cost(each.body["lines"])) - self._gone_since(each.asked_at, at) for each in lines]
        return max([there + forgiven, *settled, *self._as_first_heard(at)])

    def _as_first_heard(self, at: float) -> Iterator[Decimal]:
        """The price of what the first word that arrived says of its payment, which stands: as long as there is no other
        word, the shop has sold that for this money, whatever it usually costs."""
        first = min(_paid(self.told), key=lambda each: each.at, default=None)
        if first and self._there(first.payment, at) == _amount(first):
            yield Decimal(cost(first.data["lines"]))

    def _gone_since(self, then: float, at: float) -> Decimal:
        """What went back after a person had decided what is given for the money that was there."""
        return max(self._gone(at) - self._gone(then), _NOTHING)

    def _gone(self, at: float) -> Decimal:
        return sum((self._taken(name, at) - self._there(name, at) for name in self._names), _NOTHING)

    def _there(self, payment: str, at: float) -> Decimal:
        amount = self._taken(payment, at)
        return amount - self._back(payment, at, amount)

    def _taken(self, payment: str, at: float) -> Decimal:
        paid = [each for each in _paid(self.told) if each.payment == payment and each.said_at <= at]
        newer = {each.said_at for each in paid if each.at <= at}
        amounts = [_amount(each) for each in paid if not any(said > each.said_at for said in newer)]
        return max(amounts, default=_NOTHING)

    def _back(self, payment: str, at: float, amount: Decimal) -> Decimal:
        """By the newest word that was taken; a newer one that is on its way may say less."""
        facts = sorted((each for each in self.told if each.payment == payment), key=lambda each: each.said_at)
        whole = amount or Decimal(_whole(self.told))
        said = [each for each in _refunds(facts) if each.said_at <= at]
        known = [number for number, each in enumerate(said) if each.at <= at]
        refunded = min((_returned(each, whole) for each in said[known[-1] :]), default=_NOTHING) if known else _NOTHING
        closed = [each for each in facts if each.kind == "order.dispute_closed" and each.at <= at]
        return whole if closed and not closed[-1].data["won"] else refunded

    def _back_by(self, asked: float, at: float) -> Decimal:
        """What had gone back when a person let the order go; no more than has gone back now."""
        payments = {each.payment for each in self.told}
        return sum((self._said_back(name, min(asked, at)) for name in payments), _NOTHING)

    def _said_back(self, payment: str, by: float) -> Decimal:
        facts = [each for each in self.told if each.payment == payment and each.said_at <= by]
        refunds = sorted(_refunds(facts), key=lambda each: each.said_at)
        return _returned(refunds[-1], Decimal(_whole(self.told))) if refunds else _NOTHING


def _whole(told: Iterable[Told]) -> str:
    """The most that an order cost."""
    return max((each.data["amount"] for each in _paid(told)), key=Decimal, default="0")
