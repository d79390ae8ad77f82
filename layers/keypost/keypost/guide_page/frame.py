"""What all pages of the guide share: the shop's head and foot, the style, the links."""

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from keypost.core.colors import colors_of
from keypost.core.frozen import dataclass
from keypost.guide_page.writing import WORDS, Writing
from keypost.words import TABLES, accepted


def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8")


_CSS, _PAGE = _file("page.css"), Template(_file("page.html"))


@dataclass(frozen=True, slots=True)
class Site:
    """The shop, as customers see it."""

    name: str
    address: str
    kvk_number: str  # of the Dutch chamber of commerce; empty for none
    support_address: str
    phone: str
    logo_url: str
    color: str

    @property
    def details(self) -> str:
        """The line at the foot."""
        number = f" · KvK\N{NO-BREAK SPACE}{self.kvk_number}" if self.kvk_number else ""
        return f"{self.name} · {self.address}{number}"


@dataclass(frozen=True, slots=True)
class Links:
    """Where things are, seen from a page. {language} and {sku} stand for what is linked."""

    overview: str
    product: str
    here: str  # this page in another language
    resend: str  # empty: customers cannot get their licenses again by themselves
    css: str = ""  # empty: the style stands in the page
    languages: Sequence[str] = tuple(WORDS)  # in which there is this page

    def to_product(self, sku: str, language: str) -> str:
        return escape(self.product.format(sku=quote(sku, safe=""), language=language))

    def to_overview(self, language: str) -> str:
        return escape(self.overview.format(language=language))

    def to_resend(self, language: str) -> str:
        return escape(self.resend.format(language=language))


def language_of(chosen: str, header: str) -> str:
    """The language that the visitor chose on the page, or else the language that the browser prefers among ours."""
    return chosen if chosen in WORDS else accepted(header)


@lru_cache(maxsize=8)
def style(color: str) -> str:
    """The style in the shop's color, made readable on both backgrounds."""
    colors = colors_of(color)
    light = f":root {{ --accent: {colors.accent}; --button: {colors.button}; --on-button: {colors.on_button}; }}"
    dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ --accent: {colors.dark_accent}; }} }}"
    return f"{_CSS}{light}\n{dark}\n"


def headers(site: Site) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(style(site.color).encode()).digest()).decode()
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src https:; form-action 'none'; base-uri 'none';"
            " frame-ancestors 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def page(title: str, content: str, write: Writing, site: Site, links: Links, *, leads_back: bool = True) -> str:
    """The page. Title and content are HTML."""
    language = write.language
    others = [name for name in links.languages if name != language]
    css = f'<link rel="stylesheet" href="{links.css}">' if links.css else f"<style>{style(site.color)}</style>"
    return _PAGE.substitute(
        language=language,
        title=f"{title} - {escape(site.name)}",
        style="\n".join([css, *(_alternate(name, links) for name in links.languages)]),
        skip=write("skip"),
        shop=_shop(site),
        languages=write("languages"),
        others=" ".join(_switch(name, links) for name in others),
        content=content,
        back=f'<p class="no-print"><a href="{links.to_overview(language)}">{write("all_products")}</a></p>'
        if leads_back
        else "",
        details=escape(site.details),
    )


def _alternate(language: str, links: Links) -> str:
    return f'<link rel="alternate" hreflang="{language}" href="{escape(links.here.format(language=language))}">'


def _switch(language: str, links: Links) -> str:
    href = escape(links.here.format(language=language))
    return f'<a href="{href}" lang="{language}" hreflang="{language}">{TABLES[language].NAME}</a>'


def _shop(site: Site) -> str:
    if not site.logo_url:
        return escape(site.name)
    return f'<img class="logo" src="{escape(site.logo_url)}" alt="{escape(site.name)}" height="40">'


def contact(write: Writing, site: Site) -> str:
    """How to reach the shop."""
    address = f'<a href="mailto:{escape(quote(site.support_address, safe="@"))}">{escape(site.support_address)}</a>'
    if not site.phone:
        return address
    number = "".join(sign for sign in site.phone if sign.isdigit() or sign == "+")
    phone = f'<a class="phone" href="tel:{number}">{escape(site.phone)}</a>'
    return write("contact_phone", address=address, phone=phone)
