"""The mail at a renewal: the new period, its codes, and when to enter them."""

from keypost.emails.blocks import Attachment, Content
from keypost.emails.ics import Event, calendar
from keypost.emails.items import Item, count_of, items_with_codes, names_of
from keypost.emails.occasion import Occasion
from keypost.emails.with_codes import code_file, letter_with_codes


def renewal(about: Occasion) -> Content:
    found = items_with_codes(about)
    count, first_day = count_of(found), min(item.first_day for item in found)
    are_installed = all(item.is_installed for item in found)
    preheader = "renewal_preheader_installed" if are_installed else "renewal_preheader"
    why = about.say("renewal_given" if about.order.is_given else "renewal_paid", order=about.order.id, count=count)
    return Content(
        subject=about.subject("renewal_subject", *names_of(found), count=count),
        preheader=about.text(preheader, first_day=first_day),
        heading=about.text("renewal_heading", count=count),
        blocks=letter_with_codes(about, found, why, outro=[about.say("renewal_calendar")]),
        attachments=(_calendar(about, found), *code_file(about, found)),
    )


def _calendar(about: Occasion, found: list[Item]) -> Attachment:
    """The first day of each period as a calendar file."""
    domain = about.shop.sender_address.partition("@")[2]
    events = [Event(f"{about.order.id}-{item.number}@{domain}", item.first_day, _title(about, item)) for item in found]
    ics = calendar(events, about.shop.support_address, about.now).encode()
    return Attachment(about.text("renewal_file"), "calendar", ics, {"method": "PUBLISH", "charset": "utf-8"})


def _title(about: Occasion, item: Item) -> str:
    return about.text("renewal_event" if item.holds_reserve_code else "renewal_event_wait", product=item.name)
