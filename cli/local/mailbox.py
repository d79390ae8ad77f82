"""Every mail that leaves, as its reader sees it. The functions here call this server instead of SES: it keeps the
very bytes they send and passes the call on to the emulator. The same server shows the mailbox page."""

import base64
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
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

from jinja2 import Environment, PackageLoader

_SEND_EMAIL = "/v2/email/outbound-emails"
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'"
# A mail may style itself and show pictures of its own, nothing else; links open outside.
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups"


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
    """The mails so far. `before_send` and `after_send` let a test refuse a call, or lose its answer, by raising
    SesFault: before, SES has not taken the mail; after, it has."""

    url: str = ""
    emulator_url: str = ""
    mails: list[SentMail] = field(default_factory=list)
    before_send: Callable[[], None] = lambda: None
    after_send: Callable[[], None] = lambda: None
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, wanted: Callable[[list[SentMail]], bool], seconds: float) -> bool:
        """Whether the mails become as wanted in time."""
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
    """What a caller of SES gets instead of its answer: a status with an error code, or with no status nothing."""

    def __init__(self, status: int | None = None, code: str = "") -> None:
        super().__init__(code)
        self.status, self.code = status, code


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Serve while the context lasts. Set `emulator_url` before the first mail is sent."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.box.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        box = self.server.box
        number, _, part = self.path.removeprefix("/mails/").partition("/")
        mail = next((mail for mail in box.mails if str(mail.number) == number), None)
        if self.path == "/" or (mail and part == ""):
            page = _pages().get_template("mailbox.html").render(mails=box.mails[::-1], mail=mail)
            self._answer(200, page.encode(), "text/html; charset=utf-8", _PAGE_POLICY)
        elif self.path == "/mails.json":
            self._answer(200, _listing(box), "application/json")
        elif mail and part == "html":
            self._answer(200, mail.html.encode(), "text/html; charset=utf-8", _MAIL_POLICY)
        elif mail and part == "text":
            self._answer(200, mail.text.encode(), "text/plain; charset=utf-8")
        elif mail and part == "eml":
            self._answer(200, mail.raw, "message/rfc822")
        else:
            self._answer(404, b"There is no such mail (any more).\n", "text/plain")

    def do_POST(self) -> None:
        """A call of SES."""
        box = self.server.box
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            box.before_send()
            status, answer = self._pass_on(body)
            if status == HTTPStatus.OK and self.path == _SEND_EMAIL:
                box.keep(json.loads(body), json.loads(answer)["MessageId"])
            box.after_send()
        except SesFault as fault:
            self.close_connection = True
            if fault.status is not None:
                self._answer(fault.status, b"{}", "application/json", error=fault.code)
            return
        self._answer(status, answer, "application/json")

    def _pass_on(self, body: bytes) -> tuple[int, bytes]:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in {"host", "connection"}}
        request = urllib.request.Request(self.server.box.emulator_url + self.path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def _answer(
        self, status: int, body: bytes, content_type: str, policy: str = "default-src 'none'", *, error: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """No log of requests: what matters is on the page."""


@cache
def _pages() -> Environment:
    return Environment(loader=PackageLoader("cli.local"), autoescape=True, trim_blocks=True, lstrip_blocks=True)


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
