"""One agenda makes the plan and the clock: whatever happened to an order, they agree."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keypost.core import contents, licensing, mailing, owed, renewals, support
from keypost.core.codes import StockCode
from keypost.core.errors import KeypostError
from keypost.core.mail import (
    Asked,
    Fate,
    MailNotSent,
    MailOutcome,
    MailReport,
    MailSent,
    MailState,
    MailUnknown,
    Purpose,
    Refusal,
)
from keypost.core.order import Order, Reason, Renewal, noted, waiting_for
from keypost.core.payment import Dispute, DisputeState, FailedRefund, OrderCanceled, PaymentState, Refunded
from keypost.core.plan import (
    AssignCodes,
    DoubtMail,
    DropMails,
    FindTerms,
    GiveUpMail,
    GiveUpTerms,
    Remind,
    ReturnCodes,
    SendMail,
    StartMail,
    Step,
    TellRefunded,
    TellUnpaid,
    TellWaiting,
    WaitForProduct,
    agenda,
    next_due,
    plan,
)
from keypost.core.product import Kind, Line
from keypost.core.said import Said
from tests.builders import NOW, PRODUCT, SKU, ZONE, code, notice, paid_order

BOUGHT, RENEWED = Line(SKU, 1), Line(SKU, 1, Kind.RENEWAL, "UNKNOWN")
PRODUCTS = {SKU: replace(PRODUCT, term_days=40, reminder_days=(30, 7))}
RETRY_RENEWED = timedelta(hours=12)
SENT = MailSent("m")
OUTCOMES: list[MailOutcome | None] = [
    SENT,
    MailNotSent(Said("busy")),
    MailNotSent(Said("bad"), Refusal.FOR_EVER),
    MailNotSent(Said("paused"), Refusal.OF_ACCOUNT),
    MailUnknown(Said("lost")),
    None,  # the worker died after it called SES
]
Happening = Callable[[Order, datetime], Order]
MET = set[str]()  # the kinds of step that the worker did


def _pays(**changes: object) -> Happening:
    def happen(order: Order, now: datetime) -> Order:
        return contents.with_payment(order, notice(order.id, *order.lines, at=now, **changes), now, "EUR")

    return happen


def _asks(what: Callable[[Order, Asked], Order]) -> Happening:
    """What an agent asks for, and is refused where the order is not such."""

    def happen(order: Order, now: datetime) -> Order:
        try:
            return what(order, Asked(now, "anna", "", str(now)))
        except KeypostError:
            return order

    return happen


def _swaps(order: Order, asked: Asked) -> Order:
    if not order.licenses or support.why_no_swap(order, order.licenses[0], asked.at.date()):
        return order
    other = StockCode(f"swap{len(order.bad_codes)}", code(len(order.bad_codes), "SWAPS"), SKU)
    return support.with_other_code(order, order.licenses[0].id, other, "invalid", asked)


def _reports(fate: Fate) -> Happening:
    def happen(order: Order, now: datetime) -> Order:
        if not order.mails:
            return order
        mail, address = order.mails[-1], order.customer.email or ""
        told = MailReport(order.id, mail.id, max(1, mail.attempts), fate, now, "", address, "m", now)
        return mailing.with_report(order, told, now)

    return happen


HAPPENINGS: dict[str, Happening] = {
    "it is paid": _pays(),
    "its payment is open": _pays(state=PaymentState.OPEN),
    "its payment fails": _pays(state=PaymentState.FAILED, payment_id="cs_failed"),
    "it is paid twice": _pays(payment_id="cs_other"),
    "all is refunded": _pays(refunded=Refunded(NOW + timedelta(days=900), full=True)),
    "a part is refunded": _pays(refunded=Refunded(NOW, "10.00")),
    "a refund fails": _pays(failed_refunds=(FailedRefund("re_1", "39.95", NOW + timedelta(days=901)),)),
    "it is disputed": _pays(disputes=(Dispute("dp_1", DisputeState.OPEN, NOW),)),
    "its dispute is won": _pays(disputes=(Dispute("dp_1", DisputeState.WON, NOW + timedelta(days=1)),)),
    "its dispute is lost": _pays(disputes=(Dispute("dp_2", DisputeState.LOST, NOW),)),
    "it is paid in dollars": _pays(currency="USD", payment_id="cs_usd"),
    "it is canceled": lambda order, now: contents.with_fact(order, OrderCanceled(order.id), now, "EUR"),
    "its subscription ends": contents.with_subscription_ended,
    "its payment is of another order": lambda order, now: contents.belonging_to(order, "other", now),
    "it is held": _asks(lambda order, asked: support.hold(order, asked.who, asked.at)),
    "it is released": _asks(lambda order, asked: support.release(order, asked.who, asked.at)),
    "its codes are blocked": _asks(lambda order, asked: support.blocked(order, asked.who, asked.at)),
    "it is sent again": _asks(lambda order, asked: support.resend(order, asked, ZONE)[0]),
    "its address is lifted": _asks(lambda o, asked: support.resend_to_good_address(o, asked, ZONE, lifted=True)),
    "its address is corrected": _asks(
        lambda o, asked: support.correct_address(o, f"{len(o.mails)}@b.example", asked, ZONE)
    ),
    "a code is swapped": _asks(_swaps),
    "its customer is erased": _asks(lambda order, asked: support.erase(order, asked, asked.at.date())),
    "its line is left by another renewal": lambda order, now: renewals.without_terms(order, now, Said("line_changed")),
    "another order renews it": lambda order, now: renewals.with_renewal(
        order, Renewal("r9", 1, 1, None, 365, now.date()), now, has_left=False
    ),
} | {f"SES reports {fate}": _reports(fate) for fate in Fate}


def _worker(stock: int, outcome: MailOutcome | None, *, knows_end: bool, paused: bool) -> Happening:
    """A run of the worker: step after step, until it stops or dies."""

    def work(order: Order, now: datetime) -> Order:
        tried: list[int] = []
        for _ in range(20):
            step = plan(order, PRODUCTS, now, tried, mail_paused=paused)
            if step is None:
                break
            MET.add(type(step).__name__)
            if isinstance(step, AssignCodes) and stock < sum(count for _, count in step.needed):
                tried += step.delivery.lines
            order = _done(order, step, now, stock, outcome, knows_end=knows_end, may_mail=not paused)
            if outcome is None and order.mails and order.mails[-1].state is MailState.SENDING:
                break
        return order

    return work


def _done(  # noqa: C901, PLR0912 - one case for each step
    order: Order,
    step: Step,
    now: datetime,
    stock: int,
    outcome: MailOutcome | None,
    *,
    knows_end: bool,
    may_mail: bool,
) -> Order:
    """One step as the worker does it."""
    match step:
        case ReturnCodes(licenses):
            return licensing.with_codes_returned(order, {one.id for one in licenses}, now)
        case GiveUpTerms():
            return replace(order, terms=(), registered=())
        case FindTerms(lines):
            if not knows_end:
                return waiting_for(order, Reason.RENEWS, Said("end_unknown"), now, RETRY_RENEWED, lines)
            return _with_terms(order, lines, now)
        case TellUnpaid():
            return waiting_for(order, Reason.UNPAID, Said("period_unpaid"), now)
        case WaitForProduct(_, lines, _):
            return waiting_for(order, Reason.PRODUCT, Said("not_in_catalog"), now, lines=lines)
        case AssignCodes(((sku, count),), delivery) if stock >= count:
            taken = [StockCode(f"d{len(order.licenses) + n}", code(len(order.licenses) + n), sku) for n in range(count)]
            after = licensing.with_codes(order, taken, PRODUCTS, now, ZONE, delivery, may_mail=may_mail)
            return _settled(after, outcome, now) if len(after.mails) > len(order.mails) else after
        case AssignCodes(_, delivery):
            return waiting_for(order, Reason.STOCK, Said("too_few_codes"), now, lines=delivery.lines)
        case StartMail(delivery):
            return _settled(licensing.with_mail_of(order, delivery, now), outcome, now)
        case Remind(reminders):
            due = renewals.without_reminders(order, reminders)
            return mailing.owe_reminder(due, order.licenses, now) if order.licenses else noted(due, now, "no_reminder")
        case TellRefunded():
            return mailing.owe_mail(order, Purpose.REFUNDED, now)
        case TellWaiting(lines):
            return mailing.owe_mail(order, Purpose.WAITING, now, lines)
        case SendMail(mail_id):
            return _settled(mailing.claim_mail(order, mail_id, now), outcome, now, mail_id)
        case DoubtMail(mail_id):
            return mailing.doubt_mail(order, mail_id, now)
        case GiveUpMail(mail_id):
            return mailing.fail_mail(order, mail_id, Said("never_known"), now)
        case DropMails(mail_ids):
            return mailing.drop_mails(order, mail_ids, now)


def _settled(order: Order, outcome: MailOutcome | None, now: datetime, mail_id: str = "") -> Order:
    mail_id = mail_id or order.mails[-1].id
    return mailing.settle_mail(order, mail_id, order.mail(mail_id).attempts, outcome, now) if outcome else order


def _with_terms(order: Order, lines: tuple[int, ...], now: datetime) -> Order:
    paid_on = now.date() if order.is_paid else None
    first = max(now.date(), order.created_at.date() + timedelta(days=20))
    terms = [
        renewals.term_of(
            Renewal(order.id, n, 1, None, 365, paid_on), (first, first + timedelta(days=364)), PRODUCT, "base", ZONE
        )
        for n in lines
    ]
    return replace(renewals.with_terms(order, terms, None, now, ZONE), registered=("base",))


workers = st.builds(
    _worker, st.integers(0, 2), st.sampled_from(OUTCOMES), knows_end=st.booleans(), paused=st.booleans()
)
happenings = st.one_of(workers, workers, st.sampled_from(list(HAPPENINGS)).map(HAPPENINGS.__getitem__))
gaps = st.sampled_from([0, 1, 60, 900, 3600, 13 * 3600, 3 * 86400, 30 * 86400])
orders = st.sampled_from([(BOUGHT,), (RENEWED,), (BOUGHT, RENEWED), (Line(SKU, 2), BOUGHT, RENEWED)])


@settings(max_examples=400)
@given(orders, st.sampled_from(PaymentState), st.lists(st.tuples(happenings, gaps), max_size=25))
def test_without_a_step_the_clock_is_ahead_or_empty_and_a_step_means_that_it_has_rung(
    lines: tuple[Line, ...], state: PaymentState, story: list[tuple[Happening, int]]
) -> None:
    order, now = paid_order("walk", *lines, state=state), NOW

    _check(order, now)
    for happen, gap in story:
        order = happen(order, now)
        _check(order, now)
        now += timedelta(seconds=gap)
        _check(order, now)


def _check(order: Order, now: datetime) -> None:
    step, due = plan(order, PRODUCTS, now), next_due(order)
    if step is None:
        assert due is None or due > now
    elif due is None or due > now:
        assert _looks_again(order, step, now), f"{step} at {now}, and the clock rings at {due}"


def _looks_again(order: Order, step: Step, now: datetime) -> bool:
    """Codes may have arrived, which no order is told of: a poke looks for them before the clock does."""
    waits = [waiting for waiting in order.waits if waiting.retry_at > now]
    return isinstance(step, AssignCodes | StartMail) and any(each.is_of(step.delivery.lines) for each in waits)


def test_the_walk_meets_every_kind_of_step() -> None:
    """What the walk never meets, the property above does not promise."""
    MET.clear()

    @settings(max_examples=300, database=None, derandomize=True)
    @given(orders, st.lists(st.tuples(happenings, gaps), min_size=10, max_size=25))
    def walk(lines: tuple[Line, ...], story: list[tuple[Happening, int]]) -> None:
        order, now = paid_order("walk", *lines), NOW
        for happen, gap in story:
            order, now = happen(order, now), now + timedelta(seconds=gap)

    walk()

    assert {each.__name__ for each in Step.__args__} - MET <= {"WaitForProduct", "GiveUpMail", "TellUnpaid"}


# What house.md F1 tells of: a bought license beside a renewal of unknown end.
def mixed(**changes: object) -> Order:
    order = paid_order("mixed", BOUGHT, RENEWED, **changes)
    return waiting_for(order, Reason.RENEWS, Said("end_unknown"), NOW, RETRY_RENEWED, (2,))


def test_a_license_that_waits_for_a_paused_ses_rings_although_a_renewal_beside_it_waits_for_its_end() -> None:
    given_codes = licensing.with_codes(
        mixed(), [StockCode("d", code(1), SKU)], PRODUCTS, NOW, ZONE, owed.deliveries(mixed())[0], may_mail=False
    )

    assert plan(given_codes, PRODUCTS, NOW, mail_paused=True) is None
    assert next_due(given_codes) == NOW
    assert isinstance(plan(given_codes, PRODUCTS, NOW + timedelta(minutes=6)), StartMail)


def test_a_license_that_is_paid_after_its_renewal_began_to_wait_rings_at_once() -> None:
    opened = mixed(state=PaymentState.OPEN)
    paid_at = NOW + timedelta(minutes=30)

    paid = contents.with_payment(opened, notice("mixed", BOUGHT, RENEWED, at=paid_at), paid_at, "EUR")

    assert next_due(paid) == paid_at
    assert isinstance(plan(paid, PRODUCTS, paid_at), AssignCodes)


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEASE, DOUBT = timedelta(minutes=2), timedelta(minutes=15)


def owing(order: Order, purpose: Purpose) -> Order:
    return mailing.owe_mail(order, purpose, NOW)


def claimed(order: Order) -> Order:
    return mailing.claim_mail(order, order.mails[-1].id, NOW)


def sent() -> Order:
    order = licensing.with_codes(paid_order("walk"), [StockCode("d", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE)
    return mailing.settle_mail(order, "purchase-1", 1, SENT, NOW)


def bounced(order: Order) -> Order:
    return mailing.with_bad_address(order, "address_bounced", NOW, NOW)


def renewal(**changes: object) -> Order:
    return replace(_with_terms(paid_order("walk", RENEWED, **changes), (1,), NOW), registered=())


MAIL_AT = datetime.fromisoformat("2026-12-06T06:00:00+00:00")  # seven days before 13 December, at 07:00 in Amsterdam
CLOCKS: dict[str, tuple[Order, datetime | None]] = {
    "paid": (paid_order("walk"), NOW),
    "open": (paid_order("walk", state=PaymentState.OPEN), None),
    "failed": (paid_order("walk", state=PaymentState.FAILED), None),
    "in dollars": (paid_order("walk", currency="USD"), None),
    "without lines": (contents.with_payment(None, replace(notice("walk"), lines=()), NOW, "EUR"), None),
    "waits for stock": (
        waiting_for(paid_order("walk"), Reason.STOCK, Said("x"), NOW, DAY, (1,)),
        NOW + HOUR,  # then the customer is told
    ),
    "waits for stock, and was told so": (
        owing(waiting_for(paid_order("walk"), Reason.STOCK, Said("x"), NOW, DAY, (1,)), Purpose.WAITING),
        NOW,
    ),
    "waits for its product": (waiting_for(paid_order("walk"), Reason.PRODUCT, Said("x"), NOW, HOUR, (1,)), NOW + HOUR),
    "being sent": (claimed(owing(paid_order("walk"), Purpose.PURCHASE)), NOW + LEASE),
    "served": (sent(), None),
    "sent again": (owing(sent(), Purpose.RESEND), NOW),
    "a resend is being sent": (claimed(owing(sent(), Purpose.RESEND)), NOW + LEASE),
    "a resend is in doubt": (
        mailing.settle_mail(claimed(owing(sent(), Purpose.RESEND)), "resend-1", 1, MailUnknown(Said("x")), NOW),
        NOW + DOUBT,
    ),
    "a resend failed": (mailing.fail_mail(owing(sent(), Purpose.RESEND), "resend-1", Said("x"), NOW), None),
    "bounced": (bounced(sent()), None),
    "a resend waits for an address": (bounced(owing(sent(), Purpose.RESEND)), NOW + timedelta(hours=12)),
    "a purchase waits for an address": (bounced(paid_order("walk")), NOW),  # its codes are set aside meanwhile
    "refunded before it left": (_pays(refunded=Refunded(NOW, full=True))(paid_order("walk"), NOW), NOW),
    "refunded, and told so": (
        owing(_pays(refunded=Refunded(NOW, full=True))(sent(), NOW), Purpose.REFUNDED),
        NOW,
    ),
    "disputed": (_pays(disputes=(Dispute("dp", DisputeState.OPEN, NOW),))(paid_order("walk"), NOW), None),
    "a part refunded": (_pays(refunded=Refunded(NOW, "1.00"))(paid_order("walk"), NOW), None),
    "a part refunded, and released": (
        support.release(_pays(refunded=Refunded(NOW, "1.00"))(paid_order("walk"), NOW), "anna", NOW),
        NOW,
    ),
    "held": (support.hold(paid_order("walk"), "anna", NOW), None),
    "canceled": (contents.canceled(paid_order("walk"), NOW), None),
    "erased": (support.erase(sent(), Asked(NOW, "anna"), NOW.date()), None),
    "a renewal of which no end was looked for": (paid_order("walk", RENEWED), NOW),
    "a renewal of unknown end": (
        waiting_for(paid_order("walk", RENEWED), Reason.RENEWS, Said("x"), NOW, RETRY_RENEWED, (1,)),
        NOW + RETRY_RENEWED,
    ),
    "an unpaid renewal": (renewal(state=PaymentState.OPEN), MAIL_AT),
    "an unpaid renewal of which a person knows": (
        waiting_for(renewal(state=PaymentState.OPEN), Reason.UNPAID, Said("x"), NOW),
        None,
    ),
    "an unpaid renewal whose subscription ended": (
        contents.with_subscription_ended(renewal(state=PaymentState.OPEN), NOW),
        None,
    ),
    "a paid renewal": (renewal(), datetime.fromisoformat("2026-11-13T06:00:00+00:00")),  # thirty days before
    "a renewal with its codes": (
        licensing.with_codes(renewal(), [StockCode("d", code(1), SKU)], {SKU: PRODUCT}, NOW, ZONE),
        MAIL_AT,
    ),
    "a license and a renewal of unknown end": (mixed(), NOW),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_the_next_moment_of_an_order_is_the_one_that_a_person_would_name(name: str) -> None:
    order, moment = CLOCKS[name]

    assert next_due(order) == moment


def test_what_several_wait_for_is_each_their_own() -> None:
    order = waiting_for(paid_order("walk", BOUGHT, RENEWED), Reason.STOCK, Said("short"), NOW, DAY, (1,))
    order = waiting_for(order, Reason.RENEWS, Said("unknown"), NOW, RETRY_RENEWED, (2,))
    order = waiting_for(order, Reason.STOCK, Said("shorter"), NOW + HOUR, DAY, (1,))

    assert [(each.reason, each.why.code, each.lines, each.since) for each in order.waits] == [
        (Reason.RENEWS, "unknown", (2,), NOW),
        (Reason.STOCK, "shorter", (1,), NOW),
    ]
    assert [entry.at for entry in agenda(order) if isinstance(entry.step, FindTerms)] == [NOW + RETRY_RENEWED]
