"""Plays a world and judges it: the mails that left are compared with those that had to leave, and the checks of the
fault simulator are made."""

import gc
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from time import process_time

from tests.simulator.faults.checks import Violation, violations
from tests.simulator.faults.faults import counted
from tests.simulator.faults.machine import NeverEnds
from tests.simulator.faults.ses import Accepted
from tests.simulator.faults.shop import day_of
from tests.simulator.years.oracle import Expected, expected_mails
from tests.simulator.years.ten_years import TenYears
from tests.simulator.years.world import ZONE, make_world

WORLD = 25  # customers
_WITHOUT_CODES = ("reminder", "refunded")
_NOT_JUDGED = ("paid_ahead",)  # it only says that another mail comes


def what_is_wrong(played: TenYears) -> list[Violation]:
    return [*_on_other_days(played), *violations(played.shop)]


def judged(played: TenYears) -> list[Accepted]:
    return [mail for mail in played.ses.accepted if mail.purpose not in _NOT_JUDGED]


def _on_other_days(played: TenYears) -> Iterator[Violation]:
    due: dict[str, list[Expected]] = defaultdict(list)
    left: dict[str, list[Accepted]] = defaultdict(list)
    for mail in expected_mails(played.world):
        due[mail.order].append(mail)
    for sent in judged(played):
        left[sent.order].append(sent)
    for order, sold in played.world.sales.items():
        wanted, had = [*map(_wanted, due[order])], [*map(_had, left[order])]
        if not _fit(due[order], left[order]):
            yield Violation("each mail leaves on its day", order, f"it was to have {wanted}, and had {had}")
        elif any(len(sent.codes) != _codes(sent, sold.quantity) for sent in left[order]):
            yield Violation("each mail has its codes", order, f"{sold.quantity} for each license: {had}")


def _codes(sent: Accepted, quantity: int) -> int:
    return 0 if sent.purpose in _WITHOUT_CODES else quantity


def _fit(due: Sequence[Expected], left: Sequence[Accepted]) -> bool:
    return len(due) == len(left) and all(
        want.purpose == sent.purpose
        and want.earliest <= day_of(sent.at) <= want.latest
        and want.first_day == sent.first_day
        for want, sent in zip(due, left, strict=True)
    )


def _wanted(mail: Expected) -> str:
    until = f" to {mail.latest}" if mail.latest != mail.earliest else ""
    return f"{mail.purpose} on {mail.earliest}{until}{_for(mail.first_day)}"


def _had(mail: Accepted) -> str:
    return f"{mail.mail} on {day_of(mail.at)}{_for(mail.first_day)} with {len(mail.codes)} codes"


def _for(first_day: date | None) -> str:
    return f" from {first_day}" if first_day else ""


def story(played: TenYears, order: str) -> Iterator[str]:
    """All that is known of an order and of those that it stands in line with, in time order."""
    first = played.world.sales[order].first
    line = {name: sold for name, sold in played.world.sales.items() if sold.first == first}
    yield f"The story of {order}:"
    yield from (f"  {sold}" for sold in line.values())
    facts = [
        (fact.arrives.timestamp(), f"the shop tells that {fact.order} was {fact.what} at {_here(fact.at)}")
        for fact in played.world.facts
        if fact.order in line
    ]
    notes = [(each.at, f"{', '.join(each.orders)}: {each.text}") for each in played.journal if {*each.orders} & {*line}]
    mails = [(mail.at, f"{mail.order}: SES takes {_had(mail)}") for mail in played.ses.accepted if mail.order in line]
    yield from (f"  {_here(at)}  {text}" for at, text in sorted([*facts, *notes, *mails], key=lambda each: each[0]))


def _here(moment: datetime | float) -> str:
    at = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
    return f"{at.astimezone(ZONE):%a %Y-%m-%d %H:%M:%S}"


@dataclass(frozen=True, slots=True)
class Script:
    """What is played: so many customers of a seed."""

    customers: int
    seed: int

    @property
    def command(self) -> str:
        """The line that plays it again."""
        return f"make simulate CUSTOMERS={self.customers} SEED={self.seed}"


@dataclass(frozen=True, slots=True)
class Played:
    orders: int
    callbacks: int
    calls: int  # of AWS
    mails: Mapping[str, int]  # by purpose
    faults: Mapping[str, int]
    wrong: tuple[Violation, ...]
    story: tuple[str, ...]  # of the first order that is wrong
    seconds: float = field(compare=False)  # of the processor


def play(script: Script) -> Played:
    begun, world = process_time(), make_world(script.customers, script.seed)
    played = TenYears(world, script.seed)
    with played.playing():
        wrong = _lived(played)
        found = [violation.order for violation in wrong if violation.order in world.sales]
        return Played(
            orders=len(world.sales),
            callbacks=len(world.facts),
            calls=played.cloud.calls,
            mails=Counter(mail.purpose for mail in judged(played)),
            faults=counted(played.faults.happened),
            wrong=tuple(wrong),
            story=tuple(story(played, found[0])) if found else (),
            seconds=process_time() - begun,
        )


def _lived(played: TenYears) -> list[Violation]:
    gc.disable()  # garbage is looked for once a year: to look among all that is kept takes a tenth of the time
    try:
        played.live()
        return what_is_wrong(played)
    except NeverEnds as error:
        return [Violation("3 the system comes to rest", "-", str(error))]
    except Exception as error:  # noqa: BLE001 - whatever it is, its world is told
        return [Violation("the years can be played", "-", repr(error))]
    finally:
        gc.enable()
        gc.unfreeze()
