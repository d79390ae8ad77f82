"""How the support page is served. What it does is tested in a browser, in tests/keypost/support_page."""

import json
import re
from typing import Any

import pytest

import support_page
from cli.local.deploy import ROOT
from cli.local.stack import LocalStack
from keypost.words import TABLES

FOLDER = ROOT / "layers/keypost/keypost/support_page"
# What the languages fill in.
_FILLED = re.compile(r"\{\{\w+\}\}")
FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix not in (".py", ""))


def get(file: str | None, **headers: str) -> dict[str, Any]:
    named = {"file": file} if file else None
    return support_page.handler({"httpMethod": "GET", "pathParameters": named, "headers": headers}, None)


@pytest.mark.parametrize("file", [None, *FILES])
def test_each_file_is_served_under_a_policy_that_runs_and_frames_nothing_of_others(file: str | None) -> None:
    answer = get(file)

    assert answer["statusCode"] == 200
    parts = _FILLED.split((FOLDER / (file or "page.html")).read_text("utf-8"))
    assert all(part in answer["body"] for part in parts)
    assert not _FILLED.search(answer["body"])
    assert answer["headers"]["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert answer["headers"]["Referrer-Policy"] == "no-referrer"
    assert answer["headers"]["X-Content-Type-Options"] == "nosniff"
    assert answer["headers"]["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("file", "kind"),
    [(None, "text/html"), ("page.css", "text/css"), ("page.js", "text/javascript"), ("icon.svg", "image/svg+xml")],
)
def test_each_file_says_what_it_is(file: str | None, kind: str) -> None:
    assert get(file)["headers"]["Content-Type"] == f"{kind}; charset=utf-8"


@pytest.mark.parametrize("file", ["../config.py", "page.py", "", "page.css.map", "/etc/passwd"])
def test_nothing_else_is_served(file: str) -> None:
    answer = support_page.handler({"httpMethod": "GET", "pathParameters": {"file": file}}, None)

    assert answer["statusCode"] == 404


def test_what_a_browser_has_already_is_not_sent_again() -> None:
    tag = get("page.css")["headers"]["ETag"]

    again = get("page.css", **{"If-None-Match": f'W/"other", {tag}'})

    assert (again["statusCode"], again["body"], again["headers"]["ETag"]) == (304, "", tag)
    assert get("page.js", **{"If-None-Match": tag})["statusCode"] == 200


def test_the_page_names_its_files_so_that_any_stage_and_domain_will_do() -> None:
    named = re.findall(r'(?:href|src)="([^"#]+)"', (FOLDER / "page.html").read_text("utf-8"))
    imported = re.findall(r'from "\./([^"]+)"', "".join(path.read_text("utf-8") for path in FOLDER.glob("*.js")))

    assert {f"support/{name}" for name in FILES} >= set(named)
    assert {*FILES, "said.js", "texts.js", "issuer.js"} >= set(imported)
    assert "said.js" in imported


def test_the_page_has_the_words_of_the_api_in_each_language() -> None:
    answer = get("said.js")
    words = json.loads(answer["body"].removeprefix("export const SAID = ").removesuffix(";\n"))

    assert answer["headers"]["Content-Type"] == "text/javascript; charset=utf-8"
    assert {language: texts["standing_partly_refunded"] for language, texts in words.items()} == {
        "nl": "deels terugbetaald",
        "en": "partly refunded",
        "de": "teilweise erstattet",
    }
    assert {language: texts["key_refused"] for language, texts in words.items()} == {
        language: table.TEXTS["key_refused"] for language, table in TABLES.items()
    }


def test_the_deployed_page_needs_no_key(deployed: LocalStack) -> None:
    assert deployed.call("/support", None, {}, "GET") == (200, get(None)["body"])
    assert deployed.call("/support/page.css", None, {}, "GET") == (200, (FOLDER / "page.css").read_text("utf-8"))
    assert deployed.call("/support/nothing.js", None, {}, "GET")[0] == 404
