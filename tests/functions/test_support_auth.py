import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import EndpointConnectionError

import support_auth
from cli.stacks import Stack
from keypost import wiring
from keypost.core.keys import SupportKey, new_key
from tests.builders import NOW, Context, count, leaked, log, printed
from tests.faults import Parameters, on_call, watch
from tests.issuer import AUDIENCE, Issuer, issuer_here

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


def test_the_day_of_its_last_use_is_noted_once_a_day(wired: Stack, made: tuple[str, SupportKey]) -> None:
    key, kept = made
    written = watch(wiring.store()._client, "UpdateItem")

    for at in (NOW, NOW + timedelta(hours=1), NOW + timedelta(days=1)):
        ask(f"Bearer {key}", at)

    assert len(written) == 2
    used = wired.store.support_key(kept.id)
    assert used == replace(kept, last_used=NOW.date() + timedelta(days=1))


def not_there(_: Parameters) -> None:
    raise EndpointConnectionError(endpoint_url="here")


def test_nobody_is_turned_away_because_the_day_could_not_be_noted(
    made: tuple[str, SupportKey], logged: io.StringIO
) -> None:
    on_call(wiring.store()._client, "UpdateItem", not_there)

    assert ask(f"Bearer {made[0]}")["principalId"] == made[1].id
    assert "EndpointConnectionError" in logged.getvalue()


def test_a_table_that_does_not_answer_opens_nothing(made: tuple[str, SupportKey]) -> None:
    on_call(wiring.store()._client, "GetItem", not_there)

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


def test_no_key_is_ever_logged_or_counted(
    made: tuple[str, SupportKey],
    logged: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED")
    key, _ = made
    ask(f"Bearer {key}")
    for wrong in (key[:-1] + "x", f"{key[:-64]}{OLD_SECRET}"):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            ask(f"Bearer {wrong}")

    private = [key[-64:-1], OLD_SECRET]
    metrics = printed(capsys)
    assert reasons(logged) == ["unknown", "wrong"]
    assert '"Name":"SupportKeyRefused"' in metrics()
    assert leaked(private, logged.getvalue, log) == []
    assert leaked(private, metrics, count) == []


@pytest.fixture
def issuer(wired: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """The issuer whose tokens the support API of this stack accepts."""
    with issuer_here() as issuer:
        monkeypatch.setenv("KEYPOST_STAGE", "local")
        monkeypatch.setenv("KEYPOST_SUPPORT_ISSUER", issuer.url)
        monkeypatch.setenv("KEYPOST_SUPPORT_AUDIENCE", AUDIENCE)
        wiring.config.cache_clear()
        yield issuer


def test_a_good_token_of_the_issuer_opens_what_it_says(issuer: Issuer) -> None:
    token = issuer.token(sub="user-1", email="anna@shop.example", email_verified=True, scope="support")

    verdict = ask(f"bearer {token}", datetime.now(UTC))

    assert verdict["principalId"] == "user-1"
    assert verdict["context"] == {"agent": "anna@shop.example", "scopes": "support"}
    assert verdict["policyDocument"]["Statement"][0]["Effect"] == "Allow"


def test_a_token_that_allows_nothing_here_is_a_403_and_counted(issuer: Issuer, logged: io.StringIO) -> None:
    verdict = ask(f"Bearer {issuer.token(scope='elsewhere')}", datetime.now(UTC))

    assert verdict["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert reasons(logged) == ["no scope"]


def test_with_an_issuer_a_bad_token_and_a_key_of_ours_are_a_401(
    made: tuple[str, SupportKey], issuer: Issuer, logged: io.StringIO
) -> None:
    for credential in ("a.b.c", made[0]):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            ask(f"Bearer {credential}")
    assert reasons(logged) == ["token_refused (error=DecodeError)"] * 2


def test_a_token_is_verified_with_the_keys_of_the_issuer_that_the_stack_names(
    issuer: Issuer, logged: io.StringIO
) -> None:
    now = datetime.now(UTC)

    assert ask(f"Bearer {issuer.token(sub='user-2', scope='stock')}", now)["principalId"] == "user-2"
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(f"Bearer {issuer.token(aud='another')}", now)
    assert reasons(logged) == ["token_for_others"]
