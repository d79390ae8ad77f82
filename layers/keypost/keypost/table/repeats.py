"""What an order says twice is stored once: a write unit is a kilobyte, and most sales are to fit into one. What is left
out follows from the rest of the same item; an item that has it all is read as well."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from keypost.core.order import Customer

_STAMP = ("by", "said", "is_paid")
_LISTS = ("lines", "payments", "licenses", "mails", "timeline")
_OWN = ""  # in place of an address: that of the order

Part = Mapping[str, Any]


def without_repeats(item: dict[str, Any]) -> dict[str, Any]:
    """The item of an order, as a converter made it, without what follows from the rest."""
    _leave_out_words(item)
    skus, own, known = _skus(item), _email(item), _known(item)
    for license_ in item.get("licenses", ()):
        if license_["sku"] == skus.get(license_["line"]):
            del license_["sku"]
    for mail in item.get("mails", ()):
        if own and mail.get("sent_to") == own:
            mail["sent_to"] = _OWN
    for entry in item.get("timeline", ()):
        _leave_out_values(entry, known)
    return item


def with_repeats(item: Part) -> Part:
    if not all(isinstance(item.get(name, []), list) for name in _LISTS):
        return item
    of_order, skus, own, known = _of_order(item), _skus(item), _email(item), _known(item)
    made = {
        "payments": [_with_words(payment, of_order) for payment in item.get("payments", ())],
        "licenses": [_with_sku(license_, skus) for license_ in item.get("licenses", ())],
        "mails": [mail | {"sent_to": own} if mail.get("sent_to") == _OWN else mail for mail in item.get("mails", ())],
        "timeline": [_with_values(entry, known) for entry in item.get("timeline", ())],
    }
    return {**item, **{name: members for name, members in made.items() if name in item}}


def _email(item: Part) -> str:
    email = item.get("customer", {}).get("email")
    return email if isinstance(email, str) else _OWN


def _skus(item: Part) -> dict[Any, Any]:
    """Of its lines, by their numbers."""
    return {line.get("id") or place: line.get("sku") for place, line in enumerate(item.get("lines", ()), start=1)}


def _with_sku(license_: Part, skus: Mapping[Any, Any]) -> Part:
    sku = skus.get(license_.get("line"))
    return {"sku": sku, **license_} if sku else license_


# --- Values of an entry of the timeline that a payment or a mail has too: a number in the entry leads to them.


def _known(item: Part) -> dict[str, list[Part]]:
    """What such values are, by the name of that number, which is their place here; the longest first."""
    payments = [(name, payment) for payment in item.get("payments", ()) for name in payment.get("names", ())]
    mails = item.get("mails", ())
    return {
        "#paid": [_named(name) | {"amount": _amount(payment)} for name, payment in payments],
        "#name": [_named(name) for name, _ in payments],
        "#mail": [{"mail": mail.get("id"), "attempt": mail.get("attempts", 0)} for mail in mails],
    }


def _named(name: str) -> dict[str, str]:
    provider, _, payment = name.partition(":")
    return {"provider": provider, "payment": payment}


def _amount(payment: Part) -> str:
    newest: Part = next(reversed(payment.get("sums", ())), {})
    return f"{newest.get('currency')} {newest.get('amount')}"


def _leave_out_values(entry: dict[str, Any], known: Mapping[str, Sequence[Part]]) -> None:
    values = entry.get("values", {})
    found = ((name, place) for name, parts in known.items() for place, part in enumerate(parts) if _is_in(part, values))
    for name, place in islice(found, 1):
        rest = {each: value for each, value in entry.pop("values").items() if each not in known[name][place]}
        entry.update({name: place} | ({"values": rest} if rest else {}))


def _is_in(part: Part, values: Part) -> bool:
    return all(name in values and values[name] == value for name, value in part.items())


def _with_values(entry: Part, known: Mapping[str, Sequence[Part]]) -> Part:
    name = next((name for name in known if name in entry), None)
    if not name:
        return entry
    values = {**known[name][int(entry[name])], **entry.get("values", {})}
    return {**{each: value for each, value in entry.items() if each != name}, "values": values}


# --- Words of tellers that say of goods and customer what the order has; the sum of the same word says that they were
# there.


def _leave_out_words(item: dict[str, Any]) -> None:
    of_order = _of_order(item)
    for payment in item.get("payments", ()):
        for word in payment.get("sums", ()):
            same = [name for name, (part, own) in of_order.items() if _stamp(word) | own in payment.get(part, ())]
            for name in same:
                part, own = of_order[name]
                payment[part] = [each for each in payment[part] if each != _stamp(word) | own]
            if same:
                word["as_order"] = same
        for part in ("goods", "buyers"):
            if not payment.get(part, True):
                del payment[part]


def _with_words(payment: Part, of_order: Mapping[str, tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    words = {part: [*payment.get(part, ())] for part in ("goods", "buyers")}
    for word in payment.get("sums", ()):
        for name in word.get("as_order", ()):
            part, own = of_order[name]
            words[part].append(_stamp(word) | own)
    sums = [{name: value for name, value in word.items() if name != "as_order"} for word in payment.get("sums", ())]
    return {**payment, **words, "sums": sums}


def _stamp(word: Part) -> dict[str, Any]:
    return {name: word[name] for name in _STAMP if name in word}


def _of_order(item: Part) -> dict[str, tuple[str, dict[str, Any]]]:
    """What the order has of goods and customer, as a teller says it, who does not know the numbers of lines and may
    leave the language open; by the name of it, with the part of a payment that it is."""
    lines = [{name: value for name, value in line.items() if name != "id"} for line in item.get("lines", ())]
    customer = item.get("customer", {})
    known = {name: customer[name] for name in ("email", "name") if name in customer}
    spoken = {"language": customer.get("language", Customer().language)}
    return {"goods": ("goods", {"lines": lines}), "buyer": ("buyers", known | spoken), "customer": ("buyers", known)}
