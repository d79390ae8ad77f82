"""The shop's own program that takes events: on loopback, as the fake shop has it. It verifies each call with the
official library of Standard Webhooks, and takes an event that comes twice once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

_ACCEPTED, _REFUSED = 204, 401


@dataclass
class EventTaker:
    url: str
    secret: str = ""
    answer: int = _ACCEPTED  # to a call that is genuine
    events: dict[str, dict[str, Any]] = field(default_factory=dict)  # by id, in the order in which they came
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)  # headers and body, also of those refused

    def take(self, headers: dict[str, str], body: bytes) -> int:
        self.calls.append((headers, body))
        try:
            event: dict[str, Any] = Webhook(self.secret).verify(body, headers)
        except (WebhookVerificationError, RuntimeError):
            return _REFUSED
        if self.answer == _ACCEPTED:
            self.events.setdefault(event["id"], event)
        return self.answer

    def told_of(self, order_id: str) -> list[dict[str, Any]]:
        """The events of an order, in the order in which they happened."""
        found = [event for event in [*self.events.values()] if event["data"].get("order_id") == order_id]
        return sorted(found, key=lambda event: event["sequence"])


@contextmanager
def event_taker() -> Iterator[EventTaker]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(taker.take(dict(self.headers), body))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taker = EventTaker(f"http://127.0.0.1:{server.server_port}/events")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield taker
    finally:
        server.shutdown()
        server.server_close()
