"""The mail to a customer who has paid for a renewal long before its codes come."""

from keypost.core.order import Term
from keypost.emails.blocks import Bullets, Content, Paragraph, Runs
from keypost.emails.items import Item, items, names_of
from keypost.emails.letter import letter
from keypost.emails.occasion import Occasion


def paid_ahead(about: Occasion) -> Content:
    found = [(item, item.term) for item in items(about) if item.term]
    count = sum(item.line.quantity for item, _ in found)
    blocks = (
        Paragraph(about.say("paid_ahead_thanks", order=about.order.id)),
        Bullets(tuple(_goods(about, item, term) for item, term in found)),
        Paragraph(about.say("paid_ahead_nothing", count=count)),
        Paragraph(about.say("paid_ahead_address")),
    )
    return Content(
        subject=about.subject("paid_ahead_subject", *names_of(item for item, _ in found)),
        preheader=about.text("paid_ahead_preheader", count=count),
        heading=about.text("paid_ahead_heading"),
        blocks=letter(about, blocks),
    )


def _goods(about: Occasion, item: Item, term: Term) -> Runs:
    return about.say(
        "paid_ahead_goods",
        count=item.line.quantity,
        product=item.name,
        first_day=term.first_day,
        mail_on=about.day_of(term.mail_at),
    )
