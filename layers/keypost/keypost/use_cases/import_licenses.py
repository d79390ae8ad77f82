"""Imports orders that a system before Keypost sold, with their licenses. Nothing is mailed; a second run of the same
file changes nothing, and one of a corrected file corrects what nobody has touched since."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, tzinfo
from typing import Any

from keypost.core import imported
from keypost.core.codes import key_of
from keypost.core.frozen import dataclass
from keypost.core.imported import Sold
from keypost.core.mail import Asked
from keypost.core.order import Order
from keypost.core.periods import local_day
from keypost.core.product import Product
from keypost.core.said import Said, said
from keypost.inputs.license_file import SoldAt
from keypost.inputs.stock_file import Fault
from keypost.table.imports import Imports, ToImport


@dataclass(frozen=True, slots=True)
class Planned:
    """What an import would do."""

    wanted: tuple[ToImport, ...]
    known: int  # orders that an earlier import made, as they stand in the file
    anew: int  # orders of `wanted` that are there already
    faults: tuple[Fault, ...]  # by line; why some cannot be imported


@dataclass(frozen=True, slots=True)
class Importer:
    table: Imports
    products: Mapping[str, Product]
    zone: tzinfo
    currency: str

    def planned(self, found: Sequence[SoldAt], asked: Asked) -> Planned:
        """What an import of these orders would do, by what the table has now. It changes nothing."""
        loaded = self.table.read_all([each.sold.order_id for each in found])
        orders = {order.id: order for order in loaded.orders}
        unreadable = set(loaded.names_left_out)
        items = self.table.known_items([code for each in found for code in each.sold.codes])
        wanted, faults, known = list[ToImport](), list[Fault](), 0
        for each in found:
            there = orders.get(each.sold.order_id)
            if there and imported.is_of(there, each.sold):
                known += 1
            elif why := _why_not(each.sold, there, items, is_readable=each.sold.order_id not in unreadable):
                column, reason = why
                faults.append(Fault(each.lines[0], reason, column=column))
            else:
                made = self._to_import(each.sold, there, asked)
                if made.order.hold.problem:
                    faults.append(Fault(each.lines[0], said("not_made", why=made.order.hold.problem)))
                else:
                    wanted.append(made)
        anew = sum(each.order.version > 0 for each in wanted)
        return Planned(tuple(wanted), known, anew, tuple(faults))

    def _to_import(self, sold: Sold, there: Order | None, asked: Asked) -> ToImport:
        order = imported.imported(sold, asked, self.products, self.zone, self.currency, there)
        return ToImport(order, sold.codes, sold.subscription, there)

    def run(self, planned: Planned) -> Iterator[tuple[int, list[str]]]:
        """Import what was planned. Yields, part by part, how many orders were reached, and the numbers of those that
        somebody else changed meanwhile."""
        for part, failed in self.table.add_imported(planned.wanted):
            yield len(part), failed


def _why_not(
    sold: Sold, there: Order | None, items: Mapping[str, Mapping[str, Any]], *, is_readable: bool
) -> tuple[str, Said] | None:
    """The column that is at fault, and why the order cannot be imported."""
    if not is_readable:
        return "order", said("set_aside_for_now")
    if there and not imported.may_become(there):
        return "order", said("changed_since_import" if there.imported else "order_is_known")
    faults = (_why_not_code(items.get(code.code), sold.order_id, key_of(code), code.sku) for code in sold.codes)
    return next((("code", why) for why in faults if why), None)


def _why_not_code(item: Mapping[str, Any] | None, order_id: str, key: str, sku: str) -> Said | None:
    """Why a code cannot be one that was sold before; None for one that nobody knows, that was withdrawn from stock, or
    that this very order has."""
    if item is None or (item.get("state") == "assigned" and item.get("order_id") == order_id):
        return None
    state = item.get("state")
    if state == "withdrawn" and item["pk"] == f"CODE#{key}":
        return None
    if state == "free":
        return said("code_in_stock", sku=str(item.get("sku", sku)))
    return said("code_of_order", order=str(item["order_id"])) if item.get("order_id") else said("imported_before")


def reminders_by_day(wanted: Iterable[ToImport], zone: tzinfo) -> list[tuple[date, int]]:
    """How many reminders are to leave on which day, the first day first."""
    days = Counter(local_day(reminder.at, zone) for each in wanted for reminder in each.order.reminders)
    return sorted(days.items())
