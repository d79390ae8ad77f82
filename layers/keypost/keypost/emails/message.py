"""From the content of a mail to the bytes that SES gets: text and HTML of the same blocks, in one MIME message."""

import re
from datetime import datetime
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import cache, lru_cache
from typing import Any
from uuid import uuid4

from keypost.emails.blocks import Content
from keypost.emails.html import as_html
from keypost.emails.shop import Shop
from keypost.emails.text import as_text

_HEADERS_KEPT = 64


class _Headers(HeaderRegistry):
    """Most headers of a mail are those of the one before, and are read and folded once. The library makes a class for
    each of them, twice; here there is one for each name."""

    def __getitem__(self, name: str) -> Any:
        return _header_class(name)

    def __call__(self, name: str, value: Any) -> Any:
        return _header(name, value) if isinstance(value, str) else super().__call__(name, value)


_header_class = cache(HeaderRegistry().__getitem__)
_header = lru_cache(maxsize=_HEADERS_KEPT)(HeaderRegistry())


class _Policy(EmailPolicy):
    """Some mail programs read the header of the way out only if it stands in one line, and show a subject with a blank
    before it if its first line is empty; so these stand in one line, however long that is."""

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}" if name in _ON_ONE_LINE else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return _folded(self, name, value)


@lru_cache(maxsize=_HEADERS_KEPT)
def _folded(policy: _Policy, name: str, value: str) -> bytes:
    return policy.fold(name, value).encode("ascii", "surrogateescape")


class _Message(EmailMessage):
    def as_bytes(self, *_: Any, **__: Any) -> bytes:
        """What the library's own generator writes, which goes through each line of each part several times, and looks
        for the boundary in all of them."""
        head = b"".join(self.policy.fold_binary(name, value) for name, value in self.raw_items()) + _END
        if not self.is_multipart():
            return head + str(self.get_payload()).encode("ascii").replace(b"\n", _END)
        between = b"--" + str(self.get_boundary()).encode("ascii")
        parts = [between + _END + part.as_bytes() for part in self.iter_parts()]
        return head + _END.join([*parts, between + b"--" + _END])


_POLICY = _Policy(linesep=SMTP.linesep, header_factory=_Headers())
_END = SMTP.linesep.encode("ascii")
# Boundaries that no part holds, whatever its text is: all are quoted-printable or base64.
_ALTERNATIVES, _FILES = "=_alternatives", "=_files"
_ON_ONE_LINE = ("List-Unsubscribe", "Message-ID")
_LONGEST_NAME = 75  # Microsoft distrusts longer names, and names with these characters
_DISTRUSTED = re.compile(r'[@:,"<>\r\n]')


def build(content: Content, to: str | None, reference: str, shop: Shop, language: str, now: datetime) -> EmailMessage:
    """Build the message. The reference distinguishes two mails of one kind, so that a mail program does not hide the
    second one in the thread of the first."""
    message = _Message(policy=_POLICY)
    message["From"] = str(Address(_DISTRUSTED.sub(" ", shop.name)[:_LONGEST_NAME], addr_spec=shop.sender_address))
    message["To"] = to
    message["Reply-To"] = shop.support_address
    message["Subject"] = content.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{uuid4().hex}@{shop.sender_address.partition('@')[2]}>"  # SES sets this header itself
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message["X-Entity-Ref-ID"] = reference
    for name, value in content.headers.items():
        message[name] = value
    message.set_content(as_text(content, shop), cte="quoted-printable")
    message.make_alternative(_ALTERNATIVES)
    message.add_alternative(as_html(content, shop, language), subtype="html", cte="quoted-printable")
    if content.attachments:
        message.make_mixed(_FILES)
    for each in content.attachments:
        message.add_attachment(each.content, "text", each.subtype, filename=each.name, params=dict(each.params))
    message["Content-Language"] = language  # last, because setting the content removes headers that begin with Content-
    return message
