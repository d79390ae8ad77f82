"""The local mailbox. The functions call this server instead of SES: it keeps the bytes of each mail and passes the call
on to the emulator. The same server has the pages of this machine: the mailbox with the made-up shop, and the
gallery."""

import base64
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from jinja2 import Environment, PackageLoader

from cli.local.gallery import VIEWS, beside, inbox_line, titles
from cli.local.own_hosts import OwnHosts
from cli.local.samples import NAMES, NOW, SHOP, sample_mail
from cli.local.ses_events import FATES, SUPPRESSED, ses_event
from cli.local.shop import TELL, NoSuchOrder, Shop, act
from keypost import words
from keypost.core.errors import InvalidInput

_SEND_EMAIL = "/v2/email/outbound-emails"
_ACCOUNT = "/v2/email/account"
_SUPPRESSED = "/v2/email/suppression/addresses/"
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
# A mail may use its own styles and show pictures, nothing else; its links open in a new window.
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; sandbox allow-popups"


@dataclass(frozen=True, slots=True)
class SentMail:
    number: int
    at: datetime
    message_id: str
    to: tuple[str, ...]
    tags: dict[str, str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.raw, policy=default)
        assert isinstance(message, EmailMessage)  # noqa: S101 - by the policy
        return message

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, subtype: str) -> str:
        body = self.message.get_body((subtype,))
        return str(body.get_content()) if body else ""


@dataclass
class Mailbox:
    """The mails that were sent. A test can raise SesFault in `before_send` to let SES refuse a call, or in `after_send`
    to lose the answer after SES has accepted the mail."""

    url: str = ""
    pass_on: Callable[[str, bytes, Mapping[str, str]], tuple[int, bytes]] = lambda *_: (503, b"{}")  # once AWS is there
    mails: list[SentMail] = field(default_factory=list)
    before_send: Callable[[], None] = lambda: None
    after_send: Callable[[], None] = lambda: None
    arrived: threading.Condition = field(default_factory=threading.Condition)
    account: dict[str, Any] = field(default_factory=lambda: {"SendQuota": {"MaxSendRate": 1000.0}})
    suppressed: dict[str, str] = field(default_factory=dict)  # address: BOUNCE or COMPLAINT; the emulator has none
    shop: Shop | None = None  # set once the stack is up
    tell: Callable[[str], None] | None = None  # sends an event of SES; set once the stack is up

    def tell_fate(self, mail: SentMail, fate: str) -> None:
        """Send the event of SES that reports this fate of a mail; a bounce also suppresses the address.

        InvalidInput if there is no such fate or no stack is up."""
        if self.tell is None:
            raise InvalidInput("no stack is running that could receive the event")
        if fate not in FATES:
            raise InvalidInput(f"the fate of a mail is one of: {', '.join(FATES)}")
        if fate in SUPPRESSED:
            self.suppressed[mail.to[0]] = SUPPRESSED[fate]
        self.tell(json.dumps(ses_event(mail, fate)))

    def wait_for(self, wanted: Callable[[list[SentMail]], bool], seconds: float) -> bool:
        """Wait until the mails are as `wanted`; False if they are not within `seconds`."""
        with self.arrived:
            return self.arrived.wait_for(lambda: wanted(self.mails), seconds)

    def keep(self, request: dict[str, Any], message_id: str) -> None:
        content = request["Content"]["Raw"]["Data"]
        tags = {tag["Name"]: tag["Value"] for tag in request.get("EmailTags", [])}
        to = tuple(request["Destination"]["ToAddresses"])
        with self.arrived:
            number = len(self.mails) + 1
            at = datetime.now(UTC)
            self.mails.append(SentMail(number, at, message_id, to, tags, base64.b64decode(content)))
            self.arrived.notify_all()


class SesFault(Exception):
    """The answer that a caller of SES gets instead of the real one: a status with an error code, or none at all."""

    def __init__(self, status: int | None = None, code: str = "") -> None:
        super().__init__(code)
        self.status, self.code = status, code


def over_http(emulator_url: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """What the emulator at this URL answers to a call of SES: status and body."""
    kept = {name: value for name, value in headers.items() if name.lower() not in {"host", "connection"}}
    request = urllib.request.Request(emulator_url + path, body, kept)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run the mailbox server while the context lasts. Set `pass_on` before the first mail is sent."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.box.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.box
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.box = Mailbox()


class _Handler(OwnHosts, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        box = self.server.box
        url = urlsplit(self.path)
        mail, part = _mail_at(box, url.path)
        if mail:
            self._show_mail(mail, part, url.path)
        elif url.path == "/":
            self._show("mailbox.html")
        elif language := _gallery_in(url.path):
            self._show("gallery.html", language=language, rows=_rows(language))
        elif url.path == "/list":
            self._show("list.html", mails=box.mails[::-1], current=dict(parse_qsl(url.query)).get("mail"))
        elif url.path == "/mails.json":
            self._answer(200, _listing(box), "application/json")
        elif url.path == _ACCOUNT:
            self._answer(200, json.dumps(box.account).encode(), "application/json")
        elif url.path.startswith(_SUPPRESSED):
            self._tell_suppressed(unquote(url.path.removeprefix(_SUPPRESSED)))
        else:
            self._not_found()

    def _show_mail(self, mail: SentMail, part: str, path: str) -> None:
        """Answer with a mail in one of its forms, or with a page about it; one of the gallery has only the page of its
        forms."""
        if part == "" and mail.number:
            self._show("mailbox.html", mail=mail)
        elif part == ("forms" if mail.number else ""):
            self._show("forms.html", mail=mail, line=inbox_line(mail.message, mail.html), **_about(mail, path))
        elif part == "html" or part in VIEWS:
            html = VIEWS[part].made(mail.html) if part in VIEWS else mail.html
            self._answer(200, html.encode(), "text/html; charset=utf-8", _MAIL_POLICY)
        elif part == "text":
            self._answer(200, mail.text.encode(), "text/plain; charset=utf-8")
        elif part == "eml":
            self._answer(200, mail.raw, "message/rfc822")
        else:
            self._not_found()

    def _not_found(self) -> None:
        self._answer(404, b"There is no such mail.\n", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/shop/"):
            self._sell(body)
        elif self.path.startswith("/mails/"):
            self._tell_fate(body)
        else:
            self._send(body)

    def do_DELETE(self) -> None:
        address = unquote(self.path.removeprefix(_SUPPRESSED))
        if self._tell_suppressed(address):
            del self.server.box.suppressed[address]

    def _tell_suppressed(self, address: str) -> bool:
        """Answer a call of SES about one address, as SES answers it; returns whether the address is suppressed."""
        reason = self.server.box.suppressed.get(address)
        if reason is None:
            self._answer(404, b"{}", "application/json", **{"x-amzn-ErrorType": "NotFoundException"})
            return False
        about = {"EmailAddress": address, "Reason": reason, "LastUpdateTime": 0}
        self._answer(200, json.dumps({"SuppressedDestination": about}).encode(), "application/json")
        return True

    def _tell_fate(self, body: bytes) -> None:
        """Handle the buttons with which a visitor decides what became of a mail."""
        box = self.server.box
        mail = next((mail for mail in box.mails if self.path == f"/mails/{mail.number}/fate"), None)
        if mail is None or not self._is_from_here():
            return self._answer(403, b"Only the page of a mail may decide what became of it.\n", "text/plain")
        try:
            box.tell_fate(mail, _fields(body, is_form=True).get("fate", ""))
        except InvalidInput as error:
            return self._answer(HTTPStatus.BAD_REQUEST, f"Not done: {error}.\n".encode(), "text/plain")
        return self._answer(303, b"", "text/plain", Location=f"/mails/{mail.number}")

    def _sell(self, body: bytes) -> None:
        """Handle a call of the made-up shop. A form is answered with the page, JSON with JSON."""
        box = self.server.box
        if box.shop is None or not self._is_from_here():
            return self._answer(403, b"Only its page and programs on this machine may use the shop.\n", "text/plain")
        is_form = self.headers.get_content_type() == "application/x-www-form-urlencoded"
        given: dict[str, Any] = {}
        try:
            given = _fields(body, is_form=is_form)
            (answered, said), sale = act(box.shop, self.path.removeprefix("/shop/"), given)
        except (InvalidInput, NoSuchOrder) as error:
            status = HTTPStatus.BAD_REQUEST if isinstance(error, InvalidInput) else HTTPStatus.NOT_FOUND
            if is_form:
                return self._show("mailbox.html", status, fault=str(error), given=given)
            return self._answer(status, json.dumps({"detail": str(error)}).encode(), "application/json")
        if is_form:
            return self._answer(303, b"", "text/plain", Location="/#shop")
        told = {"answered": answered, "said": said, "order_id": sale.order_id, "state": sale.state}
        return self._answer(200, json.dumps(told).encode(), "application/json")

    def _is_from_here(self) -> bool:
        """False for requests of another site's page, also of one whose host name points to this machine."""
        port = self.server.server_address[1]
        origins = {None, f"http://127.0.0.1:{port}", f"http://localhost:{port}"}
        sites = {None, "same-origin", "none"}
        return self.headers.get("Origin") in origins and self.headers.get("Sec-Fetch-Site") in sites

    def _send(self, body: bytes) -> None:
        """Handle a call of SES: pass it on to the emulator, and keep the mail."""
        box = self.server.box
        try:
            box.before_send()
            status, answer = box.pass_on(self.path, body, dict(self.headers))
            if status == HTTPStatus.OK and self.path == _SEND_EMAIL:
                box.keep(json.loads(body), json.loads(answer)["MessageId"])
            box.after_send()
        except SesFault as fault:
            self.close_connection = True
            if fault.status is not None:
                # A client that does not know that may send its next call into the closed connection.
                headers = {"x-amzn-ErrorType": fault.code, "Connection": "close"}
                self._answer(fault.status, b"{}", "application/json", **headers)
            return
        self._answer(status, answer, "application/json")

    def _show(self, template: str, status: int = 200, **shown: Any) -> None:
        box = self.server.box
        fates = tuple(FATES) if box.tell else ()
        common: dict[str, Any] = {
            "shop": box.shop,
            "sellers": TELL,
            "fates": fates,
            "given": {},
        }
        common |= {"pages": _pages_of(box), "views": VIEWS.values(), "zone": SHOP.zone}
        common["mail_languages"] = {language: table.NAME for language, table in words.TABLES.items()}
        page = _templates().get_template(template).render(common | shown)
        self._answer(status, page.encode(), "text/html; charset=utf-8", _PAGE_POLICY)

    def _answer(
        self, status: int, body: bytes, content_type: str, policy: str = "default-src 'none'", **headers: str
    ) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no log of requests: the page shows what matters."""


def _mail_at(box: Mailbox, path: str) -> tuple[SentMail | None, str]:
    """The mail that a path names, sent or of the gallery, and which part of it."""
    match path.strip("/").split("/"):
        case ["mails", number, *part]:
            return next((mail for mail in box.mails if str(mail.number) == number), None), "/".join(part)
        case ["gallery", language, name, *part] if name in NAMES and language in words.LANGUAGES:
            return sample(name, language), "/".join(part)
    return None, ""


def _gallery_in(path: str) -> str | None:
    """The language in which a path asks for the gallery; None if it asks for something else."""
    match path.strip("/").split("/"):
        case ["gallery"]:
            return words.LANGUAGES[0]
        case ["gallery", language] if language in words.LANGUAGES:
            return language
    return None


def _rows(language: str) -> list[dict[str, Any]]:
    """Each kind of mail of the gallery: its name, what it is, and its line in an inbox."""
    found = []
    for name, title in titles(language).items():
        mail = sample(name, language)
        found.append({"name": name, "title": title, "line": inbox_line(mail.message, mail.html)})
    return found


def _about(mail: SentMail, path: str) -> dict[str, Any]:
    """What stands on the page of a mail's forms, besides the mail."""
    if mail.number:
        return {"place": f"/mails/{mail.number}", "title": mail.subject}
    _, _, language, name, *_ = path.split("/")
    before, after = beside(name)
    known = titles(language)
    place = f"/gallery/{language}/{name}"
    return {"place": place, "title": known[name], "titles": known, "language": language, "name": name} | {
        "before": before,
        "after": after,
    }


def _pages_of(box: Mailbox) -> list[tuple[str, str]]:
    """The pages of this machine with their addresses: those of the mailbox, and those of the deployed stack."""
    found = [("Mailbox", "/"), ("Gallery", "/gallery")]
    if box.shop:
        found.append(("Shop", "/#shop"))
        found += [(name, url) for name, url in box.shop.pages.items() if url]
    return found


def sample(name: str, language: str) -> SentMail:
    """A mail of the gallery, as if it had been sent."""
    message = sample_mail(name, language)
    return SentMail(0, NOW, "", (str(message["To"]),), {}, message.as_bytes())


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("cli.local"), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def _fields(body: bytes, *, is_form: bool) -> dict[str, Any]:
    try:
        given = dict(parse_qsl(body.decode(), strict_parsing=bool(body))) if is_form else json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise InvalidInput("the body is neither a form nor a JSON object: send one of them, with its Content-Type")
    return given


def _listing(box: Mailbox) -> bytes:
    rows = [
        {
            "number": mail.number,
            "at": mail.at.isoformat(),
            "to": mail.to,
            "subject": mail.subject,
            "text": mail.text,
            "html": f"{box.url}/mails/{mail.number}/html",
            "eml": f"{box.url}/mails/{mail.number}/eml",
            "tags": mail.tags,
        }
        for mail in box.mails
    ]
    return json.dumps(rows, indent=1).encode()
