"""An AWS that gives the recorded answers, in the order in which they were recorded, to whoever makes the calls anew
over HTTP."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Strayed(Exception):
    """Another call was made than the recorded one: what was measured is not what was recorded."""


_END: Mapping[str, Any] = {"operation": "nothing"}
_REFUSED: Mapping[str, Any] = {"status": 400, "headers": {}, "body": "{}"}


class _Stub(ThreadingHTTPServer):
    daemon_threads = True  # one per service that is called; the calls come one after the other

    def __init__(self, calls: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls = calls
        self.answered = 0
        self.strayed: list[str] = []

    def next(self, target: str) -> Any:
        """The answer to the next call. After a call that was not recorded, the program gets no other answer."""
        call = self.calls[self.answered] if self.answered < len(self.calls) else _END
        self.answered += 1
        if call["operation"] != target:
            self.strayed.append(f"call {self.answered} is {target}, and was {call['operation']}")
        return _REFUSED if self.strayed else call["answer"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Stub

    def do_POST(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        target = self.headers.get("x-amz-target", "").rpartition(".")[2]
        answer = self.server.next(target or _OF_SES[self.command, self.path])
        body = answer["body"].encode()
        head = [f"HTTP/1.1 {answer['status']} OK", f"content-length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in answer["headers"].items() if name != "content-length"]
        self.wfile.write("\r\n".join([*head, "", ""]).encode() + body)  # at once: it is read at once

    def log_message(self, *_: Any) -> None:
        """A line per request would say nothing."""


_OF_SES = {
    ("POST", "/v2/email/outbound-emails"): "SendEmail",
    ("GET", "/v2/email/account"): "GetAccount",
}


@contextmanager
def stub(calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Its URL. Strayed if other calls were made, or fewer."""
    with _Stub(calls) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)  # seconds until it notices its end
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
            if server.strayed or server.answered != len(calls):
                raise Strayed(f"{server.answered} of {len(calls)} calls; {server.strayed[:1]}")
        finally:
            server.shutdown()
            thread.join()
