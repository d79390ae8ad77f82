"""Keys of support agents: their form, what is kept of one, and whether it is good now. Of a key only the digest is
kept; with its 256 random bits, that leads nobody back to it."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from keypost.core.errors import CredentialRefused, InvalidInput

SCOPES = ("support", "contact", "stock", "catalog", "suppression", "privacy")
RESERVED = ("keypost", "customer")  # who stand in timelines for the system, and for the page for customers
DEFAULT_SCOPES = ("support", "contact")
_KEY = re.compile(r"kp_([0-9a-f]{10})_[0-9a-f]{64}")
# It travels in headers and stands in timelines.
_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Agent:
    """Who calls the support API, and what they may do there."""

    id: str  # of the key, or the subject of the token
    name: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SupportKey:
    id: str
    digest: str
    agent: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used: date | None = None  # the day is enough to find keys that nobody uses


def agent_name(name: str) -> str:
    """For a timeline, in which it is never taken for the system or for the page for customers."""
    return f"agent {name}" if name.strip().casefold() in RESERVED else name


def new_key(agent: str, scopes: Iterable[str], days: int, now: datetime) -> tuple[str, SupportKey]:
    """A key, to be shown once, and what is kept of it. InvalidInput when the agent's name or a scope is none."""
    if agent_name(agent) != agent:
        raise InvalidInput("agent_name_reserved", name=agent)
    if not _AGENT.fullmatch(agent):
        raise InvalidInput("agent_name_unfit")
    asked = set(scopes)
    if not asked or asked - set(SCOPES):
        raise InvalidInput("key_without_scope", scopes=SCOPES)
    key_id = secrets.token_hex(5)
    key = f"kp_{key_id}_{secrets.token_hex(32)}"
    kept = tuple(scope for scope in SCOPES if scope in asked)
    return key, SupportKey(key_id, _digest(key), agent, kept, now, now + timedelta(days=days))


def key_id(key: str) -> str | None:
    """The id in a key; None for what is no key at all."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def check(key: str, kept: SupportKey | None, now: datetime) -> Agent:
    """Who has this key. CredentialRefused when it is not the one that is kept, or no longer good, which only whoever
    has the right one gets to cause."""
    if kept is None:
        raise CredentialRefused("unknown")
    if not hmac.compare_digest(_digest(key), kept.digest):
        raise CredentialRefused("wrong")
    if (now_is := state(kept, now)) != "valid":
        raise CredentialRefused(now_is)
    return Agent(kept.id, kept.agent, kept.scopes)


def state(key: SupportKey, now: datetime) -> str:
    """In a word, for people."""
    if key.revoked_at is not None:
        return "revoked"
    return "valid" if now < key.expires_at else "expired"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
