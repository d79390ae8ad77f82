import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from keypost.core.errors import InvalidInput, SignatureRefused
from keypost.core.payment import (
    Charged,
    Dispute,
    DisputeState,
    News,
    PaymentNotice,
    PaymentState,
    Refunded,
    Remark,
    Standing,
)
from keypost.core.product import Kind, Line
from keypost.core.said import Said
from keypost.providers import moneybird
from tests.builders import EVENTS, MONEYBIRD_SECRET, NOW, SKU, a_call, added_up, event

RECORDED = "moneybird/sales_invoice_state_changed_to_paid.json"
EXTERNAL = "moneybird/external_sales_invoice_state_changed_to_paid.json"
DESTROYED = "moneybird/payment_destroyed.json"
BODY = (EVENTS / RECORDED).read_bytes()
AT = int(NOW.timestamp())


def invoice(path: str = RECORDED, action: str | None = None, **changes: Any) -> bytes:
    """A recorded event, with changes to its entity."""
    body = event(path)
    body["action"] = action or body["action"]
    body["entity"] |= changes
    return json.dumps(body).encode()


def with_line(**changes: Any) -> bytes:
    """The paid invoice, with changes to the line that has a SKU."""
    first, *others = event(RECORDED)["entity"]["details"]
    return invoice(details=[first | changes, *others])


def with_contact(**changes: Any) -> bytes:
    return invoice(contact=event(RECORDED)["entity"]["contact"] | changes)


def read(body: bytes) -> PaymentNotice:
    (notice,) = moneybird.read(a_call(body))
    assert isinstance(notice, PaymentNotice)
    return notice


def sign(body: bytes = BODY, secret: str = MONEYBIRD_SECRET, at: int = AT) -> str:
    header: str = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)
    return header


def verify(header: str, *secrets: str, body: bytes = BODY) -> None:
    moneybird.verify(a_call(body, {"moneybird-signature": header}), secrets or (MONEYBIRD_SECRET,))


UPDATED = datetime(2026, 11, 20, 9, 14, 3, 128000, tzinfo=UTC)
PAID = PaymentNotice(
    provider="moneybird",
    payment_id="433546309874484716",
    state=PaymentState.PAID,
    at=datetime(2026, 11, 20, 12, tzinfo=UTC),
    order_id="2026-0187",
    amount="100.45",
    currency="EUR",
    email="facturen@klant.example",
    name="Anna Jansen",
    language="nl",
    lines=(Line(SKU, 1),),
    said=UPDATED,
    charged=(
        Charged(SKU, 1, f"Kaspersky Standard, 1 jaar [{SKU}]", "33.02"),
        Charged("", 1, "Installatie op afstand", "50.0"),
    ),
    refers_to="PO 4711",
    disputes=(Dispute("payment", DisputeState.WON, UPDATED),),
)


def test_a_paid_invoice_is_read_as_moneybird_sends_it() -> None:
    assert read(BODY) == PAID


def test_a_paid_external_invoice_goes_by_its_id_as_it_has_no_number() -> None:
    assert read(invoice(EXTERNAL)) == replace(
        PAID,
        payment_id="433546254873528107",
        order_id="433546254873528107",
        amount="79.91",
        language=None,
        lines=(Line(SKU, 2),),
        charged=(Charged(SKU, 2, f"Kaspersky Standard, 1 jaar [{SKU}]", "66.04"),),
        refers_to="F-88",
    )


@pytest.mark.parametrize("number", [None, "", "2026/0187", "F 1", "a" * 65, 20260187, ["2026-0187"]])
def test_an_invoice_number_that_is_no_order_id_gives_way_to_the_invoices_id(number: Any) -> None:
    assert read(invoice(invoice_id=number)).order_id == "433546309874484716"


@pytest.mark.parametrize(
    ("paid_at", "at"),
    [
        ("2026-11-20", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-20T23:30:01.615+01:00", datetime(2026, 11, 20, 22, 30, 1, tzinfo=UTC)),
        ("2026-11-23T11:59:59Z", NOW - timedelta(seconds=1)),
        ("2026-11-24", NOW),
        ("2199-01-01T00:00:00Z", NOW),
        (None, NOW),
        ("", NOW),
        ("yesterday", NOW),
        ("2026-11-20T10:00:00", NOW),
        ("0001-01-01T00:00:00+23:00", NOW),
        (1_795_000_000, NOW),
    ],
)
def test_an_invoice_is_paid_on_the_day_it_says_but_never_in_the_future(paid_at: Any, at: datetime) -> None:
    assert read(invoice(paid_at=paid_at)).at == at


@pytest.mark.parametrize(
    ("amount", "quantity"),
    [("2", 2), ("2 x", 2), ("2x", 2), ("2 X", 2), (" 2 x ", 2), ("2,00", 2), ("2,0 x", 2), ("1.0", 1), ("1.00", 1),
     ("12", 12), ("9999", 9999), ("", 1), (" ", 1), (None, 1)],
)  # fmt: skip
def test_the_quantity_is_read_however_moneybird_spells_it(amount: str | None, quantity: int) -> None:
    assert read(with_line(amount=amount)).lines == (Line(SKU, quantity),)


@pytest.mark.parametrize(
    "amount",
    ["1,5", "0.5", "2,50 x", "0", "0,00", "0 x", "-1", "-1 x", "10000", "1.000", "1e3", "2 uur", "x", "1:30", "\u0662"],
)
def test_a_quantity_that_is_no_whole_number_of_licenses_is_held_and_never_dropped(amount: str) -> None:
    notice = read(with_line(amount=amount))

    assert (notice.state, notice.lines) == (PaymentState.PAID, ())
    assert notice.problem
    assert notice.problem.code == "invoice_line_does_not_fit"
    assert "quantity" in repr(notice.problem)


@pytest.mark.parametrize("hostile", ["1,5 private", "private"])
def test_no_problem_repeats_what_the_invoice_says(hostile: str) -> None:
    for body in (with_line(amount=hostile), with_line(period=hostile)):
        assert "private" not in repr(read(body).problem or "private")


def test_the_period_of_a_line_is_that_of_its_license() -> None:
    line = Line(SKU, 1, period_start=date(2026, 12, 1), period_end=date(2027, 11, 30))

    assert read(with_line(period="20261201..20271130")).lines == (line,)
    assert read(with_line(period="")).lines == (Line(SKU, 1),)


@pytest.mark.parametrize(
    "period",
    ["202612", "202612..202711", "20261201", "20261201..", "..20271130", "20271130..20261201", "20261301..20271130",
     "this_year", "1795000000..1795000000", "2026-12-01..2027-11-30", "19991231..20001231", "."],
)  # fmt: skip
def test_a_period_that_is_not_two_days_is_held_rather_than_guessed(period: str) -> None:
    notice = read(with_line(period=period))

    assert notice.lines == ()
    assert "invoice_line_does_not_fit" in repr(notice.problem)


def test_every_line_with_a_sku_is_a_line_and_the_others_are_other_work() -> None:
    details = [
        {"description": "[A-1Y] een jaar", "amount": "2"},
        {"description": "Installatie", "amount": "1,5"},
        {"description": None, "amount": None},
        {"description": "twee\nregels [B.2_x] en [B.2_x] nog eens", "amount": "1"},
        {"description": "[geen SKU]", "amount": "0"},
    ]

    assert read(invoice(details=details)).lines == (Line("A-1Y", 2), Line("B.2_x", 1))


def test_two_skus_on_one_line_are_held() -> None:
    assert "sku" in repr(read(with_line(description="[A] of [B]")).problem)


@pytest.mark.parametrize(
    ("reference", "renews"),
    [
        ("LIC-6BSOJUSSSU", "LIC-6BSOJUSSSU"),
        (" LIC-6BSOJUSSSU ", "LIC-6BSOJUSSSU"),
        ("verlenging LIC-6BSOJUSSSU", "LIC-6BSOJUSSSU"),
        ("Verlenging 2025-001234", "2025-001234"),
        ("RENEWAL  2025-001234/2", "2025-001234/2"),
        ("Verlenging: 2025-001234", "2025-001234"),
        ("lic 6bsojusssu", "LIC-6BSOJUSSSU"),
        ("verlenging AAAAA BBBBB CCCCC DDDDD", "AAAAA BBBBB CCCCC DDDDD"),  # a code, which is looked up later
    ],
)
def test_a_reference_makes_all_lines_renewals(reference: str, renews: str) -> None:
    details = [{"description": "[A]"}, {"description": "[B]"}]

    lines = read(invoice(reference=reference, details=details)).lines
    assert lines == (Line("A", 1, Kind.RENEWAL, renews), Line("B", 1, Kind.RENEWAL, renews))


@pytest.mark.parametrize(
    "reference",
    [None, "", "PO 4711", "LIC-6BSOJUSSS", "LIC-6BSOJUSSSU8", "LIC-0BSOJUSSSU", "verlenging",
     "verlenging A B", "verlenging A/B", "onze verlenging A", "verlengingA", "renewal A/2/3"],
)  # fmt: skip
def test_any_other_reference_is_the_customers_own(reference: str | None) -> None:
    assert read(invoice(reference=reference)).lines == (Line(SKU, 1),)


@pytest.mark.parametrize(
    ("contact", "email"),
    [
        ({"send_invoices_to_email": "", "email": "anna@klant.example"}, "anna@klant.example"),
        ({"send_invoices_to_email": None, "email": "anna@klant.example"}, "anna@klant.example"),
        ({"send_invoices_to_email": "no address, , b@klant.example,c@klant.example"}, "b@klant.example"),
        ({"send_invoices_to_email": "no address", "email": "anna@klant.example"}, "anna@klant.example"),
        ({"send_invoices_to_email": "a@klant.example\r\nBcc: x@klant.example", "email": 5}, None),
        ({"send_invoices_to_email": None, "email": None}, None),
        ({"send_invoices_to_email": "a@klant.example; b@klant.example"}, "a@klant.example"),
        ({"send_invoices_to_email": ";a@klant.example b@klant.example"}, "a@klant.example"),
        ({"send_invoices_to_email": '"Jansen, Jan" <jan@klant.example>, b@klant.example'}, "jan@klant.example"),
        ({"send_invoices_to_email": "Jan Jansen <jan@klant.example>"}, "jan@klant.example"),
        ({"send_invoices_to_email": "<jan@klant,example>; b@klant.example"}, "b@klant.example"),
    ],
)
def test_the_mail_goes_to_the_first_usable_address_for_invoices(contact: dict[str, Any], email: str | None) -> None:
    assert read(with_contact(**contact)).email == email


@pytest.mark.parametrize(
    ("contact", "name"),
    [
        ({"firstname": "", "lastname": None}, "Klant B.V."),
        ({"firstname": "", "lastname": "Jansen"}, "Jansen"),
        ({"firstname": "", "lastname": "", "company_name": ""}, None),
        ({"firstname": "Anna\r\n", "lastname": "\u202eJansen"}, "Anna Jansen"),
    ],
)
def test_a_customer_is_greeted_by_name_or_else_as_a_company(contact: dict[str, Any], name: str | None) -> None:
    assert read(with_contact(**contact)).name == name


@pytest.mark.parametrize(
    "discount",
    [
        {"price": "-3.31", "total_price_excl_tax_with_discount": "-3.31"},
        {"price": "-3.31"},
        {"price": "0.0", "total_price_excl_tax_with_discount": "0.0"},
        {"price": "33.02", "total_price_excl_tax_with_discount": "0.0"},
    ],
    ids=range(4),
)
def test_a_line_that_costs_nothing_or_less_is_no_license_though_it_names_one(discount: dict[str, str]) -> None:
    line = event(RECORDED)["entity"]["details"][0]
    off = line | {"description": f"Kennismakingskorting op Kaspersky Standard [{SKU}]"} | discount

    found = read(invoice(details=[line, off]))
    assert found.lines == (Line(SKU, 1),)
    assert [charged.sku for charged in found.charged] == [SKU, SKU]
    assert [Decimal(charged.total or 9) > 0 for charged in found.charged] == [
        True,
        Decimal(off["total_price_excl_tax_with_discount"]) > 0,
    ]


def test_a_name_between_brackets_in_another_spelling_is_handed_on_for_the_catalog_to_know() -> None:
    found = read(invoice(details=[{"description": "Kaspersky [kaspersky-standard 3d], geleverd", "amount": "2"}]))

    assert (found.lines, found.problem, found.itemized) == ((), None, True)
    assert found.charged == (Charged("kaspersky-standard 3d", 2, "Kaspersky [kaspersky-standard 3d], geleverd"),)


def test_a_line_that_cannot_be_read_leaves_the_others_as_they_are() -> None:
    found = read(invoice(details=[{"description": "[A]", "amount": "1,5"}, {"description": "[B]", "amount": "2"}]))

    assert found.lines == (Line("B", 2),)
    assert found.problem is not None
    assert found.problem.values["line"] == 1


@pytest.mark.parametrize(
    ("reference", "refers_to"),
    [("1237", "1237"), (" #1237 ", "#1237"), (None, ""), ("LIC-6BSOJUSSSU", ""), ("verlenging 1201", "")],
)
def test_the_reference_may_be_the_shops_number_of_the_order(reference: str | None, refers_to: str) -> None:
    assert read(invoice(reference=reference)).refers_to == refers_to


CREDIT = {"total_price_incl_tax": "-40.00", "original_sales_invoice_id": "433546309874484716"}


def test_a_credit_note_that_was_paid_out_is_money_back_of_the_invoice_that_it_names() -> None:
    assert read(invoice(**CREDIT, id="433546310099999999")) == PaymentNotice(
        provider="moneybird",
        payment_id="433546309874484716",
        state=None,
        at=UPDATED.replace(microsecond=0),
        order_id="",
        said=UPDATED,
        refunded=Refunded(UPDATED, "40.00", by="moneybird#433546310099999999"),
    )


def test_a_credit_note_that_names_no_invoice_is_remarked() -> None:
    (remark,) = moneybird.read(a_call(invoice(total_price_incl_tax="-100.45", original_sales_invoice_id=None)))

    assert remark == Remark("moneybird", NOW, Said("credit_of_what"), "", "moneybird:433546309874484716")


def test_an_invoice_that_is_not_as_its_event_says_is_remarked() -> None:
    (remark,) = moneybird.read(a_call(invoice(state="open")))

    why = Said("invoice_not_paid_any_more", {"state": "open"})
    assert remark == Remark("moneybird", NOW, why, "2026-0187", "moneybird:433546309874484716")


def test_an_invoice_without_a_contact_is_an_order_without_an_address() -> None:
    notice = read(invoice(contact=None))

    assert (notice.state, notice.email, notice.name) == (PaymentState.PAID, None, None)


def test_an_invoice_that_a_credit_note_settled_is_held() -> None:
    """Moneybird calls it paid, though no money came."""
    payments = [{"price": "100.45", "credit_invoice_id": "433546310070568999"}]

    assert read(invoice(payments=payments)).problem == Said("credit_note")


OPEN_AGAIN: dict[str, Callable[..., bytes]] = {
    "payment_destroyed": lambda **how: invoice(action="payment_destroyed", state="open", **how),
    "sales_invoice_payment_destroyed": lambda **how: invoice(
        action="sales_invoice_payment_destroyed", state="late", **how
    ),
}


@pytest.mark.parametrize("body", OPEN_AGAIN.values(), ids=OPEN_AGAIN.keys())
def test_a_payment_taken_back_is_a_dispute_and_says_nothing_else(body: Callable[..., bytes]) -> None:
    updated = datetime(2026, 11, 21, 8, 0, 5, 900000, tzinfo=UTC)

    assert read(body(updated_at="2026-11-21T08:00:05.900Z")) == PaymentNotice(
        provider="moneybird",
        payment_id="433546309874484716",
        state=None,
        at=NOW,
        order_id="2026-0187",
        said=updated,
        refers_to="PO 4711",
        disputes=(Dispute("payment", DisputeState.OPEN, updated),),
    )


def test_without_its_last_change_an_invoice_is_as_of_now() -> None:
    for body in (invoice(updated_at=None), OPEN_AGAIN["payment_destroyed"](updated_at=None)):
        assert [dispute.as_of for dispute in read(body).disputes] == [NOW]


def test_a_payment_taken_back_that_names_only_its_invoice_finds_the_order_by_that() -> None:
    found = read(invoice(DESTROYED))

    assert (found.order_id, found.names) == ("", PAID.names)
    assert found.disputes == (Dispute("payment", DisputeState.OPEN, NOW),)


def test_paid_and_taken_back_give_the_same_payment_in_whatever_order_they_come() -> None:
    paid = read(BODY)
    back = read(OPEN_AGAIN["payment_destroyed"](updated_at="2026-11-21T08:00:00Z"))
    again = read(invoice(paid_at="2026-11-22", updated_at="2026-11-22T08:00:00Z"))

    assert added_up([paid, back]).standing is Standing.DISPUTED
    for story in ([paid, back], [paid, back, again], [paid, back, again, paid, back]):
        told = {added_up(list(order)) for order in permutations(story)}
        assert len(told) == 1
        assert told.pop().standing is (Standing.PAID if again in story else Standing.DISPUTED)


@pytest.mark.parametrize(
    "body",
    [
        invoice(details=[]),
        with_line(description="Kaspersky Standard"),
        invoice(action="payment_destroyed", state="open", details=[]),
        invoice(action="payment_destroyed"),  # another payment is still enough
        invoice(total_price_incl_tax="-100.45", details=[]),
        invoice(action="payment_destroyed", state="open", total_price_incl_tax="-100.45"),
        invoice(action="sales_invoice_state_changed_to_open", state="open"),
        invoice(action="payment_registered"),
        invoice(action="test_webhook"),
        invoice(DESTROYED, invoice_type="PurchaseInvoice"),
        invoice(DESTROYED, action="payment_registered"),
        b'{"action": "contact_created", "entity_type": "Contact", "entity": {}}',
    ],
    ids=range(12),
)
def test_what_is_none_of_our_business_tells_of_nothing(body: bytes) -> None:
    assert moneybird.read(a_call(body)) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"action": "sales_invoice_state_changed_to_paid", "entity_type": "SalesInvoice"}',
        invoice(id=None),
        invoice(id="../1"),
        invoice(state=None),
        invoice(total_price_incl_tax="100,45"),
        invoice(total_price_incl_tax="1e9"),
        invoice(total_price_incl_tax="NaN"),
        invoice(total_price_incl_tax=100.45),
        invoice(currency="eur"),
        invoice(details=None),
        invoice(DESTROYED, invoice_id="2026-0187/"),
    ],
    ids=range(12),
)
def test_an_invoice_that_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        moneybird.read(a_call(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)
fields = sorted(event(RECORDED)["entity"])


@given(
    st.dictionaries(st.sampled_from(fields), json_values),
    st.dictionaries(st.sampled_from(["description", "amount", "period"]), json_values),
    st.sampled_from([RECORDED, EXTERNAL, DESTROYED]),
    st.sampled_from([None, "payment_destroyed"]),
)
def test_whatever_stands_in_an_invoice_it_is_read_or_refused(
    changes: dict[str, Any], line: dict[str, Any], path: str, action: str | None
) -> None:
    tagged = {"details": [{"description": f"[{SKU}]"} | line]}
    with suppress(InvalidInput):
        moneybird.read(a_call(invoice(path, action, **tagged | changes)))


@given(st.text(max_size=20), st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_whatever_a_line_says_a_paid_invoice_with_a_sku_is_never_dropped(
    amount: str, period: str, text: str, paid_at: str
) -> None:
    body = invoice(details=[{"description": f"[A]{text}", "amount": amount, "period": period}], paid_at=paid_at)

    notice = read(body)
    assert notice.at <= NOW
    assert notice.lines or notice.problem


def test_what_moneybird_signed_is_accepted() -> None:
    verify(sign())


def test_any_of_two_secrets_and_any_of_two_signatures_will_do_during_a_rotation() -> None:
    old, new = sign(secret="old"), sign(secret="new")
    both = f"{old},{new.partition(',')[2]}"

    verify(both, "new")
    verify(both, "old")
    verify(old, "new", "old")
    with pytest.raises(SignatureRefused):
        verify(both, "newer")


def test_a_scheme_that_is_not_known_is_ignored_and_not_believed() -> None:
    verify(f"{sign()},v2=abc,v0=,x")
    with pytest.raises(SignatureRefused):
        verify(sign().replace("v1=", "v2="))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_signature_is_good_for_five_minutes_to_both_sides(seconds: int) -> None:
    verify(sign(at=AT + seconds))


@pytest.mark.parametrize("seconds", [-301, 301, -86400, 86400])
def test_an_old_or_future_signature_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureRefused, match="signature_too_old"):
        verify(sign(at=AT + seconds))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        f"t={AT}",
        f"t={AT},v1",
        f"t={AT},v1=",
        f"t={AT},v1=\xe9\ud800",
        sign() + f",t={AT}",
        sign().partition(",")[2],
        sign().replace("t=", "t=+"),
        sign().replace("t=", "T="),
        sign().replace("v1=", "v1=0"),
        sign().replace(str(AT), str(AT - 1)),
        sign().replace(str(AT), "\u0661\u0662"),
        "," * 5000,
    ],
    ids=range(14),
)
def test_a_malformed_or_forged_header_is_refused(header: str) -> None:
    with pytest.raises(SignatureRefused):
        verify(header)


@pytest.mark.parametrize("body", [BODY + b" ", b"", b"\xff" + BODY], ids=range(3))
def test_other_bytes_than_those_signed_are_refused(body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        verify(sign(), body=body)


def test_an_unsigned_call_is_refused() -> None:
    with pytest.raises(SignatureRefused):
        moneybird.verify(a_call(BODY), (MONEYBIRD_SECRET,))


@pytest.mark.parametrize("secrets", [(), ("",), ("other",)])
def test_without_the_right_secret_nothing_is_accepted_not_even_with_an_empty_one(secrets: tuple[str, ...]) -> None:
    for key in ("", MONEYBIRD_SECRET):
        with pytest.raises(SignatureRefused):
            moneybird.verify(a_call(BODY, {"moneybird-signature": sign(secret=key)}), secrets)


@given(st.text(st.characters(), max_size=60), st.binary(max_size=60), st.booleans())
def test_no_header_and_no_body_raises_anything_but_a_refusal(header: str, body: bytes, stamped: bool) -> None:
    with pytest.raises(SignatureRefused):
        verify(f"t={AT},{header}" if stamped else header, body=body)


parts = st.sampled_from(["right", "other secret", "other body", "other time", "v0", "short", "empty"])


@given(st.text(max_size=40), st.lists(parts, max_size=4), st.sampled_from([MONEYBIRD_SECRET, "other"]))
def test_we_accept_what_stripes_library_accepts_as_the_scheme_is_the_same(
    text: str, kinds: list[str], secret: str
) -> None:
    body = text.encode()
    right = sign(body).partition(",")[2]
    spelled = {
        "right": right,
        "other secret": sign(body, "other").partition(",")[2],
        "other body": sign(body + b"x").partition(",")[2],
        "other time": sign(body, at=AT + 1).partition(",")[2],
        "v0": right.replace("v1=", "v0="),
        "short": right[:-1],
        "empty": "v1=",
    }
    header = ",".join([f"t={AT}", *(spelled[kind] for kind in kinds)])

    assert accepts(lambda: verify(header, secret, body=body)) == accepts(
        lambda: stripe.WebhookSignature.verify_header(body, header, secret)
    )


def accepts(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (SignatureRefused, stripe.SignatureVerificationError):
        return False
    return True


def test_the_try_that_moneybird_makes_before_it_tells_the_secret_gets_its_200_and_tells_of_nothing() -> None:
    trial = invoice(action="test_webhook")

    moneybird.verify(a_call(trial), ())
    assert moneybird.read(a_call(trial)) == ()


SINCE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STATES = "paid|open|late|reminded|pending_payment|uncollectible"
Asked = list[tuple[str, dict[str, str]]]


def lists(asked: Asked, **found: list[Any]) -> Any:
    """Moneybird's API with these invoices of each kind."""

    def get(path: str, query: dict[str, str]) -> dict[str, Any]:
        asked.append((path, query))
        first, size = (int(query["page"]) - 1) * int(query["per_page"]), int(query["per_page"])
        return {"list": found.get(path.strip("/").removesuffix(".json"), [])[first : first + size]}

    return get


def recent(*sales: Any, external: tuple[Any, ...] = (), asked: Asked | None = None) -> list[News]:
    get = lists([] if asked is None else asked, sales_invoices=[*sales], external_sales_invoices=[*external])
    return [*moneybird.recent(a_call(b"", get=get), SINCE)]


def listed(path: str = RECORDED, **changes: Any) -> dict[str, Any]:
    entity: dict[str, Any] = json.loads(invoice(path, **changes))["entity"]
    return entity


def test_an_invoice_in_the_list_says_what_its_webhook_says() -> None:
    external = listed(EXTERNAL, payments=[], updated_at="2026-11-20T09:14:03.128Z")
    asked: Asked = []

    assert recent(listed(), external=(external,), asked=asked) == [PAID, read(invoice(EXTERNAL))]
    assert [(path, query["filter"]) for path, query in asked] == [
        ("/sales_invoices.json", f"state:{STATES},period:20231119..20261224,updated_after:2026-11-20T08:59:59Z"),
        ("/external_sales_invoices.json", f"state:{STATES},period:20260823..20261224"),
    ]


def test_all_pages_of_a_list_are_read() -> None:
    asked: Asked = []
    found = recent(*(listed(id=str(number)) for number in range(101)), asked=asked)

    assert len(found) == 101
    assert [query["page"] for path, query in asked if path == "/sales_invoices.json"] == ["1", "2", "3"]


def test_one_invoice_that_cannot_be_read_leaves_those_behind_it_as_they_are() -> None:
    found = recent(listed(id="1"), None, listed(id="2", currency="eur"), listed(id="3"))

    assert [news.payment_id if isinstance(news, PaymentNotice) else news for news in found] == [
        "1",
        Remark(
            "moneybird",
            NOW,
            Said("object_unreadable", {"why": Said("field_not_as_agreed", {"field": "currency"})}),
            "",
            "moneybird:2",
        ),
        "3",
    ]


def test_an_invoice_that_is_not_paid_any_more_is_news_of_a_payment_that_we_know() -> None:
    (back,) = recent(listed(state="late", payments=[], paid_at=None))

    assert isinstance(back, PaymentNotice)
    assert (back.state, back.order_id, back.names) == (None, "", PAID.names)
    assert [each.state for each in back.disputes] == [DisputeState.OPEN]
    assert recent(listed(state="open", payments=[], details=[])) == []


def test_an_invoice_that_was_paid_before_and_changed_since_is_news_of_what_we_know_or_nothing() -> None:
    old = [{"created_at": "2026-11-20T08:59:59.999Z"}]
    entered = [{"created_at": "2026-11-20T09:00:00.000Z"}]

    (before,) = recent(listed(payments=old, paid_at="2026-11-20"))
    (since,) = recent(listed(payments=entered, paid_at="2026-11-16"))
    assert isinstance(before, PaymentNotice)
    assert isinstance(since, PaymentNotice)
    assert (before.state, before.order_id, before.charged) == (None, "", PAID.charged)
    assert (since.state, since.order_id) == (PaymentState.PAID, "2026-0187")
    assert recent(listed(updated_at="2026-11-20T08:59:59.999Z")) == []
