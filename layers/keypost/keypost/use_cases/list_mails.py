"""The mails of a day, and all those again that were lost. What one call reads is bounded: the next call goes on where
it stopped."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from keypost.core.errors import InvalidInput, Refused, SetAside, TooMany
from keypost.core.frozen import dataclass
from keypost.core.mail import Asked
from keypost.core.mails_of_day import Became, MailOfDay, key_of, mails_of, sent_again
from keypost.core.order import Order
from keypost.core.periods import midnight_of
from keypost.core.said import Said, said
from keypost.table.created import Place
from keypost.table.days import KEPT, SOON
from keypost.use_cases.find_orders import place_of, written
from keypost.use_cases.help_customer import Desk

MOST_ORDERS = 300  # that one call reads
MOST_MAILS = 50  # that one call adds


@dataclass(frozen=True, slots=True)
class MailsOfDay:
    day: date
    mails: tuple[MailOfDay, ...]  # the newest order first
    next: str | None  # for the page behind this one
    orders: int  # that were looked at for it, or will be
    unreadable: tuple[str, ...] = ()  # the numbers of orders that cannot be read now


@dataclass(frozen=True, slots=True)
class Again:
    order_id: str
    mail: str  # that was added


@dataclass(frozen=True, slots=True)
class NotAgain:
    order_id: str
    why: Said


@dataclass(frozen=True, slots=True)
class SentAgain:
    day: date
    sent: tuple[Again, ...]
    left_out: tuple[NotAgain, ...]  # what was lost and is not sent again
    next: str | None  # where the next call goes on; None: the day is done
    done: int  # so many of its orders were looked at, by this call and those before it
    orders: int  # of this day


def check_day(day: date, today: date) -> None:
    """InvalidInput if it is not one of the days that are kept."""
    if not timedelta() <= today - day < KEPT:
        raise InvalidInput("day_not_kept", days=KEPT.days)


def mails_of_day(
    desk: Desk, day: date, state: Became | None = None, page: str | None = None, size: int = MOST_ORDERS
) -> MailsOfDay:
    """One page of a day. InvalidInput if `page` is not the `next` of a page."""
    places = _places(desk, day)
    rest = _behind(places, page)
    loaded = desk.store.read_all([place.order_id for place in rest[:size]])
    orders = {order.id: order for order in loaded.orders}
    found = (
        mail
        for place in rest[:size]
        if place.order_id in orders
        for mail in mails_of(orders[place.order_id], day, desk.zone)
        if state in (None, mail.state)
    )
    following = written(rest[size - 1]) if len(rest) > size else None
    return MailsOfDay(day, tuple(found), following, len(places), loaded.names_left_out)


def send_day_again(
    desk: Desk, day: date, asked: Asked, page: str | None = None, size: int = MOST_ORDERS, most: int = MOST_MAILS
) -> SentAgain:
    """Send again what failed or came back on a day, so many mails at most, and say where the next call goes on. Each
    order gets one mail at most, however often this is called and by whomever. An address that SES blocks gets none:
    SES is not asked about each, as what it blocks has come back here before."""
    asked = replace(asked, key=key_of(day))
    places = _places(desk, day)
    rest = _behind(places, page)
    done, sent, left_out = len(places) - len(rest), list[Again](), list[NotAgain]()
    for place in rest[:size]:
        done += 1
        for result in _again(desk, place.order_id, day, asked):
            sent += [result] if isinstance(result, Again) else []
            left_out += [result] if isinstance(result, NotAgain) else []
        if len(sent) >= most:
            break
    following = written(places[done - 1]) if done < len(places) else None
    return SentAgain(day, tuple(sent), tuple(left_out), following, done, len(places))


def _places(desk: Desk, day: date) -> list[Place]:
    """The orders that may have a mail on a day, the newest first: those that are listed on it, and those of which the
    first mail left so soon after their creation that they are not."""
    since, until = midnight_of(day, desk.zone), midnight_of(day + timedelta(days=1), desk.zone)
    made = (place for part in desk.store.created(since - SOON, until) for place in part.found)
    first: dict[str, str] = {}
    for place in (*made, *desk.store.with_mail_on(day)):
        first[place.order_id] = min(place.at, first.get(place.order_id, place.at))
    places = [Place(at, order_id) for order_id, at in first.items()]
    return sorted(places, key=lambda place: (place.at, place.order_id), reverse=True)


def _behind(places: list[Place], page: str | None) -> list[Place]:
    begin = place_of(page)
    if begin is None:
        return places
    return [place for place in places if (place.at, place.order_id) < (begin.at, begin.order_id)]


def _again(desk: Desk, order_id: str, day: date, asked: Asked) -> Iterator[Again | NotAgain]:
    """What happens to an order of which a mail was lost; nothing for any other."""
    try:
        order = desk.store.load(order_id)
        lost = [each for each in mails_of(order, day, desk.zone) if each.why] if order else []
        if not order or not lost:
            return
        if why_not := _why_not(desk, order, lost):
            yield NotAgain(order_id, why_not)
            return
        after = desk.change(order_id, lambda latest: sent_again(latest, day, asked, desk.zone))
    except (Refused, TooMany) as error:
        yield NotAgain(order_id, error.said)
    except SetAside:
        yield NotAgain(order_id, said("set_aside_for_now"))
    else:
        yield from (Again(order_id, mail.id) for mail in after.mails if mail.asked and mail.asked.key == asked.key)


def _why_not(desk: Desk, order: Order, lost: list[MailOfDay]) -> Said | None:
    if all(each.not_again for each in lost):
        return lost[-1].not_again
    return _why_blocked(desk, order.customer.email)


def _why_blocked(desk: Desk, email: str | None) -> Said | None:
    blocked = desk.store.bad_address(email) if email else None
    return said(f"address_{blocked[0]}") if blocked else None
