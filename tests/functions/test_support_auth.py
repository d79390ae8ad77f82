import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import EndpointConnectionError

import support_auth
from cli.stacks import Stack
from keypost import wiring
from keypost.clients.tokens import Tokens
from keypost.core.errors import CredentialRefused
from keypost.core.keys import Agent, SupportKey, new_key
from keypost.table import Store
from tests.builders import NOW
from tests.functions.test_payment_callback import Context
from tests.issuer import AUDIENCE, issuer_here

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/v1/GET/orders/2026-001234"
OLD_SECRET = "0" * 64


def ask(header: str | None, at: datetime = NOW) -> Any:
    """Call the authorizer as API Gateway does."""
    event = {"type": "TOKEN", "authorizationToken": header, "methodArn": ARN}
    with time_machine.travel(at, tick=False):
        return support_auth.handler({k: v for k, v in event.items() if v is not None}, Context())


@pytest.fixture
def made(wired: Stack) -> tuple[str, SupportKey]:
    key, kept = new_key("anna", ("support", "stock"), 365, NOW)
    wired.store.put_support_key(kept)
    return key, kept


def reasons(logged: io.StringIO) -> list[str]:
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    return [line["reason"] for line in lines if line["message"] == "SupportKeyRefused"]


def test_the_right_key_opens_all_routes_of_the_stage_and_says_who_it_is(made: tuple[str, SupportKey]) -> None:
    key, kept = made

    assert ask(f"Bearer {key}") == {
        "principalId": kept.id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/v1/*",
                }
            ],
        },
        "context": {"agent": "anna", "scopes": "support stock"},
    }


def test_the_day_of_its_last_use_is_noted_once_a_day(
    wired: Stack, made: tuple[str, SupportKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, kept = made
    written: list[date] = []
    note = Store.note_support_key_used

    def noting(store: Store, key_id: str, day: date) -> None:
        written.append(day)
        note(store, key_id, day)

    monkeypatch.setattr(Store, "note_support_key_used", noting)

    for at in (NOW, NOW + timedelta(hours=1), NOW + timedelta(days=1)):
        ask(f"Bearer {key}", at)

    assert written == [NOW.date(), NOW.date() + timedelta(days=1)]
    used = wired.store.support_key(kept.id)
    assert used == replace(kept, last_used=NOW.date() + timedelta(days=1))


def test_nobody_is_turned_away_because_the_day_could_not_be_noted(
    made: tuple[str, SupportKey], monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    def fails(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="here")

    monkeypatch.setattr(Store, "note_support_key_used", fails)

    assert ask(f"Bearer {made[0]}")["principalId"] == made[1].id
    assert "EndpointConnectionError" in logged.getvalue()


def test_a_table_that_does_not_answer_opens_nothing(
    made: tuple[str, SupportKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="here")

    monkeypatch.setattr(Store, "support_key", fails)

    with pytest.raises(EndpointConnectionError):
        ask(f"Bearer {made[0]}")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "no_bearer"),
        ("", "no_bearer"),
        ("{key}", "no_bearer"),
        ("Basic {key}", "no_bearer"),
        ("Bearer", "unknown"),
        ("Bearer  {key}", "unknown"),
        ("Bearer {key}0", "unknown"),
        ("Bearer a.b.c", "unknown"),
        ("Bearer kp_0123456789_" + OLD_SECRET, "unknown"),
        ("Bearer kp_{id}_" + OLD_SECRET, "wrong"),
    ],
)
def test_whatever_is_not_the_right_key_is_a_401_and_counted(
    made: tuple[str, SupportKey], logged: io.StringIO, header: str | None, reason: str
) -> None:
    key, kept = made
    sent = header.format(key=key, id=kept.id) if header is not None else None

    with pytest.raises(Exception, match=r"^Unauthorized$") as refused:
        ask(sent)
    assert refused.type is Exception
    assert refused.value.__cause__ is None
    assert reasons(logged) == [reason]


def test_a_revoked_key_and_an_expired_one_are_a_401_too(
    wired: Stack, made: tuple[str, SupportKey], logged: io.StringIO
) -> None:
    key, kept = made

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(f"Bearer {key}", NOW + timedelta(days=365))
    wired.store.revoke_support_key(kept.id, datetime.now(UTC))
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(f"Bearer {key}")
    assert reasons(logged) == ["expired", "revoked"]


def test_no_key_is_ever_logged(
    made: tuple[str, SupportKey], logged: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    key, _ = made
    ask(f"Bearer {key}")
    for wrong in (key[:-1] + "x", f"{key[:-64]}{OLD_SECRET}"):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            ask(f"Bearer {wrong}")

    printed = logged.getvalue() + "".join(capsys.readouterr())
    assert key[-64:-1] not in printed
    assert OLD_SECRET not in printed


@pytest.fixture
def said(wired: Stack, monkeypatch: pytest.MonkeyPatch) -> dict[str, Agent]:
    """The agents that tokens stand for, by token, in a stack that has an issuer."""
    monkeypatch.setenv("KEYPOST_SUPPORT_ISSUER", "https://issuer.example")
    monkeypatch.setenv("KEYPOST_SUPPORT_AUDIENCE", "keypost")
    wiring.config.cache_clear()
    agents: dict[str, Agent] = {}

    def agent(_: Tokens, token: str) -> Agent:
        if token not in agents:
            raise CredentialRefused("token: DecodeError")
        return agents[token]

    monkeypatch.setattr(Tokens, "agent", agent)
    return agents


def test_a_good_token_of_the_issuer_opens_what_it_says(said: dict[str, Agent]) -> None:
    said["a.b.c"] = Agent("user-1", "anna@shop.example", ("support",))

    verdict = ask("bearer a.b.c")

    assert verdict["principalId"] == "user-1"
    assert verdict["context"] == {"agent": "anna@shop.example", "scopes": "support"}
    assert verdict["policyDocument"]["Statement"][0]["Effect"] == "Allow"


def test_a_token_that_allows_nothing_here_is_a_403_and_counted(said: dict[str, Agent], logged: io.StringIO) -> None:
    said["a.b.c"] = Agent("user-1", "anna", ())

    verdict = ask("Bearer a.b.c")

    assert verdict["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert reasons(logged) == ["no scope"]


def test_with_an_issuer_a_bad_token_and_a_key_of_ours_are_a_401(
    made: tuple[str, SupportKey], said: dict[str, Agent], logged: io.StringIO
) -> None:
    for credential in ("a.b.c", made[0]):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            ask(f"Bearer {credential}")
    assert reasons(logged) == ["token: DecodeError", "token: DecodeError"]


def test_a_token_is_verified_with_the_keys_of_the_issuer_that_the_stack_names(
    wired: Stack, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    now = datetime.now(UTC)
    with issuer_here() as issuer:
        monkeypatch.setenv("KEYPOST_STAGE", "local")
        monkeypatch.setenv("KEYPOST_SUPPORT_ISSUER", issuer.url)
        monkeypatch.setenv("KEYPOST_SUPPORT_AUDIENCE", AUDIENCE)
        wiring.config.cache_clear()

        assert ask(f"Bearer {issuer.token(sub='user-2', scope='stock')}", now)["principalId"] == "user-2"
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            ask(f"Bearer {issuer.token(aud='another')}", now)
    assert reasons(logged) == ["token_for_others"]
