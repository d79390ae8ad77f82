"""A callback of a payment provider: verify it, read it, write down its facts, poke their orders."""

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
from keypost.providers import PROVIDERS, Provider
from keypost.providers.call import Call
from keypost.table import Store
from keypost.use_cases.take_fact import record

# The provider's own faults, and then those of ours and of AWS, after which it is to call again.
NOT_WRITTEN_DOWN = (
    SignatureRefused,
    InvalidInput,
    ClientError,
    BotoCoreError,
    Conflict,
    QueueUnavailable,
    ProviderUnavailable,
    ProviderRefused,
)


def take_callback(name: str, call: Call, secrets: Secrets, store: Store, queue: Queue, currency: str) -> None:
    """The errors of `Provider.verify` and `Provider.read`, and what table, queue and secrets raise when they do not
    answer. What was written down until then stays; the provider calls again."""
    provider = PROVIDERS[name]
    _verify(provider, call, secrets)
    facts = provider.read(call)
    if not facts:
        telemetry.outcome("CallbackIgnored", provider=name)
    for fact in facts:
        order_id, _ = record(store, fact, call.now, currency)
        if order_id:  # also for what is not news: the poke of the first call may be the one that was lost
            queue.poke(order_id)


def _verify(provider: Provider, call: Call, secrets: Secrets) -> None:
    """With the secret that is kept; when that does not fit, once more with the secret as it is now."""
    kept = secrets.read(provider.secret)
    try:
        provider.verify(call, kept)
    except SignatureRefused:
        fresh = secrets.read_again(provider.secret)
        if fresh == kept:
            raise
        provider.verify(call, fresh)
