"""The month for the bookkeeper, as CSV."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from keypost import wiring
from keypost.api.asking import reader_of
from keypost.use_cases.export_month import page_of_month

router = Router()  # type: ignore[no-untyped-call]

_Month = Query(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$", description="Such as 2026-11, in the shop's zone")
_Page = Query(pattern="^[A-Za-z0-9._-]{1,100}$", description="As the `Link` of the page before says")
_CSV = {"description": "Rows, the newest last", "content": {"text/csv": {"schema": {"type": "string"}}}}


@router.get(
    "/export/orders",
    summary="What happened to orders in a month, as CSV: payments, refunds, and licences that were sent",
    responses={200: _CSV},  # type: ignore[dict-item]
)
def export_orders(month: Annotated[str, _Month], page: Annotated[str | None, _Page] = None) -> Response[str]:
    made = page_of_month(wiring.store(), month, wiring.config().zone, reader_of(router.current_event.raw_event), page)
    headers = {"Content-Disposition": f'attachment; filename="orders-{month}.csv"'}
    if made.next:
        headers["Link"] = f'<?month={month}&page={made.next}>; rel="next"'
    if made.unreadable:
        headers["Keypost-Unreadable"] = " ".join(made.unreadable)
    mark = "" if page else "\ufeff"  # by which spreadsheets know UTF-8
    return Response(200, "text/csv; charset=utf-8", mark + made.csv, headers=headers)
