"""Mollie's API as far as Keypost asks it, on loopback: payments are what a control route says they are."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

KEY = "test_keypostlocalkeypostlocalkeypost"


@dataclass
class FakeMollie:
    """`trouble` lets a test answer in its place: a status with headers and a body, or None to be itself."""

    url: str = ""
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    trouble: Callable[[], tuple[int, dict[str, str], bytes] | None] = lambda: None


@contextmanager
def fake_mollie() -> Iterator[FakeMollie]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.fake = FakeMollie()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """GET /v2/payments/{id}, with the key of this stack only."""
        fake = self.server.fake
        fake.asked.append(self.path)
        if answer := fake.trouble():
            return self._answer(*answer)
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._problem(HTTPStatus.UNAUTHORIZED, "Missing authentication, or failed to authenticate")
        payment_id = urlsplit(self.path).path.removeprefix("/v2/payments/")
        payment = fake.payments.get(payment_id)
        if payment is None:
            return self._problem(HTTPStatus.NOT_FOUND, f"No payment exists with token {payment_id}.")
        return self._answer(200, {}, json.dumps(payment).encode())

    def do_PUT(self) -> None:
        """The control route: PUT /control/payments/{id} with a payment as Mollie would give it."""
        payment_id = self.path.removeprefix("/control/payments/")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.fake.payments[payment_id] = json.loads(body)
        self._answer(204, {}, b"")

    def _problem(self, status: HTTPStatus, detail: str) -> None:
        body = {"status": status, "title": status.phrase, "detail": detail}
        self._answer(status, {}, json.dumps(body).encode())

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/hal+json",
            "Content-Length": str(len(body)),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """No log of requests."""
