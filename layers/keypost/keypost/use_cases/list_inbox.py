"""The inbox, as people read it: what payment providers and shops told that changed nothing, the newest first."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from keypost.core.errors import InvalidInput
from keypost.core.frozen import dataclass
from keypost.core.payment import Remark
from keypost.core.said import Said
from keypost.table import Store

PAGE = 50
MOST_DAYS = 400  # nothing is kept for longer
PLACE = "[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z~[0-9a-f]{32}"  # of a page, as a pattern


@dataclass(frozen=True, slots=True)
class InboxItem:
    at: datetime  # when it reached Keypost
    provider: str
    order_id: str | None  # None: it names no order
    reason: Said


@dataclass(frozen=True, slots=True)
class InboxPage:
    items: tuple[InboxItem, ...]
    next: str | None  # for the page behind this one


def inbox(store: Store, days: int, now: datetime, after: str | None = None, size: int = PAGE) -> InboxPage:
    """One page of the last days. InvalidInput when `after` is not the `next` of a page."""
    if after is not None and not re.fullmatch(PLACE, after):
        raise InvalidInput("no_such_page")
    found = list(islice(store.inbox(now - timedelta(days=days), now, after), size + 1))
    following = found[size - 1][0] if len(found) > size else None
    return InboxPage(tuple(map(_item, store.remarks([key for _, key in found[:size]]))), following)


def all_of_inbox(store: Store, days: int, now: datetime) -> Iterator[InboxItem]:
    """All pages of the last days. They are read as they are asked for."""
    after = None
    while True:
        page = inbox(store, days, now, after)
        yield from page.items
        if (after := page.next) is None:
            return


def _item(remark: Remark) -> InboxItem:
    named = {"payment": remark.payment} if remark.payment else {}
    reason = Said(remark.why.code, named | dict(remark.why.values))
    return InboxItem(remark.at, remark.provider, remark.order_id or None, reason)
