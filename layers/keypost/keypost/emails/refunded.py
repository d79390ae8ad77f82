"""The mail to a customer whose money was returned in full. It names no product, because the catalog may not know what
was never served."""

from collections.abc import Iterator

from keypost.core.product import Kind
from keypost.emails.blocks import Content, Paragraph, Runs, together
from keypost.emails.letter import letter
from keypost.emails.occasion import Occasion


def refunded(about: Occasion) -> Content:
    return Content(
        subject=about.subject("refunded_subject"),
        preheader=about.text("refunded_preheader"),
        heading=about.text("refunded_heading"),
        blocks=letter(about, map(Paragraph, _what(about)), question="refunded_question"),
    )


def _what(about: Occasion) -> Iterator[Runs]:
    order = about.order
    yield about.say("refunded_whole", order=order.id)
    yield together(*_codes(about))
    if any(line.kind is Kind.RENEWAL for line in order.lines):
        yield about.say("refunded_renews")


def _codes(about: Occasion) -> Iterator[Runs]:
    order = about.order
    sent = sum(license_.line in order.sent_lines for license_ in order.licenses)
    if not sent:
        yield about.say("refunded_unsent")
        return
    yield about.say("refunded_sent", count=sent)
    if not order.sent_lines >= set(order.numbered):
        yield about.say("refunded_to_come")
