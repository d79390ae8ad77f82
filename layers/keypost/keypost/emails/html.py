"""A mail as HTML, from its blocks. The template escapes whatever is text."""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from keypost.core.colors import Colors, colors_of
from keypost.emails.blocks import Block, Content, Run
from keypost.emails.shop import Shop

Macro = Callable[[Block | Run], Markup]
_LONGEST_LINE = 32  # characters of an address that fit on a line of a phone
_TOGETHER = re.compile(r"(\b[Ee]-mail\w*)")  # a mail program breaks a line behind a hyphen


def as_html(content: Content, shop: Shop, language: str) -> str:
    colors, render = _look_of(shop.color)
    template = _environment().get_template("mail.html")
    return template.render(content=content, shop=shop, language=language, colors=colors, render=render)


@lru_cache(maxsize=1)  # as a stack has one shop
def _look_of(color: str) -> tuple[Colors, Macro]:
    """The colors of a shop, and what makes markup in them of a block."""
    colors = colors_of(color)

    def render(block: Block | Run) -> Markup:
        """The macro that is named as the block."""
        macro: Macro = getattr(parts, block.part)
        return macro(block)

    parts: Any = _environment().get_template("parts.html").make_module({"colors": colors, "render": render})
    return colors, render


def _unbroken(text: str) -> Markup:
    """The text, whose words with a hyphen stay on one line."""
    if "-mail" not in text:  # like nearly every text
        return escape(text)
    pieces = enumerate(_TOGETHER.split(text))
    return Markup("").join(_on_one_line(piece) if n % 2 else escape(piece) for n, piece in pieces)


def _on_one_line(text: str) -> Markup:
    return Markup('<span style="white-space:nowrap;">{}</span>').format(text) if _fits(text) else escape(text)


def _fits(text: str) -> bool:
    return len(text) <= _LONGEST_LINE


def _dialed(phone: str) -> str:
    """What a telephone dials."""
    return re.sub(r"[^\d+]", "", phone)


@cache
def _environment() -> Environment:
    """A name that the content lacks is an error."""
    made = Environment(
        loader=PackageLoader("keypost.emails"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"unbroken": _unbroken, "on_one_line": _on_one_line, "dialed": _dialed}
    return made
