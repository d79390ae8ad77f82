"""Dutch: how days, amounts and what SES says are written, and all that people read, in the files beside this one."""

from keypost.words.nl.mails import MAILS
from keypost.words.nl.sentences import TEXTS

# fmt: off
__all__ = ["AMOUNT", "AMOUNT_BY_CODE", "AT", "DAY", "DECIMAL", "LOCALE", "MAILS",
           "MONTHS", "NAME", "SES", "TEXTS", "THOUSANDS"]
# fmt: on

NAME = "Nederlands"
LOCALE = "nl-NL"  # for browsers, which write days and numbers in it
DAY, AT = "{day} {month} {year}", "om"
DECIMAL, THOUSANDS, AMOUNT = ",", ".", "{symbol}\N{NO-BREAK SPACE}{number}"
AMOUNT_BY_CODE = "{code}\N{NO-BREAK SPACE}{number}"
# fmt: off
MONTHS = ("januari", "februari", "maart", "april", "mei", "juni",
          "juli", "augustus", "september", "oktober", "november", "december")
# fmt: on

# What SES says besides, by a word of it: why a mail came back, is delayed or was rejected.
SES = {
    "NoEmail": "het adres bestaat niet",
    "Suppressed": "SES blokkeert het adres",
    "OnAccountSuppressionList": "SES blokkeert het adres",
    "MailboxFull": "de mailbox is vol",
    "MessageTooLarge": "de e-mail is te groot voor de ontvanger",
    "ContentRejected": "de server van de ontvanger weigert de inhoud",
    "AttachmentRejected": "de server van de ontvanger weigert de bijlage",
    "SpamDetected": "de server van de ontvanger ziet hem aan voor spam",
    "RecipientServerError": "de server van de ontvanger heeft een storing",
    "TransientCommunicationFailure": "de verbinding met de server van de ontvanger viel weg",
    "IPFailure": "de server van de ontvanger blokkeert de verzendende server",
    "Bad content": "SES vond er malware in",
}
