"""What left after the moment to which a table was restored, and how the table learns of it again. The logs say which
codes left for which order; nobody else gets these codes, and their orders get no others."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from keypost.core import licensing, mailing, support
from keypost.core.codes import StockCode, key_of
from keypost.core.errors import Refused, SetAside
from keypost.core.licensing import license_id
from keypost.core.mail import MailNotSent, MailOutcome, MailSent, MailState, MailUnknown
from keypost.core.obstacles import obstacle
from keypost.core.order import Order
from keypost.core.owed import Delivery, deliveries, missing
from keypost.core.periods import local_day
from keypost.core.plan import FindTerms, plan
from keypost.core.said import Said, said
from keypost.table import Store
from keypost.table.codes import stock_code
from keypost.table.items import from_wire
from keypost.use_cases.take_place import PlaceTaker

HELD_FOR = "keypost restore: its codes left before the table was restored"  # in the timeline, as a person's words
MARGIN = timedelta(minutes=10)  # before the moment: a line may say sooner what the table learned later
_MOST_LINES = 50  # of an order that is not known
_OUTCOMES = {"MailSent", "MailNotSent", "MailUnknown"}
_OPEN = (MailState.PENDING, MailState.SENDING, MailState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Left:
    """A mail with codes that was handed to SES."""

    order_id: str
    mail_id: str
    attempt: int
    codes: tuple[str, ...]  # their traces
    became: str = ""  # what SES answered; empty if that is not known

    @property
    def outcome(self) -> MailOutcome:
        if self.became == "MailSent":
            return MailSent("")
        return (
            MailNotSent(said("sender_stopped")) if self.became == "MailNotSent" else MailUnknown(said("sender_stopped"))
        )


@dataclass(frozen=True, slots=True)
class Finding:
    order_id: str
    what: Said
    is_open: bool = False  # somebody has to do something, and then to look again


@dataclass(frozen=True, slots=True)
class Restorer:
    store: Store
    codes: Sequence[tuple[StockCode, str | None]]  # every code that is free or an order's, and whose it is
    zone: tzinfo
    now: datetime
    who: str
    is_dry: bool

    def check(self, mails: Iterable[Left]) -> Iterator[Finding]:
        """What each order lacks of what left for it; unless the run is dry, the order has it afterwards. What needs a
        person is said to be open. The hand has to be still meanwhile."""
        of_order = defaultdict[str, list[Left]](list)
        for each in mails:
            of_order[each.order_id].append(each)
        for order_id in sorted(of_order):
            try:
                yield from self._check(order_id, of_order[order_id])
            except SetAside as error:
                yield Finding(order_id, error.said, is_open=True)

    def _check(self, order_id: str, mails: Sequence[Left]) -> Iterator[Finding]:
        order = self.store.load(order_id)
        lacking = {trace for mail in mails for trace in mail.codes} - (_known(order) if order else set())
        if not lacking:
            yield from self._settle(order, mails) if order else ()
            return
        found = self._find(order_id, order, lacking)
        if len(found) < len(lacking):
            yield Finding(
                order_id, said("restore_code_unknown", order=order_id, count=len(lacking) - len(found)), is_open=True
            )
        if found:
            self._set_aside(order_id, found)
            yield self._give(order_id, order, [code for code, _ in found], mails)

    def _find(self, order_id: str, order: Order | None, lacking: set[str]) -> list[tuple[StockCode, bool]]:
        """The codes with these traces, and whether each is free. Only free ones, and those that were set aside for this
        order before, come into question: another order's code was never this one's."""
        lines = tuple(order.numbered) if order and order.lines else tuple(range(1, _MOST_LINES + 1))
        return [
            (code, whose is None)
            for code, whose in self.codes
            if whose in (None, order_id) and any(license_id(order_id, line, code.digest) in lacking for line in lines)
        ]

    def _set_aside(self, order_id: str, found: Sequence[tuple[StockCode, bool]]) -> None:
        if not self.is_dry:
            for code, is_free in found:
                if is_free:
                    self.store.set_aside(code, order_id)

    def _give(self, order_id: str, order: Order | None, codes: Sequence[StockCode], mails: Sequence[Left]) -> Finding:
        if order is None:
            self._hold(Order(id=order_id, created_at=self.now))
            return Finding(order_id, said("restore_order_unknown", order=order_id, count=len(codes)), is_open=True)
        order = self._with_terms(self._released(order))
        delivery = self._delivery(order, codes)
        if delivery is None:
            self._hold(order)
            why = obstacle(order) or said("restore_owes_nothing")
            return Finding(order_id, said("restore_not_owed", order=order_id, count=len(codes), why=why), is_open=True)
        if not self.is_dry:
            self._adopt(order, delivery, codes, mails)
        return Finding(order_id, said("restore_codes_given", order=order_id, count=len(codes)))

    def _hold(self, order: Order) -> None:
        if not self.is_dry:
            held = support.hold(order, self.who, self.now, HELD_FOR)
            if held is not order:
                self.store.save(held)

    def _released(self, order: Order) -> Order:
        """Without the hold of an earlier run. What a person held stays held."""
        holds = [entry for entry in order.timeline if entry.code in ("held", "released")]
        if not order.hold.by_person or not holds or holds[-1].words != HELD_FOR:
            return order
        try:
            return support.release(order, self.who, self.now, HELD_FOR)
        except Refused:
            return order

    @staticmethod
    def _delivery(order: Order, codes: Sequence[StockCode]) -> Delivery | None:
        """The delivery that lacks these codes."""
        skus = {code.sku for code in codes}
        for each in deliveries(order):
            if skus <= {line.sku for _, line, _ in missing(order, each.lines)}:
                return each
        return None

    def _with_terms(self, order: Order) -> Order:
        """The order with the days of its renewals, which the worker finds as its first step."""
        products = self.store.catalog()
        step = plan(order, products, self.now)
        if self.is_dry or not isinstance(step, FindTerms):
            return order
        places = PlaceTaker(self.store, lambda _: None, self.zone)
        found, _ = places.take(order, step.lines, products, self.now)
        return found

    def _adopt(self, order: Order, delivery: Delivery, codes: Sequence[StockCode], mails: Sequence[Left]) -> None:
        products = self.store.catalog()
        after = licensing.with_codes(order, codes, products, self.now, self.zone, delivery, may_mail=False)
        if not missing(after, delivery.lines):
            after = licensing.with_mail_of(after, delivery, self.now)
            after = _settled(after, after.mails[-1].id, mails, self.now)
        self.store.adopt(after, codes, local_day(self.now, self.zone))

    def _settle(self, order: Order, mails: Sequence[Left]) -> Iterator[Finding]:
        """A mail that the table takes to be on its way, of which the logs know more."""
        after = order
        for mail_id in dict.fromkeys(mail.mail_id for mail in mails):
            after = _settled(after, mail_id, mails, self.now)
        if after is not order:
            if not self.is_dry:
                self.store.save(after)
            yield Finding(order.id, said("restore_mail_settled", order=order.id))


def _settled(order: Order, mail_id: str, mails: Sequence[Left], now: datetime) -> Order:
    """The order with what the logs say of the last attempt at a mail."""
    told = [each for each in mails if each.mail_id == mail_id]
    mail = next((each for each in order.mails if each.id == mail_id and each.state in _OPEN), None)
    if mail is None or not told:
        return order
    last = max(told, key=lambda each: each.attempt)
    if last.attempt < mail.attempts:
        return order
    begun = replace(mail, attempts=last.attempt, state=MailState.SENDING, next_at=now)
    mails_now = tuple(begun if each.id == mail_id else each for each in order.mails)
    return mailing.settle_mail(replace(order, mails=mails_now), mail_id, last.attempt, last.outcome, now)


def _known(order: Order) -> set[str]:
    """The traces of the codes that an order has or had."""
    had = {license_id(order.id, one.line, key_of(one)) for one in order.licenses}
    lines = {one.id: one.line for one in order.licenses}
    swapped = {license_id(order.id, lines[bad.license], key_of(bad)) for bad in order.bad_codes if bad.license in lines}
    return had | swapped | {one.license for one in order.gone}


def codes_of(items: Iterable[Mapping[str, Any]]) -> Iterator[tuple[StockCode, str | None]]:
    """Of the items of a table, every code that is free or an order's, and whose it is."""
    for item in items:
        if not item["pk"]["S"].startswith("CODE#"):
            continue
        code = from_wire(item)
        if code.get("state") in ("free", "assigned") and isinstance(code.get("code"), str):
            yield stock_code(code, str(code["sku"])), code.get("order_id")


def items_of(client: Any, table: str) -> Iterator[dict[str, Any]]:
    """Every item of a table, as DynamoDB writes it."""
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


# ---------------------------------------------------------------------------------------------------------------------
# What the logs say
# ---------------------------------------------------------------------------------------------------------------------


def read_logs(lines: Iterable[str]) -> list[Left]:
    """The mails with codes that left, as the worker's log tells of them, each with what became of it there."""
    left, became = dict[tuple[str, str, int], Left](), dict[tuple[str, str, int], str]()
    for line in lines:
        entry = _entry(line)
        key = (str(entry.get("order_id")), str(entry.get("mail")), int(entry.get("attempt") or 0))
        if entry.get("message") == "CodesLeave":
            left[key] = Left(*key, tuple(entry["codes"]))
        elif entry.get("message") in _OUTCOMES:
            became[key] = entry["message"]
    return [replace(each, became=became.get(key, "")) for key, each in left.items()]


def _entry(line: str) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def lines_since(client: Any, group: str, since: datetime) -> Iterator[str]:
    """The lines of a log group from a little before a moment on. The errors are botocore's."""
    start = int((since - MARGIN).timestamp() * 1000)
    for page in client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start):
        for event in page["events"]:
            yield event["message"]


# ---------------------------------------------------------------------------------------------------------------------
# The table of a moment
# ---------------------------------------------------------------------------------------------------------------------

# What is newer in the stack's table than at that moment, and must not go back: who may use the support API, who wants
# no reminders, which addresses bounced, which batches were withdrawn.
KEPT = ("KEY#", "KEYS", "REMINDERS#", "BOUNCED#", "RECALLED")
_AT_ONCE = 25  # items that DynamoDB writes in one call


@dataclass(frozen=True, slots=True)
class Difference:
    to_put: list[dict[str, Any]]
    to_delete: list[str]
    erased: list[str]  # the orders of customers who were erased since that moment


def difference(was: Iterable[dict[str, Any]], stands: Iterable[dict[str, Any]]) -> Difference:
    """What makes a table that which it was, but for what must not go back."""
    there = {item["pk"]["S"]: item for item in stands}
    kept = {prefix for prefix in KEPT if any(key.startswith(prefix) for key in there)}
    to_put, seen, erased = [], set(), []
    for item in was:
        key = item["pk"]["S"]
        seen.add(key)
        if key.startswith(tuple(kept)) or there.get(key) == item:
            continue
        to_put.append(item)
        if "forget_on" in there.get(key, {}) and "forget_on" not in item:
            erased.append(key.removeprefix("ORDER#"))
    gone = [key for key in there if key not in seen and not key.startswith(tuple(kept))]
    return Difference(to_put, gone, erased)


def write(client: Any, table: str, changes: Difference, pause: Callable[[float], None]) -> None:
    """Write the difference. It may be repeated: what is done already is no difference any more."""
    requests = [{"PutRequest": {"Item": item}} for item in changes.to_put]
    requests += [{"DeleteRequest": {"Key": {"pk": {"S": key}}}} for key in changes.to_delete]
    for start in range(0, len(requests), _AT_ONCE):
        left: list[Any] = requests[start : start + _AT_ONCE]
        while left:
            answer = client.batch_write_item(RequestItems={table: left})
            left = answer.get("UnprocessedItems", {}).get(table, [])
            if left:
                pause(1)
