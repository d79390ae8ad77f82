"""What must hold at the end of a story at the doors of the system, and for what cannot be served: promises 3, 6 to 10
and 12. As in checks.py, each check is one function, and looks at the table by no rule of the product."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from tests.simulator.faults.faults import BEARABLE
from tests.simulator.faults.kept import read_what_was_before
from tests.simulator.faults.leaks import leaks
from tests.simulator.faults.schedules import NOTES, ZONE
from tests.simulator.faults.shop import HOUR, Shop
from tests.simulator.faults.simulation import Answered, Entry, Told, needs

Found = Iterator[tuple[str, str]]  # an order, and what is wrong with it
Items = Sequence[Mapping[str, Any]]  # the whole table
_MOST_OVERDUE = 12 * HOUR  # a schedule runs every quarter of an hour; one that pokes in vain, seldom in a story
_MOST_LASTING = 6 * HOUR  # until what fails again and again is set aside
_PUT_BACK = "POST /stock/{sku}/put-back"
_DONE = 300  # the status of an answer from which on nothing was done
_OURS = 500  # the status of an answer from which on it is our fault
_UNKNOWNS = 5  # attempts of unknown outcome, after which a mail is given up


def nothing_private_leaks(shop: Shop, items: Items) -> Found:
    yield from (("-", text) for text in leaks(shop.simulation, items))


def nobody_without_a_signature_changes_anything(shop: Shop, _: Items) -> Found:
    for knock in shop.simulation.knocks:
        if not knock.is_signed and knock.status not in (400, 401) and knock.status < _OURS:
            yield knock.order, f"a forged callback was answered with {knock.status}"
        yield from _stored_all_the_same(shop, knock.order)


def bad_input_changes_nothing(shop: Shop, _: Items) -> Found:
    """And is answered with what is wrong; also where we fail, the caller is told."""
    for knock in shop.simulation.knocks:
        if knock.is_signed and not 400 <= knock.status <= 503:
            yield knock.order, f"a malformed callback was answered with {knock.status}"
            yield from _stored_all_the_same(shop, knock.order)


def _stored_all_the_same(shop: Shop, order: str) -> Found:
    if order not in shop.sales and shop.simulation.item(order) is not None:
        yield order, "nobody told of it who may, and it is stored"


def genuine_callbacks_that_change_nothing_are_written_down(shop: Shop, items: Items) -> Found:
    """Promise 12: what is wrong with one that its shop signed stands in the inbox; so does what changes no order."""
    remarks = [item for item in items if item["pk"].startswith("INBOX#")]
    refused = [knock for knock in shop.simulation.knocks if knock.is_signed and knock.status < _OURS]
    least = len(refused) + shop.simulation.remarked
    if least > len(remarks):
        yield "-", f"{least} signed callbacks changed no order, and the inbox has {len(remarks)} remarks"


def what_cannot_be_written_is_set_aside(shop: Shop, _: Items) -> Found:
    """And an agent finds it: it stands in the worklist."""
    for order, since in shop.broken_at.items():
        is_tried = any(order in entry.orders and entry.at > since for entry in shop.simulation.journal)
        is_long = shop.simulation.now > since + 2 * _MOST_LASTING
        aside = shop.simulation.aside(order) or {}
        if order in shop.unreadable and is_long and is_tried and not aside.get("attention"):
            yield order, "it cannot be read, and nobody is told"


def what_is_told_meanwhile_is_kept(shop: Shop, _: Items) -> Found:
    """Of an order that cannot be written: beside it, until it can be."""
    for order in shop.unreadable:
        told = [each for each in shop.simulation.told if _is_of_broken(shop, order, each)]
        kept = [text for name, text in (shop.simulation.aside(order) or {}).items() if name.startswith("told_")]
        kinds = {json.loads(text)["kind"] for text in kept}
        if told and not kinds & {"payment", "canceled"}:
            yield order, f"{[each.kind for each in told]} was told of it and accepted, and is not kept"


def _is_of_broken(shop: Shop, order: str, told: Told) -> bool:
    return told.order == order and told.at > shop.broken_at[order] + 60 and told.kind != "order.open"


def nothing_that_is_due_waits_for_ever(shop: Shop, items: Items) -> Found:
    """Promise 3: its clock was served, or stands beside it because it is set aside; also that of a batch or product."""
    now = shop.simulation.now
    for item in items:
        due, order = item.get("due_at"), item["pk"].partition("#")[2]
        is_short = item.get("replacing", {}).get("state") == "short"  # it is looked at again and again until codes come
        if not due or is_short or (item["pk"].startswith("ORDER#") and needs(shop.simulation.aside(order))):
            continue
        overdue = now - datetime.fromisoformat(due.partition("#")[0]).timestamp()
        if overdue > _MOST_OVERDUE and order not in shop.unreadable | shop.stuck:
            yield order, f"{item['pk']} is due for {overdue / HOUR:.0f} hours, and nobody is told"


def what_was_paid_at_a_provider_is_known(shop: Shop, _: Items) -> Found:
    """Promise 3: and what went back there, also when no callback ever came."""
    for moved in shop.simulation.unknown():
        if moved.payment.order not in shop.unreadable | shop.stuck:
            yield moved.payment.order, f"{moved.text} is true at {moved.api.name}, and nobody knows it"


def a_double_click_is_one(shop: Shop, _: Items) -> Found:
    """Of one wish, told twice in one instant, one mail comes."""
    wishes = [each for each in shop.simulation.answers if each.mail and each.route.endswith("/resend")]
    for (order, asked_at, _body), same in groupby(sorted(wishes, key=_wish), _wish):
        mails = sorted({str(each.mail) for each in same})
        if len(mails) > 1:
            yield order, f"one wish of {asked_at:.0f} was granted by {mails}"


def _wish(answer: Answered) -> tuple[str, float, str]:
    return answer.order, answer.asked_at, json.dumps(dict(answer.body), sort_keys=True)


def mails_are_given_up_only_when_ses_refuses_them(shop: Shop, items: Items) -> Found:
    """Promise 6: for good, or when nobody will ever know."""
    ses = shop.simulation.ses
    refused = {fault.place for fault in shop.simulation.faults.happened if fault.kind == "mail refused"}
    for item in items:
        order = item["pk"].partition("#")[2]
        for mail in item.get("mails", ()):
            why = (mail.get("problem") or {}).get("code")
            is_refused = order in ses.refused or any(order in place for place in refused)
            is_known = is_refused or why == "address_takes_no_mail"
            is_spent = why == "never_known" and mail.get("unknowns", 0) >= _UNKNOWNS
            if mail.get("state") == "failed" and not is_known and not is_spent:
                yield order, f"{mail['id']} was given up for {why}, and SES never refused it"


def what_aws_makes_up_for_fails_nothing(shop: Shop, _: Items) -> Found:
    """Where only such things happened as the system bears by itself, no invocation fails, and no agent is refused."""
    is_borne = {fault.kind for fault in shop.simulation.faults.happened} <= BEARABLE
    was_away = any(provider.was_away for provider in shop.simulation.providers.values())
    if is_borne and not shop.broken and not shop.stuck and not was_away:
        yield from (
            (" ".join(failure.orders), failure.text) for failure in shop.simulation.failures if is_of_orders(failure)
        )
        yield from (
            (each.order or "-", f"{each.route}: {each.status}")
            for each in shop.simulation.answers
            if each.status >= _OURS
        )


def is_of_orders(failure: Entry) -> bool:
    """The poke of a batch or a product is about many orders, and comes again when one of them is busy."""
    return not any(each.startswith(("BATCH#", "CODES#")) for each in failure.orders)


def one_wish_makes_one_order(shop: Shop, _: Items) -> Found:
    """An agent who presses twice makes one order by hand."""
    made = {key: {each.said["order_id"] for each in same} for key, same in _by_key(shop)}
    yield from (("-", f"one wish made {sorted(orders)}") for orders in made.values() if len(orders) > 1)


def _by_key(shop: Shop) -> Iterator[tuple[str, list[Answered]]]:
    made = (each for each in shop.simulation.answers if each.key and each.route == "POST /orders")
    wishes = [each for each in made if "order_id" in each.said]
    for key, same in groupby(sorted(wishes, key=lambda each: each.key), lambda each: each.key):
        yield key, [*same]


def a_trial_changes_nothing(shop: Shop, _: Items) -> Found:
    """A batch that nobody withdrew, but asked what that would change, is not among those that are withdrawn."""
    recalled = {each.partition("#")[2] for _, batches in shop.simulation.recalled for each in batches}
    asked = [each for each in shop.simulation.answers if "batch" in each.body and each.route != "POST /stock/{sku}"]
    for batch in {str(each.body["batch"]) for each in asked if each.route.endswith("?dry_run=true")} & recalled:
        if not any(each.body["batch"] == batch for each in asked if "?" not in each.route):
            yield "stock", f"{batch} is withdrawn, and somebody only asked what that would change"


def what_is_put_back_is_withdrawn_no_more(shop: Shop, _: Items) -> Found:
    """A batch that an agent put back after it had been withdrawn: its next codes can be imported."""
    asked = [each for each in shop.simulation.answers if each.route in ("POST /stock/{sku}/withdraw", _PUT_BACK)]
    newest = {str(each.body["batch"]): each for each in sorted(asked, key=lambda each: each.at)}
    named = shop.simulation.recalled[-1][1] if shop.simulation.recalled else frozenset[str]()
    for batch in {each.partition("#")[2] for each in named} & newest.keys() - shop.replaced:
        times = [each for each in asked if each.body["batch"] == batch]
        is_last = all(each.at <= newest[batch].asked_at for each in times if each is not newest[batch])
        if newest[batch].route == _PUT_BACK and newest[batch].status < _DONE and is_last:
            yield "stock", f"{batch} was put back, and is withdrawn still"


def what_is_given_again_later_is_another_order(shop: Shop, _: Items) -> Found:
    """Without the key of a wish two requests are one only when they come together."""
    made = [each for each in shop.simulation.answers if each.route == "POST /orders" and not each.key]
    given = sorted((each for each in made if "order_id" in each.said), key=lambda each: each.asked_at)
    for first, again in pairwise(given):
        if first.said["order_id"] == again.said["order_id"] and again.asked_at >= first.asked_at + HOUR:
            yield str(first.said["order_id"]), "what was given again after an hour is no order of its own"


def wishes_are_granted(shop: Shop, _: Items) -> Found:
    """Promise 6: a customer who asks on the page for the first time gets the codes that had left before."""
    ses, asked = shop.simulation.ses, set[str]()
    for at, address in shop.simulation.wishes:
        if address in asked:
            continue
        asked.add(address)
        before = {mail.order for mail in ses.accepted if mail.to == address and mail.codes and mail.at < at}
        after = {mail.order for mail in ses.accepted if mail.to == address and mail.codes and mail.at > at}
        for order in before - after:
            if order in shop.sales and _may_be_sent_again(shop, order, address):
                yield order, "its customer asked for it on the page, and nothing left"


def _may_be_sent_again(shop: Shop, order: str, address: str) -> bool:
    """It is as it was when it left: nobody told or asked anything of it since."""
    simulation = shop.simulation
    item = simulation.item(order) or {}
    told = [each for each in simulation.told if each.order == order and each.kind != "order.open"]
    is_quiet = len(told) == 1 and not any(each.order == order for each in simulation.answers)
    is_blocked = address in simulation.ses.suppressed or address in simulation.ses.complaints
    is_set_aside = order in shop.unreadable | shop.stuck | shop.contested
    return is_quiet and not is_blocked and not is_set_aside and not item.get("forget_on") and not needs(item)


def codes_of_recalled_batches_do_not_leave(shop: Shop, items: Items) -> Found:
    """None is given to an order after its batch was named among those that are withdrawn."""
    batch_of = {item["code"]: f"{item['sku']}#{item.get('batch', '')}" for item in items if "tail" in item}
    for order, saves in shop.simulation.saves.items():
        seen = set[str]()
        for saved in saves:
            new = {one["code"] for one in saved.item.get("licenses", ())} - seen
            seen |= new
            recalled = frozenset() if read_what_was_before(shop, saved) else _recalled_at(shop, saved.at - 1)
            yield from ((order, f"it got a code of {batch_of[each]}") for each in new if batch_of.get(each) in recalled)


def _recalled_at(shop: Shop, moment: float) -> frozenset[str]:
    """The batches that were withdrawn then, and still were a second later."""
    before = [batches for at, batches in shop.simulation.recalled if at <= moment][-1:]
    after = [batches for at, batches in shop.simulation.recalled if moment < at <= moment + 1]
    return frozenset.intersection(*before, *after) if before else frozenset()


def support_gets_one_note_a_day(shop: Shop, _: Items) -> Found:
    """Unless nobody who lives was told that SES took it."""
    notes = [mail for mail in shop.simulation.ses.accepted if mail.mail.startswith("daily-note")]
    for name, same in groupby(sorted(notes, key=lambda mail: (mail.mail, mail.at)), lambda mail: mail.mail):
        first, *again = same
        if again and not shop.simulation.ses.is_doubtful(first):
            yield "-", f"{name} was sent {1 + len(again)} times"


def support_is_told_of_who_waits(shop: Shop, _: Items) -> Found:
    """By the last run of a day that nothing kept from it, of what waits for a person since the first one."""
    simulation, planned = shop.simulation, sorted({*shop.simulation.schedules.notes_at})
    written = {mail.mail for mail in simulation.ses.accepted} | {mail for _, mail, _ in simulation.ses.doubtful}
    for first, last in zip(planned[:: len(NOTES)], planned[len(NOTES) - 1 :: len(NOTES)], strict=True):
        name = f"daily-note-{datetime.fromtimestamp(last, ZONE).date()}"
        waiting = [order for order in simulation.saves if _waits(shop, order, first, last + HOUR)]
        if waiting and name not in written and last + HOUR < simulation.now and not _is_kept_from(shop, last):
            yield waiting[0], f"it waits for a person, and support did not get {name}"


def _is_kept_from(shop: Shop, moment: float) -> bool:
    """Whether something went wrong with a note about then, or SES took no mail."""
    faults = shop.simulation.faults.happened
    troubles = [each.at for each in faults if "daily_note" in each.place or "daily-note" in each.place]
    pauses = (end for end in shop.simulation.ses.pauses if end != shop.ends)  # which ends all of them
    return any(abs(at - moment) < HOUR for at in troubles) or any(end > moment - HOUR for end in pauses)


def _waits(shop: Shop, order: str, since: float, until: float) -> bool:
    """For a person, all the time."""
    saves = shop.simulation.saves[order]
    before = [saved for saved in saves if saved.at < since][-1:]
    between = [saved for saved in saves if since <= saved.at <= until]
    return bool(before) and all(needs(saved.item) for saved in (*before, *between))


def free_codes_are_offered_as_what_they_are(shop: Shop, items: Items) -> Found:
    """Under their product, and their last day."""
    for item in items:
        if item.get("state") == "free" and item.get("stock") != item.get("sku"):
            yield "stock", f"a free code of {item.get('sku')} stands under {item.get('stock')}"
        if item.get("state") == "free" and item["code"] in shop.last_days:
            last_day = str(shop.last_days[item["code"]])
            if item.get("activate_before") != last_day or not item.get("stock_order", "").startswith(last_day):
                yield "stock", f"a free code to be activated by {last_day} stands under {item.get('stock_order')}"
