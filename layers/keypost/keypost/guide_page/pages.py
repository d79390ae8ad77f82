"""The pages of the guide."""

from collections.abc import Iterable
from html import escape
from itertools import groupby

from keypost.core.product import Product
from keypost.guide_page.frame import Links, Site, contact, page
from keypost.guide_page.sections import (
    days,
    first_steps,
    for_help,
    joined,
    mail,
    paragraphs,
    renewal,
    section,
    to_resend,
)
from keypost.guide_page.writing import writing
from keypost.words import in_language


def product_page(product: Product, language: str, site: Site, links: Links) -> str:
    write = writing(language, product)
    sections = (
        section("mail", write("mail_title"), mail(write, site, links, product.mail_days_before)),
        section("new", write("new_title"), first_steps(write, product)),
        section("days", write("days_title"), days(write, product)),
        section("renewal", write("renewal_title"), renewal(write, product)),
        section("help", write("help_title"), for_help(write, site)),
    )
    names = ("mail", "new", "days", "renewal", "help")
    jumps = "".join(f'<li><a href="#{each}">{write(f"{each}_title")}</a></li>' for each in names)
    contents = f'<nav class="no-print contents" aria-label="{write("on_this_page")}"><ul>{jumps}</ul></nav>'
    title = write("title", name=escape(write.product))
    return page(title, joined(f"<h1>{write('title')}</h1>", contents, *sections), write, site, links)


def overview_page(products: Iterable[Product], language: str, site: Site, links: Links) -> str:
    """All products, by vendor, and what holds for each of them."""
    write, listed = writing(language), sorted(products, key=lambda each: (each.vendor.lower(), _name(each, language)))
    before = {product.mail_days_before for product in listed}
    content = joined(
        f"<h1>{write('overview_title')}</h1>",
        *paragraphs(write("choose" if listed else "no_products")),
        *(
            _vendor(vendor, of_vendor, language, links)
            for vendor, of_vendor in groupby(listed, lambda each: each.vendor)
        ),
        section("mail", write("mail_title"), mail(write, site, links, before.pop() if len(before) == 1 else None)),
        section("help", write("help_title"), for_help(write, site)),
    )
    return page(write("overview_title"), content, write, site, links, leads_back=False)


def _vendor(vendor: str, products: Iterable[Product], language: str, links: Links) -> str:
    links_to = "".join(f"<li>{_link(product, language, links)}</li>" for product in products)
    return f'<h2>{writing(language).text(vendor)}</h2><ul class="products">{links_to}</ul>'


def _link(product: Product, language: str, links: Links) -> str:
    name = writing(language, product).text(_name(product, language))
    return f'<a href="{links.to_product(product.sku, language)}">{name}</a>'


def _name(product: Product, language: str) -> str:
    return in_language(product.name, language)


def notice_page(notice: str, language: str, site: Site, links: Links, product: Product | None = None) -> str:
    """The page where there is no guide: for a product that is `unknown` or `retired`, or when reading `failed`."""
    write = writing(language, product)
    overview = f'<a href="{links.to_overview(language)}">{write("all_products")}</a>'
    text = write(notice, overview=overview, contact=contact(write, site))
    title = write(f"{notice}_title")
    is_retired = notice == "retired"  # a visitor may have bought it and lost the mail
    again = write("retired_resend", resend=to_resend(write, links)) if is_retired and links.resend else ""
    return page(title, joined(f"<h1>{title}</h1>", *paragraphs(text, again)), write, site, links, leads_back=False)
