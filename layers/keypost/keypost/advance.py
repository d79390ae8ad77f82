"""Brings an order to where its facts say it should be: load it, plan, do the one step, again until nothing is
due. Whatever woke it, and however often, the outcome is the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from keypost import orders, telemetry
from keypost.emails import Shop, compose
from keypost.errors import Conflict, InvalidInput
from keypost.mailer import Mailer
from keypost.models import Mail, MailNotSent, MailSent, MailUnknown, Order, Product, Reason, StockCode
from keypost.periods import local_day
from keypost.plan import AssignCodes, DoubtMail, GiveUpMail, ReturnCodes, SendMail, WaitForProduct, plan
from keypost.queue import LONGEST_DELAY, Queue
from keypost.store import CODES_PER_TRANSACTION, Store

_TRIES = 20


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
        more = True
        while more:
            order, more = self._step(order, products)

    def _step(self, order: Order, products: Mapping[str, Product]) -> tuple[Order, bool]:
        """One step, and whether another may follow."""
        now = self.clock()
        match plan(order, products, now):
            case None:
                return order, False
            case ReturnCodes():
                returned = order.licenses[:CODES_PER_TRANSACTION]
                order = orders.with_codes_returned(order, {license_.id for license_ in returned}, now)
                telemetry.outcome("CodesReturned", len(returned), order_id=order.id)
                return self.store.give_back(order, returned), True
            case WaitForProduct(skus):
                detail = f"not in the catalog: {', '.join(skus)}"
                return self._wait(order, Reason.PRODUCT, detail, now), False
            case AssignCodes(needed):
                taken, short = self._pick(needed, now)
                if short:
                    return self._wait(order, Reason.STOCK, f"too few codes of {', '.join(short)}", now), False
                taken = taken[:CODES_PER_TRANSACTION]
                order = orders.with_codes(order, taken, products, now, self.shop.zone)
                mail = None if orders.missing(order) else order.mails[-1]
                return self._commit(order, taken, mail, products, now), True
            case SendMail(mail_id):
                order = orders.claim_mail(order, mail_id, now)
                return self._commit(order, (), order.mail(mail_id), products, now), True
            case DoubtMail(mail_id):
                lost = MailUnknown("whoever sent it stopped before it wrote down the answer")
                attempt = order.mail(mail_id).attempts
                telemetry.outcome("MailUnknown", order_id=order.id, mail=mail_id)
                return self.store.save(orders.settle_mail(order, mail_id, attempt, lost, now)), True
            case GiveUpMail(mail_id):
                reason = "it is not known whether any attempt arrived; ask the customer"
                telemetry.outcome("MailFailed", order_id=order.id, mail=mail_id)
                return self.store.save(orders.fail_mail(order, mail_id, reason, now)), True

    def _wait(self, order: Order, reason: Reason, detail: str, now: datetime) -> Order:
        telemetry.outcome("OrderWaits", order_id=order.id, reason=reason)
        return self.store.save(orders.waiting_for(order, reason, detail, now))

    def _pick(self, needed: Sequence[tuple[str, int]], now: datetime) -> tuple[list[StockCode], list[str]]:
        """Free codes for all that is needed, and the SKUs of which there are too few: all or nothing, so that
        no order keeps codes from others while it waits itself."""
        today = local_day(now, self.shop.zone)
        taken: list[StockCode] = []
        short: list[str] = []
        for sku, count in needed:
            picked = self.store.pick(sku, count, today)
            taken += picked
            if len(picked) < count:
                short.append(sku)
        return taken, short

    def _commit(
        self,
        order: Order,
        taken: Sequence[StockCode],
        mail: Mail | None,
        products: Mapping[str, Product],
        now: datetime,
    ) -> Order:
        """Store the order with the codes it took, then send the mail that it claimed. The message is made before
        anything is stored: the lease then covers the call of SES alone."""
        message = None
        if mail:
            try:
                message = compose(order, mail, products, self.shop, now)
            except InvalidInput as error:
                telemetry.outcome("MailFailed", order_id=order.id, mail=mail.id)
                order = orders.fail_mail(order, mail.id, str(error), now)
        order = self.store.assign(order, taken) if taken else self.store.save(order)
        if taken:
            telemetry.outcome("LicenseIssued", len(taken), order_id=order.id)
        return self._send(order, mail, message) if mail and message else order

    def _send(self, order: Order, mail: Mail, message: EmailMessage) -> Order:
        tags = {"order": order.id, "mail": mail.id, "attempt": str(mail.attempts)}
        result = self.mailer.send(message, tags)
        telemetry.outcome(_OUTCOMES[type(result)], order_id=order.id, mail=mail.id, attempt=mail.attempts)
        now = self.clock()
        order = self.store.change(
            order.id,
            lambda latest: orders.settle_mail(latest or order, mail.id, mail.attempts, result, now),
            loaded=order,
        )
        # A retry that is due soon is queued for its moment; the schedules would find it up to 15 minutes later.
        retry_at = order.mail(mail.id).next_at
        if retry_at and timedelta() <= retry_at - now <= LONGEST_DELAY:
            self.queue.poke(order.id, retry_at - now)
        return order


_OUTCOMES = {MailSent: "MailSent", MailNotSent: "MailNotSent", MailUnknown: "MailUnknown"}
