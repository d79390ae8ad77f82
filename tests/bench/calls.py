"""Which calls of AWS each event makes, with their capacity and reason: calls.golden, and figures for `make bench`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tests.bench.capacity import Call
from tests.bench.events import counted
from tests.bench.figures import Figure
from tests.bench.reasons import reason_of
from tests.bench.shop import Event

GOLDEN = Path(__file__).with_suffix(".golden")

# The figures that have goals, and the events whose calls they add up.
FIGURES = {
    "callback": ("callback, webhook",),
    "callback_stripe": ("callback, stripe",),
    "callback_mollie": ("callback, mollie",),
    "callback_woocommerce": ("callback, woocommerce",),
    "callback_moneybird": ("callback, moneybird",),
    "worker": ("poke of a paid order, one licence",),
    "feedback": ("feedback, delivery",),
    "feedback_bounce": ("feedback, bounce",),
    "resend_support": ("resend, asked by support",),
    "resend_page": ("resend, asked on the customer's page",),
    "resend_granted": ("resend, granted to a customer",),
    "renewal": ("renewal, callback", "renewal, poke: when it runs", "renewal, poke: codes", "renewal, poke: mail"),
    "nothing_due": ("find_due_orders, nothing due",),
    "reconcile_nothing": ("reconcile_payments, nothing new",),
    "note_nothing": ("write_daily_note, nothing to say",),
    "get_due": ("GET /due",),
}


def measure(say: Callable[[str], None]) -> list[Figure]:
    say("plays each event on a shop of its own")
    events = {event.name: event for event in counted()}
    found = {name: [call for each in summed for call in events[each].calls] for name, summed in FIGURES.items()}
    over_floor = Figure("calls/renewal_over_floor", len(found["renewal"]) - floor(found["renewal"]), "count")
    return [*(Figure(f"calls/{name}", len(calls), "count") for name, calls in found.items()), over_floor]


def floor(calls: Iterable[Call]) -> int:
    """How many of these calls the promises need."""
    return sum(reason_of(call).is_needed for call in calls)


def golden(events: Iterable[Event]) -> str:
    """All events as text, one line for all calls that are alike."""
    return "\n\n".join("\n".join(_of_event(event)) for event in events) + "\n"


def _of_event(event: Event) -> Iterator[str]:
    yield event.name
    for call, times in Counter(map(_line, event.calls)).items():
        yield f"  {times:>3} {call}"
    yield f"  {len(event.calls):>3} calls, {floor(event.calls)} needed: {_total(event)}"


def _line(call: Call) -> str:
    units = [f"{call.writes:g} WRU"] if call.writes else []
    units += [f"{count} {index}" for index, count in call.index_writes.items()]
    units += [f"{call.reads:g} RRU {call.read}"] if call.reads else []
    units += ["refused"] if call.is_refused else []
    reason = reason_of(call)
    return f"{call.name:<44} {', '.join(units):<38} {'' if reason.is_needed else 'not needed: '}{reason.why}"


def _total(event: Event) -> str:
    calls = event.calls
    writes, reads = sum(call.writes for call in calls), sum(call.reads for call in calls)
    indexed = sum(sum(call.index_writes.values()) for call in calls)
    requests = _requests(calls) + 2 * event.deliveries
    return f"{writes:g} + {indexed:g} WRU, {reads:g} RRU, {requests} SQS, {event.log_bytes} bytes of log"


def _requests(calls: Sequence[Call]) -> int:
    return sum(call.requests for call in calls)


if __name__ == "__main__":
    GOLDEN.write_text(golden(counted()), "utf-8")
