"""What must hold at the end of a story for what reached the system, or left it: it is stored, and it is found again.
As in checks.py, each check is one function over what was said and the table, by no rule of the product."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from tests.simulator.faults.ses import attempt_of
from tests.simulator.faults.shop import Shop, day_of
from tests.simulator.faults.simulation import Answered, Saved, needs

Found = Iterator[tuple[str, str]]  # an order, and what is wrong with it
Items = Sequence[Mapping[str, Any]]  # the whole table
_A_WHILE = 60.0  # seconds in which a worker may not have seen what another one wrote
_NOT_THERE = ("address_bounced", "address_complained")  # why an agent is refused who has something sent
_DONE = 300  # the status of an answer from which on nothing was done
_WITH_CODES = ("purchase", "renewal", "resend")  # how the names of mails with codes begin
# What SES may tell of a mail, each more final than those before it.
_FATES = {"Delivery": "delivered", "Bounce": "bounced", "Complaint": "complained"}
_FINAL = ("sent", *_FATES.values())
_UNHEARD = ("pending", "sending", "unknown")  # the states of a mail of which SES has told nothing


def what_is_stored_is_found(shop: Shop, _: Items) -> Found:
    """By a worker that is poked, and by an agent who asks for it."""
    for begun, order in shop.simulation.not_found:
        if _is_stored_by(shop, order, begun):
            yield order, "a worker was poked for it and did not find it"
    for answer in shop.simulation.answers:
        if answer.said.get("code") == "no_such_order" and _is_stored_by(shop, answer.order, answer.asked_at):
            yield answer.order, f"an agent asked {answer.route} and was told that there is no such order"


def _is_stored_by(shop: Shop, order: str, moment: float) -> bool:
    first = next(iter(shop.simulation.saves.get(order, ())), None)
    return first is not None and first.at < moment


# By the kind of a callback, whether one of an order's payments shows that it was told.
_TRACES: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "order.paid": lambda payment: payment["state"] == "paid",
    "order.refunded": lambda payment: bool(payment.get("refunded")),
    "order.disputed": lambda payment: bool(payment.get("disputes")),
    "order.dispute_closed": lambda payment: bool(payment.get("disputes")),
}


def what_was_accepted_is_stored(shop: Shop, items: Items) -> Found:
    """Each callback that was answered as accepted left a trace in its order, or in one that its payment became."""
    stored = {item["pk"]: item for item in items}
    for told in shop.simulation.told:
        family = [stored.get(f"ORDER#{told.order}{part}", {}) for part in ("", "-2", "-3")]
        payments = [payment for item in family for payment in item.get("payments", ()) if isinstance(payment, dict)]
        trace = _TRACES.get(told.kind)
        is_out_of_question = told.order in shop.unreadable | shop.stuck
        if trace and not is_out_of_question and not any(map(trace, payments)):
            yield told.order, f"{told.kind} was accepted, and nothing of it is stored"


def what_ses_tells_is_stored(shop: Shop, items: Items) -> Found:
    """Each event that SES sent of a mail is known to the order of that mail, or one that says more of that attempt."""
    stored = {item["pk"].removeprefix("ORDER#"): item for item in items if item["pk"].startswith("ORDER#")}
    for event in shop.simulation.events:
        order, name, attempt = attempt_of(event)
        mails = stored.get(order, {}).get("mails", ()) if order not in shop.unreadable | shop.stuck else ()
        mail = next((each for each in mails if each["id"] == name), None)
        kind = json.loads(event)["detail"]["eventType"]
        if mail and not _is_known(mail, kind, attempt):
            yield order, f"SES sent a {kind} of attempt {attempt} of {name}, which is {mail['state']}"


def _is_known(mail: Mapping[str, Any], kind: str, attempt: int) -> bool:
    if kind == "Send":
        return mail["state"] not in _UNHEARD
    known = (told["fate"] for told in mail.get("told", ()) if told["attempt"] == attempt)
    return any(_FINAL.index(fate) >= _FINAL.index(_FATES[kind]) for fate in known)


def imported_codes_are_in_the_table(shop: Shop, items: Items) -> Found:
    """All codes of an import that was answered as done, unless their batch was withdrawn before."""
    codes = {item["code"] for item in items if item["pk"].startswith("CODE#")}
    for answer in shop.simulation.answers:
        if answer.route == "POST /stock/{sku}" and answer.status < _DONE:
            missing, batch = {*answer.body["codes"]} - codes, f"#{answer.body.get('batch', '')}"
            withdrawn = (each for at, batches in shop.simulation.recalled if at < answer.at for each in batches)
            if missing and not any(each.endswith(batch) for each in withdrawn):
                yield "stock", f"{len(missing)} of {len(answer.body['codes'])} imported codes are not stored"


def imported_licenses_are_known(shop: Shop, items: Items) -> Found:
    """Of each import of what was sold before that came to its end: the codes and days of each order are stored, and no
    code is mailed because of it."""
    stored = {item["pk"]: item for item in items}
    for order, old in shop.olds.items():
        licenses = stored.get(f"ORDER#{order}", {}).get("licenses", ())
        (line,) = old.sale.lines
        wanted = {(code, line["period_start"], line["period_end"]) for code in old.codes}
        known = {(one["code"], one["first_day"], one["last_day"]) for one in licenses}
        if order in shop.known_olds and known != wanted:
            yield order, f"its import came to its end, and it has {len(wanted & known)} of {len(wanted)} licenses"
        yield from (
            (order, f"{mail.mail} left because of an import")
            for mail in shop.simulation.ses.accepted
            if {*mail.codes} & {*old.codes} and not _is_asked_for(shop, order, mail.mail)
        )


def _is_asked_for(shop: Shop, order: str, mail: str) -> bool:
    return any(each.order == order and each.mail == mail for each in shop.simulation.answers)


def nobody_is_forgotten_too_early(shop: Shop, items: Items) -> Found:
    """No order is erased of which no agent asked that: all customers of a shop have bought in these days."""
    asked = {each.body["email"] for each in shop.simulation.answers if each.route.endswith("/customers/erase")}
    emails = {name: sale.email for name, sale in shop.sales.items()} | {
        name: old.sale.email for name, old in shop.olds.items()
    }
    for item in items:
        order = item["pk"].removeprefix("ORDER#")
        if item.get("forget_on") and order in emails and emails[order] not in asked and order not in shop.unreadable:
            yield order, "its customer is forgotten, and nobody asked for that"


def codes_that_left_are_not_free(shop: Shop, items: Items) -> Found:
    """What a customer may have activated is not sold to anybody else."""
    left = {code: mail for mail in shop.simulation.ses.accepted for code in mail.codes}
    for item in items:
        if item.get("state") == "free" and item["code"] in left:
            mail = left[item["code"]]
            yield mail.order, f"a code of {mail.mail} is free again"


def licenses_last_as_long_as_was_sold(shop: Shop, items: Items) -> Found:
    """All products of a shop last so many days, and so does each period of which a provider tells."""
    days = shop.term_days
    for item in items:
        periods = (*item.get("licenses", ()), *item.get("terms", ())) if item["pk"].startswith("ORDER#") else ()
        for each in (period for period in periods if "first_day" in period):
            first, last = (date.fromisoformat(each[name]) for name in ("first_day", "last_day"))
            if (last - first).days != days - 1:
                yield item["pk"].partition("#")[2], f"what was sold for {days} days lasts from {first} to {last}"


def reminders_come_by_the_last_day(_: Shop, items: Items) -> Found:
    """As it is now: a renewal that moved has moved its reminders."""
    for item in items:
        periods = (*item.get("licenses", ()), *item.get("terms", ())) if item["pk"].startswith("ORDER#") else ()
        last_days = {each["line"]: each["last_day"] for each in periods if "last_day" in each}
        for each in (each for each in item.get("reminders", ()) if each["line"] in last_days):
            last_day = date.fromisoformat(last_days[each["line"]])
            if day_of(each["at"]) != last_day - timedelta(days=each["days"]):
                text = (
                    f"a reminder of {each['days']} days comes on {day_of(each['at'])}, its license ends on {last_day}"
                )
                yield item["pk"].partition("#")[2], text


def nothing_starts_before_it_is_paid(shop: Shop, items: Items) -> Found:
    """What was bought without a period starts on the day of the payment or later, by the calendar of the shop."""
    for item in items:
        order = item["pk"].removeprefix("ORDER#")
        lines = shop.sales[order].lines if order in shop.sales else ({"renews": "what is not known"},)
        if order in shop.unreadable or any("period_start" in line or "renews" in line for line in lines):
            continue
        told = (each for each in shop.simulation.told if each.order == order and each.kind == "order.paid")
        paid_on = min((day_of(each.said_at) for each in told), default=date.min)
        for one in item.get("licenses", ()):
            if "first_day" in one and date.fromisoformat(one["first_day"]) < paid_on:
                yield order, f"{one['id']} starts on {one['first_day']}, and it was paid on {paid_on}"


def what_is_unusual_waits(shop: Shop, _: Items) -> Found:
    """Of a renewal whose time is over nothing leaves, unless a person decided about it."""
    for order, last_day in shop.unusual.items():
        asked = [each.asked_at for each in shop.simulation.answers if each.order == order]
        yield from (
            (order, f"{mail.mail} left, and its period was over on {last_day}")
            for mail in shop.simulation.ses.accepted
            if mail.order == order and mail.codes and not any(at < mail.at for at in asked)
        )


def addresses_that_bounced_get_nothing(shop: Shop, _: Items) -> Found:
    """Once an event told it, no mail to it is begun any more, unless an agent lifted that."""
    simulation = shop.simulation
    lifted = [each.asked_at for each in simulation.answers if each.body.get("lift_suppression")]
    for mail in simulation.ses.accepted:
        told_at = simulation.bounced.get(mail.to)
        claim = simulation.claims.get((mail.order, mail.mail, mail.attempt))
        if told_at is None or claim is None or claim.at < told_at + _A_WHILE:
            continue
        if not any(told_at < at < mail.at for at in lifted) and not read_what_was_before(shop, claim):
            yield (
                mail.order,
                f"{mail.mail} was begun {claim.at - told_at:.0f} s after {mail.to} was known to bounce",
            )


def good_addresses_are_not_asked_for(shop: Shop, _: Items) -> Found:
    """While SES tells nothing bad of its address no order waits for another one, and no agent is told to find one."""
    ses, simulation = shop.simulation.ses, shop.simulation
    told = (json.loads(event)["detail"] for event in simulation.events)
    bad = {*ses.suppressed, *ses.unknown} | {
        each["mail"]["destination"][0] for each in told if each["eventType"] in ("Bounce", "Complaint")
    }
    for order, saves in simulation.saves.items():
        refused = [each for each in simulation.answers if each.order == order and _why(each) in _NOT_THERE]
        waiting = (saved.item for saved in saves if needs(saved.item) == "address")
        stored = (saved.item for each in refused for saved in saves if saved.at < each.asked_at)
        emails = {item.get("customer", {}).get("email") for item in waiting}
        emails |= {item.get("customer", {}).get("email") for item in [*stored][-1:]}
        yield from (
            (order, f"{email} never bounced, and another address is asked for") for email in emails - bad - {None}
        )


def _why(answer: Answered) -> str:
    """Why nothing was sent again."""
    is_it = answer.said.get("code") == "not_sent_again"
    return str(answer.said["values"]["why"]["code"]) if is_it else ""


def mails_go_to_who_bought(shop: Shop, _: Items) -> Found:
    """To the address that was told of their order, or that an agent wrote for it or for another one of its customer."""
    simulation = shop.simulation
    for mail in simulation.ses.accepted:
        sale = shop.sales.get(mail.order)
        if sale and mail.to.casefold() not in _addresses(shop, mail.order, sale.email):
            yield mail.order, f"{mail.mail} left for {mail.to}, where nobody bought it"


def _addresses(shop: Shop, order: str, email: str) -> set[str]:
    simulation = shop.simulation
    told = {str(each.data["email"]) for each in simulation.told if each.order == order and "email" in each.data}
    written = set[str]()
    for answer in shop.simulation.answers:
        is_theirs = answer.order == order or (answer.order in shop.sales and shop.sales[answer.order].email == email)
        if answer.may_be_done and is_theirs:
            written |= {str(answer.body[name]) for name in ("email", "to") if name in answer.body}
    return {each.casefold() for each in {email, *told, *written}}


def read_what_was_before(shop: Shop, claim: Saved) -> bool:
    """Whether who claimed it was shown what was stored long before, which AWS would do for a second."""
    name = claim.by.name if claim.by else ""
    faults = (fault for fault in shop.simulation.faults.happened if fault.kind == "stale read")
    return any(fault.place.startswith(f"{name} ") for fault in faults)


def corrected_addresses_get_nothing(shop: Shop, _: Items) -> Found:
    """Of what is begun after an agent wrote another address, only the notice of that leaves for the former one."""
    simulation = shop.simulation
    written = [each for each in simulation.answers if _writes_address(each)]
    elsewhere = {str(each.body["to"]) for each in simulation.answers if "to" in each.body}
    for mail in simulation.ses.accepted:
        claim = simulation.claims.get((mail.order, mail.mail, mail.attempt))
        is_notice = mail.purpose == "address_changed"
        if claim is None or is_notice or mail.order not in shop.sales or mail.order in shop.contested:
            continue
        theirs = {mail.order, *_renewed(shop, mail.order)}
        known = [each for each in written if each.order in theirs and each.at + _A_WHILE < claim.at]
        since = known[-1].asked_at if known else math.inf
        newest = (each for each in written if _is_of_one_customer(shop, each.order, mail.order))
        right = {str(each.body["email"]).casefold() for each in newest if each.asked_at >= since}
        if known and mail.to.casefold() not in right | elsewhere:
            yield mail.order, f"{mail.mail} left for {mail.to}, and an agent had written another address"


def _renewed(shop: Shop, order: str) -> set[str]:
    """The orders of the same customer that an order renews."""
    named = {str(line.get("renews", "")).partition("/")[0] for line in shop.sales[order].lines}
    return {name for name in named if name in shop.sales and _is_of_one_customer(shop, name, order)}


def _writes_address(answer: Answered) -> bool:
    is_address = answer.route.startswith("PUT /orders/{order_id}/") and "email" in answer.body
    return is_address and answer.status < _DONE


def _is_of_one_customer(shop: Shop, order: str, other: str) -> bool:
    return order == other or (order in shop.sales and shop.sales[order].email == shop.sales[other].email)


def the_newest_address_counts(shop: Shop, _: Items) -> Found:
    """By what the shop said when, in whatever order that came."""
    for mail in shop.simulation.ses.accepted:
        newest = shop.newest.get(mail.order, mail.to)
        if mail.codes and mail.to != newest:
            yield mail.order, f"{mail.mail} left for {mail.to}, and the newest word of the shop was {newest}"


def codes_of_withdrawn_batches_are_not_free(shop: Shop, items: Items) -> Found:
    """Neither those that an order gave back long after it was withdrawn."""
    recalled = shop.simulation.recalled[-1][1] if shop.simulation.recalled else frozenset[str]()
    for item in items:
        name = f"{item.get('sku')}#{item.get('batch', '')}"
        if item.get("state") == "free" and name in recalled and _given_back(shop, item["code"], name):
            yield "stock", f"a code of {name} is free, which is withdrawn"


def _given_back(shop: Shop, code: str, batch: str) -> bool:
    """Whether an order that had a code gave it back a while after its batch was withdrawn for the last time."""
    times = shop.simulation.recalled
    since = next((at for at, batches in reversed(times) if batch not in batches), times[0][0])
    since = min((at for at, batches in times if batch in batches and at >= since), default=since)
    for saves in shop.simulation.saves.values():
        for before, after in pairwise(saves):
            if _has(before, code) and not _has(after, code) and after.at > since + _A_WHILE:
                return True
    return False


def _has(saved: Saved, code: str) -> bool:
    return any(one["code"] == code for one in saved.item.get("licenses", ()))


def what_a_person_holds_stays(shop: Shop, _: Items) -> Found:
    """No code leaves between the answer to a hold and the next thing that an agent asks for the order."""
    for order in {answer.order for answer in shop.simulation.answers if answer.order}:
        for held, until in _holds(shop, order):
            yield from (
                (order, f"{name} was claimed while it was held")
                for (_, name, _), claim in _claims(shop, order)
                if held < claim.at < until and name.startswith(_WITH_CODES)
            )


def _holds(shop: Shop, order: str) -> Iterator[tuple[float, float]]:
    asked = sorted((each for each in shop.simulation.answers if each.order == order), key=lambda each: each.at)
    last = Answered(shop.simulation.now, order, "", 0, None, shop.simulation.now)
    yield from (
        (held.at, until.asked_at)
        for held, until in pairwise([*asked, last])
        if held.route.endswith("/hold") and held.status < _DONE
    )


def _claims(shop: Shop, order: str) -> Iterator[tuple[tuple[str, str, int], Saved]]:
    return ((key, saved) for key, saved in shop.simulation.claims.items() if key[0] == order)


def what_is_erased_is_gone(shop: Shop, items: Items) -> Found:
    """After an erasure that was answered as done no item has the address, but the orders that were new after it, also
    those that an agent made: nothing that is told of an erased one brings its customer back."""
    erased = {item["pk"] for item in items if item.get("forget_on")}
    for answer in shop.simulation.answers:
        if answer.route.endswith("/customers/erase") and answer.status < _DONE:
            again = {f"ORDER#{told.order}" for told in shop.simulation.told if told.at > answer.asked_at} - erased
            made = (each for each in shop.simulation.answers if each.route == "POST /orders")
            again |= {f"ORDER#{each.said.get('order_id')}" for each in made if each.at > answer.asked_at}
            left = [item["pk"] for item in items if answer.body["email"] in repr(item) and item["pk"] not in again]
            yield from ((key.partition("#")[2], f"{key} has the address of a customer who was erased") for key in left)
