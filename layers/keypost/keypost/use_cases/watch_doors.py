"""Finds the doors at which nobody has called for longer than ever: for the alarm, each hour, and for the daily note."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from keypost.core.doors import Door, is_silent
from keypost.providers import PROVIDERS
from keypost.table import Store


def silent_doors(store: Store, now: datetime, quiet: Mapping[str, timedelta]) -> tuple[Door, ...]:
    """By name. `quiet` says for how long a provider may be silent, where that is not its longest gap."""
    silent = (door for door in store.doors(PROVIDERS) if is_silent(door, now, quiet.get(door.provider)))
    return tuple(sorted(silent, key=lambda door: door.provider))
