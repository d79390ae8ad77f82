"""Tokens of a sign-in service (OpenID Connect: Cognito, Entra, Google's Identity Platform), which open the support API
in place of keys. This is the only module that calls such a service. Its signing keys are cached for five minutes. For a
token that names an unknown key they are fetched again, but not more often than every 30 seconds, so that forged tokens
do not become calls."""

import re
from collections.abc import Mapping
from itertools import chain
from typing import Any

import jwt
import urllib3

from keypost.core.errors import CredentialRefused, KeypostError
from keypost.core.keys import SCOPES, Agent, agent_name
from keypost.inputs.strict_json import parse_object

_ALGORITHMS = ["RS256", "ES256"]  # no HMAC, in which the public key could be used as the secret
_CLOCKS_DIFFER_SECONDS = 10
_SECONDS_TO_ANSWER = 5
_HTTPS = re.compile(r"https://.+")
_LOOPBACK = re.compile(r"http://127\.0\.0\.1(:[0-9]+)?(/.*)?")


class Tokens:
    """Verifies the tokens of one issuer for one audience. The issuer's URLs must be https; with `here` they may also be
    of this machine."""

    def __init__(self, issuer: str, audience: str, pool: urllib3.PoolManager, *, here: bool) -> None:
        if not audience:
            raise KeypostError("audience_missing")
        self._issuer = issuer
        self._audience = audience
        self._pool = pool
        self._here = here
        self._signing_keys: jwt.PyJWKClient | None = None

    def agent(self, token: str) -> Agent:
        """The agent whose token this is. CredentialRefused if the token is not valid; KeypostError or an error of the
        library if the issuer cannot be asked."""
        if self._signing_keys is None:
            self._signing_keys = jwt.PyJWKClient(self._find_signing_keys(), timeout=_SECONDS_TO_ANSWER)
        try:
            claims = jwt.decode(
                token,
                self._signing_keys.get_signing_key_from_jwt(token),
                _ALGORITHMS,
                {"require": ["exp", "iss", "sub"], "verify_aud": False},
                issuer=self._issuer,
                leeway=_CLOCKS_DIFFER_SECONDS,
            )
        except jwt.PyJWKClientConnectionError:
            raise
        except jwt.PyJWTError as error:
            raise CredentialRefused("token_refused", error=type(error).__name__) from None
        if self._audience not in _audiences(claims):
            raise CredentialRefused("token_for_others")
        return Agent(claims["sub"], name_in(claims), scopes_in(claims))

    def sign_in(self) -> dict[str, str]:
        """Where people sign in, and where a page exchanges what it gets there for a token."""
        told = self._description()
        return {name: self._checked(str(told.get(name))) for name in ("authorization_endpoint", "token_endpoint")}

    def _find_signing_keys(self) -> str:
        """The address of the signing keys."""
        return self._checked(str(self._description().get("jwks_uri")))

    def _description(self) -> dict[str, Any]:
        """What the issuer says of itself (OpenID Connect Discovery)."""
        url = self._checked(self._issuer).rstrip("/") + "/.well-known/openid-configuration"
        answer = self._pool.request("GET", url, timeout=_SECONDS_TO_ANSWER, retries=False, redirect=False)
        if answer.status != 200:  # noqa: PLR2004
            raise KeypostError("issuer_answered", status=answer.status)
        description = parse_object(answer.data)
        if description.get("issuer") != self._issuer:
            raise KeypostError("issuer_named_otherwise", issuer=description.get("issuer"))
        return description

    def _checked(self, url: str) -> str:
        if _HTTPS.fullmatch(url) or (self._here and _LOOPBACK.fullmatch(url)):
            return url
        raise KeypostError("issuer_not_https")


def scopes_in(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The scopes that the token gives, out of those that exist: from its scopes, roles and groups, with or without
    `keypost:` or `keypost/` in front."""
    names = chain.from_iterable(_names(claims.get(claim)) for claim in ("scope", "scp", "roles", "cognito:groups"))
    given = {re.sub("^keypost[:/]", "", str(name)) for name in names}
    return tuple(scope for scope in SCOPES if scope in given)


def _names(claim: Any) -> list[Any]:
    """The names in a claim, which is a list, or text with spaces between them."""
    if isinstance(claim, str):
        return claim.split()
    return claim if isinstance(claim, list) else []


def name_in(claims: Mapping[str, Any]) -> str:
    """The agent's name for timelines. An address that nobody verified does not count."""
    email = claims.get("email") if claims.get("email_verified") in (True, "true") else None
    name = email or claims.get("preferred_username") or claims["sub"]
    plain = re.sub("[^ -~]", "?", str(name))[:64]
    return agent_name(plain)[:64]


def _audiences(claims: Mapping[str, Any]) -> list[str]:
    # An access token of Cognito names the client it was made for, and no audience.
    meant = claims.get("aud") or (claims.get("client_id") if claims.get("token_use") == "access" else None)
    return meant if isinstance(meant, list) else [str(meant)]
