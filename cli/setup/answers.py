"""The answers of an operator, in a file that SAM reads too: `sam deploy --config-file` deploys with it. Git ignores it,
and nobody but its owner can read it. It never holds a secret."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from keypost.core.errors import KeypostError

FOLDER = Path(".keypost")


@dataclass(frozen=True, slots=True)
class Answers:
    stack: str
    region: str = ""
    providers: tuple[str, ...] | None = None  # None: not asked yet
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the template
    greeted: bool = False  # whether the first mail has left

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.stack}.toml"

    @property
    def zone_path(self) -> Path:
        return FOLDER / f"{self.stack}.zone"

    @property
    def option(self) -> str:
        return f" --stack {self.stack}"

    def with_parameter(self, name: str, value: str) -> "Answers":
        return replace(self, parameters={**self.parameters, name: value})


def load(stack: str) -> Answers:
    """The answers that are in the file; none where there is no file. KeypostError if the file is damaged."""
    path = Answers(stack).path
    try:
        kept = tomllib.loads(path.read_text("utf-8"))
        deploy, own = kept["default"]["deploy"]["parameters"], kept["keypost"]
        pairs = (each.partition("=") for each in deploy["parameter_overrides"])
        parameters = {name: json.loads(value) for name, _, value in pairs}
        return Answers(stack, deploy["region"], _providers(own), parameters, bool(own["greeted"]))
    except FileNotFoundError:
        return Answers(stack)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError, ValueError):
        raise KeypostError("answers_damaged", path=path) from None


def _providers(own: Mapping[str, list[str]]) -> tuple[str, ...] | None:
    return tuple(own["providers"]) if "providers" in own else None


def save(answers: Answers) -> None:
    """Write the file, whole or not at all."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    part = answers.path.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(written(answers), "utf-8")
    part.replace(answers.path)


def written(answers: Answers) -> str:
    overrides = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in answers.parameters.items()]
    lines = [
        "# The answers of `keypost setup`, without secrets. To change one: keypost setup answers",
        "version = 0.1",
        "",
        "[default.deploy.parameters]",
        f"stack_name = {_text(answers.stack)}",
        f"region = {_text(answers.region)}",
        'capabilities = "CAPABILITY_IAM"',
        "confirm_changeset = false",
        "fail_on_empty_changeset = false",
        "resolve_s3 = true",
        "parameter_overrides = [",
        *(f"  {_text(each)}," for each in overrides),
        "]",
        "",
        "[keypost]",
        f"greeted = {str(answers.greeted).lower()}",
        *([] if answers.providers is None else [f"providers = [{', '.join(map(_text, answers.providers))}]"]),
    ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A basic string of TOML, which has the escapes of JSON."""
    return json.dumps(value, ensure_ascii=False)
