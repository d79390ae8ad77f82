"""`keypost guide`: the guide for customers as plain files."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from cli import stacks
from cli.click_words import Group
from cli.orders import stack_option
from cli.speech import say
from cli.stacks import Stack
from keypost.core.errors import KeypostError
from keypost.core.periods import local_day
from keypost.guide_page import Site
from keypost.guide_page.files import MARKS, files
from keypost.words import LANGUAGES

_BEGINS = 1000  # characters of a file, among which its mark is


@click.group("guide", cls=Group)
def guide_group() -> None:
    """The guide for customers."""


@guide_group.command("export")
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--lang", "languages", multiple=True, type=click.Choice(LANGUAGES), help="Only in this language. May be repeated."
)
@stack_option
def export(directory: Path, languages: tuple[str, ...], stack: str | None) -> None:
    """Write the guide into DIR as plain files, for the shop's own site: all products and a page for each.

    It replaces and deletes only files that it wrote itself.
    """
    named = languages or LANGUAGES
    pages = _pages(stacks.connect(stack), named)
    try:
        _check_own(directory, pages)
        gone = _gone(directory, pages, named)
        for name, content in pages.items():
            _write(directory / name, content)
        for path in gone:
            path.unlink()
    except OSError:
        raise KeypostError("not_writable", path=directory) from None
    say("guide_exported", path=directory, count=len(pages), gone=len(gone) or None)


def _pages(of: Stack, languages: Collection[str]) -> Mapping[str, str]:
    today = local_day(datetime.now(UTC), of.zone)
    sold = [product for product in of.store.catalog().values() if not product.is_retired(today)]
    first = of.parameters.get("ShopLanguage", "")
    has_resend = of.guide_url and of.parameters.get("SelfService") == "on"
    resend = f"{of.guide_url.removesuffix('/activate')}/resend" if has_resend else ""
    return files(sold, languages, first if first in languages else next(iter(languages)), _site(of.parameters), resend)


def _site(parameters: Mapping[str, str]) -> Site:
    return Site(
        name=parameters.get("ShopName", ""),
        address=parameters.get("ShopAddress", ""),
        kvk_number=parameters.get("ShopKvk", ""),
        support_address=parameters.get("SupportAddress", ""),
        phone=parameters.get("ShopPhone", ""),
        logo_url=parameters.get("ShopLogo", ""),
        color=parameters.get("ShopColor", "#0b6e5b"),
    )


def _check_own(directory: Path, pages: Collection[str]) -> None:
    for path in (directory / name for name in pages):
        if path.exists() and not _is_own(path):
            raise KeypostError("file_of_others", path=path)


def _gone(directory: Path, pages: Collection[str], languages: Collection[str]) -> list[Path]:
    """Pages of products that are not sold any more."""
    there = [path for language in languages for path in sorted((directory / language).glob("*.html"))]
    return [path for path in there if path.relative_to(directory).as_posix() not in pages and _is_own(path)]


def _is_own(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        begin = file.read(_BEGINS)
    return any(mark in begin for mark in MARKS)


def _write(path: Path, content: str) -> None:
    """Write the file, unless it is that already: programs that copy only what is newer then leave it out."""
    if not path.exists() or path.read_text("utf-8") != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8", newline="\n")
