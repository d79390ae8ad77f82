"""What was imported, put right: codes leave the stock or go to another product, and a bad batch is replaced."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from keypost import wiring
from keypost.api.actions import Words
from keypost.api.asking import reader_of
from keypost.api.stock import LeftOut, Sku
from keypost.core.batches import Replacing
from keypost.core.errors import NotFound
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked
from keypost.core.product import Product
from keypost.core.said import Said, said
from keypost.inputs.strict import Omissible, QueryFlag, one_of
from keypost.use_cases import correct_stock, replace_batch
from keypost.use_cases.correct_stock import Corrected, Wanted
from keypost.words import sentence, worded

router = Router()  # type: ignore[no-untyped-call]

Batch = Annotated[str, StringConstraints(max_length=64)]
DryRun = Annotated[QueryFlag, Query(description="Look at it, and change nothing")]
_MOST_NAMED = 1000
_PAGE = 50
_SPARE_MILLISECONDS = 8_000
Named = Annotated[list[Annotated[str, StringConstraints(max_length=200)]], Field(min_length=1, max_length=_MOST_NAMED)]


class Codes(BaseModel):
    """Exactly one of `batch` and `codes`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=one_of("batch", "codes"))

    batch: Omissible[Batch] = Field(default=None, description="All codes of this batch; empty for none")
    codes: Omissible[Named] = Field(default=None, description="These codes, in whatever spelling")
    reason: Words = Field(default="", description="Why, in the agent's own words")

    @model_validator(mode="after")
    def _names_codes(self) -> Self:
        if (self.batch is None) == (self.codes is None):
            raise ValueError("batch_or_codes")
        return self

    def wanted(self, sku: str) -> Wanted:
        return Wanted(sku, self.batch, self.codes or [])


class Move(Codes):
    to: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = Field(description="Of this product")


class OfBatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    batch: Batch = Field(description="Its name; empty for codes that were imported without one")
    sku: Omissible[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]] = None


class Orders(OfBatch):
    next: Omissible[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,80}$")]] = Field(
        default=None, description="The `next` of the page before"
    )


class Replace(OfBatch):
    batch: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    reason: Literal["already used", "wrong region", "invalid"] = "invalid"
    note: Words = Field(default="", description="For the claim, in the agent's own words")


@dataclass(frozen=True, slots=True)
class StockCorrected:
    detail: str
    dry_run: bool
    done: int  # codes
    given: int  # codes of the batch that customers have: they keep them until the batch is replaced
    left_out: tuple[LeftOut, ...]  # of the codes that were named, by their places from 1
    is_whole: bool  # false: there was no time for all; the same call goes on


@dataclass(frozen=True, slots=True)
class OrderOfBatch:
    order_id: str
    products: tuple[str, ...]
    codes: int


@dataclass(frozen=True, slots=True)
class Stays:
    reason: Said
    codes: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the replacing of a batch is."""

    batch: str
    state: str  # `not begun`, `running`, `short` of codes of other batches, or `done`
    replaced: int
    given: int  # codes of the batch that customers still have
    left_out: tuple[Stays, ...]  # codes that stay, and why


@dataclass(frozen=True, slots=True)
class OrdersOfBatch:
    orders: tuple[OrderOfBatch, ...]
    next: str | None
    progress: Progress


@router.post("/stock/<sku>/withdraw", summary="Withdraw free codes from the stock: those of a batch, or some")
def withdraw_codes(sku: Sku, given: Annotated[Codes, Body()], dry_run: DryRun = False) -> StockCorrected:
    _known(sku)
    asked = _asked(given.reason)
    done = correct_stock.withdraw(wiring.desk(), given.wanted(sku), asked, _is_time_left, dry_run=dry_run)
    return _told(done, "codes_withdrawn", dry_run=dry_run)


@router.post("/stock/<sku>/put-back", summary="Put withdrawn codes back into the stock")
def put_codes_back(sku: Sku, given: Annotated[Codes, Body()], dry_run: DryRun = False) -> StockCorrected:
    _known(sku)
    asked = _asked(given.reason)
    done = correct_stock.put_back(wiring.desk(), given.wanted(sku), asked, _is_time_left, dry_run=dry_run)
    return _told(done, "codes_put_back", dry_run=dry_run)


@router.post("/stock/<sku>/move", summary="Move free codes to the product to which they belong")
def move_codes(sku: Sku, given: Annotated[Move, Body()], dry_run: DryRun = False) -> StockCorrected:
    _known(sku)
    to, asked = _known(given.to), _asked(given.reason)
    done = correct_stock.move(wiring.desk(), given.wanted(sku), to, asked, _is_time_left, dry_run=dry_run)
    return _told(done, "codes_moved", dry_run=dry_run)


@router.post(
    "/batches/orders", summary="The orders that have codes of a batch, and how far the replacement of the batch has got"
)
def orders_of_batch(wanted: Annotated[Orders, Body()]) -> OrdersOfBatch:
    page = wiring.store().given(wanted.batch, wanted.next or "", _PAGE)
    told = (
        OrderOfBatch(each.order_id, each.skus, len(each.items))
        for each in page
        if each.items and wanted.sku in (None, *each.skus)
    )
    following = page[-1].order_id if len(page) == _PAGE else None
    answer = OrdersOfBatch(tuple(told), following, _progress(wanted.batch, wanted.sku or ""))
    return worded(answer, reader_of(router.current_event.raw_event))


@router.post(
    "/batches/replace",
    summary="Give every customer who has a code of a batch another one, and mail it",
    status_code=202,
)
def replace_codes(wanted: Annotated[Replace, Body()], dry_run: DryRun = False) -> Progress:
    if wanted.sku:
        _known(wanted.sku)
    if not dry_run:
        asked = _asked(wanted.note)
        replacing = Replacing(wanted.batch, wanted.sku or "", wanted.reason, asked.why, asked.who, asked.at)
        replace_batch.begin(wiring.desk(), replacing)
    told = _progress(wanted.batch, wanted.sku or "")
    return worded(told, reader_of(router.current_event.raw_event))


def _progress(batch: str, sku: str) -> Progress:
    far = replace_batch.how_far(wiring.desk(), batch, sku)
    known = far.replacing
    stays = tuple(Stays(said(code), count) for code, count in sorted(known.left_out.items())) if known else ()
    return Progress(batch, known.state if known else "not begun", far.replaced, far.given, stays)


def _known(sku: str) -> Product:
    product = wiring.store().products([sku]).get(sku)
    if product is None:
        raise NotFound("no_such_product", sku=sku)
    return product


def _told(done: Corrected, code: str, *, dry_run: bool) -> StockCorrected:
    to = reader_of(router.current_event.raw_event)
    what = said("codes_that_would_be" if dry_run else code, count=done.done, given=done.given or None)
    left_out = tuple(LeftOut(fault.line, fault.reason) for fault in done.left_out)
    detail = sentence(what, to)
    return worded(StockCorrected(detail, dry_run, done.done, done.given, left_out, done.is_whole), to)


def _is_time_left() -> bool:
    return bool(router.lambda_context.get_remaining_time_in_millis() > _SPARE_MILLISECONDS)


def _asked(why: str) -> Asked:
    caller: dict[str, str] = router.current_event["requestContext"]["authorizer"]
    return Asked(datetime.now(UTC).replace(microsecond=0), caller["agent"], why)
