from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from cli.local.gallery import title, titles
from cli.local.samples import NAMES
from keypost.words import LANGUAGES

Run = Callable[..., tuple[int, str, str]]


def test_preview_writes_a_mail_in_three_forms_and_says_where(run: Run, tmp_path: Path) -> None:
    status, told, _ = run("mail", "preview", "renewal", "--lang", "en", "--out", "there/deep")

    folder = Path("there/deep")
    assert status == 0
    assert told.splitlines()[0] == title("renewal", "en")
    assert told.splitlines()[1:4] == [f"{folder}/renewal-en.{ending}" for ending in ("html", "txt", "eml")]
    assert "30 November 2026" in (tmp_path / folder / "renewal-en.txt").read_text("utf-8")
    assert (tmp_path / folder / "renewal-en.html").read_text("utf-8").startswith("<!doctype html>")
    message = message_from_bytes((tmp_path / folder / "renewal-en.eml").read_bytes(), policy=default)
    assert f"Subject: {message['Subject'].strip()}" in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_help_of_preview_lists_every_kind_by_what_it_is(run: Run, language: str) -> None:
    status, told, _ = run("mail", "preview", "--help", "--lang", language)

    listed = " ".join(told.split())
    assert status == 0
    assert [name for name, what in titles(language).items() if f" {name} {what}" not in listed] == []


def test_preview_writes_here_and_in_dutch_unless_told_otherwise(run: Run, tmp_path: Path) -> None:
    assert run("mail", "preview", "purchase")[0] == 0

    assert {path.name for path in tmp_path.iterdir()} == {f"purchase-nl.{end}" for end in ("html", "txt", "eml")}


@pytest.mark.parametrize(
    ("words", "known"), [(["nothing"], NAMES), ([], ["KIND"]), (["purchase", "--lang", "xx"], [*LANGUAGES])]
)
def test_preview_of_what_there_is_not_names_what_there_is(run: Run, words: list[str], known: list[str]) -> None:
    status, _, error = run("mail", "preview", *words)

    assert status == 2
    assert all(name in error for name in known)


def test_preview_into_a_place_that_cannot_be_written_to_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    status, _, error = run("mail", "preview", "purchase", "--out", "file/folder")

    assert status == 1
    assert "file/folder cannot be written to" in error
