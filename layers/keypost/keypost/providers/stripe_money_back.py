"""Money that Stripe returned or took only in part, or that is disputed. It is known by the payment intent, which the
session or the invoice's payment names too, or by the charge, if that has no intent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from keypost.core.errors import ProviderRefused
from keypost.core.payment import Dispute, DisputeState, FailedRefund, News, PaymentNotice, Refunded
from keypost.core.said import said
from keypost.providers.call import Call
from keypost.providers.stripe_objects import (
    Snapshot,
    amount,
    currency_of,
    id_of,
    listed,
    mapped,
    remark,
    shown,
    whole,
    word,
)

_DISPUTES = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.WON,
    "needs_response": DisputeState.OPEN,
    "under_review": DisputeState.OPEN,
    "appeal_needs_response": DisputeState.OPEN,
    "appeal_under_review": DisputeState.OPEN,
    "won": DisputeState.WON,
    "charge_refunded": DisputeState.WON,  # old; the refund is reported as a refund
    "lost": DisputeState.LOST,
}
_NOT_RETURNED = ("pending", "requires_action", "failed", "canceled")  # all states of a refund but `succeeded`
_CAME_TO_NOTHING = ("failed", "canceled")
# Refunds of money that was never taken, which there are before API version basil (2025-03-31).
_NEVER_TAKEN = ("partial_capture", "expired_uncaptured_charge")


def of_charge(call: Call, told: Snapshot) -> Sequence[News]:
    """The total that was returned of a charge. Its flag `refunded` is not used, because a refund may fail later."""
    charge = told.entity
    returned = _returned(call, charge["id"]) or _as_told(shown(call, told, "/v1/charges", _is_refunded))
    news = _news(told, charge["id"])
    if news is None or returned is None:
        return (_unknown(call, told, "amount_refunded"),)
    return (replace(news, refunded=returned),)


def of_refund(call: Call, told: Snapshot) -> Sequence[News]:
    """What one refund has become. If Stripe cannot be asked for the total, only a refund that came to nothing is news:
    `charge.refunded` has reported the others."""
    refund = told.entity
    news, charge = _news(told, refund.get("charge")), id_of(refund.get("charge"))
    if news is None:
        return (_unknown(call, told, "charge"),)
    if charge and (returned := _returned(call, charge)):
        return (replace(news, refunded=returned),)
    if _came_to_nothing(told):
        value = amount(refund.get("amount"), currency_of(refund)) or "0"
        return (replace(news, failed_refunds=(FailedRefund(refund["id"], value, told.as_of),)),)
    return ()


def _came_to_nothing(told: Snapshot) -> bool:
    return told.kind == "refund.failed" or told.entity.get("status") in _CAME_TO_NOTHING


def _is_refunded(charge: Mapping[str, Any]) -> bool:
    return charge.get("amount_refunded") != 0


def _as_told(told: Snapshot) -> Refunded | None:
    """The total as the event has it, with refunds that Stripe has only queued."""
    total = amount(told.entity.get("amount_refunded"), currency_of(told.entity))
    return Refunded(told.as_of, total) if total is not None else None


def _returned(call: Call, charge: str) -> Refunded | None:
    """The total of the refunds of a charge that are processed, as Stripe has them now. None if they cannot be read."""
    if call.get is None:
        return None
    try:
        refunds = [*listed(call, "/v1/refunds", {"charge": charge})]
    except ProviderRefused:  # the key is older than this question
        return None
    total = _total(refunds)
    return Refunded(call.now, total) if total is not None else None


def _total(refunds: Sequence[Mapping[str, Any]]) -> str | None:
    """The sum of the refunds that are processed; None if there is no refund at all."""
    processed = [whole(each.get("amount")) or 0 for each in refunds if _is_returned(each)]
    return amount(sum(processed), currency_of(refunds[0])) if refunds else None


def _is_returned(refund: Mapping[str, Any]) -> bool:
    return refund.get("status") not in _NOT_RETURNED and refund.get("reason") not in _NEVER_TAKEN


def of_dispute(call: Call, told: Snapshot) -> Sequence[News]:
    """The state of a dispute, and the amount that is disputed. A dispute of an unknown state is open until a person has
    looked."""
    if told.kind.endswith("closed"):
        told = shown(call, told, "/v1/disputes", _is_closed)
    dispute = told.entity
    news = _news(told, dispute.get("charge"))
    if news is None:
        return (_unknown(call, told, "charge"),)
    state = _state(dispute)
    disputed = amount(dispute.get("amount"), currency_of(dispute))
    found = Dispute(dispute["id"], state or DisputeState.OPEN, told.as_of, disputed)
    return (replace(news, disputes=(found,)), *(() if state else (_unknown(call, told, dispute.get("status")),)))


def _is_closed(dispute: Mapping[str, Any]) -> bool:
    return _state(dispute) not in (DisputeState.OPEN, DisputeState.INQUIRY)


def _state(dispute: Mapping[str, Any]) -> DisputeState | None:
    status = str(dispute.get("status"))
    return _prevented(dispute) if status == "prevented" else _DISPUTES.get(status)


def _prevented(dispute: Mapping[str, Any]) -> DisputeState:
    """A dispute that was prevented: the bank was convinced, or a rule of the shop gave the money back at once."""
    case = mapped(mapped(dispute.get("payment_method_details")).get("card")).get("case_type")
    moved = dispute.get("balance_transactions")
    taken = sum(whole(mapped(each).get("amount")) or 0 for each in moved) if isinstance(moved, list) else 0
    return DisputeState.LOST if case == "resolution" or taken < 0 else DisputeState.WON


def of_capture(call: Call, told: Snapshot) -> Sequence[News]:
    """What was taken of a payment that was only reserved."""
    currency = currency_of(told.entity)
    news, taken = _news(told, told.entity["id"]), amount(told.entity.get("amount_captured"), currency)
    if news is None or taken is None:
        return (_unknown(call, told, "amount_captured"),)
    return (replace(news, amount=taken, currency=currency),)


def _news(told: Snapshot, charge: Any) -> PaymentNotice | None:
    """The payment that a charge, a refund or a dispute is about; None if it names none."""
    payment = id_of(told.entity.get("payment_intent")) or id_of(charge)
    if payment is None:
        return None
    return PaymentNotice("stripe", payment, None, told.at, order_id="", said=told.said)


def _unknown(call: Call, told: Snapshot, state: Any) -> News:
    about = id_of(told.entity)
    return remark(call, said("stripe_unknown_state", id=about or "?", state=word(state)), about)
