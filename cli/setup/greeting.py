"""The first mail of a stack: to its operator."""

import secrets
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from cli.stacks import Stack
from keypost.clients.mailer import NO_ORDER
from keypost.core.mail import MailOutcome
from keypost.core.said import said
from keypost.use_cases.take_mail_event import SMOKE
from keypost.words import reader, sentence


def greet(to: Stack, address: str, name: str, language: str) -> MailOutcome:
    """Send it to the address that gets customers' replies and the daily note."""
    tags = {"order": NO_ORDER, "mail": f"{SMOKE}{secrets.token_hex(4)}-operator", "attempt": "1"}
    return to.mailer.send(_message(to.sender, address, name, language), tags)


def _message(sender: str, address: str, name: str, language: str) -> EmailMessage:
    words = reader(language, UTC)
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = address
    message["Subject"] = sentence(said("greeting_subject", stack=name), words)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(sentence(said("greeting_text", stack=name, sender=sender), words) + "\n")
    return message
