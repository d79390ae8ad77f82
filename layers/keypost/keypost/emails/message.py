"""From a mail of an order to the bytes that SES gets: text and HTML from one context, in one MIME message."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, make_msgid
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from keypost.core.colors import colors_of
from keypost.emails.code_list import code_list
from keypost.emails.ics import Event, calendar
from keypost.words import FALLBACK, day


class _Policy(EmailPolicy):
    """Some mail programs read the header of the way out only if it stands in one line, however long that is."""

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}" if name == "List-Unsubscribe" else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _Policy(linesep=SMTP.linesep)
_LONGEST_NAME = 75  # Microsoft distrusts longer names, and names with these characters
_DISTRUSTED = re.compile(r'[@:,"<>\r\n]')


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop, as it stands in every mail."""

    name: str
    address: str
    sender_address: str
    support_address: str
    zone: tzinfo
    kvk_number: str = ""  # of the Dutch chamber of commerce
    phone: str = ""
    logo_url: str = ""
    color: str = "#0b6e5b"
    public_url: str = ""  # where Keypost's own pages are; empty if that is not known

    @property
    def details(self) -> str:
        """The line at the foot of a mail."""
        return f"{self.address} · KvK {self.kvk_number}" if self.kvk_number else self.address


def build(
    kind: str, to: str | None, reference: str, shop: Shop, context: dict[str, Any], now: datetime
) -> EmailMessage:
    """Build the message. The subject stands in the text template, so that a language is one folder. The reference
    distinguishes two mails of one kind, so that a mail program does not hide the second one in the thread of the
    first."""
    language = context["language"]
    context = context | {"shop": shop, "colors": colors_of(shop.color)}
    text = _template(language, f"{kind}.txt").make_module(context)
    subject = " ".join(str(text.subject).split())  # type: ignore[attr-defined]  # set in the template
    html = _template(language, f"{kind}.html").render(context, subject=subject)

    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(_DISTRUSTED.sub(" ", shop.name)[:_LONGEST_NAME], addr_spec=shop.sender_address)
    message["To"] = to
    message["Reply-To"] = shop.support_address
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(kind, shop.sender_address.partition("@")[2])  # SES sets this header itself
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message["X-Entity-Ref-ID"] = reference
    if way_out := context.get("way_out"):
        message["List-Unsubscribe"] = f"<{way_out}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message.set_content(str(text).strip() + "\n", cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    if hasattr(text, "event"):
        _attach_calendar(message, context, text, now)
    if context.get("has_list"):
        _attach_codes(message, context, text)
    message["Content-Language"] = language  # last, because setting the content removes headers that begin with Content-
    return message


def _attach_calendar(message: EmailMessage, context: dict[str, Any], text: Any, now: datetime) -> None:
    """Attach the first day of each group as a calendar file. Its words stand in the text template, as the subject
    does."""
    shop, order_id = context["shop"], context["order"].id
    domain = shop.sender_address.partition("@")[2]
    events = [
        Event(f"{order_id}-{group['line']}@{domain}", group["first_day"], text.event(group))
        for group in context["groups"]
    ]
    ics = calendar(events, shop.support_address, now).encode()
    kind = {"method": "PUBLISH", "charset": "utf-8"}
    message.add_attachment(ics, "text", "calendar", filename=text.file_name, params=kind)


def _attach_codes(message: EmailMessage, context: dict[str, Any], text: Any) -> None:
    """Attach the codes as a CSV file. Its words stand in the text template, and so does the separator that Excel
    expects in that language."""
    words = text.code_list
    table = code_list(context["groups"], words["columns"], words["separator"])
    name = f"{words['name']}-{context['order'].id}.csv"
    message.add_attachment(table, "text", "csv", filename=name, params={"charset": "utf-8"})


def written(language: str, kind: str) -> str:
    """The language in which a kind of mail is written for this one: all of it in the fallback where its words lack."""
    return language if f"{language}/{kind}.txt" in _environment().list_templates() else FALLBACK


def _template(language: str, name: str) -> Template:
    """The template of the language, or the one that serves all languages."""
    return _environment().select_template([f"{language}/{name}", name])


@cache
def _environment() -> Environment:
    """The template environment: text stays as it is, HTML is escaped, and a name that the context lacks is an error."""
    made = Environment(
        loader=PackageLoader("keypost.emails"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["day"] = day
    return made
