"""SES: takes mails, tells of them in events, drops what is on its suppression list, and fails as it does."""

import base64
import email
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from email.header import decode_header, make_header
from email.message import Message
from typing import Any, cast
from urllib.parse import unquote

from keypost.clients.mailer import tag_value
from tests.simulator.aws_here import Answer, AwsCall
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.machine import Invocation, Machine

FAULTS_OF_A_MAIL = (
    "too many mails",
    "account paused",
    "mail failed, not sent",
    "mail failed, but sent",
    "mail refused",
    "mail taken, not told",
)
_PAUSES = (60, 1200, 4 * 3600)  # seconds
_LATE = (600, 1500, 7200)
_TOLD_AGAIN = 0.5  # the share of spam reports after which SES tells once more that the mail arrived
CODE = re.compile(r"[A-Z]{5}-BBBBB-CCCCC-\d{5}")
_TEXTS = ("text/plain", "text/html", "text/csv")
_TAGGED = re.compile(r"_([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One attempt at a mail that SES took."""

    at: float
    order: str
    mail: str
    attempt: int
    to: str
    codes: tuple[str, ...]
    first_day: date | None  # as its calendar file says
    by: Invocation | None
    text: str = ""  # all that can be read in it
    tags: tuple[str, ...] = ()

    @property
    def purpose(self) -> str:
        return self.mail.rpartition("-")[0]

    @property
    def is_reminder(self) -> bool:
        return self.purpose == "reminder"


@dataclass(slots=True)
class Ses:
    machine: Machine
    faults: Faults
    tell: Callable[[str, float], None]  # puts an event into the queue of events, after some seconds
    accepted: list[Accepted] = field(default_factory=list)
    doubtful: set[tuple[str, str, int]] = field(default_factory=set)  # attempts whose answer did not arrive
    suppressed: dict[str, str] = field(default_factory=dict)
    complaints: dict[str, float] = field(default_factory=dict)  # by address, of reminders: they put it on no list
    unknown: set[str] = field(default_factory=set)  # addresses that nobody has
    mails_per_second: float = 1_000_000
    paused_until: float = 0
    pauses: list[float] = field(default_factory=list)  # when each of them ended
    refused: set[str] = field(default_factory=set)  # the orders of which it refused a mail for good
    refuses: set[str] = field(default_factory=set)  # the addresses to which it refuses each mail for now

    def take(self, call: AwsCall, invocation: Invocation | None, kind: str | None) -> Answer:
        match call.operation:
            case "GetAccount":
                return 200, {}, json.dumps({"SendQuota": {"MaxSendRate": self.mails_per_second}})
            case "SendEmail":
                return self._send(call.body, invocation, kind)
            case _:
                return self._of_suppressed(call)

    def pause(self, seconds: float) -> None:
        """It takes no mail of the account for some time."""
        self.paused_until = max(self.paused_until, self.machine.now + seconds)
        self.pauses.append(self.paused_until)

    def _of_suppressed(self, call: AwsCall) -> Answer:
        address = unquote(call.path.rpartition("/")[2])
        if call.operation == "DeleteSuppressedDestination":
            return (200, {}, "{}") if self.suppressed.pop(address, None) else _error(404, "NotFoundException")
        if address not in self.suppressed:
            return _error(404, "NotFoundException")
        told = {"EmailAddress": address, "Reason": self.suppressed[address], "LastUpdateTime": self.machine.now}
        return 200, {}, json.dumps({"SuppressedDestination": told})

    def _send(self, body: dict[str, Any], invocation: Invocation | None, kind: str | None) -> Answer:
        sent = _read(body, self.machine.now, invocation)
        place = f"mail {sent.order} {sent.mail} {sent.attempt}"
        if kind == "account paused":
            self.pause(self.faults.chance(place).choice(_PAUSES))
        if self.machine.now < self.paused_until:
            return _error(400, "SendingPausedException")
        if sent.to in self.refuses:
            kind = "mail refused"
        match kind:
            case "too many mails":
                return _error(429, "TooManyRequestsException")
            case "mail refused":
                self.refused.add(sent.order)
                return _error(400, "BadRequestException")
            case "mail failed, not sent":
                self.doubtful.add((sent.order, sent.mail, sent.attempt))
                return _error(500, "InternalServiceErrorException")
        self.accepted.append(sent)
        self._tell_of(sent, body["EmailTags"], place)
        if kind == "mail failed, but sent":
            self.doubtful.add((sent.order, sent.mail, sent.attempt))
            return _error(*self.faults.chance(place).choice(_FAILED))
        return 200, {}, json.dumps({"MessageId": f"message-{len(self.accepted)}"})

    def complain(self, address: str) -> None:
        """The reader of the newest mail to an address reports it as spam. Nobody reads what came back."""
        mails = [(number, sent) for number, sent in enumerate(self.accepted, start=1) if sent.to == address]
        if not mails or address in self.suppressed:
            return
        number, sent = mails[-1]
        if sent.is_reminder:
            self.complaints[address] = self.machine.now
        else:
            self.suppressed[address] = "COMPLAINT"
        stamp = self.machine.moment.isoformat()
        tags = {"order": sent.order, "mail": sent.mail, "attempt": str(sent.attempt)}
        mail = {
            "timestamp": stamp,
            "messageId": f"message-{number}",
            "destination": [address],
            "tags": {name: [tag_value(value)] for name, value in tags.items()},
        }
        place = f"mail {sent.order} {sent.mail} {sent.attempt}"
        self._event(place, {"eventType": "Complaint", "complaint": {"timestamp": stamp}, "mail": mail}, 2)
        if self.faults.chance(place).random() < _TOLD_AGAIN:  # events come at least once, and in any order
            self._event(place, {"eventType": "Delivery", "delivery": {"timestamp": stamp}, "mail": mail}, 60)

    def answer_lost(self, call: AwsCall) -> None:
        """Nobody hears what came of this call, if it was of a mail."""
        if call.operation == "SendEmail":
            sent = _read(call.body, self.machine.now, None)
            self.doubtful.add((sent.order, sent.mail, sent.attempt))

    def is_doubtful(self, sent: Accepted) -> bool:
        """Whether nobody who lives was told that SES took it."""
        died = sent.by is not None and sent.by.is_dead
        return died or (sent.order, sent.mail, sent.attempt) in self.doubtful

    def _tell_of(self, sent: Accepted, tags: list[dict[str, str]], place: str) -> None:
        stamp = self.machine.moment.isoformat()
        mail = {
            "timestamp": stamp,
            "messageId": f"message-{len(self.accepted)}",
            "destination": [sent.to],
            "tags": {tag["Name"]: [tag["Value"]] for tag in tags},
        }
        self._event(place, {"eventType": "Send", "send": {}, "mail": mail}, 1)
        if sent.to in (*self.suppressed, *self.unknown) or self.faults.at(place, ("bounced",)):
            self.suppressed.setdefault(sent.to, "BOUNCE")
            bounce = {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": stamp}
            self._event(place, {"eventType": "Bounce", "bounce": bounce, "mail": mail}, 4)
        else:
            self._event(place, {"eventType": "Delivery", "delivery": {"timestamp": stamp}, "mail": mail}, 3)

    def _event(self, place: str, detail: dict[str, Any], delay: float) -> None:
        place, body = f"{place} {detail['eventType']}", json.dumps({"detail": detail})
        match self.faults.at(place, ("event lost", "event late", "event twice")):
            case "event lost":
                return
            case "event late":
                self.tell(body, delay + self.faults.chance(place).choice(_LATE))
            case "event twice":
                self.tell(body, delay)
                self.tell(body, delay)
            case _:
                self.tell(body, delay)


def attempt_of(event: str) -> tuple[str, str, int]:
    """The order, the mail and the attempt of which an event tells."""
    tags = json.loads(event)["detail"]["mail"]["tags"]
    return _text_of(tags["order"][0]), _text_of(tags["mail"][0]), int(tags["attempt"][0])


def bounced_of(event: str) -> str:
    """The address of which an event tells that it accepts no mail; empty for other events."""
    detail = json.loads(event)["detail"]
    return str(detail["mail"]["destination"][0]) if detail["eventType"] == "Bounce" else ""


def _read(body: dict[str, Any], now: float, invocation: Invocation | None) -> Accepted:
    tags = {tag["Name"]: _text_of(tag["Value"]) for tag in body["EmailTags"]}
    raw = base64.b64decode(body["Content"]["Raw"]["Data"])
    message = email.message_from_bytes(raw)
    parts = [(part.get_content_type(), part) for part in message.walk()]
    texts = [_content(part) for kind, part in parts if kind in _TEXTS]
    calendars = [_content(part) for kind, part in parts if kind == "text/calendar"]
    days = [found[1] for each in calendars if (found := re.search(r"DTSTART;VALUE=DATE:(\d{8})", each))]
    return Accepted(
        at=now,
        order=tags["order"],
        mail=tags["mail"],
        attempt=int(tags["attempt"]),
        to=body["Destination"]["ToAddresses"][0],
        codes=tuple(dict.fromkeys(CODE.findall("".join(texts)))),
        first_day=date.fromisoformat(days[0]) if days else None,
        by=invocation,
        text="\n".join([_subject(message), *texts, *calendars]),
        tags=tuple(tag["Value"] for tag in body["EmailTags"]),
    )


def _subject(message: Message) -> str:
    return str(make_header(decode_header("".join(message["subject"].splitlines()))))


def _content(part: Message) -> str:
    """The text of a part. The package's own way to it reads all headers with care, which takes longer than all else."""
    return cast("bytes", part.get_payload(decode=True)).decode(part.get_content_charset("utf-8"))


def _text_of(tag: str) -> str:
    return _TAGGED.sub(lambda found: chr(int(found[1], 16)), tag)


# How SES, or what stands before it, says that it failed.
_FAILED = (
    (500, "InternalServiceErrorException"),
    (500, "InternalFailure"),
    (502, "BadGateway"),
    (503, "ServiceUnavailable"),
    (504, "GatewayTimeout"),
)


def _error(status: int, code: str) -> Answer:
    return status, {"x-amzn-errortype": code}, json.dumps({"message": code})
