"""What is put right about the customer of an order: who they are, and what they want to be written."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal, Self

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from keypost import wiring
from keypost.api.actions import Changed, Key, Wish, plain
from keypost.api.asking import asked_in, desk_of, reader_of
from keypost.api.orders import Email, OrderId
from keypost.core import noting
from keypost.core.correcting import Right, sent_elsewhere
from keypost.core.errors import ProbablyMeant
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked
from keypost.core.order import Order
from keypost.core.said import Said, said
from keypost.inputs import addresses
from keypost.inputs.strict import SEEN, Flag, Omissible, some_of
from keypost.providers.order_card import clean_name
from keypost.use_cases import lift_complaint as complaints
from keypost.use_cases import stop_reminders as reminders
from keypost.words import LANGUAGES, worded

router = Router()  # type: ignore[no-untyped-call]


def _name(given: str) -> str:
    """The name in one line, at most 100 characters of it, without signs that nobody sees; empty only if it was."""
    name = clean_name(given) or ""
    if given and not name:
        raise ValueError("field_empty_or_unseen")
    return name


Name = Annotated[str, StringConstraints(max_length=300), AfterValidator(_name)]
if TYPE_CHECKING:
    Language = str
else:
    Language = Literal[LANGUAGES]  # which mypy cannot read


class RightCustomer(Wish):
    model_config = ConfigDict(json_schema_extra=some_of("email", "name", "language"))

    email: Omissible[Email] = Field(default=None, description="The right address")
    name: Omissible[Name] = Field(default=None, description="The right name; empty if none is known")
    language: Omissible[Language] = Field(default=None, description="The language of the customer's mails")
    all_orders: Flag = Field(default=False, description="For all orders that have the order's present address")
    confirmed: Flag = Field(default=False, description="The address is right, although it looks like a typing error")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.email is None and self.name is None and self.language is None:
            raise ValueError("nothing_to_correct")
        return self


def _seen(words: str) -> str:
    if not (seen := str(plain(words))):
        raise ValueError("field_empty_or_unseen")
    return seen


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_seen), SEEN]


class Stop(Wish):
    all_orders: Flag = Field(default=False, description="For everything that the customer bought and will buy")
    undo: Flag = Field(default=False, description="Send reminders again")


class Lift(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_seen), SEEN]


@dataclass(frozen=True, slots=True)
class CorrectedCustomer:
    order_ids: tuple[str, ...]  # the orders that have it now
    email: str | None
    name: str | None
    language: str
    not_sent_again: tuple[str, ...]  # of these, the ones whose codes arrived at a former address
    warnings: tuple[Said, ...]


@router.put(
    "/orders/<order_id>/customer", summary="Correct the customer of an order, or of all orders of that customer at once"
)
def correct_customer(order_id: OrderId, right: Annotated[RightCustomer, Body()]) -> CorrectedCustomer:
    check_spelling(right.email, confirmed=right.confirmed)
    wanted = Right(right.email, right.name, right.language)
    event = router.current_event.raw_event
    asked = asked_in(event, right.reason)
    found = desk_of(event).correct_customer(order_id, wanted, asked, all_orders=right.all_orders)
    customer = found[0].customer
    elsewhere = sent_elsewhere(found) if right.email else []
    warnings = [*warnings_of(right.email)]
    if elsewhere:
        warnings.append(said("sent_to_former_address", orders=elsewhere))
    told = CorrectedCustomer(
        tuple(order.id for order in found),
        customer.email,
        customer.name,
        customer.language,
        tuple(elsewhere),
        tuple(warnings),
    )
    return worded(told, reader_of(event))


def check_spelling(email: str | None, *, confirmed: bool) -> None:
    """Refuse an address that looks like a typing error."""
    if email and not confirmed and (meant := addresses.likely_meant(email)):
        raise ProbablyMeant("probably_mistyped", meant)


def warnings_of(email: str | None) -> tuple[Said, ...]:
    return (said("no_mail_server"),) if email and not addresses.takes_mail(email) else ()


@router.post("/orders/<order_id>/note", summary="Write a note for the next agent who looks at the order")
def write_note(order_id: OrderId, words: Annotated[Note, Body()], key: Key = "") -> Changed:
    asked = _asked(words.note, key)
    return _changed(order_id, lambda order: noting.note(order, asked))


@router.post(
    "/orders/<order_id>/reminders/stop", summary="Stop the reminders for an order, or all reminders to its customer"
)
def stop_reminders(order_id: OrderId, wish: Annotated[Stop, Body()]) -> Changed:
    do = reminders.resume_reminders if wish.undo else reminders.stop_reminders
    do(desk_of(router.current_event.raw_event), order_id, _asked(wish.reason), all_orders=wish.all_orders)
    return Changed(order_id)


@router.post(
    "/orders/<order_id>/lift-complaint",
    summary="Send mail again to a customer who reported mail as spam, about what they paid for",
)
def lift_complaint(order_id: OrderId, wish: Annotated[Lift, Body()]) -> Changed:
    complaints.lift_complaint(desk_of(router.current_event.raw_event), order_id, _asked(wish.reason), wiring.mailer())
    return Changed(order_id)


def _changed(order_id: str, change: Callable[[Order], Order]) -> Changed:
    desk_of(router.current_event.raw_event).change(order_id, change)
    return Changed(order_id)


def _asked(why: str, key: str = "") -> Asked:
    return asked_in(router.current_event.raw_event, why, key)
