"""The libraries in the layer, cut to what the functions load of them."""

import ast
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore import handlers
from botocore.loaders import Loader
from botocore.model import ServiceId
from pydantic_core import core_schema

from cli.local.deploy import ROOT

PACKAGES = Path(botocore.__file__).parents[1]
_CALLED = ("dynamodb", "events", "secretsmanager", "sesv2", "sqs")
_SPEC = spec_from_file_location("cut_code", ROOT / "layers/dependencies/cut_code.py")
assert _SPEC
assert _SPEC.loader
cut_code = module_from_spec(_SPEC)
_SPEC.loader.exec_module(cut_code)


def test_a_library_that_has_no_such_module_any_more_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not there any more"):
        cut_code.cut(tmp_path)

    assert not list(tmp_path.iterdir())
    assert {name for name in [*cut_code.STAND_INS, *cut_code.LEFT_OUT] if not (PACKAGES / name).exists()} == set()


def names_made(source: str) -> set[str]:
    made: dict[str, Any] = {}
    exec(source, made)  # noqa: S102 - of this repository
    return made.keys() - {"__builtins__"}


@pytest.mark.parametrize(
    ("module", "users"),
    [
        ("botocore.docs.docstring", ("botocore/client.py", "botocore/waiter.py")),
        ("s3transfer.manager", ("boto3/compat.py",)),
        ("dateutil.parser", ("botocore/credentials.py",)),
        (".resources.factory", ("boto3/session.py",)),
        ("._loader", ("pydantic/plugin/_schema_validator.py",)),
    ],
)
def test_what_stands_in_for_a_module_has_all_that_is_imported_from_it(module: str, users: tuple[str, ...]) -> None:
    sources = [(PACKAGES / user).read_text("utf-8") for user in users]
    imports = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    wanted = {alias.name for node in imports if f"{'.' * node.level}{node.module}" == module for alias in node.names}

    path = "plugin/_loader" if module == "._loader" else module.removeprefix(".").replace(".", "/")
    (stand_in,) = [text for name, text in cut_code.STAND_INS.items() if re.search(rf"{path}(/__init__)?\.py$", name)]
    assert wanted
    assert wanted <= names_made(stand_in)


def test_a_moment_that_is_written_as_text_is_read_as_before() -> None:
    made: dict[str, Any] = {}
    exec(cut_code.STAND_INS["dateutil/parser/__init__.py"], made)  # noqa: S102 - of this repository

    assert made["parse"]("Sun, 29 Nov 2026 10:00:00 GMT").isoformat() == "2026-11-29T10:00:00+00:00"


def test_botocore_does_all_that_it_does_for_every_service_and_for_ours() -> None:
    made = {"BUILTIN_HANDLERS": handlers.BUILTIN_HANDLERS}
    exec(cut_code.OF_OURS, made)  # noqa: S102 - of this repository
    kept = {each[0] for each in made["BUILTIN_HANDLERS"]}
    left = {each[0] for each in handlers.BUILTIN_HANDLERS} - kept

    loader = Loader()
    described = [loader.load_service_model(service, "service-2") for service in _CALLED]
    ours = {ServiceId(each["metadata"]["serviceId"]).hyphenize() for each in described}
    assert ours == set(cut_code.SERVICES) - {""}
    assert "after-call.sqs.*" in kept  # an event that is for one of ours
    assert "before-call" in kept  # and one that is for all
    assert {name for name in left if name.split(".")[1] in ours} == set()
    assert {name for name in left if name.split(".")[1] == "*" and not name.startswith("docs.")} == set()


def test_pydantic_core_without_its_descriptions_has_the_same_functions() -> None:
    source = Path(core_schema.__file__).read_text("utf-8")
    before, after = ast.parse(source).body, ast.parse(cut_code.without_typed_dicts(source)).body

    assert {type(new) for old, new in zip(before, after, strict=True) if ast.dump(old) != ast.dump(new)} == {ast.Assign}
    replaced = [new for old, new in zip(before, after, strict=True) if ast.dump(old) != ast.dump(new)]
    assert len(replaced) > 50
    assert {ast.unparse(new).partition(" = ")[2] for new in replaced} == {"dict"}
    assert not re.search(r"^class \w+\(TypedDict", ast.unparse(ast.Module(after, [])), re.MULTILINE)
    assert re.search(r"^class \w+\(TypedDict", source, re.MULTILINE)
