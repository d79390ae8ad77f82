"""German: how days, amounts and what SES says are written, and all that people read, in the files beside this one."""

from keypost.words.de.mails import MAILS
from keypost.words.de.sentences import TEXTS

# fmt: off
__all__ = ["AMOUNT", "AMOUNT_BY_CODE", "AT", "DAY", "DECIMAL", "LOCALE", "MAILS",
           "MONTHS", "NAME", "SES", "TEXTS", "THOUSANDS"]
# fmt: on

NAME = "Deutsch"
LOCALE = "de-DE"  # for browsers, which write days and numbers in it
DAY, AT = "{day}. {month} {year}", "um"
DECIMAL, THOUSANDS, AMOUNT = ",", ".", "{number}\N{NO-BREAK SPACE}{symbol}"
AMOUNT_BY_CODE = "{number}\N{NO-BREAK SPACE}{code}"
# fmt: off
MONTHS = ("Januar", "Februar", "März", "April", "Mai", "Juni",
          "Juli", "August", "September", "Oktober", "November", "Dezember")
# fmt: on

# What SES says besides, by a word of it: why a mail came back, is delayed or was rejected.
SES = {
    "NoEmail": "die Adresse gibt es nicht",
    "Suppressed": "SES sperrt die Adresse",
    "OnAccountSuppressionList": "SES sperrt die Adresse",
    "MailboxFull": "das Postfach ist voll",
    "MessageTooLarge": "die E-Mail ist zu groß für den Empfänger",
    "ContentRejected": "der Server des Empfängers lehnt den Inhalt ab",
    "AttachmentRejected": "der Server des Empfängers lehnt den Anhang ab",
    "SpamDetected": "der Server des Empfängers hält sie für Spam",
    "RecipientServerError": "der Server des Empfängers ist gestört",
    "TransientCommunicationFailure": "die Verbindung zum Server des Empfängers brach ab",
    "IPFailure": "der Server des Empfängers sperrt den sendenden Server",
    "Bad content": "SES fand Schadsoftware darin",
}
