"""Faults that somebody might put into the protocol: each one small change of the source, the promise that it breaks,
and a seed of the simulated shop in which that shows. `python -m tests.simulator.mutants` looks for the seeds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands once in the file of the package, and `new` in its place. The seed is one of the first 500."""

    file: str
    old: str
    new: str
    promise: str  # as the check is named that finds it
    seed: int

    @property
    def path(self) -> str:
        return f"layers/keypost/keypost/{self.file}"


_ITEMS, _ORDERS, _CODES = "table/items.py", "table/orders.py", "table/codes.py"
_PLAN, _OWED, _MAILING, _MAILER = "core/plan.py", "core/owed.py", "core/mailing.py", "clients/mailer.py"
_WORKER = "use_cases/advance_order.py"

MUTANTS: dict[str, Mutant] = {
    # --- writes and reads of the table
    "a write that meets a transaction is not made again": Mutant(
        _ITEMS,
        '    "TransactionConflictException",\n',
        "",
        "nothing fails that AWS makes up for",
        135,
    ),
    "a transaction that meets another is no conflict": Mutant(
        _ITEMS,
        ', "ThrottlingError", "TransactionConflict"}',
        ', "ThrottlingError"}',
        "nothing fails that AWS makes up for",
        135,
    ),
    "who computed the same order takes it for its own": Mutant(
        _ORDERS,
        'if error.found[0].get("written_by") != put["Item"]["written_by"]:',
        'if {**error.found[0], "written_by": put["Item"]["written_by"]} != put["Item"]:',
        "6 one attempt is accepted once",
        2,
    ),
    "a save that came too late is taken for done": Mutant(
        _ORDERS,
        'if error.found[0].get("written_by") != put["Item"]["written_by"]:',
        "if not error.found:",
        "6 one attempt is accepted once",
        62,
    ),
    "an order is saved over what another saved": Mutant(
        _ORDERS,
        '"ConditionExpression": "version = :loaded",',
        '"ConditionExpression": "version >= :loaded",',
        "6 one attempt is accepted once",
        62,
    ),
    "a new order is saved over one that is there": Mutant(
        _ORDERS,
        '"ConditionExpression": "attribute_not_exists(pk)"}, pages',
        '"ConditionExpression": "attribute_not_exists(other)"}, pages',
        "1 paid orders have their codes",
        62,
    ),
    "an order has no clock before it has codes": Mutant(
        _ORDERS,
        "    if due := plan.next_due(order):\n",
        "    if order.licenses and (due := plan.next_due(order)):\n",
        "1 paid orders have their codes",
        146,
    ),
    "an order that a newer version wrote is written": Mutant(
        _ORDERS,
        "    if readable_from > FORM:\n",
        "    if readable_from > FORM + 1:\n",
        "6 one attempt is accepted once",
        150,
    ),
    "fields that a newer version wrote are forgotten": Mutant(
        "table/converting.py",
        "return replace(part, extra=extra) if extra else part",
        "return part",
        "11 fields of the future stay",
        171,
    ),
    # --- codes
    "codes are given without being taken": Mutant(
        _WORKER,
        "after = self.store.assign(after, picked, local_day(now, self.shop.zone))",
        "after = self.store.save(after)",
        "1 codes are where the orders say",
        54,
    ),
    "a code that comes in twice is new each time": Mutant(
        _CODES,
        '"ConditionExpression": "attribute_not_exists(pk)"}',
        '"ConditionExpression": "attribute_not_exists(other)"}',
        "1 paid orders have their codes",
        293,
    ),
    "a bad code is free again": Mutant(
        _CODES,
        '":quarantined": {"S": "quarantined"}',
        '":quarantined": {"S": "free"}',
        "1 free codes are offered as what they are",
        439,
    ),
    # --- what is done, and when
    "a renewal is mailed when it is paid": Mutant(
        _OWED,
        "days.setdefault(paid_at if paid_at >= term.mail_from else term.mail_at, [])",
        "days.setdefault(paid_at, [])",
        "5 renewals leave on their day",
        422,
    ),
    "a renewal is mailed when its codes are reserved": Mutant(
        "core/licensing.py",
        "if may_mail and delivery.mail_at <= now else order",
        "if may_mail else order",
        "5 renewals leave on their day",
        234,
    ),
    "what renews what is not known is tried again after days": Mutant(
        _WORKER,
        "_RETRY_RENEWED = timedelta(hours=12)",
        "_RETRY_RENEWED = timedelta(days=12)",
        "1 paid orders have their codes",
        35,
    ),
    # --- mails
    "a mail is sent before its claim is stored": Mutant(
        _WORKER,
        "return self._send(self.store.save(order), order.mail(mail_id), message)",
        "return self._send(order, order.mail(mail_id), message)",
        "6 one attempt is accepted once",
        449,
    ),
    "a renewal is sent before its claim is stored": Mutant(
        _WORKER,
        "return self._send(self.store.save(after), after.mails[-1], message), True",
        "return self._send(after, after.mails[-1], message), True",
        "6 one attempt is accepted once",
        234,
    ),
    "an answer that came too late unmakes what an event told": Mutant(
        _MAILING,
        "or mail.state not in (MailState.SENDING, MailState.UNKNOWN):",
        "or mail.state is MailState.DROPPED:",
        "6 mails are sent again only in doubt",
        462,
    ),
    "a mail of which SES tells is in doubt still": Mutant(
        _MAILING,
        "        if mail.state is MailState.SENT:\n",
        "        if mail.state in (MailState.SENT, MailState.UNKNOWN):\n",
        "6 mails are sent again only in doubt",
        90,
    ),
    "a mail is given up while the account is paused": Mutant(
        _MAILER,
        "else Refusal.OF_ACCOUNT if is_account",
        "else Refusal.FOR_EVER if is_account",
        "6 mails are given up only when SES refuses them",
        188,
    ),
    "a spam report stops no reminders": Mutant(
        "use_cases/take_mail_event.py",
        "        store.stop_reminders(report.address, report.at, KEYPOST)\n",
        "",
        "offers: nobody is reminded after a spam report",
        241,
    ),
    # --- doors
    "a callback that nobody signed is believed": Mutant(
        "use_cases/take_callback.py",
        "        if fresh == kept:\n            raise\n        provider.verify(call, fresh)",
        "        return",
        "8 nobody without a signature changes anything",
        17,
    ),
    "what is wrong with a callback is written down nowhere": Mutant(
        "use_cases/take_callback.py",
        "        remember(store, Remark(provider.name, call.now, error.said, error.order_id))",
        "        pass",
        "12 what is refused is written down",
        136,
    ),
    "a refund counts for nothing": Mutant(
        "core/payment.py",
        "if self._is_all_lost or self._is_all_returned:",
        "if self._is_all_lost:",
        "4 money pays for the codes",
        48,
    ),
    "a lost dispute counts for nothing": Mutant(
        "core/payment.py",
        "if self._is_all_lost or self._is_all_returned:",
        "if self._is_all_returned:",
        "4 money pays for the codes",
        372,
    ),
    "who differs is not asked about": Mutant(
        "core/contents.py",
        "contents=told.differs)",
        "contents=None)",
        "12 who paid is served or waits for a person",
        264,
    ),
    # --- what cannot be served
    "what is told of an order that cannot be written is gone": Mutant(
        "use_cases/take_fact.py",
        "        store.keep_told(error.order_id, reason_of(error), heard.facts, now)\n",
        "",
        "12 what is told meanwhile is kept",
        162,
    ),
    "the schedules poke nobody": Mutant(
        "use_cases/poke_due.py",
        "        refused = _poked(queue.poke_all, at_once) or refused  # the other pages may fare better\n",
        "",
        "3 nothing that is due waits for ever",
        62,
    ),
    "what was paid before is served": Mutant(
        "core/obstacles.py",
        '"from_before": Obstacle(lambda order: order.hold.from_before,',
        '"from_before": Obstacle(lambda order: order.is_erased,',
        "4 what was paid before waits",
        61,
    ),
    "who has to decide is not told": Mutant(
        _ORDERS,
        "    if needs := plan.attention(order):\n",
        "    if (needs := plan.attention(order)) and needs[0] is not Reason.HOLD:\n",
        "12 who paid is served or waits for a person",
        100,
    ),
    "a code that a customer types is stored": Mutant(
        "use_cases/take_fact.py",
        "without_typed_codes(store, fact)",
        "fact",
        "2 typed codes are told to nobody",
        30,
    ),
    "who wants no reminders gets one": Mutant(
        _WORKER,
        "if order.without_reminders or self.store.unreminded(email):",
        "if order.without_reminders:",
        "offers: nobody is reminded after a spam report",
        2,
    ),
    # --- what is private
    "a log line has the customer's address": Mutant(
        _WORKER,
        "telemetry.outcome(_OUTCOMES[type(result)], order_id=order.id, mail=mail.id, attempt=mail.attempts)",
        "telemetry.outcome(_OUTCOMES[type(result)], order_id=order.id, to=order.customer.email)",
        "7 nothing private leaks",
        54,
    ),
    "an agent reads the whole code": Mutant(
        "core/codes.py",
        'return f"…{code[-min(_SHOWN, len(code) // 2) :]}"',
        "return code",
        "7 nothing private leaks",
        70,
    ),
    # --- reads, retries, doubts, obstacles and days
    "keys that a busy table left out are not asked again": Mutant(
        "table/items.py",
        '                wanted = answer.get("UnprocessedKeys")\n',
        "                wanted = None\n",
        "12 what is stored is found",
        1,
    ),
    "batch reads lag": Mutant(
        "table/items.py",
        '"ConsistentRead": not may_lag}',
        '"ConsistentRead": False}',
        "12 what is stored is found",
        1,
    ),
    "a retry decides with what it knew before": Mutant(
        "use_cases/advance_order.py",
        "order = loaded if loaded and attempt == 0 else self.store.load(order_id)",
        "order = loaded or self.store.load(order_id)",
        "nothing fails that AWS makes up for",
        2,
    ),
    "money that went back of an unknown payment keeps nothing back": Mutant(
        "core/obstacles.py",
        "return any(payment.is_unmatched for payment in order.settled) and not order.hold.released",
        "return False",
        "12 who paid is served or waits for a person",
        9,
    ),
    "a partial refund keeps nothing back": Mutant(
        "core/obstacles.py",
        "return order.standing is Standing.PARTLY_REFUNDED and not order.hold.released and not is_all_left(order)",
        "return False",
        "4 money pays for the codes",
        412,
    ),
    "an order is served whatever stands in its way": Mutant(
        "core/obstacles.py",
        "    return not any(each.stands(order) for each in OBSTACLES.values())",
        "    return bool(OBSTACLES)",
        "4 money pays for the codes",
        4,
    ),
    "a cancellation after the payment counts for nothing": Mutant(
        "core/obstacles.py",
        '"canceled_after_payment": Obstacle(cancellation.is_after_payment,',
        '"canceled_after_payment": Obstacle(lambda _: False,',
        "4 no code leaves unpaid",
        20,
    ),
    "codes that arrive serve nobody who waits": Mutant(
        "use_cases/serve_waiting.py",
        "first = served_by(store, [sku], free)",
        "first = served_by(store, [], free)",
        "5 deliveries are not late",
        2,
    ),
    "the morning of a renewal is that of Greenwich": Mutant(
        "core/periods.py",
        "return datetime.combine(day, DAILY_RULE, zone).astimezone(UTC)",
        "return datetime.combine(day, DAILY_RULE, UTC)",
        "5 deliveries are not late",
        25,
    ),
    "a renewal leaves a day early": Mutant(
        "core/renewals.py",
        "mail_day = first - timedelta(days=product.mail_days_before)",
        "mail_day = first - timedelta(days=product.mail_days_before + 1)",
        "5 renewals leave on their day",
        2,
    ),
    "a license lasts a day longer": Mutant(
        "core/periods.py",
        "return first_day, first_day + timedelta(days=term_days - 1)",
        "return first_day, first_day + timedelta(days=term_days)",
        "5 licenses last as long as was sold",
        1,
    ),
    "codes go back to stock after they left": Mutant(
        "core/owed.py",
        "return tuple(license_ for license_ in order.licenses if not order.has_left(license_))",
        "return order.licenses",
        "2 no code goes to two orders",
        3,
    ),
    "a code is taken whoever has it": Mutant(
        "table/codes.py",
        '        "ConditionExpression": "#state = :free",\n',
        '        "ConditionExpression": "#state IN (:free, :assigned)",\n',
        "2 no code goes to two orders",
        24,
    ),
    "the SDK sends a mail again": Mutant(
        "clients/aws.py",
        'ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}',
        'ONE_ATTEMPT = Config(retries={"total_max_attempts": 3}',
        "6 one attempt is accepted once",
        8,
    ),
    "a mail in doubt is sent again at once": Mutant(
        "core/mailing.py",
        "mail = replace(mail, state=MailState.UNKNOWN, next_at=now + MAIL_DOUBT, problem=reason)",
        "mail = replace(mail, state=MailState.UNKNOWN, next_at=now, problem=reason)",
        "6 mails are sent again only in doubt",
        8,
    ),
    "a lost answer of SES counts as not sent": Mutant(
        "clients/mailer.py",
        'return MailUnknown(said("ses_answer_lost", error=type(error).__name__))',
        'return MailNotSent(said("ses_answer_lost", error=type(error).__name__))',
        "6 mails are sent again only in doubt",
        104,
    ),
    "nobody looks for a mail whose sender died": Mutant(
        "core/plan.py",
        "    yield from (Entry(end, DoubtMail(mail_id)) for mail_id, end in _leases(order))\n",
        "",
        "6 no mail is lost",
        63,
    ),
    "an event that the shop refused is delivered": Mutant(
        "use_cases/deliver_event.py",
        "is_taken = status is not None and status // 100 == 2  # noqa: PLR2004 - 2xx",
        "is_taken = True",
        "events: what happened leaves",
        12,
    ),
}
