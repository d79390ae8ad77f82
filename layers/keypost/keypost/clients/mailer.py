"""The only module that talks to SES. One call is one attempt: SES knows no idempotency token, so a client that
tries again by itself mails the customer twice."""

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

from keypost.core.mail import MailNotSent, MailOutcome, MailSent, MailUnknown

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


# Answers after which this very mail would be refused again. What a person can mend outside the mail (identity,
# quota, pause, permissions) is not among them: the mail waits and is tried again.
_PERMANENT = {"BadRequestException", "InvalidParameterValue"}

# Answers that hold for every mail, until a person mends it: a mark for all who would ask the same.
_ACCOUNT = {
    "AccessDeniedException",
    "AccountSuspendedException",
    "LimitExceededException",
    "MailFromDomainNotVerifiedException",
    "NotFoundException",  # the configuration set
    "SendingPausedException",
}
_DAILY_QUOTA = "Daily message quota exceeded"  # the code is that of too many in a second

# SES answered, but may have taken the mail before it failed.
_DOUBTFUL = {
    "InternalFailure",
    "InternalServiceErrorException",
    "RequestTimeoutException",
    "ServiceUnavailable",
}
_SERVER_ERROR = 500
NO_ORDER = "none"  # stands in the tags of a mail that is not of an order


class Pace:
    """At most one mail per `gap` seconds. The first one leaves at once: a worker that just started sent none."""

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
        """One attempt to hand a message to SES, to the one address in its To header. The tags come back in the
        events of SES, so that one whose answer was lost can be found again; they hold no address and no code."""
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
            return MailNotSent(f"SES was not reached: {type(error).__name__}")
        except HTTPClientError as error:
            return MailUnknown(f"the answer of SES was lost: {type(error).__name__}")
        return MailSent(answer["MessageId"])

    def paced(
        self,
        most: float,
        workers: int,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> "Mailer":
        """The same for one of so many workers, that send so many mails a second together; fewer, if SES takes fewer of
        this account."""
        try:
            takes = self._client.get_account()["SendQuota"]["MaxSendRate"]
        except (ClientError, BotoCoreError, KeyError):  # it does not say now: it refuses what is too much
            takes = most
        rate = min(most, takes) if takes > 0 else most
        return Mailer(self._client, self._configuration_set, Pace(workers / rate, clock, pause))

    def why_suppressed(self, address: str) -> str | None:
        """Why SES takes mail to this address and drops it: BOUNCE or COMPLAINT; None when it does not, or is asked too
        often to say (one such question a second): then an event tells of a mail that it dropped."""
        try:
            answer = self._client.get_suppressed_destination(EmailAddress=address)
        except (self._client.exceptions.NotFoundException, self._client.exceptions.TooManyRequestsException):
            return None
        return answer["SuppressedDestination"]["Reason"]

    def lift_suppression(self, address: str) -> None:
        with suppress(self._client.exceptions.NotFoundException):  # somebody else did
            self._client.delete_suppressed_destination(EmailAddress=address)


def _refusal(error: ClientError) -> MailOutcome:
    """The text of an SES error may hold the customer's address, so it goes no further."""
    code = error.response["Error"]["Code"]
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if code in _DOUBTFUL or status >= _SERVER_ERROR:
        return MailUnknown(f"SES answered {code}")
    is_account = code in _ACCOUNT or _DAILY_QUOTA in error.response["Error"].get("Message", "")
    return MailNotSent(f"SES refused: {code}", permanent=code in _PERMANENT, account=is_account)


def tag_value(text: str) -> str:
    """ASCII text in the letters that SES allows in a tag, reversibly: an order id may hold a dot."""
    return re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):02x}", text)


def tagged(value: str) -> str:
    """The text that a tag stands for."""
    return re.sub(r"_([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), value)
