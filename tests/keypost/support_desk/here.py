"""The support page and its API behind one small server in this process, as API Gateway puts them together: a page in a
browser then needs no deployed function, and a test of it no cold start."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import support_api
import support_auth
import support_page
from keypost.api.app import ROUTES
from tests.functions.support_calls import Context

_STAGE = "/v1"
_ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/v1/GET/"
_PATTERNS = [
    (method, resource, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", resource))) for method, resource in ROUTES
]
_ONE_AT_A_TIME = threading.Lock()  # the emulated table is of one thread


def answered(method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    """What API Gateway answers to a call, with what the functions say."""
    parts = urlsplit(url)
    path, query = parts.path.removeprefix(_STAGE), dict(parse_qsl(parts.query, keep_blank_values=True))
    is_file = headers.get("Content-Type", "").startswith("text/csv")
    event: dict[str, Any] = {
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "body": (base64.b64encode(body) if is_file else body).decode() or None,
        "isBase64Encoded": is_file,
        "requestContext": {"stage": "v1", "requestId": "request-1", "identity": {"sourceIp": "127.0.0.1"}},
    }
    if path == "/support" or path.startswith("/support/"):
        file = path.removeprefix("/support").strip("/")
        return _plain(support_page.handler(event | {"pathParameters": {"file": file} if file else None}, None))
    found = ((resource, pattern.fullmatch(path)) for verb, resource, pattern in _PATTERNS if verb == method)
    resource, match = next(((resource, match) for resource, match in found if match), (None, None))
    if resource is None or match is None:
        return (
            404,
            {"Content-Type": "application/json"},
            b'{"code": "no_such_route", "detail": "There is no such path."}',
        )
    try:
        asked = {"authorizationToken": headers.get("Authorization", ""), "methodArn": _ARN}
        verdict = support_auth.handler(asked, Context())
    except Exception:  # noqa: BLE001 - the authorizer's word for a 401, which is of no class of its own
        return 401, {"Content-Type": "application/problem+json"}, b'{"code": "key_refused", "status": 401}'
    event["requestContext"]["authorizer"] = {"principalId": verdict["principalId"], **verdict["context"]}
    parameters = {name: unquote(value) for name, value in match.groupdict().items()}
    return _plain(
        support_api.handler(
            event | {"resource": resource, "path": path, "pathParameters": parameters or None}, Context()
        )
    )


def _plain(answer: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    headers = dict(answer.get("headers") or {})
    headers |= {name: ", ".join(values) for name, values in (answer.get("multiValueHeaders") or {}).items()}
    body = answer["body"]
    return answer["statusCode"], headers, body.encode() if isinstance(body, str) else json.dumps(body).encode()


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        with _ONE_AT_A_TIME:
            status, headers, content = answered(self.command, self.path, dict(self.headers.items()), body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def page_here() -> Iterator[str]:
    """The address of the API, as an output of the stack says it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{_STAGE}"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
