"""The worklist, over the emulator's DynamoDB."""

from datetime import UTC, datetime, timedelta

import pytest

from keypost.core import closing
from keypost.core.contents import with_payment
from keypost.core.errors import InvalidInput
from keypost.core.mail import Asked, MailSent
from keypost.core.mailing import settle_mail
from keypost.core.order import Reason, Renewal, waiting_for
from keypost.core.payment import PaymentState
from keypost.core.product import Kind, Line
from keypost.core.renewals import term_of, with_terms
from keypost.core.said import said
from keypost.table import Store
from keypost.use_cases.list_attention import worklist
from tests.builders import NOW, PRODUCT, SKU, ZONE, licensed, notice, paid_order

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


def test_each_entry_says_since_when_and_by_when_the_customer_needs_what_is_lacking(store: Store) -> None:
    first = NOW.date() + timedelta(days=7)
    line = Line(SKU, 1, Kind.RENEWAL, "base")
    term = term_of(Renewal("unpaid", 1, 1, None, 365), (first, first), PRODUCT, "base", ZONE)
    unpaid = with_terms(paid_order("unpaid", line, state=PaymentState.OPEN), [term], None, NOW, ZONE)
    store.save(waiting_for(unpaid, Reason.UNPAID, said("period_unpaid", first_day=first), NOW))
    store.save(waiting_for(paid_order("unknown", line), Reason.RENEWS, said("end_unknown"), NOW))
    store.save(paid_order("held", currency="USD", at=NOW))
    store.save(settle_mail(licensed(paid_order("twice")), "purchase-1", 1, MailSent("m"), NOW))
    store.change_existing("twice", lambda order: with_payment(order, notice("twice", payment_id="cs_2"), NOW, "EUR"))

    listed = {item.order_id: (item.needs, item.since, item.by) for item in worklist(store).items}

    assert listed == {
        "held": ("hold", NOW, NOW),
        "unknown": ("renews", NOW, None),
        "unpaid": ("unpaid", NOW, datetime(2026, 11, 30, tzinfo=UTC)),
        "twice": ("paid_twice", NOW, None),  # it has all that it is to have
    }


def test_what_a_person_closed_is_not_listed_any_more(store: Store) -> None:
    order = paid_order("dealt-with", currency="USD")
    store.save(closing.close(order, Reason.HOLD, Asked(NOW, "anna", "done by hand")))
    store.save(paid_order("not-dealt-with", currency="USD"))

    assert [item.order_id for item in worklist(store).items] == ["not-dealt-with"]


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
