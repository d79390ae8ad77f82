"""How counted events become what a licence uses."""

from tests.bench.capacity import Call
from tests.bench.costs import BUSY, QUIET, TRACED, prices
from tests.bench.dollars import idle, used_by
from tests.bench.shop import Event

POKE = Call("sqs", "SendMessage", requests=1)
SAVE = Call("dynamodb", "PutItem", "ORDER", writes=1, index_writes={"due": 1, "customer": 1})
LOAD = Call("dynamodb", "GetItem", "ORDER", read="consistent", reads=1)
MAIL = Call("sesv2", "SendEmail")
EVENTS = {
    event.name: event
    for event in (
        Event("callback, webhook", (SAVE, POKE), 300),
        Event("poke of a paid order, one licence", (LOAD, MAIL, SAVE), 500, 1),
        Event("feedback, send and delivery together", (LOAD, SAVE), 200, 1),
        Event("find_due_orders, nothing due", (LOAD,) * 10, 1000),
        Event("reconcile_payments, nothing new", (), 0),
        Event("write_daily_note, nothing to say", (), 0),
    )
}


def test_a_licence_uses_what_callback_poke_and_both_events_of_its_mail_use() -> None:
    used = used_by(EVENTS, QUIET)

    assert (used.rest_api, used.lambda_requests, used.sqs_requests) == (1, 3, 3 + 4)
    assert (used.write_units, used.read_units, used.log_bytes) == (9, 2, 1000)
    assert used.traces == TRACED


def test_full_batches_save_requests_and_invocations_and_nothing_else() -> None:
    quiet, busy = used_by(EVENTS, QUIET), used_by(EVENTS, BUSY)

    assert round(busy.lambda_requests, 2) == 1.53
    assert round(busy.sqs_requests, 2) == 4.07
    assert (busy.write_units, busy.read_units, busy.gb_seconds) == (
        quiet.write_units, quiet.read_units, quiet.gb_seconds,
    )  # fmt: skip


def test_a_stack_that_sells_nothing_pays_for_alarms_metrics_queues_schedules_and_its_secret() -> None:
    paid = idle(EVENTS, prices())

    assert paid.keys() == {"alarms", "metrics", "queues", "schedules", "secret"}
    assert paid["alarms"] > 3
    assert paid["queues"] > 0.7  # three queues at least
    assert 0 < paid["schedules"] < 0.1
