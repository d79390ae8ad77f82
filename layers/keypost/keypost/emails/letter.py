"""What every letter to a customer begins and ends with."""

from collections.abc import Iterable

from keypost.emails.blocks import Address, Block, Lines, Paragraph, Phone, Runs, together
from keypost.emails.occasion import Occasion


def letter(
    about: Occasion, blocks: Iterable[Block], question: str = "letter_question", *, has_spam_hint: bool = True
) -> tuple[Block, ...]:
    """The blocks with a greeting before them, and behind them whom to ask, where else a mail may be, and who writes."""
    return (
        Paragraph(_greeting(about)),
        *blocks,
        Paragraph(together(about.say(question), _reach(about))),
        *([Paragraph(about.say("letter_spam"))] if has_spam_hint else []),
        Lines((about.text("letter_closing"), about.shop.name)),
    )


def _greeting(about: Occasion) -> Runs:
    name = about.order.customer.name
    return about.say("letter_greeting", name=name) if name else about.say("letter_greeting_nobody")


def _reach(about: Occasion) -> Runs:
    address, phone = Address(about.shop.support_address), about.shop.phone
    if phone:
        return about.say("letter_reach_by_phone", address=address, phone=Phone(phone))
    return about.say("letter_reach", address=address)
