from collections.abc import Callable
from pathlib import Path

import pytest

from cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `keypost` with these arguments in an empty folder; returns exit status, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def keypost(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["keypost", *words])
        with pytest.raises(SystemExit) as end:
            main.main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return keypost
