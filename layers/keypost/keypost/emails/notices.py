"""The notices to a customer of what was done on request. They have no code and no name: their reader may be a stranger,
and another address or customer stands in none."""

from keypost.emails.blocks import Content, Paragraph
from keypost.emails.letter import letter
from keypost.emails.occasion import Occasion


def address_changed(about: Occasion) -> Content:
    """To the address that Keypost no longer uses for this customer."""
    return _notice(about, "address_changed")


def sent_elsewhere(about: Occasion) -> Content:
    return _notice(about, "sent_elsewhere")


def license_moved(about: Occasion) -> Content:
    return _notice(about, "license_moved", license=about.mail.licenses[0])


def _notice(about: Occasion, kind: str, **values: str) -> Content:
    what = (
        Paragraph(about.say(f"{kind}_what", order=about.order.id, **values)),
        Paragraph(about.say("letter_not_asked")),
    )
    return Content(
        subject=about.subject(f"{kind}_subject"),
        preheader=about.text(f"{kind}_preheader"),
        heading=about.text(f"{kind}_heading"),
        blocks=letter(about.nameless, what, has_spam_hint=False),
    )
