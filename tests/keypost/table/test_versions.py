"""What becomes of an item that another version of Keypost stored, or that is damaged."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.local.deploy import ROOT
from keypost.core import contents, mailing, renewals, support
from keypost.core.codes import StockCode
from keypost.core.contents import with_payment
from keypost.core.errors import NewerVersion, Unreadable
from keypost.core.mail import Asked, Fate, MailReport, MailSent
from keypost.core.order import Order, Reason, Term, waiting_for
from keypost.core.payment import Dispute, DisputeState, FailedRefund, PaymentState, Refunded
from keypost.core.said import said
from keypost.core.stored import Stored
from keypost.core.telling import Word
from keypost.table.converting import converter
from keypost.table.items import from_wire
from keypost.table.orders import FORM, order_item, order_of
from tests.builders import NOW, SKU, ZONE, code, full_order, lost_fields, notice, paid_order, with_future_fields

GOLDEN = ROOT / "tests/golden"
texts = st.text(max_size=9)
numbers = st.decimals(-(10**9), 10**9, places=3)
anything = st.recursive(
    st.none() | st.booleans() | texts | numbers | st.binary(min_size=1, max_size=9).map(bytes),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def _known(part: Any) -> set[str]:
    """The names of all fields of a value and of what is in it."""
    if isinstance(part, tuple):
        return {name for each in part for name in _known(each)}
    if not is_dataclass(part):
        return set()
    own = {field.name for field in fields(part)}
    return own | {name for field in fields(part) for name in _known(getattr(part, field.name))}


_BESIDE = {
    "pk",
    "form",
    "readable_from",
    "due_shard",
    "due_at",
    "attention",
    "attention_since",
    "customer_digest",
    "expires",
    "written_by",
}
_KNOWN = _known(full_order()) | _BESIDE
names = texts.filter(lambda name: bool(name) and name not in _KNOWN)


def item_of(order: Any = None) -> dict[str, Any]:
    return from_wire(order_item(order or full_order()))


def parts(item: Any) -> list[dict[str, Any]]:
    """Every part of an item to which a newer version may give a field. What is said grows by its values."""
    if isinstance(item, list):
        return [part for each in item for part in parts(each)]
    if not isinstance(item, dict) or ("code" in item and item.keys() <= {"code", "values"}):
        return []
    below = (value for name, value in item.items() if name not in ("corrected", "values"))
    return [item, *(part for value in below for part in parts(value))]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("order-form-*.json")), ids=lambda path: path.stem)
def test_an_item_of_every_released_form_loads_for_ever(path: Any) -> None:
    item = json.loads(path.read_text("utf-8"), parse_float=Decimal, parse_int=Decimal)

    order = order_of(item)

    assert order.extra == {}
    assert order.licenses
    if path.stem in (f"order-form-{FORM}", f"order-form-{FORM}-in-full"):  # nothing left out that it says twice
        assert order == full_order()


def test_the_golden_item_of_this_form_is_what_is_stored_now(request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"order-form-{FORM}.json"
    kept = {name: value for name, value in item_of().items() if name not in _BESIDE - {"pk", "form"}}
    written = json.dumps(kept, indent=2, sort_keys=True, default=int) + "\n"
    if request.config.getoption("--update-golden"):
        path.write_text(written, "utf-8")

    assert path.read_text("utf-8") == written


def test_the_golden_order_has_every_part_that_is_stored() -> None:
    found = {type(part).__name__ for part in _stored(full_order())}

    assert found == {kind.__name__ for kind in (*Stored.__subclasses__(), *Word.__subclasses__())} - {"Word"}


def _stored(part: Any) -> list[Stored]:
    if isinstance(part, tuple):
        return [found for each in part for found in _stored(each)]
    if not isinstance(part, Stored):
        return []
    return [part, *(found for field in fields(part) for found in _stored(getattr(part, field.name)))]


@given(st.data())
def test_any_unknown_fields_at_any_depth_survive_load_and_save(data: st.DataObject) -> None:
    item = item_of()
    for part in data.draw(st.lists(st.sampled_from(range(len(parts(item)))), min_size=1, max_size=6)):
        parts(item)[part].update(data.draw(st.dictionaries(names, anything, min_size=1, max_size=3)))

    order = order_of(item)

    assert item_of(order) == item
    assert order == full_order()


def test_a_field_of_the_future_on_each_part_survives() -> None:
    item = with_future_fields(item_of())

    assert json.dumps(item, default=str).count("of_the_future") == len(parts(item_of()))
    assert item_of(order_of(item)) == item


def test_an_item_of_a_newer_form_that_this_version_may_read_keeps_its_form() -> None:
    item = item_of() | {"form": Decimal(FORM + 1), "readable_from": Decimal(FORM)}

    assert item_of(order_of(item)) == item


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("payments", "state", "parked"),
        ("mails", "state", "resting"),
        ("lines", "kind", "gift"),
        ("waits", "reason", "weather"),
    ],
)
def test_an_order_with_a_member_of_the_future_is_of_a_newer_version(part: str, name: str, value: str) -> None:
    item = item_of()
    item[part][0][name] = value

    with pytest.raises(NewerVersion, match="refused_newer_version") as error:
        order_of(item)
    assert error.value.place == f"{part}[0].{name}"


def test_an_order_that_only_a_newer_version_may_read_is_of_a_newer_version() -> None:
    with pytest.raises(NewerVersion):
        order_of(item_of() | {"form": Decimal(FORM + 1), "readable_from": Decimal(FORM + 1)})


def test_an_order_of_a_newer_form_that_does_not_fit_is_of_a_newer_version() -> None:
    with pytest.raises(NewerVersion):
        order_of(item_of() | {"form": Decimal(FORM + 1), "lines": "in another item"})


def _damaged(**changes: Any) -> dict[str, Any]:
    return item_of() | changes


def _without(name: str) -> dict[str, Any]:
    item = item_of()
    del item[name]
    return item


MUCH = {"by": "mollie", "amount": "much"}


@pytest.mark.parametrize(
    ("item", "place"),
    [
        (_without("created_at"), "created_at"),
        (_damaged(lines=Decimal(2)), "lines, licenses[0].sku"),
        (
            _damaged(payments=[item_of()["payments"][0] | {"sums": [{"by": "mollie", "amount": "much"}]}]),
            "InvalidOperation",
        ),
        (_damaged(customer={"email": b"\xff\xfe"}), "customer.email"),
        (_damaged(customer={"name": Decimal(7)}), "customer.name"),
        (_damaged(created_at="yesterday"), "created_at"),
        (_damaged(created_at="2026-11-23T12:00:00"), "created_at"),
        (_damaged(hold={"by_person": "perhaps"}), "hold.by_person"),
        (_damaged(form="one"), "form"),
        (_damaged(customer={"corrected": {"jan@klant.example": Decimal(1)}}), "customer.corrected[]"),
    ],
)
def test_an_item_that_is_as_no_version_stores_it_is_unreadable_and_no_value_of_it_is_told(
    item: dict[str, Any], place: str
) -> None:
    with pytest.raises(Unreadable) as error:
        order_of(item)

    assert error.value.place == place
    assert error.value.said.values == {"order": "2026-000777"}
    assert "klant" not in f"{error.value}{error.value.place}"


def test_an_ordinary_order_has_no_unknown_fields() -> None:
    order = paid_order()

    assert converter.unstructure(order_of(item_of(order))) == converter.unstructure(order)


LATER = NOW + timedelta(days=1)
DAY = NOW.date()
ASKED = Asked(LATER, "anna")
STOCK_CODE = StockCode("digest", code(3), SKU)


def _told(**changes: Any) -> Callable[[Order], Order]:
    said = notice("2026-000777", provider="mollie", payment_id="tr_1", amount="79.90", at=LATER, **changes)
    return lambda order: with_payment(order, said, LATER, "EUR")


def _sent_again(order: Order) -> Order:
    return mailing.claim_mail(order, "renewal-1", LATER)


def _report(fate: Fate) -> MailReport:
    return MailReport("2026-000777", "renewal-1", 1, fate, LATER, "", "facturen@klant.example", "0102", NOW)


CHANGES: dict[str, Callable[[Order], Order]] = {
    "returned more": _told(refunded=Refunded(LATER, "9.00")),
    "a refund failed": _told(failed_refunds=(FailedRefund("re_1", "5.00", NOW), FailedRefund("re_2", "1.00", LATER))),
    "disputed anew": _told(disputes=(Dispute("chargeback", DisputeState.LOST, LATER),)),
    "one more name": _told(also=("stripe:pi_1",)),
    "another payment": lambda order: with_payment(order, notice("2026-000777"), LATER, "EUR"),
    "canceled": lambda order: contents.canceled(order, LATER),
    "its lines are told again": lambda order: with_payment(
        replace(order, payments=(replace(order.payments[0], state=PaymentState.OPEN),), licenses=(), mails=()),
        notice("2026-000777", *(replace(line, quantity=2) for line in full_order().lines)),
        LATER,
        "EUR",
    ),
    "waits longer": lambda order: waiting_for(order, Reason.STOCK, said("not_in_catalog"), LATER),
    "mail told": lambda order: mailing.with_report(order, _report(Fate.COMPLAINED), LATER),
    "address told again": lambda order: mailing.with_bad_address(order, "address_complained", LATER, LATER),
    "mail fails": lambda order: mailing.fail_mail(order, "renewal-1", said("no_codes_to_send"), LATER),
    "mail in doubt": lambda order: mailing.doubt_mail(_sent_again(order), "renewal-1", LATER),
    "mail settled": lambda order: mailing.settle_mail(_sent_again(order), "renewal-1", 2, MailSent("0103"), LATER),
    "renewed again": lambda order: renewals.with_renewal(
        order, replace(full_order().renewals[0], paid_on=None, term_days=366), LATER, has_left=False
    ),
    "renewal's days fixed": lambda order: renewals.with_periods(
        order, "2027-000001", [Term(1, DAY, DAY + timedelta(days=9), NOW, NOW, NOW)]
    ),
    "other days": lambda order: renewals.with_terms(
        order, [Term(1, DAY, DAY + timedelta(days=9), NOW, NOW, NOW, "2025-000001")], None, LATER, ZONE
    ),
    "sent again": lambda order: support.resend(
        replace(order, waits=(), hold=replace(order.hold, problem=None)), ASKED, ZONE
    )[0],
    "address corrected": lambda order: support.correct_address(order, "anna@klant.example", ASKED, ZONE),
    "held and released": lambda order: support.release(support.hold(order, "anna", LATER), "anna", LATER),
    "code swapped": lambda order: support.with_other_code(
        replace(order, blocked=()), "LIC-ABCDEFGH23", STOCK_CODE, "invalid", ASKED
    ),
    "erased": lambda order: support.erase(order, ASKED, DAY),
}


@pytest.mark.parametrize("name", CHANGES)
def test_fields_of_the_future_survive_every_change(name: str) -> None:
    order = order_of(with_future_fields(item_of()))

    after = CHANGES[name](order)

    assert after is not order
    item, changed = item_of(order), item_of(after)
    gone = {kind for kind in item if kind not in changed or not changed[kind]}
    kept = {kind: members for kind, members in item.items() if kind not in gone}
    lost = [path for path in lost_fields(kept, changed) if not _is_gone(path, kept, changed)]
    assert lost == (
        [".customer", ".payments[0].buyers[0]"] if name == "erased" else []
    )  # of whom nothing may stay, known or not


def _is_gone(path: str, before: Any, after: Any) -> bool:
    """Whether a change dropped the member itself, and not only what it does not know of it."""
    kind, _, place = path.removeprefix(".").partition("[")
    return bool(place) and path.count(".") == 1 and len(after[kind]) < len(before[kind])
