"""E-mail addresses as people type them: which of them SES can use, and which are probably typing errors."""

import difflib
import re
from typing import Any

from dns.resolver import NXDOMAIN, NoAnswer
from email_validator import EmailNotValidError, validate_email

from keypost.inputs.typed import trimmed

# The domains of most private customers in the Netherlands, and domains that look like one of these but are real ones.
_COMMON = (
    "casema.nl", "chello.nl", "gmail.com", "googlemail.com", "hetnet.nl", "home.nl", "hotmail.be", "hotmail.com",
    "hotmail.de", "hotmail.fr", "hotmail.nl", "icloud.com", "kpnmail.nl", "kpnplanet.nl", "live.be", "live.com",
    "live.nl", "me.com", "msn.com", "online.nl", "outlook.be", "outlook.com", "outlook.nl", "planet.nl", "proton.me",
    "protonmail.com", "quicknet.nl", "solcon.nl", "tele2.nl", "telenet.be", "telfort.nl", "upcmail.nl", "wxs.nl",
    "xs4all.nl", "yahoo.com", "yahoo.nl", "zeelandnet.nl", "ziggo.nl",
)  # fmt: skip
_DIFFERENT = (
    "email.com", "gmx.com", "gmx.de", "gmx.net", "hey.com", "hotmail.es", "hotmail.it", "mail.com", "ymail.com",
)  # fmt: skip
_NAMED = re.compile(r"(?:[^<>\r\n]*<|mailto:)([^<>\s]+)>?", re.IGNORECASE)
_ALIKE = 0.8
_DNS_SECONDS = 3


def _bare(text: str) -> str:
    """The address itself, of one that was copied with its name: Jan <jan@klant.example>, or as a link."""
    named = _NAMED.fullmatch(trimmed(text))
    return trimmed(named[1]) if named else str(trimmed(text))


def email_address(text: str) -> str:
    """The address in the form that SES can use: ASCII, with the domain in punycode. ValueError if there is none."""
    try:
        # `test_environment` allows the reserved domain .test. SES finds out whether mail can be delivered.
        found = validate_email(_bare(text), check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("not_an_address") from None
    if not found.ascii_email:
        raise ValueError("not_an_address")
    return found.ascii_email


def usable_address(given: Any) -> str | None:
    """The address that a provider passed on, if SES can use it; else None."""
    try:
        return email_address(given) if isinstance(given, str) else None
    except ValueError:
        return None


def likely_meant(address: str) -> str | None:
    """The address that somebody probably meant who typed this one; None if it looks right."""
    name, _, domain = address.rpartition("@")
    if domain.lower() in (*_COMMON, *_DIFFERENT):
        return None
    close = difflib.get_close_matches(domain.lower(), _COMMON, n=1, cutoff=_ALIKE)
    return f"{name}@{close[0]}" if close else None


def takes_mail(address: str) -> bool:
    """Whether the domain of an address has a mail server. Also true if DNS does not answer in time."""
    try:
        validate_email(address, check_deliverability=True, allow_smtputf8=False, timeout=_DNS_SECONDS)
    except EmailNotValidError as error:
        return error.__cause__ is not None and not isinstance(error.__cause__, NXDOMAIN | NoAnswer)
    return True
