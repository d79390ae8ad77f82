"""What no callback told: a provider is asked for its recent payments, and what is news is written down."""

from datetime import timedelta

from keypost import telemetry
from keypost.clients.queue import Queue
from keypost.core.errors import ProviderRefused
from keypost.providers import recent
from keypost.providers.call import Call
from keypost.table import Store
from keypost.use_cases.take_fact import record

# As far back as the provider itself tries to call; further after a longer time without a run that succeeded.
WINDOWS = {"mollie": timedelta(hours=26), "stripe": timedelta(days=3)}


def reconcile(api: str, call: Call, store: Store, queue: Queue, currency: str) -> None:
    """Whatever goes wrong is raised; then the next run goes as far back as this one."""
    begun, until = store.reconciled(api, call.now)
    for fact in recent(api, call, max(begun, min(until, call.now - WINDOWS[api]))):
        order_id, is_news = record(store, fact, call.now, currency)
        if order_id and is_news:
            telemetry.outcome("PaymentRecovered", order_id=order_id, provider=api)
            queue.poke(order_id)
    store.put_reconciled(api, call.now)


def not_reconciled(api: str, error: Exception) -> None:
    """Count and log that a provider was asked in vain."""
    telemetry.failure(error, provider=api)
    telemetry.outcome("ReconcileFailed", provider=api)
    if isinstance(error, ProviderRefused):
        telemetry.outcome("ProviderRefusedUs", provider=api)
