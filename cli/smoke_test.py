"""Mails to the five addresses of SES's mailbox simulator, and the events that SES reports for each. They show whether a
deployed stack can send, and whether the events of its mails arrive."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from cli.stacks import Stack
from keypost.clients.mailer import NO_ORDER
from keypost.core.errors import KeypostError
from keypost.core.mail import Fate, MailSent
from keypost.use_cases.take_mail_event import SMOKE

EXPECTED = {
    "success": Fate.DELIVERED,
    "bounce": Fate.BOUNCED,
    "ooto": Fate.RETURNED,  # an out-of-office reply, after the delivery
    "complaint": Fate.COMPLAINED,
    "suppressionlist": Fate.BOUNCED,
}
_BETWEEN_LOOKS = 2  # seconds
_MOST_A_SECOND = 14.0  # fewer if SES allows the account fewer; in the sandbox, one


@dataclass(frozen=True, slots=True)
class Arrived:
    which: str
    fate: Fate
    seconds: float


def send(stack: Stack, clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep) -> str:
    """Send all five mails; returns the name of this run. KeypostError if SES refuses one of them."""
    run, mailer = secrets.token_hex(4), stack.mailer.paced(_MOST_A_SECOND, 1, clock, pause)
    for which in EXPECTED:
        outcome = mailer.send(
            _message(stack, f"{which}+{run}@simulator.amazonses.com"),
            {"order": NO_ORDER, "mail": _mail_id(run, which), "attempt": "1"},
        )
        if not isinstance(outcome, MailSent):
            raise KeypostError("smoke_mail_not_sent", which=which, why=outcome.reason)
    return run


def wait(
    stack: Stack,
    run: str,
    most_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Arrived]:
    """Yield the expected events as they arrive, until all are there or `most_seconds` have passed."""
    began, missing = clock(), dict(EXPECTED)
    while missing:
        told = stack.store.smoke([_mail_id(run, which) for which in missing])
        for which, fate in list(missing.items()):
            if fate in told.get(_mail_id(run, which), ()):
                del missing[which]
                yield Arrived(which, fate, clock() - began)
        if not missing or clock() - began > most_seconds:
            return
        pause(_BETWEEN_LOOKS)


def _mail_id(run: str, which: str) -> str:
    return f"{SMOKE}{run}-{which}"


def _message(stack: Stack, to: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = stack.sender
    message["To"] = to
    message["Subject"] = "Keypost smoke test"
    message["Date"] = format_datetime(datetime.now(UTC))
    message.set_content("This mail tests whether the stack can send, and whether SES reports what became of it.\n")
    return message
