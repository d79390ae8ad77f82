"""What is deployed, built by its own recipes for this machine's processor and Lambda's Python, and stock boto3 to
compare it with. All of it is read-only, as on Lambda."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAMBDAS_PYTHON = (3, 13)  # as in template.yaml
_STOCK = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
_LAMBDAS_PLATFORM = "--platform manylinux2014_aarch64 --python-version 3.13 --implementation cp --only-binary=:all:"


class NoSuchPython(Exception):
    """This machine lacks the Python that Lambda runs the functions with."""


@dataclass(frozen=True, slots=True)
class Artifacts:
    python: str  # the interpreter
    packages: Path
    keypost: Path
    functions: Path
    stock: Path  # boto3 and what it needs, with the data of every service

    @property
    def path(self) -> list[str]:
        """Where Python finds modules, as Lambda orders it."""
        return [str(self.functions), str(self.packages), str(self.keypost)]


@contextmanager
def built() -> Iterator[Artifacts]:
    """The artifacts, in a folder that is gone afterwards. NoSuchPython says what is missing."""
    python = lambdas_python()
    folder = Path(tempfile.mkdtemp(prefix="keypost-bench-"))
    try:
        packages, keypost = layer("dependencies", folder, python), layer("keypost", folder, python)
        functions, stock = _functions(folder, python), _stock(folder, python)
        _read_only(folder)
        yield Artifacts(python, packages, keypost, functions, stock)
    finally:
        for path in folder.rglob("*/"):
            path.chmod(0o755)
        shutil.rmtree(folder)


def lambdas_python() -> str:
    """An interpreter of the version that the functions run with: on the path, or where pyenv or uv puts it."""
    name = f"python{LAMBDAS_PYTHON[0]}.{LAMBDAS_PYTHON[1]}"
    numbers = f"{LAMBDAS_PYTHON[0]}.{LAMBDAS_PYTHON[1]}."
    homes = [Path.home() / ".pyenv/versions", Path.home() / ".local/share/uv/python"]
    others = sorted(str(found) for home in homes for found in home.glob(f"*{numbers}*/bin/{name}"))
    for python in filter(None, (sys.executable, shutil.which(name), *others)):
        asked = "import pip, sys; print(sys.version_info[:2])"
        told = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False)
        if told.stdout.strip() == str(LAMBDAS_PYTHON):
            return python
    raise NoSuchPython(f"This needs {name} with pip, which Lambda runs the functions with; none was found here.")


def layer(name: str, folder: Path, python: str, platform: str = "") -> Path:
    """The packages of a layer, for an interpreter of this machine, or for another platform of the same version."""
    artifacts = folder / name
    options = [f"ARTIFACTS_DIR={artifacts}", f"PYTHON={python}", f"TARGET={python}", f"PLATFORM={platform}"]
    options.append(f"PLACE={artifacts / 'python'}")  # byte code states where it lies, as it does on Lambda
    _make(ROOT / "layers" / name, f"build-{name.title()}Layer", options)
    return artifacts / "python"


def layer_of_lambda(folder: Path) -> Path:
    """The packages of the layer of dependencies as they are deployed: for the processor of the functions."""
    return layer("dependencies", folder, lambdas_python(), _LAMBDAS_PLATFORM)


def _functions(folder: Path, python: str) -> Path:
    functions = folder / "functions"
    functions.mkdir()
    for source in (ROOT / "functions").glob("*.py"):
        shutil.copy(source, functions)
    return functions


def _make(recipe: Path, target: str, options: list[str]) -> None:
    done = subprocess.run(
        ["make", "--silent", "-C", str(recipe), target, *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)


def _stock(folder: Path, python: str) -> Path:
    """Boto3 as pip installs it, at the versions of the lock."""
    stock, lock = folder / "stock", folder / "stock.txt"
    layers = (ROOT / "layers/dependencies/requirements.txt").read_text("utf-8")
    pins = re.split(r"^(?=[a-z])", layers, flags=re.MULTILINE)
    lock.write_text("".join(pin for pin in pins if pin.partition("==")[0] in _STOCK), "utf-8")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "--require-hashes", "--target", stock, "-r", lock], check=True, capture_output=True)
    subprocess.run([python, "-m", "compileall", "-q", "-j", "0", stock], check=True)
    return stock


def _read_only(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)


def megabytes(folder: Path) -> float:
    """What the files of a folder hold, as Lambda counts it."""
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return sum(path.stat().st_size for path in files) / 1e6
