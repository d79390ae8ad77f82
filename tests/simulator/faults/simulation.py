"""One story: the real handlers over the model of AWS, in virtual time. Shop, agents and customers come through the
doors that they have on AWS; what the system stores and what leaves it is written down."""

import functools
import json
import re
from collections import ChainMap, Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import pytest
from samtranslator.yaml_helper import yaml_parse

from cli.local.deploy import ROOT
from tests.simulator.aws_here import Answer, AwsCall, ask_dynamodb, forget_tables
from tests.simulator.faults.apis import APIS
from tests.simulator.faults.cloud import Cloud
from tests.simulator.faults.command_line import DONE, FAILED, Ended, Terminal, of_cloudformation
from tests.simulator.faults.deployment import (
    QUEUE,
    TABLE,
    Deployment,
    RequestGlobals,
    Surroundings,
    load,
    own_modules,
    set_environment,
)
from tests.simulator.faults.event_stream import EventsOut
from tests.simulator.faults.events import (
    ACCEPTED,
    callback_event,
    link_event,
    page_event,
    support_event,
)
from tests.simulator.faults.faults import Faults
from tests.simulator.faults.letters import URLS
from tests.simulator.faults.machine import Invocation, Machine
from tests.simulator.faults.provider import Moved, Provider, is_to_be_known
from tests.simulator.faults.schedules import Schedules
from tests.simulator.faults.ses import Ses, attempt_of, bounced_of
from tests.simulator.faults.sqs import SOURCES, Sqs

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAY = 86400.0
_LINK = re.compile(r"/reminders/([A-Za-z0-9_-]{22})")
_MAIL, _BY_HAND = re.compile(r"\bresend-\d+\b"), re.compile(r"\bHAND-\S+")
_MOST_SKEWED = 2  # seconds
# Seconds after which Lambda repeats a scheduled invocation that failed, as often as the template says.
_RUNS_AGAIN: Mapping[str, Sequence[float]] = {
    "find_due_orders": (60,),
    "write_daily_note": (60,),
    "reconcile_payments": (),
}
_CALLS_AGAIN = (5, 60, 600, 3600, 7200)  # seconds after which the shop repeats a callback that failed
_RUN_AGAIN = (20, 300, 3600)  # and a person a command that did
_MOST_PATIENT = 3600.0  # seconds that a command may take


@dataclass(frozen=True, slots=True)
class Told:
    """A callback that was accepted."""

    at: float
    order: str
    kind: str
    data: Mapping[str, Any]
    said_at: float  # by its own stamp
    teller: str = "webhook"

    @property
    def payment(self) -> str:
        """The real payment that it is about, whatever name its teller has for it."""
        return str(self.data.get("payment_id", self.order))


@dataclass(frozen=True, slots=True)
class Answered:
    """What an agent was answered."""

    at: float
    order: str  # empty for what is of no order
    route: str
    status: int
    mail: str | None  # the mail that was promised
    asked_at: float = 0
    body: Mapping[str, Any] = field(default_factory=dict)  # of the wish
    said: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""  # of the wish

    @property
    def may_be_done(self) -> bool:
        """Also after an error of ours, which may have come behind the deed."""
        return self.status < 300 or self.status >= 500


@dataclass(frozen=True, slots=True)
class Knocked:
    """A callback that is not to be let in, and how it was answered."""

    at: float
    order: str
    kind: str
    status: int
    is_signed: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened, for the story of an order."""

    at: float
    orders: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Saved:
    """An order as it was stored at a moment."""

    at: float
    by: Invocation | None
    item: Mapping[str, Any]


@dataclass(slots=True)
class Context:
    machine: Machine
    deadline: float
    function_name: str = "simulated"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:simulated"
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return round((self.deadline - self.machine.now) * 1000)


class Simulation:
    """`roots` are the trees of the versions that run at the same time: each invocation is of one of them. `asked` are
    the providers of whose APIs Keypost has the keys."""

    def __init__(
        self,
        seed: int,
        faults: Faults,
        start: datetime = START,
        roots: Sequence[Path] = (ROOT,),
        asked: Sequence[str] = ("mollie",),
    ) -> None:
        self.settings = {"KEYPOST_FORGET_AFTER_YEARS": "2"}
        self.machine = Machine(seed, start.timestamp(), enter=self._enter, leave=self._leave)
        self.faults = faults
        faults.clock = lambda: self.machine.now
        self.ses = Ses(self.machine, faults, self._ses_tells)
        self.sqs = Sqs(self.machine, faults, self._invoke, self._handled)
        self.events_out = EventsOut(self.machine, faults, self._invoke)
        stack = of_cloudformation({"TableName": TABLE, "QueueUrl": QUEUE}, URLS)
        self.cloud = Cloud(self.machine, faults, self.sqs, self.ses, self._wrote, self.events_out.put, stack)
        self.schedules = Schedules(self.machine, faults, self._scheduled)
        self.cloud.asked = asked
        self.providers = {name: Provider(APIS[name], self.machine, faults, self._told_by_provider) for name in asked}
        self.unheard: list[Moved] = []  # what is true at a provider, and stands in no order yet
        self.roots = roots
        self.versions: list[Deployment] = []
        self.ways_out: dict[str, float] = {}  # by address, since when its reader wants no reminders
        self.scenes: dict[str, tuple[Deployment, RequestGlobals | Terminal | None]] = {}
        self.called: set[tuple[str, str]] = set()  # functions, each with the provider that calls, if one does
        self.told: list[Told] = []
        self.journal: list[Entry] = []
        self.saves: dict[str, list[Saved]] = {}
        self.claims: dict[tuple[str, str, int], Saved] = {}  # how an attempt at a mail was claimed
        self.reported: dict[tuple[str, str, int], float] = {}  # when an event of it was taken
        self.returned: dict[tuple[str, str, int], float] = {}  # when it was taken that an attempt came back
        self.bounced: dict[str, float] = {}  # by address, when it was first taken that it accepts no mail
        self.failures: list[Entry] = []  # invocations that crashed or failed, or items of them
        self.answers: list[Answered] = []
        self.knocks: list[Knocked] = []
        self.remarked = 0  # callbacks that change no order, and were taken
        self.wishes: list[tuple[float, str]] = []  # that the page took: when and from which address
        self.wished = Counter[str]()  # how often customers asked on the page, by address
        self.events: list[str] = []  # that SES sent, as they are put into their queue
        self.not_found: list[tuple[float, str]] = []  # orders that a worker did not find, with the moment of its start
        self.recalled: list[tuple[float, frozenset[str]]] = []  # which batches were withdrawn, from each moment on
        self.lines: list[str] = []  # all that functions logged
        self.counted: list[str] = []  # all that they counted
        self.replies: list[str] = []  # the bodies of answers to callbacks and on pages
        self.files = 0
        self.folder = Path()  # in which people keep files
        self.printed: list[str] = []  # what commands said to those who ran them

    # --- the stage

    @contextmanager
    def playing(self) -> Iterator["Simulation"]:
        """With an empty table. One simulation plays at a time."""
        with ExitStack() as stack:
            more = ChainMap(self.settings, *(dict(provider.api.environment) for provider in self.providers.values()))
            set_environment(stack.enter_context(pytest.MonkeyPatch.context()), more)
            stack.enter_context(own_modules())
            self.versions = [_loaded(root) for root in self.roots]
            for version in self.versions:
                stack.enter_context(version.logging_to(_Log()))
                version.start_anew()
            stack.enter_context(_on_stage(self))
            self.folder = Path(stack.enter_context(TemporaryDirectory()))
            stack.enter_context(self.machine.running())
            forget_tables()  # and the tokens of transactions, which a second play of this seed uses again
            ask_dynamodb("CreateTable", TableName=TABLE, **_table())
            yield self

    @property
    def now(self) -> float:
        return self.machine.now

    def run(self, seconds: float) -> None:
        self.machine.run(self.now + seconds)

    def note(self, text: str, *orders: str) -> None:
        self.journal.append(Entry(self.now, orders, text))

    # --- functions

    def _enter(self, invocation: Invocation) -> None:
        version, own = self.scenes[invocation.name]
        version.activate()
        if own:
            own.enter()

    def _leave(self, invocation: Invocation) -> None:
        _, own = self.scenes[invocation.name]
        if own:
            own.leave()

    def _invoke(
        self,
        function: str,
        event: dict[str, Any],
        timeout: float,
        then: Callable[[Invocation], None],
        about: tuple[str, ...] = (),
    ) -> None:
        self.called.add((function, (event.get("pathParameters") or {}).get("provider", "")))
        context = Context(self.machine, self.now + timeout)
        own = RequestGlobals if function == "support_api" else lambda _: None
        self._start(function, lambda started: self._handler(started)(event, context), timeout, then, about, own)

    def _start(
        self,
        title: str,
        do: Callable[[Invocation], Any],
        timeout: float,
        then: Callable[[Invocation], None],
        about: tuple[str, ...],
        own: Callable[[Deployment], RequestGlobals | Terminal | None],
    ) -> None:
        """Run something of one of the versions, with what it has for itself."""

        def over(run: Invocation) -> None:
            self._over(run)
            then(run)

        started = self.machine.start(title, lambda: do(started), timeout, over, about)
        if self.faults.at(f"clock of {started.name}", ("skewed clock",)):
            started.skew = self.faults.chance(started.name).uniform(-_MOST_SKEWED, _MOST_SKEWED)
        version = self.versions[0] if len(self.versions) == 1 else started.chance.choice(self.versions)
        self.scenes[started.name] = version, own(version)

    def start(
        self, function: str, event: Mapping[str, Any], timeout: float, then: Callable[[Invocation], None]
    ) -> None:
        """API Gateway asks a function."""
        self._invoke(function, dict(event), timeout, then)

    def _handler(self, started: Invocation) -> Callable[[dict[str, Any], Any], Any]:
        return self.scenes[started.name][0].handler(started.function)

    def _over(self, run: Invocation) -> None:
        failed = run.result.get("batchItemFailures", []) if isinstance(run.result, dict) else []
        end = "crashed" if run.is_dead else f"failed: {run.error!r}" if run.error else "ended"
        text = f"{run.name} {end}{f', {len(failed)} items failed' if failed else ''}"
        if run.has_failed or failed:
            self.failures.append(Entry(self.now, run.about, text))
        if run.has_failed or failed or run.about:
            self.note(text, *run.about)
        elif not run.calls:
            self.note(f"{text}, and has asked nothing of AWS")

    def _scheduled(self, function: str, event: dict[str, str]) -> None:
        """As Lambda runs what is invoked without waiting: a run that failed is made again."""
        self._tried(function, event, 0)

    def _tried(self, function: str, event: dict[str, str], tries: int) -> None:
        def over(run: Invocation) -> None:
            if run.has_failed and tries < len(_RUNS_AGAIN[function]):
                self.machine.later(_RUNS_AGAIN[function][tries], lambda: self._tried(function, event, tries + 1))

        self._invoke(function, dict(event), 300, over)

    def _ses_tells(self, body: str, delay: float) -> None:
        self.events.append(body)
        self.sqs.put("events", body, delay)

    def not_found_by_worker(self, order: str) -> None:
        run = self.machine.current
        if run and run.function == "advance_orders":
            self.not_found.append((run.deadline - SOURCES["work"].timeout, order))

    def _handled(self, queue: str, body: str) -> None:
        if queue == "events":
            order, mail, attempt = attempt_of(body)
            self.note(f"an event of SES about attempt {attempt} of {mail} is taken", order)
            self.reported.setdefault((order, mail, attempt), self.now)
            if bounced_of(body):
                self.returned.setdefault((order, mail, attempt), self.now)
                self.bounced.setdefault(bounced_of(body), self.now)

    # --- what is stored

    def _wrote(self, invocation: Invocation | None, items: list[dict[str, Any]], touched: list[str]) -> None:
        self.events_out.changed(items)
        for item in items:
            if item["pk"]["S"].startswith("ORDER#") and "version" in item:  # not what is kept beside an order
                self._saved(invocation, plain(item))
            elif item["pk"]["S"].startswith("BATCH#"):
                self.schedules.stored(item["pk"]["S"], _clock(plain(item)))
        if "RECALLED" in touched:
            self.recalled.append((self.now, frozenset((_stored("RECALLED") or {}).get("batches", ()))))
        for key in touched:
            if key.startswith(("ASIDE#", "CODES#")):  # what is due besides orders
                self.schedules.stored(key, _clock(_stored(key) or {}))

    def _saved(self, invocation: Invocation | None, item: dict[str, Any]) -> None:
        order = item["pk"].removeprefix("ORDER#")
        saved, before = Saved(self.now, invocation, item), self.saves.setdefault(order, [])
        begun = _claimed(item) - (_claimed(before[-1].item) if before else set())
        self.claims |= {(order, *attempt): saved for attempt in begun}
        before.append(saved)
        self._hear(item)
        due = item.get("due_at")
        self.schedules.stored(order, _clock(item))
        mails = ", ".join(f"{mail['id']} {mail['state']} {mail.get('attempts', 0)}" for mail in item.get("mails", ()))
        by = invocation.name if invocation else "nobody"
        waits = f"due {due}, needs {item.get('attention')}, {len(item.get('licenses', ()))} codes"
        self.note(f"saved as {item['version']} by {by}: {waits}; {mails}", order)

    def item(self, order: str) -> dict[str, Any] | None:
        return _stored(f"ORDER#{order}")

    def aside(self, order: str) -> dict[str, Any] | None:
        """What is kept beside an order that is set aside."""
        return _stored(f"ASIDE#{order}")

    def items(self) -> list[dict[str, Any]]:
        found, place = list[dict[str, Any]](), dict[str, Any]()
        while True:
            page = ask_dynamodb("Scan", TableName=TABLE, **place)
            found += [plain(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            place = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    # --- the doors

    def callback(
        self,
        order: str,
        kind: str,
        data: Mapping[str, Any],
        tries: int = 0,
        at: float | None = None,
        teller: str = "webhook",
    ) -> None:
        """The shop or a provider tells, and tells again until it is heard."""
        told_at = self.now if at is None else at

        def over(run: Invocation) -> None:
            status = run.result["statusCode"] if run.result else 500
            self._replied(run)
            self.note(f"{teller} says {kind}: {status}", order)
            if status >= 500:
                wait = _CALLS_AGAIN[min(tries, len(_CALLS_AGAIN) - 1)]
                self.machine.later(wait, lambda: self.callback(order, kind, data, tries + 1, told_at, teller))
                return
            assert status == ACCEPTED[teller], run.result
            self.told.append(Told(self.now, order, kind, data, told_at, teller))
            self.schedules.something_new()

        event = callback_event(teller, order, kind, data, told_at, self.now)
        self._invoke("payment_callback", event, 30, over, (order,))

    # --- what the providers know

    def provider_at(self, url: str) -> Provider:
        path = urlsplit(url).path
        return next(provider for provider in self.providers.values() if path.startswith(provider.api.path))

    def unknown(self) -> list[Moved]:
        """What is true at a provider, and does not stand in its order."""
        return [moved for provider in self.providers.values() for moved in provider.unknown(self.item)]

    def _told_by_provider(self, moved: Moved) -> None:
        """Its callback, which may come late, twice or never; and the hourly question, which makes up for it."""
        order, provider = moved.payment.order, self.providers[moved.api.prefix]
        self.note(f"at {moved.api.name}: {moved.text}", order)
        if is_to_be_known(moved):
            self.unheard.append(moved)
            self.schedules.hourly("reconcile_payments", lambda: bool(self.unknown()))
        place = f"callback of {moved.api.name} of {order} {provider.steps}"
        chance = self.faults.chance(place)
        kind = self.faults.at(place, ("callback never sent", "callback late", "callback twice"))
        if kind != "callback never sent":
            wait = chance.choice((60, 3600, 6 * 3600)) if kind == "callback late" else 0.0
            self.machine.later(wait, lambda: self._called(moved, place))
        if kind == "callback twice":
            self.machine.later(chance.choice((0, 1, 60)), lambda: self._called(moved, f"{place} again"))

    def _called(self, moved: Moved, place: str, tries: int = 0) -> None:
        """A provider calls, and most of them call again until they are heard."""
        order, again = moved.payment.order, moved.api.calls_again

        def over(run: Invocation) -> None:
            status = run.result["statusCode"] if run.result else 500
            self._replied(run)
            self.note(f"{moved.api.name} calls, {moved.text}: {status}", order)
            if status >= 500 and again:
                wait = again[min(tries, len(again) - 1)]
                self.machine.later(wait, lambda: self._called(moved, place, tries + 1))

        event = moved.api.call(moved.payment, moved.step, self.now, self.faults.chance(place))
        self._invoke("payment_callback", event, 30, over, (order,))

    def _hear(self, item: Mapping[str, Any]) -> None:
        """What is stored of an order may say what happened at a provider. Nobody hears the end of what nobody has heard
        of."""
        order = item["pk"].removeprefix("ORDER#")
        for each in [moved for moved in self.unheard if moved.payment.order == order]:
            if each.is_known_by(item) and not any(map(each.takes_back, self.unheard)):
                self.unheard.remove(each)
                kind, data = each.payment.told_by(each.step)
                self.told.append(Told(self.now, order, kind, data, each.step.at, each.api.prefix))
                self.schedules.something_new()

    def knock(self, order: str, kind: str, event: Mapping[str, Any], *, is_signed: bool) -> None:
        """Somebody sends a callback that is not to be let in."""

        def over(run: Invocation) -> None:
            status = run.result["statusCode"] if run.result else 500
            self._replied(run)
            self.knocks.append(Knocked(self.now, order, kind, status, is_signed))
            self.note(f"somebody says {kind}: {status}", order)

        self._invoke("payment_callback", dict(event), 30, over)

    def remark(self, teller: str, event: Callable[[float], Mapping[str, Any]]) -> None:
        """Somebody tells what changes no order, by an event that is signed at that moment, until it is taken."""

        def over(run: Invocation) -> None:
            status = run.result["statusCode"] if run.result else 500
            self._replied(run)
            self.note(f"{teller} says what changes nothing: {status}")
            if status >= 500:
                self.machine.later(60, lambda: self.remark(teller, event))
            else:
                self.remarked += 1

        self._invoke("payment_callback", dict(event(self.now)), 30, over)

    def _replied(self, run: Invocation) -> None:
        self.replies.append((run.result or {}).get("body") or "")

    def tell(
        self, order: str, kind: str, *, teller: str = "webhook", said_at: float | None = None, **data: Any
    ) -> None:
        """A callback, which may come twice."""
        told_at = self.now if said_at is None else said_at
        place = f"callback {kind} of {order}"
        match self.faults.at(place, ("callback twice", "callback twin")):
            case "callback twice":
                wait = self.faults.chance(place).choice((1, 60, 3600))
                self.machine.later(wait, lambda: self.callback(order, kind, data, 0, told_at, teller))
            case "callback twin":
                self.callback(order, kind, data, 0, told_at, teller)
        self.callback(order, kind, data, 0, told_at, teller)

    def support(
        self,
        method: str,
        route: str,
        body: Mapping[str, Any],
        then: Callable[[int, Any], None] = lambda *_: None,
        key: str = "",
        **path: str,
    ) -> None:
        """An agent asks for something; `then` gets the status and what was answered. With the key of a wish, the agent
        asks again after a failure."""
        about, asked_at = (path["order_id"],) if "order_id" in path else (), self.now

        def over(run: Invocation) -> None:
            status = run.result["statusCode"] if run.result else 500
            said = json.loads(run.result["body"] or "{}") if run.result else {}
            mail = said.get("mail")
            asked = Answered(self.now, "".join(about), f"{method} {route}", status, mail, asked_at, body, said, key)
            self.answers.append(asked)
            self.note(f"an agent asks {method} {route}: {status} {said.get('detail', '')}", *about)
            self.schedules.something_new()
            if key and status >= 500:
                self.machine.later(60, lambda: self.support(method, route, body, then, key, **path))
                return
            then(status, said)

        self._invoke("support_api", support_event(method, route, body, path, key), 29, over, about)

    def file(self, name: str, text: str) -> str:
        """The path of a new file."""
        self.files += 1
        path = self.folder / f"{self.files}-{name}"
        path.write_text(text, "utf-8")
        return str(path)

    def command(
        self,
        *words: str,
        typed: str = "",
        order: str = "",
        asks: str = "",
        body: Mapping[str, Any] = MappingProxyType({}),
        key: str = "",
        then: Callable[[], None] = lambda: None,
        tries: int = 0,
    ) -> None:
        """Somebody runs `keypost`, and again when that failed or was stopped. `asks` is the call of the support API
        that asks for the same, `then` is called when it is done."""
        terminal, asked_at = Terminal(words, typed), self.now
        about = (order,) if order else ()

        def over(made: Invocation) -> None:
            said = terminal.printed.getvalue()
            self.printed.append(said)
            ended: Ended = made.result or Ended(FAILED, "stopped")
            mail, made_by_hand = _MAIL.search(said), _BY_HAND.search(said)
            route, named = asks or " ".join(words[:2]), {"order_id": made_by_hand[0]} if made_by_hand else {}
            self.answers.append(
                Answered(self.now, order, route, ended.status, mail and mail[0], asked_at, body, named, key)
            )
            self.note(f"somebody runs {made.function}: {ended.status} {ended.why}", *about)
            self.schedules.something_new()
            if ended.status >= FAILED:
                again = partial(
                    self.command,
                    *words,
                    typed=typed,
                    order=order,
                    asks=asks,
                    body=body,
                    key=key,
                    then=then,
                    tries=tries + 1,
                )
                self.machine.later(_RUN_AGAIN[min(tries, len(_RUN_AGAIN) - 1)], again)
            elif ended.status == DONE:
                then()

        title = " ".join(("keypost", *words[:2]))
        self._start(
            title,
            lambda started: self.scenes[started.name][0].run_command(),
            _MOST_PATIENT,
            over,
            about,
            lambda _: terminal,
        )

    def wish(self, email: str, source: str = "192.0.2.1") -> None:
        """A customer asks on the page for what was sent to an address."""
        self.wished[email] += 1
        asked_at = self.now

        def over(run: Invocation) -> None:
            self._replied(run)
            if run.result and run.result["statusCode"] < 300:
                self.wishes.append((asked_at, email))
            self.schedules.something_new()

        self._invoke("self_service", page_event(email, source), 30, over)

    def open_link(self, address: str, body: str | None = None) -> None:
        """A program opens the link in the newest reminder to an address, or its reader stops reminders with it, and
        tries again until that is answered."""
        links = [_LINK.findall(sent.text)[0] for sent in self.ses.accepted if sent.to == address and sent.is_reminder]
        if not links:
            return

        def over(run: Invocation) -> None:
            status = run.result["statusCode"] if run.result else 500
            self._replied(run)
            self.note(f"the link of {address} {'opens' if body is None else 'stops reminders'}: {status}")
            if body and status >= 500:
                self.machine.later(60, lambda: self.open_link(address, body))
            elif body and status < 300:
                self.ways_out.setdefault(address, self.now)

        self._invoke("reminders_page", link_event(links[-1], body), 30, over)

    def poke(self, order: str) -> None:
        self.sqs.put("work", order, 0)

    def run_schedule(self) -> None:
        self._scheduled("find_due_orders", {})

    def ask_providers(self) -> None:
        self._scheduled("reconcile_payments", {})

    def write_note(self) -> None:
        self._scheduled("write_daily_note", {})


def needs(item: Mapping[str, Any] | None) -> str | None:
    """What the index of those that need something says of an order, without the product."""
    said: str | None = (item or {}).get("attention")
    return said.partition("#")[0] if said else None


def _stored(key: str) -> dict[str, Any] | None:
    found = ask_dynamodb("GetItem", TableName=TABLE, Key={"pk": {"S": key}}).get("Item")
    return plain(found) if found else None


def _claimed(item: Mapping[str, Any]) -> set[tuple[str, int]]:
    """The attempts that are being made. The name of a mail that never left may be used for another mail later."""
    return {(mail["id"], mail["attempts"]) for mail in item.get("mails", ()) if mail["state"] == "sending"}


def _clock(item: Mapping[str, Any]) -> float | None:
    """When an item is due, if it ever is. Behind the moment stands what an order lacks."""
    due = item.get("due_at")
    return datetime.fromisoformat(due.partition("#")[0]).timestamp() if due else None


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of DynamoDB as JSON would have it."""
    return {name: _plain(value) for name, value in item.items()}


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "M":
            return plain(content)
        case "L":
            return [_plain(each) for each in content]
        case "N":
            return int(content) if content.lstrip("-").isdigit() else float(content)
        case "SS":
            return sorted(content)
        case "NULL":
            return None
    return content


_STAGE: list[Simulation] = []


@contextmanager
def _on_stage(simulation: Simulation) -> Iterator[None]:
    _STAGE.append(simulation)
    try:
        yield
    finally:
        _STAGE.pop()


class _Outside:
    """The program of the shop, whichever simulation plays."""

    def call(self, _method: str, url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        return _STAGE[-1].events_out.call(url, body, headers)


class _Pool:
    """The connections with the providers, whichever simulation plays."""

    def request(self, method: str, url: str, **more: Any) -> Any:
        return _STAGE[-1].provider_at(url).request(method, url, **more)


class _Log:
    """What functions log, written into the journal of the simulation that plays."""

    def write(self, text: str) -> None:
        if not text.strip():
            return
        _STAGE[-1].lines.append(text)
        line = json.loads(text)
        if line["message"] == "OrderNotFound":
            _STAGE[-1].not_found_by_worker(line["order_id"])
        if line["level"] == "ERROR":
            told = {name: line[name] for name in ("message", "error", "place") if name in line}
            _STAGE[-1].note(f"log: {told}", *filter(None, [line.get("order_id")]))

    def flush(self) -> None:
        pass


_LOADED: dict[Path, Deployment] = {}


def _loaded(root: Path) -> Deployment:
    """Once in a process, whichever simulation plays."""
    if root not in _LOADED:
        _LOADED[root] = _load(root)
    return _LOADED[root]


def forget_version(root: Path) -> None:
    """It is not played any more."""
    _LOADED.pop(root, None)


def _load(root: Path) -> Deployment:

    def watch(call: AwsCall) -> Answer | None:
        return _STAGE[-1].cloud.watch(call)

    def pause(seconds: float) -> None:
        _STAGE[-1].machine.pause(seconds)

    def counted(what: str) -> None:
        _STAGE[-1].counted.append(what)

    return load(Surroundings(watch, lambda: _STAGE[-1].now, pause, counted, _Outside(), _Pool()), root)


@functools.cache
def _table() -> dict[str, Any]:
    template: Any = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
    described = template["Resources"]["Table"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    return {key: described[key] for key in wanted}
