"""GET /support: the page for support agents and its files."""

from datetime import UTC, datetime
from typing import Any

from keypost import support_page, wiring
from keypost.inputs import gateway

wiring.warm()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return support_page.answer(gateway.read_request(event), lambda: wiring.sign_in(datetime.now(UTC)))
