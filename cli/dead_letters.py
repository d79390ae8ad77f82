"""`keypost dead-letters`: the queues of a stack that keep what failed, and what becomes of it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from pydantic import TypeAdapter

from cli import stacks, tables
from cli.click_words import Group
from cli.orders import as_json, stack_option
from cli.speech import lang, say, speech, text
from keypost.core.errors import KeypostError
from keypost.core.said import Said, said
from keypost.table.schedule import BATCH, CODES_CAME
from keypost.use_cases.poke_due import FORGET
from keypost.use_cases.take_mail_event import read
from keypost.words import moment, sentence, worded

_AT_ONCE = 10  # messages in a request
_HIDDEN = 60  # seconds in which nobody else gets a message that was received here
_WISH = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A queue that keeps what failed."""

    name: str  # as people call it
    resource: str  # as template.yaml does
    goes_to: str  # the queue to which a message goes back that names none; empty: nothing goes back
    keeps: str  # the code of the sentence for what it keeps
    lost: str  # and for what is lost with it, and how that is made up for


KEPT = (
    Kept("orders", "DeadLetters", "Queue", "keeps_orders", "lost_orders"),
    Kept("mail-events", "FeedbackDeadLetters", "FeedbackQueue", "keeps_mail_events", "lost_mail_events"),
    Kept("runs", "FailedRuns", "", "keeps_runs", "lost_runs"),
    Kept("events", "EventDeadLetters", "EventQueue", "keeps_events", "lost_events"),
    Kept("untold-changes", "LostEvents", "", "keeps_untold_changes", "lost_untold_changes"),
)
_NAMES = click.Choice([each.name for each in KEPT])
_queue = click.argument("queue", type=_NAMES, metavar="QUEUE")
_any_queue = click.argument("queue", type=_NAMES, metavar="[QUEUE]", required=False)


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    receipt: str
    body: str
    sent_at: datetime  # for the first time
    source: str  # the queue in which it failed, by its name in the account; empty if it is not known


@dataclass(frozen=True, slots=True)
class Told:
    """A message, for programs."""

    queue: str
    sent_at: datetime
    what: Said


_TOLD = TypeAdapter(Told)


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues of a stack, by their names in template.yaml."""

    sqs: Any
    urls: Mapping[str, str]

    @classmethod
    def of(cls, at: stacks.Found) -> "Queues":
        return cls(at.session.client("sqs"), at.resources("AWS::SQS::Queue"))

    def kept(self, name: str | None = None) -> list[Kept]:
        """Those that this stack has, or the one of this name. KeypostError if it has none of that name."""
        there = [each for each in KEPT if each.resource in self.urls]
        chosen = [each for each in there if name in (None, each.name)]
        if not chosen:
            raise KeypostError("no_such_queue", name=name, names=[each.name for each in there])
        return chosen

    def count(self, kept: Kept) -> int:
        """About how many messages are there, with those that somebody has received a minute ago or less."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.urls[kept.resource], AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def received(self, kept: Kept, before: datetime | None = None) -> Iterator[list[Message]]:
        """All messages (of before a moment), some at a time, each of them once. They come back by themselves if nobody
        deletes them. SQS may take a minute to count the first one."""
        seen = set[str]()
        if not self.count(kept):
            return
        while True:
            found = self.sqs.receive_message(
                QueueUrl=self.urls[kept.resource],
                MaxNumberOfMessages=_AT_ONCE,
                VisibilityTimeout=_HIDDEN,
                WaitTimeSeconds=1,  # so that all servers are asked
                MessageSystemAttributeNames=["SentTimestamp", "DeadLetterQueueSourceArn"],
            ).get("Messages", [])
            messages = [each for each in map(_message, found) if before is None or each.sent_at < before]
            fresh = [message for message in messages if message.id not in seen]
            if not fresh:
                return
            seen.update(message.id for message in fresh)
            yield fresh

    def seen(self, kept: Kept) -> list[Message]:
        """All messages, the oldest first. They stay where they are."""
        parts = list(self.received(kept))
        for part in parts:
            entries = [{**_entry(n, each), "VisibilityTimeout": 0} for n, each in enumerate(part)]
            self.sqs.change_message_visibility_batch(QueueUrl=self.urls[kept.resource], Entries=entries)
        return sorted((message for part in parts for message in part), key=lambda each: each.sent_at)

    def delete(self, kept: Kept, messages: Sequence[Message]) -> None:
        """Delete as many messages as one request holds."""
        if messages:
            entries = [_entry(n, each) for n, each in enumerate(messages)]
            self.sqs.delete_message_batch(QueueUrl=self.urls[kept.resource], Entries=entries)

    def hand_back(self, kept: Kept, messages: Sequence[Message]) -> None:
        """Put messages back to where they failed, and then delete them here: one whose deletion fails is handled twice,
        which does no harm, and none is lost."""
        for message in messages:
            self.sqs.send_message(QueueUrl=self._source(kept, message), MessageBody=message.body)
            self.delete(kept, [message])

    def _source(self, kept: Kept, message: Message) -> str:
        sources = [url for url in self.urls.values() if url.rpartition("/")[2] == message.source]
        return sources[0] if sources else self.urls[kept.goes_to]


def _entry(number: int, message: Message) -> dict[str, Any]:
    return {"Id": str(number), "ReceiptHandle": message.receipt}


def _message(received: Mapping[str, Any]) -> Message:
    about = received["Attributes"]
    return Message(
        received["MessageId"],
        received["ReceiptHandle"],
        received["Body"],
        datetime.fromtimestamp(int(about["SentTimestamp"]) / 1000, UTC),
        about.get("DeadLetterQueueSourceArn", "").rpartition(":")[2],
    )


def meaning(kept: Kept, body: str, stack: str) -> Said:
    """What a message is about. Without a word of what a customer wrote, or of an address."""
    match kept.name:
        case "orders":
            return _meaning_of_poke(body)
        case "mail-events":
            return _meaning_of_event(_read(body))
        case "events":
            return _meaning_of_event_out(_read(body))
        case "untold-changes":
            return said("dead_changes", count=_read(body).get("DDBStreamBatchInfo", {}).get("batchSize"))
    return _meaning_of_run(_read(body), stack)


def _meaning_of_poke(body: str) -> Said:
    if body.startswith(BATCH):
        return said("dead_batch")
    if body.startswith(CODES_CAME):
        return said("dead_codes", sku=body.removeprefix(CODES_CAME))
    if body.startswith(FORGET):
        return said("dead_erasure")
    return said("dead_wish") if _WISH.fullmatch(body) else said("dead_order", order=body)


def _meaning_of_event(event: Mapping[str, Any]) -> Said:
    report = read(event)
    kind = str(event.get("detail-type", "?"))
    return said("dead_event", kind=kind, order=report.order_id if report else None)


def _meaning_of_event_out(event: Mapping[str, Any]) -> Said:
    return said("dead_event_out", kind=str(event.get("type", "?")), order=event.get("data", {}).get("order_id"))


def _meaning_of_run(run: Mapping[str, Any], stack: str) -> Said:
    """Lambda names the function by its ARN, to which CloudFormation adds the stack and a suffix."""
    arn = str(run.get("requestContext", {}).get("functionArn", ""))
    named = re.search(r":function:([^:]+)", arn)
    function = named[1].removeprefix(f"{stack}-").rpartition("-")[0] if named else "?"
    return said("dead_run", function=function, error=run.get("responsePayload", {}).get("errorType"))


def _read(body: str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _age(since: timedelta) -> str:
    minutes = int(since.total_seconds()) // 60
    if minutes < 2 * 60:
        return text("age_minutes", count=minutes)
    return text("age_hours", count=minutes // 60) if minutes < 48 * 60 else text("age_days", count=minutes // (24 * 60))


@click.group("dead-letters", cls=Group)
def dead_letters() -> None:
    """What failed for good: orders and requests, events of SES, runs of the schedules, events for the shop."""


@dead_letters.command("list")
@_any_queue
@as_json
@lang
@stack_option
def list_dead(queue: str | None, stack: str | None, *, as_json: bool) -> None:
    """List what failed, in all queues or in QUEUE: orders, mail-events, runs, events or untold-changes.

    Nothing is changed by that.
    """
    at = stacks.found(stack)
    zone, queues = at.connected().zone, Queues.of(at)
    for kept in queues.kept(queue):
        told = [Told(kept.name, each.sent_at, meaning(kept, each.body, at.name)) for each in queues.seen(kept)]
        if as_json:
            for each in told:
                click.echo(_TOLD.dump_json(worded(each, speech().reader())))
        else:
            _show(kept, told, speech().reader(zone=zone), datetime.now(UTC))


def _show(kept: Kept, told: Sequence[Told], to: Any, now: datetime) -> None:
    say("dead_count", queue=kept.name, count=len(told), what=said(kept.keeps))
    rows = [(moment(each.sent_at, to), _age(now - each.sent_at), sentence(each.what, to)) for each in told]
    tables.show([text(name) for name in ("col_since", "col_age", "col_what")], rows)


@dead_letters.command()
@_queue
@lang
@stack_option
def redrive(queue: str, stack: str | None) -> None:
    """Hand back what is in QUEUE to where it failed, once the cause is mended.

    It is safe to repeat and to stop with Ctrl-C: what is handed back twice is done once.
    """
    queues, done = Queues.of(stacks.found_to_write(stack)), 0
    (kept,) = queues.kept(queue)
    if not kept.goes_to:
        say(kept.lost)
        return
    total = queues.count(kept)
    for part in queues.received(kept, datetime.now(UTC)):  # what fails anew meanwhile waits for the next time
        queues.hand_back(kept, part)
        done += len(part)
        say("redrive_goes_on", err=True, done=done, total=max(done, total))
    say("redriven", count=done)
    if rest := queues.count(kept):
        say("redrive_again", count=rest)


@dead_letters.command()
@_queue
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@lang
@stack_option
def purge(queue: str, stack: str | None, *, yes: bool) -> None:
    """Remove what is in QUEUE for good. Says before that what is lost with it, and how that is made up for."""
    queues = Queues.of(stacks.found_to_write(stack))
    (kept,) = queues.kept(queue)
    seen = queues.seen(kept)
    say("dead_count", queue=kept.name, count=len(seen), what=said(kept.keeps))
    if not seen:
        return
    say(kept.lost)
    if not yes:
        click.confirm(text("ask_purge", count=len(seen)), abort=True)
    known = {message.id for message in seen}  # nothing that came after the question
    for part in queues.received(kept):
        queues.delete(kept, [message for message in part if message.id in known])
    say("purged", count=len(seen))
