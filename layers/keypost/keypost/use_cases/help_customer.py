"""What agents and customers ask for: decided by `core/support.py`, saved, and the order poked. Each call may be
repeated."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import tzinfo
from functools import partial

from keypost import telemetry
from keypost.clients.mailer import Mailer
from keypost.clients.queue import Queue
from keypost.core import closing, correcting, plan, settling, support
from keypost.core.aside import Erasure, reason_of
from keypost.core.aside_reasons import AsideReason
from keypost.core.correcting import Right
from keypost.core.errors import Conflict, QueueUnavailable, Refused, SetAside
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked, Fate, Mail
from keypost.core.mailing import REMINDER_COMPLAINED, with_good_address
from keypost.core.order import Order, Reason
from keypost.core.payment import Payment
from keypost.core.periods import local_day
from keypost.core.references import numbers
from keypost.core.renewals import LICENSE_ID
from keypost.core.said import said
from keypost.core.shop import Intake
from keypost.core.support import Only
from keypost.table import Store
from keypost.table.addresses import Address
from keypost.table.items import customer_digest
from keypost.table.orders import Loaded
from keypost.use_cases.find_linked import Linked, linked_orders

_TRIES = 20


def _own(order: Order | None, order_id: str, payment: Payment, asked: Asked, intake: Intake) -> Order:
    return settling.with_own(order, order_id, payment, asked.at, intake.currency, intake.start)


@dataclass(frozen=True, slots=True)
class Desk:
    store: Store
    queue: Queue
    zone: tzinfo
    seen: tuple[str, int] | None = None  # an order, and its version by which somebody decided

    def change(self, order_id: str, change: Callable[[Order], Order], loaded: Order | None = None) -> Order:
        """Change an order (which the caller may have just loaded) and poke it. NotFound if there is no such order;
        Refused if somebody saw another version."""
        order = self.store.change_existing(order_id, lambda latest: change(self.as_seen(latest)), loaded)
        self.poke(order_id)
        return order

    def as_seen(self, order: Order) -> Order:
        """The order, if it is as its caller saw it; else Refused."""
        if self.seen and order.id == self.seen[0] and order.version != self.seen[1]:
            raise Refused("order_moved", order=order.id)
        return order

    def existing(self, order_id: str) -> Order:
        """The order as its caller saw it. NotFound if there is none."""
        return self.as_seen(self.store.existing(order_id))

    def close(self, order_id: str, asked: Asked) -> Order:
        """End what an order asks a person for now."""

        def closed(order: Order) -> Order:
            needs = plan.attention(order)
            return closing.close(order, needs and needs[0], asked)

        return self.change(order_id, closed)

    def poke(self, order_id: str) -> None:
        with suppress(QueueUnavailable):  # the mail is stored and due, so a schedule finds it
            self.queue.poke(order_id)

    def make_own_order(self, order_id: str, payment_name: str, asked: Asked, intake: Intake) -> str:
        """Make a payment of this order an order of its own; returns its number. The new order is stored first: after a
        crash between the two, the same call does the rest. NotFound if there is no such payment."""
        order = self.existing(order_id)
        payment, numbers = settling.given_away(order, payment_name), settling.own_orders_of(order, payment_name)
        if payment is None:
            to = next(numbers)
        else:
            to = next(to for to in numbers if settling.may_become(self.store.load(to), payment_name))
            self.store.change(to, partial(_own, order_id=to, payment=payment, asked=asked, intake=intake))
            self.change(
                order_id,
                partial(settling.without_payment, name=payment_name, to=to, asked=asked, currency=intake.currency),
            )
        self.poke(to)
        return to

    def resend_only(self, order_id: str, only: Only, asked: Asked, mailer: Mailer) -> Mail:
        """Add a mail that repeats one license, or goes to another address once. Refused if the address that it goes to
        is blocked."""
        order = self.store.existing(order_id)
        if owed := support.granted(order, asked, only):
            return owed
        support.resend(self.as_seen(order), asked, self.zone, only)  # refuses before SES is asked
        email = only.to or order.customer.email
        told = self.store.address(email) if email else Address({})
        if not only.to and told.reminder_complaint:
            raise Refused("not_sent_again", order=order_id, why=said(REMINDER_COMPLAINED))
        if email and (why := why_suppressed(told, email, mailer)):
            raise Refused("not_sent_again", order=order_id, why=said(_SUPPRESSED.get(why, "address_complained")))
        owing = partial(support.resend, asked=asked, zone=self.zone, only=only)
        order = self.change(order_id, lambda latest: owing(latest)[0], order)
        return next(mail for mail in [support.granted(order, asked, only)] if mail)

    def resend(self, order_id: str, asked: Asked, mailer: Mailer, *, lift: bool = False) -> Mail | None:
        """Add a mail that repeats what was sent; returns the mail, or None if nothing of this order can be sent now.
        Refused if the address is blocked at SES.

        `lift` removes the block first, but never after a spam report, and all orders that waited for the address go on.
        The order itself is changed last, so that a repeated call makes up for a crash."""
        order = self.store.existing(order_id)
        if owed := support.granted(order, asked):
            return owed
        why = self._check_resend(self.as_seen(order), mailer, lift=lift)
        if lift and order.customer.email:
            self._lift(order.customer.email, asked, mailer, but=order_id)
        is_lifted = lift and bool(why or order.waits_for(Reason.ADDRESS))
        return self.owe_again(order, asked, lifted=is_lifted)

    def _check_resend(self, order: Order, mailer: Mailer, *, lift: bool) -> str | None:
        """Why the address is blocked, if it is and the block is to be lifted. Refused if nothing may be sent."""
        if why_not := support.why_no_resend(order, self.zone):  # refuse before SES is asked
            raise Refused("not_sent_again", order=order.id, why=why_not)
        email = order.customer.email
        told = self.store.address(email) if email else Address({})
        why = why_suppressed(told, email, mailer) if email else None
        if told.reminder_complaint:
            raise Refused("not_sent_again", order=order.id, why=said(REMINDER_COMPLAINED))
        if why and not (why == "BOUNCE" and lift):
            raise Refused("not_sent_again", order=order.id, why=said(_SUPPRESSED.get(why, "address_complained")))
        return why

    def _lift(self, email: str, asked: Asked, mailer: Mailer, but: str) -> None:
        """Remove the block of an address, and let all orders that waited for it go on, `but` this one."""
        mailer.lift_suppression(email)
        self.store.lift_bad_address(email, asked.at)
        let_go_on = partial(with_good_address, now=asked.at, zone=self.zone, asked=replace(asked, why=""))
        for other in self.store.orders_of(email).orders:
            if other.id != but:
                self.change(other.id, let_go_on)

    def owe_again(self, order: Order, asked: Asked, *, lifted: bool = False) -> Mail | None:
        """Of an order that was just loaded."""
        owing = partial(support.resend_to_good_address, asked=asked, zone=self.zone, lifted=lifted)
        order = self.change(order.id, owing, order)
        return support.granted(order, asked) or support.leaving(order)

    def correct_address(self, order_id: str, email: str, asked: Asked) -> Sequence[str]:
        """Change the address of this order and of the renewals that follow it; returns the ids of the orders that have
        it now."""
        return [order.id for order in self.correct_customer(order_id, Right(email=email), asked)]

    def correct_customer(
        self, order_id: str, right: Right, asked: Asked, *, all_orders: bool = False
    ) -> Sequence[Order]:
        """Correct the customer of this order and of the renewals that follow it, and of `all_orders` with its present
        address; returns the orders that have it now. Only this order tells the old address, and last, so that a
        repeated call finds the others. Refused if one of these orders cannot be written: all others have it then, and
        the call may be repeated."""
        order = self.existing(order_id)
        correcting.correct(order, right, asked, self.zone)  # refuses before others are changed
        unseen = replace(self, seen=None)  # what the others change in this order is of the same call
        return unseen._correct_all(order, right, asked, all_orders=all_orders)  # noqa: SLF001 - it is another self

    def _correct_all(self, order: Order, right: Right, asked: Asked, *, all_orders: bool) -> Sequence[Order]:
        order_id = order.id
        left_out, done = list[SetAside](), dict[str, Order]()
        email = order.customer.email
        found = self.store.orders_of(email) if all_orders and email else Loaded([], [])
        left_out += found.left_out
        for other in found.orders:
            if other.id != order_id and not other.is_erased:
                with _collected(left_out):
                    done |= self._corrected(other.id, right, asked, left_out, last=order_id)
        if right.email and email and (stopped := self.store.unreminded(email)):
            self.store.stop_reminders(right.email, stopped.at, stopped.who)
        own = self._corrected(order_id, right, asked, left_out, last=order_id)
        if without := sorted({error.order_id for error in left_out}):
            raise Refused("others_not_corrected", order=order_id, others=without)
        done = own | done
        return [done[id_] for id_ in [order_id, *sorted(done.keys() - {order_id})]]

    def _corrected(
        self, order_id: str, right: Right, asked: Asked, left_out: list[SetAside], *, last: str
    ) -> dict[str, Order]:
        """An order and the renewals that follow it, by id, without the one that is to be the `last` and tells the old
        address. The renewed order is changed before the renewals, so that a renewal that arrives meanwhile gets what is
        right from it."""
        correct = partial(correcting.correct, right=right, asked=asked, zone=self.zone)
        order = self.change(order_id, partial(correct, tells=order_id == last))
        email = order.customer.email or ""
        wrong = {old for old, now in order.customer.corrected.items() if now == email}
        if right.email:
            left_out += self._correct_in_renewed(order, wrong, email)
        renewing = self._renewing(order)
        left_out += renewing.left_out
        done = {order_id: order}
        for renewal in _with_address(renewing.orders, {*wrong, email} - {""}):
            if renewal.id == last:
                continue
            with _collected(left_out):
                done[renewal.id] = self.change(renewal.id, partial(correct, tells=False))
        return done

    def _correct_in_renewed(self, order: Order, wrong: Collection[str], email: str) -> list[SetAside]:
        """Note the right address in the orders that this one renews; returns why for those that cannot be written."""
        left_out = list[SetAside]()
        for base_id in self._renewed(order):
            with _collected(left_out):
                for old in sorted(wrong):
                    self.change(base_id, partial(support.with_correction, old=old, email=email))
        return left_out

    def _renewed(self, order: Order) -> list[str]:
        """The orders whose lists of renewals have this order: later renewals are added there."""
        return sorted({term.renews for term in order.terms if term.renews})

    def _ever_renewed(self, order: Order) -> tuple[list[str], list[SetAside]]:
        """The orders whose lists of renewals have this order, or had it before it was refunded or canceled, and those
        of them that cannot be read."""
        named = {self._order_named(line.renews) for line in order.lines if line.renews}
        found = self.store.read_all(sorted(filter(None, named)))
        first = [base_id for each in found.orders for base_id in self._renewed(each)]
        left_out = {error.order_id for error in found.left_out}
        return sorted({*self._renewed(order), *(each.id for each in found.orders), *first} - left_out), found.left_out

    def _order_named(self, renews: str) -> str | None:
        """The order of what a line renews: of a license, or of another order's line."""
        if LICENSE_ID.fullmatch(renews):
            return self.store.order_of_license(renews)
        return self.store.first_of(numbers(renews.partition("/")[0]))

    def _renewing(self, order: Order) -> Loaded:
        """The renewals of an order; if it is a renewal itself, also those that come after it in the list."""
        ids = {renewal.order_id for renewal in order.renewals}
        for base in self.store.load_all(self._renewed(order)):
            listed = [renewal.order_id for renewal in base.renewals]
            ids.update(listed[listed.index(order.id) + 1 :] if order.id in listed else ())
        return self.store.read_all(sorted(ids - {order.id}))

    def swap_code(self, order_id: str, license_id: str, reason: str, asked: Asked) -> Order:
        """Give a license another code, of another batch if there is one. Refused if no code is free."""
        for _ in range(_TRIES):
            order = self.store.existing(order_id)
            if support.swapped(order, license_id, asked):
                self.poke(order_id)  # the poke of the first call may have been lost
                return order
            bad = support.license_of(self.as_seen(order), license_id)
            today = local_day(asked.at, self.zone)
            if why_not := support.why_no_swap(order, bad, today):
                raise Refused("no_other_code", license=license_id, why=why_not)
            batch = self.store.batch_of(bad.code)
            if batch is None:
                raise Refused("code_not_in_stock", license=license_id)
            other = self.store.pick_of_other_batch(bad.sku, max(today, bad.first_day), batch)
            if other is None:
                raise Refused("no_code_free", sku=bad.sku)
            changed = support.with_other_code(order, license_id, other, reason, asked)
            try:
                with_words = replace(changed.bad_codes[-1], asked=asked)
                saved = self.store.swap_code(changed, with_words, other, batch, today)
            except Conflict:  # another call assigned that code, or changed the order
                continue
            self.poke(order_id)
            with telemetry.optional():  # for the forecast only
                self.store.count_used(bad.sku, today, 1)
            return saved
        raise Conflict("order_busy", order=order_id)

    def erase(self, email: str, asked: Asked, years: int, also: Collection[str] = ()) -> "Erased":
        """Erase a customer from all of their orders, and from renewals of these that have no address; `also` from those
        of other addresses, and from orders that are named by their numbers. What tax law requires stays for `years`
        years. An order that cannot be written now is erased as soon as it can be. NotFound, before anything is
        changed, if one of the numbers is none. The answer has the orders of other addresses that are linked."""
        emails, named = self._named(email, also)
        theirs = [*named, *(order for one in emails for order in self._of_customer(one).orders)]
        linked = linked_orders(self.store, theirs, emails)
        parts = [self._erase_all(one, asked, years) for one in emails]
        parts += [self._erase_one(order, asked, years) for order in named]
        erased = {order.id: order for part in parts for order in part.orders}
        later = sorted({order_id for part in parts for order_id in part.later})
        return Erased([*erased.values()], later, [each for each in linked if each.order_id not in {*erased, *later}])

    def _named(self, email: str, also: Collection[str]) -> tuple[list[str], list[Order]]:
        """All addresses, and the orders that are named by their numbers. NotFound if one of these is none."""
        named = [self.store.existing(order_id) for order_id in also if "@" not in order_id]
        return [email, *(each for each in also if "@" in each)], named

    def _erase_one(self, order: Order, asked: Asked, years: int) -> "Erased":
        if self.store.existing(order.id).is_erased:
            return Erased([], [])
        try:
            return Erased([self.erase_order(order, asked, years)], [])
        except SetAside as error:
            whose = customer_digest(order.customer.email or "")
            self.store.keep_erasure(order.id, reason_of(error), Erasure(asked, years, whose), asked.at)
            return Erased([], [order.id])

    def of_customer(self, email: str, also: Collection[str] = ()) -> tuple[Loaded, list[Linked]]:
        """All orders of a customer, those of other addresses and numbers that are named, and what is linked to them.
        NotFound if one of the numbers is none."""
        emails, named = self._named(email, also)
        loaded = [self.store.orders_of(one) for one in emails]
        orders = {order.id: order for order in (*named, *(order for each in loaded for order in each.orders))}
        left_out = [error for each in loaded for error in each.left_out]
        theirs = Loaded(sorted(orders.values(), key=lambda order: (order.created_at, order.id)), left_out)
        linked = linked_orders(self.store, theirs.orders, emails)
        return theirs, [each for each in linked if each.order_id not in orders]

    def _erase_all(self, email: str, asked: Asked, years: int) -> "Erased":
        erased: list[Order] = []
        later: dict[str, AsideReason] = {}
        # The index lags: an order that was stored just now is found in a later round.
        while theirs := self._to_erase(email, later):
            for order in theirs:
                try:
                    erased.append(self.erase_order(order, asked, years, email))
                except SetAside as error:
                    later[order.id] = reason_of(error)
        erasure = Erasure(asked, years, customer_digest(email))
        for order_id, reason in later.items():
            self.store.keep_erasure(order_id, reason, erasure, asked.at)
        return Erased(erased, sorted(later))

    def _to_erase(self, email: str, later: dict[str, AsideReason]) -> list[Order]:
        """Those that can be read and were not tried; the others go into `later`."""
        theirs = self._of_customer(email)
        later.update({error.order_id: reason_of(error) for error in theirs.left_out})
        by_id = {each.id: each for each in theirs.orders if not each.is_erased}
        return [each for each in by_id.values() if each.id not in later]

    def _of_customer(self, email: str) -> Loaded:
        """The orders with this address, and the renewals of these that have no address."""
        found = self.store.orders_of(email)
        theirs, left_out = [*found.orders], [*found.left_out]
        for order in found.orders:
            renewing = self._renewing(order)
            theirs += [each for each in renewing.orders if each.customer.email is None]
            left_out += renewing.left_out
        return Loaded(theirs, left_out)

    def all_of_customer(self, email: str) -> Loaded:
        """All that an erasure of this address would erase, and the renewals that follow, whosever they are."""
        found = self._of_customer(email)
        following = [each for order in found.orders for each in self._renewing(order).orders]
        return Loaded([*found.orders, *following], found.left_out)

    def erase_at_last(self, order_id: str, erasure: Erasure) -> None:
        """Erase a customer from an order that could not be written when that was asked for. A renewal may turn out to
        be another customer's, and what it renews, too: that keeps no address of this one."""
        order = self.store.existing(order_id)
        email = order.customer.email
        for address in {*order.customer.corrected.values()}:
            if email != address and customer_digest(address) == erasure.whose:
                order = self.change(order_id, partial(support.without_correction, email=address))
        if not order.is_erased and (email is None or customer_digest(email) == erasure.whose):
            self.erase_order(order, erasure.asked, erasure.years)

    def erase_order(self, order: Order, asked: Asked, years: int, email: str = "") -> Order:
        """Remove who the customer is from one order, and what is kept of their addresses. What it renews and cannot be
        written now is noted beside that, and keeps nobody from being erased."""
        self._forget_addresses(order, email)
        renewed, left_out = self._ever_renewed(order)
        left_out = [*left_out]
        for base_id in renewed:
            with _collected(left_out):
                self.change(base_id, partial(support.without_correction, email=order.customer.email or ""))
        if whose := order.customer.email or email:
            for error in left_out:
                erasure = Erasure(asked, years, customer_digest(whose))
                self.store.keep_erasure(error.order_id, reason_of(error), erasure, asked.at)
        self.store.forget_told(name for payment in order.payments for name in payment.names)
        until = support.forget_on(order.created_at, years, self.zone)
        is_part = any(each.subscription.is_charged for each in self.store.load_all(renewed))

        def forget(latest: Order) -> Order:
            if not latest.is_erased:
                self.store.forget_words(latest, until)  # nothing more moves there before this very order is stored
            return support.erase(latest, asked, until, is_part=is_part)

        return self.change(order.id, forget)

    def _forget_addresses(self, order: Order, email: str) -> None:
        """Remove what is kept of this address, and of those that the order has or had."""
        for address in {email, order.customer.email or "", *order.customer.corrected} - {""}:
            self.store.forget_address(address)
            self.store.forget_reminders(address)
        for address in {mail.to for mail in order.mails if mail.to and mail.holds_codes}:
            if not self.store.orders_of(address).orders:  # somebody else's, who is no customer
                self.store.forget_address(address)


def _with_address(orders: Iterable[Order], addresses: Collection[str]) -> list[Order]:
    """The orders that have one of these addresses now, without those that were erased."""
    return [each for each in orders if (each.customer.email or "") in addresses and not each.is_erased]


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of the orders of a customer who is erased."""

    orders: list[Order]
    later: list[str]  # the ids of those that cannot be written now, and are erased as soon as they can be
    linked: Sequence[Linked] = ()  # of other addresses, not erased


@contextmanager
def _collected(left_out: list[SetAside]) -> Iterator[None]:
    """What cannot be written now is remembered, and the others go on."""
    try:
        yield
    except SetAside as error:
        left_out.append(error)


_SUPPRESSED = {"BOUNCE": "address_bounced", "COMPLAINT": "address_complained"}


def why_suppressed(told: Address, email: str, mailer: Mailer) -> str | None:
    """BOUNCE or COMPLAINT if SES or its events say that the address is blocked; else None."""
    own = {Fate.BOUNCED: "BOUNCE", Fate.COMPLAINED: "COMPLAINT"}[told.bad[0]] if told.bad else None
    return "COMPLAINT" if own == "COMPLAINT" else mailer.why_suppressed(email) or own
