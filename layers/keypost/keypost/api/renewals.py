"""What a person decides of a renewal before its mail has left."""

import re
from datetime import date
from typing import Annotated, Self

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from keypost.api.actions import Wish
from keypost.api.asking import asked_in, desk_of, reader_of
from keypost.api.orders import OrderId
from keypost.core import plan
from keypost.core.frozen import dataclass
from keypost.core.obstacles import action
from keypost.core.periods import local_day
from keypost.core.references import LONGEST
from keypost.core.said import Said, said
from keypost.inputs.strict import DAY, Flag, Omissible, some_of
from keypost.use_cases import settle_renewal
from keypost.words import worded

router = Router()  # type: ignore[no-untyped-call]

NOW = "now"


def _day_or_now(text: str) -> str:
    try:
        is_possible = text == NOW or bool(re.fullmatch(DAY, text) and date.fromisoformat(text))
    except ValueError:
        is_possible = False
    if not is_possible:
        raise ValueError("field_not_a_day_or_now")
    return text


Number = Annotated[int, Path(ge=1, le=9999, description="The line's number, as the order's story has it")]
DayOrNow = Annotated[str, Field(json_schema_extra={"pattern": f"^{NOW}$|{DAY}"}), AfterValidator(_day_or_now)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


class Renewal(Wish):
    """`renews`, `period_start` or both."""

    model_config = ConfigDict(json_schema_extra=some_of("renews", "period_start"))

    renews: Omissible[Reference] = Field(
        default=None,
        description="What it renews: the id of a licence, the number of an order or of its line (2026-001234/2), or an"
        " activation code, which is never told back",
    )
    period_start: DayOrNow | None = Field(
        default=None, description="The first day, or `now`; null: the day after the licence that it renews"
    )
    confirmed: Flag = Field(default=False, description="The licence may be another customer's")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.renews is None and "period_start" not in self.model_fields_set:
            raise ValueError("renewal_says_nothing")
        return self


@dataclass(frozen=True, slots=True)
class Decided:
    order_id: str
    line: int
    renews: str | None  # the id of a license, or the number of an order or of its line
    period_start: date | None  # None: the day after the license that it renews


@dataclass(frozen=True, slots=True)
class Stopped:
    order_id: str
    line: int
    next: Said  # what a person has to do now


@router.put(
    "/orders/<order_id>/lines/<n>/renewal", summary="Set which licence a renewal renews, or when its period starts"
)
def decide_renewal(order_id: OrderId, n: Number, right: Annotated[Renewal, Body()]) -> Decided:
    asked, desk = asked_in(router.current_event.raw_event, right.reason), desk_of(router.current_event.raw_event)
    today = local_day(asked.at, desk.zone)
    start = today if right.period_start == NOW else right.period_start and date.fromisoformat(right.period_start)
    wanted = settle_renewal.Wanted(
        right.renews, "period_start" in right.model_fields_set, start or None, right.confirmed
    )
    line = settle_renewal.decide(desk, order_id, n, wanted, asked).line(n)
    return Decided(order_id, n, line.renews, line.period_start)


@router.post("/orders/<order_id>/lines/<n>/renewal/stop", summary="Stop a renewal that has not been sent yet")
def stop_renewal(order_id: OrderId, n: Number, wish: Annotated[Wish, Body()]) -> Stopped:
    asked = asked_in(router.current_event.raw_event, wish.reason)
    order = settle_renewal.stop(desk_of(router.current_event.raw_event), order_id, n, asked)
    needs = plan.attention(order)
    told = Stopped(order_id, n, action(order, needs[0]) if needs else said("nothing"))
    return worded(told, reader_of(router.current_event.raw_event))
