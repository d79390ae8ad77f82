"""Has events leave for the products that are to be ordered: once a day, from the run that writes the daily note. A run
that was cut short is made up for by the next one: its events have the same ids, and those that are there stay."""

from collections.abc import Iterable
from datetime import date, datetime

from keypost.core.events import stock_low
from keypost.core.forecast import Forecast
from keypost.table import Store
from keypost.table.outbox import Outbox


def tell_of_low_stock(store: Store, stock: Iterable[Forecast], today: date, now: datetime) -> None:
    outbox = store.part(Outbox)
    for event in filter(None, (stock_low(each, today, now) for each in stock)):
        outbox.put_first(event, now)
