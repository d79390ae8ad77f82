"""The kinds of mail: for each purpose the function that writes it, and the languages that have all of its words. What
Keypost does with a kind, which needs no words, stands in `keypost.core.mail.KINDS`."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from keypost.core.mail import Purpose
from keypost.emails.blocks import Content
from keypost.emails.notices import address_changed, license_moved, sent_elsewhere
from keypost.emails.occasion import Occasion
from keypost.emails.paid_ahead import paid_ahead
from keypost.emails.purchase import purchase
from keypost.emails.refunded import refunded
from keypost.emails.reminder import reminder
from keypost.emails.renewal import renewal
from keypost.emails.replacement import replacement
from keypost.emails.resend import resend
from keypost.emails.waiting import waiting
from keypost.words import FALLBACK, mail_texts, spoken

WRITERS: Mapping[Purpose, Callable[[Occasion], Content]] = MappingProxyType(
    {
        Purpose.PURCHASE: purchase,
        Purpose.RENEWAL: renewal,
        Purpose.REPLACEMENT: replacement,
        Purpose.RESEND: resend,
        Purpose.REMINDER: reminder,
        Purpose.WAITING: waiting,
        Purpose.PAID_AHEAD: paid_ahead,
        Purpose.REFUNDED: refunded,
        Purpose.ADDRESS_CHANGED: address_changed,
        Purpose.SENT_ELSEWHERE: sent_elsewhere,
        Purpose.LICENSE_MOVED: license_moved,
    }
)


def lacking(language: str) -> list[Purpose]:
    """The kinds of mail that a language cannot write, for want of a text: they are written in the fallback."""
    return kinds_without(mail_texts(FALLBACK).keys() - mail_texts(language).keys())


def kinds_without(missing: Collection[str]) -> list[Purpose]:
    """The kinds of mail that cannot be written without these texts."""
    of_all = any(not _owners(code) for code in missing)
    return [purpose for purpose in Purpose if of_all or any(purpose in _owners(code) for code in missing)]


def _owners(code: str) -> list[Purpose]:
    """The kind whose own text it is; none if it stands in several kinds."""
    return [purpose for purpose in Purpose if code.startswith(f"{purpose}_")]


def language_of(purpose: Purpose, wanted: str) -> str:
    """The language in which a kind of mail is written to a customer who reads this one: never half in one and half in
    another."""
    language = spoken(wanted)
    return FALLBACK if purpose in lacking(language) else language
