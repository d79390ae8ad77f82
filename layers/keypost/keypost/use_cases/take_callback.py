"""A callback of a payment provider: verify it, read it, store its facts, poke their orders."""

from botocore.exceptions import BotoCoreError, ClientError

from keypost import telemetry
from keypost.clients.queue import Queue
from keypost.clients.secrets import Secrets
from keypost.core.errors import (
    Conflict,
    InvalidInput,
    ProviderRefused,
    ProviderUnavailable,
    QueueUnavailable,
    SignatureRefused,
)
from keypost.core.shop import Intake
from keypost.providers import PROVIDERS, Provider
from keypost.providers.call import Call
from keypost.table import Store
from keypost.use_cases.take_fact import record

# The faults of the callback, and then those of Keypost, AWS and a provider's API, after which the provider calls again.
NOT_STORED = (
    SignatureRefused,
    InvalidInput,
    ClientError,
    BotoCoreError,
    Conflict,
    QueueUnavailable,
    ProviderUnavailable,
    ProviderRefused,
)


def take_callback(name: str, call: Call, secrets: Secrets, store: Store, queue: Queue, intake: Intake) -> None:
    """One of the errors of NOT_STORED if the callback is refused, or if something that Keypost needs does not answer.
    The facts that were stored before the error stay; a repeated callback stores the rest."""
    provider = PROVIDERS[name]
    _verify(provider, call, secrets)
    with telemetry.optional():
        store.hear(name, call.now)
    facts = provider.read(call)
    if not facts:
        telemetry.outcome("CallbackIgnored", provider=name)
    for fact in facts:
        order_id, _ = record(store, fact, call.now, intake)
        if order_id:  # also if this is no news, because the poke of the first call may have been lost
            queue.poke(order_id)


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
