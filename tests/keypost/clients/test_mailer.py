import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from keypost.clients.aws import ONE_ATTEMPT
from keypost.clients.mailer import Mailer, Pace, tag_value, tagged
from keypost.core.mail import MailNotSent, MailSent, MailUnknown, Refusal
from keypost.core.said import said


def ses(endpoint_url: str) -> Any:
    """The client of the functions, but with a time-out that is short enough for a test."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    return session.client("sesv2", endpoint_url=endpoint_url, config=ONE_ATTEMPT.merge(Config(read_timeout=0.3)))


def message() -> EmailMessage:
    mail = EmailMessage()
    mail["To"] = "facturen@klant.example"
    mail.set_content("hello")
    return mail


@contextmanager
def server(status: int | None) -> Iterator[tuple[str, list[str]]]:
    """A server that answers every request with this status, or never if it is None; yields its URL and the requests."""
    seen: list[str] = []
    enough = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            if status is None:
                enough.wait(10)
                return
            self.send_response(status)
            self.send_header("x-amzn-ErrorType", "Something")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}", seen
    finally:
        enough.set()
        http.shutdown()
        http.server_close()
        thread.join()


@pytest.mark.parametrize("status", [None, 500, 503, 429])
def test_one_call_is_one_request_whatever_the_answer(status: int | None) -> None:
    with server(status) as (url, seen):
        Mailer(ses(url), "test").send(message(), {})

    assert len(seen) == 1


def test_a_mail_whose_answer_does_not_come_is_of_unknown_outcome() -> None:
    with server(None) as (url, _):
        assert Mailer(ses(url), "test").send(message(), {}) == MailUnknown(
            said("ses_answer_lost", error="ReadTimeoutError")
        )


def test_a_mail_that_did_not_reach_ses_was_not_sent() -> None:
    with server(200) as (url, _):
        pass  # now no server listens on the port

    outcome = Mailer(ses(url), "test").send(message(), {})

    assert outcome == MailNotSent(said("ses_unreachable", error="EndpointConnectionError"))


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        ("TooManyRequestsException", 429, MailNotSent(said("ses_refused", answer="TooManyRequestsException"))),
        ("ThrottlingException", 400, MailNotSent(said("ses_refused", answer="ThrottlingException"))),
        (
            "LimitExceededException",
            400,
            MailNotSent(said("ses_refused", answer="LimitExceededException"), Refusal.OF_ACCOUNT),
        ),
        (
            "SendingPausedException",
            400,
            MailNotSent(said("ses_refused", answer="SendingPausedException"), Refusal.OF_ACCOUNT),
        ),
        (
            "AccountSuspendedException",
            400,
            MailNotSent(said("ses_refused", answer="AccountSuspendedException"), Refusal.OF_ACCOUNT),
        ),
        ("MessageRejected", 400, MailNotSent(said("ses_refused", answer="MessageRejected"))),
        (
            "MailFromDomainNotVerifiedException",
            400,
            MailNotSent(said("ses_refused", answer="MailFromDomainNotVerifiedException"), Refusal.OF_ACCOUNT),
        ),
        (
            "AccessDeniedException",
            403,
            MailNotSent(said("ses_refused", answer="AccessDeniedException"), Refusal.OF_ACCOUNT),
        ),
        ("NotFoundException", 404, MailNotSent(said("ses_refused", answer="NotFoundException"), Refusal.OF_ACCOUNT)),
        ("BadRequestException", 400, MailNotSent(said("ses_refused", answer="BadRequestException"), Refusal.FOR_EVER)),
        (
            "InternalServiceErrorException",
            500,
            MailUnknown(said("ses_answered", answer="InternalServiceErrorException")),
        ),
        ("ServiceUnavailable", 503, MailUnknown(said("ses_answered", answer="ServiceUnavailable"))),
        ("RequestTimeoutException", 408, MailUnknown(said("ses_answered", answer="RequestTimeoutException"))),
    ],
)
def test_an_answer_of_ses_says_whether_the_mail_may_have_left(code: str, status: int, outcome: object) -> None:
    client = ses("http://127.0.0.1:1")
    with Stubber(client) as stub:
        stub.add_client_error("send_email", code, "Address jan@klant.example is bad", http_status_code=status)

        assert Mailer(client, "test").send(message(), {}) == outcome


def test_a_daily_quota_that_is_used_up_is_of_the_account_though_its_code_is_that_of_too_many_at_once() -> None:
    client = ses("http://127.0.0.1:1")
    with Stubber(client) as stub:
        stub.add_client_error("send_email", "TooManyRequestsException", "Daily message quota exceeded.", 429)

        outcome = Mailer(client, "test").send(message(), {})

    assert outcome == MailNotSent(said("ses_refused", answer="TooManyRequestsException"), Refusal.OF_ACCOUNT)


@pytest.mark.parametrize(
    ("setting", "of_account", "gap"),
    [(14, 50.0, 5 / 14), (14, 1.0, 5.0), (2, 14.0, 2.5), (14, 0.0, 5 / 14)],
    ids=["the setting", "the sandbox", "a slower setting", "an account that may send nothing now"],
)
def test_each_of_five_workers_sends_a_fifth_of_the_setting_or_of_what_the_account_may(
    setting: float, of_account: float, gap: float
) -> None:
    client = ses("http://127.0.0.1:1")
    with Stubber(client) as stub:
        stub.add_response("get_account", {"SendQuota": {"MaxSendRate": of_account}})

        pace = Mailer(client, "test").paced(setting, 5)._pace

    assert pace is not None
    assert pace.gap == gap


def test_a_worker_starts_at_the_setting_when_ses_does_not_say_what_the_account_may() -> None:
    with server(503) as (url, _):
        pace = Mailer(ses(url), "test").paced(14, 5)._pace

    assert pace is not None
    assert pace.gap == 5 / 14


def test_a_paced_mailer_waits_before_it_asks_ses() -> None:
    waited: list[float] = []
    pace = Pace(3, lambda: 0.0, waited.append)
    client = ses("http://127.0.0.1:1")
    with Stubber(client) as stub:
        for _ in range(2):
            stub.add_response("send_email", {"MessageId": "m-1"})
        for _ in range(2):
            Mailer(client, "test", pace).send(message(), {})

    assert waited == [3]


def test_a_mail_carries_its_configuration_set_its_address_and_its_tags() -> None:
    client = ses("http://127.0.0.1:1")
    expected = {
        "Content": {"Raw": {"Data": message().as_bytes()}},
        "Destination": {"ToAddresses": ["facturen@klant.example"]},
        "ConfigurationSetName": "keypost-mail",
        "EmailTags": [{"Name": "order", "Value": "2026_2e1"}, {"Name": "attempt", "Value": "1"}],
    }
    with Stubber(client) as stub:
        stub.add_response("send_email", {"MessageId": "m-1"}, expected)

        outcome = Mailer(client, "keypost-mail").send(message(), {"order": "2026.1", "attempt": "1"})

    assert outcome == MailSent("m-1")


@given(st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True))
def test_an_order_id_becomes_a_tag_that_ses_allows_and_can_be_read_back(order_id: str) -> None:
    tag = tag_value(order_id)

    assert set(tag) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
    assert len(tag) <= 256
    assert unquote(tag.replace("_", "%")) == order_id
    assert tagged(tag) == order_id


@mock_aws
def test_ses_takes_mail_of_a_domain_that_was_verified_and_refuses_that_of_another() -> None:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    client = session.client("sesv2", config=ONE_ATTEMPT)
    client.create_configuration_set(ConfigurationSetName="test")
    mail = message()
    mail["From"] = "licenties@mail.voorbeeld.example"
    mail["Subject"] = "hello"

    refused = Mailer(client, "test").send(mail, {})
    client.create_email_identity(EmailIdentity="mail.voorbeeld.example")
    sent = Mailer(client, "test").send(mail, {})

    assert refused == MailNotSent(said("ses_refused", answer="MessageRejected"))
    assert isinstance(sent, MailSent)
    assert sent.message_id
