"""Where this command finds what it deploys: in a clone the sources, in a release what was built from them."""

from pathlib import Path

ROOT = Path(__file__).parents[1]  # of a clone
ARTIFACTS = Path(__file__).parent / "artifacts"
TEMPLATE = ARTIFACTS / "template.json"  # refers to the archives beside it by their names


def is_release() -> bool:
    return TEMPLATE.is_file()


def how_to_update() -> str:
    """The commands that bring a newer version of this command."""
    return "pip install --no-deps --require-hashes -r requirements.txt" if is_release() else "git pull && make install"
