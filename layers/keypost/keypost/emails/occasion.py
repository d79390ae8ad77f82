"""What a mail is written from, and the words for it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

from keypost.core.frozen import dataclass
from keypost.core.mail import Mail
from keypost.core.order import Order
from keypost.core.product import Product
from keypost.emails.blocks import Run, Runs, Strong, Text
from keypost.emails.shop import Shop
from keypost.words import FALLBACK, in_parts, mail_texts, reader

_LONGEST_SUBJECT = 60  # characters; a telephone shows some 40
_CUT = "…"


@dataclass(frozen=True, slots=True)
class Occasion:
    order: Order
    mail: Mail
    products: Mapping[str, Product]
    shop: Shop
    now: datetime
    way_out: str = ""  # of a reminder: the page on which its customer stops reminders
    language: str = FALLBACK  # in which the mail is written

    def say(self, code: str, /, **values: Any) -> Runs:
        """The words of a code. Of a pair, `count` says which; a value that is None or empty is not known."""
        return tuple(_joined(self._runs(code, values)))

    def text(self, code: str, /, **values: Any) -> str:
        """Words that stand where there is no emphasis and no link."""
        return "".join(run.text for run in self.say(code, **values))

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.shop.zone).date()

    @property
    def is_for_another(self) -> bool:
        """Whether the mail goes to another address than the customer's: its reader may be a stranger."""
        return self.mail.to is not None

    @property
    def nameless(self) -> "Occasion":
        return replace(self, order=replace(self.order, customer=replace(self.order.customer, name=None)))

    def subject(self, code: str, /, *names: str, count: int = 1) -> str:
        """A subject with the names of products, shortened to fit, and the order's number if there is room for it."""
        without = self.text(code, count=count, products=_CUT)
        subject = self.text(code, count=count, products=_shortened(", ".join(names), _LONGEST_SUBJECT - len(without)))
        whole = f"{subject} ({self.order.id})"
        return whole if len(whole) <= _LONGEST_SUBJECT else subject

    def _runs(self, code: str, values: Mapping[str, Any]) -> Iterator[Run]:
        known = {name: _plain(value) for name, value in values.items() if value is not None and value != ""}
        entry = mail_texts(self.language)[code]
        text = entry if isinstance(entry, str) else entry[known["count"] != 1]
        for part, is_marked in in_parts(text, known, reader(self.language, self.shop.zone)):
            yield part if isinstance(part, Run) else Strong(part) if is_marked else Text(part)


def _plain(value: Any) -> Any:
    """The value as sentences take it. White space within a text is one blank, so that it begins no paragraph."""
    match value:
        case date():
            return value.isoformat()
        case str():
            return " ".join(value.split())
    return value


def _joined(runs: Iterator[Run]) -> Iterator[Run]:
    for kind, several in groupby(runs, key=type):
        if kind in (Text, Strong):
            text = "".join(run.text for run in several)
            yield from [kind(text)] if text else []
        else:
            yield from several


def _shortened(text: str, room: int) -> str:
    """The text in as many characters, shortened behind a word if there is one."""
    text = " ".join(text.split())
    if len(text) <= room:
        return text
    words = text[: room - len(_CUT) + 1].rpartition(" ")[0].rstrip(" ,;:-")
    return (words or text[: room - len(_CUT)]) + _CUT
