"""An agent lets mails go to a customer again who reported one as spam, as the customer said that it was none, or that
they want what they paid for. Reminders stay away."""

from dataclasses import replace
from functools import partial

from keypost.clients.mailer import Mailer
from keypost.core.errors import Refused
from keypost.core.mail import Asked, Fate
from keypost.core.mailing import BAD_ADDRESS, REMINDER_COMPLAINED, with_good_address
from keypost.core.order import Order, noted
from keypost.core.said import said
from keypost.use_cases.help_customer import Desk

_COMPLAINTS = (BAD_ADDRESS[Fate.COMPLAINED], REMINDER_COMPLAINED)


def lift_complaint(desk: Desk, order_id: str, asked: Asked, mailer: Mailer) -> Order:
    """Lift it here and at SES, and let all orders go on that waited for the address. The order itself is changed last,
    so that a repeated call makes up for a crash. Refused if nobody reported mail to its address as spam."""
    order = desk.existing(order_id)
    email = order.customer.email
    if not email:
        raise Refused("not_lifted", order=order_id, why=said("erased" if order.is_erased else "no_address"))
    address = desk.store.address(email)
    told = address.why_no_codes
    is_dropped = mailer.why_suppressed(email) == "COMPLAINT"  # by the list of the account, if that takes spam reports
    is_complaint = is_dropped or bool(told and told[0] in _COMPLAINTS)
    if not is_complaint and not address.was_reported:
        raise Refused("no_complaint", order=order_id)
    if is_complaint:
        known = (told and told[1], address.reminder_complaint)
        at = max([asked.at, *filter(None, known)])  # the clock of SES may be ahead
        if is_dropped:
            # A call after a crash cannot learn of the complaint from SES any more. Until it is lifted here, it blocks.
            desk.store.put_bad_address(email, Fate.COMPLAINED, asked.at)
            desk.store.lift_bad_address(email, at)  # a mail that the list dropped looks like one that bounced
        mailer.lift_suppression(email)
        desk.store.lift_complaint(email, at)
    wordless = replace(asked, why="")
    for other in desk.store.orders_of(email).orders:
        if other.id != order_id:
            desk.change(other.id, partial(with_good_address, now=asked.at, zone=desk.zone, asked=wordless))

    def lifted(latest: Order) -> Order:
        if any(entry.code == "complaint_lifted" for entry in latest.timeline) and not is_complaint:
            return latest
        latest = noted(latest, asked.at, "complaint_lifted", who=asked.who, words=asked.why)
        return with_good_address(latest, asked.at, desk.zone, wordless)

    return desk.change(order_id, lifted)
