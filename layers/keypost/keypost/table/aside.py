"""What is kept beside an order that cannot be written now. The order's own item is not touched."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import cattrs

from keypost.core.aside import Aside, Erasure, next_try
from keypost.core.aside_reasons import AsideReason
from keypost.core.errors import Conflict, NewerVersion, SetAside, Unmet
from keypost.core.frozen import dataclass
from keypost.core.mail import MailReport
from keypost.core.order import Order
from keypost.core.payment import Fact, OrderCanceled, PaymentNotice, SubscriptionEnded
from keypost.table.converting import converter
from keypost.table.items import Table, due_keys, moment_text, to_wire
from keypost.table.orders import order_of

_KINDS: Mapping[str, type[Fact | MailReport]] = MappingProxyType(
    {
        "payment": PaymentNotice,
        "canceled": OrderCanceled,
        "subscription_ended": SubscriptionEnded,
        "mail": MailReport,
    }
)
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Opened:
    """An order before its step, with what is kept beside it."""

    order_id: str
    order: Order | None
    fault: SetAside | None  # why it cannot be read
    aside: Aside | None


class Asides(Table):
    def open_order(self, order_id: str) -> Opened:
        found = {item["pk"]: item for item in self._batch_get([f"ORDER#{order_id}", f"ASIDE#{order_id}"])}
        order, fault, item = None, None, found.get(f"ORDER#{order_id}")
        try:
            order = order_of(item) if item else None
        except SetAside as error:
            fault = error
        kept = found.get(f"ASIDE#{order_id}")
        aside = _aside(kept) if kept else None
        if aside and aside.is_newer:
            fault = fault or NewerVersion(order_id, "told")
        return Opened(order_id, order, fault, aside)

    def asides(self, order_ids: Sequence[str]) -> list[Aside]:
        """What is kept beside these orders, in any order."""
        return [_aside(item) for item in self._batch_get([f"ASIDE#{order_id}" for order_id in order_ids])]

    def keep_told(self, order_id: str, reason: AsideReason, told: Iterable[Fact | MailReport], now: datetime) -> None:
        """Keep what is told of an order that cannot be written, until it can be; twice is once."""
        texts = [json.dumps({"kind": _NAMES[type(each)], **converter.unstructure(each)}) for each in told]
        self._keep(order_id, reason, {f"told_{sha256(text.encode()).hexdigest()[:16]}": text for text in texts}, now)

    def keep_erasure(self, order_id: str, reason: AsideReason, erasure: Erasure, now: datetime) -> None:
        """Keep the wish that a customer is erased from an order that cannot be written."""
        self._keep(order_id, reason, {"erasure": json.dumps(converter.unstructure(erasure))}, now)

    def _keep(self, order_id: str, reason: AsideReason, texts: Mapping[str, str], now: datetime) -> None:
        values = {
            ":zero": 0,
            ":one": 1,
            ":reason": reason,
            ":now": moment_text(now),
            **_clock(order_id, next_try(now, now)),
            **{f":{n}": text for n, text in enumerate(texts.values())},
        }
        kept = ", ".join(f"#{n} = :{n}" for n in range(len(texts)))
        self._write(
            "update_item",
            Key=_key(order_id),
            UpdateExpression="SET version = if_not_exists(version, :zero) + :one,"
            " attention = if_not_exists(attention, :reason), attention_since = if_not_exists(attention_since, :now),"
            f" due_shard = :shard, due_at = if_not_exists(due_at, :due), {kept}",
            ExpressionAttributeNames={f"#{n}": name for n, name in enumerate(texts)},
            ExpressionAttributeValues=to_wire(values),
        )

    def save_aside(self, aside: Aside, now: datetime) -> Aside:
        """Store why an order is set aside and how often it was started; what was told stays as it is. Conflict when
        something else was kept there since it was read."""
        saved = replace(aside, version=aside.version + 1)
        values: dict[str, Any] = {":version": saved.version, ":loaded": aside.version, ":starts": aside.starts}
        update = "SET version = :version, starts = :starts"
        if aside.reason and aside.since:
            update += ", attention = :reason, attention_since = :since, why = :why, due_shard = :shard, due_at = :due"
            values |= {":reason": aside.reason, ":since": moment_text(aside.since), ":why": aside.why}
            values |= _clock(aside.order_id, next_try(aside.since, now))
        condition = "version = :loaded" if aside.version else "attribute_not_exists(pk) AND :loaded = :loaded"
        if not self._update_if(_key(aside.order_id), update, condition, values):
            raise Conflict("order_busy", order=aside.order_id)
        return saved

    def end_aside(self, aside: Aside) -> bool:
        """Remove what was kept beside an order, as all of it is in the order now. False when more was kept since."""
        try:
            self._write(
                "delete_item",
                Key=_key(aside.order_id),
                ConditionExpression="version = :loaded",
                ExpressionAttributeValues={":loaded": {"N": str(aside.version)}},
            )
        except Unmet:
            return False
        return True


def _key(order_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"ASIDE#{order_id}"}}


def _clock(order_id: str, moment: datetime) -> dict[str, str]:
    keys = due_keys(order_id, moment)
    return {":shard": keys["due_shard"], ":due": keys["due_at"]}


# Why a part of it cannot be read.
_UNFIT = (ValueError, TypeError, KeyError, AttributeError, cattrs.BaseValidationError)


def _aside(item: Mapping[str, Any]) -> Aside:
    """What cannot be read of it takes the worklist from nobody: it stays where it is, for a newer version."""
    order_id, version = item["pk"].removeprefix("ASIDE#"), item.get("version", 0)
    try:
        return _read(item, order_id)
    except _UNFIT:
        return Aside(order_id, int(version) if isinstance(version, Decimal) else 0, is_newer=True)


def _read(item: Mapping[str, Any], order_id: str) -> Aside:
    since, reason = item.get("attention_since"), item.get("attention")
    is_newer = reason not in (None, *AsideReason)
    texts = [text for name, text in sorted(item.items()) if name.startswith("told_")]
    told = tuple(found for text in texts if (found := _told(text)))
    return Aside(
        order_id=order_id,
        version=int(item["version"]),
        reason=AsideReason(reason) if reason and not is_newer else None,
        since=datetime.fromisoformat(since) if since else None,
        why=item.get("why", ""),
        starts=int(item.get("starts", 0)),
        told=told,
        is_newer=is_newer or len(told) < len(texts),
        erasure=converter.structure(json.loads(item["erasure"]), Erasure) if "erasure" in item else None,
    )


def _told(text: str) -> Fact | MailReport | None:
    """None when only a newer version of Keypost understands all of it."""
    try:
        told = json.loads(text)
        found: Fact | MailReport = converter.structure(told, _KINDS[told.pop("kind")])
    except _UNFIT:
        return None
    return found if told.keys() <= {field.name for field in fields(found)} else None
