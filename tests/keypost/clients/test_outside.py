"""Calls of addresses that the operator chose."""

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keypost.clients.outside import Outside, addresses_of, is_public
from keypost.core.errors import AddressRefused


@dataclass
class Program:
    """A program of the shop on https://shop.example, as a name server leads to it."""

    certificate: Path
    port: int = 0
    answer: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    took: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://shop.example:{self.port}/events?of=keypost"

    def outside(self, *, host: str = "shop.example") -> Outside:
        def resolve(name: str) -> list[str]:
            assert name == host
            return ["127.0.0.1"]

        context = ssl.create_default_context(cafile=str(self.certificate))
        return Outside(resolve, lambda address: address == "127.0.0.1", context)


def certificate_of(host: str, folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{host}.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_of("shop.example", tmp_path_factory.mktemp("shop"))


@pytest.fixture
def program(certificate: Path) -> Iterator[Program]:
    program = Program(certificate)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            program.took.append((self.command, self.path, dict(self.headers), body))
            self.send_response(program.answer)
            for name, value in program.headers.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the name that the server calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    program.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield program
    server.shutdown()
    server.server_close()


def test_a_program_is_called_under_its_name_at_the_address_that_was_checked(program: Program) -> None:
    assert program.outside().call("POST", program.url, b"{}", {"webhook-id": "evt_1"}) == 200

    ((method, path, headers, body),) = program.took
    assert (method, path, body) == ("POST", "/events?of=keypost", b"{}")
    assert headers["Host"] == f"shop.example:{program.port}"
    assert headers["webhook-id"] == "evt_1"


@pytest.mark.parametrize("answer", [200, 204, 400, 410, 500, 503])
def test_the_status_is_what_the_program_answered(program: Program, answer: int) -> None:
    program.answer = answer

    assert program.outside().call("POST", program.url, b"{}") == answer


def test_nobody_is_followed_elsewhere(program: Program) -> None:
    program.answer, program.headers = 307, {"Location": program.url}

    assert program.outside().call("POST", program.url, b"{}") == 307
    assert len(program.took) == 1


def test_a_program_whose_certificate_has_another_name_gets_nothing(program: Program) -> None:
    url = program.url.replace("shop.example", "other.example")

    assert program.outside(host="other.example").call("POST", url, b"{}") is None
    assert program.took == []


def test_a_program_whose_certificate_nobody_vouches_for_gets_nothing(program: Program) -> None:
    outside = Outside(lambda _: ["127.0.0.1"], lambda _: True)

    assert outside.call("POST", program.url, b"{}") is None
    assert program.took == []


def test_a_program_that_is_not_there_does_not_answer(program: Program) -> None:
    assert program.outside().call("POST", "https://shop.example:1/", b"{}") is None


def test_a_host_that_no_name_server_knows_does_not_answer() -> None:
    def resolve(_: str) -> list[str]:
        raise OSError

    assert Outside(resolve).call("POST", "https://shop.example/", b"{}") is None


PRIVATE = (
    *("127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.170.2"),
    *("100.64.0.1", "0.1.2.3", "255.255.255.255", "224.0.0.1", "192.0.2.1"),
)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_is_called_that_only_this_machine_or_network_reaches(address: str) -> None:
    assert not is_public(address)
    for found in ([address], ["93.184.216.34", address]):
        with pytest.raises(AddressRefused):
            Outside(lambda _, found=found: found).call("POST", "https://shop.example/", b"{}")  # type: ignore[misc]


def test_an_address_that_everybody_reaches_may_be_called() -> None:
    assert is_public("93.184.216.34")


@pytest.mark.parametrize(
    "url",
    [
        *("http://shop.example/", "ftp://shop.example/", "https:///", "https://anna:secret@shop.example/"),
        *("shop.example", "https://[/", "https://shop.example:x/"),
    ],
)
def test_only_a_whole_address_with_https_and_without_a_password_is_called(url: str) -> None:
    with pytest.raises(AddressRefused):
        Outside(lambda _: ["93.184.216.34"]).call("POST", url, b"{}")


@pytest.mark.parametrize("here", [True, False])
def test_only_the_system_on_one_machine_calls_a_program_there(program: Program, here: bool) -> None:
    call = Outside(here=here).call

    if here:
        assert call("GET", "http://127.0.0.1:1/") is None  # it was called, and nobody was there
        with pytest.raises(AddressRefused):
            call("GET", "https://127.0.0.1:1/")
    else:
        with pytest.raises(AddressRefused):
            call("GET", "http://127.0.0.1:1/")


def test_an_address_in_figures_is_found_as_it_is() -> None:
    assert {*addresses_of("127.0.0.1")} == {"127.0.0.1"}
    assert {*addresses_of("2130706433")} == {"127.0.0.1"}  # one of the ways to write it
