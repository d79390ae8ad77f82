"""The DNS records of a stack: which they are, as a zone file too, and which of them SES has not seen yet."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.doctor.facts import Identity
from cli.doctor.looking import Resolve, dmarc, identity

_OUTPUTS = ("DkimRecord1", "DkimRecord2", "DkimRecord3", "MailFromMx", "MailFromSpf")
_RECORD = re.compile(r"(\S+) (CNAME|MX|TXT) (.+)")
_SEEN_DKIM = ("SUCCESS", "TEMPORARY_FAILURE")


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    kind: str
    value: str

    @property
    def line(self) -> str:
        """As a zone file has it: names that are whole end with a dot."""
        dot = "" if self.kind == "TXT" else "."
        return f"{self.name}. 3600 IN {self.kind} {self.value.rstrip('.')}{dot}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What SES and the DNS know of a mail domain."""

    dkim: bool
    mail_from: bool
    dmarc: bool

    @property
    def missing(self) -> list[str]:
        known = {"DKIM": self.dkim, "MAIL FROM": self.mail_from, "DMARC": self.dmarc}
        return [name for name, is_there in known.items() if not is_there]


def own_records(outputs: Mapping[str, str]) -> list[Record]:
    """The records of an identity that the stack has made."""
    found = [_RECORD.fullmatch(outputs[name]) for name in _OUTPUTS if name in outputs]
    return [Record(*each.groups()) for each in found if each]


def shared_records(ses: Any, domain: str) -> list[Record]:
    """The records of an identity that is shared: DKIM's, which SES still may wait for. Its return address is its own
    business."""
    dkim = ses.get_email_identity(EmailIdentity=domain).get("DkimAttributes", {})
    zone = dkim.get("SigningHostedZone") or "dkim.amazonses.com"
    tokens = dkim.get("Tokens", []) if dkim.get("SigningAttributesOrigin", "AWS_SES") != "EXTERNAL" else []
    return [Record(f"{token}._domainkey.{domain}", "CNAME", f"{token}.{zone}") for token in tokens]


def dmarc_record(domain: str, support: str) -> Record:
    return Record(f"_dmarc.{domain}", "TXT", f'"v=DMARC1; p=none; rua=mailto:{support}"')


def seen(ses: Any, domain: str, resolve: Resolve, *, is_own: bool = True) -> Seen:
    """What is there now. An identity of others is right with the return address that it has."""
    known = identity(ses, domain) or Identity(False, "NOT_STARTED", "", "PENDING")
    return Seen(
        dkim=known.verified and known.dkim in _SEEN_DKIM,
        mail_from=known.mail_from_status == "SUCCESS" or not is_own,
        dmarc=dmarc(domain, resolve) is not None,
    )


def look_again(ses: Any, domain: str) -> bool:
    """Let SES look for the records of the return address again, if it has given up; says whether it had."""
    known = identity(ses, domain)
    if known is None or known.mail_from_status != "FAILED":
        return False
    ses.put_email_identity_mail_from_attributes(
        EmailIdentity=domain, MailFromDomain=known.mail_from, BehaviorOnMxFailure="USE_DEFAULT_VALUE"
    )
    return True


def wait(look: Callable[[], Seen], most_seconds: float, pause: Callable[[float], None]) -> Iterator[Seen]:
    """Yield what is seen at first and whenever that changes, until nothing is missing or the time is over."""
    before, waited = look(), 0.0
    yield before
    while before.missing and waited < most_seconds:
        pause(_BETWEEN_LOOKS)
        waited += _BETWEEN_LOOKS
        now = look()
        if now != before:
            yield now
        before = now


_BETWEEN_LOOKS = 15.0  # seconds
