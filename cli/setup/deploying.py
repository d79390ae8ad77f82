"""Deploys the stack with the answers: with SAM on AWS, and to the emulator on this machine as `make run` does."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.local.deploy import ROOT, deploy
from cli.setup.answers import FOLDER, Answers
from cli.stacks import Found
from keypost.core.errors import KeypostError

_HERE = ("127.0.0.1", "localhost", "::1")


def is_emulated(environment: Mapping[str, str]) -> bool:
    """Whether the AWS of this shell is an emulator on this machine."""
    return urlsplit(environment.get("AWS_ENDPOINT_URL", "")).hostname in _HERE


def is_as_answered(answers: Answers, there: Found | None, own_version: str) -> bool:
    """Whether the stack stands as this version and the answers would deploy it."""
    if there is None or not there.status.endswith("_COMPLETE") or "ROLLBACK" in there.status:
        return False
    given = answers.parameters.items()
    return there.outputs.get("Version") == own_version and all(
        there.parameters.get(name) == set_ for name, set_ in given
    )


def to_emulator(session: Any, answers: Answers) -> None:
    deploy(session, answers.stack, dict(answers.parameters), FOLDER.absolute())


def with_sam(answers: Answers) -> None:
    """Build and deploy; SAM's own output is the progress. KeypostError if one of them fails."""
    config, sam = answers.path.absolute(), ROOT / ".venv-sam/bin/sam"
    _run(["make", "--silent", "build"])
    _run([str(sam), "deploy", "--config-file", str(config)])


def _run(words: list[str]) -> None:
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    ended = subprocess.run(words, cwd=ROOT, env=environment, check=False)  # noqa: S603 - our own programs, no shell
    if ended.returncode:
        raise KeypostError("deploy_failed", program=Path(words[0]).name)
