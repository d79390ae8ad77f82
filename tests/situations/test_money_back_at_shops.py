"""Money back finds its payment (K-F): Moneybird's credit notes."""

from itertools import permutations

import pytest

from keypost.core.payment import Remark, Standing
from keypost.providers import moneybird
from tests.builders import a_call, added_up, of_moneybird, only_notice

PAID = only_notice(moneybird.read(a_call(of_moneybird())))


@pytest.mark.parametrize(("total", "standing"), [("-40.00", Standing.PARTLY_REFUNDED), ("-100.45", Standing.REFUNDED)])
def test_a_credit_note_that_was_paid_out_is_money_back_of_its_invoice(total: str, standing: Standing) -> None:
    """developer.moneybird.com: a credit note is an invoice of a negative total that names its original."""
    note = of_moneybird(
        id="5", invoice_id="2026-0188", total_price_incl_tax=total, original_sales_invoice_id=PAID.payment_id
    )
    back = only_notice(moneybird.read(a_call(note)))

    assert {added_up(told).standing for told in ([PAID, back], [back, PAID])} == {standing}


def test_a_credit_note_that_names_no_invoice_is_written_into_the_inbox() -> None:
    (remark,) = moneybird.read(a_call(of_moneybird(id="5", total_price_incl_tax="-40.00")))

    assert isinstance(remark, Remark)
    assert (remark.why.code, remark.payment) == ("credit_of_what", "moneybird:5")


def test_two_credit_notes_of_one_invoice_add_up() -> None:
    """Each note has its own total, and not that of all notes of the invoice."""
    one, other = (
        only_notice(
            moneybird.read(
                a_call(
                    of_moneybird(
                        id=note, invoice_id=None, total_price_incl_tax=total, original_sales_invoice_id=PAID.payment_id
                    )
                )
            )
        )
        for note, total in (("5", "-40.00"), ("6", "-60.45"))
    )

    assert added_up([PAID, one, one]).returned == 40
    for told in permutations([PAID, one, other, other]):
        assert added_up(told).standing is Standing.REFUNDED
