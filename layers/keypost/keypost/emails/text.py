"""A mail as plain text, from its blocks."""

from collections.abc import Iterable
from string import ascii_lowercase

from keypost.emails.blocks import (
    Block,
    Bullets,
    Button,
    Choices,
    Codes,
    Content,
    Facts,
    Heading,
    Lines,
    Link,
    Note,
    Paragraph,
    Picture,
    Quiet,
    Reference,
    Rule,
    Run,
    Step,
    SubSteps,
)
from keypost.emails.shop import Shop

_INDENT = "   "
_TOP = 2  # the level of a heading that is underlined


def as_text(content: Content, shop: Shop) -> str:
    return "\n\n".join([*_blocks(content.blocks), f"{shop.name} · {shop.details}"]) + "\n"


def _blocks(blocks: Iterable[Block]) -> list[str]:
    """The blocks that a reader of text needs."""
    return [text for block in blocks if (text := _block(block))]


def _block(block: Block) -> str:
    match block:
        case Paragraph(runs) | Quiet(runs) | Note(runs):
            return _runs(runs)
        case Lines(lines):
            return "\n".join(lines)
        case Heading(text, level):
            return f"{text}\n{'-' * min(len(text), 78)}" if level == _TOP else f"{text}:"
        case Button(text, url):
            return f"{text}:\n{url}"
        case Codes(codes):
            return "\n".join(_numbered(codes)) if len(codes) > 1 else codes[0]
        case Picture() | Rule():
            return ""
    return _of_several(block)


def _of_several(block: Bullets | Choices | Facts | SubSteps | Step) -> str:
    """A block with a line or more for each thing in it."""
    match block:
        case Bullets(items):
            return "\n".join(f"- {_runs(item)}{_references(item)}" for item in items)
        case Choices(text, links):
            return "\n".join((text, *(f"- {_runs([link])}" for link in links)))
        case SubSteps(steps):
            return "\n".join(f"{letter}. {step.text}" for letter, step in zip(ascii_lowercase, steps, strict=False))
        case Facts(title, rows, remark):
            lines = (f"{name}: {value}" for name, value in rows)
            return "\n".join((title, "-" * len(title), *lines, *filter(None, [remark])))
        case Step(number, title, blocks):
            return "\n\n".join([f"{number}. {title}", *map(_indented, _blocks(blocks))])


def _numbered(codes: Iterable[str]) -> list[str]:
    return [f"{number}. {code}" for number, code in enumerate(codes, start=1)]


def _indented(text: str) -> str:
    return "\n".join(f"{_INDENT}{line}" for line in text.split("\n"))


def _runs(runs: Iterable[Run]) -> str:
    return "".join(f"{run.text}: {run.url}" if isinstance(run, Link) else run.text for run in runs)


def _references(runs: Iterable[Run]) -> str:
    return "".join(f"\n  {run.url}" for run in runs if isinstance(run, Reference))
