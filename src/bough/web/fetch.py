"""Fetch a file that a caller named by URL, without becoming the caller's way into our own network.

A server that fetches any URL it is given can be made to read cloud metadata, databases and admin pages that only it
can reach (server-side request forgery). So: http and https only; the host is resolved once and *every* address it
resolves to must be public; the connection goes to that very address (a second lookup could answer otherwise); each
redirect starts again from the beginning; and bytes and time are bounded in total, not per read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from bough.errors import BadRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Allow = Callable[[Address], bool]

MAX_URL = 2048
MAX_REDIRECTS = 3
CHUNK = 64 * 1024

_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _Place(Struct, frozen=True, kw_only=True):
    """Where one request goes: the parts of its URL that are needed to send it."""

    secure: bool
    host: str
    """ASCII, as for a Host header and for the certificate's name."""
    port: int
    path: str


def is_public(address: Address) -> bool:
    """Whether `address` is a unicast address of the public Internet, looking through the IPv4 in an IPv6 address."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return is_public(inner)
        return address in _UNICAST_V6 and address.is_global and not address.is_multicast
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that traffic to `address` may end at (mapped, 6to4, Teredo, NAT64), if it holds one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def fetch_public(
    url: str,
    max_bytes: int,
    timeout: float,
    *,
    allow: Allow | None = None,
    tls: ssl.SSLContext | None = None,
) -> bytes:
    """The body at `url`, at most `max_bytes` long, within `timeout` seconds overall. Blocks: call it from a thread.

    `allow` lets further addresses through besides the public ones (an operator's own image host; tests); `tls`
    replaces the default certificate check. Raises BadRequest, in one sentence without the field's name, when the URL is
    not one we fetch or the answer is not a 200 within the limits.
    """
    deadline = time.monotonic() + timeout
    context = tls or ssl.create_default_context()
    for _ in range(MAX_REDIRECTS + 1):
        place = _place(url)
        address = _checked_address(place, deadline, allow)
        location, body = _get(place, address, context, max_bytes, deadline)
        if location is None:
            return body
        url = urljoin(url, location)
    raise BadRequest(f"redirects more than {MAX_REDIRECTS} times")


def _place(url: str) -> _Place:
    """Take `url` apart. Raises BadRequest when it is not an http(s) URL we would send."""
    if len(url) > MAX_URL or not url.isprintable() or " " in url:
        raise BadRequest("is not a URL")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:  # also UnicodeError: bad port, bad brackets, a label that no host name can hold
        raise BadRequest("is not a URL") from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise BadRequest("must be an http or https URL without a user name")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise BadRequest("must be percent-encoded")
    return _Place(secure=secure, host=host, port=port or (443 if secure else 80), path=path)


def _checked_address(place: _Place, deadline: float, allow: Allow | None) -> str:
    """Resolve once and return the first address, after all of them have passed. Raises BadRequest otherwise."""
    addresses = _resolve(place, deadline)
    if not addresses:
        raise BadRequest("has a host that cannot be resolved")
    for text in addresses:
        address = ipaddress.ip_address(text)
        if not is_public(address) and not (allow is not None and allow(address)):
            raise BadRequest("has a host that is not on the public Internet")
    return addresses[0]


def _resolve(place: _Place, deadline: float) -> list[str]:
    """All addresses of the host. The system's resolver knows no time limit; it runs beside us and may be left."""
    found: list[str] = []

    def look_up() -> None:
        try:
            infos = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(str(info[4][0]) for info in infos)

    thread = threading.Thread(target=look_up, name="bough-resolve", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if thread.is_alive():
        raise BadRequest("took too long to answer")
    return found


def _get(
    place: _Place, address: str, context: ssl.SSLContext, max_bytes: int, deadline: float
) -> tuple[str | None, bytes]:
    """One GET to `address`: the Location of a redirect, or None and the body. Raises BadRequest."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise BadRequest("took too long to answer")
    connection = http.client.HTTPConnection(place.host, place.port)
    watchdog = _Watchdog(remaining)
    try:
        raw = socket.create_connection((address, place.port), timeout=remaining)
        connection.sock = watchdog.sock = raw
        watchdog.start()
        if place.secure:
            # The handshake comes after the assignment, so that the watchdog can end it too.
            tls = context.wrap_socket(raw, server_hostname=place.host, do_handshake_on_connect=False)
            connection.sock = watchdog.sock = tls
            tls.do_handshake()
        answer = _exchange(connection, place, max_bytes)
        if watchdog.expired:  # a body without a length ends where the watchdog cut it
            raise BadRequest("took too long to answer")
        return answer
    except TimeoutError:
        raise BadRequest("took too long to answer") from None
    except (OSError, http.client.HTTPException) as error:
        message = "took too long to answer" if watchdog.expired else f"cannot be fetched ({type(error).__name__})"
        raise BadRequest(message) from None
    finally:
        watchdog.cancel()
        connection.close()


class _Watchdog(threading.Timer):
    """Shuts `sock` when the time is up.

    A socket's own time limit starts anew with every byte that drips in; only shutting it ends a slow answer. The socket
    is held here because the connection forgets it as soon as the answer is one that ends with the connection.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds, self._expire)
        self.daemon = True
        self.sock: socket.socket | None = None
        self.expired = False

    def _expire(self) -> None:
        self.expired = True
        if self.sock is None:
            return
        try:
            # Not SSLSocket.shutdown: it drops the TLS state under the reading thread's feet.
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
        except OSError:  # already gone: nothing left to end
            return


def _exchange(connection: http.client.HTTPConnection, place: _Place, max_bytes: int) -> tuple[str | None, bytes]:
    default_port = 443 if place.secure else 80
    name = f"[{place.host}]" if ":" in place.host else place.host
    host = name if place.port == default_port else f"{name}:{place.port}"
    connection.putrequest("GET", place.path, skip_host=True, skip_accept_encoding=True)
    for header, value in (("Host", host), ("Accept-Encoding", "identity"), ("User-Agent", "bough")):
        connection.putheader(header, value)
    connection.putheader("Connection", "close")
    connection.endheaders()
    with connection.getresponse() as response:
        return _answer(response, max_bytes)


def _answer(response: http.client.HTTPResponse, max_bytes: int) -> tuple[str | None, bytes]:
    if response.status in _REDIRECTS and response.headers["Location"]:
        return response.headers["Location"], b""
    if response.status != 200:
        raise BadRequest(f"answered with status {response.status}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise BadRequest("answered in a compression that was not asked for")
    return None, _read(response, max_bytes)


def _read(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    """The whole body. Raises http.client.IncompleteRead when it ends before its announced length."""
    body = bytearray()
    while chunk := response.read(min(CHUNK, max_bytes + 1 - len(body))):
        body += chunk
        if len(body) > max_bytes:
            raise BadRequest(f"is larger than {max_bytes} bytes")
    if response.length:
        raise http.client.IncompleteRead(bytes(body), response.length)
    return bytes(body)
