"""English: how days, amounts and what SES says are written, and all that people read, in the files beside this one."""

from keypost.words.en.mails import MAILS
from keypost.words.en.sentences import TEXTS

# fmt: off
__all__ = ["AMOUNT", "AMOUNT_BY_CODE", "AT", "DAY", "DECIMAL", "LOCALE", "MAILS",
           "MONTHS", "NAME", "SES", "TEXTS", "THOUSANDS"]
# fmt: on

NAME = "English"
LOCALE = "en-GB"  # for browsers, which write days and numbers in it
DAY, AT = "{day} {month} {year}", "at"
DECIMAL, THOUSANDS, AMOUNT = ".", ",", "{symbol}{number}"
AMOUNT_BY_CODE = "{code}\N{NO-BREAK SPACE}{number}"
# fmt: off
MONTHS = ("January", "February", "March", "April", "May", "June",
          "July", "August", "September", "October", "November", "December")
# fmt: on

# What SES says besides, by a word of it: why a mail came back, is delayed or was rejected.
SES = {
    "NoEmail": "the address does not exist",
    "Suppressed": "SES blocks the address",
    "OnAccountSuppressionList": "SES blocks the address",
    "MailboxFull": "the mailbox is full",
    "MessageTooLarge": "the e-mail is too large for the recipient",
    "ContentRejected": "the recipient's server rejects the content",
    "AttachmentRejected": "the recipient's server rejects the attachment",
    "SpamDetected": "the recipient's server takes it for spam",
    "RecipientServerError": "the recipient's server has a fault",
    "TransientCommunicationFailure": "the connection to the recipient's server failed",
    "IPFailure": "the recipient's server blocks the sending server",
    "Bad content": "SES found malware in it",
}
