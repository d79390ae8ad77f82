"""The mails of an order, as its customer got them."""

from datetime import UTC, datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path

from keypost import wiring
from keypost.api.orders import OrderId
from keypost.core.errors import InvalidInput, NotFound, Refused
from keypost.core.frozen import dataclass
from keypost.core.mail import Mail, MailState
from keypost.core.order import Order

router = Router()  # type: ignore[no-untyped-call]

MailId = Annotated[str, Path(pattern=r"^[a-z_]{1,40}-[0-9]{1,4}$", description="The mail's id in its order")]


@dataclass(frozen=True, slots=True)
class MailShown:
    """Every code in it is masked."""

    order_id: str
    mail: str
    language: str
    to: str | None  # the address that it went to, or goes to
    sender: str
    subject: str
    text: str
    html: str
    attachments: tuple[str, ...]  # their names


@router.get(
    "/orders/<order_id>/mails/<mail_id>/preview",
    summary="A mail as the customer got it or will get it, with the codes masked",
)
def show_mail(order_id: OrderId, mail_id: MailId) -> MailShown:
    order = wiring.store().existing(order_id)
    mail = next((each for each in order.mails if each.id == mail_id), None)
    if mail is None:
        raise NotFound("no_such_mail", order=order.id)
    if mail.state is MailState.BEFORE:
        raise Refused("mail_of_before", order=order.id)
    return _shown(order, mail)


def _shown(order: Order, mail: Mail) -> MailShown:
    try:
        message = wiring.preview(order, mail, datetime.now(UTC).replace(microsecond=0))
    except (InvalidInput, KeyError):  # what it was about is not of this order any more, or left the catalog
        raise Refused("mail_not_shown", order=order.id) from None
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return MailShown(
        order_id=order.id,
        mail=mail.id,
        language=str(message["Content-Language"]),
        to=mail.sent_to or mail.to or order.customer.email,
        sender=str(message["From"]),
        subject=str(message["Subject"]),
        text=text.get_content() if text else "",
        html=html.get_content() if html else "",
        attachments=tuple(part.get_filename() or "" for part in message.iter_attachments()),
    )
