"""The sections of the page of a product."""

import re
from collections.abc import Sequence
from html import escape

from keypost.core.instructions import Block, blocks
from keypost.core.product import Kind, Part, Product, Step
from keypost.guide_page.frame import Links, Site, contact
from keypost.guide_page.writing import Writing
from keypost.words import in_language


def joined(*parts: str) -> str:
    return "\n".join(filter(None, parts))


def paragraphs(*texts: str) -> list[str]:
    return [f"<p>{text}</p>" for text in texts if text]


def section(name: str, title: str, content: str) -> str:
    heading = f'<h2 id="{name}-title">{title}</h2>'
    return joined(f'<section id="{name}" aria-labelledby="{name}-title">', heading, content, "</section>")


def mail(write: Writing, site: Site, links: Links, days_before: int | None) -> str:
    """How the license comes, and what to do when it does not; the days are those between a renewal's mail and its
    period, None if they differ from product to product."""
    missing = "missing_resend" if links.resend else "missing_ask"
    return joined(
        *paragraphs(write("mail_new"), write("mail_renewal", when=_when(write, days_before))),
        f"<h3>{write('missing_title')}</h3>",
        *paragraphs(
            write("missing_spam"), write(missing, resend=to_resend(write, links), contact=contact(write, site))
        ),
    )


def to_resend(write: Writing, links: Links) -> str:
    return f'<a class="resend" href="{links.to_resend(write.language)}">{write.resend}</a>'


def _when(write: Writing, days_before: int | None) -> str:
    match days_before:
        case None:
            return write("some_days_before")
        case 0:
            return write("on_the_day")
        case 1:
            return write("one_day_before")
    return write("days_before", days=days_before)


def first_steps(write: Writing, product: Product) -> str:
    own = (product.open_on, product.elsewhere)
    return joined(
        *(_paragraph(write, in_language(texts, write.language)) for texts in own if texts),
        *(paragraphs(_running(write, product)) if not product.holds_reserve_code else ()),  # before it is too late
        *_blocks(write, product, _blocks_of(product, Kind.NEW, write)),
        *(_paragraph(write, in_language(texts, write.language)) for texts in (product.notes,) if texts),
    )


def _paragraph(write: Writing, text: str) -> str:
    return f"<p{write.mark}>{escape(text)}</p>"


def _blocks_of(product: Product, kind: Kind, write: Writing) -> tuple[Block, ...]:
    return blocks(in_language(product.steps[kind], write.language), kind)


def _blocks(write: Writing, product: Product, found: Sequence[Block]) -> list[str]:
    return [_block(write, product, block) for block in found]


def _block(write: Writing, product: Product, block: Block) -> str:
    return joined(
        f'<div class="block">\n<h3>{block.number}. {write(f"part_{block.part}")}</h3>',
        *(paragraphs(write("download_skip")) if block.has_download else ()),
        *(paragraphs(_code(write, product), write("code_paste")) if block.has_code else ()),
        _steps(write, block.steps) if block.steps else f"<p>{write(f'made_{block.part}')}</p>",
        *(_download(write, product) if block.has_download else ()),
        "</div>",
    )


def _code(write: Writing, product: Product) -> str:
    """Where the code is and what it looks like; nobody should enter the code of an example."""
    example = f"<code>{escape(re.sub('[A-Za-z0-9]', 'X', product.code_example))}</code>"
    return write("code", example=example)


def _download(write: Writing, product: Product) -> list[str]:
    link = f'<a href="{escape(product.download_url)}">{escape(product.download_url)}</a>'
    buttons = [
        _button(url, write("download_for", platform=write(f"platform_{platform}")))
        for platform, url in product.downloads.items()
    ] or [_button(product.download_url, write("download"))]
    told = write("download_latest" if product.downloads else "download_link")
    return [_buttons(buttons), *paragraphs(told, link)]


def _button(url: str, words: str) -> str:
    return f'<li><a class="button" href="{escape(url)}">{words}</a></li>'


def _buttons(buttons: Sequence[str]) -> str:
    return f'<ul class="buttons">{"".join(buttons)}</ul>'


def _steps(write: Writing, steps: Sequence[Step]) -> str:
    items = [f"<p>{escape(step.text)}</p>{_picture(step)}" for step in steps]
    if len(items) < 2:  # noqa: PLR2004 - one step needs no letter
        return joined(*(f"<div{write.mark}>{item}</div>" for item in items))
    listed = (f"<li>{item}</li>" for item in items)
    return joined(f'<ol type="a"{write.mark}>', *listed, "</ol>")


def _picture(step: Step) -> str:
    return f'<img src="{escape(step.picture)}" alt="{escape(step.alt)}">' if step.picture else ""


def days(write: Writing, product: Product) -> str:
    """How long the license lasts, and on how many devices."""
    return joined(
        *paragraphs(
            write("term", days=product.term_days),
            write("devices_one" if product.devices == 1 else "devices_many", devices=product.devices),
            write("several"),
            _running(write, product) if product.holds_reserve_code else "",
        )
    )


def _running(write: Writing, product: Product) -> str:
    """What becomes of a license that still runs."""
    running = "running_kept" if product.holds_reserve_code else "running_lost"
    return write(running, vendor=write.text(product.vendor), days=product.term_days)


def renewal(write: Writing, product: Product) -> str:
    first, again = _blocks_of(product, Kind.NEW, write), _blocks_of(product, Kind.RENEWAL, write)
    when = write("renewal_kept" if product.holds_reserve_code else "renewal_lost", days=product.term_days)
    steps = _renewal_steps(write, product, first, again)
    return joined(*paragraphs(when), *steps, *paragraphs(write("renewal_other")))


def _renewal_steps(write: Writing, product: Product, first: Sequence[Block], again: Sequence[Block]) -> list[str]:
    """The steps of a renewal, where they are not those of a new license, with or without the installing."""
    installing = [block.number for block in first if block.part is Part.INSTALL]
    if not any(block.part is Part.INSTALL for block in again):
        rest = [block for block in first if block.part is not Part.INSTALL]
        if len(installing) == 1 and _steps_of(rest) == _steps_of(again):
            return paragraphs(write("renewal_skip", number=installing[0]))
        return [*paragraphs(write("renewal_steps")), *_blocks(write, product, again)]
    if _steps_of(first) == _steps_of(again):
        return paragraphs(write("renewal_same"))
    return [*paragraphs(write("renewal_installs")), *_blocks(write, product, again)]


def _steps_of(found: Sequence[Block]) -> list[Step]:
    return [step for block in found for step in block.steps]


def for_help(write: Writing, site: Site) -> str:
    return joined(*paragraphs(write("help", contact=contact(write, site))))
