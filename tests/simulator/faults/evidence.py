"""What the checks look at when a story is over: what was sold and told, what SES took, and the table as it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.simulator.faults.ses import Accepted
from tests.simulator.faults.shop import Shop
from tests.simulator.faults.simulation import Answered, Simulation, Told, needs

_OURS = 500  # the status from which on an answer is our own failure


@dataclass(frozen=True, slots=True)
class Money:
    """What callbacks said of the money of an order."""

    is_good: bool  # a payment stands, untouched
    is_over: bool  # there was money, and all of it went back; or the order was canceled
    first_paid: float | None
    over_since: float | None
    is_canceled: bool = False  # and no money went back


class Evidence:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.simulation: Simulation = shop.simulation
        self.sales = {name: sale for name, sale in shop.sales.items() if name not in shop.unreadable | shop.stuck}
        self.items = {name: item for name in self.sales if (item := self.simulation.item(name))}
        self.money = {name: money_of(name, self.simulation.told, self.simulation.answers) for name in self.sales}

    @cached_property
    def own(self) -> dict[str, dict[str, Any]]:
        """The orders that payments of contested ones became."""
        names = [f"{order}-{number}" for order in self.shop.contested & set(self.sales) for number in (2, 3)]
        return {name: item for name in names if (item := self.simulation.item(name))}

    @cached_property
    def stored(self) -> list[dict[str, Any]]:
        """The whole table."""
        return self.simulation.items()

    @cached_property
    def by_hand(self) -> dict[str, dict[str, Any]]:
        """The orders that agents made, and those that have a license which moved."""
        prefix = "ORDER#HAND-"
        found = (item for item in self.stored if item["pk"].startswith(prefix) and "lines" in item)
        return {item["pk"].removeprefix("ORDER#"): item for item in found}

    @cached_property
    def olds(self) -> dict[str, dict[str, Any]]:
        """What was sold before, as far as it was imported."""
        return {name: item for name in self.shop.olds if (item := self.simulation.item(name))}

    @property
    def all_items(self) -> dict[str, dict[str, Any]]:
        return self.items | self.own | self.by_hand | self.olds

    def moved_away(self, order: str) -> dict[str, str]:
        """By the id of a license, the order that has it now."""
        gone = self.all_items.get(order, {}).get("gone", ())
        return {each["license"]: each["order"] for each in gone if each["why"] == "moved"}

    def current(self, order: str) -> list[dict[str, Any]]:
        moved = self.moved_away(order)
        return [one for one in self.all_items[order].get("licenses", ()) if one["id"] not in moved]

    @cached_property
    def actions(self) -> dict[str, list[str]]:
        """What a person can do about each order of the worklist, as an agent is told."""
        found: dict[str, list[str]] = {}

        def told(_status: int, said: Any) -> None:
            for item in said["items"]:
                found[item["order_id"]] = [action["code"] for action in item["actions"]]

        self.simulation.support("GET", "/attention", {}, told)
        self.simulation.run(10)
        return found

    @cached_property
    def codes(self) -> dict[str, dict[str, Any]]:
        return {item["code"]: item for item in self.stored if item["pk"].startswith("CODE#")}

    @cached_property
    def batches(self) -> list[dict[str, Any]]:
        return [item for item in self.stored if item["pk"].startswith("BATCH#")]

    @property
    def accepted(self) -> list[Accepted]:
        return [mail for mail in self.simulation.ses.accepted if mail.order in self.sales]

    def mailed(self, order: str) -> set[str]:
        return {code for mail in self.accepted if mail.order == order for code in mail.codes}

    def has_bounced(self, order: str) -> bool:
        addresses = {mail.to for mail in self.accepted if mail.order == order}
        addresses.add(self.items.get(order, {}).get("customer", {}).get("email"))
        return bool(addresses & set(self.simulation.ses.suppressed)) or self.asks_first(order) or self._lifts(order)

    def is_unreachable(self, order: str) -> bool:
        """Whether its customer's address, as it is now, takes no mail, or a person is asked first."""
        address = self.items.get(order, {}).get("customer", {}).get("email")
        return address in self.simulation.ses.suppressed or self.asks_first(order) or self._lifts(order)

    def _lifts(self, order: str) -> bool:
        """Whether an agent who said that a spam report was none was answered with an error, and asks again."""
        asked = [each for each in self.simulation.answers if each.route.endswith("lift-complaint")]
        theirs = [each for each in asked if each.order in self.sales and self._is_of_one(each.order, order)]
        return bool(theirs) and theirs[-1].status >= _OURS

    def _is_of_one(self, order: str, other: str) -> bool:
        return self.sales[order].email == self.sales[other].email

    def asks_first(self, order: str) -> bool:
        """Whether a person is asked before codes go to somebody who reported a reminder as spam."""
        item = self.items.get(order, {})
        has_complained = item.get("customer", {}).get("email") in self.simulation.ses.complaints
        return has_complained and needs(item) in ("address", "mail")

    def is_owed(self, order: str) -> bool:
        """Whether the customer is to have all of it by now, as far as people and money are concerned."""
        item = self.items.get(order)
        kept_back = item and (is_held(item) or item.get("forget_on") or self._waits_from_before(order))
        kept_back = kept_back or self.asked(order, "renewal/stop")
        return self.money[order].is_good and not kept_back and order not in self.shop.contested

    def asked(self, order: str, *routes: str) -> list[Answered]:
        """What may have been done of what agents asked for an order."""
        found = (each for each in self.simulation.answers if each.order == order and each.may_be_done)
        return [each for each in found if each.route.endswith(routes)]

    def claimed_at(self, mail: Accepted) -> float:
        claim = self.simulation.claims.get((mail.order, mail.mail, mail.attempt))
        return claim.at if claim else mail.at

    def _waits_from_before(self, order: str) -> bool:
        return order in self.shop.before and bool(self.items[order].get("hold", {}).get("from_before"))

    def is_still_to_come(self, order: str, line: int) -> bool:
        """A renewal whose day lies behind the end of the story."""
        terms = [term for term in self.items[order].get("terms", ()) if term["line"] == line]
        return any(term["mail_at"] > self.simulation.now for term in terms)

    def may_lack_its_base(self, order: str) -> bool:
        """Whether a line renews what nobody knows, or what is in trouble itself."""
        renewed = {str(line["renews"]).partition("/")[0] for line in self.sales[order].lines if "renews" in line}
        return any(not self._stands(name) for name in renewed)

    def _stands(self, order: str) -> bool:
        if order in self.shop.olds:
            return order in self.shop.known_olds
        return order in self.items and self.is_owed(order) and not self.may_lack_its_base(order)


def is_held(item: Mapping[str, Any]) -> bool:
    """Whether a person is to decide about an order first."""
    hold = item.get("hold", {})
    return bool(hold.get("by_person") or hold.get("problem"))


def money_of(order: str, told: list[Told], answers: Iterable[Answered] = ()) -> Money:
    payments: dict[str, list[Told]] = {}
    for each in told:
        if each.order == order:
            payments.setdefault(each.payment, []).append(each)
    canceled = _cancellations(order, [each for facts in payments.values() for each in facts])
    released = [each for each in answers if each.order == order and "release" in each.route and each.may_be_done]
    may_be_lifted = any(each.at >= at for each in released for at in canceled)
    fates = [_fate(facts) for facts in payments.values() if any(each.kind == "order.paid" for each in facts)]
    paid = [each.at for facts in payments.values() for each in facts if each.kind == "order.paid"]
    gone = [at for _, at in fates if at is not None]
    since = max(gone) if fates and len(gone) == len(fates) else None
    since = min(canceled) if canceled and not may_be_lifted else since
    return Money(
        is_good=not canceled and any(is_good for is_good, _ in fates),
        is_over=bool(paid) and since is not None,
        first_paid=min(paid, default=None),
        over_since=since,
        is_canceled=bool(canceled) and not (fates and len(gone) == len(fates)),
    )


def _cancellations(order: str, facts: list[Told]) -> list[float]:
    """When callbacks said that the shop canceled the order, as far as they are not older than its newest payment."""
    paid = max((each.said_at for each in facts if each.kind == "order.paid"), default=0.0)
    return [each.at for each in facts if each.kind == "order.canceled" and int(each.said_at) >= int(paid)]


def _fate(facts: list[Told]) -> tuple[bool, float | None]:
    """Whether a payment stands untouched, and since when all of it is gone."""
    disputes = sorted((each for each in facts if each.kind.startswith("order.dispute")), key=_step)
    is_lost = bool(disputes) and disputes[-1].data.get("won") is False
    refunds = sorted((each for each in facts if each.kind == "order.refunded"), key=lambda each: each.said_at)
    if refunds and refunds[-1].data.get("amount_refunded") == "0":  # it was deleted
        refunds = []
    gone = [each.at for each in refunds if each.data.get("full")] + ([disputes[-1].at] if is_lost else [])
    is_open = bool(disputes) and disputes[-1].kind == "order.disputed"
    return not refunds and not is_lost and not is_open, min(gone, default=None)


def _step(told: Told) -> tuple[float, bool]:
    """Of what is told with one stamp, a dispute is opened first."""
    return told.said_at, told.kind == "order.dispute_closed"
