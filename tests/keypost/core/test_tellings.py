"""What an order is for is computed from all that was told, in any order and any number of times. The oracle is the
money: what was taken and not given back, for which goods and from whom."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count, pairwise, permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keypost.core import contents, licensing, settling, support
from keypost.core.codes import StockCode
from keypost.core.errors import Refused
from keypost.core.mail import Asked
from keypost.core.obstacles import is_servable, obstacle, obstacles
from keypost.core.order import Order
from keypost.core.owed import deliveries, missing, returnable, to_block
from keypost.core.payment import (
    Dispute,
    DisputeState,
    Payment,
    PaymentNotice,
    PaymentState,
    Refunded,
    Standing,
)
from keypost.core.plan import attention
from keypost.core.product import Kind, Line
from keypost.core.said import Said
from keypost.core.telling import Buyer
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, notice, paid_order

PLUS = "KASPERSKY-PLUS-3D-1Y"
PRICES = {SKU: Decimal("39.95"), PLUS: Decimal("49.95")}
ANNA, BEN = "anna@klant.example", "ben@klant.example"
ID = "2026-001234"


@dataclass(frozen=True)
class Attempt:
    """A payment as it really is."""

    name: str
    goods: tuple[Line, ...]
    who: str
    is_paid: bool
    returned: Decimal
    is_told_by_shop: bool

    @property
    def price(self) -> Decimal:
        return sum((PRICES[line.sku] * line.quantity for line in self.goods), Decimal(0))

    def told(self, number: int) -> list[PaymentNotice]:
        """All that its provider and its shop say of it, as it happens."""
        begun = NOW + timedelta(minutes=10 * number)
        plain = PaymentNotice(
            provider="stripe",
            payment_id=self.name,
            state=PaymentState.OPEN,
            at=begun,
            order_id=ID,
            amount=str(self.price),
            currency="EUR",
            email=self.who,
            lines=self.goods,
            said=begun,
        )
        news = [plain]
        if self.is_paid:
            paid = begun + timedelta(minutes=1, microseconds=7)
            news.append(replace(plain, state=PaymentState.PAID, at=begun + timedelta(minutes=1), said=paid))
        if self.returned:
            back = Refunded(begun + timedelta(minutes=5), str(self.returned))
            news.append(PaymentNotice("stripe", self.name, None, back.as_of, ID, refunded=back))
        if self.is_told_by_shop:
            of_shop = [
                replace(each, provider="webhook", payment_id=f"own-{self.name}", also=(f"stripe:{self.name}",))
                for each in news
            ]
            news += of_shop
        return news


@st.composite
def attempts(draw: st.DrawFn) -> list[Attempt]:
    goods = st.sampled_from([(Line(SKU, 1),), (Line(SKU, 2),), (Line(PLUS, 1),), (Line(SKU, 1), Line(PLUS, 1))])
    found = []
    for number in range(draw(st.integers(1, 3))):
        made = Attempt(
            name=f"cs_{number}",
            goods=draw(goods),
            who=draw(st.sampled_from([ANNA, ANNA, ANNA, BEN])),
            is_paid=draw(st.booleans()),
            returned=Decimal(0),
            is_told_by_shop=draw(st.booleans()),
        )
        part = draw(st.sampled_from([Decimal(0), Decimal(0), Decimal(1), made.price])) if made.is_paid else Decimal(0)
        found.append(replace(made, returned=part))
    return found


def told(news: list[PaymentNotice]) -> Order:
    order: Order | None = None
    for each in news:
        order = contents.with_payment(order, each, NOW, "EUR")
    assert order is not None
    return order


def seen(order: Order) -> object:
    """All of an order that does not tell in which order it was told."""
    lines = sorted((line.sku, line.quantity) for line in order.lines)
    return lines, order.customer.email, order.hold, order.standing, order.is_paid_twice, is_servable(order)


@settings(max_examples=120, deadline=None)
@given(made=attempts(), data=st.data())
def test_any_order_and_any_duplication_gives_what_the_money_says(made: list[Attempt], data: st.DataObject) -> None:
    news = [each for number, attempt in enumerate(made) for each in attempt.told(number)]
    again = data.draw(st.lists(st.sampled_from(news), max_size=4))
    order = told(data.draw(st.permutations([*news, *again])))

    there = [attempt for attempt in made if attempt.is_paid and attempt.returned < attempt.price]
    goods = {frozenset((line.sku, line.quantity) for line in attempt.goods) for attempt in there}
    if len(goods) > 1 or len({attempt.who for attempt in there}) > 1:
        assert order.hold.contents is not None
        assert not is_servable(order)
    elif there:
        assert order.hold.contents is None
        assert {frozenset((line.sku, line.quantity) for line in order.lines)} == goods
        assert order.customer.email == there[0].who
        assert order.is_paid_twice == (len(there) > 1)
    else:
        assert not is_servable(order)
    if is_servable(order):
        taken = sum((attempt.price for attempt in there), Decimal(0))
        assert sum(PRICES[line.sku] * line.quantity for line in order.lines) <= taken
    assert seen(order) == seen(told(news))


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_of_one_shop_that_changes_its_mind_the_newest_word_counts_whatever_arrives_when(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    words = [
        notice(
            ID,
            Line(SKU, count),
            provider="webhook",
            payment_id="inv_1",
            amount=str(PRICES[SKU] * count),
            said=NOW + timedelta(seconds=number),
        )
        for number, count in enumerate(counts)
    ]
    order = told(data.draw(st.permutations([*words, *data.draw(st.lists(st.sampled_from(words), max_size=3))])))

    assert [line.quantity for line in order.lines] == counts[-1:]
    assert is_servable(order)


@dataclass(frozen=True)
class Sale:
    """All attempts to pay an order as they really are, and how they are told: some by a provider that knows no goods,
    some by a shop under a name of its own, and perhaps the shop tells of the order as a whole."""

    made: tuple[Attempt, ...]
    bare: tuple[bool, ...]  # of each attempt: its provider knows the payer, and no goods
    own: tuple[bool, ...]  # of each attempt that the shop tells of: it does not know the provider's name
    is_whole: bool

    def told(self) -> list[PaymentNotice]:
        news = [
            self._as_told(each, number) for number, attempt in enumerate(self.made) for each in attempt.told(number)
        ]
        return [*news, *self._of_order()] if self.is_whole else news

    def _as_told(self, news: PaymentNotice, number: int) -> PaymentNotice:
        if news.provider == "webhook":
            return replace(news, also=()) if self.own[number] else news
        is_bare = self.bare[number] and news.state is not None
        return replace(news, lines=(), email=PAYER, by_payer=True) if is_bare else news

    def _of_order(self) -> list[PaymentNotice]:
        """What the shop says of its order: that it is open, that it is paid, and how much of it went back by then."""
        begun = replace(self.made[0].told(0)[0], provider="webhook", payment_id=ID)
        paid = [(number, each) for number, each in enumerate(self.made) if each.is_paid]
        if not paid:
            return [begun]
        number, last = paid[-1]
        news = [begun, replace(last.told(number)[1], provider="webhook", payment_id=ID)]
        if total := sum((attempt.returned for attempt in self.made), Decimal(0)):
            back = Refunded(NOW + timedelta(hours=1), str(total))
            news.append(PaymentNotice("webhook", ID, None, back.as_of, ID, refunded=back))
        return news

    def standing(self, heard: Sequence[PaymentNotice]) -> list[tuple[Attempt, Decimal]]:
        """The attempts of which, by what was heard, money is there, and how much. What a shop says of its order counts
        for the attempt that it means, as long as nobody else tells of that."""
        names = {news.payment_id for news in heard if news.state is PaymentState.PAID}
        back = [news for news in heard if news.refunded]
        found = []
        for attempt in self.made:
            if names.isdisjoint({attempt.name, f"own-{attempt.name}"}):
                continue
            told_back = any(news.payment_id in (attempt.name, f"own-{attempt.name}") for news in back)
            left = attempt.price - (attempt.returned if told_back else 0)
            found += [(attempt, left)] if left else []
        last = [attempt for attempt in self.made if attempt.is_paid][-1:]
        if ID in names and last[0].name not in names:
            gone = sum(
                (Decimal(news.refunded.amount or 0) for news in back if news.payment_id == ID and news.refunded),
                Decimal(0),
            )
            found += [(last[0], last[0].price - gone)] if gone < last[0].price else []
        return found


PAYER = "boekhouding@klant.example"


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    made = tuple(draw(attempts()))
    is_whole = draw(st.booleans())
    if is_whole:
        made = tuple(replace(each, is_told_by_shop=False) for each in made)
    flags = st.tuples(*[st.booleans()] * len(made))
    return Sale(made, draw(flags), draw(flags), is_whole)


def served(order: Order, numbers: Iterator[int]) -> Order:
    """With the codes that it lacks, and the mails that hold them on their way, as long as it may be served."""
    products = {sku: replace(PRODUCT, sku=sku) for sku in PRICES}
    while is_servable(order) and (due := deliveries(order)):
        lacking = [line.sku for _, line, count in missing(order, due[0].lines) for _ in range(count)]
        codes = [StockCode(str(number), code(number), sku) for sku, number in zip(lacking, numbers, strict=False)]
        order = licensing.with_codes(order, codes, products, NOW + timedelta(days=1), ZONE)
    return order


def decided(order: Order, sale: Sale, heard: Sequence[PaymentNotice]) -> Order:
    """As a person settles it who believes the first payment that stands."""
    standing = sale.standing(heard)
    if order.hold.contents is None or not standing:
        return order
    first, _ = standing[0]
    try:
        return settling.settle(order, first.goods, first.who, ASKED, "EUR")
    except Refused:
        return order


def value(lines: Iterable[Line]) -> Decimal:
    return sum((PRICES[line.sku] * line.quantity for line in lines), Decimal(0))


def check_safe(order: Order, sale: Sale, heard: Sequence[PaymentNotice]) -> None:
    """Nobody is served what was not paid for, and nobody else than who paid for it."""
    if is_servable(order):
        standing = sale.standing(heard)
        assert value(order.lines) <= sum((left for _, left in standing), Decimal(0))
        taken = sum((attempt.price for attempt, _ in standing), Decimal(0))
        by_shop = [news.email for news in heard if news.payment_id == ID and news.amount == str(taken)]
        assert order.customer.email in {PAYER, *by_shop, *(attempt.who for attempt, _ in standing)}


@settings(max_examples=80, deadline=None, database=None, derandomize=True)
@given(sale=sales(), data=st.data())
def test_whatever_is_told_delivered_and_decided_nobody_gets_what_was_not_paid_for_and_no_money_vanishes(
    sale: Sale, data: st.DataObject
) -> None:
    news: list[PaymentNotice | str] = [*sale.told()]
    again = data.draw(st.lists(st.sampled_from([*news, "deliver", "deliver", "decide"]), max_size=6))
    heard: list[PaymentNotice] = []
    numbers = count(1)
    order = Order(id=ID, created_at=NOW)
    for each in data.draw(st.permutations([*news, *again])):
        if isinstance(each, PaymentNotice):
            heard.append(each)
            order = contents.with_payment(order, each, NOW, "EUR")
        else:
            order = served(order, numbers) if each == "deliver" else decided(order, sale, heard)
        check_safe(order, sale, heard)

    order = served(order, numbers)
    taken = sum((left for _, left in sale.standing(heard)), Decimal(0))
    given_to_customer = value(order.lines) if order.all_left else Decimal(0)
    assert taken <= given_to_customer or attention(order) is not None, (taken, given_to_customer)


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@given(sale=sales(), data=st.data())
def test_whoever_tells_whatever_in_any_order_the_order_is_the_same(sale: Sale, data: st.DataObject) -> None:
    news = sale.told()
    again = data.draw(st.lists(st.sampled_from(news), max_size=4))

    assert seen(told(data.draw(st.permutations([*news, *again])))) == seen(told(news))


def delivered(order: Order, *numbers: int) -> Order:
    """With its codes, and the mail that holds them on its way."""
    codes = [StockCode(str(number), code(number), order.lines[0].sku) for number in numbers]
    products = {sku: replace(PRODUCT, sku=sku) for sku in PRICES}
    return licensing.with_codes(order, codes, products, NOW, ZONE)


def refund(order: Order, name: str, amount: str) -> Order:
    back = Refunded(NOW + timedelta(hours=1), amount)
    return contents.with_payment(order, PaymentNotice("stripe", name, None, NOW, ID, refunded=back), NOW, "EUR")


def second(*lines: Line, **changes: object) -> PaymentNotice:
    price = sum((PRICES[line.sku] * line.quantity for line in lines), Decimal(0))
    return replace(notice(ID, *lines), payment_id="cs_2", amount=str(price), **changes)  # type: ignore[arg-type]


def test_an_exchange_after_the_delivery_serves_the_new_goods_and_asks_to_block_the_old_code() -> None:
    sold = refund(delivered(paid_order(ID), 1), f"cs_{ID}", "39.95")

    order = contents.with_payment(sold, second(Line(PLUS, 1)), NOW, "EUR")

    assert [(line.sku, line.id) for line in order.lines] == [(PLUS, 2)]
    assert [each.lines for each in deliveries(order)] == [(2,)]
    assert [one.line for one in to_block(order)] == [1]
    assert is_servable(order)
    assert [entry.code for entry in order.timeline][-2:] == ["contents_changed", "payment_paid"]


def test_an_exchange_before_the_delivery_gives_the_reserved_codes_back() -> None:
    held = licensing.with_codes(
        paid_order(ID, Line(SKU, 3)),
        [StockCode("1", code(1), SKU)],
        {SKU: PRODUCT},
        NOW,
        ZONE,
    )

    order = contents.with_payment(refund(held, f"cs_{ID}", "39.95"), second(Line(PLUS, 1)), NOW, "EUR")

    assert [one.code for one in returnable(order)] == [code(1)]
    assert [(line.sku, line.quantity) for line in order.lines] == [(PLUS, 1)]


def test_the_same_goods_bought_again_after_a_refund_leave_nothing_to_block() -> None:
    sold = refund(delivered(paid_order(ID), 1), f"cs_{ID}", "39.95")
    assert to_block(sold)

    order = contents.with_payment(sold, second(Line(SKU, 1)), NOW, "EUR")

    assert to_block(order) == ()
    assert [(line.sku, line.id) for line in order.lines] == [(SKU, 0)]


@pytest.mark.parametrize(
    ("other", "why"),
    [(second(Line(PLUS, 1)), "goods_differ"), (second(Line(SKU, 1), email=BEN), "customers_differ")],
)
def test_two_buyers_or_two_baskets_under_one_number_wait_for_a_person(other: PaymentNotice, why: str) -> None:
    order = contents.with_payment(paid_order(ID), other, NOW, "EUR")

    found = obstacle(order)
    assert found is not None
    assert (found.code, found.values["why"].code) == ("contents", why)
    assert attention(order) is not None
    assert [entry.code for entry in order.timeline][1:] == ["payment_paid", "on_hold"]


def test_two_payments_for_the_same_goods_by_the_same_customer_are_paid_twice_and_served_once() -> None:
    order = contents.with_payment(paid_order(ID), second(Line(SKU, 1)), NOW, "EUR")

    assert (order.is_paid_twice, order.hold.contents, is_servable(order)) == (True, None, True)


@pytest.mark.parametrize(("days", "amount", "is_twice"), [(0, "39.95", False), (8, "39.95", True), (0, "38.95", True)])
def test_a_shops_own_number_and_a_providers_payment_are_one_when_they_fit(
    days: int, amount: str, is_twice: bool
) -> None:
    of_shop = notice(ID, provider="webhook", payment_id="inv_1", amount=amount, at=NOW + timedelta(days=days))

    order = contents.with_payment(paid_order(ID), of_shop, NOW, "EUR")

    assert order.is_paid_twice is is_twice
    assert len(order.lines) == 1


OWN = replace(notice(ID), provider="webhook", payment_id="inv_1", email=BEN)  # a shop's, under a number of its own


@pytest.mark.parametrize("of_shop", [OWN, replace(OWN, payment_id=ID)])
@pytest.mark.parametrize(
    ("changes", "why"),
    [({"email": ANNA}, "customers_differ"), ({"email": BEN, "lines": (Line(PLUS, 1),)}, "goods_differ")],
)
def test_what_two_tellers_tell_of_two_customers_or_of_two_goods_waits_although_the_money_is_equal(
    of_shop: PaymentNotice, changes: dict[str, Any], why: str
) -> None:
    other = replace(notice(ID), **changes)
    back = replace(of_shop, state=None, email=None, lines=(), refunded=Refunded(NOW, full=True))

    for news in permutations([of_shop, other]):
        order = told(list(news))
        assert order.hold.contents is not None
        assert order.hold.contents.code == why
        refunded = contents.with_payment(order, back, NOW, "EUR")
        assert not is_servable(refunded)
        is_all_back = of_shop.payment_id == ID and why == "goods_differ"  # the customer's whole order, as the shop says
        assert (attention(refunded) is None) is is_all_back
        settled = settling.settle(order, [Line(SKU, 1)], ANNA, ASKED, "EUR")
        assert (settled.customer.email, is_servable(settled)) == (ANNA, True)


def test_the_address_that_somebody_typed_while_paying_is_not_another_customer() -> None:
    typed = replace(notice(ID), email=ANNA, by_payer=True)

    for news in permutations([OWN, typed]):
        order = told(list(news))
        assert (order.customer.email, order.hold.contents, order.is_paid_twice) == (BEN, None, False)


def test_an_address_that_a_shop_or_a_person_corrected_is_not_another_customer() -> None:
    first = replace(OWN, email=ANNA, said=NOW)
    changed = replace(OWN, said=NOW + timedelta(days=1))
    card = replace(notice(ID), email=ANNA)

    by_shop = told([card, first, changed])
    by_person = contents.with_payment(support.correct_address(told([card]), BEN, ASKED, ZONE), OWN, NOW, "EUR")

    for order in (by_shop, by_person):
        assert (order.customer.email, order.hold.contents, order.is_paid_twice) == (BEN, None, False)


def test_of_two_payments_a_shops_is_the_one_of_its_customer() -> None:
    made = [replace(notice(ID), email=ANNA), replace(notice(ID), payment_id="cs_2", email=BEN)]

    for news in permutations([*made, OWN]):
        names = [payment.names for payment in told(list(news)).settled]
        assert sorted(names) == [("stripe:cs_2", "webhook:inv_1"), (f"stripe:cs_{ID}",)]


def test_an_exchange_that_the_shop_tells_as_a_refund_of_its_order_is_served() -> None:
    """Found by the property above: the provider and the shop told of the same 39.95 that went back, and it was taken
    from the second payment too."""
    first, anew = notice(ID, said=NOW), second(Line(PLUS, 1), said=NOW)
    of_shop = of_order(lines=(Line(PLUS, 1),), amount="49.95", email=first.email)
    back = Refunded(NOW + timedelta(hours=1), "39.95")
    news = [
        first,
        anew,
        of_shop,
        PaymentNotice("stripe", f"cs_{ID}", None, NOW, ID, refunded=back),
        PaymentNotice("webhook", ID, None, NOW, ID, refunded=back),
    ]

    for each in permutations(news):
        order = told(list(each))
        assert (order.standing, [line.sku for line in order.lines], is_servable(order)) == (Standing.PAID, [PLUS], True)


@pytest.mark.parametrize("state", [PaymentState.OPEN, PaymentState.PAID])
def test_a_payment_that_says_nothing_is_not_for_goods_that_cost_less(state: PaymentState) -> None:
    """Found by the property above: 79.90 was paid, and one license for 39.95 was served."""
    for news in permutations([of_order(state=state), replace(BARE, amount="79.90")]):
        found = obstacle(told(list(news)))
        assert found is not None
        assert (found.code, found.values["why"].code) == ("contents", "paid_other")
    assert is_servable(
        settling.settle(told([of_order(), replace(BARE, amount="79.90")]), [Line(SKU, 2)], ANNA, ASKED, "EUR")
    )


@pytest.mark.parametrize("turn", [1, -1])
def test_of_equal_payments_a_shops_is_the_one_that_went_back_as_its_own_did(turn: int) -> None:
    """Found by the property above: the shop's word of a refund was joined to the payment that stands."""
    back = Refunded(NOW + timedelta(hours=1), "39.95")
    own = replace(OWN, email=None, at=NOW + timedelta(minutes=2))
    other = replace(notice(ID), payment_id="cs_2", at=NOW + timedelta(minutes=1))
    gone = [
        PaymentNotice("stripe", "cs_2", None, NOW, ID, refunded=back),
        PaymentNotice("webhook", "inv_1", None, NOW, ID, refunded=back),
    ]

    order = told([notice(ID), other, own, *gone][::turn])

    assert sorted((len(payment.names), payment.standing) for payment in order.settled) == [
        (1, Standing.PAID),
        (2, Standing.REFUNDED),
    ]
    assert is_servable(order)


def test_more_goods_for_the_same_money_after_the_payment_wait_for_a_person() -> None:
    first = notice(ID, provider="woocommerce", payment_id=ID, said=NOW)
    later = replace(first, lines=(Line(SKU, 2),), said=NOW + timedelta(minutes=3))

    for news in ([first, later], [later, first]):
        found = obstacle(told(news))
        assert found is not None
        assert found.values["why"].code == "goods_grew"


def test_fewer_goods_than_have_left_wait_for_a_person() -> None:
    first = notice(ID, Line(SKU, 2), provider="woocommerce", payment_id=ID, said=NOW)
    sold = delivered(told([first]), 1, 2)

    order = contents.with_payment(sold, replace(first, lines=(Line(SKU, 1),), said=NOW + timedelta(1)), NOW, "EUR")

    found = obstacle(order)
    assert found is not None
    assert found.values["why"].code == "left_is_more"


def test_more_of_what_has_left_already_is_a_line_of_its_own() -> None:
    first = notice(ID, provider="webhook", payment_id="inv_1", said=NOW)
    more = replace(first, lines=(Line(SKU, 3),), amount="119.85", said=NOW + timedelta(1))

    order = contents.with_payment(delivered(told([first]), 1), more, NOW, "EUR")

    assert [(line.id, line.quantity) for line in order.lines] == [(1, 1), (2, 2)]
    assert [each.lines for each in deliveries(order)] == [(2,)]


def test_payments_of_a_part_each_add_up_to_what_the_shop_says_that_the_order_costs() -> None:
    opened = notice(ID, Line(SKU, 2), provider="webhook", payment_id=ID, state=PaymentState.OPEN, amount="79.90")
    half = replace(notice(ID), lines=(), amount="39.95")

    one = told([opened, half])
    both = told([opened, half, replace(half, payment_id="cs_2")])

    assert [obstacle(order) and obstacle(order).code for order in (one, both)] == ["problem", None]  # type: ignore[union-attr]
    assert one.hold.problem is not None
    assert one.hold.problem.values == {"amount": "EUR 39.95", "price": "EUR 79.90"}
    assert (both.is_paid_twice, [line.quantity for line in both.lines]) == (False, [2])


def test_money_back_of_a_payment_that_nobody_knows_keeps_back_what_has_not_left() -> None:
    news = PaymentNotice("webhook", "re_9", None, NOW, ID, refunded=Refunded(NOW, full=True))

    order = contents.with_payment(paid_order(ID), news, NOW, "EUR")

    found = obstacle(order)
    assert found is not None
    assert found.code == "money_back_unmatched"
    assert [entry.code for entry in order.timeline][-2:] == ["money_back_unmatched", "on_hold"]
    known = contents.with_payment(order, replace(notice(ID), also=("webhook:re_9",)), NOW, "EUR")
    assert known.standing is Standing.REFUNDED


ASKED = Asked(NOW, "anna")


def differing() -> Order:
    return contents.with_payment(paid_order(ID), second(Line(PLUS, 1), email=BEN), NOW, "EUR")


def test_a_person_settles_what_the_order_is_for_and_only_new_words_open_it_again() -> None:
    order = settling.settle(differing(), [Line(PLUS, 1)], BEN, ASKED, "EUR")

    assert (order.lines, order.customer.email, is_servable(order)) == ((Line(PLUS, 1),), BEN, True)
    assert settling.settle(order, [Line(PLUS, 1)], BEN, ASKED, "EUR") is order

    repeated = contents.with_payment(order, second(Line(PLUS, 1), email=BEN, said=NOW + timedelta(1)), NOW, "EUR")
    assert is_servable(repeated)
    opened = contents.with_payment(order, second(Line(PLUS, 2), email=BEN), NOW, "EUR")
    assert opened.hold.contents is not None


def test_a_decision_is_void_once_no_payment_stands_that_it_was_about() -> None:
    order = settling.settle(differing(), [Line(PLUS, 1)], BEN, ASKED, "EUR")
    for name, amount in ((f"cs_{ID}", "39.95"), ("cs_2", "49.95")):
        order = refund(order, name, amount)

    again = contents.with_payment(order, replace(second(Line(SKU, 1)), payment_id="cs_3"), NOW, "EUR")

    assert [(line.sku, line.quantity) for line in again.lines] == [(SKU, 1)]


def test_a_payment_becomes_an_order_of_its_own_and_both_are_served() -> None:
    order = differing()
    to = next(settling.own_orders_of(order, "stripe:cs_2"))
    payment = settling.given_away(order, "stripe:cs_2")
    assert payment is not None

    own = settling.with_own(None, to, payment, NOW, "EUR")
    left = settling.without_payment(order, "stripe:cs_2", to, ASKED, "EUR")

    assert (own.id, own.lines, own.customer.email, is_servable(own)) == (f"{ID}-2", (Line(PLUS, 1),), BEN, True)
    assert (left.lines, left.customer.email, is_servable(left)) == ((Line(SKU, 1),), "facturen@klant.example", True)
    assert settling.moved_to(left, ["stripe:cs_2"]) == to
    assert [*settling.own_orders_of(left, "stripe:cs_2")] == [to]
    assert settling.without_payment(left, "stripe:cs_2", to, ASKED, "EUR") is left


def test_what_has_left_cannot_be_settled_away() -> None:
    order = delivered(paid_order(ID, Line(SKU, 2)), 1, 2)

    with pytest.raises(Refused) as error:
        settling.settle(order, [Line(SKU, 1)], None, ASKED, "EUR")

    assert error.value.said.values["why"].code == "left_is_more"


def test_a_later_renewal_can_change_although_the_purchase_beside_it_has_left() -> None:
    renewal = Line(SKU, 1, Kind.RENEWAL, "2025-000001")
    first = notice(ID, Line(SKU, 1), renewal, provider="webhook", payment_id="inv_1", said=NOW)
    sold = delivered(told([first]), 1)
    dated = replace(renewal, period_start=(NOW + timedelta(days=60)).date())

    order = contents.with_payment(
        sold, replace(first, lines=(Line(SKU, 1), dated), said=NOW + timedelta(1)), NOW, "EUR"
    )

    assert order.lines == (Line(SKU, 1), dated)
    assert order.hold.contents is None


def test_what_was_paid_before_the_start_is_kept_and_served_by_nobody_until_a_person_releases_it() -> None:
    start = NOW + timedelta(days=1)
    old = contents.with_payment(None, notice(ID), NOW, "EUR", start)

    found = obstacle(old)
    assert found is not None
    assert found.code == "from_before"
    assert attention(old) is None
    assert is_servable(contents.with_payment(None, notice(ID, at=start), NOW, "EUR", start))


def test_numbers_of_lines_never_come_back() -> None:
    orders = [told([notice(ID)])]
    for number, sku in enumerate([PLUS, SKU, PLUS], start=2):
        before = delivered(orders[-1], number)
        for payment in before.standing_payments:
            before = refund(before, payment.names[0].partition(":")[2], "49.95")
        new = replace(second(Line(sku, 1)), payment_id=f"cs_{number}")
        orders.append(contents.with_payment(before, new, NOW, "EUR"))

    numbers = [next(iter(order.numbered)) for order in orders]
    assert all(one < other for one, other in pairwise(numbers)), numbers


def test_an_address_that_a_shop_corrects_counts_and_is_no_news_of_the_money() -> None:
    first = notice(ID, provider="woocommerce", payment_id=ID, said=NOW)
    order = contents.with_payment(told([first]), replace(first, email=BEN, said=NOW + timedelta(1)), NOW, "EUR")

    assert order.customer.email == BEN
    assert [entry.code for entry in order.timeline] == ["payment_paid", "customer_told"]


def of_order(**changes: object) -> PaymentNotice:
    """What a shop says of its order, without saying by which payment it is paid."""
    plain = replace(notice(ID), provider="webhook", payment_id=ID, email=BEN, said=NOW)
    return replace(plain, **changes)  # type: ignore[arg-type]


BARE = replace(notice(ID), lines=(), email=ANNA, by_payer=True, name=None)  # it says who paid, and not for what


@pytest.mark.parametrize("state", [PaymentState.PAID, PaymentState.OPEN])
def test_what_a_shop_says_of_its_order_is_what_its_providers_payment_is_for_whoever_tells_first(
    state: PaymentState,
) -> None:
    for news in permutations([of_order(state=state), BARE]):
        order = told(list(news))

        assert (order.lines, order.customer.email, is_servable(order)) == ((Line(SKU, 1),), BEN, True)


def test_what_a_shop_says_of_its_order_may_differ_from_what_its_provider_charged() -> None:
    for news in permutations([of_order(), notice(ID, Line(PLUS, 1))]):
        found = obstacle(told(list(news)))
        assert found is not None
        assert found.values["why"].code == "goods_differ"


def test_of_two_payments_that_say_nothing_each_is_for_what_the_shop_says_of_its_order() -> None:
    for news in permutations([of_order(amount="79.90"), BARE, replace(BARE, payment_id="cs_2")]):
        order = told(list(news))

        assert (order.lines, is_servable(order), order.is_paid_twice) == ((Line(SKU, 1),), True, False)


@pytest.mark.parametrize("has_left", [False, True])
def test_a_payment_that_says_nothing_is_not_for_what_was_paid_back_before(has_left: bool) -> None:
    sold = delivered(paid_order(ID), 1) if has_left else paid_order(ID)

    order = contents.with_payment(refund(sold, f"cs_{ID}", "39.95"), replace(BARE, payment_id="cs_2"), NOW, "EUR")

    found = obstacle(order)
    assert found is not None
    assert (found.code, found.values["why"].code) == ("contents", "nothing_bought")
    assert attention(order) is not None


def test_an_order_that_was_changed_to_other_goods_than_ours_waits_for_a_person() -> None:
    first = notice(ID, provider="woocommerce", payment_id=ID, said=NOW)
    shirt = replace(first, lines=(), foreign=True, said=NOW + timedelta(minutes=3))

    for news in permutations([first, shirt]):
        assert not is_servable(told(list(news)))
    assert attention(told([first, shirt])) is not None


def test_a_person_can_decide_again_as_before() -> None:
    order = differing()
    for sku in (PLUS, SKU, PLUS):
        order = settling.settle(order, [Line(sku, 1)], ANNA, ASKED, "EUR")

    assert order.lines == (Line(PLUS, 1),)
    assert settling.settle(order, [Line(PLUS, 1)], ANNA, ASKED, "EUR") is order


@pytest.mark.parametrize(
    "again",
    [
        notice(ID, provider="mollie", payment_id="tr_1", said=NOW + timedelta(hours=1)),
        replace(BARE, provider="mollie", payment_id="tr_1", email=None, language="nl", said=NOW + timedelta(hours=1)),
    ],
)
def test_another_teller_of_what_a_person_has_seen_does_not_hold_the_order_again(again: PaymentNotice) -> None:
    problem = Said("shop_status", {"status": "licentie-klaar"})
    first = notice(ID, provider="woocommerce", payment_id=ID, said=NOW, also=("mollie:tr_1",), problem=problem)
    order = support.release(told([first]), "anna", NOW)
    assert is_servable(order)

    for each in (again, replace(again, also=("mollie:ord_1",)), replace(first, said=NOW + timedelta(hours=2))):
        order = contents.with_payment(order, each, NOW, "EUR")
        assert is_servable(order)
    other = replace(again, lines=(Line(SKU, 2),), said=NOW + timedelta(hours=3))
    assert not is_servable(contents.with_payment(order, other, NOW, "EUR"))


def test_what_a_person_decided_counts_on_when_the_customer_was_erased() -> None:
    settled = settling.settle(differing(), [Line(PLUS, 1)], BEN, ASKED, "EUR")

    order = support.erase(settled, ASKED, NOW.date())
    for news in (second(Line(PLUS, 1), email=BEN, said=NOW + timedelta(1)), notice(ID)):
        order = contents.with_payment(order, news, NOW, "EUR")

    assert "contents" not in [each.code for each in obstacles(order)]
    assert order.customer.email is None
    assert not any(word.email or word.name for payment in order.payments for word in payment.buyers)
    named = contents.decided(replace(differing(), payments=(payment_of(BEN),)), "contents", ASKED).decisions[-1]
    assert not set(named.saw) & set(order.decisions[-1].saw)


def payment_of(email: str) -> Payment:
    """Of which nothing is known but whose it is."""
    return Payment(("stripe:cs_x",), PaymentState.PAID, NOW, buyers=(Buyer(by="stripe", email=email),))


def test_an_amount_is_the_same_however_many_digits_it_is_written_with() -> None:
    of_shop = notice(ID, provider="webhook", payment_id="inv_1", amount="40")

    order = contents.with_payment(paid_order(ID, amount="40.00"), of_shop, NOW, "EUR")

    assert not order.is_paid_twice


def test_a_part_that_went_back_does_not_make_one_of_two_payments() -> None:
    twice = contents.with_payment(paid_order(ID), second(Line(SKU, 1)), NOW, "EUR")

    assert refund(twice, "cs_2", "10.00").is_paid_twice
    assert not refund(twice, "cs_2", "39.95").is_paid_twice
    assert not refund(twice, f"cs_{ID}", "39.95").is_paid_twice


@pytest.mark.parametrize("state", [PaymentState.OPEN, PaymentState.FAILED])
def test_money_back_of_an_attempt_that_was_never_paid_is_of_another_payment(state: PaymentState) -> None:
    attempt = notice(ID, provider="webhook", payment_id="inv_1", state=state)
    back = PaymentNotice("webhook", "inv_1", None, NOW, ID, refunded=Refunded(NOW, full=True))

    for news in permutations([notice(ID), attempt, back]):
        found = obstacle(told(list(news)))
        assert found is not None
        assert found.code == "money_back_unmatched"


@pytest.mark.parametrize(
    ("state", "keeps_back"),
    [(DisputeState.INQUIRY, False), (DisputeState.OPEN, True), (DisputeState.WON, False), (DisputeState.LOST, True)],
)
def test_a_dispute_of_an_unknown_payment_keeps_back_only_while_its_money_may_be_gone(
    state: DisputeState, keeps_back: bool
) -> None:
    told_of = PaymentNotice("webhook", "dp_9", None, NOW, ID, disputes=(Dispute("dp_9", state, NOW),))

    assert is_servable(contents.with_payment(paid_order(ID), told_of, NOW, "EUR")) is not keeps_back


def test_a_corrected_address_stays_corrected_when_it_is_told_in_another_case() -> None:
    order = support.correct_address(paid_order(ID, email="Anna@Klant.example"), BEN, ASKED, ZONE)
    for number, email in enumerate(["anna@klant.example", "ANNA@KLANT.EXAMPLE"], start=1):
        again = notice(ID, email=email, said=NOW + timedelta(hours=number))
        order = contents.with_payment(order, again, NOW, "EUR")

    assert (order.customer.email, is_servable(order)) == (BEN, True)
    assert support.without_correction(order, ANNA).customer.corrected == {}


def test_less_than_a_shop_says_of_its_providers_payment_waits_for_a_person() -> None:
    of_shop = notice(ID, Line(SKU, 2), provider="webhook", payment_id="pi_1", amount="79.90", also=("stripe:pi_1",))
    taken = replace(BARE, payment_id="pi_1", email=None, amount="39.95")

    for news in permutations([of_shop, taken]):
        order = told(list(news))
        assert order.hold.problem == Said("paid_in_part", {"amount": "EUR 39.95", "price": "EUR 79.90"})
    assert is_servable(told([of_shop, replace(taken, amount="79.9")]))


@pytest.mark.parametrize(
    "changes", [{"currency": "USD"}, {"email": None}, {"lines": ()}, {"refunded": Refunded(NOW, "10.00")}]
)
def test_what_was_paid_before_the_start_needs_nobody_whatever_else_is_wrong_with_it(changes: dict[str, object]) -> None:
    old = replace(notice(ID), **changes)  # type: ignore[arg-type]

    assert attention(contents.with_payment(None, old, NOW, "EUR")) is not None
    assert attention(contents.with_payment(None, old, NOW, "EUR", NOW + timedelta(days=1))) is None


def test_a_dispute_that_is_told_again_each_hour_is_noted_once() -> None:
    order = paid_order(ID)
    for hour in range(3):
        now = NOW + timedelta(hours=hour)
        back = PaymentNotice("stripe", f"cs_{ID}", None, now, ID, disputes=(Dispute("dp_1", DisputeState.OPEN, now),))
        before, order = order, contents.with_payment(order, back, now, "EUR")

    assert contents.says_the_same(before, order)
    assert [entry.code for entry in order.timeline] == ["payment_paid", "payment_disputed"]


def test_a_payment_from_before_the_start_that_becomes_an_order_of_its_own_is_from_before_too() -> None:
    own = settling.with_own(None, f"{ID}-2", differing().payments[1], NOW, "EUR", NOW + timedelta(days=1))

    assert [each.code for each in obstacles(own)] == ["from_before"]


def test_a_problem_is_the_same_in_whatever_order_a_table_gives_its_values_back() -> None:
    values = {"charged": 2, "card": 3}
    wrong = [Said("charged_other_quantity", dict(each)) for each in (values.items(), reversed(values.items()))]
    order = support.release(told([notice(ID, problem=wrong[0])]), "anna", NOW)

    again = contents.with_payment(order, notice(ID, problem=wrong[1], said=NOW), NOW, "EUR")

    assert is_servable(again)
    assert len(told([notice(ID, problem=each) for each in wrong]).payments[0].goods) == 1


def test_a_payment_is_settled_with_the_address_that_its_teller_says_now() -> None:
    first = second(Line(PLUS, 1), provider="woocommerce", email=ANNA, said=NOW)
    now = replace(first, email=BEN, said=NOW + timedelta(minutes=3))
    order = told([notice(ID), first, now])

    assert settling.told_by(order, "woocommerce:cs_2") == ((Line(PLUS, 1),), BEN)
    assert settling.told_by(order, "woocommerce:cs_2", "woocommerce") == ((Line(PLUS, 1),), BEN)


def test_a_release_does_not_count_for_the_next_unknown_payment_of_which_money_is_gone() -> None:
    back = PaymentNotice("webhook", "re_9", None, NOW, ID, refunded=Refunded(NOW, "10.00"))
    order = support.release(contents.with_payment(paid_order(ID), back, NOW, "EUR"), "anna", NOW)
    assert is_servable(contents.with_payment(order, back, NOW, "EUR"))

    disputed = PaymentNotice("webhook", "dp_9", None, NOW, ID, disputes=(Dispute("x", DisputeState.OPEN, NOW),))

    assert not is_servable(contents.with_payment(order, disputed, NOW, "EUR"))


def test_a_shop_that_took_its_order_back_is_believed_whatever_list_its_provider_has_of_the_goods() -> None:
    problem = Said("shop_status", {"status": "cancelled"})
    of_shop = notice(ID, provider="woocommerce", payment_id=ID, said=NOW, also=("mollie:tr_1",), problem=problem)
    paid = notice(ID, provider="mollie", payment_id="tr_1", said=NOW + timedelta(minutes=1))

    for news in permutations([of_shop, paid]):
        order = told(list(news))
        assert order.hold.problem == problem
    assert is_servable(told([of_shop, paid, replace(of_shop, problem=None, said=NOW + timedelta(hours=1))]))


@pytest.mark.parametrize("turn", [1, -1])
def test_a_shops_order_that_was_refunded_and_paid_anew_has_two_payments(turn: int) -> None:
    """The shop's order has one number, and names the payment that its plug-in made last."""
    of_shop = notice(ID, provider="woocommerce", payment_id=ID, said=NOW, also=("mollie:tr_aaaaaa1",))
    anew = replace(of_shop, said=NOW + timedelta(1), also=("mollie:tr_bbbbbb2",))
    taken = replace(notice(ID), provider="mollie", payment_id="tr_aaaaaa1", refunded=Refunded(NOW, "39.95"))
    again = replace(notice(ID), provider="mollie", payment_id="tr_bbbbbb2")

    order = told([of_shop, taken, anew, again][::turn])

    assert sorted(payment.standing for payment in order.settled) == [Standing.PAID, Standing.REFUNDED]
    assert (order.standing, [line.quantity for line in order.lines], is_servable(order)) == (Standing.PAID, [1], True)


def test_an_open_dispute_of_a_part_keeps_back_what_has_not_left_and_asks_to_block_nothing() -> None:
    part = Dispute("dp_1", DisputeState.OPEN, NOW, "10.00")
    news = PaymentNotice("stripe", f"cs_{ID}", None, NOW, ID, disputes=(part,))

    order = contents.with_payment(delivered(paid_order(ID), 1), news, NOW, "EUR")

    assert (order.standing, to_block(order)) == (Standing.PARTLY_REFUNDED, ())
    won = replace(news, disputes=(replace(part, state=DisputeState.WON, as_of=NOW + timedelta(1)),))
    assert contents.with_payment(order, won, NOW, "EUR").standing is Standing.PAID


def test_what_goes_back_for_a_lowered_price_is_a_part_of_what_was_paid() -> None:
    first = notice(ID, Line(SKU, 2), provider="webhook", payment_id="inv_1", amount="79.90", said=NOW)
    lowered = replace(first, lines=(Line(SKU, 1),), amount="39.95", said=NOW + timedelta(hours=1))
    back = Refunded(NOW + timedelta(hours=2), "39.95")
    refunded = PaymentNotice("webhook", "inv_1", None, NOW, ID, refunded=back)

    assert told([first, lowered, refunded]).standing is Standing.PARTLY_REFUNDED


@pytest.mark.parametrize("turn", [1, -1])
def test_a_shop_that_names_no_payments_can_exchange_under_one_number(turn: int) -> None:
    """Paid, refunded in full, and paid again for something else, all told of the order as a whole."""
    first = notice(ID, provider="webhook", payment_id=ID, said=NOW)
    back = Refunded(NOW + timedelta(hours=1), full=True)
    refunded = PaymentNotice("webhook", ID, None, NOW, ID, refunded=back)
    anew = replace(first, lines=(Line(PLUS, 1),), amount="49.95", said=NOW + timedelta(hours=2))

    order = told([first, refunded, anew][::turn])
    sold = contents.with_payment(
        contents.with_payment(delivered(told([first]), 1), refunded, NOW, "EUR"), anew, NOW, "EUR"
    )

    assert (order.standing, [line.sku for line in order.lines], is_servable(order)) == (Standing.PAID, [PLUS], True)
    assert ([line.sku for line in sold.lines], [one.sku for one in to_block(sold)]) == ([PLUS], [SKU])
    assert told([first, refunded, replace(first, said=NOW + timedelta(hours=2))]).standing is Standing.REFUNDED
