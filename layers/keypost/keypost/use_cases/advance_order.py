"""Brings an order to where its facts say it should be: load it, plan, do the one step, again until nothing is
due. Whatever woke it, and however often, the outcome is the same."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from typing import TYPE_CHECKING

from keypost import telemetry
from keypost.clients.mailer import Mailer
from keypost.clients.queue import LONGEST_DELAY, Queue
from keypost.core import licensing, mailing, renewals
from keypost.core.daily_note import wanted
from keypost.core.errors import Conflict, InvalidInput, QueueUnavailable
from keypost.core.mail import Mail, MailNotSent, MailSent, MailUnknown, Purpose, Refusal
from keypost.core.mailing import with_bad_address, with_good_address
from keypost.core.order import RETRY_WAITING, License, Order, Reason, Reminder, Renewal, Term, noted, waiting_for
from keypost.core.owed import Delivery
from keypost.core.payment import MONEY_BACK
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
    needed_by,
    plan,
)
from keypost.core.product import Kind, Line, Product
from keypost.core.said import Said, said
from keypost.emails import Shop, compose
from keypost.table import Store
from keypost.table.orders import CODES_PER_TRANSACTION

if TYPE_CHECKING:
    from keypost.core.codes import StockCode

_TRIES = 20
_RETRY_RENEWED = timedelta(hours=12)  # for an order that renews what is not known here, or what was refunded
_LATEST_REMINDER = timedelta(days=3)  # after the last day: what an outage kept back for longer is of no use
_PAUSE = timedelta(minutes=5)  # after which one mail asks whether SES takes any again
_MOST_RIVALS = 200
_MOST_COUNTED = 2000


@dataclass(slots=True)
class _Found:
    """What one run has learned on its way."""

    tried: list[Delivery] = field(default_factory=list)  # they wait
    mail_paused: bool | None = None  # None: not asked, as nothing was to be mailed yet


@dataclass(frozen=True, slots=True)
class Worker:
    store: Store
    queue: Queue
    mailer: Mailer
    shop: Shop
    clock: Callable[[], datetime]

    def advance(self, order_id: str) -> None:
        """Conflict when others kept changing the same order or taking the same codes: come back later."""
        for _ in range(_TRIES):
            order = self.store.load(order_id)
            if order is None:
                telemetry.outcome("OrderNotFound", order_id=order_id)
                return
            try:
                self._finish(order)
            except Conflict:  # somebody was first: load and decide again
                continue
            return
        raise Conflict(f"order {order_id} met others {_TRIES} times")

    def _finish(self, order: Order) -> None:
        products = self.store.products(order.skus)
        found = _Found()
        more = True
        while more:
            now = self.clock()
            step = plan(order, products, now, found.tried, mail_paused=bool(found.mail_paused))
            if found.mail_paused is None and step and (step.needs_mail or isinstance(step, AssignCodes)):
                found.mail_paused = self.store.mail_paused(now)
                order = self._look_at_address(order, now)
            else:
                order, more = self._step(order, step, products, found, now)

    def _look_at_address(self, order: Order, now: datetime) -> Order:
        """Before anything is mailed: whether its address takes mail, as its other orders may have told."""
        waiting = order.waits_for(Reason.ADDRESS)
        email = order.customer.email
        if email is None or (waiting and waiting.retry_at > now):
            return order
        if bad := self.store.bad_address(email):
            telemetry.outcome("OrderWaits", order_id=order.id, reason=Reason.ADDRESS)
            return self.store.save(with_bad_address(order, *bad, now))
        return self.store.save(with_good_address(order, now, self.shop.zone)) if waiting else order

    def _step(  # noqa: C901, PLR0912 - one case for each step
        self, order: Order, step: Step | None, products: Mapping[str, Product], found: _Found, now: datetime
    ) -> tuple[Order, bool]:
        """What is done, and whether another step may follow. A delivery that waits is tried once."""
        match step:
            case None:
                return order, False
            case ReturnCodes(licenses):
                returned = licenses[:CODES_PER_TRANSACTION]
                order = licensing.with_codes_returned(order, {license_.id for license_ in returned}, now)
                telemetry.outcome("CodesReturned", len(returned), order_id=order.id)
                return self.store.give_back(order, returned), True
            case GiveUpTerms():
                return self._give_up_terms(order, now), True
            case FindTerms(lines):
                return self._find_terms(order, lines, products, now)
            case TellUnpaid(first_day):
                return self._wait(order, Reason.UNPAID, said("period_unpaid", first_day=first_day), now), False
            case WaitForProduct(skus, lines, delivery):
                found.tried += [delivery] if delivery else []
                return self._wait(order, Reason.PRODUCT, said("not_in_catalog", skus=skus), now, lines=lines), True
            case AssignCodes(_, delivery):
                after, is_served = self._assign(order, step, products, found, now)
                found.tried += [] if is_served else [delivery]
                return after, True
            case StartMail(delivery):
                after, is_served = self._start_mail(order, delivery, products, now)
                found.tried += [] if is_served else [delivery]
                return after, True
            case Remind(reminders):
                return self.store.save(self._remind(order, reminders, now)), True
            case TellRefunded():
                return self.store.save(mailing.owe_mail(order, Purpose.REFUNDED, now)), True
            case TellWaiting(lines):
                return self.store.save(mailing.owe_mail(order, Purpose.WAITING, now, lines)), True
            case SendMail(mail_id):
                return self._send_again(order, mail_id, products, now), True
            case DoubtMail(mail_id):
                telemetry.outcome("MailUnknown", order_id=order.id, mail=mail_id)
                return self._poke_for(mail_id, self.store.save(mailing.doubt_mail(order, mail_id, now)), now), True
            case DropMails(mail_ids):
                return self.store.save(mailing.drop_mails(order, mail_ids, now)), True
            case GiveUpMail(mail_id):
                telemetry.outcome("MailFailed", order_id=order.id, mail=mail_id)
                return self.store.save(mailing.fail_mail(order, mail_id, said("never_known"), now)), True

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
        return self.store.save(waiting_for(order, reason, why, now, retry, lines))

    def _find_terms(
        self, order: Order, lines: Sequence[int], products: Mapping[str, Product], now: datetime
    ) -> tuple[Order, bool]:
        """When renewal lines run. Their place among the renewals of the same license is taken in the renewed order
        first, and taking it again gives the same one: so a crash between the two changes nothing."""
        today = local_day(now, self.shop.zone)
        found: dict[int, tuple[str | None, Renewal]] = {}
        for number in lines:
            line = order.lines[number - 1]
            base, part = self._renewed(order, line)
            found[number] = (
                base.id if base else None,
                renewals.renewal_of(order, number, products[line.sku], part, self.shop.zone),
            )
        of_terms = {term.renews for term in order.terms if term.renews and term.line not in found}
        bases = {base_id for base_id, _ in found.values() if base_id}
        if not bases <= set(order.registered):  # first what is to be undone one day
            order = self.store.save(replace(order, registered=tuple(sorted({*order.registered, *bases}))))
        for left in sorted(set(order.registered) - bases - of_terms):
            self._without_renewals(left, order.id, now)
        terms: list[Term] = []
        first: Order | None = None
        unknown: list[int] = []
        for number, (base_id, renewal) in found.items():
            has_left = number in order.sent_lines
            base = self._with_renewal(base_id, renewal, now, has_left=has_left) if base_id else None
            first = first or base
            if period := renewals.period_of(base, renewal, today):
                product = products[order.lines[number - 1].sku]
                terms.append(renewals.term_of(renewal, period, product, base_id, self.shop.zone))
            else:
                unknown.append(number)
        for base_id in sorted(bases):
            self._let_move(base_id, order.id, said("stands_in_line", order=order.id), now)
        if terms:
            order = self.store.save(renewals.with_terms(order, terms, first, now, self.shop.zone))
            # Who gave a place up before that save did not see these days.
            if any(renewals.has_moved(self.store.existing(base_id), order, today) for base_id in bases):
                order = self.store.save(renewals.without_terms(order, now, said("line_changed")))
        if unknown:
            why = said("end_unknown", lines=unknown, renews=[order.lines[n - 1].renews or "" for n in unknown])
            order = self._wait(order, Reason.RENEWS, why, now, _RETRY_RENEWED, tuple(unknown))
        return order, True

    def _renewed(
        self, order: Order, line: Line, seen: frozenset[str] = frozenset()
    ) -> tuple[Order | None, tuple[int, str | None]]:
        """The order whose license a line renews, and which part of it. Where that is a renewal itself, it is the
        order that was renewed first: it knows all who stand in line. So it is too where that renewal is not paid, or
        came to nothing."""
        renews = line.renews or ""
        is_license = renewals.LICENSE_ID.fullmatch(renews)
        order_id = self.store.order_of_license(renews) if is_license else renews.partition("/")[0]
        seen |= {order.id}
        base = self.store.load(order_id) if order_id and order_id not in seen else None
        part = renewals.renewed_part(base, line) if base else None
        if base is None or part is None:
            return None, (0, None)
        term = base.term(part[0])
        first = self.store.load(term.renews) if term and term.renews else None
        for renewal in first.renewals if first else ():
            if (renewal.order_id, renewal.line) == (base.id, part[0]):
                return first, (renewal.of_line, renewal.of_license)
        renewed = base.lines[part[0] - 1]
        if term is None and renewed.kind is Kind.RENEWAL:
            first, of_part = self._renewed(base, renewed, seen)
            return (first, of_part) if first else (base, part)
        return base, part

    def _with_renewal(self, base_id: str, renewal: Renewal, now: datetime, *, has_left: bool) -> Order:
        if has_left:
            self._fix_periods(base_id, renewal.order_id)
        return self.store.change_existing(
            base_id, partial(licensing.with_renewal, renewal=renewal, now=now, has_left=has_left)
        )

    def _without_renewals(self, base_id: str, order_id: str, now: datetime) -> Order:
        without = partial(licensing.without_renewals, order_id=order_id, now=now, zone=self.shop.zone)
        return self.store.change_existing(base_id, without)

    def _give_up_terms(self, order: Order, now: datetime) -> Order:
        """First the place in the renewed order, then the order that had it: a crash between repeats it all."""
        for base_id in order.registered:
            self._fix_periods(base_id, order.id)
            self._without_renewals(base_id, order.id, now)
            self._let_move(base_id, order.id, said("earlier_not_served", order=order.id), now)
        return self.store.save(replace(order, terms=(), registered=()))

    def _fix_periods(self, base_id: str, leaving: str) -> None:
        """Who moves up moves behind the periods that customers were told of."""
        base = self.store.existing(base_id)
        for other in self.store.load_all(list({r.order_id for r in base.renewals} - {leaving})):
            told = [term for term in other.terms if term.line in other.sent_lines]
            self.store.change_existing(base_id, partial(renewals.with_periods, order_id=other.id, terms=told))

    def _let_move(self, base_id: str, order_id: str, why: Said, now: datetime) -> None:
        """The other renewals of an order whose days are others now find them anew."""
        base, today = self.store.existing(base_id), local_day(now, self.shop.zone)
        for other in self.store.load_all(sorted({r.order_id for r in base.renewals} - {order_id})):
            if renewals.has_moved(base, other, today):
                self.store.change_existing(other.id, partial(renewals.without_terms, now=now, why=why))
                self._poke(other.id)

    def _remind(self, order: Order, reminders: Collection[Reminder], now: datetime) -> Order:
        """One mail for the licenses that nobody renews."""
        too_late = local_day(now, self.shop.zone) - _LATEST_REMINDER
        found = [one for line in sorted({r.line for r in reminders}) for one in self._not_renewed(order, line)]
        ending = [one for one in found if one.last_day >= too_late]
        why_not = self._why_no_reminder(order) or (None if ending else said("renewed_or_long_ended"))
        order = renewals.without_reminders(order, reminders)
        return noted(order, now, "no_reminder", why=why_not) if why_not else mailing.owe_reminder(order, ending, now)

    def _why_no_reminder(self, order: Order) -> Said | None:
        if order.is_charged_again:
            first = (self.store.load(term.renews) for term in order.terms if term.renews)
            if not any(base and base.subscription.has_ended for base in first):
                return said("renewed_by_provider")
        return None

    def _not_renewed(self, order: Order, line: int) -> tuple[License, ...]:
        term = order.term(line)
        base = (self.store.load(term.renews) if term and term.renews else None) or order
        behind = renewals.behind(base, order.id, line)
        unpaid = self.store.load_all(sorted({r.order_id for r in behind if not r.paid_on}))
        awaited = {other.id for other in unpaid if renewals.is_awaited(base, other)}
        return renewals.not_renewed(base, order, line, [r for r in behind if r.paid_on or r.order_id in awaited])

    def _why_not_renewed(self, order: Order, delivery: Delivery) -> Said | None:
        """A renewal follows a license that stands, or it does not follow: the first one, or an earlier renewal."""
        for term in order.terms:
            if term.line in delivery.lines and term.renews:
                base = self.store.load(term.renews)
                if base and base.standing in MONEY_BACK and not self._has_left(base, order.id, term.line):
                    return said("renewed_is_refunded", order=base.id)
        return None

    def _has_left(self, base: Order, order_id: str, line: int) -> bool:
        """Whether an earlier renewal has reached the customer, and stands."""
        earlier = {(r.order_id, r.line) for r in renewals.before(base, order_id, line)}
        found = self.store.load_all(list({id_ for id_, _ in earlier}))
        return any((one.id, sent) in earlier for one in found for sent in one.sent_lines)

    def _assign(
        self, order: Order, step: AssignCodes, products: Mapping[str, Product], found: _Found, now: datetime
    ) -> tuple[Order, bool]:
        """All codes that one transaction holds, and with the last of them the mail, if it is time for that. All or
        nothing: an order that waits keeps no codes from others, and takes none from who needs them sooner."""
        needed, delivery = step.needed, step.delivery
        if why_not := self._why_not_renewed(order, delivery):
            return self._wait(order, Reason.RENEWS, why_not, now, _RETRY_RENEWED, delivery.lines), False
        if lacking := self._without_ran_out(order, delivery, products, now):
            return lacking, True
        usable_on = {sku: self._usable_on(order, delivery, products[sku], now) for sku, _ in needed}
        short = self._short(order, needed, usable_on)
        taken: list[StockCode] = []
        for sku, count in needed if not short else ():
            wanted = min(count, CODES_PER_TRANSACTION - len(taken))
            picked = self.store.pick(sku, wanted, usable_on[sku]) if wanted else []
            short += [sku] if len(picked) < wanted else []
            taken += picked
        if short:
            return self._wait(order, Reason.STOCK, said("too_few_codes", skus=short), now, lines=delivery.lines), False
        may_mail = not found.mail_paused and not order.waits_for(Reason.ADDRESS)
        after = licensing.with_codes(order, taken, products, now, self.shop.zone, delivery, may_mail=may_mail)
        message = None
        if len(after.mails) > len(order.mails):
            try:
                message = compose(after, after.mails[-1], products, self.shop, now)
            except InvalidInput as error:  # the product is not as its codes are: take none until it is mended
                return self._wait(order, Reason.PRODUCT, error.said, now, lines=delivery.lines), False
        after = self.store.assign(after, taken)
        telemetry.outcome("LicenseIssued", len(taken), order_id=order.id)
        served = self._send(after, after.mails[-1], message) if message else after
        with telemetry.optional():  # for the forecast only: last, so that it keeps no mail back
            for sku, count in Counter(each.sku for each in taken).items():
                self.store.count_used(sku, local_day(now, self.shop.zone), count)
        return served, True

    def _without_ran_out(
        self, order: Order, delivery: Delivery, products: Mapping[str, Product], now: datetime
    ) -> Order | None:
        """A renewal that was held for long may have codes that nobody can activate any more: they go back."""
        if delivery.purpose is not Purpose.RENEWAL or delivery.mail_at > now:
            return None
        kept = [one for one in order.licenses if one.line in delivery.lines]
        usable_on = {one.sku: self._usable_on(order, delivery, products[one.sku], now) for one in kept}
        ran_out = self.store.ran_out(kept, usable_on)[:CODES_PER_TRANSACTION]
        if not ran_out:
            return None
        return self.store.give_back(licensing.with_codes_exchanged(order, {one.id for one in ran_out}, now), ran_out)

    def _usable_on(self, order: Order, delivery: Delivery, product: Product, now: datetime) -> date:
        """The day on which the customer can first enter the code: that of the mail, or of the new period where the
        product cannot hold a code in reserve."""
        days = [local_day(max(now, delivery.mail_at), self.shop.zone)]
        if not product.holds_reserve_code:
            days += [term.first_day for term in order.terms if term.line in delivery.lines]
        return max(days)

    def _short(self, order: Order, needed: Sequence[tuple[str, int]], usable_on: Mapping[str, date]) -> list[str]:
        """The products of which there are too few codes, those counted out that others need sooner. An order that
        cannot be served with what is there keeps none from others."""
        rivals = [(rival, self._wanted(rival)) for rival in self._rivals(order)]
        today = local_day(self.clock(), self.shop.zone)
        skus = {**dict.fromkeys((sku for _, wants in rivals for sku in wants), today), **usable_on}
        most = {sku: _MOST_COUNTED if rivals else count for sku, count in needed}
        free = {sku: self.store.count_free(sku, day, most.get(sku, _MOST_COUNTED)) for sku, day in skus.items()}
        for _, wants in rivals:
            if all(free[sku] >= count for sku, count in wants.items()):
                for sku, count in wants.items():
                    free[sku] -= count
        return [sku for sku, count in needed if free[sku] < count]

    def _wanted(self, order: Order) -> Counter[str]:
        """The codes that an order lacks now."""
        return wanted([order], self.clock(), self.shop.zone).now

    def _rivals(self, order: Order) -> list[Order]:
        """The orders that wait for stock and need it sooner, those that need it soonest first."""
        own = needed_by(order)
        waiting = [id_ for page in self.store.needing(Reason.STOCK, before=own) for id_ in page if id_ != order.id]
        found = [each for each in self.store.load_all(waiting[:_MOST_RIVALS]) if each.waits_for(Reason.STOCK)]
        return sorted(found, key=lambda rival: (needed_by(rival), rival.id))

    def _start_mail(
        self, order: Order, delivery: Delivery, products: Mapping[str, Product], now: datetime
    ) -> tuple[Order, bool]:
        if why_not := self._why_not_renewed(order, delivery):
            return self._wait(order, Reason.RENEWS, why_not, now, _RETRY_RENEWED, delivery.lines), False
        if lacking := self._without_ran_out(order, delivery, products, now):
            return lacking, True
        after = licensing.with_mail_of(order, delivery, now)
        try:
            message = compose(after, after.mails[-1], products, self.shop, now)
        except InvalidInput as error:
            return self._wait(order, Reason.PRODUCT, error.said, now, lines=delivery.lines), False
        return self._send(self.store.save(after), after.mails[-1], message), True

    def _send_again(self, order: Order, mail_id: str, products: Mapping[str, Product], now: datetime) -> Order:
        old = order.mail(mail_id).to
        if old and self.store.bad_address(old):
            return self.store.save(mailing.fail_mail(order, mail_id, said("address_takes_no_mail"), now))
        order = mailing.claim_mail(order, mail_id, now)
        try:
            message = compose(order, order.mail(mail_id), products, self.shop, now)
        except InvalidInput as error:
            order = self.store.save(mailing.fail_mail(order, mail_id, error.said, now))
            telemetry.outcome("MailFailed", order_id=order.id, mail=mail_id)
            return order
        return self._send(self.store.save(order), order.mail(mail_id), message)

    def _send(self, order: Order, mail: Mail, message: EmailMessage) -> Order:
        """Hand over a message that was made before its claim was stored: the lease covers the call of SES alone."""
        tags = {"order": order.id, "mail": mail.id, "attempt": str(mail.attempts)}
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

    def _poke_for(self, mail_id: str, order: Order, now: datetime) -> Order:
        """A retry that is due soon is queued for its moment; the schedules would find it up to 15 minutes later."""
        retry_at = order.mail(mail_id).next_at
        if retry_at and timedelta() <= retry_at - now <= LONGEST_DELAY:
            self._poke(order.id, retry_at - now)
        return order

    def _poke(self, order_id: str, delay: timedelta = timedelta()) -> None:
        with suppress(QueueUnavailable):  # its clock is stored: the schedules find it
            self.queue.poke(order_id, delay)


_OUTCOMES = {MailSent: "MailSent", MailNotSent: "MailNotSent", MailUnknown: "MailUnknown"}
