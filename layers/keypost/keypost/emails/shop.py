"""The shop, as it stands in every mail."""

from datetime import tzinfo
from urllib.parse import quote

from keypost.core.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Shop:
    name: str
    address: str
    sender_address: str
    support_address: str
    zone: tzinfo
    kvk_number: str = ""  # of the Dutch chamber of commerce
    phone: str = ""
    logo_url: str = ""
    color: str = "#0b6e5b"
    public_url: str = ""  # where Keypost's own pages are; empty if that is not known
    has_self_service: bool = True  # whether there is a page where customers ask for their licenses again

    @property
    def details(self) -> str:
        """The line at the foot of a mail."""
        kvk = f"KvK {self.kvk_number}" if self.kvk_number else ""
        return " · ".join(filter(None, (self.address, self.phone, kvk)))

    def resend_url(self, language: str) -> str:
        """The page where customers ask for their licenses again; empty if there is none."""
        return f"{self.public_url}/resend?lang={language}" if self.public_url and self.has_self_service else ""

    def guide_of(self, sku: str, language: str) -> str:
        """The guide of a product; empty if it is not known where that is."""
        return self.public_url and f"{self.public_url}/activate/{quote(sku, safe='')}?lang={language}"
