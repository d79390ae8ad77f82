"""What support does for a customer, as pure changes: each takes an order and returns the order as it is from then on.
`Refused` says why something is not done, and what can be done instead."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo

from keypost.core import mailing, owed
from keypost.core.codes import StockCode
from keypost.core.contents import with_subscription_ended
from keypost.core.errors import NotFound, Refused, TooMany
from keypost.core.mail import ADDRESS_CHANGED, Asked, Mail, MailState
from keypost.core.mailing import with_good_address
from keypost.core.order import HELD, NO_ADDRESS, BadCode, License, Order, Reason, noted, without_waits
from keypost.core.owed import named, to_block
from keypost.core.payment import MONEY_BACK, Standing
from keypost.core.periods import local_day
from keypost.core.product import Kind

CUSTOMER = "customer"  # who asked, on the page
RESENDS_PER_DAY = 3  # of one order
WISHES_PER_DAY = 3  # of one customer, on the page
ORDERS_PER_WISH = 5
BAD_CODE_REASONS = ("already used", "wrong region", "invalid")
MOST_MAILS = 100  # of one order, which is one item of at most 400 kB
MOST_FROM_PAGE = 30  # of these: anybody can ask there
MOST_SWAPS = 50
MOST_CORRECTIONS = 20
_SAME_KEY = timedelta(days=1)
_DOUBLE_CLICK = timedelta(minutes=1)
_ON_ITS_WAY = (MailState.PENDING, MailState.SENDING, MailState.UNKNOWN)  # a doubt ends within 15 minutes
_NO_MONEY = {
    Standing.OPEN: "it is not paid: look for the payment at the provider, or ask the customer to pay",
    Standing.FAILED: "its payment failed: ask the customer to pay again",
    Standing.REFUNDED: "its money went back: the customer buys a new license",
    Standing.DISPUTED: "its payment is disputed: wait until that is decided",
}


def resend(order: Order, asked: Asked, zone: tzinfo) -> tuple[Order, Mail]:
    """Owe the customer all that reached them, or should have, once more. The same wish twice is one mail."""
    if known := granted(order, asked):
        return order, known
    if why_not := _why_not_served(order) or _why_nothing_to_send(order, zone):
        raise Refused(f"order {order.id} is not sent again: {why_not}")
    today = local_day(asked.at, zone)
    alike = [mail for mail in order.mails if _counts_with(mail, asked)]
    times = sum(_asked_on(mail, zone) == today for mail in alike)
    _check_room(order)
    if asked.who == CUSTOMER and len(alike) >= MOST_FROM_PAGE:
        raise TooMany(f"order {order.id} was sent again {len(alike)} times from the page, which is the most")
    if times >= RESENDS_PER_DAY:
        raise TooMany(
            f"order {order.id} was sent again {times} times today, which is the most: check the address with the"
            " customer, or try another one"
        )
    wordless = replace(asked, why="")  # the words are in the timeline
    owed = replace(mailing.new_mail(order, "resend", asked.at), lines=_lines_to_repeat(order), asked=wordless)
    order = replace(order, mails=(*order.mails, owed))
    return noted(order, asked.at, "resend asked", asked.why, asked.who), owed


def granted(order: Order, asked: Asked) -> Mail | None:
    """The mail of this very wish. After it came back, or the address was corrected, it is another one."""
    for mail in order.mails:
        goes_there = mail.sent_to in (None, order.email)
        is_wish = mail.purpose == "resend" and goes_there and not mail.came_back
        if is_wish and mail.asked and _is_same_wish(mail.asked, asked):
            return mail
    return None


def resend_to_good_address(order: Order, asked: Asked, zone: tzinfo, *, lifted: bool) -> Order:
    """The same for an address that takes mail, as it turns out or since its suppression was lifted. What waited for
    that leaves then, also where nothing can be sent besides."""
    waited = order.waits_for(Reason.ADDRESS)
    if lifted:
        order = noted(order, asked.at, "suppression lifted", "its address takes mail again", asked.who)
    try:
        return resend(without_waits(order, Reason.ADDRESS), asked, zone)[0]
    except Refused:
        if not waited and not lifted:
            raise
        return with_good_address(order, asked.at, zone, replace(asked, why=""))


def leaving(order: Order) -> Mail | None:
    """Its newest mail with codes that is on its way."""
    return next((mail for mail in reversed(order.mails) if mail.holds_codes and mail.state in _ON_ITS_WAY), None)


def why_no_resend(order: Order, zone: tzinfo) -> str | None:
    """Why an order's mail cannot be sent again now, and what can be done; None when it can, if need be by lifting the
    suppression of its address."""
    if why_not := _why_not_served(order):
        return why_not
    return None if order.waits_for(Reason.ADDRESS) else _why_nothing_to_send(order, zone)


def _why_nothing_to_send(order: Order, zone: tzinfo) -> str | None:
    if _lines_to_repeat(order):
        return None
    if mail := leaving(order):
        return _is_leaving(mail)
    if order.waiting:
        return f"it waits for {order.waiting.reason}, and its mail leaves by itself then: {order.waiting.detail}"
    if coming := owed.deliveries(order):
        return f"its mail leaves by itself on {local_day(coming[0].mail_at, zone)}"
    return "nothing of it has been sent yet, and nothing is due"


def worth_sending_again(found: Iterable[Order], today: date) -> list[Order]:
    """Of a customer's orders, those with a license that was sent and has not ended, the newest first. Sending them
    changes nothing of which they are."""
    running = [
        order
        for order in found
        if order.is_servable
        and any(each.last_day >= today and each.line in order.sent_lines for each in order.licenses)
    ]
    return sorted(running, key=lambda order: (order.created_at, order.id), reverse=True)[:ORDERS_PER_WISH]


def _why_not_served(order: Order) -> str | None:
    if order.is_erased:
        return "its customer was erased, and no address is known any more"
    if order.belongs_to:
        return f"its payment is of order {order.belongs_to}: send that one again"
    if order.canceled:
        return "it was canceled"
    if order.standing in _NO_MONEY:
        return _NO_MONEY[order.standing]
    if not order.is_servable:
        why = order.problem or (HELD if order.held else "a part was refunded")
        return f"it is on hold, {why}: release it first, if that is right"
    return None


def _lines_to_repeat(order: Order) -> tuple[int, ...]:
    """Those whose mail left, or would not leave, and is not about to."""
    coming = order.licenses_of(mail for mail in order.mails if mail.holds_codes and mail.state in _ON_ITS_WAY)
    return tuple(sorted(order.owed_lines & {one.line for one in order.licenses if one.id not in coming}))


def _is_leaving(mail: Mail) -> str:
    if mail.state is MailState.PENDING and mail.problem:
        return f"its mail has not left yet, and is tried again by itself: {mail.problem}"
    return "its mail is just being sent: look again in a few minutes"


def _check_room(order: Order) -> None:
    if len(order.mails) >= MOST_MAILS:
        raise TooMany(f"order {order.id} has had {len(order.mails)} mails, which is the most: write to its customer")


def _is_same_wish(one: Asked, other: Asked) -> bool:
    apart = abs(other.at - one.at)
    return one.key == other.key and apart < _SAME_KEY if other.key else apart < _DOUBLE_CLICK


def _counts_with(mail: Mail, asked: Asked) -> bool:
    """Anybody can ask on the page, and must not use up what support may send."""
    is_customers = mail.asked is not None and mail.asked.who == CUSTOMER
    return mail.purpose == "resend" and is_customers == (asked.who == CUSTOMER)


def _asked_on(mail: Mail, zone: tzinfo) -> date | None:
    return local_day(mail.asked.at, zone) if mail.asked else None


def correct_address(order: Order, email: str, asked: Asked, zone: tzinfo) -> Order:
    """Write to another address from now on, and tell the old one, without saying which the new one is."""
    if order.is_erased:
        raise Refused(f"order {order.id} gets no address: its customer was erased")
    if len(order.corrected) >= MOST_CORRECTIONS and email not in order.corrected.values():
        raise TooMany(f"the address of order {order.id} was corrected {len(order.corrected)} times, which is the most")
    old = order.email
    changed = with_address(order, email, asked, zone)
    takes_mail = not order.waits_for(Reason.ADDRESS)
    if changed is order or not old or not takes_mail or len(order.mails) >= MOST_MAILS:
        return changed
    notice = replace(mailing.new_mail(changed, ADDRESS_CHANGED, asked.at), to=old, asked=replace(asked, why=""))
    return replace(changed, mails=(*changed.mails, notice))


def with_address(order: Order, email: str, asked: Asked, zone: tzinfo) -> Order:
    """The same for a renewal of a corrected order: its old address has been told. What came back from there is sent
    to the new one."""
    if order.email == email or order.is_erased:
        return order
    problem = None if order.problem == NO_ADDRESS else order.problem
    order = with_correction(replace(order, email=email, problem=problem), order.email or "", email)
    order = noted(order, asked.at, "address corrected", asked.why, asked.who)
    return with_good_address(order, asked.at, zone, replace(asked, why=""))


def with_correction(order: Order, old: str, email: str) -> Order:
    """What comes later, of its payments and its renewals, may bring the wrong address again (or none, which is an
    empty one): it gets the right one."""
    if order.is_erased or old == email or order.corrected.get(old) == email:
        return order
    kept = {wrong: email if right == old else right for wrong, right in order.corrected.items() if wrong != email}
    return replace(order, corrected=kept | {old: email})


def license_of(order: Order, license_id: str) -> License:
    found = next((license_ for license_ in order.licenses if license_.id == license_id), None)
    if found is None:
        raise NotFound(f"order {order.id} has no license {license_id}")
    return found


def why_no_swap(order: Order, license_: License, today: date) -> str | None:
    """Why a license gets no other code; None when it may have one."""
    if why_not := _why_not_served(order):
        return why_not
    if license_.last_day < today:
        return f"it ended on {license_.last_day}: the customer buys a new one"
    begun = (mail for mail in order.mails if mail.state in (MailState.SENDING, MailState.UNKNOWN))
    has_it = any(mail.holds_codes and license_.line in order.lines_of([mail]) for mail in begun)
    return "its mail is just being sent: look again in a few minutes" if has_it else None


def swapped(order: Order, license_id: str, asked: Asked) -> bool:
    """Whether this very wish was granted already."""
    return any(bad.license == license_id and _is_same_wish(bad.asked, asked) for bad in order.bad_codes)


def with_other_code(order: Order, license_id: str, code: StockCode, reason: str, asked: Asked) -> Order:
    """Another code for the same license and period, with a mail if the bad one had left; `why_no_swap` says whether it
    may be. `asked.why` is free text, `reason` one of BAD_CODE_REASONS."""
    _check_room(order)
    if len(order.bad_codes) >= MOST_SWAPS:
        raise TooMany(f"order {order.id} had {len(order.bad_codes)} codes swapped, which is the most: sell it anew")
    bad = license_of(order, license_id)
    licenses = tuple(replace(each, code=code.code) if each is bad else each for each in order.licenses)
    bad_code = BadCode(bad.id, bad.code, bad.sku, reason, asked)
    order = replace(order, licenses=licenses, bad_codes=(*order.bad_codes, bad_code))
    why = ", ".join(filter(None, (f"{license_id}: {reason}", asked.why)))
    order = noted(order, asked.at, "code swapped", why, asked.who)
    if bad.line not in order.sent_lines:
        return order
    return _with_replacement(order, bad, asked)


def _with_replacement(order: Order, bad: License, asked: Asked) -> Order:
    """With a mail of the new code. Codes that are swapped before its first attempt go with it."""
    untried = [mail for mail in order.mails if mail.purpose == "replacement" and not mail.attempts]
    new = replace(mailing.new_mail(order, "replacement", asked.at), asked=replace(asked, why=""))
    mail = untried[-1] if untried else new
    lines, licenses = {*mail.lines, bad.line}, dict.fromkeys((*mail.licenses, bad.id))
    owed = replace(mail, lines=tuple(sorted(lines)), licenses=tuple(licenses))
    return replace(order, mails=(*(each for each in order.mails if each.id != owed.id), owed))


def erase(order: Order, asked: Asked, forget_on: date, *, is_part: bool = False) -> Order:
    """Without anything that tells who the customer is: the name, the addresses, and what people wrote. What is left
    are the facts that tax law asks for. What had not left yet is not sent any more. `is_part`: of a subscription whose
    first order asks for its end."""
    if order.is_erased:
        return order
    timeline = tuple(each if each.who == "keypost" else replace(each, why="") for each in order.timeline)
    order = replace(
        order,
        email=None,
        name=None,
        corrected={},
        reminders=(),
        mails=tuple(_without_words(mail) for mail in order.mails if mail.state is not MailState.PENDING),
        bad_codes=tuple(replace(bad, asked=replace(bad.asked, why="", key="")) for bad in order.bad_codes),
        timeline=timeline,
        forget_on=forget_on,
        is_subscription=order.is_subscription and not is_part,
    )
    return noted(order, asked.at, "erased", "the customer's data, on request", asked.who)


def _without_words(mail: Mail) -> Mail:
    asked = replace(mail.asked, why="", key="") if mail.asked else None
    return replace(mail, to=None, sent_to=None, asked=asked)


def without_correction(order: Order, email: str) -> Order:
    """Nothing of an address that is to be erased, in the order of somebody else."""
    kept = {wrong: right for wrong, right in order.corrected.items() if email not in (wrong, right)}
    return order if kept == order.corrected else replace(order, corrected=kept)


def forget_on(created_at: datetime, years: int, zone: tzinfo) -> date:
    """The legal term counts from the end of the year of the order."""
    return date(local_day(created_at, zone).year + years, 12, 31)


def subscription_ended(order: Order, who: str, now: datetime, why: str = "") -> Order:
    """A person says that its subscription was ended at the provider. Refused when it has none."""
    if not order.is_subscription:
        raise Refused(f"order {order.id} has no subscription: nothing charges its customer again")
    return with_subscription_ended(order, now, who, "" if order.is_erased else why)


def blocked(order: Order, who: str, now: datetime, why: str = "") -> Order:
    """A person says that the vendor has blocked the codes whose money went back. Refused when there are none."""
    why = "" if order.is_erased else why  # nothing that somebody types comes in again
    ids = tuple(license_.id for license_ in to_block(order))
    if not ids and not order.blocked:
        raise Refused(f"order {order.id} has no codes to block: none left, or its money is here")
    if not ids:
        return order
    words = ", ".join(filter(None, (named(to_block(order)), why)))
    return noted(replace(order, blocked=(*order.blocked, *ids)), now, "codes blocked", words, who)


def _check_not_erased(order: Order) -> None:
    if order.is_erased:
        raise Refused(f"order {order.id} stays as it is: its customer was erased")


def hold(order: Order, who: str, now: datetime, why: str = "") -> Order:
    """A person keeps an order back. Refused when its customer was erased: nothing of it leaves any more."""
    _check_not_erased(order)
    is_known = any(entry.what == "on hold" and entry.why == why for entry in order.timeline)
    if order.held and (not why or is_known):
        return order
    return noted(replace(order, held=True), now, "on hold", why or HELD, who)


def release(order: Order, who: str, now: datetime, why: str = "") -> Order:
    """A person lets an order go that was held, whatever for. Refused when it cannot be served as it is."""
    has_address = order.email or (not order.terms and all(line.kind is Kind.RENEWAL for line in order.lines))
    _check_not_erased(order)
    if not order.lines or not has_address:
        raise Refused(f"order {order.id} cannot be served: nothing says what was bought, or for which address")
    if order.canceled or order.standing in MONEY_BACK:
        raise Refused(f"order {order.id} cannot be served: it was canceled, or its money went back")
    is_part = order.standing is Standing.PARTLY_REFUNDED
    free = replace(order, problem=None, held=False, released=order.released or is_part)
    return order if free == order else noted(free, now, "released", why or "a person lets it go", who)
