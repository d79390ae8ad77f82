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
        16,
    ),
    "a transaction that meets another is no conflict": Mutant(
        _ITEMS,
        ', "ThrottlingError", "TransactionConflict"}',
        ', "ThrottlingError"}',
        "nothing fails that AWS makes up for",
        91,
    ),
    "who computed the same order takes it for its own": Mutant(
        _ORDERS,
        'if error.found[0].get("written_by") != put["Item"]["written_by"]:',
        'if {**error.found[0], "written_by": put["Item"]["written_by"]} != put["Item"]:',
        "6 one attempt is accepted once",
        1,
    ),
    "a save that came too late is taken for done": Mutant(
        _ORDERS,
        'if error.found[0].get("written_by") != put["Item"]["written_by"]:',
        "if not error.found:",
        "6 one attempt is accepted once",
        1,
    ),
    "an order is saved over what another saved": Mutant(
        _ORDERS,
        '"ConditionExpression": "version = :loaded",',
        '"ConditionExpression": "version >= :loaded",',
        "6 one attempt is accepted once",
        1,
    ),
    "a new order is saved over one that is there": Mutant(
        _ORDERS,
        '"ConditionExpression": "attribute_not_exists(pk)"}, pages',
        '"ConditionExpression": "attribute_not_exists(never_there)"}, pages',
        "1 codes are where the orders say",
        17,
    ),
    "an order has no clock before it has codes": Mutant(
        _ORDERS,
        "    if due := plan.next_due(order):\n",
        "    if order.licenses and (due := plan.next_due(order)):\n",
        "1 paid orders have their codes",
        1,
    ),
    "an order that a newer version wrote is written": Mutant(
        _ORDERS,
        "    if readable_from > FORM:\n",
        "    if readable_from > FORM + 9:\n",
        "10 nobody touches what cannot be read",
        25,
    ),
    "fields that a newer version wrote are forgotten": Mutant(
        "table/converting.py",
        "return replace(part, extra=extra) if extra else part",
        "return part",
        "11 fields of the future stay",
        75,
    ),
    # --- codes
    "codes are given without being taken": Mutant(
        _WORKER,
        "after = self.store.assign(after, picked, local_day(now, self.shop.zone))",
        "after = self.store.save(after)",
        "1 codes are where the orders say",
        1,
    ),
    "a bad code is free again": Mutant(
        _CODES,
        '":quarantined": {"S": "quarantined"}',
        '":quarantined": {"S": "free"}',
        "1 free codes are offered as what they are",
        9,
    ),
    # --- what is done, and when
    "a renewal is mailed when it is paid": Mutant(
        _OWED,
        "days.setdefault(paid_at if paid_at >= term.mail_from else term.mail_at, [])",
        "days.setdefault(paid_at, [])",
        "5 renewals leave on their day",
        1,
    ),
    "a renewal is mailed when its codes are reserved": Mutant(
        "core/licensing.py",
        "if may_mail and delivery.mail_at <= now else order",
        "if may_mail else order",
        "5 renewals leave on their day",
        1,
    ),
    "what renews what is not known is tried again after days": Mutant(
        _WORKER,
        "_RETRY_RENEWED = timedelta(hours=12)",
        "_RETRY_RENEWED = timedelta(days=12)",
        "1 paid orders have their codes",
        1,
    ),
    # --- mails
    "a mail is sent before its claim is stored": Mutant(
        _WORKER,
        "return self._send(self.store.save(order), order.mail(mail_id), message)",
        "return self._send(order, order.mail(mail_id), message)",
        "12 what SES tells is stored",
        22,
    ),
    "a renewal is sent before its claim is stored": Mutant(
        _WORKER,
        "return self._send(self.store.save(after), after.mails[-1], message), True",
        "return self._send(after, after.mails[-1], message), True",
        "6 one attempt is accepted once",
        1,
    ),
    "an answer that came too late unmakes what an event told": Mutant(
        _MAILING,
        "or mail.state not in (MailState.SENDING, MailState.UNKNOWN):",
        "or mail.state is MailState.DROPPED:",
        "6 mails are sent again only in doubt",
        1,
    ),
    "a mail of which SES tells is in doubt still": Mutant(
        _MAILING,
        "        if mail.state is MailState.SENT:\n",
        "        if mail.state in (MailState.SENT, MailState.UNKNOWN):\n",
        "6 mails are sent again only in doubt",
        8,
    ),
    "a mail is given up while the account is paused": Mutant(
        _MAILER,
        "else Refusal.OF_ACCOUNT if is_account",
        "else Refusal.FOR_EVER if is_account",
        "6 mails are given up only when SES refuses them",
        5,
    ),
    "a spam report stops no reminders": Mutant(
        "use_cases/take_mail_event.py",
        "        store.stop_reminders(report.address, report.at, KEYPOST)\n",
        "",
        "offers: nobody is reminded after a spam report",
        425,
    ),
    # --- doors
    "a callback that nobody signed is believed": Mutant(
        "use_cases/take_callback.py",
        "        if fresh == kept:\n            raise\n        provider.verify(call, fresh)",
        "        return",
        "8 nobody without a signature changes anything",
        75,
    ),
    "what is wrong with a callback is written down nowhere": Mutant(
        "use_cases/take_callback.py",
        "        remember(store, Remark(provider.name, call.now, error.said, error.order_id))",
        "        pass",
        "12 what is refused is written down",
        112,
    ),
    "a refund counts for nothing": Mutant(
        "core/payment.py",
        "if self._is_all_lost or self._is_all_returned:",
        "if self._is_all_lost:",
        "4 money pays for the codes",
        5,
    ),
    "a lost dispute counts for nothing": Mutant(
        "core/payment.py",
        "if self._is_all_lost or self._is_all_returned:",
        "if self._is_all_returned:",
        "4 money pays for the codes",
        50,
    ),
    "who differs is not asked about": Mutant(
        "core/contents.py",
        "contents=told.differs)",
        "contents=None)",
        "12 who paid is served or waits for a person",
        100,
    ),
    # --- what cannot be served
    "what is told of an order that cannot be written is gone": Mutant(
        "use_cases/take_fact.py",
        "        store.keep_told(error.order_id, reason_of(error), heard.facts, now)\n",
        "",
        "12 what was accepted is stored",
        11,
    ),
    "the schedules poke nobody": Mutant(
        "use_cases/poke_due.py",
        "        refused = _poked(queue.poke_all, at_once) or refused  # the other pages may fare better\n",
        "",
        "3 nothing that is due waits for ever",
        1,
    ),
    "what was paid before is served": Mutant(
        "core/obstacles.py",
        '"from_before": Obstacle(lambda order: order.hold.from_before,',
        '"from_before": Obstacle(lambda order: order.is_erased,',
        "4 what was paid before waits",
        150,
    ),
    "who has to decide is not told": Mutant(
        _ORDERS,
        "    if needs := plan.attention(order):\n",
        "    if (needs := plan.attention(order)) and needs[0] is not Reason.HOLD:\n",
        "12 who paid is served or waits for a person",
        101,
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
        "offers: nobody is reminded after the way out",
        125,
    ),
    # --- what is private
    "a log line has the customer's address": Mutant(
        _WORKER,
        "telemetry.outcome(_OUTCOMES[type(result)], order_id=order.id, mail=mail.id, attempt=mail.attempts)",
        "telemetry.outcome(_OUTCOMES[type(result)], order_id=order.id, to=order.customer.email)",
        "7 nothing private leaks",
        1,
    ),
    "an agent reads the whole code": Mutant(
        "core/codes.py",
        'return f"…{code[-min(_SHOWN, len(code) // 2) :]}"',
        "return code",
        "7 nothing private leaks",
        3,
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
        16,
    ),
    "money that went back of an unknown payment keeps nothing back": Mutant(
        "core/obstacles.py",
        "return any(payment.is_unmatched for payment in order.settled) and not order.hold.released",
        "return False",
        "12 who paid is served or waits for a person",
        100,
    ),
    "a partial refund keeps nothing back": Mutant(
        "core/obstacles.py",
        "return order.standing is Standing.PARTLY_REFUNDED and not order.hold.released and not is_all_left(order)",
        "return False",
        "4 money pays for the codes",
        30,
    ),
    "an order is served whatever stands in its way": Mutant(
        "core/obstacles.py",
        "    return not any(each.stands(order) for each in OBSTACLES.values())",
        "    return bool(OBSTACLES)",
        "4 what a person holds stays",
        1,
    ),
    "a cancellation after the payment counts for nothing": Mutant(
        "core/obstacles.py",
        '"canceled_after_payment": Obstacle(cancellation.is_after_payment,',
        '"canceled_after_payment": Obstacle(lambda _: False,',
        "4 no code leaves unpaid",
        2,
    ),
    "codes that arrive serve nobody who waits": Mutant(
        "use_cases/serve_waiting.py",
        "first = served_by(store, [sku], free)",
        "first = served_by(store, [], free)",
        "5 deliveries are not late",
        1,
    ),
    "the morning of a renewal is that of Greenwich": Mutant(
        "core/periods.py",
        "return datetime.combine(day, DAILY_RULE, zone).astimezone(UTC)",
        "return datetime.combine(day, DAILY_RULE, UTC)",
        "5 deliveries are not late",
        127,
    ),
    "a renewal leaves a day early": Mutant(
        "core/renewals.py",
        "mail_day = first - timedelta(days=product.mail_days_before)",
        "mail_day = first - timedelta(days=product.mail_days_before + 1)",
        "5 renewals leave on their day",
        1,
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
        "2 codes that left are not free",
        19,
    ),
    "a code is taken whoever has it": Mutant(
        "table/codes.py",
        '"ConditionExpression": "#state = :free AND sku = :sku",',
        '"ConditionExpression": "#state IN (:free, :assigned) AND sku = :sku",',
        "2 no code goes to two orders",
        30,
    ),
    "the SDK sends a mail again": Mutant(
        "clients/aws.py",
        'ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}',
        'ONE_ATTEMPT = Config(retries={"total_max_attempts": 3}',
        "6 one attempt is accepted once",
        1,
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
        12,
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
        1,
    ),
    "an event that the bus refused is told": Mutant(
        "clients/bus.py",
        "            if refused:\n",
        "            if refused > len(entries):\n",
        "events: what happened leaves",
        39,
    ),
    "a renewal begins on the last day of what it renews": Mutant(
        "core/renewals.py",
        "max([*map(day_after, filter(None, ends))",
        "max([*filter(None, ends)",
        "5 renewals leave on their day",
        1,
    ),
    # --- what happens seldom
    "a double click sends two": Mutant(
        "core/support.py",
        "return one.key == other.key and apart < _SAME_KEY if other.key else apart < _DOUBLE_CLICK",
        "return one.key == other.key and apart < timedelta()",
        "6 one wish makes one mail",
        138,
    ),
    "a hold keeps nothing back": Mutant(
        "core/obstacles.py",
        '"held": Obstacle(lambda order: order.hold.by_person, "release")',
        '"held": Obstacle(lambda order: order.is_erased, "release")',
        "4 what a person holds stays",
        1,
    ),
    "a cancellation is ignored": Mutant(
        "core/cancellation.py",
        "is_canceled = known is not None and not known.lifted and not _is_taken_back(order, known)",
        "is_canceled = False",
        "4 no code leaves unpaid",
        2,
    ),
    "a partial refund that grows is not noticed": Mutant(
        "core/contents.py",
        "if _returned(order) > _returned(before):",
        "if order.is_erased:",
        "4 money pays for the codes",
        72,
    ),
    "an older refund wins over a newer one": Mutant(
        "core/payment.py",
        "later = max(known, refunded, key=lambda r: (r.as_of, r.full, Decimal(r.amount or 0)))",
        "later = max(known, refunded, key=lambda r: (r.full, Decimal(r.amount or 0)))",
        "1 paid orders have their codes",
        4,
    ),
    "codes of a withdrawn batch are free when an order gives them back": Mutant(
        _CODES,
        "    is_free = not is_recalled(item, recalled)\n",
        "    is_free = not is_recalled(item, ())\n",
        "2 codes of withdrawn batches are not free",
        5,
    ),
    "codes that never left are kept for ever": Mutant(
        _OWED,
        "return tuple(license_ for license_ in order.licenses if not order.has_left(license_))",
        "return ()",
        "1 codes that never left are sold again",
        5,
    ),
    "a part of an import that meets another write is lost": Mutant(
        _CODES,
        "            except Conflict:\n                self._pause(jitter(attempt))\n            else:\n",
        "            except Conflict:\n                return known\n            else:\n",
        "1 imported codes are in the table",
        7,
    ),
    "a license that moves leaves its code behind": Mutant(
        _ORDERS,
        "self._save_with(order, [hand_over(key_of(moved), order.id, to.id)], others)",
        "self._save_with(order, [], others)",
        "1 codes are where the orders say",
        40,
    ),
    "a swap forgets that the old code is bad": Mutant(
        _ORDERS,
        "updates = ([take(other, order.id), quarantine(bad, order.id, batch, day)] for bad, other in swaps)",
        "updates = ([take(other, order.id)] for bad, other in swaps)",
        "1 codes are where the orders say",
        9,
    ),
    "an order that nobody can read is not set aside": Mutant(
        "use_cases/try_order.py",
        "        _set_aside(worker, aside, opened.fault, now)\n",
        "",
        "10 what cannot be written is set aside",
        10,
    ),
    "what was told of an unreadable order is not merged": Mutant(
        "use_cases/try_order.py",
        "        take_fact.write_down(desk.store, aside.order_id, Heard(facts), now, intake(now))\n",
        "        pass\n",
        "12 what was accepted is stored",
        11,
    ),
    "a day begins in Greenwich": Mutant(
        "core/periods.py",
        "return moment.astimezone(zone).date()",
        "return moment.astimezone(UTC).date()",
        "5 nothing starts before it is paid",
        4,
    ),
    "a renewal that was stopped leaves all the same": Mutant(
        "core/renewal_choice.py",
        "for each in _newest(order) if each.kind == STOP and is_stopped(order, int(each.to)))",
        "for each in _newest(order) if not each.kind)",
        "5 what a person decided of a renewal holds",
        14,
    ),
    "what a person is to decide leaves all the same": Mutant(
        _OWED,
        "kept_back = owed | stopped(order) | undecided(order)",
        "kept_back = owed | stopped(order)",
        "5 what is unusual waits",
        15,
    ),
    "an address that bounced is written to again": Mutant(
        _WORKER,
        "if why := _why_not_written(order, found.at_hand.address):",
        "if order.is_erased and (why := _why_not_written(order, found.at_hand.address)):",
        "6 addresses that bounced get nothing",
        1,
    ),
    "a payment that two tell of counts twice": Mutant(
        "core/order.py",
        "return settled(self.id, self.payments, self.customer.right)",
        "return self.payments",
        "12 one payment is one",
        17,
    ),
    "an event that tells less wins": Mutant(
        _MAILING,
        "first = min(both, key=lambda told: (-_RANKS.index(told.fate), told.at, told.detail))",
        "first = new",
        "12 what SES tells is stored",
        5,
    ),
    "an erased customer comes in again": Mutant(
        "core/contents.py",
        "        notice = replace(notice, email=None, name=None)\n",
        "        pass\n",
        "7 what is erased is gone",
        19,
    ),
    "who waits in a replaced batch is forgotten": Mutant(
        "use_cases/replace_batch.py",
        "return OfOrder(later=later, left_out=stay)",
        "return OfOrder(left_out=stay)",
        "2 everybody of a replaced batch has another code",
        89,
    ),
    # --- faults that strangers thought up
    "what came back is not sent again when its address is corrected": Mutant(
        "core/mailing.py",
        "            order = replace(order, mails=(*order.mails, again))\n",
        "            del again\n",
        "6 corrected addresses are written to",
        16,
    ),
    "what is told of a payment before its order is lost": Mutant(
        "table/payments.py",
        'ReturnValues="ALL_OLD",',
        'ReturnValues="UPDATED_OLD",',
        "12 what was accepted is stored",
        23,
    ),
    "a correction moves whoever renews the license": Mutant(
        "use_cases/help_customer.py",
        '[each for each in orders if (each.customer.email or "") in addresses and not each.is_erased]',
        "[each for each in orders if addresses and not each.is_erased]",
        "7 mails go to who bought",
        22,
    ),
    "no renewal moves up": Mutant(
        "use_cases/take_place.py",
        "        self._let_move(base, order_id, why, now)\n\n    def _let_move",
        "        del base\n\n    def _let_move",
        "5 renewals follow each other",
        21,
    ),
    "others do not move when a renewal takes its place": Mutant(
        "use_cases/take_place.py",
        "        for base in taken.values():\n"
        '            self._let_move(base, order.id, said("stands_in_line", order=order.id), now)\n',
        "",
        "5 renewals follow each other",
        61,
    ),
    "an older word of the shop wins": Mutant(
        "use_cases/take_fact.py",
        "if before and was_asked and contents.says_the_same(before, order):",
        "if before and contents.says_the_same(before, order):",
        "12 the newest address counts",
        162,
    ),
    "what was paid before holds what is paid now": Mutant(
        "core/contents.py",
        'return bool(paid) and max(paid) < start and not order.code_left and not in_force(order, "release")',
        'return bool(paid) and min(paid) < start and not order.code_left and not in_force(order, "release")',
        "1 paid orders have their codes",
        25,
    ),
    "a decision outlives the money that it was about": Mutant(
        "core/told.py",
        "yield name, payment.amount, payment.currency, payment.standing",
        "yield name, payment.amount, payment.currency",
        "4 money pays for the codes",
        26,
    ),
    "nobody is asked once all has left": Mutant(
        "core/plan.py",
        "if not is_all_left(order) or asks_a_person(order):",
        "if not is_all_left(order):",
        "12 what comes too late is told",
        27,
    ),
    "a code that was swapped in is kept by who got the money back": Mutant(
        "core/owed.py",
        "return tuple(license_ for license_ in order.licenses if not order.has_left(license_))",
        "return tuple(license_ for license_ in order.licenses if license_.line not in order.sent_lines)",
        "1 codes that never left are sold again",
        246,
    ),
    "who moves a renewal of another customer agrees to it": Mutant(
        "use_cases/settle_renewal.py",
        "return renewal_decisions.decide(latest, number, right, asked, agrees=renews is not None)",
        "return renewal_decisions.decide(latest, number, right, asked, agrees=True)",
        "2 nobody renews what is another customer's",
        131,
    ),
    "a batch is poked as an order": Mutant(
        "table/schedule.py",
        'return key if key.startswith((CODES_CAME, BATCH)) else key.partition("#")[2]',
        'return key if key.startswith(CODES_CAME) else key.partition("#")[2]',
        "2 everybody of a replaced batch has another code",
        41,
    ),
    "a replaced batch that is short has no clock": Mutant(
        "table/batches.py",
        "if saved.state is not State.DONE:",
        "if saved.state is State.RUNNING:",
        "2 everybody of a replaced batch has another code",
        41,
    ),
    "a moved license is listed under its former order": Mutant(
        "table/codes.py",
        "SET order_id = :to, stock_order = :place",
        "SET order_id = :to, former_order = :place",
        "2 everybody of a replaced batch has another code",
        40,
    ),
    "a replacing ends while a mail is in doubt": Mutant(
        "core/batches.py",
        "changed=replacing.changed + done.replaced + done.later,",
        "changed=replacing.changed + done.replaced,",
        "2 everybody of a replaced batch has another code",
        89,
    ),
    "an import tells nobody before its end": Mutant(
        "use_cases/import_stock.py",
        "    if not dry_run:\n        serve_waiting.mark(desk.store, skus, now)\n",
        "",
        "5 codes that come serve who waits",
        113,
    ),
    "who stopped reminders gets them elsewhere": Mutant(
        "use_cases/help_customer.py",
        "        if right.email and email and (stopped := self.store.unreminded(email)):\n"
        "            self.store.stop_reminders(right.email, stopped.at, stopped.who)\n",
        "",
        "offers: nobody is reminded after the way out",
        257,
    ),
    "a correction of a correction forgets the first one": Mutant(
        "core/support.py",
        "kept = {wrong: email if right == old else right for wrong, right in known.items() if wrong != email}",
        "kept = {wrong: right for wrong, right in known.items() if wrong != email}",
        "7 corrected addresses get nothing",
        48,
    ),
    "an erasure that had to wait is forgotten": Mutant(
        "use_cases/try_order.py",
        "if aside and (aside.told or aside.erasure):",
        "if aside and aside.told:",
        "7 what is erased is gone",
        121,
    ),
    "only what runs whole is sent again": Mutant(
        "core/mailing.py",
        "is_of_use = any(license_.last_day >= local_day(now, zone) for license_ in order.licenses)",
        "is_of_use = all(license_.last_day >= local_day(now, zone) for license_ in order.licenses)",
        "6 corrected addresses are written to",
        118,
    ),
    "a wish that was cut is a wish too many": Mutant(
        "table/wishes.py",
        "OR contains(wishes, :id) OR (size(wishes) < :most ",
        "OR contains(nobody, :id) OR (size(wishes) < :most ",
        "6 wishes are granted",
        53,
    ),
    "what is given once more is the first one": Mutant(
        "use_cases/sell_by_hand.py",
        "if by_hand.is_of(there, sale, asked) and (asked.key or asked.at - there.created_at < _DOUBLE_CLICK):",
        "if by_hand.is_of(there, sale, asked):",
        "2 what is given again later is another order",
        54,
    ),
    "a remark that is not written down is taken": Mutant(
        "use_cases/take_callback.py",
        "with nullcontext() if is_all else telemetry.optional():",
        "with telemetry.optional():",
        "12 what is refused is written down",
        28,
    ),
    "codes go to who paid first": Mutant(
        "use_cases/serve_waiting.py",
        "key=lambda order: (needed_by(order), order.id)",
        "key=lambda order: (order.paid_at or order.created_at, order.id)",
        "5 codes that come serve who waits",
        115,
    ),
    "a dry run withdraws": Mutant(
        "use_cases/correct_stock.py",
        "    if wanted.batch is not None and not dry_run:\n",
        "    if wanted.batch is not None:\n",
        "2 a trial changes nothing",
        45,
    ),
    "codes to block go before who waits": Mutant(
        "core/plan.py",
        "    if not is_over:\n"
        "        yield from _held_or_served(order, since)\n"
        "    if to_block(order):\n"
        "        yield Reason.BLOCK, since\n",
        "    if to_block(order):\n"
        "        yield Reason.BLOCK, since\n"
        "    if not is_over:\n"
        "        yield from _held_or_served(order, since)\n",
        "5 codes that come serve who waits",
        32,
    ),
    "a second credit note replaces the first": Mutant(
        "providers/moneybird.py",
        'back = Refunded(as_of, str(abs(Decimal(note.total_price_incl_tax))), by=f"moneybird#{note.id}")',
        "back = Refunded(as_of, str(abs(Decimal(note.total_price_incl_tax))))",
        "3 what was paid at a provider is known",
        84,
    ),
    "a server error of another name is no doubt": Mutant(
        "clients/mailer.py",
        '    status = error.response["ResponseMetadata"]["HTTPStatusCode"]\n'
        "    if code in _DOUBTFUL or status >= _SERVER_ERROR:\n",
        "    if code in _DOUBTFUL:\n",
        "6 mails are sent again only in doubt",
        49,
    ),
    "an event that SQS refused counts as told": Mutant(
        "clients/queue.py",
        'return len(self._client.send_message_batch(QueueUrl=self.url, Entries=entries).get("Failed", []))',
        "self._client.send_message_batch(QueueUrl=self.url, Entries=entries)\n            return 0",
        "events: what happened leaves",
        8,
    ),
    "what is delivered was not served": Mutant(
        "core/events.py",
        '_LEFT = ("mail_sent", "mail_delayed", "mail_delivered", ',
        '_LEFT = ("mail_sent", "mail_delayed", ',
        "events: what happened leaves",
        8,
    ),
    "a conflict decides with what was loaded before": Mutant(
        "table/orders.py",
        "is_known = attempt == 0 and (loaded is not None or is_new)",
        "is_known = loaded is not None or is_new",
        "nothing fails that AWS makes up for",
        32,
    ),
    "events of a long story are lost": Mutant(
        "table/outbox.py",
        'known = max(int(old.get("moved", 0)) + len(old.get("timeline", ())), moved)',
        'known = moved + len(old.get("timeline", ()))',
        "events: what happened leaves",
        137,
    ),
    "a run that failed counts as one that succeeded": Mutant(
        "use_cases/reconcile.py",
        "    since = store.reconciled(api, call.now) - WINDOWS[api]\n",
        "    since = store.reconciled(api, call.now) - WINDOWS[api]\n    store.put_reconciled(api, call.now)\n",
        "3 what was paid at a provider is known",
        29,
    ),
    "a list that lagged is not read again after an outage": Mutant(
        "use_cases/reconcile.py",
        "    since = store.reconciled(api, call.now) - WINDOWS[api]\n",
        "    since = min(store.reconciled(api, call.now), call.now - WINDOWS[api])\n",
        "3 what was paid at a provider is known",
        29,
    ),
    "money back makes an order of its own": Mutant(
        "use_cases/take_fact.py",
        "    if not heard.facts and notice.lines and notice.state is not None:\n",
        "    if not heard.facts and notice.lines:\n",
        "1 who is held has a reason",
        455,
    ),
    "a renewal forgets which address was wrong": Mutant(
        "core/renewals.py",
        "own = replace(own, email=right, name=name, corrected={**own.corrected, **corrected})",
        "own = replace(own, email=right, name=name)",
        "7 corrected addresses get nothing",
        48,
    ),
    "of two steps of a dispute in one second the first stays": Mutant(
        "core/payment.py",
        "        newer = max(known, dispute, key=lambda d: (d.as_of, steps.index(d.state), Decimal(d.amount or 0)))\n",
        "        newer = max(known, dispute, key=lambda d: (d.as_of, Decimal(d.amount or 0)))\n",
        "1 codes that never left are sold again",
        30,
    ),
    "an unpaid attempt takes a cancellation back": Mutant(
        "core/cancellation.py",
        "    is_of_others = bool(payment.tellers - {_SHOP}) and payment.state is PaymentState.PAID\n",
        "    is_of_others = bool(payment.tellers - {_SHOP})\n",
        "4 no code leaves unpaid",
        31,
    ),
    "a code that is swapped joins a mail that leaves": Mutant(
        "core/support.py",
        "if mail.purpose is Purpose.REPLACEMENT and not mail.attempts]",
        "if mail.purpose is Purpose.REPLACEMENT and mail.next_at is not None]",
        "1 codes reach their customer",
        387,
    ),
    "a license that moves keeps the number of its line": Mutant(
        "core/gone.py",
        "    order = replace(order, licenses=(replace(license_, line=1),), reminders=coming, moved_from=from_id)\n",
        "    order = replace(order, licenses=(license_,), reminders=coming, moved_from=from_id)\n",
        "2 codes that left are not free",
        43,
    ),
    "who stopped reminders is asked for once": Mutant(
        "use_cases/advance_order.py",
        "        if is_reminder and (why_not := self._why_unwanted(order)):  # since it was added\n",
        "        is_first = not order.mail(mail_id).attempts\n"
        "        if is_reminder and is_first and (why_not := self._why_unwanted(order)):  # since it was added\n",
        "offers: nobody is reminded after the way out",
        120,
    ),
    "more for the same money is given": Mutant(
        "core/told.py",
        "    return bool(more) and _amount(after[:1]) <= _amount([before] if before else [])\n",
        "    return bool(more) and _amount(after[:1]) < _amount([before] if before else [])\n",
        "4 money pays for the codes",
        100,
    ),
    "who has a bookkeeper is not told of the money": Mutant(
        "core/owed.py",
        "    return any(each.id != REMOVED or each.state is not DisputeState.WON for each in disputes)\n",
        "    return any(disputes)\n",
        "12 who gets the money back is told",
        21,
    ),
    "a payment counts from its first notice": Mutant(
        "core/payment.py",
        "at=min(payment.at for payment in told if payment.state is furthest),",
        "at=min(payment.at for payment in told),",
        "5 nothing starts before it is paid",
        149,
    ),
    "a bounce at a former address keeps the order back": Mutant(
        "core/mailing.py",
        "BAD_ADDRESS[report.fate], report.at, now) if is_bad and is_its_address else order",
        "BAD_ADDRESS[report.fate], report.at, now) if is_bad else order",
        "6 good addresses are not asked for",
        56,
    ),
    "a code that comes back loses its last day": Mutant(
        "table/codes.py",
        '":place": {"S": stock_place(item)},',
        '":place": {"S": stock_place({})},',
        "1 free codes are offered as what they are",
        6,
    ),
    "an erased order keeps where its mails went": Mutant(
        "core/support.py",
        "return replace(mail, to=None, sent_to=None, asked=asked)",
        "return replace(mail, to=None, asked=asked)",
        "7 what is erased is gone",
        19,
    ),
    "a mail to another address waits for the order's own": Mutant(
        "core/plan.py",
        "at = max(mail.next_at or _ALWAYS, _ALWAYS if mail.to else _mail_from(order))",
        "at = max(mail.next_at or _ALWAYS, _mail_from(order))",
        "6 mails that were promised leave",
        262,
    ),
    "a renewal moves and its reminders stay": Mutant(
        "core/renewals.py",
        "        reminders=tuple(\n"
        "            with_extra(reminder_of(each.line, each.days, new[each.line].last_day, zone), each)\n"
        "            if each.line in new\n"
        "            else each\n"
        "            for each in order.reminders\n"
        "        ),\n",
        "",
        "5 reminders come by the last day",
        63,
    ),
    "two remarks of one day are one": Mutant(
        "table/inbox.py",
        "json.dumps([told, why], sort_keys=True)",
        "json.dumps([remark.provider, why], sort_keys=True)",
        "12 what is refused is written down",
        33,
    ),
    "who has a license of these days is forgotten": Mutant(
        "core/forgetting.py",
        "return max(days, default=today) < years_before(today, years)",
        "return min(days, default=today) < years_before(today, years)",
        "7 nobody is forgotten too early",
        127,
    ),
    "the daily note is never done": Mutant(
        "table/marks.py",
        '            "attribute_not_exists(done)"\n'
        '            " AND (attribute_not_exists(taken_until) OR taken_until < :now OR taken_by = :me)",',
        '            "(attribute_not_exists(taken_until) OR taken_until < :now OR taken_by = :me)",',
        "12 support gets one note a day",
        1,
    ),
    "only the first event of an attempt is known": Mutant(
        "core/mailing.py",
        "    same = (report.attempt, report.fate, report.at)\n"
        "    return mail is not None and same in [(told.attempt, told.fate, told.at) for told in mail.told]",
        "    return mail is not None and report.attempt in [told.attempt for told in mail.told]",
        "12 what SES tells is stored",
        4,
    ),
    "a full refund without an amount counts for nothing": Mutant(
        "core/payment.py",
        "return refunded.full or bool(Decimal(own.amount or 0) and back >= Decimal(own.amount or 0))",
        "return bool(Decimal(own.amount or 0) and back >= Decimal(own.amount or 0))",
        "12 who gets the money back is told",
        5,
    ),
    "a batch that is withdrawn takes codes that are sold": Mutant(
        "table/batches.py",
        '"ConditionExpression": "#state = :before AND sku = :sku",',
        '"ConditionExpression": "(#state = :before OR attribute_exists(order_id)) AND sku = :sku",',
        "1 codes are where the orders say",
        245,
    ),
    "a renewal does not look again after it took its place": Mutant(
        "use_cases/take_place.py",
        "            order = self._checked(order, taken, now)\n",
        "",
        "5 renewals follow each other",
        271,
    ),
    "more of what has left gets no line of its own": Mutant(
        "core/lines.py",
        "            elif number not in left or lacking <= known.quantity:\n",
        "            else:\n",
        "12 who paid is served or waits for a person",
        172,
    ),
    "a late callback names an erased customer again": Mutant(
        "core/contents.py",
        "    if order.is_erased:  # nothing that names the customer comes in again\n",
        "    if order.is_erased and notice.state is None:  # nothing that names the customer comes in again\n",
        "7 what is erased is gone",
        19,
    ),
    "money back that was told before its order is dropped": Mutant(
        "table/payments.py",
        "return [notice for text in texts if (notice := _told(text, name))]",
        "return [notice for text in texts if (notice := _told(text, name)) and notice.state is not None]",
        "12 what was accepted is stored",
        23,
    ),
    "a payment leaves its order before its own is stored": Mutant(
        "use_cases/help_customer.py",
        "            self.store.change(to, partial(_own, order_id=to, payment=payment, asked=asked, intake=intake))\n"
        "            self.change(\n"
        "                order_id,\n"
        "                partial(settling.without_payment, name=payment_name, to=to, asked=asked, "
        "currency=intake.currency),\n"
        "            )\n",
        "            self.change(\n"
        "                order_id,\n"
        "                partial(settling.without_payment, name=payment_name, to=to, asked=asked, "
        "currency=intake.currency),\n"
        "            )\n"
        "            self.store.change(to, partial(_own, order_id=to, payment=payment, asked=asked, intake=intake))\n",
        "12 who paid is served or waits for a person",
        35,
    ),
    "news of a payment that became an order go nowhere": Mutant(
        "use_cases/take_fact.py",
        "    if other := settling.moved_to(order, names):\n"
        "        return write_down(store, other, Heard(facts), now, intake, was_asked=was_asked)\n",
        "",
        "12 what was accepted is stored",
        36,
    ),
    "a bounce is of the address that the customer has now": Mutant(
        "use_cases/take_mail_event.py",
        "store.put_bad_address(report.address, report.fate, report.at)",
        "store.put_bad_address(order.customer.email or report.address, report.fate, report.at)",
        "6 good addresses are not asked for",
        56,
    ),
    "a batch that is put back stays withdrawn": Mutant(
        "use_cases/correct_stock.py",
        "        if wanted.batch is not None:\n",
        "        if wanted.batch is not None and done.done:\n",
        "2 what is put back is withdrawn no more",
        47,
    ),
    "a renewal forgets its places before it gives them up": Mutant(
        "use_cases/take_place.py",
        "        for base_id in order.registered:\n"
        '            self._leave(base_id, order.id, said("earlier_not_served", order=order.id), now, lines)\n'
        "        kept = tuple(term for term in order.terms if lines is not None and term.line not in lines)\n"
        "        registered = tuple(each for each in order.registered if any(term.renews == each for term in kept))\n"
        "        return self.store.save(replace(order, terms=kept, registered=registered))\n",
        "        kept = tuple(term for term in order.terms if lines is not None and term.line not in lines)\n"
        "        registered = tuple(each for each in order.registered if any(term.renews == each for term in kept))\n"
        "        without = self.store.save(replace(order, terms=kept, registered=registered))\n"
        "        for base_id in order.registered:\n"
        '            self._leave(base_id, order.id, said("earlier_not_served", order=order.id), now, lines)\n'
        "        return without\n",
        "5 renewals follow each other",
        65,
    ),
    "codes that ran out are not looked for when their mail is due": Mutant(
        "use_cases/take_codes.py",
        "        if delivery.mail_at > now:\n",
        "        if delivery.mail_at <= now:\n",
        "1 codes leave while they can be activated",
        135,
    ),
    "a wish that was not taken is confirmed": Mutant(
        "use_cases/take_wish.py",
        '        return "not now"\n    telemetry.outcome("WishTaken")\n',
        '    else:\n        telemetry.outcome("WishTaken")\n',
        "6 wishes are granted",
        57,
    ),
    "an answer that redirects counts as taken": Mutant(
        "use_cases/deliver_event.py",
        "is_taken = status is not None and status // 100 == 2  # noqa: PLR2004 - 2xx",
        "is_taken = status is not None and status < 400  # noqa: PLR2004",
        "events: what happened leaves",
        17,
    ),
    "an underscore in an order's number is none in a tag": Mutant(
        "clients/mailer.py",
        're.sub(r"[^A-Za-z0-9-]", lambda',
        're.sub(r"[^A-Za-z0-9_-]", lambda',
        "12 codes of what was exchanged are free again",
        95,
    ),
    "an invoice that a credit note settled is served": Mutant(
        "providers/moneybird.py",
        'problem=said("credit_note") if invoice.is_credited else problem,',
        "problem=problem,",
        "4 money pays for the codes",
        37,
    ),
    "a refund at Mollie counts only when it is through": Mutant(
        "providers/mollie_objects.py",
        'RETURNED = {"processing", "refunded"}  # Mollie calls at `processing` and at `failed`, not at `refunded`\n'
        'NOT_RETURNED = {"queued", "pending", "failed", "canceled"}\n',
        'RETURNED = {"refunded"}\nNOT_RETURNED = {"processing", "queued", "pending", "failed", "canceled"}\n',
        "3 what was paid at a provider is known",
        19,
    ),
    "a note that SES refused is done": Mutant(
        "table/marks.py",
        'UpdateExpression="REMOVE taken_until"',
        'UpdateExpression="SET done = taken_until"',
        "12 support is told of who waits",
        59,
    ),
    "an id of an event says two things": Mutant(
        "use_cases/tell_of_low_stock.py",
        "outbox.put_first(event, now)",
        "outbox.put_event(event, now)",
        "events: what happened leaves",
        59,
    ),
    "more of what has left is more each time it is told": Mutant(
        "core/lines.py",
        "            number = _standing_for(wanted, free, left)\n",
        "            number = _standing_for(wanted, free, left) if lacking == line.quantity else None\n",
        "4 money pays for the codes",
        172,
    ),
}
