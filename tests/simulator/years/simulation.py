"""Plays a world to the real handlers, over the emulator, by a clock of its own: callbacks as they arrive, schedules at
their times, the queue in between. What left is then compared with what had to leave."""

import base64
import heapq
import json
import logging
import os
import random
import re
import warnings
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from samtranslator.yaml_helper import yaml_parse

import advance_orders
import find_due_orders
import payment_callback
from cli.local.deploy import ROOT
from cli.local.mailbox import SentMail
from keypost import telemetry, wiring
from keypost.core import support
from keypost.table.clocks import clock_of
from tests.builders import PRODUCT, WEBHOOK_SECRET, code, webhook_headers
from tests.simulator.aws_here import ENVIRONMENT, Answer, AwsCall, answer_here
from tests.simulator.short_way import take_the_short_way
from tests.simulator.years.oracle import Expected, expected_mails
from tests.simulator.years.world import BEGIN, END, PLAIN, REMINDING, ZONE, Fact, World, local

MOST_SAVES = 100  # of one order at one moment
SCHEDULE = (time(7), time(9), time(12))
SAFETY_NET = timedelta(minutes=15).total_seconds()
_TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "refunded": ("order.refunded", {"full": True}),
    "partly refunded": ("order.refunded", {"amount_refunded": "10.00"}),
    "disputed": ("order.disputed", {}),
    "won": ("order.dispute_closed", {"won": True}),
    "lost": ("order.dispute_closed", {"won": False}),
    "canceled": ("order.canceled", {}),
}
_WITHOUT_CODES = ("reminder", "refunded")
_BOUGHT = {"currency": "EUR", "amount": "39.95", "email": "facturen@klant.example", "name": "Anna Jansen"}


@dataclass(frozen=True, slots=True)
class Left:
    """A mail that SES took."""

    at: datetime
    order: str
    purpose: str
    codes: tuple[str, ...]
    first_day: date | None  # as its calendar file says

    @property
    def day(self) -> date:
        return self.at.astimezone(ZONE).date()


class Context:
    function_name = "simulated"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:simulated"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@dataclass(slots=True)
class Simulation:
    """`every_run` also makes the daily runs that no stored clock asks for; a run of the safety net is always made only
    when one does, as the others find nothing."""

    world: World
    chance: random.Random
    every_run: bool = False
    mails: list[Left] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    now: datetime = BEGIN
    agenda: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    clocks: dict[str, str] = field(default_factory=dict)  # of the orders, as they stand in the table
    saved: Counter[str] = field(default_factory=Counter)  # how often each order was, at this moment
    queued: int = 0
    codes_made: int = 0
    surprised: set[str] = field(default_factory=set)  # orders of which a person is to agree to the days

    def plan(self, moment: datetime, what: Callable[[], None]) -> None:
        heapq.heappush(self.agenda, (moment, self.counts["planned"], what))
        self.counts["planned"] += 1

    def play(self, traveller: time_machine.Traveller, progress: Callable[[str], None]) -> None:
        for fact in self.world.facts:
            self.plan(fact.arrives, partial(self._tell, fact))
        self._days(BEGIN.date())
        year = BEGIN.year
        while self.agenda and self.agenda[0][0] < END:
            self.now, _, act = heapq.heappop(self.agenda)
            if self.now.year > year:
                progress(f"{year}: {len(self.mails)} mails so far")
                year = self.now.year
            traveller.move_to(self.now)
            self.saved.clear()
            act()
            self._drain()
            self._agree()
        progress(f"{year}: {len(self.mails)} mails so far")

    def _days(self, day: date) -> None:
        """The schedules of a day."""
        if day.day == 1:
            self._restock()
        for at in SCHEDULE:
            self.plan(local(day, at), partial(self._run, daily=True))
        self.plan(local(day + timedelta(days=1), time()), partial(self._days, day + timedelta(days=1)))

    def _tell(self, fact: Fact) -> None:
        """A callback of the shop."""
        body = json.dumps(self._callback(fact)).encode()
        event = {
            "httpMethod": "POST",
            "pathParameters": {"provider": "webhook"},
            "headers": webhook_headers(body, at=self.now.timestamp()),
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        answer = payment_callback.handler(event, Context())
        assert answer["statusCode"] == 204, answer
        self.counts["callbacks"] += 1
        early = self.now.astimezone(ZONE).hour < 22 and self.now.astimezone(ZONE).date() not in self.world.outages
        if early and self.chance.random() < 0.03:
            self._lose_pokes()

    def _callback(self, fact: Fact) -> dict[str, Any]:
        sale = self.world.sales[fact.order]
        data: dict[str, Any] = {"order_id": sale.order}
        kind, more = _TYPES.get(fact.what, (f"order.{fact.what}", {}))
        if zlib.crc32(sale.order.encode()) % 2:
            data["payment_id"] = f"pay_{sale.order}"
        if fact.what in ("open", "paid"):
            line: dict[str, Any] = {"sku": sale.sku, "quantity": sale.quantity}
            if sale.renews:
                line |= {"kind": "renewal", "renews": self._named(sale.renews)}
            if sale.period:
                line |= dict(zip(("period_start", "period_end"), map(date.isoformat, sale.period), strict=True))
            more = {**_BOUGHT, "lines": [line]}
        return {"type": kind, "timestamp": fact.at.isoformat(), "data": {**data, **more}}

    def _named(self, renews: str) -> str:
        """A license by its number, once its mail has left; else its order. One of several is another test's business:
        the others of its line are still to be reminded of."""
        order_id = renews.removeprefix("license of ")
        if order_id != renews and any(mail.order == order_id for mail in self.mails):
            order = wiring.store().load(order_id)
            return order.licenses[0].id if order and len(order.licenses) == 1 else order_id
        return order_id

    def _run(self, *, daily: bool) -> None:
        """A run of the schedules, if there is none of an outage."""
        if self.now.astimezone(ZONE).date() in self.world.outages:
            return
        now = _stamp(self.now)
        if (daily and self.every_run) or any(clock <= now for clock in self.clocks.values()):
            find_due_orders.handler({}, Context())
            self.counts["runs"] += 1

    def _drain(self) -> None:
        """The queue's worker, until nothing is left that is visible."""
        sqs, url = wiring.queue()._client, wiring.queue().url
        while self.queued:
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            if not messages:
                self.queued = 0
            for message in messages:
                record = {"messageId": message["MessageId"], "body": message["Body"]}
                event = {"Records": [record | {"attributes": {"ApproximateReceiveCount": "1"}}]}
                self.counts["pokes"] += 1
                assert advance_orders.handler(event, Context()) == {"batchItemFailures": []}, self.story(
                    message["Body"]
                )
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _lose_pokes(self) -> None:
        sqs, url = wiring.queue()._client, wiring.queue().url
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                self.counts["pokes lost"] += 1

    def _restock(self) -> None:
        """Enough codes for the month: who waits for stock is another test's business."""
        wanted = 20 + len(self.world.sales) // 30
        for sku in (PLAIN, REMINDING):
            lacking = wanted - wiring.store().count_free(sku, self.now.date(), wanted)
            numbers = range(self.codes_made, self.codes_made + lacking)
            self.codes_made += lacking
            new = [code(number % 100_000, f"AAAA{chr(65 + number // 100_000)}") for number in numbers]
            assert not any(known for _, known in wiring.store().add_codes(sku, new, None, None))

    def watch(self, call: AwsCall) -> Answer | None:
        """Sees each call of AWS, as it is made."""
        body = call.body
        match call.service, call.operation:
            case "dynamodb", "PutItem":
                self._see(body["Item"])
            case "dynamodb", "TransactWriteItems":
                for write in body["TransactItems"]:
                    self._see(write.get("Put", {}).get("Item", {}))
            case "sqs", "SendMessage" | "SendMessageBatch":
                self.queued += 1
                delays = [entry.get("DelaySeconds", 0) for entry in body.get("Entries", [body])]
                if any(delays):
                    self.plan(self.now + timedelta(seconds=max(delays) + 1), self._wake)
            case "sesv2", "GetAccount":
                return 200, {}, json.dumps({"SendQuota": {"MaxSendRate": 1_000_000}})
            case "sesv2", _:
                return self._mail(body)
        return None

    def _agree(self) -> None:
        """An agent finds the days right that surprise, of two years that are paid at once."""
        while self.surprised:
            order_id = self.surprised.pop()
            wiring.desk().change(order_id, lambda order: support.release(order, "anna", self.now))
            self.counts["agreed"] += 1
            self._drain()

    def _wake(self) -> None:
        self.queued += 1

    def _see(self, item: dict[str, Any]) -> None:
        """An order as it is stored: its clock will ring in the safety net."""
        key = item.get("pk", {}).get("S", "")
        if not key.startswith("ORDER#"):
            return
        self.saved[key] += 1
        if '"unusual_start"' in json.dumps(item.get("waits", {})):
            self.surprised.add(key.removeprefix("ORDER#"))
        assert self.saved[key] < MOST_SAVES, f"it never comes to an end{self.story(key.removeprefix('ORDER#'))}"
        self.clocks.pop(key, None)
        if due := item.get("due_at", {}).get("S"):
            self.clocks[key] = clock_of(due)
            moment = max(datetime.fromisoformat(clock_of(due)), self.now)
            self._net(moment)

    def _net(self, moment: datetime) -> None:
        """The safety net's first run from a moment on, behind an outage if it falls into one."""
        day = moment.astimezone(ZONE).date()
        while day in self.world.outages:
            day += timedelta(days=1)
            moment = local(day, time())
        at = datetime.fromtimestamp(-(-moment.timestamp() // SAFETY_NET) * SAFETY_NET, UTC)
        if at < END:
            self.plan(at, partial(self._run, daily=False))

    def _mail(self, body: dict[str, Any]) -> Answer:
        """SES, which refuses now and then; not late in the evening, so that the day stays decided."""
        if self.now.astimezone(ZONE).hour < 22 and self.chance.random() < 0.03:
            self.counts["mails refused"] += 1
            return 429, {"x-amzn-ErrorType": "TooManyRequestsException"}, "{}"
        tags = {tag["Name"]: tag["Value"].replace("_2d", "-") for tag in body["EmailTags"]}
        mail = SentMail(0, self.now, "", (), tags, base64.b64decode(body["Content"]["Raw"]["Data"]))
        calendars = [part.get_content() for part in mail.message.walk() if part.get_content_type() == "text/calendar"]
        days = [re.search(r"DTSTART;VALUE=DATE:(\d{8})", calendar) for calendar in calendars]
        self.mails.append(
            Left(
                self.now,
                tags["order"],
                tags["mail"].rpartition("-")[0],
                tuple(re.findall(r"AAAA[A-Z]-BBBBB-CCCCC-\d{5}", mail.text)),
                date.fromisoformat(days[0][1]) if days and days[0] else None,
            )
        )
        return 200, {}, json.dumps({"MessageId": f"message-{len(self.mails)}"})

    def story(self, order_id: str) -> str:
        """All that is known of an order and of those that it stands in line with."""
        first = self.world.sales[order_id].first
        line = [sale for sale in self.world.sales.values() if sale.first == first]
        told = [f"{sale}" for sale in line]
        told += [
            f"{_here(f.arrives)}  {f.order} {f.what}, as of {_here(f.at)}"
            for f in self.world.facts
            if self.world.sales[f.order].first == first
        ]
        for sale in line:
            order = wiring.store().load(sale.order)
            told += [
                f"  {sale.order} {_here(e.at)}  {e.code} {dict(e.values)}" for e in (order.timeline if order else ())
            ]
            told += [f"  {mail}" for mail in self.mails if mail.order == sale.order]
        return f"\nThe story of {order_id}, now {_here(self.now)}:\n" + "\n".join(told)


def _here(moment: datetime) -> str:
    return f"{moment.astimezone(ZONE):%a %Y-%m-%d %H:%M:%S}"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def _deployed(watch: Callable[..., Answer | None]) -> Iterator[None]:
    """Table, queue and secrets in this process, and the environment of a function."""
    template: Any = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    described = template["Resources"]["Table"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No application metrics")
        for name in [name for name in os.environ if name.startswith(("AWS_", "KEYPOST_"))]:
            patch.delenv(name)
        for name, value in (ENVIRONMENT | {"POWERTOOLS_METRICS_DISABLED": "true", "KEYPOST_PAID_AHEAD": "off"}).items():
            patch.setenv(name, value)
        patch.setattr(telemetry, "outcome", lambda *_, **__: None)
        patch.setattr(telemetry, "at_door", lambda *_, **__: None)
        patch.setattr(telemetry, "failure", _stop)
        patch.setattr(logging.root.manager, "disable", logging.CRITICAL)
        wiring.forget()
        session = wiring.session()
        answer_here(session, watch)
        take_the_short_way(session, watch)
        name = f"simulated-{os.urandom(4).hex()}"
        session.client("dynamodb").create_table(TableName=name, **{key: described[key] for key in wanted})
        queue = session.client("sqs").create_queue(QueueName=name)
        secret = json.dumps({"webhook_signing": WEBHOOK_SECRET})
        made = session.client("secretsmanager").create_secret(Name=name, SecretString=secret)
        patch.setenv("KEYPOST_TABLE", name)
        patch.setenv("KEYPOST_QUEUE_URL", queue["QueueUrl"])
        patch.setenv("KEYPOST_WISHES_URL", queue["QueueUrl"])  # nobody asks for anything
        patch.setenv("KEYPOST_SECRETS", made["ARN"])
        for sku, days in ((PLAIN, ()), (REMINDING, (30, 7, 0))):
            product = replace(PRODUCT, sku=sku, reminder_days=days, renewal_url="https://shop.example/verlengen")
            wiring.store().put_product(product)
        try:
            yield
        finally:
            session.client("dynamodb").delete_table(TableName=name)
            wiring.forget()


def _stop(error: Exception, **_: Any) -> None:
    raise error


def simulate(world: World, seed: int, progress: Callable[[str], None], *, every_run: bool) -> Simulation:
    """Plays a world, and compares; AssertionError with the story of the first order that went wrong."""
    played = Simulation(world, random.Random(seed), every_run)
    with time_machine.travel(BEGIN, tick=False) as traveller, _deployed(played.watch):
        played.play(traveller, progress)
        _compare(played, expected_mails(world))
    return played


def _compare(played: Simulation, expected: list[Expected]) -> None:
    due: dict[str, list[Expected]] = defaultdict(list)
    left: dict[str, list[Left]] = defaultdict(list)
    for mail in expected:
        due[mail.order].append(mail)
    for sent in played.mails:
        left[sent.order].append(sent)
    wrong = [order for order in played.world.sales if not _fit(due[order], left[order])]
    owner: dict[str, str] = {}
    for sent in played.mails:
        wrong += [sent.order for one in sent.codes if owner.setdefault(one, sent.order) != sent.order]
        wanted_codes = 0 if sent.purpose in _WITHOUT_CODES else played.world.sales[sent.order].quantity
        if len(set(sent.codes)) != wanted_codes:
            wrong.append(sent.order)
    if wrong:
        wanted = "\n".join(f"  {mail}" for mail in due[wrong[0]])
        raise AssertionError(
            f"{len(wrong)} orders went wrong: {wrong[:9]}{played.story(wrong[0])}\nExpected:\n{wanted}"
        )


def _fit(due: list[Expected], left: list[Left]) -> bool:
    return len(due) == len(left) and all(
        want.purpose == sent.purpose and want.earliest <= sent.day <= want.latest and want.first_day == sent.first_day
        for want, sent in zip(due, left, strict=True)
    )
