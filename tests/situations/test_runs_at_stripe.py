"""One bad object in the hourly run: it is left out with a remark, and everything behind it is recovered."""

from datetime import timedelta
from typing import Any

import pytest

from keypost.core.errors import ProviderForbidden, ProviderRefused, ProviderUnavailable
from keypost.core.payment import PaymentNotice, Remark
from keypost.core.said import Said, said
from keypost.providers import stripe
from tests.builders import NOW, a_call, event

BARE = {"v": "1", "order_id": "7"}


def an_event(name: str, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = event(f"stripe/{name}.json")
    found["data"]["object"] |= changes
    return found


def run(events: list[Any], sessions: list[Any] = [], answers: dict[str, Any] | None = None) -> list[Any]:  # noqa: B006 - never changed
    """The news of a run that finds these, in which some paths answer with an error."""
    lists = {"/v1/events": events, "/v1/checkout/sessions": sessions}

    def get(path: str, _query: Any) -> Any:
        answer = (answers or {}).get(path)
        if isinstance(answer, Exception):
            raise answer
        return {"data": lists[path], "has_more": False} if path in lists else answer

    return list(stripe.recent(a_call(b"", get=get), NOW - timedelta(days=3)))


def left_out(name: str, why: Said) -> Remark:
    return Remark("stripe", NOW, said("stripe_left_out", id=name, why=why), payment=f"stripe:{name}")


GOOD = an_event("checkout.session.completed")


@pytest.mark.parametrize(
    "error",
    [
        ProviderForbidden("provider_refused_key", status=403),
        ProviderRefused("provider_refused_key", status=400),
        ProviderUnavailable("provider_answered", status=500),
    ],
)
def test_an_object_that_stripe_does_not_show_stops_nothing_behind_it(error: Any) -> None:
    """Mollie's 410 for a deleted customer stopped each run for weeks; Stripe's refused prices did the same."""
    bad = an_event("checkout.session.completed", id="cs_bad", metadata=BARE)

    found = run([bad, GOOD], answers={"/v1/checkout/sessions/cs_bad/line_items": error})

    assert [news.payment_id for news in found if isinstance(news, PaymentNotice)] == [GOOD["data"]["object"]["id"]]
    assert [news for news in found if isinstance(news, Remark)] == [left_out("cs_bad", error.said)]


def test_a_price_that_the_key_may_not_read_leaves_one_invoice_out_and_no_other() -> None:
    refused = ProviderForbidden("provider_refused_key", status=403)
    parent = {"subscription_details": {"subscription": "sub_1", "metadata": {"order_id": "7"}}}
    bad = an_event("invoice.paid", id="in_bad", parent=parent)

    found = run([bad, GOOD], answers={"/v1/prices/price_1SXkeypost": refused})

    assert found[0] == left_out("in_bad", refused.said)
    assert [news.payment_id for news in found[1:]] == [GOOD["data"]["object"]["id"]]


@pytest.mark.parametrize(
    "bad", [None, 7, {}, {"id": "evt_1"}, GOOD | {"livemode": None}, GOOD | {"data": {"object": {"id": "a/b"}}}]
)
def test_an_object_that_is_none_stops_nothing_behind_it(bad: Any) -> None:
    remark, found = run([bad, GOOD])

    assert isinstance(remark, Remark)
    assert remark.why.code == "stripe_left_out"
    assert found.payment_id == GOOD["data"]["object"]["id"]


def test_a_session_in_a_state_that_nobody_knows_stops_nothing_behind_it() -> None:
    good = GOOD["data"]["object"] | {"livemode": False}

    remark, found = run([], [good | {"id": "cs_odd", "payment_status": "odd"}, good])

    assert remark.why == said("stripe_unknown_state", id="cs_odd", state="odd")
    assert found.payment_id == good["id"]


def test_a_session_that_an_event_has_told_of_is_not_asked_about_again() -> None:
    """It would be another word of the same, as of now, with each run of three days."""
    session = GOOD["data"]["object"] | {"livemode": False}

    assert run([GOOD], [session]) == run([GOOD])
    assert len(run([GOOD], [session | {"id": "cs_other"}])) == 2


def test_a_list_that_breaks_off_is_an_error_because_what_stands_behind_is_not_known() -> None:
    def get(_path: str, query: Any) -> Any:
        return None if "starting_after" in query else {"data": [GOOD], "has_more": True}

    with pytest.raises(ProviderUnavailable):
        list(stripe.recent(a_call(b"", get=get), NOW))


def test_a_list_that_gives_the_same_page_again_and_again_is_an_error_and_not_read_for_ever() -> None:
    with pytest.raises(ProviderUnavailable):
        list(stripe.recent(a_call(b"", get=lambda _path, _query: {"data": [GOOD], "has_more": True}), NOW))


def test_a_list_that_is_refused_stops_the_run_because_the_key_is_wrong() -> None:
    with pytest.raises(ProviderRefused):
        run([GOOD], answers={"/v1/checkout/sessions": ProviderRefused("provider_refused_key", status=401)})
