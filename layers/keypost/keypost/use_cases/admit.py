"""Whom a support key belongs to."""

from datetime import datetime, tzinfo

from botocore.exceptions import BotoCoreError, ClientError

from keypost import telemetry
from keypost.core.keys import Agent, check, key_id
from keypost.core.periods import local_day
from keypost.table import Store


def admit(key: str, store: Store, now: datetime, zone: tzinfo) -> Agent:
    """The agent of a key; the day of its use is noted. CredentialRefused unless the key is good now."""
    named = key_id(key)
    kept = store.support_key(named) if named else None
    agent = check(key, kept, now)
    today = local_day(now, zone)
    if kept and kept.last_used != today:
        try:
            store.note_support_key_used(kept.id, today)
        except (ClientError, BotoCoreError) as error:
            telemetry.failure(error)  # nobody is turned away for that
    return agent
