"""GET /support: the page for support agents and its files. It contains no data; it gets what it shows from the support
API, with the agent's key."""

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Any

import keypost
from keypost.inputs import gateway

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FILES = {path.name: path for path in (Path(keypost.__file__).parent / "support_page").iterdir()}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",  # kept, and asked for again each time: its files always fit each other
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    request = gateway.read_request(event)
    path = _FILES.get(request.parameters.get("file", "page.html"))
    if path is None:
        return gateway.problem(HTTPStatus.NOT_FOUND, "the support page has no such file")
    content = path.read_text("utf-8")
    tag = f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag, "Content-Type": f"{_TYPES[path.suffix]}; charset=utf-8"}
    if tag in request.headers.get("if-none-match", ""):
        return {"statusCode": HTTPStatus.NOT_MODIFIED.value, "headers": headers, "body": ""}
    return {"statusCode": HTTPStatus.OK.value, "headers": headers, "body": content}
