"""Keeps mails apart, so that SES is not asked for more in a second than it takes."""

import time
from collections.abc import Callable


class Pace:
    """At most one mail per `gap` seconds. The first one leaves at once: a worker that just started sent none."""

    def __init__(
        self,
        gap: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.gap = gap
        self._clock = clock
        self._pause = pause
        self._free_at = clock()

    def wait(self) -> None:
        early = self._free_at - self._clock()
        if early > 0:
            self._pause(early)
        self._free_at = self._clock() + self.gap
