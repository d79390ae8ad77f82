"""The stock: importing codes, and how long they last."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from keypost import wiring
from keypost.api.asking import reader_of
from keypost.core.codes import masked
from keypost.core.errors import NotFound
from keypost.core.forecast import Expected, course
from keypost.core.frozen import dataclass
from keypost.core.periods import local_day
from keypost.core.product import Product
from keypost.core.said import Said, said
from keypost.inputs import gateway
from keypost.inputs.stock_file import Fault, FileCode, StockFile, read_stock_file, read_stock_list
from keypost.inputs.strict import Day, Omissible, QueryFlag
from keypost.use_cases.import_stock import Imported, import_codes, product_finder
from keypost.use_cases.look_ahead import forecasts
from keypost.words import Reader, in_language, sentence, worded

router = Router()  # type: ignore[no-untyped-call]

Sku = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="The product, as in the catalogue")]
MOST_CODES = 100_000
_MOST_SHOWN = 1000  # of the faults, because an answer has at most 6 MB
_MOST_ROWS = 5
_SPARE_MILLISECONDS = 8_000  # to finish the parts that have begun and to poke the orders that wait


class StockList(BaseModel):
    """Codes of one product."""

    model_config = ConfigDict(extra="forbid")

    codes: list[Annotated[str, StringConstraints(max_length=200)]] = Field(min_length=1, max_length=MOST_CODES)
    batch: Omissible[Annotated[str, StringConstraints(max_length=64)]] = None
    activate_before: Omissible[Day] = Field(
        default=None, description="The last day on which the codes can be activated"
    )


@dataclass(frozen=True, slots=True)
class LeftOut:
    line: int  # the line in the file, whose header is line 1, or the place in the list, from 1
    reason: Said
    column: str = ""  # of the file, whose cell is at fault; empty for the whole line


@dataclass(frozen=True, slots=True)
class Column:
    place: int  # from 1
    name: str  # as the file has it
    meaning: str | None  # `code`, `sku`, `batch` or `activate_before`; None: it is not used


@dataclass(frozen=True, slots=True)
class RowRead:
    line: int
    code: str  # its last five characters
    sku: str
    batch: str | None
    activate_before: date | None


@dataclass(frozen=True, slots=True)
class Understood:
    """How a file was read, to be looked at before anything is imported."""

    encoding: str
    separator: str
    header_line: int  # from 1
    columns: tuple[Column, ...]
    rows: tuple[RowRead, ...]  # the first five codes
    changed: tuple[LeftOut, ...]  # cells that were read otherwise than they stand there: the first thousand
    changed_count: int


@dataclass(frozen=True, slots=True)
class StockImported:
    detail: str
    dry_run: bool
    added: int
    duplicates: tuple[LeftOut, ...]  # the first thousand
    duplicate_count: int
    invalid: tuple[LeftOut, ...]  # the first thousand
    invalid_count: int
    not_reached: int  # codes for which there was no time: send all of them again, and the import continues there
    serves: int  # orders that waited for stock and now get all that they lack
    unreadable: tuple[str, ...] = ()  # orders that wait for stock and cannot be read: what they lack is not counted
    understood: Understood | None = None  # of a file, in a dry run


@dataclass(frozen=True, slots=True)
class StockTold:
    sku: str
    name: str
    free: int  # counted up to 10,000
    promised: int
    waiting: int
    used: int  # in the last 30 days, today not included
    used_today: int
    runs_out: date | None  # whether the codes run out within 60 days
    to_order: int
    order_before: date | None
    course: tuple[Expected, ...]
    is_retired: bool  # it is not sold any more: what is to be ordered is for orders that have it and their renewals


@dataclass(frozen=True, slots=True)
class AllStock:
    stock: tuple[StockTold, ...]
    unreadable: tuple[str, ...] = ()  # orders that cannot be read now: the codes that they need are not counted


_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": StockList.model_json_schema()},
        "text/csv": {
            "schema": {"type": "string"},
            "example": "code,batch,activate_before\nAAAAA-BBBBB-CCCCC-DDDDD,2026-11,2027-12-31\n",
        },
    },
}


@router.post(
    "/stock/<sku>", summary="Import codes; each code only once, ever", openapi_extensions={"requestBody": _BODY}
)
def import_stock(
    sku: Sku, dry_run: Annotated[QueryFlag, Query(description="Look at it, and change nothing")] = False
) -> StockImported:
    product = _product(sku)
    if product is None:
        raise NotFound("no_such_product", sku=sku)
    now = datetime.now(UTC).replace(microsecond=0)
    found, faults, understood = _given(product, local_day(now, wiring.config().zone))
    done = import_codes(wiring.desk(), found, now, dry_run=dry_run, go_on=_is_time_left)
    to = reader_of(router.current_event.raw_event, [product])
    return worded(replace(_told(done, faults, to, dry_run=dry_run), understood=understood if dry_run else None), to)


def _is_time_left(_reached: int) -> bool:
    return bool(router.lambda_context.get_remaining_time_in_millis() > _SPARE_MILLISECONDS)


def _product(sku: str) -> Product | None:
    return wiring.store().products([sku]).get(sku)


def _given(product: Product, today: date) -> tuple[list[FileCode], list[Fault], Understood | None]:
    event: dict[str, Any] = router.current_event.raw_event
    if not gateway.read_headers(event).get("content-type", "").lower().startswith("text/csv"):
        wanted = _stock_list(router.current_event.json_body)
        found, faults = read_stock_list(wanted.codes, product, wanted.batch, wanted.activate_before, today)
        return found, faults, None
    file = read_stock_file(
        gateway.read_request(event).body, product_finder(wiring.store()), product.sku, None, today, MOST_CODES
    )
    other = [
        Fault(code.line, said("other_sku", sku=product.sku), column="sku")
        for code in file.found
        if code.new.sku != product.sku
    ]
    found = [code for code in file.found if code.new.sku == product.sku]
    return found, sorted((*file.faults, *other), key=lambda fault: fault.line), understood_of(file)


def understood_of(file: StockFile) -> Understood:
    layout = file.layout
    meanings = {place: meaning for meaning, place in layout.columns.items()}
    columns = (
        Column(place + 1, wiring.hide_codes(name), meanings.get(place)) for place, name in enumerate(layout.names)
    )
    rows = (
        RowRead(each.line, masked(each.new.code), each.new.sku, each.new.batch, each.new.activate_before)
        for each in file.found[:_MOST_ROWS]
    )
    return Understood(
        layout.encoding,
        layout.separator,
        layout.header_line,
        tuple(columns),
        tuple(rows),
        tuple(LeftOut(each.line, each.what, each.column) for each in file.changes[:_MOST_SHOWN]),
        len(file.changes),
    )


def _stock_list(given: Any) -> StockList:
    try:
        return StockList.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from None


def _told(done: Imported, faults: list[Fault], to: Reader, *, dry_run: bool) -> StockImported:
    duplicates = sorted([*done.duplicates, *(f for f in faults if f.is_duplicate)], key=lambda fault: fault.line)
    invalid = sorted([*done.recalled, *(f for f in faults if not f.is_duplicate)], key=lambda fault: fault.line)
    what = said(
        "codes_checked" if dry_run else "codes_imported",
        added=done.added,
        left_out=len(duplicates) + len(invalid) or None,
        not_reached=done.not_reached or None,
    )
    return StockImported(
        detail=sentence(what, to),
        dry_run=dry_run,
        added=done.added,
        duplicates=_shown(duplicates),
        duplicate_count=len(duplicates),
        invalid=_shown(invalid),
        invalid_count=len(invalid),
        not_reached=done.not_reached,
        serves=done.serves,
        unreadable=done.left_out,
    )


def _shown(faults: list[Fault]) -> tuple[LeftOut, ...]:
    return tuple(LeftOut(fault.line, fault.reason, fault.column) for fault in faults[:_MOST_SHOWN])


@router.get("/stock", summary="For each product: free, reserved, needed and used codes, and how long the stock lasts")
def all_stock() -> AllStock:
    now, zone = datetime.now(UTC).replace(microsecond=0), wiring.config().zone
    language = reader_of(router.current_event.raw_event).language
    found, left_out = forecasts(wiring.store(), now, zone)
    return AllStock(
        tuple(
            StockTold(
                sku=each.stock.sku,
                name=in_language(each.stock.name, language),
                free=each.stock.free,
                promised=each.promised,
                waiting=each.stock.waiting,
                used=each.stock.used,
                used_today=each.stock.used_today,
                runs_out=each.runs_out,
                to_order=each.to_order,
                order_before=each.order_before,
                course=course(each.stock, local_day(now, zone)),
                is_retired=each.stock.is_retired,
            )
            for each in found
        ),
        left_out,
    )
