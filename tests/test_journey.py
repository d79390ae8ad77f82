"""The whole template, deployed unmodified: a callback arrives over HTTP, and a mail is sent."""

import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

import advance_orders
from cli.local.fake_shops import ADMINISTRATION
from cli.local.mailbox import SesFault
from cli.local.stack import LocalStack, sample_codes
from cli.stock import import_file, read_file
from keypost import wiring
from keypost.core.errors import KeypostError
from keypost.core.mail import Asked, MailState, Purpose
from keypost.core.order import Order, Reason, Reminder
from keypost.use_cases.help_customer import Desk
from tests.builders import Context, event
from tests.deployed import ESET, KASPERSKY, PRODUCTS, empty, free_codes, is_mailed, mails_to, paid_session, run

pytestmark = pytest.mark.journey


@pytest.fixture
def stocked(local: LocalStack) -> Callable[[str, int], list[str]]:
    """Adds this number of new codes of a product to the stock."""

    def add(sku: str, count: int) -> list[str]:
        codes = sample_codes(PRODUCTS[sku], count)
        list(local.stack.store.add_codes(sku, codes, None, None))
        return codes

    return add


def is_told_of_refund(order: Order) -> bool:
    return (order.mails[-1].purpose, order.mails[-1].state) == (Purpose.REFUNDED, MailState.SENT)


def test_a_payment_at_stripe_becomes_a_dutch_mail_with_link_code_and_steps(
    local: LocalStack, stocked: Callable[[str, int], list[str]]
) -> None:
    stocked(KASPERSKY, 3)
    before = free_codes(local, PRODUCTS[KASPERSKY])

    assert local.stripe_calls(paid_session("journey-stripe")) == (200, "")

    order = local.order_when("journey-stripe", is_mailed)
    (license_,) = order.licenses
    (mail,) = mails_to(local, "journey-stripe")
    assert mail.to == ("journey-stripe@klant.example",)
    assert mail.subject == "Uw activatiecode voor Kaspersky Standard (journey-stripe)"
    for part in (mail.text, mail.html):
        assert license_.code in part
        assert PRODUCTS[KASPERSKY].download_url in part
    for step in PRODUCTS[KASPERSKY].steps[order.lines[0].kind]["nl"]:
        assert step.text in mail.text
    assert license_.code in before - free_codes(local, PRODUCTS[KASPERSKY])


def test_a_signed_callback_of_a_shop_does_the_same_in_the_language_of_the_order(
    local: LocalStack, stocked: Callable[[str, int], list[str]]
) -> None:
    stocked(ESET, 2)
    body = event("webhook/order.paid.json")
    body["data"]["order_id"] = "journey-shop"

    assert local.shop_calls(json.dumps(body).encode(), "msg_1") == (204, "")

    order = local.order_when("journey-shop", is_mailed)
    (mail,) = mails_to(local, "journey-shop")
    assert mail.subject == "Activation codes for ESET HOME Security (journey-shop)"
    assert all(license_.code in mail.text for license_ in order.licenses)
    assert len(order.licenses) == 2


def test_a_payment_at_mollie_becomes_a_mail_and_its_refund_is_known(
    local: LocalStack, stocked: Callable[[str, int], list[str]]
) -> None:
    stocked(KASPERSKY, 1)
    payment = event("mollie/payment.json")
    payment["metadata"] |= {"order_id": "journey-mollie"}
    local.providers.objects[f"/v2/payments/{payment['id']}"] = payment

    assert local.mollie_calls(payment["id"]) == (200, "")

    order = local.order_when("journey-mollie", is_mailed)
    assert order.licenses[0].code in mails_to(local, "journey-mollie")[0].text

    back = {"value": "39.95", "currency": "EUR"}
    refund = {"id": "re_1", "status": "processing", "amount": back, "createdAt": "2026-11-20T10:00:00+00:00"}
    local.providers.objects[f"/v2/payments/{payment['id']}"] = payment | {"_embedded": {"refunds": [refund]}}
    assert local.mollie_calls(payment["id"]) == (200, "")

    order = local.order_when("journey-mollie", is_told_of_refund)
    assert "codes_to_block" in [entry.code for entry in order.timeline]
    assert [order.licenses[0].code in mail.text for mail in mails_to(local, "journey-mollie")] == [True, False]


def test_a_payment_whose_every_callback_was_lost_is_served_by_the_hourly_run(
    local: LocalStack, stocked: Callable[[str, int], list[str]]
) -> None:
    stocked(KASPERSKY, 1)
    run(local, "ReconcilePayments")  # the first run; only what is paid after it counts
    payment = event("mollie/payment.json") | {"id": "tr_journeyLost1", "paidAt": datetime.now(UTC).isoformat()}
    payment["metadata"] |= {"order_id": "journey-lost"}
    local.providers.objects[f"/v2/payments/{payment['id']}"] = payment | {"createdAt": payment["paidAt"]}

    run(local, "ReconcilePayments")

    order = local.order_when("journey-lost", is_mailed)
    assert order.licenses[0].code in mails_to(local, "journey-lost")[0].text


def test_an_order_at_woocommerce_and_an_invoice_at_moneybird_of_which_nobody_called_are_served_by_the_hourly_run(
    local: LocalStack, stocked: Callable[[str, int], list[str]]
) -> None:
    stocked(KASPERSKY, 2)
    run(local, "ReconcilePayments")  # the first run; only what is paid after it counts
    now = datetime.now(UTC)
    order = event("woocommerce/order.updated.json") | {"id": 771237, "number": "771237"}
    order["billing"] |= {"email": "woo@klant.example"}  # of whom no other test knows a purchase
    order |= {"date_paid_gmt": f"{now:%Y-%m-%dT%H:%M:%S}", "date_modified_gmt": f"{now:%Y-%m-%dT%H:%M:%S}"}
    invoice = event("moneybird/sales_invoice_state_changed_to_paid.json")["entity"] | {"invoice_id": "journey-books"}
    invoice |= {"id": "77433546309874484", "updated_at": now.isoformat(), "paid_at": f"{now:%Y-%m-%d}"}
    invoice["contact"] |= {"email": None, "send_invoices_to_email": "books@klant.example"}
    invoice |= {"reference": "PO 771238", "invoice_date": f"{now:%Y-%m-%d}", "payments": []}
    local.providers.objects["/wp-json/wc/v3/orders/771237"] = order
    local.providers.objects[f"/api/v2/{ADMINISTRATION}/sales_invoices/{invoice['id']}"] = invoice

    run(local, "ReconcilePayments")

    for order_id in ("771237", "journey-books"):
        served = local.order_when(order_id, is_mailed)
        assert served.licenses[0].code in mails_to(local, order_id)[0].text


@pytest.mark.parametrize("times", [5, pytest.param(20, marks=pytest.mark.drill)])
def test_the_same_event_many_times_at_once_is_one_code_and_one_mail(
    local: LocalStack, stocked: Callable[[str, int], list[str]], times: int
) -> None:
    stocked(KASPERSKY, 5)
    before = free_codes(local, PRODUCTS[KASPERSKY])
    order_id = f"journey-{times}-times"
    body = paid_session(order_id)

    with ThreadPoolExecutor(times) as pool:
        statuses = [status for status, _ in pool.map(lambda _: local.stripe_calls(body), range(times))]

    assert set(statuses) <= {200, 503}  # 503, so that Stripe tries again
    order = local.order_when(order_id, is_mailed)
    _wait_until_quiet(local)
    assert len(order.licenses) == 1
    assert len(mails_to(local, order_id)) == 1
    assert before - free_codes(local, PRODUCTS[KASPERSKY]) == {order.licenses[0].code}


def test_a_forged_event_is_refused_and_leaves_no_trace(local: LocalStack) -> None:
    headers = {"Stripe-Signature": f"t={int(time.time())},v1={'0' * 64}"}

    status, answer = local.call("/callbacks/stripe", paid_session("journey-forged"), headers)

    assert status == 400
    assert json.loads(answer)["title"] == "Bad Request"
    assert local.stack.store.load("journey-forged") is None


def test_a_customer_asks_on_the_page_and_gets_the_mail_again_and_a_stranger_reads_the_same(
    local: LocalStack, stocked: Callable[[str, int], list[str]]
) -> None:
    stocked(KASPERSKY, 1)
    local.stripe_calls(paid_session("journey-asked"))
    order = local.order_when("journey-asked", is_mailed)
    # The emulator, unlike AWS, reads the caller's address from this header.
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": "192.0.2.77"}

    status, page = local.call("/resend", None, {"Accept-Language": "nl"}, "GET")
    assert status == 200
    assert 'action="?lang=nl"' in page
    stranger = local.call("/resend?lang=nl", b"email=nobody%40klant.example", headers)
    known = local.call("/resend?lang=nl", b"email=Journey-Asked%40klant.example", headers)

    assert known[1].replace("Journey-Asked@", "nobody@") == stranger[1]
    assert known[0] == stranger[0]
    assert known[0] == 202
    assert local.mailbox.wait_for(lambda _: len(mails_to(local, "journey-asked")) == 2, 30)
    again = mails_to(local, "journey-asked")[1]
    assert again.to == ("journey-asked@klant.example",)
    assert order.licenses[0].code in again.text
    assert not any("nobody" in address for mail in local.mailbox.mails for address in mail.to)


def test_the_link_of_a_reminder_opens_and_one_click_stops_reminders(
    local: LocalStack, stocked: Callable[[str, int], list[str]]
) -> None:
    stocked(KASPERSKY, 1)
    local.stripe_calls(paid_session("journey-reminded"))
    order = local.order_when("journey-reminded", is_mailed)
    due = Reminder(datetime.now(UTC), 1, 7)
    local.stack.store.change_existing(order.id, lambda latest: replace(latest, reminders=(due,)))
    local.stack.queue.poke(order.id)
    assert local.mailbox.wait_for(lambda _: len(mails_to(local, order.id)) == 2, 30)

    message = mails_to(local, order.id)[1].message
    link = str(message["List-Unsubscribe"]).strip("<>")
    assert link.startswith(f"{local.api_url}/reminders/")
    path = link.removeprefix(local.api_url)
    asked, page = local.call(path, None, {"Accept-Language": "nl"}, "GET")
    stopped, _ = local.call(path, b"List-Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"})

    assert (asked, stopped) == (200, 200)
    assert 'action="?lang=nl"' in page
    assert local.stack.store.unreminded(order.customer.email or "") is not None
    assert local.call("/reminders/nobody", None, {}, "GET")[0] == 404


def test_who_tries_too_often_is_turned_away(local: LocalStack) -> None:
    headers = {"Content-Type": "application/json", "X-Forwarded-For": "192.0.2.78"}
    body = json.dumps({"email": "nobody@klant.example"}).encode()

    # One more than two hours allow, because the hour may change meanwhile.
    assert {local.call("/resend", body, headers)[0] for _ in range(21)} == {202, 429}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_another_method_than_post_is_told_so(local: LocalStack, method: str) -> None:
    status, answer = local.call("/callbacks/stripe", None, {}, method)

    assert (status, json.loads(answer)["detail"]) == (405, "Callbacks must be sent with POST.")


def test_a_body_that_is_too_large_is_refused(local: LocalStack) -> None:
    assert local.stripe_calls(b" " * (64 * 1024 + 1))[0] == 413


def test_an_order_without_stock_waits_visibly_and_is_served_by_an_import(local: LocalStack) -> None:
    empty(local, ESET)
    local.stripe_calls(paid_session("journey-waits", f"{ESET}|2"))

    order = local.order_when("journey-waits", lambda order: order.waiting is not None)
    assert order.waiting is not None
    assert order.waiting.reason is Reason.STOCK
    assert "journey-waits" in {found for page in local.stack.store.needing(Reason.STOCK) for found in page}
    assert mails_to(local, "journey-waits") == []

    codes = sample_codes(PRODUCTS[ESET], 2)
    file = read_file(local.stack, "\n".join(["code", *codes]).encode(), ESET, "B-1")
    result, faults = import_file(local.stack, file)
    assert (result.added, faults) == (2, [])
    assert result.serves >= 1

    order = local.order_when("journey-waits", is_mailed)
    assert {license_.code for license_ in order.licenses} == set(codes)
    assert order.waiting is None


@pytest.mark.drill  # it waits for the real next try
def test_a_mail_that_ses_refuses_once_arrives_at_the_next_try(
    local: LocalStack, stocked: Callable[[str, int], list[str]]
) -> None:
    stocked(KASPERSKY, 2)
    faults = [SesFault(429, "TooManyRequestsException")]

    def refuse_once() -> None:
        if faults:
            raise faults.pop()

    local.mailbox.before_send = refuse_once
    local.stripe_calls(paid_session("journey-refused"))

    order = local.order_when("journey-refused", is_mailed, seconds=60)
    assert order.mails[0].attempts == 2
    assert len(mails_to(local, "journey-refused")) == 1
    assert len(order.licenses) == 1


def test_a_mail_that_ses_refuses_once_arrives_by_the_schedules_run_half_a_minute_later(
    local: LocalStack, stocked: Callable[[str, int], list[str]], functions_here: None
) -> None:
    stocked(KASPERSKY, 1)
    faults = [SesFault(429, "TooManyRequestsException")]

    def refuse_once() -> None:
        if faults:
            raise faults.pop()

    local.mailbox.before_send = refuse_once
    local.stripe_calls(paid_session("journey-refused-early"))
    refused = local.order_when(
        "journey-refused-early", lambda order: bool(order.mails) and bool(order.mails[0].problem)
    )
    assert refused.mails[0].state is MailState.PENDING
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=31)):
        _work_here("journey-refused-early")

    order = local.order_when("journey-refused-early", is_mailed)
    assert order.mails[0].attempts == 2
    assert len(mails_to(local, "journey-refused-early")) == 1
    assert len(order.licenses) == 1


@pytest.mark.needs("/proc")
def test_a_worker_killed_between_ses_and_its_record_repeats_the_same_code_later(
    local: LocalStack, stocked: Callable[[str, int], list[str]], functions_here: None
) -> None:
    """The process that sends the mail is really killed. The test then runs the worker a quarter of an hour later."""
    stocked(KASPERSKY, 2)
    local.mailbox.after_send = _kill_worker

    local.stripe_calls(paid_session("journey-killed"))
    assert local.mailbox.wait_for(lambda _: len(mails_to(local, "journey-killed")) == 1, 30)
    order = local.order_when("journey-killed", lambda order: bool(order.mails))
    assert order.mails[0].state is MailState.SENDING

    local.mailbox.after_send = lambda: None
    for minutes in (3, 20):  # the lease ends, and then the time of doubt
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
            _work_here("journey-killed")

    first, second = mails_to(local, "journey-killed")
    assert first.text == second.text
    order = local.order_when("journey-killed", is_mailed)
    assert len(order.licenses) == 1


@pytest.mark.needs("/proc")
def test_a_worker_killed_between_ses_and_its_record_sends_nothing_twice_when_ses_tells_that_it_took_it(
    local: LocalStack, stocked: Callable[[str, int], list[str]], functions_here: None
) -> None:
    stocked(KASPERSKY, 1)
    local.mailbox.after_send = _kill_worker
    local.stripe_calls(paid_session("journey-told"))
    assert local.mailbox.wait_for(lambda _: len(mails_to(local, "journey-told")) == 1, 30)
    local.mailbox.after_send = lambda: None

    local.mailbox.tell_fate(mails_to(local, "journey-told")[0], "delivered")
    order = local.order_when("journey-told", is_mailed)
    for minutes in (3, 20):
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
            _work_here("journey-told")

    assert order.mails[0].outcome is not None
    assert len(mails_to(local, "journey-told")) == 1


def test_a_mail_that_bounces_is_shown_and_goes_to_the_corrected_address(
    local: LocalStack, stocked: Callable[[str, int], list[str]]
) -> None:
    stocked(KASPERSKY, 1)
    local.stripe_calls(paid_session("journey-bounces"))
    local.order_when("journey-bounces", is_mailed)
    (mail,) = mails_to(local, "journey-bounces")

    for fate in ("bounced", "delivered", "bounced"):
        local.mailbox.tell_fate(mail, fate)
    order = local.order_when("journey-bounces", lambda order: order.waiting is not None)
    assert "journey-bounces" in {found for page in local.stack.store.needing(Reason.ADDRESS) for found in page}
    assert order.waiting is not None
    assert order.waiting.reason is Reason.ADDRESS

    desk = Desk(local.stack.store, local.stack.queue, local.stack.zone)
    desk.correct_address("journey-bounces", "journey-right@klant.example", Asked(datetime.now(UTC), "anna"))

    order = local.order_when("journey-bounces", lambda order: len(order.mails) == 2 and is_mailed(order))
    assert local.mailbox.wait_for(lambda _: len(mails_to(local, "journey-bounces")) == 2, 30)
    assert mails_to(local, "journey-bounces")[1].to == ("journey-right@klant.example",)
    assert order.waiting is None


@pytest.fixture
def functions_here(local: LocalStack, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The settings of the deployed worker, so that its handler can be called in this process."""
    client = local.session.client("lambda")
    names = [f["FunctionName"] for f in client.list_functions()["Functions"] if "AdvanceOrders" in f["FunctionName"]]
    deployed = client.get_function_configuration(FunctionName=names[0])["Environment"]["Variables"]
    request.getfixturevalue("wired")  # the credentials
    for name, value in deployed.items():
        monkeypatch.setenv(name, value)
    wiring.config.cache_clear()


def _work_here(order_id: str) -> None:
    record = event("queue/poke.json")["Records"][0] | {"body": order_id}
    answer = advance_orders.handler({"Records": [record]}, Context())
    assert answer == {"batchItemFailures": []}


def _kill_worker() -> None:
    """Kill -9 every process of the function that sends mail."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"ministack-lambda-keypost-AdvanceOrders" in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


def _wait_until_quiet(local: LocalStack) -> None:
    """Wait until the queue is empty, so that no poke can change anything more."""
    sqs = local.session.client("sqs")
    deadline = time.monotonic() + 120  # every worker may be a new process, on a machine that does other things too
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    while time.monotonic() < deadline:
        counts = sqs.get_queue_attributes(QueueUrl=local.outputs["QueueUrl"], AttributeNames=names)["Attributes"]
        if set(counts.values()) == {"0"}:
            return
    raise KeypostError("the queue did not become empty within 120 s")
