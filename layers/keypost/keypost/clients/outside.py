"""The only module that calls an address which the operator chose: the shop's URL for events, and that of a monitor.
Only by https, without redirects, with short time-outs, and at public addresses: in Lambda, others would lead to
Lambda's own."""

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

import urllib3

from keypost.core.errors import AddressRefused

_TIMES = urllib3.Timeout(connect=3, read=10)  # seconds
_PORTS = {"https": 443, "http": 80}
_HERE = "127.0.0.1"

Resolve = Callable[[str], Sequence[str]]


def addresses_of(host: str) -> Sequence[str]:
    """The IPv4 addresses of a host. Lambda reaches no others."""
    found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def is_public(address: str) -> bool:
    """Whether everybody reaches the same under an address: it is not private, of this machine, of a link or of many."""
    ip = IPv4Address(address)
    return ip.is_global and not ip.is_multicast


class Outside:
    """`here` is the system on one machine, which may call http://127.0.0.1 besides."""

    def __init__(
        self,
        resolve: Resolve = addresses_of,
        may_call: Callable[[str], bool] = is_public,
        context: ssl.SSLContext | None = None,
        *,
        here: bool = False,
    ) -> None:
        self._resolve = resolve
        self._may_call = may_call
        self._context = context
        self._here = here

    def call(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] = MappingProxyType({})
    ) -> int | None:
        """The status of the answer, whose content nobody reads; None if there is no answer. AddressRefused if the
        address is not one that may be called."""
        try:
            to = urlsplit(url)
            with self._pool(to) as pool:
                return _status(pool, method, to, body, headers)
        except ValueError:  # a port or a name that cannot be one
            raise AddressRefused("url_not_public") from None
        except (OSError, urllib3.exceptions.HTTPError):
            return None

    def _pool(self, to: SplitResult) -> urllib3.HTTPConnectionPool:
        """To the very address that was checked: a name that is looked up again may lead elsewhere by then."""
        host = to.hostname
        if to.username is not None or not host or to.scheme not in _PORTS:
            raise AddressRefused("url_not_public")
        port = to.port or _PORTS[to.scheme]
        if self._here and (to.scheme, host) == ("http", _HERE):
            return urllib3.HTTPConnectionPool(host, port)
        if to.scheme != "https":
            raise AddressRefused("url_not_public")
        addresses = self._resolve(host)
        if not addresses or not all(map(self._may_call, addresses)):
            raise AddressRefused("url_not_public")
        context = self._context or ssl.create_default_context()
        return urllib3.HTTPSConnectionPool(
            addresses[0], port, ssl_context=context, server_hostname=host, assert_hostname=host
        )


def _status(
    pool: urllib3.HTTPConnectionPool, method: str, to: SplitResult, body: bytes | None, headers: Mapping[str, str]
) -> int:
    path = (to.path or "/") + (f"?{to.query}" if to.query else "")
    whole = {"User-Agent": "keypost", **headers, "Host": to.netloc}
    answer = pool.urlopen(
        method, path, body, whole, retries=False, redirect=False, timeout=_TIMES, preload_content=False
    )
    answer.close()
    return answer.status
