"""The mail with a code in place of one that did not work."""

from collections.abc import Iterator

from keypost.emails.blocks import Content, Runs, together
from keypost.emails.items import count_of, items_with_codes, names_of
from keypost.emails.occasion import Occasion
from keypost.emails.with_codes import code_file, letter_with_codes


def replacement(about: Occasion) -> Content:
    found = items_with_codes(about)
    count = count_of(found)
    return Content(
        subject=about.subject("replacement_subject", *names_of(found), count=count),
        preheader=about.text("replacement_preheader", count=count),
        heading=about.text("replacement_heading", count=count),
        blocks=letter_with_codes(about, found, together(*_why(about, count))),
        attachments=code_file(about, found),
    )


def _why(about: Occasion, count: int) -> Iterator[Runs]:
    yield about.say("replacement_sorry", order=about.order.id, count=count)
    if len(about.order.licenses) > count:
        yield about.say("replacement_others")
