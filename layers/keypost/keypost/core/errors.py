"""What can go wrong, as one small tree; the edges turn it into status codes and exit statuses."""


class KeypostError(Exception):
    """The base of all. The text is for people: what happened and what to do now, nothing personal, no code."""


class InvalidInput(KeypostError):
    """What came in does not have the agreed form; nothing was changed."""


class SignatureRefused(KeypostError):
    """A callback's signature is missing, wrong, too old or from the future; nothing was changed."""


class CredentialRefused(KeypostError):
    """A key or token for the support API is unknown, forged or no longer valid. The text is the reason, for the log."""


class Conflict(KeypostError):
    """Somebody else changed the same items first; load again and decide again."""


class Unmet(KeypostError):
    """A write found its item other than its condition demands; nothing was changed. `places` says which of several
    writes did, counting from 0."""

    def __init__(self, text: str, places: tuple[int, ...] = ()) -> None:
        super().__init__(text)
        self.places = places


class QueueUnavailable(KeypostError):
    """A message could not be queued. What it was about is stored and due, so a schedule finds it."""


class ProviderUnavailable(KeypostError):
    """A payment provider did not answer, or not as agreed: ask again later."""


class ProviderUnreadable(ProviderUnavailable):
    """What a payment provider said of one thing is not as agreed; of others it may be."""


class ProviderRefused(KeypostError):
    """A payment provider does not accept our key, or the key is of the other mode: a person must mend it."""


class NotFound(KeypostError):
    """What was asked for does not exist."""


class Refused(KeypostError):
    """As things stand, what was asked for is not done; nothing was changed."""


class TooMany(Refused):
    """It was asked for too often: later it may be done."""


class ProbablyMeant(Refused):
    """It looks like a slip; what was probably meant is with it."""

    def __init__(self, text: str, suggestion: str) -> None:
        super().__init__(text)
        self.suggestion = suggestion


class Forbidden(KeypostError):
    """Who asks may not ask for this."""


class BatchFailed(KeypostError):
    """No message of a batch could be handled. All of them come back."""
