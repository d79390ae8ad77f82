"""Each check, shown to find what it is for: what a good story left behind is damaged in one place, or DynamoDB does
not look at conditions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.simulator.aws_here import AwsCall, ask_dynamodb
from tests.simulator.faults.apis import APIS
from tests.simulator.faults.checks import CHECKS, violations
from tests.simulator.faults.command_stories import licenses_imported
from tests.simulator.faults.deployment import TABLE
from tests.simulator.faults.happenings import plant
from tests.simulator.faults.leaks import CHANNELS
from tests.simulator.faults.machine import Invocation, NeverEnds
from tests.simulator.faults.play import come_to_the_end
from tests.simulator.faults.ses import Accepted
from tests.simulator.faults.shop import HOUR, PLAIN, Shop, day_of
from tests.simulator.faults.simulation import Answered, Entry, Knocked
from tests.simulator.faults.stories import (
    a_shop,
    at_provider,
    batch_replaced,
    bought,
    by_code,
    by_hand,
    exchange,
    in_parts,
    license_refunded,
    moved,
    no_pokes,
    own_order,
    paid_before,
    purchase,
    refund,
    refund_before,
    renewal,
    renewal_moved,
    renewal_stopped,
    reported,
    resend,
    second_buyer,
    second_short,
    stranger,
    twins,
    way_out,
)


def _item(key: str) -> dict[str, Any]:
    found: dict[str, Any] = ask_dynamodb("GetItem", TableName=TABLE, Key={"pk": {"S": key}})["Item"]
    return found


def _put(item: Mapping[str, Any], **changes: Any) -> None:
    ask_dynamodb("PutItem", TableName=TABLE, Item={**item, **changes})


def _without(name: str) -> Callable[[Shop], None]:
    """An order without this of it."""

    def damage(_: Shop) -> None:
        item = _item("ORDER#o1")
        del item[name]
        _put(item)

    return damage


def _payment_without(name: str, order: str = "o1") -> Callable[[Shop], None]:
    """An order of which no payment has this."""

    def damage(_: Shop) -> None:
        item = _item(f"ORDER#{order}")
        for payment in item["payments"]["L"]:
            del payment["M"][name]
        _put(item)

    return damage


def _all_back_again(_: Shop) -> None:
    """The refund that came to nothing counts all the same."""
    item = _item("ORDER#o1")
    for payment in item["payments"]["L"]:
        payment["M"]["refunded"]["L"][0]["M"]["full"] = {"BOOL": True}
    _put(item)


def _at(name: str, plan: str) -> Callable[[Shop], Any]:
    return lambda shop: at_provider(shop, name, plan)


def _lost(_: Shop) -> None:
    ask_dynamodb("DeleteItem", TableName=TABLE, Key={"pk": {"S": "ORDER#o1"}})


def _code_lost(shop: Shop) -> None:
    """A code is assigned that no order has."""
    free = next(item for item in shop.simulation.items() if item.get("state") == "free")
    _put(_item(free["pk"]), state={"S": "assigned"}, order_id={"S": "o1"})


def _withdrawn_after_all(shop: Shop) -> None:
    """A code that was mailed is one that nobody was to get."""
    code = next(item for item in shop.simulation.items() if item.get("state") == "assigned")
    _put(_item(code["pk"]), state={"S": "withdrawn"})


def _still_bad(shop: Shop) -> None:
    """The code that came in place of a bad one is of the bad batch."""
    code = next(item for item in shop.simulation.items() if item.get("state") == "assigned")
    _put(_item(code["pk"]), batch={"S": "batch-6"})


def _kept(_: Shop) -> None:
    """The money went back, and a code stays with the order that never left."""
    free = {"id": {"S": "LIC-1"}, "line": {"N": "1"}, "code": {"S": "XXXXX-BBBBB-CCCCC-00001"}, "sku": {"S": "PLAIN"}}
    _put(_item("ORDER#o1"), licenses={"L": [{"M": free}]})


def _last(shop: Shop) -> Accepted:
    return shop.simulation.ses.accepted[-1]


def _accepted(**changes: Any) -> Callable[[Shop], None]:
    """SES took one more mail, like the last one but for this."""
    return lambda shop: shop.simulation.ses.accepted.append(replace(_last(shop), **changes))


def _reminded_again(shop: Shop) -> None:
    """The customer gets another reminder all the same."""
    last = next(mail for mail in shop.simulation.ses.accepted if mail.is_reminder)
    shop.simulation.ses.accepted.append(replace(last, mail="reminder-2", at=shop.simulation.now))


def _sent_again(shop: Shop) -> None:
    """A second attempt was claimed and left, though the answer to the first had arrived."""
    last = _last(shop)
    claim = shop.simulation.claims[last.order, last.mail, 1]
    shop.simulation.claims[last.order, last.mail, 2] = replace(claim, at=last.at + HOUR)
    _accepted(attempt=2, at=last.at + HOUR)(shop)


def _too_early(shop: Shop) -> None:
    mails = shop.simulation.ses.accepted
    place, day = [(place, mail.first_day) for place, mail in enumerate(mails) if mail.first_day][-1]
    assert day
    mails[place] = replace(mails[place], first_day=day + timedelta(days=1))


def _too_late(shop: Shop) -> None:
    last = _last(shop)
    shop.simulation.told[:] = [told for told in shop.simulation.told if told.at < last.at]
    shop.simulation.answers.clear()
    shop.simulation.ses.pauses.clear()
    shop.simulation.ses.accepted[-1] = replace(last, at=last.at + 4 * HOUR)


def _too_late_for_good_weather(shop: Shop) -> None:
    _too_late(shop)
    shop.simulation.ses.accepted[-1] = replace(_last(shop), at=_last(shop).at - 3 * HOUR)


def _unpaid(shop: Shop) -> None:
    shop.simulation.told.clear()


def _stuck(shop: Shop) -> None:
    item = _item("ORDER#o1")
    mail = item["mails"]["L"][0]["M"] | {
        "state": {"S": "pending"},
        "next_at": {"N": str(round(shop.simulation.machine.began))},
    }
    _put(item, mails={"L": [{"M": mail}]})


def _promised(shop: Shop) -> None:
    """An agent was promised a mail after which none left."""
    shop.simulation.answers.append(Answered(shop.simulation.now, "o1", "POST resend", 202, "resend-2"))


def _written_though_unreadable(shop: Shop) -> None:
    shop.unreadable.add("o1")
    shop.broken["o1"] = _item("ORDER#o1")
    shop.broken_at["o1"] = shop.simulation.now
    _put(_item("ORDER#o1"), version={"N": "99"})


def _future_forgotten(shop: Shop) -> None:
    plant(shop, "o1")
    assert not violations(shop)
    lines = [{"M": {**line["M"], "of_the_future": {"S": "another"}}} for line in _item("ORDER#o1")["lines"]["L"]]
    _put(_item("ORDER#o1"), lines={"L": lines})


def _failed(shop: Shop) -> None:
    shop.simulation.failures.append(Entry(shop.simulation.now, ("o1",), "advance_orders o1 #1 failed"))


def _given_for_less(shop: Shop) -> None:
    """The codes cost more than was taken, by the newest word."""
    first = shop.simulation.told[0]
    less = {**first.data, "amount": "0.05"}
    shop.simulation.told.append(replace(first, data=less, at=first.at + 0.01, said_at=first.said_at + 0.01))


def _given_after_the_refund(shop: Shop) -> None:
    """A part of the money went back, and then another code left."""
    told = shop.simulation.told[0]
    part = replace(told, kind="order.refunded", data={"amount_refunded": "3.00"}, at=told.at + 1, said_at=told.at + 1)
    shop.simulation.told.append(part)
    _accepted(codes=("RRRRR-BBBBB-CCCCC-99999",), mail="purchase-2")(shop)


def _second_forgotten(_: Shop) -> None:
    """The newest word of the payment counts for nothing, and nobody is asked."""
    item = _item("ORDER#o1")
    del item["attention"]
    _put(item)


def _exchange_waits(_: Shop) -> None:
    _put(_item("ORDER#o1"), attention={"S": "hold"})


def _exchanged_gone(_: Shop) -> None:
    """The order has what it was for before, and not what was paid instead."""
    item = _item("ORDER#o1")
    _put(item, licenses={"L": item["licenses"]["L"][:1]})


def _exchanged_kept(_: Shop) -> None:
    item = _item("ORDER#o1")
    first = item["licenses"]["L"][0]["M"]
    kept = {"M": {**first, "id": {"S": "LIC-kept"}, "code": {"S": "AAAAA-BBBBB-CCCCC-77777"}}}
    _put(item, licenses={"L": [*item["licenses"]["L"], kept]})


def _own_code_lost(shop: Shop) -> None:
    """A code is assigned to the order that a payment became, which does not have it."""
    free = next(item for item in shop.simulation.items() if item.get("state") == "free")
    _put(_item(free["pk"]), state={"S": "assigned"}, order_id={"S": "o1-2"})


def _counts_twice(_: Shop) -> None:
    _put(_item("ORDER#o1"), attention={"S": "paid_twice"})


def _asks_for_nothing(_: Shop) -> None:
    _put(_item("ORDER#o1"), hold={"M": {"contents": {"M": {"code": {"S": "goods_differ"}}}}})


def _served_though_before(shop: Shop) -> None:
    shop.before.add("o1")


def _before_for_ever(shop: Shop) -> None:
    shop.simulation.answers.append(Answered(shop.simulation.now, "o1", "POST /orders/{order_id}/release", 200, None))


def _hand(shop: Shop) -> dict[str, Any]:
    return _item(next(item["pk"] for item in shop.simulation.items() if item["pk"].startswith("ORDER#HAND-")))


def _hand_without(name: str) -> Callable[[Shop], None]:
    def damage(shop: Shop) -> None:
        item = _hand(shop)
        del item[name]
        _put(item)

    return damage


def _mailed_by_hand_again(shop: Shop) -> None:
    _accepted(mail="purchase-2")(shop)


def _sent_after_it_moved(shop: Shop) -> None:
    """The old order sends the code of the license that is another customer's."""
    first = shop.simulation.ses.accepted[0]
    shop.simulation.ses.accepted.append(replace(first, mail="resend-1", at=shop.simulation.now))


def _in_line(_: Shop) -> None:
    """The renewal of a stranger has a place among those of the owner."""
    place = {"order_id": {"S": "r1"}, "line": {"N": "1"}, "of_line": {"N": "1"}, "term_days": {"N": "20"}}
    _put(_item("ORDER#o1"), renewals={"L": [{"M": place}]})


def _served_though_others(_: Shop) -> None:
    given = {"id": {"S": "LIC-1"}, "line": {"N": "1"}, "code": {"S": "AAAAA-BBBBB-CCCCC-88888"}, "sku": {"S": "PLAIN"}}
    _put(_item("ORDER#r1"), licenses={"L": [{"M": given}]})


def _tells_of_the_owner(shop: Shop) -> None:
    _accepted(order="r1", mail="waiting-1", codes=(), text="Bea Eigenaar heeft deze licentie.")(shop)


def _code_stored(shop: Shop) -> None:
    _put(_item("ORDER#r1"), note={"S": f"{shop.typed['r1']} is verlengd"})


def _code_answered(shop: Shop) -> None:
    said = {"renews": shop.typed["r1"]}
    shop.simulation.answers.append(Answered(shop.simulation.now, "r1", "GET /orders/{order_id}", 200, None, said=said))


def _code_mailed(shop: Shop) -> None:
    _accepted(order="r1", mail="waiting-1", text=f"U verlengt {shop.typed['r1']}.")(shop)


def _code_logged(shop: Shop) -> None:
    shop.simulation.note(f"log: {shop.typed['r1']}", "r1")


def _unserved(order: str) -> None:
    """It waits, as if nobody knew what it renews."""
    item = _item(f"ORDER#{order}")
    del item["licenses"]
    _put(item, attention={"S": "renews#2026"})


def _forgotten(order: str) -> None:
    """No list has it among those that wait."""
    item = _item(f"ORDER#{order}")
    del item["attention_since"]
    _put(item)


def _renewed_all_the_same(shop: Shop) -> None:
    _accepted(order="r1", mail="renewal-1", at=shop.simulation.now)(shop)


def _delivered_again(shop: Shop) -> None:
    """The mail with the second code has the first one, too."""
    first, last = shop.simulation.ses.accepted[0], _last(shop)
    shop.simulation.ses.accepted[-1] = replace(last, codes=(*first.codes, *last.codes))


def _all_at_once(shop: Shop) -> None:
    """The first code left with the second one."""
    first, last = shop.simulation.ses.accepted[0], _last(shop)
    shop.simulation.ses.accepted[:] = [replace(last, codes=(*first.codes, *last.codes))]


def _sent_though_refunded(shop: Shop) -> None:
    codes = shop.simulation.ses.accepted[0].codes
    _accepted(codes=codes, mail="resend-2", at=shop.simulation.now)(shop)


def _under_another_name(shop: Shop) -> None:
    free = next(item for item in shop.simulation.items() if (item.get("state"), item.get("sku")) == ("free", PLAIN))
    _put(_item(free["pk"]), stock={"S": "REMINDING"})


def _recalled_before(shop: Shop) -> None:
    shop.simulation.recalled.append((shop.simulation.machine.began, frozenset({"PLAIN#batch-6"})))


def _two_of_one_wish(shop: Shop) -> None:
    for order in ("HAND-1", "HAND-2"):
        made = Answered(0, "", "POST /orders", 201, None, said={"order_id": order}, key="one")
        shop.simulation.answers.append(made)


def _granted_twice(shop: Shop) -> None:
    for mail in ("resend-1", "resend-2"):
        shop.simulation.answers.append(Answered(shop.simulation.now, "o1", "POST /resend", 202, mail))
    _accepted(mail="resend-2", at=shop.simulation.now)(shop)


def _overdue(_: Shop) -> None:
    _put(_item("ORDER#o1"), due_at={"S": "2026-11-02T09:00:00Z"}, due_shard={"S": "0"})


def _given_up(_: Shop) -> None:
    item = _item("ORDER#o1")
    _put(item, mails={"L": [{"M": item["mails"]["L"][0]["M"] | {"state": {"S": "failed"}}}]})


def _knocked(status: int, *, is_signed: bool) -> Callable[[Shop], None]:
    def knock(shop: Shop) -> None:
        shop.simulation.knocks.append(Knocked(shop.simulation.now, "f1", "order.paid", status, is_signed))

    return knock


def _broken(shop: Shop, at: float) -> None:
    shop.unreadable.add("o1")
    shop.broken["o1"], shop.broken_at["o1"] = _item("ORDER#o1"), at


def _nobody_told(shop: Shop) -> None:
    _broken(shop, shop.simulation.machine.began)


def _not_kept(shop: Shop) -> None:
    """A refund was accepted of an order that could not be read."""
    _broken(shop, shop.simulation.now - HOUR)
    told = shop.simulation.told[0]
    shop.simulation.told.append(replace(told, kind="order.refunded", at=shop.simulation.now))


def _code_left_out(shop: Shop) -> None:
    """A code of an import that was answered as done."""
    free = next(item for item in shop.simulation.items() if item.get("state") == "free")
    ask_dynamodb("DeleteItem", TableName=TABLE, Key={"pk": {"S": free["pk"]}})


def _unlicensed(order: str) -> None:
    item = _item(f"ORDER#{order}")
    del item["licenses"]
    _put(item)


def _old_code_mailed(shop: Shop) -> None:
    _accepted(order="oud-1", codes=shop.olds["oud-1"].codes)(shop)


def _free_again(shop: Shop) -> None:
    code = next(item for item in shop.simulation.items() if item.get("state") == "assigned")
    _put(_item(code["pk"]), state={"S": "free"}, stock={"S": PLAIN})


def _mailed_too_late(shop: Shop) -> None:
    yesterday = day_of(shop.simulation.machine.began) - timedelta(days=1)
    shop.last_days |= dict.fromkeys(_last(shop).codes, yesterday)


def _erased_by_nobody(_: Shop) -> None:
    _put(_item("ORDER#o1"), forget_on={"S": "2036-01-01"})


def _reminded_on_another_day(shop: Shop) -> None:
    reminder = {"at": {"N": str(shop.simulation.now)}, "line": {"N": "1"}, "days": {"N": "0"}}
    _put(_item("ORDER#o1"), reminders={"L": [{"M": reminder}]})


def _asked_for_an_address(shop: Shop) -> None:
    saves = shop.simulation.saves["o1"]
    saves.append(replace(saves[-1], item={**saves[-1].item, "attention": "address"}))


def _not_sent_to_a_good_address(shop: Shop) -> None:
    now, said = shop.simulation.now, {"code": "not_sent_again", "values": {"why": {"code": "address_bounced"}}}
    shop.simulation.answers.append(Answered(now, "o1", "POST /resend", 409, None, now, said=said))


def _put_back_in_vain(shop: Shop) -> None:
    _recalled_before(shop)
    for number, how in enumerate(("withdraw", "put-back")):
        at, route = shop.simulation.now + number, f"POST /stock/{{sku}}/{how}"
        shop.simulation.answers.append(Answered(at, "", route, 200, None, at, {"batch": "batch-6"}))


def _waits_and_nobody_is_told(shop: Shop) -> None:
    saves, now = shop.simulation.saves["o1"], shop.simulation.now
    saves[:] = [replace(saves[0], item={**saves[0].item, "attention": "mail"})]
    shop.simulation.schedules.notes_at.extend(now - hours * HOUR for hours in (1.75, 1.5, 1.25))


def _told_twice(shop: Shop) -> None:
    for _ in range(2):
        _accepted(order="none", mail="daily-note-2026-11-02")(shop)


def _a_day_too_long(_: Shop) -> None:
    item = _item("ORDER#o1")
    license_ = item["licenses"]["L"][0]["M"]
    last = date.fromisoformat(license_["last_day"]["S"]) + timedelta(days=1)
    license_["last_day"] = {"S": str(last)}
    _put(item)


def _coded(code: str) -> dict[str, Any]:
    return {"M": {"code": {"S": code}}}


def _held_for(**why: Any) -> Callable[[Shop], None]:
    return lambda _: _put(_item("ORDER#o1"), hold={"M": why})


def _delivered_less(_: Shop) -> None:
    """The order knows that its mail was sent, and not that it arrived."""
    item = _item("ORDER#o1")
    for told in item["mails"]["L"][0]["M"]["told"]["L"]:
        told["M"]["fate"] = {"S": "sent"}
    _put(item)


def _withdrawn_before(shop: Shop) -> None:
    """The batch of the code that the order gave back after 20 minutes was withdrawn when it got it."""
    shop.simulation.recalled.append((shop.simulation.machine.began + 60, frozenset({"PLAIN#batch-6"})))


def _a_day_too_early(_: Shop) -> None:
    item = _item("ORDER#o1")
    license_ = item["licenses"]["L"][0]["M"]
    first, last = (date.fromisoformat(license_[name]["S"]) - timedelta(days=1) for name in ("first_day", "last_day"))
    license_ |= {"first_day": {"S": str(first)}, "last_day": {"S": str(last)}}
    _put(item)


def _bounced_before(shop: Shop) -> None:
    shop.simulation.bounced[_last(shop).to] = shop.simulation.machine.began - HOUR


def _corrected_in_vain(shop: Shop) -> None:
    """What left came back, and an agent wrote another address."""
    last = _last(shop)
    shop.simulation.returned[last.order, last.mail, last.attempt] = last.at
    body = {"email": "goed@klant.example", "confirmed": True}
    now = shop.simulation.now
    shop.simulation.answers.append(Answered(now, "o1", "PUT /orders/{order_id}/email", 200, None, now, body))


def _came_in_vain(shop: Shop) -> None:
    """Codes were imported after the last mail, and the order had none before."""
    at = _last(shop).at + 1
    shop.in_time["o1"] = at
    saves = shop.simulation.saves["o1"]
    saves[:] = [replace(saved, item={**saved.item, "licenses": []}) for saved in saves]
    shop.simulation.answers.append(Answered(at, "", "POST /stock/{sku}", 200, None, at, {"codes": []}))


def _withdrawn_by_a_trial(shop: Shop) -> None:
    now, route = shop.simulation.now, "POST /stock/{sku}/withdraw?dry_run=true"
    shop.simulation.recalled.append((now, frozenset({"PLAIN#BAD"})))
    shop.simulation.answers.append(Answered(now, "", route, 200, None, now, {"batch": "BAD"}))


def _renewed_twice(shop: Shop) -> None:
    """Another order renews the same license for the same days."""
    item = _item("ORDER#r1")
    _put(item, pk={"S": "ORDER#r2"})
    shop.sales["r2"] = replace(shop.sales["r1"], order="r2")
    told = [each for each in shop.simulation.told if each.order == "r1"]
    shop.simulation.told.extend(replace(each, order="r2") for each in told)


def _not_told_of_the_money(shop: Shop) -> None:
    accepted = shop.simulation.ses.accepted
    accepted[:] = [mail for mail in accepted if mail.purpose != "refunded"]


def _corrected_before(shop: Shop) -> None:
    """An agent had written another address an hour before it left."""
    before = min(claim.at for claim in shop.simulation.claims.values()) - HOUR
    body = {"email": "goed@klant.example", "confirmed": True}
    shop.simulation.answers.append(Answered(before, "o1", "PUT /orders/{order_id}/email", 200, None, before, body))


def _given_again(shop: Shop) -> None:
    now, said = shop.simulation.now, {"order_id": "HAND-1"}
    for at in (now - 2 * HOUR, now):
        shop.simulation.answers.append(Answered(at, "", "POST /orders", 201, None, at, {}, said))


def _gone_in_silence(shop: Shop) -> None:
    """An order whose codes are to be blocked was never in the list of those that need something."""
    saves = shop.simulation.saves["o1"]
    saves[:] = [replace(saved, item={**saved.item, "attention": None}) for saved in saves]


def _of_another_product(_: Shop) -> None:
    code = _item("ORDER#o1")["licenses"]["L"][0]["M"]["code"]["S"]
    items = ask_dynamodb("Scan", TableName=TABLE)["Items"]
    _put(next(item for item in items if item.get("tail") and item["code"]["S"] == code), sku={"S": "ELSE"})


def _without_wishes(shop: Shop) -> None:
    shop.simulation.answers.clear()


def _held_before_it_left(shop: Shop) -> None:
    held_at = min(claim.at for claim in shop.simulation.claims.values()) - 1
    shop.simulation.answers.append(Answered(held_at, "o1", "POST /orders/{order_id}/hold", 200, None))


def _sent_again_at_once(shop: Shop) -> None:
    """Nobody knew whether the first attempt had left, and nobody waited for SES to tell."""
    last = _last(shop)
    shop.simulation.ses.doubtful.add((last.order, last.mail, 1))
    shop.simulation.reported.clear()
    claim = shop.simulation.claims[last.order, last.mail, 1]
    shop.simulation.claims[last.order, last.mail, 2] = replace(claim, at=last.at + 15)
    _accepted(attempt=2, at=last.at + 15)(shop)


def _without_events(_: Shop) -> None:
    item = _item("ORDER#o1")
    (mail,) = item["mails"]["L"]
    del mail["M"]["told"]
    _put(item)


def _erased_in_vain(shop: Shop) -> None:
    now, body = shop.simulation.now, {"email": "koper1@klant.example"}
    shop.simulation.answers.append(Answered(now, "", "POST /customers/erase", 200, None, now, body))
    _put(_item("ORDER#o1"), note={"S": "koper1@klant.example"})


def _said_to_be_missing(shop: Shop) -> None:
    said = {"code": "no_such_order"}
    now = shop.simulation.now
    shop.simulation.answers.append(Answered(now, "o1", "GET /orders/{order_id}", 404, None, now, said=said))


def _refund_not_stored(shop: Shop) -> None:
    told = shop.simulation.told[0]
    shop.simulation.told.append(replace(told, kind="order.refunded", data={"full": True}, at=shop.simulation.now))
    shop.contested.add("o1")


def _refused_for_a_conflict(shop: Shop) -> None:
    shop.simulation.answers.append(Answered(shop.simulation.now, "o1", "POST /orders/{order_id}/hold", 503, None))


def _leaked(where: Callable[[Shop], list[str]], what: str = "AAAAA-BBBBB-CCCCC-00001") -> Callable[[Shop], None]:
    return lambda shop: where(shop).append(f"it says {what}.")


# What is planted in each channel in which nothing private may stand.
LEAKS: Mapping[str, Callable[[Shop], None]] = {
    "a log line": _leaked(lambda shop: shop.simulation.lines, "koper1@klant.example"),
    "a metric": _leaked(lambda shop: shop.simulation.counted),
    "an error": lambda shop: shop.simulation.failures.append(Entry(0, ("o1",), "failed for Anna Jansen")),
    "a message of a queue": _leaked(lambda shop: shop.simulation.sqs.bodies),
    "an answer to a callback or a page": _leaked(lambda shop: shop.simulation.replies),
    "an answer to an agent": lambda shop: shop.simulation.answers.append(
        Answered(0, "o1", "GET", 200, None, said={"code": "AAAAA-BBBBB-CCCCC-00001"})
    ),
    "what a command prints": _leaked(lambda shop: shop.simulation.printed),
    "a URL": _accepted(text="https://keypost.example/v1/resend?email=koper1@klant.example", codes=()),
    "a key of the table": lambda _: _put({"pk": {"S": "BOUNCED#koper1@klant.example"}}),
    "a tag of a mail": _accepted(tags=("koper1@klant.example",), codes=()),
}


def _event_told_otherwise(shop: Shop) -> None:
    left = shop.simulation.events_out.taken
    left.append(left[0] | {"timestamp": "2020-01-01T00:00:00Z"})


def _served_by_two_events(shop: Shop) -> None:
    left = shop.simulation.events_out.on_bus
    served = next(each for each in left if each["type"] == "order.served")
    left.append(served | {"id": "evt_other"})


def _code_in_an_event(shop: Shop) -> None:
    shop.simulation.events_out.heard.append(f"code={_last(shop).codes[0]}")


# The check, a story in which nothing is wrong, and what is done to what it left behind.
# What is true at a provider, and where the order does not have it.
_KNOWN = "3 what was paid at a provider is known"
_NOT_STORED: Mapping[str, tuple[str, Callable[[Shop], Any], Callable[[Shop], None]]] = {
    "paid at Mollie, not stored": (_KNOWN, _at("mollie", "paid"), _without("payments")),
    "refunded at Mollie, not stored": (_KNOWN, _at("mollie", "refunded"), _payment_without("refunded")),
    "disputed at Stripe, not stored": (_KNOWN, _at("stripe", "lost"), _payment_without("disputes")),
    "not refunded at Stripe, stored": (_KNOWN, _at("stripe", "refunded in vain"), _all_back_again),
    "canceled in WooCommerce, not stored": (_KNOWN, _at("woocommerce", "canceled"), _payment_without("goods", "8001")),
    "credited in Moneybird, not stored": (_KNOWN, _at("moneybird", "refunded in parts"), _payment_without("refunded")),
}
DAMAGES: Mapping[str, tuple[str, Callable[[Shop], None], Callable[[Shop], None]]] = {
    "an order is gone": ("1 paid orders have their codes", purchase, _lost),
    "its codes are gone": ("1 paid orders have their codes", purchase, _without("licenses")),
    "a code is of nobody": ("1 codes are where the orders say", purchase, _code_lost),
    "codes were not mailed": ("1 codes reach their customer", purchase, lambda s: s.simulation.ses.accepted.clear()),
    "a code is kept": ("1 codes that never left are sold again", refund_before, _kept),
    "by hand, and nothing given": ("1 orders by hand are served once", by_hand, _hand_without("licenses")),
    "by hand, and sent twice": ("1 orders by hand are served once", by_hand, _mailed_by_hand_again),
    "moved, and of both": ("2 no code goes to two orders", moved, _without("gone")),
    "moved, and sent by both": ("2 no code goes to two orders", moved, _sent_after_it_moved),
    "moved, and of nobody": ("1 codes are where the orders say", moved, _hand_without("licenses")),
    "two orders, one code": ("2 no code goes to two orders", purchase, _accepted(order="o2")),
    "a withdrawn code left": ("2 withdrawn codes never leave", purchase, _withdrawn_after_all),
    "a bad code stayed": ("2 everybody of a replaced batch has another code", batch_replaced, _still_bad),
    "unpaid": ("4 no code leaves unpaid", purchase, _unpaid),
    "given for less": ("4 money pays for the codes", purchase, _given_for_less),
    "given after a refund": ("4 money pays for the codes", purchase, _given_after_the_refund),
    "served from before": ("4 what was paid before waits", purchase, _served_though_before),
    "from before for ever": ("4 what was paid before waits", paid_before, _before_for_ever),
    "a second buyer vanished": ("12 who paid is served or waits for a person", second_buyer, _second_forgotten),
    "nobody is told": ("12 who paid is served or waits for a person", second_buyer, _without("attention_since")),
    "an exchange vanished": ("12 who paid is served or waits for a person", exchange, _exchanged_gone),
    "an exchange waits": ("12 who paid is served or waits for a person", exchange, _exchange_waits),
    "an exchange is gone": ("12 who paid is served or waits for a person", exchange, _lost),
    "exchanged, and kept": ("12 codes of what was exchanged are free again", exchange, _exchanged_kept),
    "a code of its own order": ("1 codes are where the orders say", own_order, _own_code_lost),
    "two of one": ("12 one payment is one", purchase, _counts_twice),
    "asked for nothing": ("12 one payment is one", purchase, _asks_for_nothing),
    "another's, and in line": ("2 nobody renews what is another customer's", stranger, _in_line),
    "another's, and served": ("2 nobody renews what is another customer's", stranger, _served_though_others),
    "another's name": ("2 nobody renews what is another customer's", stranger, _tells_of_the_owner),
    "a typed code is stored": ("2 typed codes are told to nobody", by_code, _code_stored),
    "a typed code is answered": ("2 typed codes are told to nobody", by_code, _code_answered),
    "a typed code is mailed": ("2 typed codes are told to nobody", by_code, _code_mailed),
    "a typed code is logged": ("2 typed codes are told to nobody", by_code, _code_logged),
    "a typed code is not known": ("1 paid orders have their codes", by_code, lambda _: _unserved("r1")),
    "one after the other": ("5 renewals side by side start together", in_parts, _too_early),
    "moved to another day": ("5 what a person decided of a renewal holds", renewal_moved, _too_early),
    "stopped, and sent": ("5 what a person decided of a renewal holds", renewal_stopped, _renewed_all_the_same),
    "a code comes twice": ("5 each code is delivered once", second_short, _delivered_again),
    "all wait for one": ("5 what is there waits for nothing that is short", second_short, _all_at_once),
    "refunded, and sent": ("4 what is refunded is not sent again", license_refunded, _sent_though_refunded),
    "a way on is missing": ("12 who waits has a way on", stranger, lambda _: _forgotten("r1")),
    "too early": ("5 renewals leave on their day", renewal, _too_early),
    "two deliveries": ("5 deliveries leave once", purchase, _accepted(mail="purchase-2")),
    "too late": ("5 deliveries are not late", purchase, _too_late),
    "reminded after the way out": ("offers: nobody is reminded after the way out", way_out, _reminded_again),
    "reminded after a report": ("offers: nobody is reminded after a spam report", reported, _reminded_again),
    "accepted twice": ("6 one attempt is accepted once", refund, _accepted()),
    "sent again at once": ("6 mails are sent again only in doubt", purchase, _sent_again_at_once),
    "sent again": ("6 mails are sent again only in doubt", purchase, _sent_again),
    "came back, and not sent": ("6 corrected addresses are written to", purchase, _corrected_in_vain),
    "codes came, and did not leave": ("5 codes that come serve who waits", purchase, _came_in_vain),
    "withdrawn by a trial": ("2 a trial changes nothing", purchase, _withdrawn_by_a_trial),
    "two of one license": ("5 no days are sold twice", renewal, _renewed_twice),
    "money back, and not told": ("12 who gets the money back is told", refund, _not_told_of_the_money),
    "asked for in vain": (
        "6 wishes are granted",
        purchase,
        lambda s: s.simulation.wishes.append((s.simulation.now, _last(s).to)),
    ),
    "to the former address": ("7 corrected addresses get nothing", purchase, _corrected_before),
    "to an older address": (
        "12 the newest address counts",
        purchase,
        lambda s: s.newest.update({"o1": "elders@klant.example"}),
    ),
    "given again, and not made": ("2 what is given again later is another order", purchase, _given_again),
    "gone, and nobody told": ("12 what comes too late is told", refund, _gone_in_silence),
    "of another product": ("1 codes are where the orders say", purchase, _of_another_product),
    "to somebody else": ("7 mails go to who bought", purchase, _accepted(to="elders@klant.example")),
    "not moved up": (
        "5 renewals follow each other",
        renewal,
        lambda s: s.in_line.append((date(2030, 1, 1), ("r1",))),
    ),
    "stuck": ("6 no mail is lost", purchase, _stuck),
    "promised": ("6 mails that were promised leave", purchase, _promised),
    "written": ("10 nobody touches what cannot be read", purchase, _written_though_unreadable),
    "no event for the shop": (
        "events: what happened leaves",
        purchase,
        lambda s: s.simulation.events_out.taken.clear(),
    ),
    "no event on the bus": ("events: what happened leaves", purchase, lambda s: s.simulation.events_out.on_bus.clear()),
    "one id, two events": ("events: what happened leaves", purchase, _event_told_otherwise),
    "one sale, two events": ("events: what happened leaves", purchase, _served_by_two_events),
    "a code in an event": ("events: no code and no address leaves", purchase, _code_in_an_event),
    "forgotten": ("11 fields of the future stay", purchase, _future_forgotten),
    "a code is lost": ("1 imported codes are in the table", purchase, _code_left_out),
    "imported, and gone": ("1 imported licenses are known", licenses_imported, lambda _: _unlicensed("oud-1")),
    "imported, and mailed": ("1 imported licenses are known", licenses_imported, _old_code_mailed),
    "a code that left is free": ("2 codes that left are not free", purchase, _free_again),
    "held, and sent": ("4 what a person holds stays", purchase, _held_before_it_left),
    "held by nobody": ("1 who is held has a reason", purchase, _held_for(by_person={"BOOL": True})),
    "held for nothing": ("1 who is held has a reason", purchase, _held_for(problem=_coded("no_address"))),
    "held from before": ("1 who is held has a reason", purchase, _held_for(from_before={"BOOL": True})),
    "held for another": ("1 who is held has a reason", purchase, _held_for(same_as={"S": "o2"})),
    "told, and less is known": ("12 what SES tells is stored", purchase, _delivered_less),
    "given back, and free": ("2 codes of withdrawn batches are not free", refund_before, _withdrawn_before),
    "before it was paid": ("5 nothing starts before it is paid", purchase, _a_day_too_early),
    "over, and sent": ("5 what is unusual waits", renewal, lambda s: s.unusual.update({"r1": date(2026, 10, 1)})),
    "bounced, and sent": ("6 addresses that bounced get nothing", purchase, _bounced_before),
    "three of two wishes": ("6 one wish makes one mail", resend, _without_wishes),
    "a code that ran out": ("1 codes leave while they can be activated", purchase, _mailed_too_late),
    "forgotten too early": ("7 nobody is forgotten too early", purchase, _erased_by_nobody),
    "reminded on another day": ("5 reminders come by the last day", purchase, _reminded_on_another_day),
    "asked for an address": ("6 good addresses are not asked for", purchase, _asked_for_an_address),
    "refused for an address": ("6 good addresses are not asked for", purchase, _not_sent_to_a_good_address),
    "put back in vain": ("2 what is put back is withdrawn no more", purchase, _put_back_in_vain),
    "waits, and no note": ("12 support is told of who waits", purchase, _waits_and_nobody_is_told),
    "two notes of a day": ("12 support gets one note a day", purchase, _told_twice),
    "a day too long": ("5 licenses last as long as was sold", purchase, _a_day_too_long),
    "erased, and there": ("7 what is erased is gone", purchase, _erased_in_vain),
    "late in good weather": ("5 deliveries are not late", purchase, _too_late_for_good_weather),
    "not found by a worker": (
        "12 what is stored is found",
        purchase,
        lambda s: s.simulation.not_found.append((s.simulation.now, "o1")),
    ),
    "not found by an agent": ("12 what is stored is found", purchase, _said_to_be_missing),
    "accepted, and not stored": ("12 what was accepted is stored", purchase, _refund_not_stored),
    "an event is not known": ("12 what SES tells is stored", purchase, _without_events),
    "failed": ("nothing fails in good weather", purchase, _failed),
    "failed for a conflict": ("nothing fails that AWS makes up for", purchase, _refused_for_a_conflict),
    "offered as another": ("1 free codes are offered as what they are", purchase, _under_another_name),
    "recalled, and given": ("2 codes of recalled batches do not leave", purchase, _recalled_before),
    "two orders of one wish": ("2 one wish makes one order", by_hand, _two_of_one_wish),
    "two mails of one wish": ("2 a double click is one", purchase, _granted_twice),
    **_NOT_STORED,
    "due for days": ("3 nothing that is due waits for ever", purchase, _overdue),
    "given up": ("6 mails are given up only when SES refuses them", purchase, _given_up),
    "leaked": ("7 nothing private leaks", purchase, LEAKS["a log line"]),
    "forged": ("8 nobody without a signature changes anything", purchase, _knocked(204, is_signed=False)),
    "malformed": ("9 bad input changes nothing", purchase, _knocked(204, is_signed=True)),
    "refused, and forgotten": ("12 what is refused is written down", purchase, _knocked(400, is_signed=True)),
    "unreadable, in silence": ("10 what cannot be written is set aside", purchase, _nobody_told),
    "unreadable, and not kept": ("12 what is told meanwhile is kept", purchase, _not_kept),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_check_finds_what_it_is_for(name: str) -> None:
    check, play, damage = DAMAGES[name]
    with a_shop(asked=tuple(APIS) if name in _NOT_STORED else ("mollie",)) as shop:
        play(shop)
        come_to_the_end(shop, codes=4)
        assert not violations(shop)

        damage(shop)

        assert check in {violation.check for violation in violations(shop)}


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_private_is_found_wherever_it_may_not_be(channel: str) -> None:
    with a_shop() as shop:
        purchase(shop)
        assert not violations(shop)

        LEAKS[channel](shop)

        assert f"{channel} has " in " ".join(map(str, violations(shop)))


def test_each_check_is_damaged_here() -> None:
    assert {check for check, _, _ in DAMAGES.values()} == set(CHECKS)


def _unconditional(call: AwsCall) -> AwsCall:
    """The same write, whatever stands there."""
    body = json.loads(call.content)
    for write in body.get("TransactItems", [{"Put": body}]):
        for each in write.values():
            if isinstance(each, dict) and each.pop("ConditionExpression", None):
                used = json.dumps({name: part for name, part in each.items() if name.endswith("Expression")})
                for kind in ("ExpressionAttributeValues", "ExpressionAttributeNames"):
                    each[kind] = {name: value for name, value in each.get(kind, {}).items() if f"{name}" in used}
                    if not each[kind]:
                        del each[kind]
    return replace(call, content=json.dumps(body))


def test_a_table_that_looks_at_no_condition_breaks_promises() -> None:
    """Two workers at one order send its mail twice, and two orders get one code."""
    with a_shop(stock=1) as shop:
        with no_pokes(shop):
            shop.sell(bought("o1"), shop.simulation.now + 1)
            shop.sell(bought("o2", email="ander@klant.example"), shop.simulation.now + 1)
        shop.simulation.cloud.changed = _unconditional
        shop.simulation.sqs.put("work", "o2", 0)
        twins(shop, "o1")

        found = {violation.check for violation in violations(shop)}

    assert {"2 no code goes to two orders", "1 codes are where the orders say"} <= found


def test_a_system_that_never_comes_to_rest_is_found() -> None:
    with a_shop() as shop:

        def again(run: Invocation | None = None) -> None:
            shop.simulation.machine.later(0, again)

        again()
        with pytest.raises(NeverEnds):
            shop.simulation.run(1)
