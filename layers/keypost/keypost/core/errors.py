"""All errors, as one small tree. The edges turn them into status codes and exit statuses."""

from collections.abc import Mapping
from typing import Any

from keypost.core.said import Said, said


class KeypostError(Exception):
    """The base of all errors. Its text is for people: what happened and what to do now. It has no personal data and no
    code."""

    def __init__(self, code: str, /, **values: Any) -> None:
        self.said = said(code, **values)
        plain = [f"{name}={value}" for name, value in self.said.values.items() if not isinstance(value, Said)]
        super().__init__(": ".join(self.said.codes) + (f" ({', '.join(plain)})" if plain else ""))  # for a log


class InvalidInput(KeypostError):
    """The input does not have the agreed form. Nothing was changed."""

    order_id = ""  # of the order that a callback is about, where it names one


class SignatureRefused(KeypostError):
    """A callback's signature is missing, wrong, too old or from the future. Nothing was changed."""


class CredentialRefused(KeypostError):
    """A key or token for the support API is unknown, forged, expired or revoked. The text is the reason, for the log
    only."""


class Conflict(KeypostError):
    """Another write changed the same items first. Load them again and decide again."""


class Unfit(KeypostError):
    """DynamoDB does not store an item as it is: it is too large, as a rule. Nothing was changed."""


class Unmet(KeypostError):
    """A write found its item other than its condition demands; nothing was changed. `places` says which of several
    writes did, counting from 0, and `found` has the item that each of these found, in the SDK's form: empty where none
    was there, or where the write did not ask for it."""

    def __init__(self, code: str, places: tuple[int, ...] = (), found: tuple[Mapping[str, Any], ...] = ({},)) -> None:
        super().__init__(code)
        self.places = places
        self.found = found


class QueueUnavailable(KeypostError):
    """SQS did not accept a message. Its order is stored and due, so a schedule finds it."""


class BusUnavailable(KeypostError):
    """EventBridge did not accept an event. It is in the stream of the table still, and is put again."""


class AddressRefused(KeypostError):
    """An address that the operator chose is not one that Keypost calls."""


class ProviderUnavailable(KeypostError):
    """A payment provider did not answer, or not in the documented form. Ask again later."""


class ProviderUnreadable(ProviderUnavailable):
    """A payment provider described one object in an undocumented form. Its other objects may be readable."""


class ProviderRefused(KeypostError):
    """A payment provider refuses our key, or the key is of the other mode (test or live). A person must set another
    one."""


class ProviderForbidden(ProviderRefused):
    """Our key may not see this one object at a payment provider; it may see others."""


class NotFound(KeypostError):
    """There is no such thing as the caller asked for."""


class Refused(KeypostError):
    """The request cannot be done in the present state. Nothing was changed."""


class SetAside(Refused):
    """A program cannot write this order now. Facts about it are kept beside it until one can. `place` is where in the
    stored item the fault is, for the log, without values."""

    def __init__(self, code: str, order_id: str, place: str = "") -> None:
        super().__init__(code, order=order_id)
        self.order_id = order_id
        self.place = place


class Unreadable(SetAside):
    """The stored item of an order is not as any version of Keypost stores it."""

    def __init__(self, order_id: str, place: str = "") -> None:
        super().__init__("refused_unreadable", order_id, place)


class NewerVersion(SetAside):
    """The stored item of an order has what only a newer version of Keypost understands."""

    def __init__(self, order_id: str, place: str = "") -> None:
        super().__init__("refused_newer_version", order_id, place)


class CannotBeStored(SetAside):
    """DynamoDB does not store what the order would become: it is too large, as a rule."""

    def __init__(self, order_id: str, place: str = "") -> None:
        super().__init__("refused_too_large", order_id, place)


class TooMany(Refused):
    """The caller asked for this too often. Later it may be done."""


class ProbablyMeant(Refused):
    """The value looks like a typing error. The error has what the caller probably meant."""

    def __init__(self, code: str, suggestion: str) -> None:
        super().__init__(code)
        self.suggestion = suggestion


class Forbidden(KeypostError):
    """The caller may not ask for this."""


class BatchFailed(KeypostError):
    """No message of a batch could be handled. The queue delivers all of them again."""
