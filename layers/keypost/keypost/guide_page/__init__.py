"""The guide that customers follow to install and activate what they bought: one page per product, and one of all
products. It says nothing personal, and is made from the same product data as the mails."""

from keypost.guide_page.frame import Links, Site, headers, language_of
from keypost.guide_page.pages import notice_page, overview_page, product_page

__all__ = ["Links", "Site", "headers", "language_of", "notice_page", "overview_page", "product_page"]
