"""The daily note to support: what waits for a person, and what to order. All its words are in the tables of
`keypost.words`, and its blocks are those of every mail."""

from collections.abc import Callable, Iterator
from datetime import datetime
from email.message import EmailMessage
from functools import partial

from keypost.core.daily_note import DailyNote, Entry, Section
from keypost.core.forecast import Forecast
from keypost.core.said import Said, said
from keypost.emails.blocks import Block, Bullets, Content, Heading, Paragraph, Reference, Run, Runs, Strong, Text
from keypost.emails.message import build
from keypost.emails.shop import Shop
from keypost.words import in_language, reader, sentence

_Say = Callable[[Said], str]
_COUNTED = (  # one of them, several
    ("note_orders_one", "note_orders_many"),
    ("note_silent_one", "note_silent_many"),
    ("note_remarks_one", "note_remarks_many"),
    ("note_forgotten_one", "note_forgotten_many"),
)
_PLACES = ("first", "second", "third", "fourth", "fifth")


def compose_daily_note(note: DailyNote, shop: Shop, language: str, now: datetime, page_url: str = "") -> EmailMessage:
    """Each order of the note leads to its own place on the support page, and those that are not named to the
    worklist there, if it is known where the page is."""
    names = {each.stock.sku: in_language(each.stock.name, language) for each in note.stock if each.stock.name}
    to = reader(language, shop.zone, names)
    say = partial(sentence, to=to)
    content = Content(
        subject=say(_subject(note)),
        preheader=say(said("note_preheader")),
        heading=say(said("note_title")),
        blocks=tuple(_blocks(note, say, page_url)),
    )
    return build(content, shop.support_address, f"daily-note/{note.day}", shop, to.language, now)


def _subject(note: DailyNote) -> Said:
    """What the note is about, in the order of how much it matters."""
    counts = (sum(section.total for section in note.sections), len(note.silent), note.remarks, note.forgotten)
    named = zip(counts, _COUNTED, strict=True)
    parts = [said(one if count == 1 else many, count=count) for count, (one, many) in named if count]
    parts += [said("note_codes")] if note.short else []
    return said("note_subject", day=note.day, **dict(zip(_PLACES, parts, strict=False)))


def _blocks(note: DailyNote, say: _Say, page_url: str) -> Iterator[Block]:
    yield Paragraph((Text(say(said("note_intro"))),))
    for section in note.sections:
        yield Heading(say(said(f"reason_{section.reason}")))
        yield Bullets(tuple(_entries(section, say, page_url)))
    for title, lines in _lists(note):
        if lines:
            yield Heading(say(said(title)))
            yield Bullets(tuple((Text(say(line)),) for line in lines))


def _lists(note: DailyNote) -> Iterator[tuple[str, list[Said]]]:
    yield "note_doors", [said("note_silent", provider=door.provider, at=door.last) for door in note.silent]
    yield "note_inbox", [said("note_remarks", count=note.remarks)] if note.remarks else []
    yield "note_erased", [said("note_forgotten", count=note.forgotten)] if note.forgotten else []
    yield "note_to_order", [_to_order(each) for each in note.short]
    yield "note_stock", [_stock(each) for each in note.stock]


def _entries(section: Section, say: _Say, page_url: str) -> Iterator[Runs]:
    for entry in section.entries:
        why = Text(f": {say(_with_goods(entry))}")
        yield (_order(entry.order_id, page_url), why)
    if section.others:
        others = say(said("note_others", count=section.others))
        yield (Reference(others, page_url) if page_url else Text(others),)


def _order(order_id: str, page_url: str) -> Run:
    """An order's number needs no escape in an address."""
    return Reference(order_id, f"{page_url}#/orders/{order_id}") if page_url else Strong(order_id)


def _with_goods(entry: Entry) -> Said:
    return said("note_entry", skus=entry.skus or None, why=entry.why)


def _to_order(each: Forecast) -> Said:
    count, before, until = each.to_order, each.order_before, each.runs_out
    return said("note_order", sku=each.stock.sku, count=count, before=before, until=until)


def _stock(each: Forecast) -> Said:
    stock, promised = each.stock, each.promised
    return said(
        "note_of_stock", sku=stock.sku, free=stock.free, promised=promised, waiting=stock.waiting, used=stock.used
    )
