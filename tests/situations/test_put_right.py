"""What an agent could not put right (C): customers, orders by hand, licenses that go elsewhere, refunds of a part."""

from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage

import pytest

from keypost.core import by_hand, correcting, gone, noting, support
from keypost.core.by_hand import Sale
from keypost.core.contents import with_payment
from keypost.core.correcting import Right
from keypost.core.errors import Refused, TooMany
from keypost.core.licensing import with_mail_of
from keypost.core.mail import Asked, Mail, MailSent, MailState, Purpose
from keypost.core.mailing import claim_mail, settle_mail
from keypost.core.obstacles import is_servable, obstacle
from keypost.core.order import Customer, Gone, Order, TimelineEntry
from keypost.core.owed import deliveries, missing, returnable, to_block
from keypost.core.payment import Refunded, Standing
from keypost.core.plan import SendMail, attention, plan
from keypost.core.product import Line
from keypost.core.renewals import reminders_of
from keypost.core.said import said
from keypost.core.told import left_more
from keypost.core.upcoming import coming
from keypost.emails import compose
from keypost.providers.order_card import clean_name
from tests.builders import NOW, PRODUCT, SHOP, SKU, ZONE, code, licensed, notice, paid_order

REMINDING = replace(PRODUCT, reminder_days=(30, 7))
LATER = NOW + timedelta(hours=1)
ASKED = Asked(LATER, "anna", "asked by phone")
NEW = "piet@anders.example"


def sent(order: Order) -> Order:
    """The order with all of its codes sent."""
    order = licensed(order, order.created_at)
    return settle_mail(order, order.mails[-1].id, 1, MailSent("ses-1"), NOW)


def delivered(order: Order, mail_id: str) -> Order:
    order = claim_mail(order, mail_id, LATER)
    return settle_mail(order, mail_id, 1, MailSent(f"ses-{mail_id}"), LATER)


def of_three() -> Order:
    return sent(paid_order("2026-001234", Line(SKU, 3), amount="119.85"))


def refunded_part(order: Order, amount: str = "39.95") -> Order:
    back = notice(order.id, state=None, refunded=Refunded(LATER, amount), lines=(), amount=None)
    return with_payment(order, replace(back, lines=()), LATER, "EUR")


def mailed(order: Order, mail: Mail, language: str = "nl") -> EmailMessage:
    return compose(order, mail, {SKU: PRODUCT}, SHOP, LATER)


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


# --- who the customer is


def test_a_name_that_was_corrected_is_not_undone_by_the_old_one() -> None:
    """A12d: after a correction the mail still greeted the former owner."""
    order = correcting.correct(sent(paid_order()), Right(name="Piet Bakker", language="en"), ASKED, ZONE)

    again = with_payment(order, notice(refunded=Refunded(LATER, "5.00")), LATER, "EUR")

    assert (again.customer.name, again.customer.language) == ("Piet Bakker", "en")
    assert [(entry.code, entry.who, entry.words) for entry in order.timeline[-2:]] == [
        ("name_corrected", "anna", "asked by phone"),
        ("language_corrected", "anna", ""),
    ]


def test_a_name_that_nobody_has_seen_yet_is_news() -> None:
    order = correcting.correct(paid_order(said=NOW), Right(name="Piet Bakker"), ASKED, ZONE)

    again = with_payment(order, notice(name="Petra Bakker", said=LATER), LATER, "EUR")

    assert again.customer.name == "Petra Bakker"


def test_another_customer_under_the_number_is_not_called_by_the_corrected_name() -> None:
    order = correcting.correct(paid_order(said=NOW), Right(name="Piet Bakker", language="en"), ASKED, ZONE)

    other = with_payment(order, notice(email=NEW, name=None, said=LATER), LATER, "EUR")

    assert (other.customer.email, other.customer.name, other.customer.language) == (NEW, None, "nl")


def test_a_name_may_be_taken_away() -> None:
    order = correcting.correct(paid_order(), Right(name=""), ASKED, ZONE)

    assert with_payment(order, notice(refunded=Refunded(LATER, "5.00")), LATER, "EUR").customer.name is None


def test_a_renewal_takes_over_what_was_corrected_of_the_same_customer_only() -> None:
    base = correcting.correct(paid_order(), Right(name="Piet Bakker", language="en"), ASKED, ZONE).customer
    own = Customer(email="facturen@klant.example", name="Anna Jansen")

    assert own.corrected_as(base).name == "Piet Bakker"
    assert own.corrected_as(base).language == "en"
    stranger = replace(own, email=NEW)
    assert stranger.corrected_as(base) == stranger


def test_a_correction_of_an_erased_order_is_refused() -> None:
    erased = support.erase(paid_order(), ASKED, date(2033, 12, 31))

    with pytest.raises(Refused) as refused:
        correcting.correct(erased, Right(name="Piet"), ASKED, ZONE)
    assert refused.value.said == said("order_is_erased", order="2026-001234")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Anna\r\nBcc: x@y.example", "Anna Bcc: x@y.example"),
        ("\u202eAnna\u200b \x00Jansen", "Anna Jansen"),
        ("דוד כהן", "דוד כהן"),
        ("A" * 300, "A" * 100),
        ("\u200b\u202e", None),
    ],
    ids=["line break", "invisible", "right to left", "long", "nothing"],
)
def test_a_name_is_one_line_of_what_can_be_seen(typed: str, kept: str | None) -> None:
    assert clean_name(typed) == kept


def test_a_name_cannot_become_a_header_or_markup() -> None:
    """H, bad input: control characters, a right-to-left script, markup."""
    order = replace(sent(paid_order()), customer=Customer(email=NEW, name="<b>דוד</b> BEGIN:VEVENT"))
    order, mail = support.resend(order, ASKED, ZONE)

    message = mailed(order, mail)

    html = message.get_body(("html",))
    assert html is not None
    assert "<b>דוד" not in html.get_content()
    assert "&lt;b&gt;דוד" in html.get_content()
    assert [name for name, value in message.items() if "דוד" in str(value)] == []


# --- by hand


def hand_made(because: str = "goodwill", *lines: Line, key: str = "") -> Order:
    customer = Customer(email=NEW, name="Piet Bakker", language="en")
    sale = Sale(customer, lines or (Line(SKU, 1),), because)
    return by_hand.made(by_hand.number_of("anna", key), sale, replace(ASKED, key=key), "EUR")


def test_an_order_by_hand_is_served_at_once_and_has_no_price() -> None:
    """license-manager-for-woocommerce #153, edd-manual-purchases #14: a license by hand."""
    order = hand_made()

    assert is_servable(order)
    assert [(line.sku, count) for _, line, count in missing(order)] == [(SKU, 1)]
    assert (order.standing, order.payments[0].amount) == (Standing.PAID, None)
    assert order.customer == Customer(email=NEW, name="Piet Bakker", language="en")
    assert order.timeline == (
        TimelineEntry(LATER, "made_by_hand", {"why": said("because_goodwill")}, "anna", "asked by phone"),
    )
    assert attention(order) is None


def test_the_start_date_does_not_hold_an_order_by_hand_back() -> None:
    told = with_payment(
        hand_made(), notice(order_id="x", email=NEW, state=None, lines=()), LATER, "EUR", LATER + timedelta(days=9)
    )

    assert not told.hold.from_before


def test_numbers_by_hand_look_like_no_shops_and_follow_from_the_key() -> None:
    assert hand_made(key="ticket-1").id == hand_made(key="ticket-1").id != hand_made(key="ticket-2").id
    assert hand_made().id.startswith("HAND-")
    assert len(hand_made().id) == 15


def test_a_withdrawn_order_whose_codes_never_left_gives_them_back() -> None:
    order = licensed(hand_made(), LATER)
    kept = replace(order, mails=(), timeline=order.timeline[:1])

    taken = by_hand.withdrawn(kept, ASKED, "EUR")

    assert returnable(taken) == order.licenses
    assert obstacle(taken) == said("withdrawn")
    assert attention(taken) is None
    assert by_hand.withdrawn(taken, ASKED, "EUR") is taken


def test_a_withdrawn_order_whose_codes_left_asks_to_have_them_blocked_and_writes_to_nobody() -> None:
    taken = by_hand.withdrawn(sent(hand_made()), ASKED, "EUR")

    assert to_block(taken) == taken.licenses
    needs = attention(taken)
    assert needs is not None
    assert needs[0] == "block"
    assert plan(taken, [SKU], LATER) is None  # no notice that money was returned, of which there was none
    assert [entry.code for entry in taken.timeline[-2:]] == ["withdrawn", "withdrawn_to_block"]


def test_an_order_of_a_shop_cannot_be_withdrawn() -> None:
    with pytest.raises(Refused) as refused:
        by_hand.withdrawn(paid_order(), ASKED, "EUR")
    assert refused.value.said.code == "not_by_hand"


@pytest.mark.parametrize(
    ("because", "thanks"), [("goodwill", False), ("paid_by_bank", True)], ids=["given", "paid by bank"]
)
def test_the_mail_thanks_for_a_payment_only_where_there_was_one(because: str, thanks: bool) -> None:
    order = licensed(hand_made(because), LATER)

    assert ("Thank you for your payment" in text_of(mailed(order, order.mails[-1]))) is thanks


# --- one mail elsewhere, or of one license


def test_one_mail_goes_to_another_address_once_and_the_own_one_is_told() -> None:
    """EDD #4896, pretix #951, #1375: a colleague, the IT partner."""
    order, mail = support.resend(sent(paid_order()), ASKED, ZONE, support.Only(to=NEW))

    assert (mail.to, mail.purpose, mail.state) == (NEW, Purpose.RESEND, MailState.PENDING)
    told = order.mails[-1]
    assert (told.purpose, told.to) == (Purpose.SENT_ELSEWHERE, "facturen@klant.example")
    assert order.customer.email == "facturen@klant.example"
    assert order.timeline[-1] == TimelineEntry(LATER, "resend_elsewhere", who="anna", words="asked by phone")
    message = mailed(order, mail)
    assert message["To"] == NEW
    assert code(0) in text_of(message)
    assert "Anna Jansen" not in text_of(message)
    notice_text = text_of(mailed(order, told))
    assert NEW not in notice_text
    assert code(0) not in notice_text


def test_the_same_wish_for_another_address_is_another_wish() -> None:
    order, own = support.resend(sent(paid_order()), ASKED, ZONE)
    order = delivered(order, own.id)
    order, elsewhere = support.resend(order, ASKED, ZONE, support.Only(to=NEW))
    again, same = support.resend(order, ASKED, ZONE, support.Only(to=NEW))

    assert own.id != elsewhere.id
    assert again is order
    assert same == elsewhere


def test_mails_to_other_addresses_count_in_the_daily_limit() -> None:
    order = sent(paid_order())
    for number in range(support.RESENDS_PER_DAY):
        asked = replace(ASKED, key=f"k{number}")
        order, mail = support.resend(order, asked, ZONE, support.Only(to=f"{number}@anders.example"))
        order = delivered(order, mail.id)

    with pytest.raises(TooMany):
        support.resend(order, replace(ASKED, key="k9"), ZONE)


def test_one_license_of_many_is_sent_alone() -> None:
    order = of_three()
    second = order.licenses[1]

    order, mail = support.resend(order, ASKED, ZONE, support.Only(license=second.id))

    assert (mail.lines, mail.licenses, mail.to) == ((1,), (second.id,), None)
    text = text_of(mailed(order, mail))
    assert [number for number in range(3) if code(number) in text] == [1]


def test_a_mail_elsewhere_leaves_although_the_own_address_takes_none() -> None:
    waiting = support.resend(sent(paid_order()), ASKED, ZONE, support.Only(to=NEW))[0]

    assert plan(waiting, [SKU], LATER) == SendMail("sent_elsewhere-1")
    told = delivered(waiting, "sent_elsewhere-1")
    assert plan(told, [SKU], LATER) == SendMail("resend-1")


# --- a license for somebody else


def moved() -> tuple[Order, Order]:
    old = sent(paid_order("2026-001234", Line(SKU, 2)))
    license_ = gone.check_movable(old, old.licenses[0].id, NEW)
    sale = Sale(Customer(email=NEW, name="Piet"), gone.line_of(license_), by_hand.MOVED)
    made = by_hand.made(by_hand.number_of(old.id, license_.id), sale, ASKED, "EUR")
    new = gone.with_moved(made, license_, REMINDING, old.id, ZONE)
    return gone.without_moved(old, license_.id, new.id, ASKED), new


def test_a_moved_license_is_past_in_the_old_order_and_all_that_the_new_one_has() -> None:
    """vysor #252, slm-plus #35, keygen #271, MarkdownMonster #921: transfer."""
    old, new = moved()
    first, second = old.licenses

    assert old.current == (second,)
    assert old.gone == (Gone(first.id, "moved", new.id),)
    assert new.licenses == (first,)
    assert (missing(old), missing(new)) == ((), ())
    assert new.moved_from == old.id
    assert [reminder.days for reminder in new.reminders] == [30, 7]
    assert to_block(old) == ()


def test_the_new_owner_gets_the_code_and_the_old_one_a_notice_without_it() -> None:
    old, new = moved()

    new = licensed_mail(new)
    text = text_of(mailed(new, new.mails[-1]))
    assert code(0) in text
    assert "op uw naam" in text
    told = old.mails[-1]
    assert (told.purpose, told.to) == (Purpose.LICENSE_MOVED, "facturen@klant.example")
    told_text = text_of(mailed(old, told))
    assert old.licenses[0].id in told_text
    assert (code(0) in told_text, NEW in told_text) == (False, False)


def licensed_mail(order: Order) -> Order:
    """The order after its worker began its first mail."""
    (delivery,) = deliveries(order)
    return with_mail_of(order, delivery, LATER)


def test_what_is_sent_again_of_the_old_order_is_what_it_still_has() -> None:
    old, _ = moved()

    again, mail = support.resend(old, ASKED, ZONE)

    text = text_of(mailed(again, mail))
    assert [number for number in range(2) if code(number) in text] == [1]
    with pytest.raises(Refused) as refused:
        support.resend(old, ASKED, ZONE, support.Only(license=old.licenses[0].id))
    assert refused.value.said == said("not_sent_again", order=old.id, why=said("license_exchanged"))


@pytest.mark.parametrize("to", ["facturen@klant.example", "FACTUREN@klant.example"])
def test_a_license_does_not_move_to_who_has_it(to: str) -> None:
    order = sent(paid_order())

    with pytest.raises(Refused) as refused:
        gone.check_movable(order, order.licenses[0].id, to)
    assert refused.value.said == said("not_moved", license=order.licenses[0].id, why=said("same_customer"))


def test_a_license_whose_code_was_not_sent_does_not_move() -> None:
    order = replace(licensed(paid_order()), mails=())

    with pytest.raises(Refused) as refused:
        gone.check_movable(order, order.licenses[0].id, NEW)
    assert refused.value.said.values["why"] == said("license_not_sent")


def test_a_license_that_moved_does_not_move_from_the_old_order_again() -> None:
    old, new = moved()

    assert gone.moved_to(old, old.licenses[0].id) == new.id
    with pytest.raises(Refused):
        gone.check_movable(old, old.licenses[0].id, NEW)


def test_money_back_of_what_was_moved_asks_to_block_that_too() -> None:
    old, _ = moved()
    back = with_payment(old, notice(state=None, refunded=Refunded(LATER, full=True)), LATER, "EUR")

    assert to_block(back) == old.licenses


# --- which license a refund was for


def test_a_license_that_a_partial_refund_was_for_is_to_be_blocked_and_the_others_stay() -> None:
    """EDD #7758, woocommerce #67008: one of three refunded, and the customer keeps three."""
    order = refunded_part(of_three())
    first, second, third = order.licenses

    named = gone.without_refunded(order, first.id, ASKED)

    assert to_block(named) == (first,)
    assert named.current == (second, third)
    assert is_servable(named)
    assert missing(named) == ()
    assert [each.code for each in named.timeline[-1:]] == ["license_refunded"]
    assert gone.without_refunded(named, first.id, ASKED) is named
    again, mail = support.resend(named, ASKED, ZONE)
    text = text_of(mailed(again, mail))
    assert [number for number in range(3) if code(number) in text] == [1, 2]
    blocked = support.blocked(named, "anna", LATER)
    assert (blocked.blocked, attention(blocked)) == ((first.id,), None)


def test_what_was_named_by_mistake_is_taken_back() -> None:
    order = refunded_part(of_three())
    first = order.licenses[0]
    named = support.blocked(gone.without_refunded(order, first.id, ASKED), "anna", LATER)

    back = gone.with_refunded_again(named, first.id, ASKED)

    assert (back.current, back.blocked) == (order.licenses, ())
    assert [each.code for each in back.timeline[-2:]] == ["license_not_refunded", "codes_to_unblock"]


def _with_refund_deleted(order: Order) -> Order:
    later = LATER + timedelta(hours=1)
    return with_payment(
        order, notice(order.id, Line(SKU, 3), state=None, refunded=Refunded(later, "0.00")), later, "EUR"
    )


# woocommerce #68658: a refund that was entered by mistake is deleted.
def test_a_license_whose_refund_was_taken_back_is_the_customers_again() -> None:
    order = refunded_part(of_three())
    named = gone.without_refunded(order, order.licenses[0].id, ASKED)
    blocked = support.blocked(named, "anna", LATER)

    good, again = (_with_refund_deleted(each) for each in (named, blocked))

    assert (good.past, attention(good), again.past, again.blocked) == ((), None, (), ())
    assert good.timeline[-1].code == "license_paid_after_all"
    assert again.timeline[-1].code == "codes_to_unblock"


def test_a_license_is_not_named_while_no_money_went_back() -> None:
    order = of_three()

    with pytest.raises(Refused) as refused:
        gone.without_refunded(order, order.licenses[0].id, ASKED)
    assert refused.value.said.code == "nothing_refunded"


def test_a_shop_that_tells_of_two_after_one_of_three_was_refunded_does_not_differ() -> None:
    order = refunded_part(sent(paid_order("2026-001234", Line(SKU, 3), amount="119.85", said=NOW)))
    named = gone.without_refunded(order, order.licenses[0].id, ASKED)
    assert left_more(order, [Line(SKU, 2)]) == said("left_is_more", left=[f"1 x {SKU}"])

    told = with_payment(named, notice(order.id, Line(SKU, 2), amount="119.85", said=LATER), LATER, "EUR")

    assert told.hold.contents is None


def test_no_reminder_is_about_a_license_that_was_refunded() -> None:
    order = refunded_part(sent(paid_order()), "5.00")
    order = replace(order, reminders=reminders_of(1, date(2027, 11, 22), REMINDING, ZONE))
    named = gone.without_refunded(order, order.licenses[0].id, ASKED)
    released = replace(order, hold=replace(order.hold, released=True))

    assert [each.purpose for each in coming(released)] == [Purpose.REMINDER] * 2
    assert coming(named) == ()


# --- notes, reminders


def test_a_note_stands_in_the_timeline_until_the_customer_is_erased() -> None:
    """wc-serial-numbers #511, medusa #15690: a note without an action."""
    order = noting.note(paid_order(), Asked(LATER, "anna", "calls back on Monday", "k1"))

    assert noting.note(order, Asked(LATER + timedelta(hours=2), "anna", "calls back on Monday", "k1")) is order
    assert (order.timeline[-1].code, order.timeline[-1].words) == ("note", "calls back on Monday")
    erased = support.erase(order, ASKED, date(2033, 12, 31))
    assert all(not entry.words and not entry.key for entry in erased.timeline)
    with pytest.raises(Refused):
        noting.note(erased, ASKED)


@pytest.mark.parametrize(("hours", "notes"), [(0, 1), (1, 2)])
def test_the_same_words_a_moment_later_are_one_note(hours: int, notes: int) -> None:
    order = noting.note(paid_order(), ASKED)
    order = noting.note(order, replace(ASKED, at=ASKED.at + timedelta(hours=hours)))

    assert [entry.code for entry in order.timeline].count("note") == notes


def test_reminders_that_were_stopped_are_not_said_to_come_and_can_be_had_again() -> None:
    """EDD #8997: went elsewhere, or bought the upgrade."""
    order = replace(sent(paid_order()), reminders=reminders_of(1, date(2027, 11, 22), REMINDING, ZONE))

    stopped = noting.without_reminders(order, ASKED)

    assert coming(stopped) == ()
    assert noting.without_reminders(stopped, ASKED) is stopped
    assert [each.purpose for each in coming(noting.with_reminders(stopped, ASKED))] == [Purpose.REMINDER] * 2
