"""The daily note to support: what waits for a person, and what to order. All its words are in the tables of
`keypost.words`, so one template makes it in every language."""

from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from functools import partial
from typing import Any

from keypost.core.daily_note import DailyNote, Entry, Section
from keypost.core.forecast import Forecast
from keypost.core.said import Said, said
from keypost.emails.message import Shop, build
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
    say = partial(sentence, to=reader(language, shop.zone, names))
    context = {
        "language": language,
        "title": say(said("note_title")),
        "intro": say(said("note_intro")),
        "preheader": say(said("note_preheader")),
        "subject_line": say(_subject(note)),
        "sections": [_section(section, say, page_url) for section in note.sections]
        + _list("note_doors", [said("note_silent", provider=door.provider, at=door.last) for door in note.silent], say)
        + _list("note_inbox", [said("note_remarks", count=note.remarks)] if note.remarks else [], say)
        + _list("note_erased", [said("note_forgotten", count=note.forgotten)] if note.forgotten else [], say)
        + _list("note_to_order", [_to_order(each) for each in note.short], say)
        + _list("note_stock", [_stock(each) for each in note.stock], say),
    }
    return build("daily_note", shop.support_address, f"daily-note/{note.day}", shop, context, now)


def _subject(note: DailyNote) -> Said:
    """What the note is about, in the order of how much it matters."""
    counts = (sum(section.total for section in note.sections), len(note.silent), note.remarks, note.forgotten)
    named = zip(counts, _COUNTED, strict=True)
    parts = [said(one if count == 1 else many, count=count) for count, (one, many) in named if count]
    parts += [said("note_codes")] if note.short else []
    return said("note_subject", day=note.day, **dict(zip(_PLACES, parts, strict=False)))


def _section(section: Section, say: _Say, page_url: str) -> dict[str, Any]:
    entries = [
        (entry.order_id, say(_with_goods(entry)), _address(page_url, entry.order_id)) for entry in section.entries
    ]
    others = [("", say(said("note_others", count=section.others)), page_url)] if section.others else []
    return {"title": say(said(f"reason_{section.reason}")), "entries": entries + others}


def _with_goods(entry: Entry) -> Said:
    return said("note_entry", skus=entry.skus or None, why=entry.why)


def _address(page_url: str, order_id: str) -> str:
    """Of an order on the support page; an order's number needs no escape there."""
    return page_url and f"{page_url}#/orders/{order_id}"


def _list(title: str, lines: list[Said], say: _Say) -> list[dict[str, Any]]:
    return [{"title": say(said(title)), "entries": [("", say(line), "") for line in lines]}] if lines else []


def _to_order(each: Forecast) -> Said:
    count, before, until = each.to_order, each.order_before, each.runs_out
    return said("note_order", sku=each.stock.sku, count=count, before=before, until=until)


def _stock(each: Forecast) -> Said:
    stock, promised = each.stock, each.promised
    return said(
        "note_of_stock", sku=stock.sku, free=stock.free, promised=promised, waiting=stock.waiting, used=stock.used
    )
