"""Each check of hostile callbacks, shown to find what it is for; and that the cases reach what they are to reach."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
import time_machine

from keypost.providers import PROVIDERS
from tests.builders import NOW, SECRETS
from tests.hostile.bodies import IN_BYTES, IN_JSON, TYPED_CODE
from tests.hostile.cases import ON_THE_WAY, RIGHT, SIGNATURES, TROUBLES, Request, case
from tests.hostile.checks import CANARIES, Seen, faults, is_signed, says_paid
from tests.teller_kit import TELLERS


@pytest.fixture(autouse=True)
def _on_the_day_of_the_recorded_callbacks() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


PROBLEM = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "Why."}


def signed(provider: str, body: bytes = b"{}", signature: str = RIGHT) -> Request:
    return SIGNATURES[signature](Random(1), Request(provider, body))


def answered(status: int, body: str = "", kind: str = "") -> dict[str, object]:
    return {"statusCode": status, "headers": {"Content-Type": kind} if kind else {}, "body": body}


def seen(**changes: object) -> Seen:
    """A callback that is genuine and says that nothing was paid."""
    plain = Seen(signed("webhook"), answered(204), written=[], poked=[], paid=[], unreadable=[], output="")
    return replace(plain, **changes)  # type: ignore[arg-type]


def failed(error: str) -> str:
    return json.dumps({"level": "ERROR", "message": "failure", "error": error, "place": "x.py:1"}) + "\n"


PAID = signed("webhook", b'{"type": "order.paid", "data": {"test": true}}')
ITEM = {"pk": {"S": "ORDER#1"}}
REMARK = {"pk": {"S": "INBOX#2026"}, "why": {"S": TYPED_CODE}}
BROKEN = {
    "a_status_that_is_known": (seen(answer=answered(500)), seen(answer=answered(302)), seen(answer=ValueError())),
    "only_named_failures": (
        seen(answer=answered(503)),
        seen(answer=answered(503), output=failed("KeyError")),
        seen(output=failed("KeyError")),  # of a write that nothing depends on
        seen(answer=answered(503), output=failed("ProviderUnavailable") + failed("TypeError")),
    ),
    "an_answer_that_is_well_formed": (
        seen(answer=answered(400, "<html>", "text/html")),
        seen(answer=answered(200, '{"order": "1", "state": "paid", "email": "x"}', "application/json")),
    ),
    "nothing_written_without_a_right_signature": (
        seen(request=signed("webhook", signature="no signature"), written=[ITEM]),
        seen(request=signed("stripe", signature="signed long ago"), poked=["1"]),
    ),
    "nothing_paid_without_a_payment": (
        seen(written=[ITEM], paid=["1"]),
        seen(request=signed("webhook", b'{"type": "order.paid"}', "signed with a forged secret"), paid=["1"]),
    ),
    "nothing_paid_in_the_other_mode": (
        seen(request=signed("webhook", b'{"type": "order.paid"}'), paid=["1"]),
        seen(request=signed("stripe", b'{"status": "paid", "livemode": false}'), paid=["1"], stage="live"),
        seen(request=PAID, paid=["1"], stage="live"),
    ),
    "only_what_callbacks_write": (seen(written=[{"pk": {"S": "CODE#1"}}]), seen(written=[{"pk": {"S": "KEY#1"}}])),
    "nothing_unreadable": (seen(unreadable=["1"]),),
    "no_canary": (
        *(seen(output=canary) for canary in CANARIES),
        seen(answer=answered(400, json.dumps(PROBLEM | {"detail": "Jansen"}), "application/problem+json")),
        seen(poked=["x@klant.example"]),
        seen(written=[{"pk": {"S": f"PAYMENT#{TYPED_CODE}"}}]),
        seen(written=[REMARK]),
    ),
}


@pytest.mark.parametrize(("check", "found"), [(check, each) for check, several in BROKEN.items() for each in several])
def test_a_check_finds_what_it_is_for(check: str, found: Seen) -> None:
    assert check in {fault.partition(":")[0] for fault in faults(found)}


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert faults(seen()) == []
    assert faults(seen(request=PAID, written=[ITEM], poked=["1"], paid=["1"])) == []
    assert faults(seen(earlier=[PAID], written=[ITEM], paid=["1"])) == []
    assert faults(seen(answer=answered(503), output=failed("ProviderUnavailable"))) == []
    assert faults(seen(answer=answered(400, json.dumps(PROBLEM), "application/problem+json"))) == []


_NEVER = {"no signature", "signed with a forged secret", "signed with an empty secret", "empty signature"}
_NEVER |= {"forged signature twice", "signature of another provider"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_right_signature_is_told_from_a_wrong_one_as_the_provider_does(provider: str) -> None:
    """Mollie's classic calls have a token, which says nothing of the body or of the time. Mollie and WooCommerce sign
    no time. A signature twice is right, where the provider's library takes one of two."""
    body = TELLERS[provider].paid.raw
    right = {name for name in SIGNATURES if is_signed(signed(provider, body, name))}

    assert RIGHT in right
    assert right & _NEVER == set()
    assert ("signed long ago" in right) is (not TELLERS[provider].signs_time)
    assert ("signature of another body" in right) is (provider == "mollie")
    assert ("signature of long ago made young" in right) is (not TELLERS[provider].signs_time)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_whether_a_callback_says_that_something_was_paid(provider: str) -> None:
    teller = TELLERS[provider]

    assert says_paid(Request(provider, teller.paid.raw, api=teller.paid.api))
    assert not says_paid(Request(provider, teller.open.raw, api={} if provider == "stripe" else teller.open.api))


def test_a_case_can_be_made_again_and_another_seed_makes_another() -> None:
    assert case(1, "stripe", 17) == case(1, "stripe", 17)
    assert case(1, "stripe", 17) != case(2, "stripe", 17)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_among_few_cases_is_everything_that_may_be_done_to_a_request(provider: str) -> None:
    done = Counter(how for number in range(2000) for each in case(1, provider, number) for how in each.how)
    in_api = {f"in the API: {name}" for name in IN_JSON} if TELLERS[provider].paid.api else set[str]()
    in_json = set() if provider == "mollie" else set(IN_JSON)  # a form

    assert {*IN_BYTES, *SIGNATURES, *ON_THE_WAY, *TROUBLES, *in_json, *in_api, "genuine", "again"} - set(done) == set()


def test_the_canaries_are_in_what_is_sent_or_kept() -> None:
    """Otherwise a search for them would find nothing whatever is leaked."""
    sent = b"".join(
        each.body + json.dumps(each.api, ensure_ascii=False).encode("utf-8", "replace")
        for provider in PROVIDERS
        for number in range(500)
        for each in case(1, provider, number)
    ).decode("utf-8", "replace")

    assert [canary for canary in set(CANARIES) - set(SECRETS.values()) if canary not in sent] == []
