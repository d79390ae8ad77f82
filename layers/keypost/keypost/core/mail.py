"""An e-mail to a customer, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keypost.core.said import Said


class MailState(StrEnum):
    """Where a mail is in its life: pending -> sending -> sent; `unknown` when the answer was lost."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DROPPED = "dropped"  # it became untrue before it left


class Fate(StrEnum):
    """What became of a mail that SES took, by rank: each says more than those before it, whichever is told first."""

    SENT = "sent"
    DELAYED = "delayed"
    RETURNED = "returned"  # the other side did not take it for now, and SES tries no more; or an automatic reply
    DELIVERED = "delivered"
    REJECTED = "rejected"  # SES took it, and did not send it
    BOUNCED = "bounced"  # for good
    COMPLAINED = "complained"  # reported as spam


class Purpose(StrEnum):
    """Why a mail is sent."""

    PURCHASE = "purchase"
    RENEWAL = "renewal"
    REPLACEMENT = "replacement"  # a code that did not work was swapped
    RESEND = "resend"
    REMINDER = "reminder"
    WAITING = "waiting"  # it is paid, and its codes are still to come
    REFUNDED = "refunded"  # all the money went back
    ADDRESS_CHANGED = "address_changed"  # to the old address

    @property
    def holds_codes(self) -> bool:
        return self in (Purpose.PURCHASE, Purpose.RENEWAL, Purpose.REPLACEMENT, Purpose.RESEND)

    @property
    def is_notice(self) -> bool:
        """Whether it is sent whatever becomes of the order."""
        return self in (Purpose.REFUNDED, Purpose.ADDRESS_CHANGED)


MAIL_ATTEMPTS = 5  # after so many, somebody should know that it does not leave


@dataclass(frozen=True, slots=True)
class Asked:
    """That a person, or the customer, wants something done."""

    at: datetime
    who: str
    why: str = ""  # in their own words
    key: str = ""  # the same one again is the same wish


@dataclass(frozen=True, slots=True)
class MailReport:
    """What SES tells of one attempt at a mail."""

    order_id: str
    mail_id: str
    attempt: int
    fate: Fate
    at: datetime
    detail: str  # in the words of SES; no address
    address: str  # to which it went
    message_id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one attempt at a mail from what SES told later."""

    attempt: int
    fate: Fate
    at: datetime
    detail: str = ""


# Of several attempts, that which is best for the customer counts.
_BEST = (Fate.DELIVERED, Fate.COMPLAINED, Fate.SENT, Fate.DELAYED, Fate.RETURNED, Fate.BOUNCED, Fate.REJECTED)


@dataclass(frozen=True, slots=True)
class Mail:
    id: str
    purpose: Purpose
    state: MailState
    next_at: datetime | None  # when it needs something: a try, the end of a lease, the end of a doubt
    attempts: int = 0
    message_id: str | None = None
    sent_at: datetime | None = None
    problem: Said | None = None
    may_have_left: bool = False  # true for ever once SES took it, or may have
    unknowns: int = 0  # attempts whose outcome is not known
    lines: tuple[int, ...] = ()  # those it is about; none for all
    licenses: tuple[str, ...] = ()  # those of the lines that it is about; none for all
    to: str | None = None  # None: to the address of its order
    sent_to: str | None = None  # the address of its newest attempt
    asked: Asked | None = None  # who wanted it, when it does not follow from the order
    told: tuple[Told, ...] = ()  # by attempt

    @property
    def holds_codes(self) -> bool:
        return self.purpose.holds_codes

    @property
    def outcome(self) -> Told | None:
        """What became of it after SES took it, as far as it told."""
        return min(self.told, key=lambda told: _BEST.index(told.fate), default=None)

    @property
    def came_back(self) -> bool:
        return self.outcome is not None and self.outcome.fate in (Fate.RETURNED, Fate.BOUNCED)


@dataclass(frozen=True, slots=True)
class MailSent:
    message_id: str


class Refusal(StrEnum):
    """For how long SES refuses."""

    FOR_NOW = "for now"
    FOR_EVER = "for ever"  # this very mail
    OF_ACCOUNT = "of account"  # all mail of the account, until a person mends it


@dataclass(frozen=True, slots=True)
class MailNotSent:
    """SES certainly did not take it."""

    reason: Said
    refusal: Refusal = Refusal.FOR_NOW


@dataclass(frozen=True, slots=True)
class MailUnknown:
    """The answer was lost: SES may have taken the mail."""

    reason: Said


MailOutcome = MailSent | MailNotSent | MailUnknown
