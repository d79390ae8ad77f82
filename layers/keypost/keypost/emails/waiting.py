"""The mail to a customer who has paid, and whose codes follow later."""

from keypost.emails.blocks import Bullets, Content, Paragraph, Runs
from keypost.emails.items import Item, items, names_of
from keypost.emails.letter import letter
from keypost.emails.occasion import Occasion


def waiting(about: Occasion) -> Content:
    found = items(about)
    count = sum(item.line.quantity for item in found)  # a large order may have some of its codes already
    why = "waiting_given" if about.order.is_given else "waiting_thanks"
    blocks = (
        Paragraph(about.say(why, order=about.order.id)),
        Bullets(tuple(_goods(about, item) for item in found)),
        Paragraph(about.say("waiting_why", count=count)),
    )
    return Content(
        subject=about.subject("waiting_subject", *names_of(found), count=count),
        preheader=about.text("waiting_preheader", count=count),
        heading=about.text("waiting_heading", count=count),
        blocks=letter(about, blocks),
    )


def _goods(about: Occasion, item: Item) -> Runs:
    first_day = item.term.first_day if item.term else None
    return about.say("waiting_goods", quantity=item.line.quantity, product=item.name, first_day=first_day)
