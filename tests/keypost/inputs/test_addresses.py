import subprocess
import sys

import dns.resolver
import pytest
from dns.exception import DNSException
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as some

from keypost.inputs.addresses import email_address, likely_meant, takes_mail


@pytest.mark.parametrize(
    ("written", "usable"),
    [
        ("Facturen@Klant.Example", "Facturen@klant.example"),
        (" a+tag@klant.example ", "a+tag@klant.example"),
        ("\ufeffa@klant.example\u200b\u00a0\r\n", "a@klant.example"),
        ("jan@bücher.example", "jan@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_kept_as_ses_can_use_it(written: str, usable: str) -> None:
    assert email_address(written) == usable


@pytest.mark.parametrize(
    "written", ["", "a@b", "jän@klant.example", '"a b"@klant.example', "a@[127.0.0.1]", "a@b.c\nd"]
)
def test_an_address_that_ses_cannot_use_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not_an_address"):
        email_address(written)


NAMES = some.one_of(
    some.sampled_from(["jan", "Jan", "Info", "INFO", "info", "a" * 64]), some.text("aA1._+-'", max_size=9)
)
LABELS = some.one_of(
    some.sampled_from(["klant", "xn--4dbc", "ab--c", "a" * 63, "a" * 64]), some.text("aZ1-_", max_size=5)
)
ENDS = some.sampled_from(
    ["nl", "NL", "example", "test", "local", "localhost", "ARPA", "onion", "invalid", "n1", "1n", "x"]
)


def by_the_library(address: str) -> str | None:
    try:
        return validate_email(
            address, check_deliverability=False, allow_smtputf8=False, test_environment=True
        ).ascii_email
    except EmailNotValidError:
        return None


@given(name=NAMES, labels=some.lists(LABELS, max_size=4), end=ENDS)
@example("a" * 64, ["a" * 63, "a" * 63, "a" * 59], "nl")  # 255 characters
@example("a" * 64, ["a" * 63, "a" * 63, "a" * 58], "nl")
@example("INFO", ["klant"], "NL")
def test_an_address_is_what_the_library_makes_of_it(name: str, labels: list[str], end: str) -> None:
    address = f"{name}@{'.'.join([*labels, end])}"

    try:
        ours = email_address(address)
    except ValueError:
        ours = None
    assert ours == by_the_library(address)


def test_an_address_as_most_are_is_read_without_the_library() -> None:
    program = """
import sys
from keypost.inputs.addresses import email_address
assert email_address("Jan.Jansen+kp@Klant.example") == "Jan.Jansen+kp@klant.example"
assert "email_validator" not in sys.modules
assert email_address("jan@bücher.example") == "jan@xn--bcher-kva.example"
assert "email_validator" in sys.modules
"""

    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("jan@gmial.com", "jan@gmail.com"),
        ("jan@hotmail.nk", "jan@hotmail.nl"),
        ("jan+licentie@Gmail.con", "jan+licentie@gmail.com"),
        ("jan@ziggo.n", "jan@ziggo.nl"),
        ("jan@outlok.com", "jan@outlook.com"),
        ("jan@kpnmial.nl", "jan@kpnmail.nl"),
    ],
)
def test_a_slip_of_the_finger_is_seen(typed: str, meant: str) -> None:
    assert likely_meant(typed) == meant


@pytest.mark.parametrize(
    "typed", ["jan@gmail.com", "jan@GMAIL.com", "jan@mail.com", "jan@klant.example", "jan@jansen-bouw.nl", "jan@gmx.de"]
)
def test_an_address_that_looks_right_is_left_as_it_is(typed: str) -> None:
    assert likely_meant(typed) is None


@pytest.mark.parametrize(
    ("answer", "warns"), [(dns.resolver.NXDOMAIN, True), (dns.resolver.NoNameservers, False), (DNSException, False)]
)
def test_a_domain_that_dns_does_not_know_is_a_warning_and_a_silent_dns_is_none(
    monkeypatch: pytest.MonkeyPatch, answer: type[DNSException], *, warns: bool
) -> None:
    class Resolver:
        lifetime = 0.0

        def resolve(self, *_: object) -> None:
            raise answer

    monkeypatch.setattr(dns.resolver, "get_default_resolver", Resolver)

    assert takes_mail("jan@klant.nl") is not warns
