"""A callback of a payment provider: verify it, read it, store its facts, poke their orders."""

from collections.abc import Sequence
from contextlib import nullcontext

from botocore.exceptions import BotoCoreError, ClientError

from keypost import telemetry
from keypost.clients.queue import Queue
from keypost.clients.secrets import Secrets
from keypost.core.errors import (
    Conflict,
    InvalidInput,
    KeypostError,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnreadable,
    QueueUnavailable,
    SignatureRefused,
)
from keypost.core.payment import News, Remark
from keypost.core.progress import Progress, progress
from keypost.core.said import Said, said
from keypost.core.shop import Intake
from keypost.providers import PROVIDERS, Provider
from keypost.providers.call import Call
from keypost.table import Store
from keypost.use_cases.take_fact import record, remember

# Faults of AWS and of a provider's API, which pass: the provider calls again, and then it is stored.
_PASSING = (ClientError, BotoCoreError, Conflict, QueueUnavailable, ProviderUnavailable, ProviderRefused)


def take_callback(
    name: str, call: Call, secrets: Secrets, store: Store, queue: Queue, intake: Intake
) -> tuple[str, ...]:
    """Store what a callback says; returns the ids of its orders. SignatureRefused or InvalidInput if the callback is at
    fault; any other error says that something was not stored. The facts that were stored before the error stay; a
    repeated callback stores the rest. What is wrong with a genuine callback stands in the inbox, too."""
    provider = PROVIDERS[name]
    _verify(provider, call, secrets)
    if not provider.is_trial(call):
        with telemetry.optional():
            store.hear(name, call.now)
    try:
        return _stored(name, provider.read(call), call, store, queue, intake)
    except InvalidInput as error:
        remember(store, Remark(provider.name, call.now, error.said, error.order_id))  # else nothing remembers it
        raise
    except Exception as error:
        if why := _lasting(error):
            with telemetry.optional():
                remember(store, Remark(provider.name, call.now, why))
        raise


def progress_of(store: Store, order_id: str) -> Progress:
    """How far an order is, as it is stored now."""
    opened = store.open_order(order_id)
    return Progress.SET_ASIDE if opened.aside or opened.order is None else progress(opened.order)


def _stored(name: str, news: Sequence[News], call: Call, store: Store, queue: Queue, intake: Intake) -> tuple[str, ...]:
    """Facts go first."""
    if not news:
        telemetry.outcome("CallbackIgnored", provider=name)
    facts = [each for each in news if not isinstance(each, Remark)]
    orders = []
    for fact in facts:
        order_id, _ = record(store, fact, call.now, intake)
        if order_id:  # also if this is no news, because the poke of the first call may have been lost
            queue.poke(order_id)
            orders.append(order_id)
    _remember_remarks(store, news, is_all=not facts)
    return tuple(orders)


def _remember_remarks(store: Store, news: Sequence[News], *, is_all: bool) -> None:
    """A remark beside a fact must not make the callback fail; one that is all that it says must not be lost."""
    for remark in news:
        if isinstance(remark, Remark):
            with nullcontext() if is_all else telemetry.optional():
                remember(store, remark)


def _lasting(error: Exception) -> Said | None:
    """What to say of an error that a repeated call would only find again; None for one that passes."""
    if isinstance(error, _PASSING) and not isinstance(error, ProviderUnreadable):
        return None
    return error.said if isinstance(error, KeypostError) else said("callback_failed", error=telemetry.place(error))


def _verify(provider: Provider, call: Call, secrets: Secrets) -> None:
    """Verify with the cached secret; if it does not match, once more with the secret as it is now."""
    kept = secrets.read(provider.secret)
    try:
        provider.verify(call, kept)
    except SignatureRefused:
        fresh = secrets.read_again(provider.secret)
        if fresh == kept:
            raise
        provider.verify(call, fresh)
