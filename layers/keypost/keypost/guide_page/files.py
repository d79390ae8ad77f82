"""The guide as plain files, for a shop that has it on its own site."""

from collections.abc import Iterable, Mapping, Sequence

from keypost.core.product import Product
from keypost.guide_page.frame import Links, Site, style
from keypost.guide_page.pages import overview_page, product_page

CSS = "guide.css"
MARKS = ('<meta name="generator" content="Keypost">', "/* Keypost guide */")  # by which such a file is known


def files(
    products: Iterable[Product], languages: Iterable[str], first: str, site: Site, resend: str
) -> Mapping[str, str]:
    """The content of each file by its path. The file `index.html` is in the language `first`; `resend` is the address
    of the page on which customers get their licenses again, or empty."""
    listed, named = tuple(products), tuple(languages)
    pages = {CSS: style(site.color)}
    for language in named:
        pages[f"{language}.html"] = overview_page(listed, language, site, _links("", "{language}.html", resend, named))
        for product in listed:
            links = _links("../", f"../{{language}}/{_file(product)}", resend, named)
            pages[f"{language}/{_file(product)}"] = product_page(product, language, site, links)
    return pages | {"index.html": pages[f"{first}.html"]}


def _file(product: Product) -> str:
    return f"{product.sku}.html"


def _links(up: str, here: str, resend: str, languages: Sequence[str]) -> Links:
    with_language = f"{resend}?lang={{language}}" if resend else ""
    overview, product = f"{up}{{language}}.html", f"{up}{{language}}/{{sku}}.html"
    return Links(overview, product, here, with_language, f"{up}{CSS}", languages)
