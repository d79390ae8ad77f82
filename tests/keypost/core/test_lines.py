"""The numbers of an order's lines when what it is for changes."""

from dataclasses import replace

import pytest

from keypost.core.lines import with_lines
from keypost.core.mail import Mail, MailState, Purpose
from keypost.core.order import Order
from keypost.core.product import Line
from tests.builders import SKU, sent_order


def left(order: Order, *numbers: int) -> Order:
    """The order when a mail about these lines has left, too."""
    mail = Mail("purchase-2", Purpose.PURCHASE, MailState.SENT, lines=numbers, may_have_left=True)
    return replace(order, mails=(*order.mails, mail))


def numbered(order: Order) -> dict[int, int]:
    return {number: line.quantity for number, line in order.numbered.items()}


def test_more_of_what_has_left_is_a_line_of_its_own() -> None:
    order = with_lines(sent_order(), [Line(SKU, 3)])

    assert numbered(order) == {1: 1, 2: 2}


@pytest.mark.parametrize("leaves", [(), (2,)], ids=["waits", "has left"])
def test_the_same_told_again_is_the_same_lines_whatever_has_left_since(leaves: tuple[int, ...]) -> None:
    order = with_lines(sent_order(), [Line(SKU, 2)])
    order = left(order, *leaves) if leaves else order

    assert with_lines(order, [Line(SKU, 2)]) is order


def test_more_again_counts_all_that_has_left() -> None:
    order = left(with_lines(sent_order(), [Line(SKU, 2)]), 2)

    assert numbered(with_lines(order, [Line(SKU, 5)])) == {1: 1, 2: 1, 3: 3}


def test_what_has_left_stays_though_a_line_before_it_waits() -> None:
    order = left(with_lines(sent_order(), [Line(SKU, 2)]), 2)
    order = replace(order, mails=order.mails[1:])  # the first line is the one that waits

    assert numbered(with_lines(order, [Line(SKU, 3)])) == {1: 2, 2: 1}


def test_less_leaves_the_first_one() -> None:
    order = left(with_lines(sent_order(), [Line(SKU, 2)]), 2)

    assert numbered(with_lines(order, [Line(SKU, 1)])) == {1: 1}
