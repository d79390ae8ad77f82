"""Keys of support agents: their form, what is stored of a key, and whether it is valid now. Only the digest of a key is
stored. A key has 256 random bits, so nobody can compute it from the digest."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from keypost.core.errors import CredentialRefused, InvalidInput
from keypost.core.frozen import dataclass

SCOPES = ("support", "contact", "stock", "catalog", "suppression", "privacy", "orders", "complaints")
RESERVED = ("keypost", "customer")  # the names in timelines for the system, and for the page for customers
DEFAULT_SCOPES = ("support", "contact")
_KEY = re.compile(r"kp_([0-9a-f]{10})_[0-9a-f]{64}")
# A name is sent in headers and shown in timelines.
_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Agent:
    """The person or program that calls the support API, and what it may do there."""

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
    """The name for timelines. An agent cannot be named like the system or the page for customers."""
    return f"agent {name}" if name.strip().casefold() in RESERVED else name


def new_key(agent: str, scopes: Iterable[str], days: int, now: datetime) -> tuple[str, SupportKey]:
    """A new key, which is shown only once, and what is stored of it. InvalidInput if the agent's name or a scope is not
    valid."""
    if agent_name(agent) != agent:
        raise InvalidInput("agent_name_reserved", name=agent)
    if not _AGENT.fullmatch(agent):
        raise InvalidInput("agent_name_unfit")
    asked = set(scopes)
    if not asked or asked - set(SCOPES):
        raise InvalidInput("key_without_scope", scopes=SCOPES)
    key_id = secrets.token_hex(5)
    key = f"kp_{key_id}_{secrets.token_hex(32)}"
    kept = tuple(sorted(asked, key=SCOPES.index))
    return key, SupportKey(key_id, _digest(key), agent, kept, now, now + timedelta(days=days))


def key_id(key: str) -> str | None:
    """The id in a key; None if the text is not a key."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def check(key: str, kept: SupportKey | None, now: datetime) -> Agent:
    """The agent who has this key. CredentialRefused if it is not the stored key, or if it has expired or is revoked.
    Only a caller with the right key can cause the latter."""
    if kept is None:
        raise CredentialRefused("unknown")
    if not hmac.compare_digest(_digest(key), kept.digest):
        raise CredentialRefused("wrong")
    if (now_is := state(kept, now)) != "valid":
        raise CredentialRefused(now_is)
    return Agent(kept.id, kept.agent, kept.scopes)


def state(key: SupportKey, now: datetime) -> str:
    """The state of a key in one word, for people."""
    if key.revoked_at is not None:
        return "revoked"
    return "valid" if now < key.expires_at else "expired"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
