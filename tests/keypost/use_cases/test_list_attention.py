"""The worklist, over the emulator's DynamoDB."""

from datetime import timedelta

import pytest

from keypost.core.errors import InvalidInput
from keypost.core.order import Reason, waiting_for
from keypost.core.said import said
from keypost.table import Store
from keypost.use_cases.list_attention import worklist
from tests.builders import NOW, SKU, paid_order

WAITS = {
    Reason.PRODUCT: said("not_in_catalog", skus=["X"]),
    Reason.STOCK: said("too_few_codes", skus=[SKU]),
    Reason.ADDRESS: said("address_bounced"),
}
NEXT = "product~2026-11-23T12:00:00Z~product-0"


@pytest.fixture
def waiting(store: Store) -> list[str]:
    """The ids of three orders for each reason, the most urgent reason first, and of each those that wait longest."""
    for reason, why in WAITS.items():
        for hours in range(3):
            order = paid_order(f"{reason}-{hours}", at=NOW + timedelta(hours=hours))
            store.save(waiting_for(order, reason, why, NOW + timedelta(hours=hours)))
    return [f"{reason}-{hours}" for reason in Reason if reason in WAITS for hours in range(3)]


def test_the_pages_together_have_everything_once_in_order(store: Store, waiting: list[str]) -> None:
    seen, pages, following = list[str](), 0, None
    while pages == 0 or following:
        page = worklist(store, after=following, size=4)
        assert page.counts == dict.fromkeys(("stock", "product", "address"), 3)
        seen += [item.order_id for item in page.items]
        pages, following = pages + 1, page.next

    assert (seen, pages) == (waiting, 3)


def test_the_pages_of_one_reason_hold_no_other(store: Store, waiting: list[str]) -> None:
    first = worklist(store, "product", size=2)
    second = worklist(store, "product", first.next, size=2)

    assert [item.order_id for item in (*first.items, *second.items)] == [each for each in waiting if "product" in each]
    assert (first.next, second.next) == ("product~2026-11-23T13:00:00Z~product-1", None)


@pytest.mark.parametrize(
    ("reason", "after"),
    [
        (None, "x"),
        (None, "product"),
        (None, "product~~"),
        (None, "product~x~y"),
        (None, "product~9999~y"),
        (None, NEXT.replace("product~", "parked~")),
        (None, NEXT.upper()),
        (None, f"{NEXT}~1"),
        (None, NEXT.replace("2026", "\N{ARABIC-INDIC DIGIT TWO}026")),
        ("stock", NEXT),
    ],
)
def test_what_is_no_next_of_this_list_is_refused_and_not_answered_as_if_nothing_waited(
    store: Store, waiting: list[str], reason: str | None, after: str
) -> None:
    assert [item.order_id for item in worklist(store, after=NEXT).items] == waiting[4:]

    with pytest.raises(InvalidInput, match="no_such_page"):
        worklist(store, reason, after)
