"""Builds what a release consists of, from the last commit: `python -m cli.release FOLDER` (docs/releasing.md). The same
commit gives the same bytes, whatever the clock, the time zone, the umask and the folders are."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
from samtranslator.yaml_helper import yaml_parse

from cli.parts import PART_LISTS, bill_of_materials
from cli.places import ARTIFACTS, ROOT, TEMPLATE

_LAYERS = ("dependencies", "tokens", "keypost")
_IN_TREE = ARTIFACTS.relative_to(ROOT)
_FILE = 0o100644  # a regular file that everybody may read, as Lambda's user has to
LAMBDAS_PYTHON = "python3.13"  # as in template.yaml


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--python", default=LAMBDAS_PYTHON, show_default=True, help="The Python that compiles the layers.")
def main(folder: Path, python: str) -> None:
    """Build a release into FOLDER."""
    for path in build(folder, python):
        click.echo(f"{digest(path)}  {path}")


def build(folder: Path, python: str = LAMBDAS_PYTHON) -> list[Path]:
    """Build a release from the last commit; returns its files. ClickException if a step fails."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="keypost-release-") as work:
        tree = Path(work) / "tree"
        moment = _checked_out(tree)
        environment = _environment(moment)
        _layers(tree, Path(work), python, environment)
        archive(tree / "functions", tree / _IN_TREE / "functions.zip")
        (tree / _IN_TREE / TEMPLATE.name).write_text(_template(tree), "utf-8")
        wheel = _wheel(tree, Path(work), folder, environment)
        made = [wheel, _requirements(tree, wheel, folder), _bill(tree, folder, moment)]
    return [*made, _sums(made, folder)]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def version_of(tree: Path) -> str:
    return str(tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def _checked_out(tree: Path) -> datetime:
    """Write the files of the last commit into a folder; returns when it was made."""
    tree.mkdir()
    files = _run(["git", "-c", "core.autocrlf=false", "archive", "--format=tar", "HEAD"], ROOT)
    _run(["tar", "-xf", "-", "-C", str(tree)], ROOT, given=files)
    (tree / _IN_TREE).mkdir()
    return datetime.fromtimestamp(int(_run(["git", "log", "-1", "--format=%ct"], ROOT)), UTC)


def _environment(moment: datetime) -> dict[str, str]:
    """No setting of the shell reaches the build but where its programs and packages are."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME") or name.startswith("PIP_")}
    return kept | {"SOURCE_DATE_EPOCH": str(int(moment.timestamp())), "PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"}


def _layers(tree: Path, work: Path, python: str, environment: dict[str, str]) -> None:
    if shutil.which(python) is None:
        raise click.ClickException(f"A release needs {python}, which Lambda runs the functions with; it is not here.")
    for name in _LAYERS:
        artifacts = work / name
        options = [f"ARTIFACTS_DIR={artifacts}", f"PYTHON={sys.executable}", f"TARGET={python}"]
        recipe = ["make", "--silent", "-C", str(tree / "layers" / name), f"build-{name.title()}Layer", *options]
        _run(recipe, tree, environment)
        archive(artifacts, tree / _IN_TREE / f"{name}.zip")


def _template(tree: Path) -> str:
    """The template, with the names of the archives in place of the folders that SAM would build."""
    template = yaml_parse((tree / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    template["Globals"]["Function"]["CodeUri"] = "functions.zip"
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            name = Path(resource["Properties"]["ContentUri"]).name
            resource["Properties"]["ContentUri"] = f"{name}.zip"
            del resource["Metadata"]  # how SAM would build it
    return json.dumps(template, indent=1, ensure_ascii=False) + "\n"


def _wheel(tree: Path, work: Path, folder: Path, environment: dict[str, str]) -> Path:
    """The command, which holds the template and the archives too."""
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--wheel-dir", str(work)]
    _run([sys.executable, "-m", "pip", "wheel", *options, str(tree)], work, environment)
    (built,) = work.glob("*.whl")
    with zipfile.ZipFile(built) as wheel:
        _zip(folder / built.name, ((name, wheel.read(name)) for name in sorted(wheel.namelist())))
    return folder / built.name


def _requirements(tree: Path, wheel: Path, folder: Path) -> Path:
    """What pip installs: the wheel beside it, and what it needs."""
    lock = (tree / "requirements/command.txt").read_text("utf-8")
    path = folder / "requirements.txt"
    path.write_text(f"./{wheel.name} \\\n    --hash=sha256:{digest(wheel)}\n{lock}", "utf-8")
    return path


def _bill(tree: Path, folder: Path, moment: datetime) -> Path:
    version = version_of(tree)
    path = folder / f"keypost-{version}.cdx.json"
    locks = {part: (tree / lock).read_text("utf-8") for part, lock in PART_LISTS.items()}
    files = {each.name: digest(each) for each in sorted((tree / _IN_TREE).iterdir())}
    path.write_text(bill_of_materials(version, moment, locks, files) + "\n", "utf-8")
    return path


def _sums(made: list[Path], folder: Path) -> Path:
    path = folder / "SHA256SUMS"
    path.write_text("".join(f"{digest(each)}  {each.name}\n" for each in made), "utf-8")
    return path


def archive(folder: Path, target: Path) -> None:
    """Zip the files of a folder: in the order of their names, and with nothing of this machine."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    _zip(target, ((name, (folder / name).read_bytes()) for name in names))


def _zip(target: Path, files: Iterable[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(target, "w") as zipped:
        for name, content in files:
            about = zipfile.ZipInfo(name)  # of 1980, the first moment that a zip knows
            about.external_attr, about.create_system = _FILE << 16, 3
            zipped.writestr(about, content, zipfile.ZIP_DEFLATED, 9)


def _run(words: list[str], folder: Path, environment: dict[str, str] | None = None, given: bytes = b"") -> bytes:
    done = subprocess.run(words, cwd=folder, env=environment, input=given, capture_output=True, check=False)  # noqa: S603 - our own programs, no shell
    if done.returncode:
        raise click.ClickException(f"`{' '.join(words)}` failed:\n{done.stderr.decode(errors='replace')}")
    return done.stdout


if __name__ == "__main__":
    main()
