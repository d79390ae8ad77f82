"""What must hold at the end of a story, by the promises of the design (section 2). Each check is one function over the
evidence. It looks at what callbacks and agents said, at what SES took and at the table, by no rule of the product."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby, pairwise
from typing import Any

from tests.simulator.faults import boundary, kept
from tests.simulator.faults.books import Books, unpaid_codes
from tests.simulator.faults.evidence import Evidence, is_held
from tests.simulator.faults.schedules import ZONE
from tests.simulator.faults.ses import Accepted
from tests.simulator.faults.shop import Shop, day_of
from tests.simulator.faults.simulation import Answered, Simulation, needs, plain

_LATEST = 3 * 3600.0  # seconds after nothing stood in the way of a mail any more
_LATEST_RENEWED = _LATEST + 12 * 3600
_LATEST_IN_GOOD_WEATHER = 1800.0  # a schedule runs every quarter of an hour
_DOUBT = 13 * 60.0  # seconds in which SES may still tell of a mail; it counts from the claim
_WORKER = 60.0  # seconds that one may run
_ABOUT = 300.0  # seconds between what belongs together
_FAILED = 300  # the status of an answer from which on nothing was done
_MAIL_DAYS = timedelta(days=7)
_DELIVERIES = ("purchase", "renewal")
_SERVED = (None, "block", "concern", "paid_twice")  # what an order may need that has all that it is to have
_NO_CODES = ("reminder", "waiting", "paid_ahead", "address_changed", "refunded", "sent_elsewhere", "license_moved")


@dataclass(frozen=True, slots=True)
class Violation:
    check: str
    order: str
    text: str

    def __str__(self) -> str:
        return f"{self.check}: {self.order}: {self.text}"


Found = Iterator[tuple[str, str]]  # an order, and what is wrong with it


# --- promise 1


def paid_orders_have_their_codes(evidence: Evidence) -> Found:
    for order, sale in evidence.sales.items():
        if not evidence.is_owed(order):
            continue
        if order not in evidence.items:
            yield order, "it was paid, and it is not stored"
            continue
        have = Counter(license_["line"] for license_ in evidence.items[order].get("licenses", ()))
        for number, line in enumerate(sale.lines, start=1):
            if have[number] > line["quantity"]:
                yield order, f"line {number} has {have[number]} codes, {line['quantity']} were paid"
            elif have[number] < line["quantity"] and not evidence.is_still_to_come(order, number):
                yield from _why_short(evidence, order, number)


def _why_short(evidence: Evidence, order: str, line: int) -> Found:
    """A renewal of what cannot be read or written is set aside itself, and people are told of it."""
    lacks = needs(evidence.items[order]) or needs(evidence.simulation.aside(order))
    lacks_base = evidence.may_lack_its_base(order)
    told = (each.at for each in evidence.simulation.saves[order] if needs(each.item) == "other_customer")
    since = min(told, default=0)  # a release before that answered another question
    waits = order in evidence.shop.strangers and all(each.at < since for each in evidence.asked(order, "release"))
    allowed = {"renews": lacks_base, "failing": lacks_base, "address": evidence.has_bounced(order)}
    renewed = str(evidence.sales[order].lines[line - 1].get("renews", "")).partition("/")[0]
    is_erased = bool(evidence.items.get(renewed, {}).get("forget_on"))  # nobody can tell any more whose it was
    has_moved = bool(evidence.moved_away(renewed))  # another customer has it now
    allowed["unusual_start"] = order in evidence.shop.unusual and not evidence.asked(order, "release")
    allowed["other_customer"] = waits or is_erased or has_moved
    if not allowed.get(lacks or "", False):
        yield order, f"line {line} lacks codes, which are in stock, and the order needs {lacks}"


def codes_reach_their_customer(evidence: Evidence) -> Found:
    for order in evidence.sales:
        if not evidence.is_owed(order) or order not in evidence.items or evidence.is_unreachable(order):
            continue
        for license_ in evidence.current(order):
            waits = evidence.is_still_to_come(order, license_["line"]) or evidence.may_lack_its_base(order)
            if license_["code"] not in evidence.mailed(order) and not waits:
                yield (
                    order,
                    f"license {license_['id']} was never mailed; it needs {evidence.items[order].get('attention')}",
                )


def codes_are_where_the_orders_say(evidence: Evidence) -> Found:
    """Each code is free, or of the order that has it; those of an unreadable order are not looked at."""
    owners = {one["code"]: name for name in evidence.all_items for one in evidence.current(name)}
    for code, item in evidence.codes.items():
        state, order = item["state"], item.get("order_id", "")
        if (
            state == "assigned"
            and order in evidence.sales | evidence.own | evidence.by_hand | evidence.olds
            and owners.get(code) != order
        ):
            yield order, f"a code of batch {item.get('batch')} is assigned to it, and it does not have it"
        if code in owners and item["sku"] != _product_of(evidence, owners[code], code):
            yield owners[code], f"it has a code of {item['sku']}, which it did not buy"
        if state != "assigned" and code in owners:
            yield owners[code], f"it has a code that is {state}"
        if state == "free" and "stock" not in item:
            yield "stock", "a free code is not offered"


def _product_of(evidence: Evidence, order: str, code: str) -> str:
    """Of the license of an order with this code."""
    item = evidence.all_items[order]
    one = next(each for each in item["licenses"] if each["code"] == code)
    lines = {line.get("id") or place: line for place, line in enumerate(item["lines"], start=1)}
    return str(one.get("sku") or lines[one["line"]]["sku"])


def who_gets_the_money_back_is_told(evidence: Evidence) -> Found:
    """By one mail, where all of it went back and nobody disputed anything."""
    for order, item in evidence.items.items():
        told = [each for each in evidence.simulation.told if each.order == order]
        full = [each for each in told if each.kind == "order.refunded" and each.data.get("full")]
        newest = max(told, key=lambda each: each.said_at, default=None)
        is_disputed = any(each.kind.startswith("order.dispute") and each.teller == "webhook" for each in told)
        is_plain = full and newest in full and not is_disputed and not evidence.money[order].is_canceled
        is_other = order in evidence.shop.contested | evidence.shop.before | evidence.simulation.ses.refused
        if not is_plain or is_other or item.get("forget_on") or evidence.has_bounced(order):
            continue
        mails = {mail.mail for mail in evidence.accepted if mail.order == order and mail.purpose == "refunded"}
        given_up = [m for m in item.get("mails", ()) if m["purpose"] == "refunded" and m["state"] == "failed"]
        if len(mails) != 1 and not given_up:
            yield order, f"all of its money went back, and {len(mails)} mails told its customer"


def what_comes_too_late_is_told(evidence: Evidence) -> Found:
    """A person hears of money that went back, or of a cancellation, after codes had left: they are to be blocked."""
    noted = {item["order_id"] for item in evidence.stored if item["pk"].startswith("INBOX#")}
    for order, item in evidence.items.items():
        since = evidence.money[order].over_since
        if not evidence.money[order].is_over or since is None or item.get("forget_on"):
            continue
        left = [mail for mail in evidence.accepted if mail.order == order and mail.codes and mail.at < since - _WORKER]
        told = (saved for saved in evidence.simulation.saves[order] if saved.at >= since - _WORKER)
        if left and order not in noted and not any(needs(saved.item) for saved in told):
            yield order, "its codes had left when its money went back, and nobody was told"


def codes_that_never_left_are_sold_again(evidence: Evidence) -> Found:
    for order, item in evidence.items.items():
        if not evidence.money[order].is_over or is_held(item) or item.get("forget_on"):
            continue
        kept = [one for one in item.get("licenses", ()) if one["code"] not in evidence.mailed(order)]
        if kept and not _may_have_left(evidence.simulation, order):
            yield order, f"its money went back, and it keeps {len(kept)} codes that never left"


def _may_have_left(simulation: Simulation, order: str) -> bool:
    """Whether somebody who knew it died, or did not hear it."""
    claims = [(key, saved) for key, saved in simulation.claims.items() if key[0] == order]
    return any((saved.by and saved.by.is_dead) or key in simulation.ses.doubtful for key, saved in claims)


def codes_leave_while_they_can_be_activated(evidence: Evidence) -> Found:
    """For the first time, on the last day at the latest; what may have left before is not exchanged."""
    left = set[str]()
    for mail in sorted(evidence.accepted, key=lambda each: each.at):
        last_day = min((evidence.shop.last_days.get(code, date.max) for code in {*mail.codes} - left), default=date.max)
        if day_of(mail.at) > last_day and not _may_have_left(evidence.simulation, mail.order):
            yield mail.order, f"{mail.mail} has a code that could be activated until {last_day}"
        left |= {*mail.codes}


# --- promise 2


def no_code_goes_to_two_orders(evidence: Evidence) -> Found:
    owner: dict[str, str] = {}
    for mail in evidence.simulation.ses.accepted:
        for code in mail.codes:
            if owner.setdefault(code, mail.order) == mail.order:
                continue
            if mail.order in evidence.moved_away(owner[code]).values():
                owner[code] = mail.order
            elif not _left_before(evidence, mail, owner[code]):
                yield mail.order, f"it was sent a code of order {owner[code]}"
    held: dict[str, str] = {}
    for order in evidence.all_items:
        for license_ in evidence.current(order):
            if held.setdefault(license_["code"], f"{order} {license_['id']}") != f"{order} {license_['id']}":
                yield order, f"license {license_['id']} has the code of {held[license_['code']]}"


def _left_before(evidence: Evidence, mail: Accepted, owner: str) -> bool:
    """Whether a mail of the former order was claimed before the license moved to its owner."""
    moved_at = min((saved.at for saved in evidence.simulation.saves.get(owner, ())), default=0)
    claim = evidence.simulation.claims.get((mail.order, mail.mail, mail.attempt))
    return owner in evidence.moved_away(mail.order).values() and claim is not None and claim.at <= moved_at


def orders_by_hand_are_served_once(evidence: Evidence) -> Found:
    """Those that stand: all that was given was mailed, by one mail."""
    for order, item in evidence.by_hand.items():
        payment = item["payments"][0]
        if payment.get("refunded") or item.get("forget_on") or _is_suppressed(evidence, item):
            continue
        given, wanted = item.get("licenses", ()), sum(line["quantity"] for line in item["lines"])
        mails = [mail for mail in evidence.simulation.ses.accepted if mail.order == order]
        firsts = {mail.mail for mail in mails if mail.purpose in _DELIVERIES}
        missing = {one["code"] for one in given} - {code for mail in mails for code in mail.codes}
        least = 0 if any(mail["state"] == "failed" for mail in item.get("mails", ())) else 1  # another one left instead
        is_one = least <= len(firsts) <= 1
        if needs(item) not in ("mail", "failing") and (len(given) != wanted or not is_one or missing):
            yield (
                order,
                f"{len(given)} of {wanted} codes, {sorted(firsts)}, {len(missing)} not mailed; needs {needs(item)}",
            )


def _is_suppressed(evidence: Evidence, item: Mapping[str, Any]) -> bool:
    return item.get("customer", {}).get("email") in evidence.simulation.ses.suppressed


def withdrawn_codes_never_leave(evidence: Evidence) -> Found:
    """Neither those that were taken out of the stock, nor those that came back from an order after that."""
    mailed = {code: mail.order for mail in evidence.simulation.ses.accepted for code in mail.codes}
    for code, item in evidence.codes.items():
        order = mailed.get(code)
        if item["state"] == "withdrawn" and order and not _may_have_left(evidence.simulation, order):
            yield order, "it was sent a code that is withdrawn"


def everybody_of_a_replaced_batch_has_another_code(evidence: Evidence) -> Found:
    """But those for whom a person or money stands in the way; unless the replacing waits for codes."""
    for batch in evidence.shop.replaced:
        found = next((item for item in evidence.batches if item["replacing"]["batch"] == batch), None)
        if found is None:
            yield "stock", f"nobody knows that {batch} is replaced"
            continue
        state = found["replacing"].get("state", "running")
        skus = {item["sku"] for item in evidence.codes.values() if item.get("batch") == batch}
        others = [item for item in evidence.codes.values() if item["state"] == "free" and item["sku"] in skus]
        if state == "short" and len(others) > len(evidence.sales):
            yield "stock", f"{batch} is replaced no further for want of codes, and there are {len(others)}"
        if state != "done":
            continue  # a mail whose fate is not known
        for item in evidence.codes.values():
            order = item.get("order_id", "")
            is_theirs = item["state"] == "assigned" and item.get("batch") == batch and order in evidence.all_items
            is_good = is_theirs and _is_good(evidence, order) and not _stays(evidence.all_items[order])
            if is_good and not _came_back_since(evidence, order, found["replacing"]["began"]):
                yield order, f"it still has a code of {batch}, which was replaced"


def _is_good(evidence: Evidence, order: str) -> bool:
    """Whether its money stands; of an order by hand there is none to go back."""
    return evidence.money[order].is_good if order in evidence.money else order in evidence.by_hand


def _came_back_since(evidence: Evidence, order: str, moment: float) -> bool:
    """Whether money that was back or in dispute is there again: until then it stood in the way, and the agent who had
    the batch replaced was told that the order is left out."""
    told = (each for each in evidence.simulation.told if each.order == order and each.at > moment)
    return any(each.data.get("won") or each.data.get("amount_refunded") == "0" for each in told)


def _stays(item: Mapping[str, Any]) -> bool:
    return is_held(item) or bool(item.get("forget_on")) or bool(item.get("canceled"))


# --- offers


def after_the_way_out_nobody_is_reminded(evidence: Evidence) -> Found:
    """By the moment of the claim, and a minute later: a worker may have looked just before."""
    for mail in evidence.accepted:
        ways_out = evidence.simulation.ways_out  # a customer may have another address since
        out = ways_out.get(mail.to, ways_out.get(evidence.sales[mail.order].email))
        if mail.is_reminder and out is not None and evidence.claimed_at(mail) > out + _WORKER:
            yield mail.order, f"{mail.mail} was claimed {evidence.claimed_at(mail) - out:.0f} s after the way out"


def after_a_spam_report_nobody_is_reminded(evidence: Evidence) -> Found:
    """As soon as Keypost heard of it."""
    for mail in evidence.accepted:
        said_at = evidence.simulation.ses.complaints.get(mail.to)
        if (
            mail.is_reminder
            and said_at
            and not _is_unheard(evidence, mail.to)
            and evidence.claimed_at(mail) > said_at + _LATEST
        ):
            yield mail.order, f"{mail.mail} was claimed although its reader had reported one as spam"


def _is_unheard(evidence: Evidence, address: str) -> bool:
    """Whether the event of a spam report was lost."""
    orders = {mail.order for mail in evidence.accepted if mail.to == address}
    lost = (fault for fault in evidence.simulation.faults.happened if fault.kind == "event lost")
    return any(fault.place.endswith("Complaint") and _concerns(fault.place, [*orders]) for fault in lost)


# --- promises 4 and 5


def no_code_leaves_unpaid(evidence: Evidence) -> Found:
    """By the moment of the claim: what happens after that may come too late."""
    for mail in evidence.accepted:
        money, claim = evidence.money[mail.order], evidence.simulation.claims.get((mail.order, mail.mail, mail.attempt))
        claimed_at = claim.at if claim else mail.at
        if not mail.codes:
            continue
        if money.first_paid is None or not any(
            saved.at <= claimed_at and _is_paid(saved.item) for saved in evidence.simulation.saves[mail.order]
        ):
            yield mail.order, f"{mail.mail} left and it was not paid"
        elif money.is_over and money.over_since is not None and claimed_at > money.over_since:
            if money.is_canceled and _was_begun(evidence, mail, money.over_since):
                continue  # it may have left before; the inbox says that it was too late to hold it
            yield mail.order, f"{mail.mail} was claimed after its money went back"


def _was_begun(evidence: Evidence, mail: Accepted, moment: float) -> bool:
    claims = evidence.simulation.claims.items()
    return any(key[:2] == (mail.order, mail.mail) and claim.at <= moment for key, claim in claims)


def _is_paid(item: Mapping[str, Any]) -> bool:
    return any(payment["state"] == "paid" for payment in item.get("payments", ()))


def renewals_leave_on_their_day(evidence: Evidence) -> Found:
    for mail in evidence.accepted:
        sale = evidence.sales[mail.order]
        if mail.purpose != "renewal" or mail.first_day is None:
            continue
        if day_of(mail.at) < mail.first_day - _MAIL_DAYS:
            yield mail.order, f"{mail.mail} left on {day_of(mail.at)}, its period starts on {mail.first_day}"
        is_told = (
            sale.starts and not evidence.may_lack_its_base(mail.order) and not evidence.asked(mail.order, "renewal")
        )
        if is_told and sale.starts and mail.first_day < sale.starts:
            yield mail.order, f"{mail.mail} is for {mail.first_day}, what it renews ends later"


def deliveries_leave_once(evidence: Evidence) -> Found:
    for (order, purpose), mails in groupby(
        sorted(evidence.accepted, key=lambda mail: (mail.order, mail.purpose)), lambda mail: (mail.order, mail.purpose)
    ):
        kinds = Counter("renewal" if "renews" in line else "purchase" for line in evidence.sales[order].lines)
        ids = {mail.mail for mail in mails}
        again = evidence.money[order].is_over or len(_payments(evidence, order)) > 1 or _refunds(evidence, order)
        again = (
            again or order in evidence.shop.contested or evidence.has_bounced(order) or _was_given_up(evidence, order)
        )
        if purpose in _DELIVERIES and len(ids) > kinds[purpose] and not again:
            yield order, f"{len(ids)} mails of its {purpose}: {sorted(ids)}"


def _was_given_up(evidence: Evidence, order: str) -> bool:
    """Whether nobody will ever know of a delivery whether it left: a person may have it sent anew."""
    mails = evidence.items.get(order, {}).get("mails", ())
    return any(mail["state"] == "failed" and mail["purpose"] in _DELIVERIES for mail in mails)


def _payments(evidence: Evidence, order: str) -> set[str]:
    told = [each for each in evidence.simulation.told if each.order == order and each.kind == "order.paid"]
    return {each.payment for each in told}


def _refunds(evidence: Evidence, order: str) -> bool:
    return any(each.order == order and each.kind == "order.refunded" for each in evidence.simulation.told)


def deliveries_are_not_late(evidence: Evidence) -> Found:
    """No later than three hours after the last thing that may have stood in the way; half an hour if nothing failed."""
    seen: set[tuple[str, str]] = set()
    for mail in evidence.accepted:
        if mail.purpose not in _DELIVERIES or (mail.order, mail.mail) in seen:
            continue
        seen.add((mail.order, mail.mail))
        free = max(_obstacles(evidence, mail))
        if mail.at > free + _latest(evidence, mail):
            yield mail.order, f"{mail.mail} left {(mail.at - free) / 3600:.1f} hours after nothing stood in its way"


def _latest(evidence: Evidence, mail: Accepted) -> float:
    if _waited_for_its_base(evidence, mail):
        return _LATEST_RENEWED
    simulation = evidence.simulation  # a story ends with the end of a pause, whether there was one or not
    is_bad_weather = simulation.faults.happened or any(end <= mail.at < end + _LATEST for end in simulation.ses.pauses)
    return _LATEST if is_bad_weather else _LATEST_IN_GOOD_WEATHER


def _waited_for_its_base(evidence: Evidence, mail: Accepted) -> bool:
    """A renewal of what has no end yet asks twice a day whether it has one."""
    saves = evidence.simulation.saves[mail.order]
    return mail.purpose == "renewal" and any(needs(saved.item) == "renews" for saved in saves)


def _obstacles(evidence: Evidence, mail: Accepted) -> Iterator[float]:
    """Moments, before a mail, at which something that may have kept it back ended."""
    simulation, theirs = evidence.simulation, _of_one_customer(evidence, mail.order)
    yield simulation.machine.began
    if mail.first_day:
        day = datetime.combine(mail.first_day - _MAIL_DAYS, time(7), ZONE).timestamp()
        yield min(day, mail.at)
    yield from (told.at for told in simulation.told if told.at <= mail.at)
    yield from (at for answer in simulation.answers for at in (answer.asked_at, answer.at) if at <= mail.at)
    yield from (
        fault.at for fault in simulation.faults.happened if fault.at <= mail.at and _concerns(fault.place, theirs)
    )
    yield from (end for end in (*simulation.ses.pauses, *evidence.shop.mended) if end <= mail.at)


def _of_one_customer(evidence: Evidence, order: str) -> list[str]:
    sales = evidence.shop.sales
    return [name for name, sale in sales.items() if sale.email == sales[order].email]


def _concerns(place: str, orders: list[str]) -> bool:
    return "run of" in place or "find_due_orders" in place or any(order in place for order in orders)


# --- promise 6


def one_attempt_is_accepted_once(evidence: Evidence) -> Found:
    for attempt, times in Counter((mail.order, mail.mail, mail.attempt) for mail in evidence.accepted).items():
        if times > 1:
            yield attempt[0], f"SES took attempt {attempt[2]} of {attempt[1]} {times} times"


def mails_are_sent_again_only_in_doubt(evidence: Evidence) -> Found:
    simulation = evidence.simulation
    for _, same in groupby(sorted(evidence.accepted, key=_attempt), lambda mail: (mail.order, mail.mail)):
        for first, again in pairwise(same):
            claim = simulation.claims.get(_attempt(again))
            told_at = simulation.reported.get(_attempt(first))
            if again.attempt == first.attempt or claim is None:
                continue
            if claim.at < first.at + _DOUBT:
                yield (
                    first.order,
                    f"{first.mail} was sent again after {claim.at - first.at:.0f} s, and SES may still tell",
                )
            elif not simulation.ses.is_doubtful(first):
                yield first.order, f"{first.mail} was sent again, and the answer to attempt {first.attempt} had arrived"
            elif told_at is not None and told_at < claim.at:
                yield first.order, f"{first.mail} was sent again, and an event told of attempt {first.attempt}"


def _attempt(mail: Accepted) -> tuple[str, str, int]:
    return mail.order, mail.mail, mail.attempt


def corrected_addresses_are_written_to(evidence: Evidence) -> Found:
    """What came back goes to the address that an agent wrote instead, before anybody asks for it again."""
    shop, simulation = evidence.shop, evidence.simulation
    for answer in simulation.answers:
        order, right = answer.order, str(answer.body.get("email", ""))
        is_right = answer.route.startswith("PUT /orders/{order_id}/") and answer.status < _FAILED and right
        if not is_right or right in simulation.ses.suppressed | simulation.ses.complaints:
            continue
        if order not in evidence.items or not evidence.is_owed(order) or evidence.asks_first(order):
            continue
        elsewhere = {str(each.body.get("to")) for each in simulation.answers}
        mails = [m for m in evidence.accepted if m.order == order and m.codes and m.to not in elsewhere]
        before = [mail for mail in mails if mail.at < answer.asked_at]
        back = [mail for mail in before if mail.mail == before[-1].mail]  # all attempts, of which one may have arrived
        came_back = all(simulation.returned.get(_attempt(mail), math.inf) < answer.asked_at for mail in back)
        if (
            back
            and came_back
            and not any(mail.to == right and answer.asked_at < mail.at < shop.helped_at for mail in mails)
        ):
            yield order, f"{back[-1].mail} came back, and nothing left for the address that an agent wrote"


def no_mail_is_lost(evidence: Evidence) -> Found:
    for order, item in evidence.items.items():
        if not evidence.is_owed(order) or evidence.has_bounced(order):
            continue
        for mail in item.get("mails", ()):
            due = mail.get("next_at")
            late = due is not None and due < evidence.simulation.now - 3600
            if late and mail["purpose"] not in _NO_CODES:
                yield order, f"{mail['id']} is {mail['state']} since {due}"


def mails_that_were_promised_leave(evidence: Evidence) -> Found:
    """Or a later one with the codes did. What goes elsewhere leaves, whatever is wrong with the order's own address."""
    for answer in evidence.simulation.answers:
        to = answer.body.get("to")
        if answer.mail and to and answer.order in evidence.sales and to not in evidence.simulation.ses.suppressed:
            mails = [mail for mail in evidence.accepted if mail.order == answer.order and mail.mail == answer.mail]
            is_owed = evidence.is_owed(answer.order) and answer.order not in evidence.simulation.ses.refused
            left_at = min((mail.at for mail in mails), default=evidence.shop.helped_at)
            last = max([answer.at, *_own_obstacles(evidence, answer.order, left_at)]) + _LATEST
            if is_owed and left_at >= min(last, evidence.shop.helped_at):
                yield answer.order, f"{answer.mail} was promised to another address, and left late or never"
            continue
        owed = answer.order in evidence.sales and evidence.is_owed(answer.order)
        if answer.mail and owed and not evidence.has_bounced(answer.order):
            mails = [mail for mail in evidence.accepted if mail.order == answer.order]
            if not _is_refused(evidence, answer.order, answer.mail) and not any(
                mail.mail == answer.mail or (mail.codes and mail.at > answer.at) for mail in mails
            ):
                yield answer.order, f"an agent was promised {answer.mail}, and it never left"


def _is_refused(evidence: Evidence, order: str, name: str) -> bool:
    """A mail that was given up, of an order that needs a person: who has settled what else it needs is told."""
    item = evidence.items.get(order, {})
    states = {mail["id"]: mail["state"] for mail in item.get("mails", ())}
    return states.get(name) == "failed" and needs(item) is not None


# --- promises 10 and 11, and what holds in good weather


def nobody_touches_what_cannot_be_read(evidence: Evidence) -> Found:
    for order in evidence.shop.unreadable:
        if evidence.simulation.item(order) != plain(evidence.shop.broken[order]):
            yield order, "it could not be read, and somebody wrote it anew"


def fields_of_the_future_stay(evidence: Evidence) -> Found:
    for order, mark in evidence.shop.planted.items():
        item = evidence.simulation.item(order) or {}
        places = [("", item), *((name, each) for name in ("lines", "payments") for each in item.get(name, ()))]
        for name, members in places[: 1 + len(item.get("lines", ()))]:
            if members.get("of_the_future") != mark:
                yield order, f"a field that a newer version wrote is gone from {name or 'the order'}"


def nothing_fails_in_good_weather(evidence: Evidence) -> Found:
    if not evidence.simulation.faults.happened and not evidence.shop.broken and not evidence.shop.stuck:
        failures = filter(boundary.is_of_orders, evidence.simulation.failures)
        yield from ((" ".join(failure.orders) or "-", failure.text) for failure in failures)
        yield from (
            ("-", f"a message of {each.source} went to the dead letters") for each in evidence.simulation.sqs.dead.kept
        )


def one_wish_makes_one_mail(evidence: Evidence) -> Found:
    """There are no more mails to send again than agents and customers asked for, unless one of them came back."""
    for order, item in evidence.items.items():
        of_many = (each for each in evidence.simulation.answers if each.route.endswith("/mails/resend"))
        asked = {
            each.key or each.asked_at for each in (*evidence.asked(order, "/resend"), *of_many) if each.may_be_done
        }
        most = len(asked) + evidence.simulation.wished[evidence.sales[order].email]
        again = [mail["id"] for mail in item.get("mails", ()) if mail["purpose"] == "resend"]
        if len(again) > most and not evidence.has_bounced(order):
            yield order, f"it has {again}, and {most} were asked for"


# --- what was really paid for


def money_pays_for_the_codes(evidence: Evidence) -> Found:
    for order in evidence.sales:
        yield from ((order, text) for text in unpaid_codes(evidence.simulation, order, _family(evidence, order)))


def _family(evidence: Evidence, order: str) -> list[str]:
    """An order, and those that payments of it became."""
    return [order, *(name for name in evidence.own if name.rpartition("-")[0] == order)]


def who_paid_is_served_or_waits_for_a_person(evidence: Evidence) -> Found:
    for order in evidence.shop.contested & set(evidence.sales):
        books = Books(evidence.simulation, order)
        if not books.standing or _is_out_of_question(evidence, order, books):
            continue
        item = evidence.items.get(order)
        if item is None:
            yield order, "it was paid, and it is not stored"
        elif needs(item) == "hold":
            yield from _why_waiting(evidence, order, books)
        else:
            yield from ((order, text) for text in _why_not_served(evidence, order, books))


def _is_out_of_question(evidence: Evidence, order: str, books: Books) -> bool:
    """It waits, or is over, for another reason than what was paid for."""
    item = evidence.items.get(order)
    return (
        books.is_canceled
        or books.is_closed
        or bool(item and (item.get("forget_on") or is_held(item) or evidence.has_bounced(order)))
    )


def _why_waiting(evidence: Evidence, order: str, books: Books) -> Found:
    actions = evidence.actions.get(order, [])
    if not actions or "nothing" in actions:
        yield order, "it waits for a person, and nobody is told what to do"
    if books.is_plain:
        yield order, f"it waits for {evidence.items[order].get('hold')}, and only one thing was paid for"


def _why_not_served(evidence: Evidence, order: str, books: Books) -> Iterator[str]:
    given = sum((_given(evidence, name) for name in _family(evidence, order)), Counter[str]())
    if books.unmatched and not books.released:
        yield "money went back of a payment that nobody knows, and nobody is asked"
    elif books.is_partly_back and not books.released and not given:
        yield "a part of the money went back, nothing was sent, and nobody is asked"
    elif not books.is_partly_back and given not in books.may_be_given:
        yield f"it has {dict(given)}, and nobody is asked about {[dict(each.goods) for each in books.standing]}"


def _given(evidence: Evidence, order: str) -> Counter[str]:
    """What was mailed of what the order is for."""
    item = (evidence.items | evidence.own).get(order, {})
    lines = {line.get("id") or place: line for place, line in enumerate(item.get("lines", ()), start=1)}
    mailed = {code for mail in evidence.simulation.ses.accepted if mail.order == order for code in mail.codes}
    licenses = item.get("licenses", ())
    served = (one for one in licenses if one["line"] in lines and one["code"] in mailed)
    return Counter(one.get("sku") or lines[one["line"]]["sku"] for one in served)


def codes_of_what_was_exchanged_are_free_again(evidence: Evidence) -> Found:
    """Who waits for nothing keeps no code that was not mailed, or may have been."""
    for order in evidence.shop.contested & set(evidence.items):
        for name in _family(evidence, order):
            item = (evidence.items | evidence.own)[name]
            mailed = {code for mail in evidence.simulation.ses.accepted if mail.order == name for code in mail.codes}
            kept = [one["id"] for one in item.get("licenses", ()) if one["code"] not in mailed]
            if (
                kept
                and needs(item) in _SERVED
                and not _may_have_left(evidence.simulation, name)
                and not _is_out_of_question(evidence, order, Books(evidence.simulation, order))
            ):
                yield name, f"it waits for nothing, and keeps {kept}, which were not mailed"


def one_payment_is_one(evidence: Evidence) -> Found:
    """Whoever tells of it, under whatever name, and nobody is asked what it was for."""
    for order, item in evidence.items.items():
        if needs(item) == "paid_twice" and len(_payments(evidence, order)) < 2:
            yield order, "one payment counts as two"
        if order not in evidence.shop.contested and item.get("hold", {}).get("contents"):
            yield order, f"one thing was paid for, and it waits for {item['hold']['contents']}"


def what_was_paid_before_waits(evidence: Evidence) -> Found:
    """For a person who releases it, and nothing is mailed until then."""
    for order in evidence.shop.before & set(evidence.sales):
        released = [each for each in evidence.simulation.answers if each.order == order and "release" in each.route]
        begun = min((each.asked_at for each in released if each.may_be_done), default=None)
        yield from (
            (order, f"{mail.mail} left, and it was paid before the start")
            for mail in evidence.accepted
            if mail.order == order and (begun is None or mail.at < begun)
        )
        hold = evidence.items.get(order, {}).get("hold", {})
        if hold.get("from_before") and any(each.status < 300 for each in released):
            yield order, "a person released it, and it waits as from before"


def who_is_held_has_a_reason(evidence: Evidence) -> Found:
    """An agent asked for the hold, or what was told of the order gave the reason that it names."""
    for order, item in evidence.all_items.items():
        hold = item.get("hold", {})
        problem = (hold.get("problem") or {}).get("code")
        if hold.get("by_person") and not evidence.asked(order, "/hold"):
            yield order, "a person holds it, and nobody asked for that"
        if problem and not (problem in _WHY_HELD and _WHY_HELD[problem](evidence, order)):
            yield order, f"it is held for {problem}, and there is no reason for that"
        if hold.get("from_before") and order not in evidence.shop.before:
            yield order, "it waits as from before, and it was paid since the start"
        if hold.get("same_as"):
            yield order, f"it waits for {hold['same_as']}, and no two shops tell of one purchase"


def _renews_what_was_erased(evidence: Evidence, order: str) -> bool:
    renewed = {str(line.get("renews", "")).partition("/")[0] for line in evidence.sales[order].lines}
    return any(evidence.items.get(name, {}).get("forget_on") for name in (order, *renewed))


def _was_canceled_in_woocommerce(evidence: Evidence, order: str) -> bool:
    """Its own shop gives a paid order a status that is of no paid one."""
    shop = evidence.simulation.providers.get("woocommerce")
    return shop is not None and any(one.order == order and one.last("canceled") for one in shop.payments.values())


def _nobody_told_what_was_bought(evidence: Evidence, order: str) -> bool:
    """A payment by a plug-in does not say what it is for, and WooCommerce's own word never came. Moneybird tells that a
    payment was removed of which it never told."""
    if not any(each.order == order and each.kind == "order.paid" for each in evidence.simulation.told):
        return True
    mollie, stored = evidence.simulation.providers.get("mollie"), evidence.all_items[order].get("payments", ())
    is_of_plugin = mollie and any(one.order == order and not one.has_card for one in mollie.payments.values())
    return bool(is_of_plugin) and not any(each.get("goods") for each in stored)


def _was_credited(evidence: Evidence, order: str) -> bool:
    return any(each.order == order and "credited_by" in each.data for each in evidence.simulation.told)


# By the problem that a hold names, whether the world gave a reason for it.
_WHY_HELD: Mapping[str, Callable[[Evidence, str], bool]] = {
    "credit_note": _was_credited,
    "no_address": _renews_what_was_erased,
    "shop_status": _was_canceled_in_woocommerce,
    "nothing_bought": _nobody_told_what_was_bought,
}


# --- renewals, and orders of several parts


def nobody_renews_what_is_another_customers(evidence: Evidence) -> Found:
    """The renewal waits for a person, stands in nobody's way, and no mail of the two tells of the other one."""
    for order, owner in evidence.shop.strangers.items():
        if order not in evidence.items or owner not in evidence.items:
            continue
        names = {order: evidence.shop.sales[owner], owner: evidence.shop.sales[order]}
        for mail in evidence.accepted:
            other = names.get(mail.order)
            if other and (other.name in mail.text or other.email in mail.text):
                yield mail.order, f"{mail.mail} tells of the customer of {other.order}"
        if evidence.asked(order, "release"):
            continue
        if any(each["order_id"] == order for each in evidence.items[owner].get("renewals", ())):
            yield order, f"it has a place among the renewals of {owner}, which is another customer's"
        if evidence.mailed(order) or evidence.items[order].get("licenses"):
            yield order, f"it was given codes, and it renews {owner}, which is another customer's"


def typed_codes_are_told_to_nobody(evidence: Evidence) -> Found:
    """They are used to find the license: nothing that is stored, written down, answered or mailed repeats them."""
    for order, code in evidence.shop.typed.items():
        simulation = evidence.simulation
        told = {
            "its item": repr(evidence.items.get(order)),
            "what is written down": repr([each.text for each in simulation.journal]),
            "an answer": repr([each.said for each in simulation.answers if each.order == order]),
            "a mail": repr([mail.text for mail in evidence.accepted if mail.order == order]),
        }
        yield from ((order, f"{place} has the code that its customer typed") for place in told if code in told[place])


def renewals_side_by_side_start_together(evidence: Evidence) -> Found:
    for mail in evidence.accepted:
        first_day, starts = mail.first_day, evidence.sales[mail.order].starts
        is_due = mail.purpose == "renewal" and not evidence.may_lack_its_base(mail.order)
        if mail.order in evidence.shop.beside and is_due and first_day != starts:
            yield mail.order, f"{mail.mail} is for {first_day}, the licenses beside it start on {starts}"


def renewals_follow_each_other(evidence: Evidence) -> Found:
    """Those of one license that stand, none beside another and without a gap, also when the money of one went back."""
    for first, orders in evidence.shop.in_line:
        if any(evidence.may_lack_its_base(order) for order in orders if order in evidence.items):
            continue
        stand = [order for order in orders if order in evidence.items and evidence.is_owed(order)]
        wanted = [str(first + timedelta(days=evidence.shop.term_days * place)) for place, _ in enumerate(stand)]
        found = sorted(day for order in stand for day in _first_days(evidence.items[order]))
        if found != wanted:
            yield stand[-1], f"{stand} begin on {found}, and are to begin on {wanted}"


def no_days_are_sold_twice(evidence: Evidence) -> Found:
    """Renewals of one license, by whoever, run one after the other."""
    days: dict[str, list[tuple[str, str]]] = {}
    for order, item in evidence.items.items():
        is_alone = evidence.is_owed(order) and order not in evidence.shop.beside | evidence.shop.strangers.keys()
        for term in item.get("terms", ()) if is_alone else ():
            if term.get("is_paid", True) and term.get("renews") and not evidence.asked(order, "renewal"):
                days.setdefault(term["renews"], []).append((term["first_day"], order))
    for base, found in days.items():
        if sum(line["quantity"] for line in evidence.all_items.get(base, {}).get("lines", ())) != 1:
            continue  # two renewals may be of two licenses
        for (first, order), (then, other) in pairwise(sorted(found)):
            if date.fromisoformat(then) - date.fromisoformat(first) < timedelta(days=evidence.shop.term_days):
                yield other, f"it begins on {then}, and {order}, which renews {base}, too, on {first}"


def _first_days(item: Mapping[str, Any]) -> set[str]:
    periods = (*item.get("terms", ()), *item.get("licenses", ()))
    return {str(period["first_day"]) for period in periods if "first_day" in period}


def what_a_person_decided_of_a_renewal_holds(evidence: Evidence) -> Found:
    """A stopped one never leaves, and a moved one leaves for the day that the agent was told."""
    for order, said in groupby(sorted(_decided(evidence), key=_moment), lambda answer: answer.order):
        newest = [*said][-1]
        mails = [mail for mail in evidence.accepted if mail.order == order and mail.purpose == "renewal"]
        late = [mail for mail in mails if evidence.claimed_at(mail) > newest.at]
        if newest.route.endswith("stop"):
            yield from ((order, f"{mail.mail} left, and a person had stopped it") for mail in late)
        elif day := newest.said.get("period_start"):
            wrong = [mail for mail in late if mail.first_day and str(mail.first_day) != day]
            yield from ((order, f"{mail.mail} is for {mail.first_day}, a person said {day}") for mail in wrong)


def _decided(evidence: Evidence) -> list[Answered]:
    done = (each for each in evidence.simulation.answers if each.status < _FAILED and each.order in evidence.items)
    return [each for each in done if each.route.endswith(("/renewal", "/renewal/stop"))]


def _moment(answer: Answered) -> tuple[str, float]:
    return answer.order, answer.at


def each_code_is_delivered_once(evidence: Evidence) -> Found:
    """By one mail, whatever its order waits for besides."""
    for order in evidence.sales:
        again = evidence.money[order].is_over or _refunds(evidence, order) or order in evidence.shop.contested
        if again or evidence.has_bounced(order) or _was_given_up(evidence, order):
            continue
        first: dict[str, str] = {}
        for mail in evidence.accepted:
            for code in mail.codes if mail.order == order and mail.purpose in _DELIVERIES else ():
                if first.setdefault(code, mail.mail) != mail.mail:
                    yield order, f"{mail.mail} has a code of {first[code]}"


def what_is_there_waits_for_nothing_that_is_short(evidence: Evidence) -> Found:
    """The lines whose codes are there leave within three hours, though others of their order are still to come."""
    for order in evidence.items:
        if evidence.sales[order].is_renewal or not evidence.is_owed(order) or evidence.has_bounced(order):
            continue
        kept = {one["code"] for one in evidence.current(order)}  # others were given back, or moved
        saves = evidence.simulation.saves[order]
        found = ((saved.at, _of_whole_lines(evidence, order, saved.item) & kept) for saved in saves)
        since, had = next(((at, codes) for at, codes in found if codes), (0.0, set[str]()))
        left = [mail.at for mail in evidence.accepted if mail.order == order and had <= {*mail.codes}]
        left_at = min(left, default=evidence.simulation.now)
        if had and left_at > max([since, *_own_obstacles(evidence, order, left_at)]) + _LATEST:
            yield order, f"{len(had)} codes waited for the others"


def codes_that_come_serve_who_waits(evidence: Evidence) -> Found:
    """Within three hours, however their import ended, and whatever else the order needs."""
    for order, came_at in evidence.shop.in_time.items():
        item = evidence.items.get(order)
        if item is None or is_held(item) or item.get("forget_on") or evidence.has_bounced(order):
            continue
        if not _codes_came(evidence, came_at) or _saw_what_was_before(evidence, order, came_at):
            continue
        before = [saved for saved in evidence.simulation.saves[order] if saved.at < came_at][-1:]
        if before and len(before[0].item.get("licenses", ())) >= len(item.get("licenses", ())):
            continue  # other codes came before
        left = (mail.at for mail in evidence.accepted if mail.order == order and mail.codes and mail.at > came_at)
        left_at = min(left, default=evidence.simulation.now)
        pauses = (end for end in evidence.simulation.ses.pauses if end != evidence.shop.ends)  # which ends all of them
        ends = [end for end in (*pauses, *_touched(evidence, order)) if end <= left_at]
        if left_at > max([came_at, *ends]) + _LATEST:
            yield order, f"codes came for it, and left {(left_at - came_at) / 3600:.0f} hours later"


def _codes_came(evidence: Evidence, moment: float) -> bool:
    """Whether an import about then was answered as done, or died behind a part of it."""
    imports = [each for each in evidence.simulation.answers if each.route == "POST /stock/{sku}"]
    done = [each.asked_at for each in imports if each.status < _FAILED]
    died = (each for each in evidence.simulation.faults.happened if each.kind == "crash after")
    cut = [each.at for each in died if "support_api" in each.place and "TransactWriteItems" in each.place]
    return any(moment - _ABOUT < at < moment + _ABOUT for at in (*done, *cut))


def _saw_what_was_before(evidence: Evidence, order: str, since: float) -> bool:
    """Whether a worker that looked for its codes was shown a stock of long before, which AWS would do for a second."""
    faults = (each for each in evidence.simulation.faults.happened if each.kind in ("stale index", "stale read"))
    return any(each.at >= since and (order in each.place or "CODES#" in each.place) for each in faults)


def _touched(evidence: Evidence, order: str) -> Iterator[float]:
    """When something was told, asked or failed of an order itself."""
    simulation = evidence.simulation
    yield from (each.at for each in simulation.told if each.order == order)
    yield from (each.at for each in simulation.answers if each.order == order)
    yield from (each.at for each in simulation.faults.happened if order in each.place)


def _of_whole_lines(evidence: Evidence, order: str, item: Mapping[str, Any]) -> set[str]:
    """The codes of lines that have all of theirs."""
    lines, licenses = evidence.sales[order].lines, item.get("licenses", ())
    have = Counter(one["line"] for one in licenses)
    whole = {number for number, line in enumerate(lines, start=1) if have[number] == line["quantity"]}
    return {one["code"] for one in licenses if one["line"] in whole}


def _own_obstacles(evidence: Evidence, order: str, left_at: float) -> Iterator[float]:
    """The ends of what may have kept an order back, but for codes. What is asked for another order of the customer may
    be about the address."""
    simulation, theirs = evidence.simulation, _of_one_customer(evidence, order)
    yield from (each.at for each in simulation.told if each.order == order and each.at <= left_at)
    yield from (each.at for each in simulation.answers if each.order in theirs and each.at <= left_at)
    yield from (each.at for each in simulation.faults.happened if _concerns(each.place, [order]) and each.at <= left_at)
    yield from (end for end in (*simulation.ses.pauses, *evidence.shop.mended) if end <= left_at)


def what_is_refunded_is_not_sent_again(evidence: Evidence) -> Found:
    """A license of which a person said that its money went back, as long as that person says so."""
    for mail in evidence.accepted:
        claimed_at = evidence.claimed_at(mail)
        saved = [each for each in evidence.simulation.saves[mail.order] if each.at < claimed_at]
        gone = saved[-1].item.get("gone", ()) if saved else ()
        refunded = {each["license"] for each in gone if each["why"] == "refunded"}
        codes = (
            {one["code"] for one in saved[-1].item.get("licenses", ()) if one["id"] in refunded} if refunded else set()
        )
        if codes & {*mail.codes}:
            yield mail.order, f"{mail.mail} has the code of a license whose money went back"


def who_waits_has_a_way_on(evidence: Evidence) -> Found:
    """An agent is told what to do about each order that was paid and waits for a person."""
    for order, item in evidence.items.items():
        actions = evidence.actions.get(order, []) if evidence.is_owed(order) and needs(item) else ["none is needed"]
        if not actions or "nothing" in actions:
            yield order, f"it needs {needs(item)}, and nobody is told what to do"


def _at(check: Callable[[Shop, boundary.Items], Found]) -> Callable[[Evidence], Found]:
    return lambda evidence: check(evidence.shop, evidence.stored)


def what_happened_leaves_as_events(evidence: Evidence) -> Found:
    """Each mail with the codes of an order at least once, on the bus and to the shop; twice with the same id only."""
    out = evidence.simulation.events_out
    for way, left in (("bus", out.on_bus), ("shop", out.taken)):
        served = {(each["data"]["order_id"], each["data"]["mail"]) for each in left if each["type"] == "order.served"}
        for order in evidence.items:
            sent = {mail["id"] for mail in evidence.items[order].get("mails", ()) if _is_served_by(mail)}
            yield from (
                (order, f"{mail} left, and the {way} has no event")
                for mail in sent - {mail for name, mail in served if name == order}
            )
        ids: dict[str, Any] = {}
        for each in left:
            if ids.setdefault(each["id"], each) != each:
                yield str(each["data"].get("order_id")), f"event {each['id']} says two things"
        about = Counter((each["data"].get("order_id"), each["data"].get("mail"), each["type"]) for each in ids.values())
        yield from (
            (str(order), f"{mail} is served by {count} events")
            for (order, mail, type_), count in about.items()
            if type_ == "order.served" and count > 1
        )


def _is_served_by(mail: Mapping[str, Any]) -> bool:
    return mail["purpose"] in _DELIVERIES and mail["state"] == "sent"


def events_hold_no_code_and_no_address(evidence: Evidence) -> Found:
    heard = "\n".join(evidence.simulation.events_out.heard)
    addresses = {mail.to for mail in evidence.simulation.ses.accepted}
    yield from (
        ("events", f"{private} is in an event") for private in {*evidence.codes, *addresses} if private in heard
    )


CHECKS: Mapping[str, Callable[[Evidence], Found]] = {
    "1 paid orders have their codes": paid_orders_have_their_codes,
    "1 codes reach their customer": codes_reach_their_customer,
    "1 codes are where the orders say": codes_are_where_the_orders_say,
    "1 codes that never left are sold again": codes_that_never_left_are_sold_again,
    "12 who gets the money back is told": who_gets_the_money_back_is_told,
    "12 what comes too late is told": what_comes_too_late_is_told,
    "1 orders by hand are served once": orders_by_hand_are_served_once,
    "2 no code goes to two orders": no_code_goes_to_two_orders,
    "2 nobody renews what is another customer's": nobody_renews_what_is_another_customers,
    "2 typed codes are told to nobody": typed_codes_are_told_to_nobody,
    "2 withdrawn codes never leave": withdrawn_codes_never_leave,
    "2 everybody of a replaced batch has another code": everybody_of_a_replaced_batch_has_another_code,
    "3 what was paid at a provider is known": _at(boundary.what_was_paid_at_a_provider_is_known),
    "4 no code leaves unpaid": no_code_leaves_unpaid,
    "4 money pays for the codes": money_pays_for_the_codes,
    "4 what was paid before waits": what_was_paid_before_waits,
    "1 who is held has a reason": who_is_held_has_a_reason,
    "4 what is refunded is not sent again": what_is_refunded_is_not_sent_again,
    "5 renewals leave on their day": renewals_leave_on_their_day,
    "5 deliveries leave once": deliveries_leave_once,
    "5 deliveries are not late": deliveries_are_not_late,
    "5 renewals side by side start together": renewals_side_by_side_start_together,
    "5 no days are sold twice": no_days_are_sold_twice,
    "5 renewals follow each other": renewals_follow_each_other,
    "5 what a person decided of a renewal holds": what_a_person_decided_of_a_renewal_holds,
    "5 each code is delivered once": each_code_is_delivered_once,
    "5 codes that come serve who waits": codes_that_come_serve_who_waits,
    "5 what is there waits for nothing that is short": what_is_there_waits_for_nothing_that_is_short,
    "offers: nobody is reminded after the way out": after_the_way_out_nobody_is_reminded,
    "offers: nobody is reminded after a spam report": after_a_spam_report_nobody_is_reminded,
    "6 one attempt is accepted once": one_attempt_is_accepted_once,
    "6 mails are sent again only in doubt": mails_are_sent_again_only_in_doubt,
    "6 corrected addresses are written to": corrected_addresses_are_written_to,
    "6 no mail is lost": no_mail_is_lost,
    "6 one wish makes one mail": one_wish_makes_one_mail,
    "6 mails that were promised leave": mails_that_were_promised_leave,
    "10 nobody touches what cannot be read": nobody_touches_what_cannot_be_read,
    "12 who paid is served or waits for a person": who_paid_is_served_or_waits_for_a_person,
    "12 codes of what was exchanged are free again": codes_of_what_was_exchanged_are_free_again,
    "12 who waits has a way on": who_waits_has_a_way_on,
    "12 one payment is one": one_payment_is_one,
    "events: what happened leaves": what_happened_leaves_as_events,
    "events: no code and no address leaves": events_hold_no_code_and_no_address,
    "11 fields of the future stay": fields_of_the_future_stay,
    "1 free codes are offered as what they are": _at(boundary.free_codes_are_offered_as_what_they_are),
    "2 codes of recalled batches do not leave": _at(boundary.codes_of_recalled_batches_do_not_leave),
    "2 what is put back is withdrawn no more": _at(boundary.what_is_put_back_is_withdrawn_no_more),
    "12 support is told of who waits": _at(boundary.support_is_told_of_who_waits),
    "12 support gets one note a day": _at(boundary.support_gets_one_note_a_day),
    "2 a trial changes nothing": _at(boundary.a_trial_changes_nothing),
    "2 one wish makes one order": _at(boundary.one_wish_makes_one_order),
    "2 a double click is one": _at(boundary.a_double_click_is_one),
    "3 nothing that is due waits for ever": _at(boundary.nothing_that_is_due_waits_for_ever),
    "6 mails are given up only when SES refuses them": _at(boundary.mails_are_given_up_only_when_ses_refuses_them),
    "7 nothing private leaks": _at(boundary.nothing_private_leaks),
    "8 nobody without a signature changes anything": _at(boundary.nobody_without_a_signature_changes_anything),
    "9 bad input changes nothing": _at(boundary.bad_input_changes_nothing),
    "10 what cannot be written is set aside": _at(boundary.what_cannot_be_written_is_set_aside),
    "12 what is told meanwhile is kept": _at(boundary.what_is_told_meanwhile_is_kept),
    "12 what is refused is written down": _at(boundary.genuine_callbacks_that_change_nothing_are_written_down),
    "1 imported codes are in the table": _at(kept.imported_codes_are_in_the_table),
    "1 imported licenses are known": _at(kept.imported_licenses_are_known),
    "2 codes of withdrawn batches are not free": _at(kept.codes_of_withdrawn_batches_are_not_free),
    "5 nothing starts before it is paid": _at(kept.nothing_starts_before_it_is_paid),
    "5 what is unusual waits": _at(kept.what_is_unusual_waits),
    "6 addresses that bounced get nothing": _at(kept.addresses_that_bounced_get_nothing),
    "2 codes that left are not free": _at(kept.codes_that_left_are_not_free),
    "4 what a person holds stays": _at(kept.what_a_person_holds_stays),
    "5 licenses last as long as was sold": _at(kept.licenses_last_as_long_as_was_sold),
    "2 what is given again later is another order": _at(boundary.what_is_given_again_later_is_another_order),
    "6 wishes are granted": _at(boundary.wishes_are_granted),
    "7 corrected addresses get nothing": _at(kept.corrected_addresses_get_nothing),
    "12 the newest address counts": _at(kept.the_newest_address_counts),
    "1 codes leave while they can be activated": codes_leave_while_they_can_be_activated,
    "7 nobody is forgotten too early": _at(kept.nobody_is_forgotten_too_early),
    "5 reminders come by the last day": _at(kept.reminders_come_by_the_last_day),
    "6 good addresses are not asked for": _at(kept.good_addresses_are_not_asked_for),
    "7 mails go to who bought": _at(kept.mails_go_to_who_bought),
    "7 what is erased is gone": _at(kept.what_is_erased_is_gone),
    "12 what is stored is found": _at(kept.what_is_stored_is_found),
    "12 what was accepted is stored": _at(kept.what_was_accepted_is_stored),
    "12 what SES tells is stored": _at(kept.what_ses_tells_is_stored),
    "nothing fails in good weather": nothing_fails_in_good_weather,
    "nothing fails that AWS makes up for": _at(boundary.what_aws_makes_up_for_fails_nothing),
}


def violations(shop: Shop) -> list[Violation]:
    evidence = Evidence(shop)
    return [Violation(name, order, text) for name, check in CHECKS.items() for order, text in check(evidence)]
