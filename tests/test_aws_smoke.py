"""`make aws-smoke` on an emulator: what can be told here is told, and nothing is left behind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.aws_smoke import LATER, POINTS, Row, answers_of, for_emulator, looked_at, run, show
from cli.local.emulator import REGION, emulator
from cli.setup import deploying
from cli.stacks import Found


def at(emulated: str) -> Found:
    return Found("keypost-smoke", None, "CREATE_COMPLETE", {}, {"Emulated": emulated})


def test_each_point_says_how_it_is_known_until_somebody_tries_it() -> None:
    rows = list(looked_at(at("yes")))

    assert [each.point for each in rows] == [*(point.name for point in POINTS), *LATER]
    assert {each.known for each in rows if each.is_as_taken is None} == {"read", "assumed"}
    assert {each.known for each in rows if each.is_as_taken is not None} == {"tried"}


def test_a_point_that_fails_hides_no_other_and_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(looked_at(at("no")))  # without a session every look at AWS fails

    assert [(each.point, each.is_as_taken) for each in rows[:2]] == [("deploy", True), ("functions", False)]
    assert show(rows) == 1
    assert "NOT AS TAKEN" in capsys.readouterr().out
    assert show([Row("deploy", "tried", is_as_taken=True, what=""), Row("later", "read", None, "")]) == 0


def test_the_stack_is_of_its_own_and_accepts_no_real_payment() -> None:
    one, other = (answers_of("ops@shop.example", REGION) for _ in range(2))

    assert one.stack != other.stack
    assert one.parameters["MailDomain"] != other.parameters["MailDomain"]
    assert (one.parameters["Stage"], one.parameters["TableProtection"]) == ("test", "off")


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with emulator(tmp_path) as url:
        for name in ("AWS_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL_SESV2"):
            monkeypatch.delenv(name, raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.chdir(tmp_path)
        Path(".keypost").mkdir()
        yield boto3.Session(region_name=REGION)


@pytest.mark.journey
@pytest.mark.drill
def test_what_the_emulator_can_tell_is_tried_there_and_nothing_of_the_stack_is_left(session: Any) -> None:
    answers = for_emulator(answers_of("ops@shop.example", REGION))

    rows = run(session, answers, lambda each: deploying.to_emulator(session, each))

    tried = {each.point: each.is_as_taken for each in rows if each.known == "tried"}
    assert tried == {point.name: True for point in POINTS if point.on_emulator}, rows
    assert session.client("dynamodb").list_tables()["TableNames"] == []
    assert session.client("secretsmanager").list_secrets()["SecretList"] == []
    assert session.client("lambda").list_functions()["Functions"] == []
