"""The words of the guide in one language, as HTML."""

import re
from html import escape

from keypost.core.frozen import dataclass
from keypost.core.product import Product
from keypost.words import LANGUAGES, found_in, in_language, page_words

WORDS: dict[str, dict[str, str]] = {name: page_words(name, "guide.toml") for name in LANGUAGES}
_NOT_BROKEN = re.compile(r"\be-mail\w*")  # browsers break a line behind the hyphen
_RESEND = {name: page_words(name, "resend_page.toml")["title"] for name in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Writing:
    """The words of a page, and the texts of a product. A product that does not have the page's language keeps its own,
    which is marked so that a screen reader pronounces it right."""

    language: str  # of the page
    own: str  # of the product's texts
    product: str = ""  # its name

    def __call__(self, word: str, **values: object) -> str:
        """The words of this name; the values are HTML."""
        text = _NOT_BROKEN.sub(r'<span class="whole">\g<0></span>', escape(WORDS[self.language][word]))
        return text.format(**({"name": self.text(self.product)} | values))

    @property
    def resend(self) -> str:
        """What the page is called on which customers get their licenses again."""
        return escape(_RESEND[self.language])

    def text(self, given: str) -> str:
        """A text of the product, within a line."""
        return f"<span{self.mark}>{escape(given)}</span>" if self.mark else escape(given)

    @property
    def mark(self) -> str:
        """The attribute of an element that holds texts of the product."""
        return "" if self.own == self.language else f' lang="{escape(self.own)}"'


def writing(language: str, product: Product | None = None) -> Writing:
    if product is None:
        return Writing(language, language)
    return Writing(language, found_in(product.name, language), in_language(product.name, language))
