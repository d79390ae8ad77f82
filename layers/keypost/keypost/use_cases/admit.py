"""Finds the agent to whom a support key belongs."""

from datetime import datetime, tzinfo

from botocore.exceptions import BotoCoreError, ClientError

from keypost import telemetry
from keypost.core.keys import Agent, check, key_id
from keypost.core.periods import local_day
from keypost.table.support_keys import SupportKeys


def admit(key: str, keys: SupportKeys, now: datetime, zone: tzinfo) -> Agent:
    """The agent of a key; stores the day on which the key was used. CredentialRefused if the key is not valid now."""
    named = key_id(key)
    kept = keys.support_key(named) if named else None
    agent = check(key, kept, now)
    today = local_day(now, zone)
    if kept and kept.last_used != today:
        try:
            keys.note_support_key_used(kept.id, today)
        except (ClientError, BotoCoreError) as error:
            telemetry.failure(error)  # the key is valid all the same
    return agent
