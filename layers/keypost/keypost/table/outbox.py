"""The outbox of events, which is the table itself: its stream holds each change of an order for a day, and the entries
of the timeline that came with it are the events. What happens to no order is put into the table as an item of its
own."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from keypost.core.errors import Unmet
from keypost.core.events import Event, MailOf, events_of
from keypost.core.order import TimelineEntry
from keypost.table.converting import converter
from keypost.table.items import Table, from_wire, to_wire
from keypost.table.repeats import with_repeats

_EVENT, _ORDER = "EVENT#", "ORDER#"
_KEPT = timedelta(days=3)  # longer than a stream holds a change

Item = Mapping[str, Any]


class Outbox(Table):
    def put_event(self, event: Event, now: datetime) -> None:
        """Have an event leave, also if it has left before."""
        self._write("put_item", Item=_item(event, now))

    def put_first(self, event: Event, now: datetime) -> None:
        """Have an event leave, unless one of its id was put in these days: an id says one thing only."""
        with suppress(Unmet):
            self._write("put_item", Item=_item(event, now), ConditionExpression="attribute_not_exists(pk)")


def _item(event: Event, now: datetime) -> dict[str, Any]:
    return to_wire(
        converter.unstructure(event, Event)
        | {
            "pk": f"{_EVENT}{event.id}",
            "put_at": now.isoformat(),  # a change that changes nothing is not in the stream
            "expires": int((now + _KEPT).timestamp()),
        }
    )


def events_in(record: Mapping[str, Any]) -> tuple[Event, ...]:
    """The events in a record of the table's stream, as Lambda delivers it. An order need not be readable as a whole:
    only what events are about is looked at."""
    images = record["dynamodb"]
    new, old = (from_wire(images.get(name, {})) for name in ("NewImage", "OldImage"))
    key = str(new.get("pk", ""))
    if key.startswith(_EVENT):
        return (converter.structure(new, Event),)
    moved = int(new.get("moved", 0))
    known = max(int(old.get("moved", 0)) + len(old.get("timeline", ())), moved)
    came = new.get("timeline", ())[known - moved :]
    if not key.startswith(_ORDER) or not came:
        return ()
    whole = with_repeats(new)
    entries = converter.structure(whole["timeline"][-len(came) :], tuple[TimelineEntry, ...])
    left = frozenset(mail["id"] for mail in old.get("mails", ()) if "sent_at" in mail)
    return tuple(events_of(key.removeprefix(_ORDER), entries, known + 1, _mails(whole), left))


def _mails(order: Item) -> dict[str, MailOf]:
    return {mail["id"]: _mail(mail, order.get("licenses", ())) for mail in order.get("mails", ())}


def _mail(mail: Item, licenses: Any) -> MailOf:
    """A mail that names no lines or no licenses is about all of them."""
    lines, named = mail.get("lines", ()), mail.get("licenses", ())
    about = [one for one in licenses if (not lines or one["line"] in lines) and (not named or one["id"] in named)]
    skus = tuple(dict.fromkeys(one["sku"] for one in about))
    return MailOf(mail["id"], mail["purpose"], skus, tuple(one["id"] for one in about))
