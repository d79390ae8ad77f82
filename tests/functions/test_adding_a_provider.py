"""The provider of docs/adding-a-provider.md, taken from the page as it stands: an entry, a record and a fake of its API
beside it, it is held to every rule of the kit."""

import io
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest
import time_machine

from cli.local.deploy import ROOT
from cli.local.stack import LocalStack
from cli.stacks import Stack
from keypost.config import Config
from keypost.core.payment import Standing
from keypost.providers import PROVIDERS, Provider
from tests.builders import NOW, SECRETS, SKU, printed
from tests.teller_kit import RULES, Door, Signed, Teller, Told

PAGE = (ROOT / "docs/adding-a-provider.md").read_text("utf-8")
WEBHOOK, KEY = "WH-OURS", "test_somepay"


@dataclass
class FakeSomepay:
    """Somepay's API: it knows which texts it sent, for which webhook, at which moment."""

    url: str = ""
    sent: dict[str, dict[str, str]] = field(default_factory=dict)  # by signature
    is_down: bool = False

    def sign(self, body: bytes, webhook: str, at: int) -> Signed:
        signature = f"sig-{len(self.sent)}"
        stamp = datetime.fromtimestamp(at, UTC).isoformat()
        self.sent[signature] = {"text": body.decode("latin-1"), "webhook": webhook, "time": stamp}
        names = {"Transmission-Id": "1", "Transmission-Time": stamp, "Transmission-Sig": signature}
        return Signed({f"Somepay-{name}": value for name, value in names.items()})

    def is_genuine(self, asked: bytes) -> bool:
        """PayPal verifies the text, and not what it means: so does this."""
        told = json.loads(asked)
        sent = self.sent.get(told["transmission_sig"], {})
        text = asked.partition(b'"webhook_event": ')[2].removesuffix(b"}").decode("latin-1")
        given = {"text": text, "webhook": told["webhook_id"], "time": told["transmission_time"]}
        return given == sent


class _Api(BaseHTTPRequestHandler):
    fake: FakeSomepay

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        status = 503 if self.fake.is_down else 200 if self.headers["Authorization"] == f"Bearer {KEY}" else 401
        found = "SUCCESS" if status == 200 and self.fake.is_genuine(asked) else "FAILURE"
        answer = json.dumps({"verification_status": found}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Write no log of requests."""


@pytest.fixture(scope="module")
def somepay() -> Iterator[FakeSomepay]:
    fake = FakeSomepay()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Api", (_Api,), {"fake": fake})) as server:
        fake.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield fake
        server.shutdown()
        thread.join()


def _told(kind: str, hour: int, **payment: Any) -> Told:
    plain = {
        "id": "PAY1",
        "live": False,
        "amount": "39.95",
        "currency": "EUR",
        "refunded": "0.00",
        "payer": {"name": "Anna Jansen", "email": "anna@klant.example"},
        "metadata": {"v": "1", "order_id": "2026-001238", "lang": "nl", "sku": SKU},
    }
    return Told({"type": kind, "created": f"2026-11-20T{hour:02}:14:03.25Z", "payment": plain | payment})


def _teller(fake: FakeSomepay) -> Teller:
    return Teller(
        sign=fake.sign,
        forged="WH-FORGED",
        order_id="2026-001238",
        payments=("PAY1",),
        open=_told("payment.pending", 9),
        paid=_told("payment.captured", 10),
        refunded=_told("payment.refunded", 11, refunded="39.95"),
        other_mode=_told("payment.captured", 10, live=True),
        unknown={"a type": _told("payment.settled", 10)},
    )


@pytest.fixture
def entered(somepay: FakeSomepay, wired: Stack, monkeypatch: pytest.MonkeyPatch) -> Teller:
    """The record of the page's provider. What the page says to write into the tables and the settings is there only
    while a test runs."""
    (code,) = re.findall(r"^```python somepay\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (entry,) = re.findall(r'`"somepay": (Provider\(.*?\))`', PAGE)
    module = ModuleType("keypost.providers.somepay")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, "docs/adding-a-provider.md", "exec"), vars(module))  # noqa: S102 - what the page says is tried
    monkeypatch.setitem(PROVIDERS, "somepay", eval(entry, {"Provider": Provider}))  # noqa: S307 - as above
    known = Config.api_urls.fget  # type: ignore[attr-defined]
    urls = {"somepay": (somepay.url, "https://api.somepay.example")}
    monkeypatch.setattr(Config, "api_urls", property(lambda config: known(config) | urls))
    for name, value in {"somepay_signing": WEBHOOK, "somepay_api_key": KEY}.items():
        monkeypatch.setitem(SECRETS, name, value)
        wired.secrets.set(name, value)
    somepay.is_down = False
    return _teller(somepay)


@pytest.fixture
def door(
    entered: Teller, wired: Stack, local: LocalStack, logged: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> Iterator[Door]:
    with time_machine.travel(NOW, tick=False):
        yield Door("somepay", entered, wired, local, logged, printed(capsys))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_provider_of_the_page_holds_every_rule(door: Door, rule: Callable[[Door], None]) -> None:
    rule(door)


def test_a_call_that_cannot_be_verified_now_is_asked_for_again(door: Door, somepay: FakeSomepay) -> None:
    somepay.is_down = True
    assert door.tell(door.teller.paid) == 503
    assert door.items == []

    somepay.is_down = False
    assert door.tell(door.teller.paid) == 200
    assert door.order().standing is Standing.PAID


def test_a_body_that_closes_the_object_it_is_put_into_never_reaches_the_provider(
    door: Door, somepay: FakeSomepay
) -> None:
    """Else a forger would choose what is verified, and for which webhook."""
    known = len(somepay.sent)

    assert door.send(b'{}, "webhook_id": "WH-FORGED", "webhook_event": {}', secret="WH-FORGED") == 400
    assert (door.items, len(somepay.sent)) == ([], known + 1)


def test_the_page_names_the_rest_of_what_is_needed() -> None:
    codes = set(re.findall(r'said\("(somepay_\w+)"', PAGE))

    assert codes
    assert [code for code in codes if f"here `{code}`" not in PAGE] == []
