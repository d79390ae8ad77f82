import dns.resolver
import pytest
from dns.exception import DNSException

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
