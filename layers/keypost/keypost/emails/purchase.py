"""The mail after a purchase: per product the download, the codes and the steps; and what is still to come."""

from collections.abc import Iterator

from keypost.core.product import Kind
from keypost.emails.blocks import Content, Runs, together
from keypost.emails.items import Item, count_of, items_with_codes, names_of
from keypost.emails.occasion import Occasion
from keypost.emails.with_codes import code_file, letter_with_codes
from keypost.words import names_of as names_by_sku


def purchase(about: Occasion) -> Content:
    found = items_with_codes(about)
    count = count_of(found)
    why = together(_why(about, found), about.say("purchase_all", count=count))
    return Content(
        subject=about.subject("purchase_subject", *names_of(found), count=count),
        preheader=about.text("purchase_preheader", count=count),
        heading=about.text("purchase_heading", count=count),
        blocks=letter_with_codes(about, found, why, *_to_come(about)),
        attachments=code_file(about, found),
    )


def _why(about: Occasion, found: list[Item]) -> Runs:
    order = about.order
    if order.moved_from:
        return about.say("purchase_moved", order=order.id, last_day=found[0].last_day)
    return about.say("purchase_given" if order.is_given else "purchase_thanks", order=order.id)


def _to_come(about: Occasion) -> Iterator[Runs]:
    """What was bought with it and has no mail yet. A product that is not in the catalog has no name."""
    order = about.order
    told = order.owed_lines | order.lines_of([about.mail])
    names = names_by_sku(about.products.values(), about.language)
    lines = [order.line(number) for number in order.numbers(Kind.NEW) if number not in told]
    goods = [about.text("box_goods", quantity=line.quantity, product=names.get(line.sku, line.sku)) for line in lines]
    if goods:
        yield about.say("purchase_to_come", goods=", ".join(goods))
