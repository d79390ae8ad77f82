"""What a shop decides about a product that a customer buys again, as it stands in the settings."""

from enum import StrEnum

BOOKS = "moneybird"  # the bookkeeper's program, into which plug-ins copy what is sold elsewhere


class Repeat(StrEnum):
    """What a paid order of one customer for one product is while a license of it runs."""

    NEW = "new"
    RENEWAL = "renewal"
    ASK = "ask"
