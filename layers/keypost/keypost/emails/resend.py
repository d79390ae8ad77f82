"""The mail that repeats codes, for a customer who did not get them or lost them."""

from collections.abc import Iterator
from datetime import datetime

from keypost.core.mail import Mail, MailState
from keypost.core.order import Order
from keypost.emails.blocks import Content, Runs, together
from keypost.emails.items import count_of, items_with_codes, names_of
from keypost.emails.occasion import Occasion
from keypost.emails.with_codes import code_file, letter_with_codes


def resend(about: Occasion) -> Content:
    found = items_with_codes(about)
    count = count_of(found)
    why = together(*_why(about, count))
    reader = about.nameless if about.is_for_another else about
    return Content(
        subject=about.subject("resend_subject", *names_of(found), count=count),
        preheader=about.text("resend_preheader", count=count),
        heading=about.text("resend_heading", count=count),
        blocks=letter_with_codes(reader, found, why, about.say("resend_not_asked")),
        attachments=code_file(about, found),
    )


def _why(about: Occasion, count: int) -> Iterator[Runs]:
    yield about.say("resend_asked", order=about.order.id, count=count)
    if earlier := _earlier(about):
        yield about.say("resend_same", earlier=about.day_of(earlier))
    yield about.say("resend_entered", count=count)


def _earlier(about: Occasion) -> datetime | None:
    """The moment of the newest earlier mail that had the very same content, and the same reader."""
    if about.is_for_another:
        return None
    swaps = [bad.asked.at for bad in about.order.bad_codes]
    sent = _sent_before(about.order, about.mail)
    return max((sent_at for sent_at in sent if all(sent_at > swapped_at for swapped_at in swaps)), default=None)


def _sent_before(order: Order, mail: Mail) -> list[datetime]:
    """The moments of the mails that brought all codes that these lines had then."""
    lines = order.lines_of([mail])
    whole = (each for each in filter(_brought_codes, order.mails) if not each.licenses)
    return [each.sent_at for each in whole if each.sent_at and order.lines_of([each]) >= lines]


def _brought_codes(mail: Mail) -> bool:
    return mail.holds_codes and mail.state is MailState.SENT and not mail.came_back
