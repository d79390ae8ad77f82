"""Writes down what a customer asks for on the page. Whether we know the address is found out behind the queue, so that
every address gets the same answer after the same work."""

from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from keypost import telemetry
from keypost.clients.queue import Queue
from keypost.core.errors import QueueUnavailable
from keypost.inputs.addresses import email_address
from keypost.table import Store

_TRIES_PER_HOUR = 10  # from one network
_LONGEST = 254  # characters of an address, by RFC 5321


def take_wish(store: Store, wishes: Queue, text: str, source: str, now: datetime) -> str:
    """What became of the text that was typed: `asked`, or why not, by the names that the page has words for. What is
    plainly no address is not counted as a try."""
    if not text:
        return "empty"
    if len(text) > _LONGEST:
        return "too long"
    try:
        email = email_address(text)
    except ValueError:
        return "no address"
    return _write_down(store, wishes, email, source, now)


def _write_down(store: Store, wishes: Queue, email: str, source: str, now: datetime) -> str:
    try:
        if not store.count_try(source, _TRIES_PER_HOUR, now):
            telemetry.outcome("WishTooOften")
            return "too often"
        wishes.poke(store.put_wish(email, now))
    except (ClientError, BotoCoreError, QueueUnavailable) as error:
        telemetry.failure(error)
        telemetry.outcome("WishNotTaken")
        return "not now"
    telemetry.outcome("WishTaken")
    return "asked"
