"""Deploys the stack with the answers: with SAM on AWS, and to the emulator on this machine as `make run` does."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli import revisions
from cli.local.deploy import deploy
from cli.places import ROOT
from cli.setup.answers import FOLDER, Answers, save
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


def in_turn(answers: Answers, there: Found | None) -> list[Answers]:
    """The answers with which to deploy, one after the other. A live stack is made with a table that is not protected,
    so that nothing is left over if that fails; the second deploy protects it."""
    if answers.parameters["Stage"] != "live":
        return [answers]
    protected = answers.with_parameter("TableProtection", "on")
    return [protected] if there else [answers.with_parameter("TableProtection", "off"), protected]


def to_emulator(session: Any, answers: Answers) -> None:
    deploy(session, answers.stack, dict(answers.parameters), FOLDER.absolute())


def with_sam(turns: Sequence[Answers]) -> Answers:
    """Build, and deploy with these answers in turn; SAM's own output is the progress. Returns the last answers, with
    what tells this deploy from others. KeypostError if one fails."""
    _run(["make", "--silent", "build"])
    built = [ROOT / ".aws-sam/build"]
    turns = [each.with_parameter(revisions.NAME, revisions.revision_of(each.parameters, built)) for each in turns]
    for answers in turns:
        save(answers)
        _run([str(ROOT / ".venv-sam/bin/sam"), "deploy", "--config-file", str(answers.path.absolute())])
    return turns[-1]


def _run(words: list[str]) -> None:
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    ended = subprocess.run(words, cwd=ROOT, env=environment, check=False)  # noqa: S603 - our own programs, no shell
    if ended.returncode:
        raise KeypostError("deploy_failed", program=Path(words[0]).name)
