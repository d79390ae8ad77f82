"""A made-up language, whose texts are those of English with a mark, in a copy of the package: what adding a folder and
an entry does, and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from cli.languages import help_texts
from cli.local.deploy import ROOT
from keypost.words import FALLBACK

MARK = "Xx "
_INSIDE = {  # what begins a text in the files of a language
    ".py": re.compile(r'^(    "[^"\n]+": \(?\n? *"|NAME = "|AT = ")', re.MULTILINE),
    ".toml": re.compile(r'^((?:\w+|"[^"\n]+") = "(?!"")|.*"""\\\n| *"(?=[^"\n]*",?$))', re.MULTILINE),
    ".js": re.compile(r'^(  "?[\w.-]+"?: ")', re.MULTILINE),
}


def add_language(root: Path, *, files: tuple[str, ...] | None = None) -> None:
    """Copy the package and the command line to a folder, and add the language `xx` there, with these files of English
    (all, unless told otherwise)."""
    words = _copied(root) / "words"
    shutil.copytree(words / FALLBACK, words / "xx", ignore=shutil.ignore_patterns("__pycache__"))
    for path in sorted((words / "xx").iterdir()):
        if files is not None and path.name not in (*files, "__init__.py", "sentences.py"):
            path.unlink()
        else:
            path.write_text(_marked(path.read_text("utf-8"), path.suffix).replace("words.en", "words.xx"), "utf-8")
    if files is None:  # the help of the commands, whose English stands in no file
        (words / "xx" / "command_line.toml").write_text(_help(), "utf-8")
    _enter(words / "__init__.py")


def _help() -> str:
    texts = (f"{json.dumps(text)} = {json.dumps(MARK + text)}\n" for text in sorted(help_texts()))
    return "".join(["[click]\n", f'"Usage:" = "{MARK}Usage:"\n', "[help]\n", *texts])


def _copied(root: Path) -> Path:
    for folder in ("layers/keypost/keypost", "cli"):
        shutil.copytree(ROOT / folder, root / Path(folder).name, ignore=shutil.ignore_patterns("__pycache__"))
    return root / "keypost"


def _enter(tables: Path) -> None:
    """The one entry."""
    text = tables.read_text("utf-8")
    text = re.sub(r"^(from keypost\.words import .*)$", r"\1, xx", text, count=1, flags=re.MULTILINE)
    tables.write_text(re.sub(r"^(TABLES = \{.*?)\}", r'\1, "xx": xx}', text, count=1, flags=re.MULTILINE), "utf-8")


def _marked(text: str, kind: str) -> str:
    return _INSIDE[kind].sub(rf"\g<1>{MARK}", text)


def python(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the copy in place of the package."""
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "xx_XX.UTF-8"}
    return subprocess.run(
        [sys.executable, *words], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
