"""E-mail addresses as people type them: which of them SES can use, and which are probably typing errors."""

import re
from typing import Any

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
# What nearly all addresses are made of. The library, a third of a cold start, decides on all others.
_PLAIN_NAME = re.compile(r"[a-zA-Z0-9_!#$%&'*+/=?^`{|}~-]+(\.[a-zA-Z0-9_!#$%&'*+/=?^`{|}~-]+)*")
_PLAIN_DOMAIN = re.compile(r"(?!.*--)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?!arpa|invalid|local|onion)[a-z]{2,63}")
_OF_ROLES = {
    "abuse", "ftp", "hostmaster", "info", "marketing", "news", "noc", "postmaster", "sales", "security", "support",
    "usenet", "uucp", "webmaster", "www",
}  # fmt: skip
_LONGEST = 254
_ALIKE = 0.8
_DNS_SECONDS = 3


def _bare(text: str) -> str:
    """The address itself, of one that was copied with its name: Jan <jan@klant.example>, or as a link."""
    named = _NAMED.fullmatch(trimmed(text))
    return trimmed(named[1]) if named else str(trimmed(text))


def email_address(text: str) -> str:
    """The address in the form that SES can use: ASCII, with the domain in punycode. ValueError if there is none."""
    address = _bare(text)
    if plain := _plain(address):
        return plain
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - see _PLAIN_NAME

    try:
        # `test_environment` allows the reserved domain .test. SES finds out whether mail can be delivered.
        found = validate_email(address, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("not_an_address") from None
    if not found.ascii_email:
        raise ValueError("not_an_address")
    return found.ascii_email


def _plain(address: str) -> str | None:
    """The address as the library gives it, if it is one of those that need none; else None."""
    name, _, domain = address.partition("@")
    host = domain.lower()
    if len(address) > _LONGEST or not _PLAIN_NAME.fullmatch(name) or not _PLAIN_DOMAIN.fullmatch(host):
        return None
    return f"{name.lower() if name.lower() in _OF_ROLES else name}@{host}"


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
    import difflib  # noqa: PLC0415 - only support is asked whether it meant another address

    close = difflib.get_close_matches(domain.lower(), _COMMON, n=1, cutoff=_ALIKE)
    return f"{name}@{close[0]}" if close else None


def takes_mail(address: str) -> bool:
    """Whether the domain of an address has a mail server. Also true if DNS does not answer in time."""
    from dns.resolver import NXDOMAIN, NoAnswer  # noqa: PLC0415 - only here DNS is asked
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - as above

    try:
        validate_email(address, check_deliverability=True, allow_smtputf8=False, timeout=_DNS_SECONDS)
    except EmailNotValidError as error:
        return error.__cause__ is not None and not isinstance(error.__cause__, NXDOMAIN | NoAnswer)
    return True
