"""Pokes many orders as the mails leave, so that a customer who buys meanwhile does not wait behind them."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from keypost.clients.queue import LONGEST_DELAY, Queue

_FEW = 100  # they are through the queue in seconds
_SHARE = 0.95  # of the pace of the mails: the rest is for those who buy meanwhile


def let_out(queue: Queue, names: Sequence[str], mails_per_second: Callable[[], float]) -> timedelta:
    """Poke many orders that will be mailed as the mails leave, as many as can until the next run of the schedules; a
    few at once. Returns after what time the last of them is poked."""
    if len(names) <= _FEW:
        queue.poke_all(names)
        return timedelta()
    per_second = _SHARE * mails_per_second()
    now = names[: int(per_second * LONGEST_DELAY.seconds)]
    queue.poke_in_turn(now, per_second)
    return timedelta(seconds=len(now) / per_second)
