"""Reading an address from outside so that it can stand in a header: one parser for checking, comparing and sending.

Browsers read addresses more generously than any RFC (`https:/\\evil.example`, tabs inside the scheme, wide dots in the
host). What is checked here and what is sent are therefore the same text: the host is rebuilt from the part that was
compared with the allowlist, and everything after it is percent-encoded to plain ASCII without control characters.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from msgspec import Struct

MAX_ADDRESS = 8192
"""Characters of an address after encoding; longer ones would not pass common proxies as a Location header."""

MAX_HOST = 253

WEB_SCHEMES = frozenset({"https", "http"})


class SafeAddress(Struct, frozen=True):
    """An address that is safe to send. `authority` is lower-case ASCII (`example.com:8080`), empty for app schemes."""

    scheme: str
    authority: str
    rest: str
    """All that follows, percent-encoded: path, query and fragment; for app schemes everything after the colon."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.rest}" if self.is_web else f"{self.scheme}:{self.rest}"

    @property
    def is_web(self) -> bool:
        return self.scheme in WEB_SCHEMES

    @property
    def host(self) -> str:
        """The host without port and without the dot that may end it."""
        if self.authority.startswith("["):
            return self.authority.partition("]")[0] + "]"
        return self.authority.partition(":")[0].rstrip(".")

    @property
    def path(self) -> str:
        """The path of a web address, at least `/`."""
        return self.rest.partition("#")[0].partition("?")[0] or "/"


class Refused(Struct, frozen=True):
    """Why a text is no address; `why` completes a sentence whose subject is the key that held it."""

    why: str


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,63}):")
_UNSAFE = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+|%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_COMMON = re.compile(
    r"(https?)://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::[0-9]{1,4})?)((?:[/?#][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]*)?)"
)
"""What nearly all addresses look like: nothing in them has to be changed or refused."""
_PLAIN_PAGE = re.compile(r"https?://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?:/[A-Za-z0-9\-._~:/\[\]@!$&'()*+,;=]*)?")
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]*")
_IPV6 = re.compile(r"\[[0-9a-f:.]{2,45}\]")
_PORT = re.compile(r"[0-9]{1,5}")


def read_address(text: str) -> SafeAddress | Refused:
    """The address in `text` (spaces around it do not count), or why it is none. Any string is answered."""
    if (common := _COMMON.fullmatch(text)) and len(text) <= MAX_HOST:
        return SafeAddress(common[1], common[2], common[3])
    text = text.strip(" ")
    if len(text) > MAX_ADDRESS:
        return Refused(f"is longer than {MAX_ADDRESS} characters")
    if _broken(text):
        return Refused("is not valid Unicode")
    if _CONTROL.search(text):
        return Refused("holds a control character")
    found = _SCHEME.match(text)
    if not found:
        return Refused("must begin with https:// or http:// or a scheme that the app has registered")
    scheme, after = found.group(1).lower(), text[found.end() :]
    address = _web(scheme, after) if scheme in WEB_SCHEMES else SafeAddress(scheme, "", encode(after))
    if isinstance(address, SafeAddress) and len(address.url) > MAX_ADDRESS:
        return Refused(f"is longer than {MAX_ADDRESS} characters")
    return address


def plain_page_host(text: str) -> str:
    """The host of a web address that is sent as it stands and has no port, query or fragment; empty for all others."""
    found = _PLAIN_PAGE.fullmatch(text)
    return found[1] if found and len(text) <= MAX_HOST else ""


def encode(text: str) -> str:
    """Percent-encode what may not stand in an address; what is encoded already, and reserved characters, stay."""
    return _UNSAFE.sub(lambda found: encode_value(found.group(0)), text)


def encode_value(text: str) -> str:
    """Percent-encode a query key or value completely, except for unreserved characters."""
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="", errors="replace")


def _broken(text: str) -> bool:
    """Whether the text holds half of a surrogate pair, which JSON can carry and UTF-8 cannot."""
    return any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else False


def _web(scheme: str, after: str) -> SafeAddress | Refused:
    if not after.startswith("//"):
        return Refused(f"must continue with // after {scheme}:")
    end = min((at for at in map(after[2:].find, "/?#") if at >= 0), default=len(after) - 2) + 2
    authority = _authority(after[2:end])
    return authority if isinstance(authority, Refused) else SafeAddress(scheme, authority, encode(after[end:]))


def _authority(text: str) -> str | Refused:
    """`host[:port]` in lower-case ASCII; user names, encoded hosts and anything unusual are refused."""
    if "@" in text:
        return Refused("must not hold a user name before the host")
    host, port = _host_and_port(text)
    if not host.isascii() and len(host) <= MAX_HOST:
        host = _idna(host)
    if len(host) > MAX_HOST or not (_HOST.fullmatch(host) or _IPV6.fullmatch(host)):
        return Refused("has no valid host name")
    if port and not (_PORT.fullmatch(port) and int(port) < 65536):
        return Refused("has no valid port")
    return f"{host}:{port}" if port else host


def _host_and_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, bracket, tail = text.partition("]")
        return (host + bracket).lower(), tail[1:] if tail.startswith(":") else tail
    host, _, port = text.partition(":")
    return host.lower(), port


def _idna(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
