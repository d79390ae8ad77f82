"""What somebody asks for on the page for customers."""

from datetime import datetime
from enum import StrEnum

from keypost.core.frozen import dataclass


class Ask(StrEnum):
    """What somebody asks for on the page for customers."""

    RESEND = "resend"
    NOTHING_CAME = "nothing_came"
    NOT_MY_ADDRESS = "not_my_address"  # any more


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody typed an address on the page for customers, to get again what was sent to it, or to let us know
    something."""

    id: str
    whose: str  # the customer, by the digest of the address
    asked_at: datetime
    ask: Ask = Ask.RESEND
    asker: str = ""  # the network that asked, by a digest that differs from customer to customer
