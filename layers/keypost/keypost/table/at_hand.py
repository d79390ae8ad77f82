"""What the next steps of an order depend on beside the order itself, read in one request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from keypost.core.order import Order
from keypost.core.product import Product
from keypost.table.addresses import Address, address_key, address_of
from keypost.table.items import Table, moment_text
from keypost.table.marks import PAUSE
from keypost.table.products import product_key, product_of
from keypost.table.schedule import CODES_CAME


@dataclass(frozen=True, slots=True)
class AtHand:
    products: Mapping[str, Product]  # those of the order that the catalog knows, by SKU
    email: str | None
    address: Address  # what was reported of this e-mail address
    got_codes: frozenset[str]  # those of the order's products whose new codes are still being given to who waits
    paused_until: str  # a moment as text that sorts, until which SES takes no mail; empty if nobody said so

    def is_mail_paused(self, now: datetime) -> bool:
        return self.paused_until > moment_text(now)


class AtHands(Table):
    def at_hand(self, order: Order) -> AtHand:
        """What keeps the order back is read again as it is now: whoever mended it has just poked the order. All else
        may lag, which is as if the order had been looked at a moment earlier."""
        found = self._at_hand(order, may_lag=True)
        is_kept_back = len(found.products) < len(order.skus) or found.address.told
        return self._at_hand(order, may_lag=False) if is_kept_back else found

    def _at_hand(self, order: Order, *, may_lag: bool) -> AtHand:
        email = order.customer.email
        pause = PAUSE["pk"]["S"]
        address = address_key(email)["pk"]["S"] if email else pause
        products, marks = [product_key(sku) for sku in order.skus], {CODES_CAME + sku: sku for sku in order.skus}
        found = {item["pk"]: item for item in self._batch_get([*products, *marks, address, pause], may_lag=may_lag)}
        known = (product_of(found[key]) for key in products if key in found)
        return AtHand(
            products={product.sku: product for product in known if product},
            email=email,
            address=address_of(found.get(address, {})),
            got_codes=frozenset(sku for mark, sku in marks.items() if "due_at" in found.get(mark, {})),
            paused_until=str(found.get(pause, {}).get("until_then", "")),
        )
