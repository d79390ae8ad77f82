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
                return self._assign(order, needed, products, now)
            case SendMail(mail_id):
                return self._send_again(order, mail_id, products, now), True
            case DoubtMail(mail_id):
                lost = MailUnknown("whoever sent it stopped before it wrote down the answer")
                telemetry.outcome("MailUnknown", order_id=order.id, mail=mail_id)
                order = orders.settle_mail(order, mail_id, order.mail(mail_id).attempts, lost, now)
                return self._poke_for(mail_id, self.store.save(order), now), True
            case GiveUpMail(mail_id):
                reason = "it is not known whether any attempt arrived; ask the customer"
                telemetry.outcome("MailFailed", order_id=order.id, mail=mail_id)
                return self.store.save(orders.fail_mail(order, mail_id, reason, now)), True

    def _wait(self, order: Order, reason: Reason, detail: str, now: datetime) -> Order:
        telemetry.outcome("OrderWaits", order_id=order.id, reason=reason)
        return self.store.save(orders.waiting_for(order, reason, detail, now))

    def _assign(
        self, order: Order, needed: Sequence[tuple[str, int]], products: Mapping[str, Product], now: datetime
    ) -> tuple[Order, bool]:
        """All codes that one transaction holds, and with the last of them the mail. All or nothing: an order that
        waits keeps no codes from others."""
        today = local_day(now, self.shop.zone)
        short = [sku for sku, count in needed if not self.store.seem_free(sku, count, today)]
        taken: list[StockCode] = []
        for sku, count in needed if not short else ():
            wanted = min(count, CODES_PER_TRANSACTION - len(taken))
            picked = self.store.pick(sku, wanted, today) if wanted else []
            short += [sku] if len(picked) < wanted else []
            taken += picked
        if short:
            return self._wait(order, Reason.STOCK, f"too few codes of {', '.join(short)}", now), False
        after = orders.with_codes(order, taken, products, now, self.shop.zone)
        message = None
        if not orders.missing(after):
            try:
                message = compose(after, after.mails[-1], products, self.shop, now)
            except InvalidInput as error:  # the product is not as its codes are: take none until it is mended
                return self._wait(order, Reason.PRODUCT, str(error), now), False
        after = self.store.assign(after, taken)
        telemetry.outcome("LicenseIssued", len(taken), order_id=order.id)
        return (self._send(after, after.mails[-1], message) if message else after), True

    def _send_again(self, order: Order, mail_id: str, products: Mapping[str, Product], now: datetime) -> Order:
        order = orders.claim_mail(order, mail_id, now)
        try:
            message = compose(order, order.mail(mail_id), products, self.shop, now)
        except InvalidInput as error:
            order = self.store.save(orders.fail_mail(order, mail_id, str(error), now))
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
            lambda latest: orders.settle_mail(latest or order, mail.id, mail.attempts, result, now),
            loaded=order,
        )
        return self._poke_for(mail.id, settled, now)

    def _poke_for(self, mail_id: str, order: Order, now: datetime) -> Order:
        """A retry that is due soon is queued for its moment; the schedules would find it up to 15 minutes later."""
        retry_at = order.mail(mail_id).next_at
        if retry_at and timedelta() <= retry_at - now <= LONGEST_DELAY:
            self.queue.poke(order.id, retry_at - now)
        return order


_OUTCOMES = {MailSent: "MailSent", MailNotSent: "MailNotSent", MailUnknown: "MailUnknown"}
