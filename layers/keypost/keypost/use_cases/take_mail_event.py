"""Stores the events of SES about our mails, which arrive through EventBridge. Events about other mails, or in an
unknown form, are counted and ignored."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, TypeGuard

from keypost import telemetry
from keypost.clients.mailer import NO_ORDER, tagged
from keypost.core.aside import reason_of
from keypost.core.errors import SetAside
from keypost.core.mail import Fate, MailReport
from keypost.core.mailing import BAD_ADDRESS, is_known, with_report
from keypost.core.order import MAIL_REPORTED, Order
from keypost.core.payment import Remark
from keypost.core.said import said
from keypost.core.self_service import is_asked_on_page, with_concern
from keypost.core.support import KEYPOST
from keypost.table import Store

SES = "ses"  # as a remark names the one who told of it
SMOKE = "smoke-"  # the ids of a smoke test's mails begin with this
_OF_SUPPRESSED = "OnAccountSuppressionList"
_LONGEST = 320  # an address
_LONGEST_ANSWER = 120
_ADDRESS = re.compile(r"[^\s<>]*@[^\s<>]*")
_LOST = (Fate.RETURNED, Fate.REJECTED, Fate.BOUNCED, Fate.COMPLAINED)  # on the list of the day on which they come
_METRICS = {
    Fate.SENT: "MailSettled",
    Fate.DELAYED: "MailDelayed",
    Fate.RETURNED: "MailReturned",
    Fate.DELIVERED: "MailDelivered",
    Fate.REJECTED: "MailRejected",
    Fate.BOUNCED: "MailBounced",
    Fate.COMPLAINED: "MailComplained",
}


def take(store: Store, envelope: Any, now: datetime, zone: tzinfo, loaded: dict[str, Order] | None = None) -> None:
    """`loaded` has the orders of the events that came together with this one, as they are since: most often both events
    of a mail come together."""
    report = read(envelope)
    if report is None:
        telemetry.outcome("FeedbackIgnored", why="it tells nothing of a mail")
        return
    try:
        write_down(store, report, now, zone, loaded)
    except SetAside as error:
        telemetry.outcome("FactKeptAside", order_id=report.order_id)
        store.keep_told(report.order_id, reason_of(error), [report], now)


def write_down(
    store: Store, report: MailReport, now: datetime, zone: tzinfo, loaded: dict[str, Order] | None = None
) -> None:
    """Unreadable, NewerVersion or CannotBeStored when its order cannot be written."""
    loaded = {} if loaded is None else loaded
    order = loaded.pop(report.order_id, None) or store.load(report.order_id)
    if order is None or all(mail.id != report.mail_id for mail in order.mails):
        _take_of_no_order(store, report, now)
        return
    loaded[order.id] = order
    if is_known(order, report):
        return
    if report.fate in _LOST:
        store.note_mail(order, report.at, zone)
    # A stranger may have asked for that mail: the customer's report stops the page, and nothing that was paid for.
    is_of_page = report.fate is Fate.COMPLAINED and is_asked_on_page(order, report.mail_id)
    is_of_reminder = report.fate is Fate.COMPLAINED and order.mail(report.mail_id).purpose.is_offer
    is_lifted = is_of_page or is_of_reminder
    if is_of_reminder and not order.is_erased:
        store.put_reminder_complaint(report.address, report.at)
        store.stop_reminders(report.address, report.at, KEYPOST)
    elif report.fate in BAD_ADDRESS and not order.is_erased and not is_of_page:
        is_lifted = store.put_bad_address(report.address, report.fate, report.at).bad is None
    changed = partial(with_report, report=report, now=now, is_lifted=is_lifted)
    noting = partial(_with_concern, changed=changed, now=now) if is_of_page else changed
    after = loaded[order.id] = store.change_existing(order.id, noting, loaded=order)
    if after is not order:
        name, attempt = _METRICS[report.fate], report.attempt
        telemetry.outcome(name, order_id=order.id, mail=report.mail_id, attempt=attempt, detail=report.detail)
        if is_of_reminder:
            _tell_support(store, order.id, now)


def _tell_support(store: Store, order_id: str, now: datetime) -> None:
    """One line in the inbox, since nobody has to do anything."""
    with telemetry.optional():
        store.put_remark(Remark(SES, now, said("reminder_reported"), order_id))


def _with_concern(order: Order, changed: Callable[[Order], Order], now: datetime) -> Order:
    """Only for a report that is news: a person may have seen to it since."""
    after = changed(order)
    return order if after is order else with_concern(after, MAIL_REPORTED, now, who=KEYPOST)


def _take_of_no_order(store: Store, report: MailReport, now: datetime) -> None:
    if report.order_id == NO_ORDER and report.mail_id.startswith(SMOKE):
        store.put_smoke(report.mail_id, report.fate, now)
    elif report.order_id == NO_ORDER and report.fate in BAD_ADDRESS:
        telemetry.outcome("DailyNoteBounced", mail=report.mail_id, detail=report.detail)
    else:
        telemetry.outcome("FeedbackIgnored", why="it is of no mail that is kept here")


def read(envelope: Any) -> MailReport | None:
    """What an event reports; None if it does not report what became of a mail of ours."""
    try:
        told = envelope["detail"]
        mail, tags = told["mail"], told["mail"]["tags"]
        fate, about = _fate(told)
        if fate is None:
            return None
        return MailReport(
            order_id=_text(tagged(tags["order"][0])),
            mail_id=_text(tagged(tags["mail"][0])),
            attempt=int(tags["attempt"][0]),
            fate=fate,
            at=_moment(about.get("timestamp") or mail["timestamp"]),
            detail=" ".join(filter(_is_plain, map(about.get, _DETAILS))),
            address=_text(mail["destination"][0]),
            message_id=_text(mail["messageId"]),
            sent_at=_moment(mail["timestamp"]),
            server=_words_of(about.get("remoteMtaIp")) if fate is Fate.DELIVERED else "",
            answer=_words_of(about.get("smtpResponse")) if fate is Fate.DELIVERED else "",
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _text(value: Any) -> str:
    """The value as text. ValueError if it is nothing that SES would send."""
    if not _is_plain(value):
        raise ValueError("is no plain text")
    return value


def _words_of(value: Any) -> str:
    """What another server says, without addresses, which some of them repeat."""
    return _ADDRESS.sub("…", value)[:_LONGEST_ANSWER] if _is_plain(value) else ""


def _is_plain(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST


# The details that SES adds, in its own words.
_DETAILS = ("bounceType", "bounceSubType", "complaintFeedbackType", "delayType", "reason")


# By the event's type: the fate, and where the event says more.
_FATES = {
    "Send": (Fate.SENT, "send"),
    "Delivery": (Fate.DELIVERED, "delivery"),
    "DeliveryDelay": (Fate.DELAYED, "deliveryDelay"),
    "Reject": (Fate.REJECTED, "reject"),
}


def _fate(told: Mapping[str, Any]) -> tuple[Fate | None, Mapping[str, Any]]:
    """The fate by the event's type, because new sub-types appear now and then."""
    match told["eventType"]:
        case "Bounce":
            is_final = told["bounce"]["bounceType"] == "Permanent"
            return Fate.BOUNCED if is_final else Fate.RETURNED, told["bounce"]
        case "Complaint":
            return _of_complaint(told["complaint"]), told["complaint"]
        case kind if kind in _FATES:
            fate, name = _FATES[kind]
            return fate, told.get(name, {})
    return None, {}


def _of_complaint(complaint: Mapping[str, Any]) -> Fate | None:
    """The fate of a complaint event; None if the reader reported that a mail is no spam. SES itself sends a complaint
    for a mail that it did not send because its reader had complained before."""
    if complaint.get("complaintFeedbackType") == "not-spam":
        return None
    return Fate.BOUNCED if complaint.get("complaintSubType") == _OF_SUPPRESSED else Fate.COMPLAINED


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
