"""Stores what a customer asks for on the page. The function behind the queue finds out whether we know the address, so
that every address gets the same answer after the same work."""

from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from keypost import telemetry
from keypost.clients.queue import Queue
from keypost.core.errors import QueueUnavailable
from keypost.core.wish import Ask
from keypost.inputs.addresses import email_address
from keypost.table.wishes import Wishes

_TRIES_PER_HOUR = 10  # per hour, from one network
_LONGEST = 254  # characters of an address, by RFC 5321


def take_wish(kept: Wishes, queue: Queue, ask: Ask, text: str, source: str, now: datetime) -> str:
    """Store the request and put it into the queue, unless the text is no address, or too many requests come from that
    network. Returns `asked` or `told`, or the reason why not, each a name that the page has words for. A text that is
    no address does not count as a try."""
    if not text:
        return "empty"
    if len(text) > _LONGEST:
        return "too long"
    try:
        email = email_address(text)
    except ValueError:
        return "no address"
    return _store(kept, queue, ask, email, source, now)


def _store(kept: Wishes, queue: Queue, ask: Ask, email: str, source: str, now: datetime) -> str:
    try:
        if not kept.count_try(source, _TRIES_PER_HOUR, now):
            telemetry.outcome("WishTooOften")
            return "too often"
        queue.poke(kept.put_wish(email, now, ask, source))
    except (ClientError, BotoCoreError, QueueUnavailable) as error:
        telemetry.failure(error)
        telemetry.outcome("WishNotTaken")
        return "not now"
    telemetry.outcome("WishTaken")
    return "asked" if ask is Ask.RESEND else "told"
