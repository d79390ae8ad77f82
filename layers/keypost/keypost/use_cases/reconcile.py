"""Payments that no callback reported: ask a provider for its recent payments, and store what is news."""

from datetime import timedelta

from keypost import telemetry
from keypost.clients.queue import Queue
from keypost.core.errors import ProviderRefused
from keypost.core.payment import News, PaymentNotice
from keypost.core.repeat import BOOKS
from keypost.core.shop import Intake
from keypost.providers import recent
from keypost.providers.call import Call
from keypost.table import Store
from keypost.use_cases.take_fact import record

# As far back, from the last run that succeeded, as the provider itself retries its calls (WooCommerce does not, but may
# make them a day late). So a list that lagged in that run is read again, however long no other one succeeds.
WINDOWS = {
    "mollie": timedelta(hours=26),
    "stripe": timedelta(days=3),
    "woocommerce": timedelta(hours=26),
    "moneybird": timedelta(days=3),
}


def reconcile(api: str, call: Call, store: Store, queue: Queue, intake: Intake) -> None:
    """Store what is news and poke its orders. After any error, the next run goes as far back as this one. No run asks
    for what was paid before the start."""
    since = store.reconciled(api, call.now) - WINDOWS[api]
    for fact in recent(api, call, max(since, intake.start or since)):
        if _is_of_unknown(store, fact):
            continue
        order_id, is_news = record(store, fact, call.now, intake, was_asked=True)
        if order_id and is_news:
            telemetry.outcome("PaymentRecovered", order_id=order_id, provider=api)
            queue.poke(order_id)
    store.put_reconciled(api, call.now)


def _is_of_unknown(store: Store, fact: News) -> bool:
    """Whether a list shows that a payment is gone which nobody has heard of: most of these invoices were never paid."""
    if not isinstance(fact, PaymentNotice) or fact.provider != BOOKS or fact.state is not None:
        return False
    return not store.orders_of_payment(fact.names)


def not_reconciled(api: str, error: Exception) -> None:
    """Count and log that a provider could not be asked."""
    telemetry.failure(error, provider=api)
    telemetry.outcome("ReconcileFailed", provider=api)
    if isinstance(error, ProviderRefused):
        telemetry.outcome("ProviderRefusedUs", provider=api)
