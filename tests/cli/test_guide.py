"""The guide as plain files."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import html5lib
import pytest

from cli.stacks import Stack
from keypost.words import LANGUAGES
from tests.builders import OTHER, PRODUCT, SKU

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sold(here: Stack) -> Stack:
    for product in (PRODUCT, OTHER):
        here.store.put_product(product)
    return here


def written(folder: str = "guide") -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in Path(folder).rglob("*.*")}


def test_there_is_a_file_for_each_product_and_language_and_what_they_link_to_is_there(run: Run, sold: Stack) -> None:
    status, out, _ = run("guide", "export", "guide")

    pages = written()
    named = {f"{language}/{sku}.html" for language in LANGUAGES for sku in (SKU, "OTHER")}
    assert set(pages) == {"index.html", "guide.css", *named, *(f"{language}.html" for language in LANGUAGES)}
    assert (status, out) == (0, f"Files in guide: {len(pages)}\n")
    elsewhere = set()
    for name, content in pages.items():
        for target in re.findall(r' (?:href|src)="([^"]+)"', content):
            path = urlsplit(target).path
            if re.match("https:|mailto:|tel:", target):
                elsewhere.add(target)
            elif path:
                assert (Path("guide") / name).parent.joinpath(path).is_file(), target
    resend = {f"https://licenties.example.nl/resend?lang={language}" for language in LANGUAGES}
    assert elsewhere == {PRODUCT.download_url, "mailto:hulp@voorbeeld.example", "tel:0201234567", *resend}
    assert "#b00020" in pages["guide.css"]
    assert 'lang="nl"' in pages["index.html"]
    assert "Voorbeeld &amp; Zoon · Voorbeeldstraat 1 · KvK\N{NO-BREAK SPACE}12345678" in pages[f"en/{SKU}.html"]


def test_the_files_are_whole_pages_without_a_style_of_their_own(run: Run, sold: Stack) -> None:
    run("guide", "export", "guide")

    for name, content in written().items():
        if name.endswith(".html"):
            parser = html5lib.HTMLParser()
            parser.parse(content)
            assert parser.errors == [], name
            assert "<style" not in content


def test_the_same_products_give_the_same_files_and_nothing_is_written_again(run: Run, sold: Stack) -> None:
    run("guide", "export", "guide")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in Path("guide").rglob("*.*")}

    assert run("guide", "export", "guide")[0] == 0
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in Path("guide").rglob("*.*")} == before


def test_what_is_not_sold_any_more_goes_and_what_others_wrote_stays(run: Run, sold: Stack) -> None:
    run("guide", "export", "guide")
    Path("guide/nl/own.html").write_text("the shop's own page")
    Path("guide/logo.svg").write_text("<svg/>")
    sold.store.put_product(replace(OTHER, retired_on=date(2020, 1, 1)))

    status, out, _ = run("guide", "export", "guide")

    assert (status, out.split(", ")[1]) == (0, f"and {len(LANGUAGES)} removed of products that are no longer sold\n")
    assert set(written()) == {
        *("index.html", "guide.css", "logo.svg", "nl/own.html"),
        *(f"{language}.html" for language in LANGUAGES),
        *(f"{language}/{SKU}.html" for language in LANGUAGES),
    }
    assert "OTHER" not in written()["index.html"]


@pytest.mark.parametrize("name", ["index.html", f"nl/{SKU}.html", "guide.css"])
def test_a_file_of_others_stops_it_before_anything_is_written(run: Run, sold: Stack, name: str) -> None:
    path = Path("guide") / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff the shop's own page")

    status, out, error = run("guide", "export", "guide")

    assert (status, out) == (1, "")
    assert error.startswith(f"keypost: guide/{name} was not made by this command: nothing was written.")
    assert [each for each in Path("guide").rglob("*.*") if each.is_file()] == [path]


def test_one_language_is_written_alone_and_leads_to_no_other(run: Run, sold: Stack) -> None:
    run("guide", "export", "guide", "--lang", "en")

    pages = written()
    assert set(pages) == {"index.html", "guide.css", "en.html", f"en/{SKU}.html", "en/OTHER.html"}
    assert pages["index.html"] == pages["en.html"]
    assert all('hreflang="nl"' not in content for content in pages.values())


def test_a_folder_that_cannot_be_written_to_says_so(run: Run, sold: Stack) -> None:
    Path("file").touch()

    assert run("guide", "export", "file/guide") == (1, "", "keypost: file/guide cannot be written to.\n")
    assert run("guide", "export", "file")[0] == 2


def test_a_deployed_stack_is_exported_by_its_name(run: Run, sold: Stack) -> None:
    assert run("guide", "export", "guide", "--stack", sold.store.table)[0] == 0

    assert f"en/{SKU}.html" in written()
