"""The measurement of instructions measures what was recorded."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from cli.local.deploy import ROOT
from tests.bench.recorded import recorded
from tests.bench.stub import Strayed, stub
from tests.bench.warm import HERE, calls_of, recording_before

_CALL: Mapping[str, Any] = {"operation": "GetItem", "answer": {"status": 200, "headers": {}, "body": '{"Item": {}}'}}


def called(url: str, operation: str) -> str:
    request = Request(url, b"{}", {"x-amz-target": f"DynamoDB_20120810.{operation}"})
    with urlopen(request) as answer:
        told: str = answer.read().decode()
    return told


def test_calls_made_anew_get_the_recorded_answers() -> None:
    with stub([_CALL]) as url:
        assert called(url, "GetItem") == '{"Item": {}}'


def test_another_call_than_the_recorded_one_ends_the_measurement() -> None:
    with (
        pytest.raises(Strayed, match="call 1 is PutItem, and was GetItem"),
        stub([_CALL]) as url,
        pytest.raises(HTTPError, match="400"),
    ):
        called(url, "PutItem")


def test_fewer_calls_than_the_recorded_ones_end_the_measurement() -> None:
    with pytest.raises(Strayed, match="0 of 1 calls"), stub([_CALL]):
        pass


def test_the_calls_of_before_are_those_of_one_licence() -> None:
    made = [call["operation"] for call in calls_of(recording_before(), 1)]

    assert len(made) == 17
    assert made[-2:] == ["PutItem", "UpdateItem"]
    assert made.count("SendEmail") == made.count("SendMessage") == made.count("TransactWriteItems") == 1


@pytest.mark.drill
@pytest.mark.parametrize("program", ["serve_again.py", "call_again.py"])
def test_the_recorded_purchases_are_served_again_call_by_call(program: str, tmp_path: Path) -> None:
    recording = recorded(2)
    (tmp_path / "recording.json").write_text(json.dumps(recording), "utf-8")
    path = f"{ROOT / 'functions'}:{ROOT / 'layers/keypost'}"

    with stub(recording["calls"]) as url:
        subprocess.run(
            [sys.executable, HERE / program, tmp_path / "recording.json", "1"],
            check=True,
            capture_output=True,
            env={**recording["environment"], "AWS_ENDPOINT_URL": url, "PYTHONPATH": path},
        )
