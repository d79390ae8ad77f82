"""The lines of an order that a mail is about."""

from collections.abc import Iterable
from datetime import date
from urllib.parse import quote

from keypost.core.errors import InvalidInput
from keypost.core.frozen import dataclass
from keypost.core.order import License, Term
from keypost.core.product import Kind, Line, Product, Step
from keypost.emails.occasion import Occasion
from keypost.words import in_language


@dataclass(frozen=True, slots=True)
class Item:
    """A line with all that mails say of it."""

    number: int
    line: Line
    product: Product
    term: Term | None
    licenses: tuple[License, ...]  # those that the mail is about
    language: str

    @property
    def name(self) -> str:
        return in_language(self.product.name, self.language)

    @property
    def is_renewal(self) -> bool:
        return self.line.kind is Kind.RENEWAL

    @property
    def is_other_program(self) -> bool:
        """Whether it renews the license of another program, which is not on the device. Nothing is known of what
        becomes of the days that the other license has left."""
        return self.term is not None and self.term.is_other_product

    @property
    def is_installed(self) -> bool:
        return self.is_renewal and not self.is_other_program

    @property
    def holds_reserve_code(self) -> bool:
        return self.product.holds_reserve_code and not self.is_other_program

    @property
    def steps(self) -> tuple[Step, ...]:
        return in_language(self.product.steps[Kind.RENEWAL if self.is_installed else Kind.NEW], self.language)

    @property
    def note(self) -> str:
        return in_language(self.product.notes, self.language) if self.product.notes else ""

    @property
    def first_day(self) -> date:
        return min(license_.first_day for license_ in self.licenses)

    @property
    def last_day(self) -> date:
        return max(license_.last_day for license_ in self.licenses)

    def renewal_url(self, order_id: str) -> str:
        """The page on which a customer renews this line, with what it renews: a single license by its own id, several
        by their order and line. Empty if there is none."""
        renewed = self.licenses[0].id if len(self.licenses) == 1 else f"{order_id}/{self.number}"
        url = self.product.renewal_url or ""
        return url.replace("{license}", quote(renewed, safe="")).replace("{order}", quote(order_id, safe=""))


def items(about: Occasion) -> list[Item]:
    """The lines that a mail is about, which are all lines of its order if it names none."""
    order, mail = about.order, about.mail
    in_mail = [each for each in order.current if not mail.licenses or each.id in mail.licenses]
    return [
        Item(
            number=number,
            line=line,
            product=about.products[line.sku],
            term=order.term(number),
            licenses=tuple(each for each in in_mail if each.line == number),
            language=about.language,
        )
        for number, line in order.numbered.items()
        if not mail.lines or number in mail.lines
    ]


def items_with_codes(about: Occasion) -> list[Item]:
    """The lines of a mail with codes. InvalidInput if one has no code."""
    found = items(about)
    if not found or not all(item.licenses for item in found):
        raise InvalidInput("no_codes_to_send")
    return found


def count_of(found: Iterable[Item]) -> int:
    """How many licenses these are."""
    return sum(len(item.licenses) for item in found)


def names_of(found: Iterable[Item]) -> list[str]:
    """The names of the products, each once."""
    return list(dict.fromkeys(item.name for item in found))
