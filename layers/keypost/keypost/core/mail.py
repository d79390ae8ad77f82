"""An e-mail to a customer, and what became of it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from keypost.core.frozen import dataclass
from keypost.core.said import Said
from keypost.core.stored import Stored


class MailState(StrEnum):
    """The state of a mail: pending -> sending -> sent; `unknown` if the answer of SES was lost."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DROPPED = "dropped"  # it became untrue before it left
    BEFORE = "before"  # it stands for what the system before Keypost sent


class Fate(StrEnum):
    """What became of a mail that SES accepted. The order of the members is their rank: each is more final than those
    before it, whatever arrives first."""

    SENT = "sent"
    DELAYED = "delayed"
    RETURNED = "returned"  # refused for a temporary reason until SES gave up; or an automatic reply
    DELIVERED = "delivered"
    REJECTED = "rejected"  # SES accepted it, but did not send it
    BOUNCED = "bounced"  # the address does not accept mail at all
    COMPLAINED = "complained"  # reported as spam


class Purpose(StrEnum):
    """Why a mail is sent."""

    PURCHASE = "purchase"
    RENEWAL = "renewal"
    REPLACEMENT = "replacement"  # a code that did not work was swapped
    RESEND = "resend"
    REMINDER = "reminder"
    WAITING = "waiting"  # the codes of a paid order follow later
    PAID_AHEAD = "paid_ahead"  # when the codes of a renewal come that is paid long before
    REFUNDED = "refunded"  # all the money was returned
    ADDRESS_CHANGED = "address_changed"  # the notice to the old address
    SENT_ELSEWHERE = "sent_elsewhere"  # the notice that codes were sent to another address once
    LICENSE_MOVED = "license_moved"  # the notice that a license has another customer now

    @property
    def holds_codes(self) -> bool:
        return KINDS[self].holds_codes

    @property
    def is_notice(self) -> bool:
        """True if the mail is sent also when the order is not served any more."""
        return KINDS[self].is_notice

    @property
    def is_offer(self) -> bool:
        """True if a customer may stop mails of this kind, and nothing else with them."""
        return KINDS[self].is_offer


@dataclass(frozen=True, slots=True)
class MailKind:
    """What Keypost does with a kind of mail. Its words, and the function that writes it, stand in `keypost.emails`."""

    holds_codes: bool = False
    is_notice: bool = False
    is_offer: bool = False


KINDS: Mapping[Purpose, MailKind] = MappingProxyType(
    {
        Purpose.PURCHASE: MailKind(holds_codes=True),
        Purpose.RENEWAL: MailKind(holds_codes=True),
        Purpose.REPLACEMENT: MailKind(holds_codes=True),
        Purpose.RESEND: MailKind(holds_codes=True),
        Purpose.REMINDER: MailKind(is_offer=True),
        Purpose.WAITING: MailKind(),
        Purpose.PAID_AHEAD: MailKind(),
        Purpose.REFUNDED: MailKind(is_notice=True),
        Purpose.ADDRESS_CHANGED: MailKind(is_notice=True),
        Purpose.SENT_ELSEWHERE: MailKind(is_notice=True),
        Purpose.LICENSE_MOVED: MailKind(is_notice=True),
    }
)
MAIL_ATTEMPTS = 5  # after this many, a person is asked to look at it


@dataclass(frozen=True, slots=True)
class Asked(Stored):
    """The request of an agent or a customer that something is done."""

    at: datetime
    who: str
    why: str = ""  # in their own words
    key: str = ""  # a request with the same key is the same request


@dataclass(frozen=True, slots=True)
class MailReport:
    """An event of SES about one attempt to send a mail."""

    order_id: str
    mail_id: str
    attempt: int
    fate: Fate
    at: datetime
    detail: str  # in the words of SES; no address
    address: str  # to which it went
    message_id: str
    sent_at: datetime
    server: str = ""  # of the recipient, which took it
    answer: str = ""  # in the words of that server; no address


@dataclass(frozen=True, slots=True)
class Told(Stored):
    """What events of SES have reported about one attempt to send a mail."""

    attempt: int
    fate: Fate
    at: datetime
    detail: str = ""
    server: str = ""  # of the recipient, which took the mail, as far as SES names it
    answer: str = ""  # in the words of that server; no address


# Of several attempts, the fate that is best for the customer counts.
_BEST = (Fate.DELIVERED, Fate.COMPLAINED, Fate.SENT, Fate.DELAYED, Fate.RETURNED, Fate.BOUNCED, Fate.REJECTED)


@dataclass(frozen=True, slots=True)
class Mail(Stored):
    id: str
    purpose: Purpose
    state: MailState
    next_at: datetime | None = None  # the next moment of action: a try, or the end of a lease or doubt
    attempts: int = 0
    message_id: str | None = None
    sent_at: datetime | None = None
    problem: Said | None = None
    may_have_left: bool = False  # true for ever, once SES accepted it or may have
    unknowns: int = 0  # attempts whose outcome is not known
    lines: tuple[int, ...] = ()  # the line numbers (from 1) that it is about; empty for all
    licenses: tuple[str, ...] = ()  # the ids that it is about, of these lines; empty for all
    to: str | None = None  # None: to the address of its order
    sent_to: str | None = None  # the address of its newest attempt
    asked: Asked | None = None  # the request for it, unless it follows from the order itself
    told: tuple[Told, ...] = ()  # by attempt

    @property
    def holds_codes(self) -> bool:
        return self.purpose.holds_codes

    @property
    def outcome(self) -> Told | None:
        """What became of the mail after SES accepted it, as far as events have reported it; of several attempts, the
        best for the customer."""
        return min(self.told, key=lambda told: _BEST.index(told.fate), default=None)

    def was_sent_before(self, moment: datetime) -> bool:
        return self.sent_at is not None and self.sent_at < moment

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
    """SES certainly did not accept the mail. Try again later, unless SES would refuse this mail for ever."""

    reason: Said
    refusal: Refusal = Refusal.FOR_NOW


@dataclass(frozen=True, slots=True)
class MailUnknown:
    """The answer of SES was lost: SES may have accepted the mail."""

    reason: Said


MailOutcome = MailSent | MailNotSent | MailUnknown
