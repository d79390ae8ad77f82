"""Brings an order to where its facts say it should be: load it, plan, do the one step, again until nothing is
due. Whatever woke it, and however often, the outcome is the same."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import cache

from keypost import telemetry
from keypost.clients.mailer import Mailer
from keypost.clients.queue import LONGEST_DELAY, Queue
from keypost.core import licensing, mailing, places, renewals, sharing
from keypost.core.codes import StockCode
from keypost.core.errors import Conflict, InvalidInput, QueueUnavailable
from keypost.core.mail import Mail, MailNotSent, MailSent, MailUnknown, Purpose, Refusal
from keypost.core.mailing import with_bad_address, with_good_address
from keypost.core.order import RETRY_WAITING, License, Order, Reason, Reminder, noted, waiting_for
from keypost.core.owed import Delivery, owes_codes
from keypost.core.periods import local_day
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
    plan,
)
from keypost.core.product import Product
from keypost.core.said import Said, said
from keypost.emails import Shop, compose
from keypost.table import Store
from keypost.table.addresses import Address
from keypost.table.at_hand import AtHand
from keypost.table.orders import CODES_PER_TRANSACTION
from keypost.use_cases import serve_waiting
from keypost.use_cases.take_codes import CodePicker
from keypost.use_cases.take_place import PlaceTaker

_TRIES = 20
_RETRY_RENEWED = timedelta(hours=12)  # for an order that renews what is not known here, or what was refunded
_LATEST_REMINDER = timedelta(days=3)  # after the last day: what an outage kept back for longer is of no use
_PAUSE = timedelta(minutes=5)  # after which one mail asks whether SES takes any again


@dataclass(slots=True)
class _Found:
    """What one run has learned on its way."""

    at_hand: AtHand
    tried: set[int] = field(default_factory=set)  # the lines that wait
    has_looked: bool = False  # at the address, as something was to be mailed

    @property
    def products(self) -> Mapping[str, Product]:
        return self.at_hand.products


@dataclass(frozen=True, slots=True)
class Worker:
    store: Store
    queue: Queue
    mailer: Mailer
    shop: Shop
    clock: Callable[[], datetime]
    mails_per_second: Callable[[], float] = lambda: 10
    tells_ahead: bool = False  # a customer who paid for a renewal long before is told when its codes come

    def advance(self, order_id: str, loaded: Order | None = None) -> None:
        """Conflict when others kept changing the same order or taking the same codes: come back later. The order is
        loaded here, unless the caller just did."""
        if serve_waiting.is_of_product(order_id):
            serve_waiting.poke_first_in_line(
                self.store, self.queue, order_id, self.clock(), self.shop.zone, self.mails_per_second
            )
            return
        for attempt in range(_TRIES):
            order = loaded if loaded and attempt == 0 else self.store.load(order_id)
            if order is None:
                telemetry.outcome("OrderNotFound", order_id=order_id)
                return
            try:
                self._finish(order)
            except Conflict:  # somebody was first: load and decide again
                continue
            return
        raise Conflict("order_busy", order=order_id)

    def _finish(self, order: Order) -> None:
        if plan(order, order.skus, self.clock()) is None:
            return  # whatever the catalog knows: nothing is read for a poke that comes once more
        found = _Found(self.store.at_hand(order))
        more = True
        while more:
            now = self.clock()
            step = plan(order, found.products, now, found.tried, mail_paused=found.at_hand.is_mail_paused(now))
            if not found.has_looked and step and (step.needs_mail or isinstance(step, AssignCodes)):
                found.has_looked = True
                order = self._look_at_address(order, found, now)
            else:
                order, more = self._step(order, step, found.products, found, now)

    def _look_at_address(self, order: Order, found: _Found, now: datetime) -> Order:
        """Before anything is mailed: whether its address takes mail, as its other orders may have told."""
        waiting = order.waits_for(Reason.ADDRESS)
        email = order.customer.email
        if email is None or (waiting and waiting.retry_at > now):
            return order
        if email != found.at_hand.email:  # a renewal may have got another one from what it renews
            found.at_hand = self.store.at_hand(order)
        if why := _why_not_written(order, found.at_hand.address):
            telemetry.outcome("OrderWaits", order_id=order.id, reason=Reason.ADDRESS)
            return self.store.save(with_bad_address(order, *why, now))
        return self.store.save(with_good_address(order, now, self.shop.zone)) if waiting else order

    def _step(  # noqa: C901 - one case for each step
        self, order: Order, step: Step | None, products: Mapping[str, Product], found: _Found, now: datetime
    ) -> tuple[Order, bool]:
        """What is done, and whether another step may follow. A delivery that waits is tried once."""
        match step:
            case None:
                return order, False
            case ReturnCodes(licenses):
                return self._return_codes(order, licenses[:CODES_PER_TRANSACTION], now), True
            case GiveUpTerms(lines):
                return self._places.give_up(order, now, lines or None), True
            case FindTerms(lines):
                return self._find_terms(order, lines, products, now)
            case TellUnpaid(first_day):
                return self._wait(order, Reason.UNPAID, said("period_unpaid", first_day=first_day), now), False
            case WaitForProduct(skus, lines, delivery):
                found.tried |= set(lines) if delivery else set()
                return self._wait(order, Reason.PRODUCT, said("not_in_catalog", skus=skus), now, lines=lines), True
            case AssignCodes(_, delivery):
                after, is_served = self._assign(order, step, products, found, now)
                found.tried |= set() if is_served else set(delivery.lines)
                return after, True
            case StartMail(delivery):
                after, is_served = self._start_mail(order, delivery, products, now)
                found.tried |= set() if is_served else set(delivery.lines)
                return after, True
            case SendMail(mail_id):
                return self._send_again(order, mail_id, products, now), True
            case DoubtMail(mail_id):
                telemetry.outcome("MailUnknown", order_id=order.id, mail=mail_id)
                return self._poke_for(mail_id, self.store.save(mailing.doubt_mail(order, mail_id, now)), now), True
            case _:
                return self.store.save(self._with_mails(order, step, now)), True

    def _with_mails(
        self, order: Order, step: Remind | TellRefunded | TellWaiting | DropMails | GiveUpMail, now: datetime
    ) -> Order:
        """Mails that are owed from now on, or not any more."""
        match step:
            case Remind(reminders):
                return self._remind(order, reminders, now)
            case TellRefunded():
                return mailing.owe_mail(order, Purpose.REFUNDED, now)
            case TellWaiting(lines):
                return mailing.owe_mail(order, Purpose.WAITING, now, lines)
            case DropMails(mail_ids):
                return mailing.drop_mails(order, mail_ids, now)
            case GiveUpMail(mail_id):
                self._list(order, now)
                telemetry.outcome("MailFailed", order_id=order.id, mail=mail_id)
                return mailing.fail_mail(order, mail_id, said("never_known"), now)

    def _wait(
        self,
        order: Order,
        reason: Reason,
        why: Said,
        now: datetime,
        retry: timedelta = RETRY_WAITING,
        lines: tuple[int, ...] = (),
    ) -> Order:
        telemetry.outcome("OrderWaits", order_id=order.id, reason=reason)
        waiting = waiting_for(order, reason, why, now, retry, lines)
        return self._saved(waiting, order)

    def _saved(self, order: Order, before: Order) -> Order:
        return order if order is before else self.store.save(order)

    @property
    def _places(self) -> PlaceTaker:
        return PlaceTaker(self.store, self._poke, self.shop.zone, self.tells_ahead)

    @property
    def _codes(self) -> CodePicker:
        return CodePicker(self.store, self.shop.zone)

    def _find_terms(
        self, order: Order, lines: Sequence[int], products: Mapping[str, Product], now: datetime
    ) -> tuple[Order, bool]:
        order, unknown = self._places.take(order, lines, products, now)
        for number, why in unknown.items():
            if places.is_of_others(why):
                order = self._wait(order, Reason.OTHER_CUSTOMER, why, now, _RETRY_RENEWED, (number,))
            else:
                order = self._wait(order, Reason.RENEWS, why, now, _RETRY_RENEWED, (number,))
        return self._without_early_codes(order, lines, now), True

    def _without_early_codes(self, order: Order, lines: Sequence[int], now: datetime) -> Order:
        """Codes that were reserved for a renewal which starts later now are free for others until its own time."""
        later = {term.line for term in order.terms if term.line in lines and term.reserve_at > now}
        early = [one for one in order.licenses if one.line in later and one.line not in order.owed_lines]
        if not early:
            return order
        returned = early[:CODES_PER_TRANSACTION]
        without = licensing.with_codes_returned(order, {one.id for one in returned}, now)
        return self._give_back(without, returned, now)

    def _remind(self, order: Order, reminders: Collection[Reminder], now: datetime) -> Order:
        """One mail for the licenses that nobody renews."""
        find = cache(self._places.find)
        oldest = local_day(now, self.shop.zone) - _LATEST_REMINDER
        ending = [license_ for license_ in _ending(order, reminders, find) if license_.last_day >= oldest]
        why_not = None if ending else said("renewed_or_long_ended")
        if places.is_renewed_by_provider(order, find):
            why_not = said("renewed_by_provider")
        why_not = why_not or self._why_unwanted(order)
        order = renewals.without_reminders(order, reminders)
        return noted(order, now, "no_reminder", why=why_not) if why_not else mailing.owe_reminder(order, ending, now)

    def _why_unwanted(self, order: Order) -> Said | None:
        """Why a customer gets no reminders, who gets what they paid for."""
        email = order.customer.email or ""
        if order.without_reminders or self.store.unreminded(email):
            return said("reminders_stopped")
        if not self.shop.public_url:
            return said("no_way_out")
        return said("address_complained") if self.store.address(email).has_complained else None

    def _not_yet(
        self, order: Order, delivery: Delivery, products: Mapping[str, Product], now: datetime
    ) -> tuple[Order, bool] | None:
        """What keeps a delivery back although its time has come: what it renews, or codes that ran out meanwhile, which
        go back so that others take their place; and whether it may go on at once. None when nothing does."""
        if base_id := places.refunded_base(order, delivery.lines, self._places.find):
            why_not = said("renewed_is_refunded", order=base_id)
            return self._wait(order, Reason.RENEWS, why_not, now, _RETRY_RENEWED, delivery.lines), False
        if ran_out := self._codes.ran_out(order, delivery, products, now):
            without = licensing.with_codes_exchanged(order, {one.id for one in ran_out}, now)
            return self._give_back(without, ran_out, now), True
        return None

    def _return_codes(self, order: Order, returned: Sequence[License], now: datetime) -> Order:
        telemetry.outcome("CodesReturned", len(returned), order_id=order.id)
        gone = licensing.with_codes_returned(order, {license_.id for license_ in returned}, now)
        return self._give_back(gone, returned, now)

    def _give_back(self, order: Order, returned: Sequence[License], now: datetime) -> Order:
        skus = {license_.sku for license_ in returned}
        serve_waiting.mark(self.store, skus, now)
        order = self.store.give_back(order, returned)
        serve_waiting.poke(self.queue, skus)
        return order

    def _assign(
        self, order: Order, step: AssignCodes, products: Mapping[str, Product], found: _Found, now: datetime
    ) -> tuple[Order, bool]:
        """All codes that one transaction holds, and with the last of them the mail, if it is time for that; and whether
        the delivery may go on. Lines of which the product is short wait, the others do not."""
        is_renewal = step.delivery.purpose is Purpose.RENEWAL  # nothing else is reserved before its time
        if is_renewal and (kept_back := self._not_yet(order, step.delivery, products, now)):
            return kept_back
        picked, short = self._codes.pick(order, step, products, found.at_hand.got_codes, now)
        lines = tuple(line for line in step.delivery.lines if order.line(line).sku not in short)
        waiting = self._waiting_for_codes(order, short, step.delivery, found, now)
        if not picked:
            return self._saved(waiting, order), bool(lines)
        delivery = replace(step.delivery, lines=lines)
        may_mail = not found.at_hand.is_mail_paused(now) and not order.waits_for(Reason.ADDRESS)
        after = licensing.with_codes(waiting, picked, products, now, self.shop.zone, delivery, may_mail=may_mail)
        message = None
        if len(after.mails) > len(order.mails):
            try:
                message = compose(after, after.mails[-1], products, self.shop, now)
            except InvalidInput as error:  # the product is not as its codes are: take none until it is mended
                return self._wait(order, Reason.PRODUCT, error.said, now, lines=lines), False
        return self._taken(after, picked, message, now), True

    def _waiting_for_codes(
        self, order: Order, short: Sequence[str], delivery: Delivery, found: _Found, now: datetime
    ) -> Order:
        """The order, not stored yet, of which the lines of each short product wait for its codes."""
        for sku in short:
            lines = tuple(line for line in delivery.lines if order.line(line).sku == sku)
            found.tried |= set(lines)
            telemetry.outcome("OrderWaits", order_id=order.id, reason=Reason.STOCK)
            retry = sharing.retry_of(order, [sku], lines, now)
            order = waiting_for(order, Reason.STOCK, said("too_few_codes", skus=[sku]), now, retry, lines)
        return order

    def _taken(self, after: Order, picked: Sequence[StockCode], message: EmailMessage | None, now: datetime) -> Order:
        after = self.store.assign(after, picked, local_day(now, self.shop.zone))
        telemetry.outcome("LicenseIssued", len(picked), order_id=after.id)
        return self._send(after, after.mails[-1], message) if message else after

    def _start_mail(
        self, order: Order, delivery: Delivery, products: Mapping[str, Product], now: datetime
    ) -> tuple[Order, bool]:
        if kept_back := self._not_yet(order, delivery, products, now):
            return kept_back
        after = licensing.with_mail_of(order, delivery, now)
        try:
            message = compose(after, after.mails[-1], products, self.shop, now)
        except InvalidInput as error:
            return self._wait(order, Reason.PRODUCT, error.said, now, lines=delivery.lines), False
        return self._send(self.store.save(after), after.mails[-1], message), True

    def _send_again(self, order: Order, mail_id: str, products: Mapping[str, Product], now: datetime) -> Order:
        old = order.mail(mail_id).to
        if old and self.store.bad_address(old):
            self._list(order, now)
            return self.store.save(mailing.fail_mail(order, mail_id, said("address_takes_no_mail"), now))
        is_reminder = order.mail(mail_id).purpose.is_offer
        if is_reminder and (why_not := self._why_unwanted(order)):  # since it was added
            dropped = mailing.drop_mails(order, [mail_id], now)
            return self.store.save(noted(dropped, now, "no_reminder", why=why_not))
        if ran_out := self._ran_out(order, order.mail(mail_id), products, now):
            dropped = mailing.drop_mails(order, [mail_id], now)
            without = licensing.with_codes_exchanged(dropped, {one.id for one in ran_out}, now)
            return self._give_back(without, ran_out, now)
        way_out = self._way_out(order) if is_reminder else ""
        order = mailing.claim_mail(order, mail_id, now)
        try:
            message = compose(order, order.mail(mail_id), products, self.shop, now, way_out)
        except InvalidInput as error:
            self._list(order, now)
            order = self.store.save(mailing.fail_mail(order, mail_id, error.said, now))
            telemetry.outcome("MailFailed", order_id=order.id, mail=mail_id)
            return order
        return self._send(self.store.save(order), order.mail(mail_id), message)

    def _ran_out(self, order: Order, mail: Mail, products: Mapping[str, Product], now: datetime) -> list[License]:
        """Of a mail whose codes left with no attempt, nor with another mail, while days may have passed."""
        lines = order.lines_of([mail])
        if not mail.holds_codes or mail.to or lines & order.sent_lines:
            return []
        return self._codes.ran_out(order, Delivery(mail.purpose, tuple(sorted(lines)), now, now), products, now)

    def _way_out(self, order: Order) -> str:
        """Where the customer of an order stops reminders."""
        return f"{self.shop.public_url}/reminders/{self.store.way_out(order.customer.email or '')}"

    def _send(self, order: Order, mail: Mail, message: EmailMessage) -> Order:
        """Hand over a message that was made before its claim was stored: the lease covers the call of SES alone."""
        self._list(order, self.clock())
        tags = {"order": order.id, "mail": mail.id, "attempt": str(mail.attempts)}
        if codes := licensing.traces(order, mail):  # before it leaves: `keypost restore check` lives on it
            telemetry.note("CodesLeave", order_id=order.id, mail=mail.id, attempt=mail.attempts, codes=codes)
        result = self.mailer.send(message, tags)
        telemetry.outcome(_OUTCOMES[type(result)], order_id=order.id, mail=mail.id, attempt=mail.attempts)
        now = self.clock()
        settled = self.store.change(
            order.id,
            lambda latest: mailing.settle_mail(latest or order, mail.id, mail.attempts, result, now),
            loaded=order,
        )
        if isinstance(result, MailNotSent) and result.refusal is Refusal.OF_ACCOUNT:
            telemetry.outcome("MailPaused", reason=result.reason.values.get("answer"))
            with telemetry.optional():  # without it the next mail asks SES again
                self.store.pause_mail(now + _PAUSE)
        return self._poke_for(mail.id, settled, now)

    def _list(self, order: Order, now: datetime) -> None:
        """On the list of the day's mails, of which the order tells what became."""
        with telemetry.optional():
            self.store.note_mail(order, now, self.shop.zone)

    def _poke_for(self, mail_id: str, order: Order, now: datetime) -> Order:
        """A retry that is due soon is queued for its moment; the schedules would find it up to 15 minutes later."""
        retry_at = order.mail(mail_id).next_at
        if retry_at and timedelta() <= retry_at - now <= LONGEST_DELAY:
            self._poke(order.id, retry_at - now)
        return order

    def _poke(self, order_id: str, delay: timedelta = timedelta()) -> None:
        with suppress(QueueUnavailable):  # its clock is stored: the schedules find it
            self.queue.poke(order_id, delay)


def _why_not_written(order: Order, address: Address) -> tuple[str, datetime] | None:
    """Why this order sends nothing to its address, as a code, and since when. Where a reminder was reported as spam,
    that is so while it has codes to send: a person is asked first."""
    if owes_codes(order):
        return address.why_no_codes
    bad = address.bad
    return (mailing.BAD_ADDRESS[bad[0]], bad[1]) if bad else None


def _ending(order: Order, reminders: Collection[Reminder], find: places.Find) -> list[License]:
    """The licenses that these reminders are about, by line, and that nobody has renewed."""
    lines = sorted({reminder.line for reminder in reminders})
    return [license_ for line in lines for license_ in places.to_be_reminded(order, line, find)]


_OUTCOMES = {MailSent: "MailSent", MailNotSent: "MailNotSent", MailUnknown: "MailUnknown"}
