"""The mail before a license ends that nobody has renewed: an offer, which has no code. Its days are those of our
records: a license that was activated later, or behind another one, runs longer."""

from collections.abc import Iterator

from keypost.core.errors import InvalidInput
from keypost.emails.blocks import Block, Button, Content, Link, Paragraph, Quiet, together
from keypost.emails.items import Item, count_of, items, names_of
from keypost.emails.letter import letter
from keypost.emails.occasion import Occasion


def reminder(about: Occasion) -> Content:
    found = [item for item in items(about) if item.licenses]
    if not found:
        raise InvalidInput("no_codes_to_send")
    count, first = count_of(found), min(item.last_day for item in found)
    preheader = "reminder_preheader" if count == 1 else "reminder_preheader_many"
    blocks = (
        Paragraph(about.say("reminder_about", order=about.order.id, count=count)),
        *(block for item in found for block in _item(about, item)),
        Paragraph(about.say("reminder_in_program")),
        Paragraph(about.say("reminder_done")),
        *([Quiet(about.say("reminder_stop", stop=_stop(about)))] if about.way_out else []),
    )
    return Content(
        subject=about.subject("reminder_subject", *names_of(found)),
        preheader=about.text(preheader, last_day=first),
        heading=about.text("reminder_heading", count=count),
        blocks=letter(about, blocks, has_spam_hint=False),
        headers=_one_click(about.way_out) if about.way_out else {},
    )


def _stop(about: Occasion) -> Link:
    return Link(about.text("reminder_stop_link"), f"{about.way_out}?lang={about.language}")


def _one_click(way_out: str) -> dict[str, str]:
    """RFC 8058: mail programs show a button of their own, which calls the page."""
    return {"List-Unsubscribe": f"<{way_out}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _item(about: Occasion, item: Item) -> Iterator[Block]:
    count = len(item.licenses)
    ends = about.say("reminder_ends", product=item.name, count=count, last_day=item.last_day)
    if url := item.renewal_url(about.order.id):
        yield Paragraph(ends)
        yield Button(about.text("reminder_button", product=item.name), url)
    else:
        yield Paragraph(together(ends, about.say("reminder_by_answer")))
