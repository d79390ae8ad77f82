from dataclasses import replace
from typing import Any

import pytest

from cli import smoke_test
from cli.local.mailbox import SesFault
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.clients.mailer import Mailer
from keypost.core.errors import KeypostError
from keypost.core.said import said
from tests.cli.smoke_events import TOLD, tell


@pytest.fixture
def to_mailbox(stack: Stack, local: LocalStack) -> Stack:
    """A stack that sends its mail to the local mailbox."""
    client: Any = local.session.session.client("sesv2", endpoint_url=local.mailbox.url)
    return replace(stack, mailer=Mailer(client, "test"))


def test_five_mails_go_to_the_simulator_each_under_a_name_of_its_own(to_mailbox: Stack, local: LocalStack) -> None:
    before = len(local.mailbox.mails)

    run = smoke_test.send(to_mailbox, pause=lambda _: None)

    mails = local.mailbox.mails[before:]
    assert [mail.to[0] for mail in mails] == [f"{name}+{run}@simulator.amazonses.com" for name in TOLD]
    assert [mail.tags for mail in mails] == [
        {"order": "none", "mail": f"smoke-{run}-{name}", "attempt": "1"} for name in TOLD
    ]


def test_it_sends_no_faster_than_the_sandbox_takes(
    to_mailbox: Stack, local: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(local.mailbox.account, "SendQuota", {"MaxSendRate": 1.0})
    pauses: list[float] = []

    smoke_test.send(to_mailbox, clock=lambda: 0.0, pause=pauses.append)

    assert pauses == [1.0] * 4


def test_it_ends_when_all_five_were_told(to_mailbox: Stack) -> None:
    tell(to_mailbox, "run1", *TOLD)

    arrived = list(smoke_test.wait(to_mailbox, "run1", 60, pause=lambda _: pytest.fail("it waits")))

    assert {each.which: each.fate for each in arrived} == smoke_test.EXPECTED


def test_each_is_shown_as_it_comes_and_what_does_not_come_ends_it(to_mailbox: Stack) -> None:
    now = [0.0]
    late = [["success"], ["bounce", "complaint"]]

    def pause(seconds: float) -> None:
        now[0] += seconds
        if late:
            tell(to_mailbox, "run2", *late.pop(0))

    arrived = list(smoke_test.wait(to_mailbox, "run2", 60, lambda: now[0], pause))

    assert [(each.which, each.seconds) for each in arrived] == [("success", 2), ("bounce", 4), ("complaint", 4)]
    assert now[0] == 62


def test_a_mail_that_ses_does_not_take_ends_it_at_once(to_mailbox: Stack, local: LocalStack) -> None:
    def refuse() -> None:
        raise SesFault(400, "MessageRejected")

    local.mailbox.before_send = refuse

    with pytest.raises(KeypostError) as refused:
        smoke_test.send(to_mailbox)

    why = said("ses_refused", answer="MessageRejected")
    assert refused.value.said == said("smoke_mail_not_sent", which="success", why=why)
