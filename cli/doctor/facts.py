"""What `keypost doctor` reads, as values: `looking` reads them, `checks` judges them."""

from collections.abc import Mapping
from dataclasses import dataclass

from cli.webhooks import Hook
from keypost.core.said import Said


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something that could not be read, and why."""

    why: Said


@dataclass(frozen=True, slots=True)
class Identity:
    """The mail domain, as SES knows it."""

    verified: bool
    dkim: str  # SUCCESS, PENDING, FAILED, TEMPORARY_FAILURE, NOT_STARTED
    mail_from: str  # the domain of the return address; empty if it has none
    mail_from_status: str  # SUCCESS, PENDING, FAILED, TEMPORARY_FAILURE


@dataclass(frozen=True, slots=True)
class Account:
    """What SES allows the account."""

    has_production_access: bool
    may_send: bool
    standing: str  # HEALTHY, PROBATION, SHUTDOWN
    review: str = ""  # of the request for production access: PENDING, GRANTED, DENIED, FAILED; empty: none was made


@dataclass(frozen=True, slots=True)
class Schedule:
    name: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Switch:
    """What brings a message or an event to a function, and can be switched off."""

    name: str  # in the template
    is_on: bool
    mend: str  # the command that switches it on, or shows it


@dataclass(frozen=True, slots=True)
class Subscriber:
    address: str
    is_confirmed: bool
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    name: str
    option: str  # what names the stack to a command; empty for the local one
    is_emulated: bool
    parameters: Mapping[str, str]
    api_url: str
    status: str  # of the stack, at CloudFormation
    own_version: str
    version: str | None  # of the stack; None: it states none
    identity: Identity | Unseen | None  # None: SES does not know the domain
    dmarc: str | Unseen | None  # the record of the domain or one above it
    account: Account | Unseen
    concurrency: int | Unseen  # functions that may run at once in the account
    secrets: Mapping[str, Said | None] | Unseen  # what is wrong with each that is set
    hooks: Mapping[str, tuple[Hook, ...] | Unseen]  # of each provider whose API lists them, if its key is set
    schedules: tuple[Schedule, ...] | Unseen
    triggers: tuple[Switch, ...] | Unseen  # by which functions read their queues
    rules: tuple[Switch, ...] | Unseen  # by which events reach a queue
    mail_events: tuple[Switch, ...] | Unseen  # that SES reports
    seconds_off: float | Unseen  # by which the clock of this machine differs from that of AWS
    overdue: int | Unseen  # orders whose clock rang more than two hours ago
    stock: Mapping[str, int] | Unseen  # free codes of each product that is sold
    subscribers: tuple[Subscriber, ...] | Unseen  # of the alarms
    suppressed: str | Unseen | None  # why SES drops mail to the support address

    @property
    def stage(self) -> str:
        return self.parameters.get("Stage", "")

    @property
    def domain(self) -> str:
        return self.parameters.get("MailDomain", "")
