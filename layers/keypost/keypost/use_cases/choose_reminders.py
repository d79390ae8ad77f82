"""A customer stops reminders by the link in one, or has them again."""

from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from keypost import telemetry
from keypost.core.errors import Conflict
from keypost.core.support import CUSTOMER
from keypost.table import Store


def choose_reminders(store: Store, link: str, wanted: str | None, now: datetime) -> str:
    """Do what is `wanted`, which is `stop`, `again` or nothing; returns what is so then: `stopped`, `again`, or `ask`
    if reminders are sent. Or why nothing was done: the link is `unknown`, or it is `not now` possible."""
    try:
        whose = store.whose_link(link)
        return _chosen(store, whose, wanted, now) if whose else "unknown"
    except (ClientError, BotoCoreError, Conflict) as error:
        telemetry.failure(error)
        return "not now"


def _chosen(store: Store, whose: str, wanted: str | None, now: datetime) -> str:
    match wanted:
        case "stop":
            store.stop_reminders_of(whose, now, CUSTOMER)
            return "stopped"
        case "again":
            store.resume_reminders_of(whose, now)
            return "again"
    return "stopped" if store.unreminded_of(whose) else "ask"
