"""The only module that calls SES. One call is one attempt: SES has no idempotency token, so a client that retries by
itself would mail the customer twice."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
)

from keypost.core.mail import MailNotSent, MailOutcome, MailSent, MailUnknown, Refusal
from keypost.core.said import said

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


# Errors after which SES would refuse this very mail again. Errors that a person can repair outside the mail (identity,
# quota, pause, permissions) are not among them: the mail waits and is tried again.
_PERMANENT = {"BadRequestException", "InvalidParameterValue"}

# Errors that concern every mail of the account until a person repairs the cause; one worker notes them for all.
_ACCOUNT = {
    "AccessDeniedException",
    "AccountSuspendedException",
    "LimitExceededException",
    "MailFromDomainNotVerifiedException",
    "NotFoundException",  # the configuration set
    "SendingPausedException",
}
_DAILY_QUOTA = "Daily message quota exceeded"  # SES also uses this code for too many mails in a second

# SES answered with an error, but may have accepted the mail before.
_DOUBTFUL = {
    "InternalFailure",
    "InternalServiceErrorException",
    "RequestTimeoutException",
    "ServiceUnavailable",
}
_SERVER_ERROR = 500
NO_ORDER = "none"  # the order tag of a mail that belongs to no order


class Pace:
    """Keeps a pause of at least `gap` seconds between two mails of this process. The first mail needs no pause."""

    def __init__(
        self,
        gap: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.gap = gap
        self._clock = clock
        self._pause = pause
        self._free_at = clock()

    def wait(self) -> None:
        early = self._free_at - self._clock()
        if early > 0:
            self._pause(early)
        self._free_at = self._clock() + self.gap


class Mailer:
    def __init__(self, client: "SESV2Client", configuration_set: str, pace: Pace | None = None) -> None:
        self._client = client
        self._configuration_set = configuration_set
        self._pace = pace

    def send(self, message: EmailMessage, tags: dict[str, str]) -> MailOutcome:
        """Make one attempt to send a message to the one address in its To header. The tags come back in the events of
        SES, so that an attempt whose answer was lost can be found again. They hold no address and no code."""
        if self._pace:
            self._pace.wait()
        try:
            answer = self._client.send_email(
                Content={"Raw": {"Data": message.as_bytes()}},
                Destination={"ToAddresses": [str(message["To"])]},
                ConfigurationSetName=self._configuration_set,
                EmailTags=[{"Name": name, "Value": tag_value(value)} for name, value in tags.items()],
            )
        except ClientError as error:
            return _refusal(error)
        except (ConnectTimeoutError, EndpointConnectionError, NoCredentialsError) as error:
            return MailNotSent(said("ses_unreachable", error=type(error).__name__))
        except HTTPClientError as error:
            return MailUnknown(said("ses_answer_lost", error=type(error).__name__))
        return MailSent(answer["MessageId"])

    def paced(
        self,
        most: float,
        workers: int,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> "Mailer":
        """A mailer for one of `workers` workers that together send at most `most` mails per second; fewer, if SES
        allows this account fewer."""
        return Mailer(self._client, self._configuration_set, Pace(workers / self.rate(most), clock, pause))

    def rate(self, most: float) -> float:
        """How many mails per second are sent: `most`, or fewer if SES allows this account fewer."""
        try:
            takes = self._client.get_account()["SendQuota"]["MaxSendRate"]
        except (ClientError, BotoCoreError, KeyError):  # SES does not say it now, and refuses mails that are too many
            takes = most
        return min(most, takes) if takes > 0 else most

    def why_suppressed(self, address: str) -> str | None:
        """Why SES accepts mail to this address but drops it: BOUNCE or COMPLAINT. None if it does not, or if SES was
        asked too often to answer (it allows one such call a second); an event reports then that a mail was dropped."""
        try:
            answer = self._client.get_suppressed_destination(EmailAddress=address)
        except (self._client.exceptions.NotFoundException, self._client.exceptions.TooManyRequestsException):
            return None
        return answer["SuppressedDestination"]["Reason"]

    def lift_suppression(self, address: str) -> None:
        with suppress(self._client.exceptions.NotFoundException):  # another call has removed it
            self._client.delete_suppressed_destination(EmailAddress=address)


def _refusal(error: ClientError) -> MailOutcome:
    """The outcome for an error of SES, without the error's text, which may hold the customer's address."""
    code = error.response["Error"]["Code"]
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if code in _DOUBTFUL or status >= _SERVER_ERROR:
        return MailUnknown(said("ses_answered", answer=code))
    is_account = code in _ACCOUNT or _DAILY_QUOTA in error.response["Error"].get("Message", "")
    refusal = Refusal.FOR_EVER if code in _PERMANENT else Refusal.OF_ACCOUNT if is_account else Refusal.FOR_NOW
    return MailNotSent(said("ses_refused", answer=code), refusal)


def tag_value(text: str) -> str:
    """The text in the characters that SES allows in a tag. This is reversible; an order id may have a dot, which SES
    does not allow."""
    return re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):02x}", text)


def tagged(value: str) -> str:
    """The text from which `tag_value` made this tag."""
    return re.sub(r"_([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), value)
