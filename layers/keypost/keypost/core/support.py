"""What agents do for a customer. Each function gets an order and returns the changed order. `Refused` says why
something is not done, and what can be done instead."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from keypost.core import cancellation, mailing, owed, renewal_decisions
from keypost.core.codes import StockCode
from keypost.core.contents import decided, with_subscription_ended, without_person
from keypost.core.errors import NotFound, Refused, TooMany
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked, Mail, MailState, Purpose
from keypost.core.mailing import with_good_address
from keypost.core.obstacles import has_address, obstacle
from keypost.core.order import (
    NO_ADDRESS,
    BadCode,
    Customer,
    Hold,
    License,
    Order,
    Reason,
    noted,
    without_concerns,
    without_waits,
    without_words,
)
from keypost.core.owed import named, to_block
from keypost.core.payment import MONEY_BACK, Standing
from keypost.core.periods import local_day
from keypost.core.said import Said, said
from keypost.core.stored import with_extra
from keypost.core.wish import Ask

CUSTOMER = "customer"  # the name in timelines for a customer who asked on the page
KEYPOST = "keypost"  # the name in timelines for what nobody asked for
RESENDS_PER_DAY = 3  # of one order
BAD_CODE_REASONS = ("already used", "wrong region", "invalid")
MOST_MAILS = 100  # of one order, which is one item of at most 400 kB
KEPT_FROM_PAGE = 30  # of these, from the page for customers, where anybody can ask: the newest ones
MOST_SWAPS = 50
MOST_SWAPS_OF_BATCHES = 600  # of one order, those of whole batches included
MOST_CORRECTIONS = 20
_SAME_KEY = timedelta(days=1)
_DOUBLE_CLICK = timedelta(minutes=1)
_ON_ITS_WAY = (MailState.PENDING, MailState.SENDING, MailState.UNKNOWN)  # unknown for at most 15 minutes


@dataclass(frozen=True, slots=True)
class Only:
    """What is sent again: all of an order to its address, unless told otherwise."""

    to: str | None = None  # another address, once
    license: str | None = None  # this one


ALL = Only()


def resend(order: Order, asked: Asked, zone: tzinfo, only: Only = ALL) -> tuple[Order, Mail]:
    """Add a mail that repeats everything that reached the customer, or should have, or `only` that; returns the order
    and the mail. The same request twice adds one mail. The order's own address is told of a mail to another one.
    Refused and TooMany say why not; NotFound if the order has no such license."""
    if known := granted(order, asked, only):
        return order, known
    if why_not := obstacle(order) or why_nothing_to_send(order, zone, only):
        raise Refused("not_sent_again", order=order.id, why=why_not)
    today = local_day(asked.at, zone)
    alike = [mail for mail in order.mails if _counts_with(mail, asked)]
    times = sum(_asked_on(mail, zone) == today for mail in alike)
    order = _with_room(order, alike) if asked.who == CUSTOMER else without_concerns(order, Ask.NOTHING_CAME)
    _check_room(order)
    if times >= RESENDS_PER_DAY:
        raise TooMany("sent_again_too_often", order=order.id, times=times)
    wordless = replace(asked, why="")  # the timeline has the words
    owed = replace(mailing.new_mail(order, Purpose.RESEND, asked.at), **_only(order, only), asked=wordless)
    order = replace(order, mails=(*order.mails, owed))
    code = "resend_elsewhere" if only.to else "resend_asked"
    order = noted(order, asked.at, code, who=asked.who, words=asked.why, license=only.license)
    return (with_notice(order, Purpose.SENT_ELSEWHERE, wordless) if only.to else order), owed


def _with_room(order: Order, from_page: Sequence[Mail]) -> Order:
    """Without the oldest mails of the page for customers that are too many and that a later one repeats: nobody can use
    up the mails of an order there. TooMany if none can go."""
    too_many = len(from_page) - KEPT_FROM_PAGE + 1
    if too_many <= 0:
        return order
    spare = [mail for mail in from_page if _is_repeated(order, mail)][:too_many]
    if len(spare) < too_many:
        raise TooMany("sent_again_from_page_too_often", order=order.id, times=len(from_page))
    return replace(order, mails=tuple(mail for mail in order.mails if mail not in spare))


def _is_repeated(order: Order, mail: Mail) -> bool:
    later = order.mails[order.mails.index(mail) + 1 :]
    sent = [each for each in later if each.state is MailState.SENT and not each.came_back]
    return mail.next_at is None and owed.tell_all_of(order, mail, sent)


def _only(order: Order, only: Only) -> dict[str, Any]:
    if only.license is None:
        return {"lines": _lines_to_repeat(order, only.to), "to": only.to}
    return {"lines": (license_of(order, only.license).line,), "licenses": (only.license,), "to": only.to}


def with_notice(order: Order, purpose: Purpose, asked: Asked, licenses: tuple[str, ...] = ()) -> Order:
    """Tell the order's address what was done on request, unless it takes no mail."""
    address = order.customer.email
    if not address or order.waits_for(Reason.ADDRESS):
        return order
    notice = replace(mailing.new_mail(order, purpose, asked.at), to=address, licenses=licenses, asked=asked)
    return replace(order, mails=(*order.mails, notice))


def granted(order: Order, asked: Asked, only: Only = ALL) -> Mail | None:
    """The mail that an earlier call with the same request added. After that mail came back, or after the address was
    corrected, the request counts as a new one: None."""
    resent = (mail for mail in order.mails if mail.purpose is Purpose.RESEND and not mail.came_back)
    licenses = (only.license,) if only.license else ()
    alike = (mail for mail in resent if (mail.to, mail.licenses) == (only.to, licenses))
    there = (mail for mail in alike if mail.sent_to in (None, only.to or order.customer.email))
    return next((mail for mail in there if mail.asked and _is_same_wish(mail.asked, asked)), None)


def resend_to_good_address(order: Order, asked: Asked, zone: tzinfo, *, lifted: bool) -> Order:
    """End the wait for the address, then resend. If there is nothing to resend, ending the wait is enough, provided
    that the order did wait or that the block was `lifted`; otherwise Refused."""
    waited = order.waits_for(Reason.ADDRESS)
    if lifted:
        order = noted(order, asked.at, "suppression_lifted", who=asked.who)
    try:
        return resend(without_waits(order, Reason.ADDRESS), asked, zone)[0]
    except Refused:
        if not waited and not lifted:
            raise
        return with_good_address(order, asked.at, zone, replace(asked, why=""))


def leaving(order: Order, to: str | None = None) -> Mail | None:
    """The newest mail with codes that is on its way to the order's address, or to this other one; None if there is
    none."""
    return next(iter(reversed(_on_their_way(order, to))), None)


def _on_their_way(order: Order, to: str | None) -> list[Mail]:
    return [mail for mail in order.mails if mail.holds_codes and mail.state in _ON_ITS_WAY and mail.to == to]


def why_no_resend(order: Order, zone: tzinfo) -> Said | None:
    """Why an order's mail cannot be sent again now, and what can be done; None when it can, if need be by lifting the
    suppression of its address."""
    if why_not := obstacle(order):
        return why_not
    return None if order.waits_for(Reason.ADDRESS) else why_nothing_to_send(order, zone)


def why_nothing_to_send(order: Order, zone: tzinfo, only: Only = ALL) -> Said | None:
    lines = _lines_to_repeat(order, only.to)
    license_ = license_of(order, only.license) if only.license else None
    if license_ in order.past or (order.licenses and not order.current):
        return said("license_exchanged")
    if lines and (license_ is None or license_.line in lines):
        return None
    if mail := leaving(order, only.to):
        return _is_leaving(mail)
    if order.waiting:
        return said("mail_waits", why=order.waiting.why)
    if coming := owed.deliveries(order):
        return said("mail_leaves_on", day=local_day(coming[0].mail_at, zone))
    return said("nothing_sent_yet")


def _lines_to_repeat(order: Order, to: str | None) -> tuple[int, ...]:
    """The lines whose mail was sent, or would not be sent by itself, and is not on its way there."""
    coming = order.licenses_of(_on_their_way(order, to))
    return tuple(sorted(order.owed_lines & {one.line for one in order.current if one.id not in coming}))


def _is_leaving(mail: Mail) -> Said:
    if mail.state is MailState.PENDING and mail.problem:
        return said("mail_tried_again", mail=mail.id, why=mail.problem)
    return said("mail_is_being_sent", mail=mail.id)


def _check_room(order: Order) -> None:
    if len(order.mails) >= MOST_MAILS:
        raise TooMany("too_many_mails", order=order.id, times=len(order.mails))


def _is_same_wish(one: Asked, other: Asked) -> bool:
    apart = abs(other.at - one.at)
    return one.key == other.key and apart < _SAME_KEY if other.key else apart < _DOUBLE_CLICK


def _counts_with(mail: Mail, asked: Asked) -> bool:
    """True if this mail and this request use one quota. Requests on the page have their own, because anybody can ask
    there and must not use up what support may send."""
    is_customers = mail.asked is not None and mail.asked.who == CUSTOMER
    return is_resend(mail) and is_customers == (asked.who == CUSTOMER)


def is_resend(mail: Mail) -> bool:
    return mail.purpose is Purpose.RESEND


def _asked_on(mail: Mail, zone: tzinfo) -> date | None:
    return local_day(mail.asked.at, zone) if mail.asked else None


def correct_address(order: Order, email: str, asked: Asked, zone: tzinfo) -> Order:
    """Send to another address from now on, and add a notice to the old address, which does not say the new one."""
    if order.is_erased:
        raise Refused("order_is_erased", order=order.id)
    corrected = order.customer.corrected
    if len(corrected) >= MOST_CORRECTIONS and email not in corrected.values():
        raise TooMany("corrected_too_often", order=order.id, times=len(corrected))
    old = order.customer.email
    changed = with_address(order, email, asked, zone)
    takes_mail = not order.waits_for(Reason.ADDRESS) and (old or "").casefold() != email.casefold()
    if changed is order or not old or not takes_mail or len(order.mails) >= MOST_MAILS:
        return changed
    notice = replace(mailing.new_mail(changed, Purpose.ADDRESS_CHANGED, asked.at), to=old, asked=replace(asked, why=""))
    return replace(changed, mails=(*changed.mails, notice))


def with_address(order: Order, email: str, asked: Asked, zone: tzinfo) -> Order:
    """Change the address of an order without a notice to the old address, which the corrected order has already sent.
    What came back from the old address is sent to the new one."""
    if order.customer.email == email or order.is_erased:
        return order
    problem = order.hold.problem
    hold = replace(order.hold, problem=None if problem and problem.code == NO_ADDRESS else problem)
    moved = replace(order, customer=replace(order.customer, email=email), hold=hold)
    moved = without_concerns(moved, Ask.NOTHING_CAME, Ask.NOT_MY_ADDRESS)
    order = with_correction(moved, order.customer.email or "", email)
    order = noted(order, asked.at, "address_corrected", who=asked.who, words=asked.why)
    return with_good_address(order, asked.at, zone, replace(asked, why=""))


def with_correction(order: Order, old: str, email: str) -> Order:
    """Remember a correction. A later payment or renewal may bring the wrong address again (or none, which is stored as
    an empty one), and then gets the right one."""
    known = order.customer.corrected
    if order.is_erased or old == email or known.get(old) == email:
        return order
    kept = {wrong: email if right == old else right for wrong, right in known.items() if wrong != email}
    return replace(order, customer=replace(order.customer, corrected=kept | {old: email}))


def license_of(order: Order, license_id: str) -> License:
    found = order.license(license_id)
    if found is None:
        raise NotFound("no_such_license", order=order.id, license=license_id)
    return found


def why_no_swap(order: Order, license_: License, today: date) -> Said | None:
    """Why a license gets no other code; None if it may get one."""
    if why_not := obstacle(order):
        return why_not
    if license_ in order.past:
        return said("license_exchanged")
    if license_.last_day < today:
        return said("license_ended", last_day=license_.last_day)
    begun = [mail for mail in order.mails if mail.state in (MailState.SENDING, MailState.UNKNOWN)]
    having = [mail for mail in begun if mail.holds_codes and license_.line in order.lines_of([mail])]
    return said("mail_is_being_sent", mail=having[0].id) if having else None


def swapped(order: Order, license_id: str, asked: Asked) -> bool:
    """True if an earlier call with the same request has swapped the code of this license."""
    return any(bad.license == license_id and _is_same_wish(bad.asked, asked) for bad in order.bad_codes)


def with_other_code(order: Order, license_id: str, code: StockCode, reason: str, asked: Asked) -> Order:
    """Give a license another code for the same period, with a mail if the bad code was sent. `why_no_swap` says whether
    it may be done. `asked.why` is free text, `reason` one of BAD_CODE_REASONS."""
    _check_room(order)
    if len(order.bad_codes) >= MOST_SWAPS:
        raise TooMany("swapped_too_often", order=order.id, times=len(order.bad_codes))
    bad = license_of(order, license_id)
    licenses = tuple(
        replace(each, code=code.code, case_counts=code.case_counts) if each is bad else each for each in order.licenses
    )
    bad_code = BadCode(bad.id, bad.code, bad.sku, reason, replace(asked, why=""), bad.case_counts)
    order = replace(order, licenses=licenses, bad_codes=(*order.bad_codes, bad_code))
    what = said(reason.replace(" ", "_"))
    order = noted(order, asked.at, "code_swapped", who=asked.who, words=asked.why, license=license_id, reason=what)
    if bad.line not in order.sent_lines:
        return order
    return _with_replacement(order, bad, asked)


def with_other_codes(
    order: Order, swaps: Sequence[tuple[License, StockCode]], reason: str, asked: Asked, *, is_last: bool
) -> Order:
    """Give several licenses other codes, as one action whose key is that of `asked`, with one mail for those whose
    codes were sent: the last part of the action adds it."""
    _check_room(order)
    if len(order.bad_codes) + len(swaps) > MOST_SWAPS_OF_BATCHES:
        raise TooMany("swapped_too_often", order=order.id, times=len(order.bad_codes))
    other = {bad.id: code for bad, code in swaps}
    licenses = tuple(_with_code(one, other[one.id]) if one.id in other else one for one in order.licenses)
    wordless = replace(asked, why="")
    bad_codes = tuple(BadCode(bad.id, bad.code, bad.sku, reason, wordless, bad.case_counts) for bad, _ in swaps)
    order = replace(order, licenses=licenses, bad_codes=(*order.bad_codes, *bad_codes))
    what = said(reason.replace(" ", "_"))
    order = noted(order, asked.at, "batch_replaced", who=asked.who, words=asked.why, count=len(swaps), reason=what)
    if not is_last:
        return order
    untold = {bad.license for bad in order.bad_codes if bad.asked.key == asked.key and not _is_told(order, bad)}
    for one in order.licenses:
        if one.id in untold and one.line in order.sent_lines:
            order = _with_replacement(order, one, asked)
    return order


def _is_told(order: Order, bad: BadCode) -> bool:
    """Whether a mail was added for the code that came in place of a bad one."""
    mails = (mail for mail in order.mails if mail.purpose is Purpose.REPLACEMENT and bad.license in mail.licenses)
    return any(mail.asked is not None and mail.asked.at >= bad.asked.at for mail in mails)


def _with_code(license_: License, code: StockCode) -> License:
    return replace(license_, code=code.code, case_counts=code.case_counts)


def _with_replacement(order: Order, bad: License, asked: Asked) -> Order:
    """Add a mail with the new code. Codes that are swapped before its first attempt are added to the same mail."""
    untried = [mail for mail in order.mails if mail.purpose is Purpose.REPLACEMENT and not mail.attempts]
    new = replace(mailing.new_mail(order, Purpose.REPLACEMENT, asked.at), asked=replace(asked, why=""))
    mail = untried[-1] if untried else new
    lines, licenses = {*mail.lines, bad.line}, dict.fromkeys((*mail.licenses, bad.id))
    owed = replace(mail, lines=tuple(sorted(lines)), licenses=tuple(licenses))
    return replace(order, mails=(*(each for each in order.mails if each.id != owed.id), owed))


def erase(order: Order, asked: Asked, forget_on: date, *, is_part: bool = False) -> Order:
    """Remove everything that identifies the customer: the name, the addresses, and what people wrote. Only what tax law
    requires is left, and nothing more is sent. `is_part`: the order belongs to a subscription, and the first order of
    that asks a person to end it."""
    if order.is_erased:
        return order
    order = replace(
        without_person(order),
        customer=Customer(language=order.customer.language),
        reminders=(),
        mails=tuple(_without_words(mail) for mail in order.mails if mail.state is not MailState.PENDING),
        bad_codes=tuple(replace(bad, asked=replace(bad.asked, key="")) for bad in order.bad_codes),
        timeline=without_words(order.timeline),
        forget_on=forget_on,
        subscription=replace(order.subscription, is_charged=order.subscription.is_charged and not is_part),
    )
    return noted(order, asked.at, "erased", who=asked.who)


def _without_words(mail: Mail) -> Mail:
    asked = replace(mail.asked, why="", key="") if mail.asked else None
    return replace(mail, to=None, sent_to=None, asked=asked)


def without_correction(order: Order, email: str) -> Order:
    """Remove an erased address from the corrections in an order of another customer."""
    known = order.customer.corrected
    is_theirs = email.casefold()
    kept = {wrong: right for wrong, right in known.items() if is_theirs not in (wrong.casefold(), right.casefold())}
    return order if kept == known else replace(order, customer=replace(order.customer, corrected=kept))


def forget_on(created_at: datetime, years: int, zone: tzinfo) -> date:
    """The moment from which the order may be removed: the legal term counts from the end of the year of the order."""
    return date(local_day(created_at, zone).year + years, 12, 31)


def subscription_ended(order: Order, who: str, now: datetime, words: str = "") -> Order:
    """Note that a person ended the subscription at the provider. Refused if the order has none."""
    if not order.subscription.is_charged:
        raise Refused("no_subscription", order=order.id)
    return with_subscription_ended(order, now, who, "" if order.is_erased else words, now)


def blocked(order: Order, who: str, now: datetime, words: str = "") -> Order:
    """Note that the vendor has blocked the codes whose money was returned. Refused if there are none."""
    found = to_block(order)
    if not found and not order.blocked:
        raise Refused("nothing_to_block", order=order.id)
    if not found:
        return order
    words = "" if order.is_erased else words  # nothing that somebody types comes in again
    order = replace(order, blocked=(*order.blocked, *(license_.id for license_ in found)))
    return noted(order, now, "codes_blocked", who=who, words=words, **named(found))


def _check_not_erased(order: Order) -> None:
    if order.is_erased:
        raise Refused("order_is_erased", order=order.id)


def hold(order: Order, who: str, now: datetime, words: str = "") -> Order:
    """Hold an order, so that nothing is sent for it. Refused if its customer was erased, since nothing is sent then
    anyway."""
    _check_not_erased(order)
    is_known = any((entry.code, entry.words) == ("held", words) for entry in order.timeline)
    if order.hold.by_person and (not words or is_known):
        return order
    return noted(replace(order, hold=replace(order.hold, by_person=True)), now, "held", who=who, words=words)


def release(order: Order, who: str, now: datetime, words: str = "") -> Order:
    """Release an order, for whatever reason it was held. Refused if it cannot be served as it is."""
    _check_releasable(order)
    is_part = order.standing is Standing.PARTLY_REFUNDED or any(each.is_unmatched for each in order.settled)
    hold = Hold(released=order.hold.released or is_part)
    free = renewal_decisions.agreed(order, Asked(now, who))
    if hold == order.hold and free is order and not order.canceled:
        return order
    # With a decision, what a teller only says again does not hold it again.
    is_judged = any((order.hold.problem, order.hold.from_before, order.hold.same_as))
    free = decided(free, "release", Asked(now, who)) if is_judged else free
    free = cancellation.released(free) if free.canceled else free
    return noted(replace(free, hold=with_extra(hold, order.hold)), now, "released", who=who, words=words)


def _check_releasable(order: Order) -> None:
    _check_not_erased(order)
    if order.hold.contents or order.belongs_to or order.standing in MONEY_BACK:
        raise Refused("not_released", order=order.id, why=obstacle(order))
    if not order.lines or not has_address(order):
        raise Refused("cannot_be_served", order=order.id)
