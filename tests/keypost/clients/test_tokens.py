import json
from collections.abc import Callable, Iterator
from time import monotonic, time
from typing import Any

import jwt
import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keypost.clients.tokens import Tokens, name_in, scopes_in
from keypost.core.errors import CredentialRefused, KeypostError
from keypost.core.keys import Agent
from tests.issuer import AUDIENCE, EC, RSA, Issuer, issuer_here

Later = Callable[[float], None]

NEW, FORGED = (rsa.generate_private_key(65537, 2048) for _ in range(2))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuer_here() as issuer:
        yield issuer


@pytest.fixture
def tokens(issuer: Issuer) -> Iterator[Tokens]:
    with urllib3.PoolManager() as pool:
        yield Tokens(issuer.url, AUDIENCE, pool, here=True)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Moves the clock forward by some seconds, so that cached keys get old."""

    def wait(seconds: float) -> None:
        monkeypatch.setattr("time.monotonic", lambda: monotonic() + seconds)

    return wait


def test_a_good_token_says_who_it_is_and_what_it_opens(tokens: Tokens, issuer: Issuer) -> None:
    token = issuer.token(email="anna@shop.example", email_verified=True, scope="openid support contact")

    assert tokens.agent(token) == Agent("user-1", "anna@shop.example", ("support", "contact"))
    assert tokens.agent(issuer.token(EC, "ES256", "ec")).scopes == ("support",)


def test_a_token_that_opens_nothing_has_no_scope(tokens: Tokens, issuer: Issuer) -> None:
    assert tokens.agent(issuer.token(scope=None)).scopes == ()


PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def with_public_key_as_secret(issuer: Issuer) -> str:
    """Sign by hand as an attacker would; the library refuses to sign in this way."""
    forged = jwt.encode({"iss": issuer.url, "aud": AUDIENCE, "sub": "x", "exp": int(time()) + 60}, "x" * 64, "HS256")
    header = jwt.utils.base64url_encode(json.dumps({"alg": "HS256", "kid": "rsa"}).encode())
    signed = header + b"." + forged.split(".")[1].encode()
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signed, PEM)
    return (signed + b"." + jwt.utils.base64url_encode(signature)).decode()


def tampered(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = json.loads(jwt.utils.base64url_decode(payload)) | {"scope": "privacy"}
    return f"{header}.{jwt.utils.base64url_encode(json.dumps(claims).encode()).decode()}.{signature}"


BAD: dict[str, tuple[str, Callable[[Issuer], str]]] = {
    "signed by somebody else": ("InvalidSignatureError", lambda issuer: issuer.token(FORGED)),
    "not signed": ("InvalidAlgorithmError", lambda issuer: issuer.token(None, "none")),
    "signed with the public key as a secret": ("InvalidAlgorithmError", with_public_key_as_secret),
    "of an algorithm that is not allowed": (
        "InvalidAlgorithmError",
        lambda issuer: issuer.token(RSA, "RS512", "RS512"),
    ),
    "of the algorithm of another key": ("InvalidAlgorithmError", lambda issuer: issuer.token(RSA, "RS256", "ec")),
    "changed after it was signed": ("InvalidSignatureError", lambda issuer: tampered(issuer.token())),
    "for another audience": ("for another audience", lambda issuer: issuer.token(aud="another")),
    "for nobody": ("for another audience", lambda issuer: issuer.token(aud=None)),
    "for a client of another audience": (
        "for another audience",
        lambda issuer: issuer.token(aud="another", client_id=AUDIENCE, token_use="access"),
    ),
    "not an access token": (
        "for another audience",
        lambda issuer: issuer.token(aud=None, client_id=AUDIENCE, token_use="id"),
    ),
    "of another issuer": ("InvalidIssuerError", lambda issuer: issuer.token(iss="https://evil.example")),
    "of no issuer": ("MissingRequiredClaimError", lambda issuer: issuer.token(iss=None)),
    "expired": ("ExpiredSignatureError", lambda issuer: issuer.token(exp=int(time()) - 60)),
    "good for ever": ("MissingRequiredClaimError", lambda issuer: issuer.token(exp=None)),
    "not good yet": ("ImmatureSignatureError", lambda issuer: issuer.token(nbf=int(time()) + 60)),
    "of nobody": ("MissingRequiredClaimError", lambda issuer: issuer.token(sub=None)),
    "of a key that nobody knows": ("PyJWKClientError", lambda issuer: issuer.token(kid="other")),
    "of no key": ("PyJWKClientError", lambda issuer: issuer.token(kid=None)),
    "no token": ("DecodeError", lambda _: "a.b.c"),
    "empty": ("DecodeError", lambda _: ""),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_token_is_refused_that_is(tokens: Tokens, issuer: Issuer, kind: str) -> None:
    tokens.agent(issuer.token())

    reason, make = BAD[kind]
    with pytest.raises(CredentialRefused) as refused:
        tokens.agent(make(issuer))
    assert str(refused.value) == (
        "token_for_others" if reason == "for another audience" else f"token_refused (error={reason})"
    )


def test_an_access_token_of_cognito_names_its_client_in_place_of_an_audience(tokens: Tokens, issuer: Issuer) -> None:
    token = issuer.token(aud=None, client_id=AUDIENCE, token_use="access", scope="keypost/support")

    assert tokens.agent(token).scopes == ("support",)


def test_unknown_keys_do_not_have_the_issuer_asked_again_and_again(
    tokens: Tokens, issuer: Issuer, later: Later
) -> None:
    tokens.agent(issuer.token())
    for guess in range(5):
        with pytest.raises(CredentialRefused):
            tokens.agent(issuer.token(kid=f"guess-{guess}"))
    assert issuer.asked == 1

    later(31)
    for guess in range(5):
        with pytest.raises(CredentialRefused):
            tokens.agent(issuer.token(kid=f"guess-{guess}"))
    assert issuer.asked == 2


def test_a_new_signing_key_of_the_issuer_is_taken_up(tokens: Tokens, issuer: Issuer, later: Later) -> None:
    tokens.agent(issuer.token())
    issuer.keys = {"new": NEW}
    later(31)

    assert tokens.agent(issuer.token(NEW, kid="new")).id == "user-1"


def test_a_key_that_the_issuer_withdrew_is_forgotten_within_five_minutes(
    tokens: Tokens, issuer: Issuer, later: Later
) -> None:
    tokens.agent(issuer.token())
    issuer.keys = {"new": NEW}
    later(301)

    with pytest.raises(CredentialRefused):
        tokens.agent(issuer.token())


def test_an_issuer_that_does_not_answer_is_not_the_agents_fault(tokens: Tokens, issuer: Issuer) -> None:
    issuer.status = 500

    with pytest.raises(KeypostError, match=r"issuer_answered .status=500") as error:
        tokens.agent(issuer.token())
    assert not isinstance(error.value, CredentialRefused)


def test_signing_keys_that_cannot_be_fetched_are_not_the_agents_fault(
    tokens: Tokens, issuer: Issuer, later: Later
) -> None:
    tokens.agent(issuer.token())
    issuer.status = 500
    later(301)

    with pytest.raises(jwt.PyJWKClientConnectionError):
        tokens.agent(issuer.token())


def test_an_issuer_is_what_it_calls_itself(tokens: Tokens, issuer: Issuer) -> None:
    issuer.calls_itself = "https://another.example"

    with pytest.raises(KeypostError, match="issuer_named_otherwise"):
        tokens.agent(issuer.token())


def test_signing_keys_come_over_https_only(tokens: Tokens, issuer: Issuer) -> None:
    issuer.keys_at = "http://keys.example/keys"

    with pytest.raises(KeypostError, match="issuer_not_https"):
        tokens.agent(issuer.token())


def test_a_stack_on_this_machine_asks_no_host_whose_name_begins_like_it() -> None:
    with urllib3.PoolManager() as pool, pytest.raises(KeypostError, match="issuer_not_https"):
        Tokens("http://127.0.0.1.evil.example/x", AUDIENCE, pool, here=True).agent("a.b.c")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/tenant", "http://issuer.example", "ftp://issuer.example", "x"])
def test_a_deployed_stack_asks_an_issuer_over_https_only(url: str) -> None:
    with urllib3.PoolManager() as pool, pytest.raises(KeypostError, match="issuer_not_https"):
        Tokens(url, AUDIENCE, pool, here=False).agent("a.b.c")


def test_an_audience_must_be_set() -> None:
    with urllib3.PoolManager() as pool, pytest.raises(KeypostError, match="audience_missing"):
        Tokens("https://issuer.example", "", pool, here=False)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "openid keypost/support keypost:contact"}, ("support", "contact")),
        ({"scp": "support"}, ("support",)),
        ({"scp": ["stock", "support"]}, ("support", "stock")),
        ({"roles": ["keypost:privacy", "admin"]}, ("privacy",)),
        ({"cognito:groups": ["keypost-admins", "keypost:catalog"], "scope": "suppression"}, ("catalog", "suppression")),
        ({"scope": "other/support supports", "roles": None, "scp": 7, "groups": ["support"]}, ()),
        ({"roles": [["support"], {"support": 1}]}, ()),
    ],
)
def test_scopes_are_read_from_where_issuers_put_them(claims: dict[str, Any], scopes: tuple[str, ...]) -> None:
    assert scopes_in(claims) == scopes


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "anna@shop.example", "email_verified": True, "preferred_username": "anna"}, "anna@shop.example"),
        ({"email": "boss@shop.example", "preferred_username": "anna"}, "anna"),
        ({"email": "boss@shop.example", "email_verified": False, "preferred_username": "anna"}, "anna"),
        ({"email": "boss@shop.example", "email_verified": "false"}, "user-1"),
        ({"email": "anna@shop.example", "email_verified": "true"}, "anna@shop.example"),
        ({"preferred_username": "Zo\u00eb\n" + "x" * 90}, "Zo??" + "x" * 60),
    ],
)
def test_the_timeline_names_who_it_was(claims: dict[str, Any], name: str) -> None:
    assert name_in({"sub": "user-1", **claims}) == name
