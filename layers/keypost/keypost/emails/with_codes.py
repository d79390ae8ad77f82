"""What all mails with codes have in common."""

from collections.abc import Iterable, Iterator

from keypost.emails.blocks import Attachment, Block, Link, Paragraph, Runs
from keypost.emails.code_list import code_list
from keypost.emails.items import Item, count_of
from keypost.emails.letter import letter
from keypost.emails.occasion import Occasion
from keypost.emails.products import device_of_all, products
from keypost.emails.records import records

LONG_LIST = 25  # with more codes than this, a file is attached too


def letter_with_codes(
    about: Occasion, found: list[Item], *intro: Runs, outro: Iterable[Runs] = ()
) -> tuple[Block, ...]:
    """The device to read it on, why the mail comes, the products, what is attached, and the box for the records."""
    listed = [about.say("list_attached")] if _is_long(found) else []
    return letter(
        about,
        (
            *device_of_all(found),
            *map(Paragraph, (*intro, *listed)),
            *products(about, found),
            records(about, found),
            *map(Paragraph, (*outro, about.say("letter_keep"), *_again(about))),
        ),
        question="letter_stuck",
    )


def _again(about: Occasion) -> Iterator[Runs]:
    """Where to get a lost mail again: for the customer only, to whose address it comes."""
    if (url := about.shop.resend_url(about.language)) and not about.is_for_another:
        yield about.say("letter_again", resend=Link(about.text("letter_again_link"), url))


def code_file(about: Occasion, found: list[Item]) -> tuple[Attachment, ...]:
    """All codes as a file, if they are many."""
    if not _is_long(found):
        return ()
    columns = [about.text(f"list_{column}") for column in ("product", "code", "license", "first_day", "last_day")]
    table = code_list(found, columns, about.text("list_separator"))
    return (Attachment(about.text("list_file", order=about.order.id), "csv", table, {"charset": "utf-8"}),)


def _is_long(found: list[Item]) -> bool:
    return count_of(found) > LONG_LIST
