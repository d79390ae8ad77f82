"""A product in a mail with codes: its numbered steps with what each needs, and when to enter the code."""

from collections.abc import Iterator, Mapping

from keypost.core import instructions
from keypost.core.product import Kind, Part, Step
from keypost.emails import blocks
from keypost.emails.blocks import Block, Button, Choices, Codes, Heading, Link, Note, Paragraph, Quiet, Rule, Strong
from keypost.emails.items import Item
from keypost.emails.occasion import Occasion
from keypost.words import in_language

MANY_CODES = 10  # more than these stand close together


def products(about: Occasion, found: list[Item]) -> Iterator[Block]:
    """Each product with its numbered steps, and on which device to read the mail: once, if it is the same for all."""
    devices = [_device(item) for item in found]
    is_for_all = len(set(devices)) == 1
    for n, (item, device) in enumerate(zip(found, devices, strict=True)):
        if n:
            yield Rule()
        yield Heading(item.name)
        if not is_for_all:
            yield from device
        yield from _product(about, item)


def device_of_all(found: list[Item]) -> tuple[Block, ...]:
    """On which device to read the mail, if that is the same for all of its products."""
    first, *others = map(_device, found)
    return first if all(each == first for each in others) else ()


def _device(item: Item) -> tuple[Block, ...]:
    open_on, elsewhere = (_in(texts, item) for texts in (item.product.open_on, item.product.elsewhere))
    runs = [Strong(open_on)] if open_on else []
    rest = [blocks.Text(f" {elsewhere}" if open_on else elsewhere)] if elsewhere else []
    return (Note((*runs, *rest)),) if runs or rest else ()


def _in(texts: Mapping[str, str], item: Item) -> str:
    return in_language(texts, item.language) if texts else ""


def _product(about: Occasion, item: Item) -> Iterator[Block]:
    if item.is_renewal:
        yield Paragraph(about.say("product_period", first_day=item.first_day, last_day=item.last_day))
    yield Quiet(about.say("product_size", days=_days(about, item), count=item.product.devices))
    if item.is_renewal:
        yield Paragraph(_when_to_renew(about, item))
    if item.is_installed:
        yield Paragraph(about.say("product_installed", product=item.name))
    yield from numbered_steps(about, item)
    if besides := tuple(Paragraph(runs) for runs in _besides(about, item)):
        yield Heading(about.text("product_besides"), level=3)
        yield from besides


def _days(about: Occasion, item: Item) -> str:
    return about.text("product_days", count=item.product.term_days)


def _when_to_renew(about: Occasion, item: Item) -> blocks.Runs:
    of, days = ("one" if len(item.licenses) == 1 else "many"), _days(about, item)
    if item.is_other_program:
        return about.say("product_other_program", first_day=item.first_day, count=len(item.licenses))
    if item.holds_reserve_code:
        return about.say(f"product_now_{of}", days=days, count=item.product.devices)
    return about.say(f"product_later_{of}", first_day=item.first_day)


def _besides(about: Occasion, item: Item) -> Iterator[blocks.Runs]:
    """What else one must know of the codes, one paragraph each."""
    count = len(item.licenses)
    if item.product.devices > 1 and not item.is_renewal:
        of = "one" if count == 1 else "many"
        yield about.say(f"product_devices_{of}", devices=item.product.devices)
    if not item.is_renewal:
        code = "product_running" if item.holds_reserve_code else "product_running_wait"
        yield about.say(code, vendor=item.product.vendor, days=_days(about, item), count=count)
    if item.note:
        yield (blocks.Text(item.note),)
    if item.is_installed:
        download = Link(about.text("product_download", product=item.name), item.product.download_url)
        yield about.say("product_other_device", download=download)
    if guide := _guide(about, item):
        link = Link(about.text("product_guide_link", product=item.name), guide)
        yield about.say("product_guide", guide=link)


def _guide(about: Occasion, item: Item) -> str:
    """Where the guide of the product is; empty if it has none."""
    retired_on = item.product.retired_on
    is_retired = retired_on is not None and retired_on <= about.day_of(about.now)
    return "" if is_retired else about.shop.guide_of(item.product.sku, about.language)


def numbered_steps(about: Occasion, item: Item) -> Iterator[blocks.Step]:
    """The steps of a product as numbered ones, those of its guide: one of them has the download, one the code."""
    for block in instructions.blocks(item.steps, Kind.RENEWAL if item.is_installed else Kind.NEW):
        download = _download(about, item) if block.has_download else ()
        codes = _codes(about, item) if block.has_code else ()
        skip = (Paragraph(about.say("product_skip", product=item.name)),) if block.has_download else ()
        title = about.text(f"step_{block.part}", count=len(item.licenses))
        texts = _texts(about, item, block.part, block.steps)
        yield blocks.Step(block.number, title, (*download, *codes, *texts, *skip))


def _texts(about: Occasion, item: Item, part: Part, steps: tuple[Step, ...]) -> Iterator[Block]:
    if not steps:
        yield Paragraph(about.say(f"made_{part}", product=item.name))
    elif len(steps) == 1:
        (step,) = steps
        yield Paragraph((blocks.Text(step.text),))
        yield from _pictures(step)
    else:
        yield blocks.SubSteps(tuple(blocks.SubStep(step.text, next(_pictures(step), None)) for step in steps))


def _pictures(step: Step) -> Iterator[blocks.Picture]:
    if step.picture:
        yield blocks.Picture(step.picture, step.alt)


def _download(about: Occasion, item: Item) -> Iterator[Block]:
    yield Button(about.text("product_download", product=item.name), item.product.download_url)
    if set(item.product.downloads.values()) - {item.product.download_url}:
        links = tuple(Link(about.text(f"platform_{each}"), url) for each, url in item.product.downloads.items())
        yield Choices(about.text("product_platforms"), links)


def _codes(about: Occasion, item: Item) -> Iterator[Block]:
    codes = tuple(license_.code for license_ in item.licenses)
    yield Paragraph(about.say("product_codes", count=len(codes)))
    yield Codes(codes, are_many=len(codes) > MANY_CODES)
