"""Which values of an app's settings can work: checked where they are saved, and by `bough doctor` where they are kept.

An app that is named wrongly in a hosted file vanishes for phones without a word from anybody, so a value that cannot
work is refused with what is wrong and what it should look like. The forms are those of the systems that read them:
Apple's team ids and bundle identifiers, Android's application ids, SHA-256 fingerprints as `keytool` and the Play
Console print them, URI schemes of RFC 3986, section 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from bough.accounts.model import AppConfig
from bough.errors import BadRequest

MAX_TEXT = 255
MAX_SCHEME = 64
MAX_HOST = 253

FORBIDDEN_SCHEMES = frozenset(
    {
        *("javascript", "data", "vbscript", "file", "about", "blob", "http", "https", "intent"),
        *("filesystem", "view-source", "ws", "wss", "chrome", "android-app"),
    }
)
"""Schemes that no app can register: browsers and systems give them a meaning of their own."""

SHA256_EXAMPLE = "14:6D:E9:83:… (32 pairs of hexadecimal digits)"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://)?")
_ALLOWED = re.compile(r"(\*\.)?(?P<host>[A-Za-z0-9.-]+)(?P<port>:[0-9]+)?|[A-Za-z][A-Za-z0-9+.-]*://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_PORT = re.compile(r"[0-9]{1,5}")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_TEAM = re.compile(r"[A-Z0-9]{10}")
_BUNDLE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_TEAM_BEFORE_BUNDLE = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9-]+\.")
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
_COUNTRY = re.compile(r"[A-Za-z]{2}")


def check_texts(name: str, texts: Sequence[str]) -> None:
    """Raises BadRequest, which names the setting, what is wrong, and what it should look like."""
    for text in texts:
        if len(text) > MAX_TEXT:
            raise BadRequest(f"{name}: must have at most {MAX_TEXT} characters.")
        if _CONTROL.search(text):
            raise BadRequest(f"{name}: must not hold control characters.")
    for text in texts:
        _check_form(name, text)


def _check_form(name: str, text: str) -> None:
    if name == "sha256_cert_fingerprints" or text:
        for check in _checks(name):
            if why := check(text):
                raise BadRequest(f"{name}: {why}")


def unworkable(config: AppConfig) -> Iterator[str]:
    """A sentence for every stored value that would be refused today."""
    for name in (field.name for field in msgspec.structs.fields(AppConfig)):
        value = getattr(config, name)
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str):
                try:
                    check_texts(name, (text,))
                except BadRequest as error:
                    yield error.message


def canonical_fingerprint(text: str) -> str:
    """A SHA-256 in the form Android compares with (capitals, colons), or empty when it is none."""
    digits = _digits(text)
    if len(digits) != 64 or not _HEX.fullmatch(digits):
        return ""
    return ":".join(digits[at : at + 2] for at in range(0, 64, 2))


def ascii_host(text: str) -> str:
    """`host` or `host:port` in lower-case ASCII, `münchen.example` as `xn--mnchen-3ya.example`; empty: it is none."""
    host, colon, port = text.lower().partition(":")
    if colon and not (_PORT.fullmatch(port) and 0 < int(port) < 65_536):
        return ""
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    labels = host.split(".")
    fits = len(host) <= MAX_HOST and all(_LABEL.fullmatch(label) for label in labels)
    return f"{host}{colon}{port}" if fits else ""


def _checks(name: str) -> Iterator[Callable[[str], str]]:
    if name in _BY_NAME:
        yield _BY_NAME[name]
    elif name.endswith("_url"):
        yield _web_address
    elif name.endswith("_uri_scheme") or name == "uri_schemes":
        yield _scheme


def _fingerprint(text: str) -> str:
    digits = _digits(text)
    wanted = f"it must be the SHA-256 of the signing certificate, such as {SHA256_EXAMPLE}."
    if not _HEX.fullmatch(digits):
        return f"{text!r} is no fingerprint; {wanted}"
    if len(digits) == 40:
        return f"{text!r} is a SHA-1 fingerprint; {wanted}"
    if len(digits) == 32:
        return f"{text!r} is an MD5 fingerprint; {wanted}"
    return "" if len(digits) == 64 else f"{text!r} has {len(digits)} hexadecimal digits instead of 64; {wanted}"


def _digits(text: str) -> str:
    return text.replace(":", "").replace(" ", "").upper()


def _team(text: str) -> str:
    if _TEAM.fullmatch(text):
        return ""
    return f"{text!r} is no team id of Apple's; it must be ten capitals and digits such as A1B2C3D4E5."


def _bundle(text: str) -> str:
    if _TEAM_BEFORE_BUNDLE.match(text):
        return f"{text!r} begins with a team id; that stands in ios_team_id, and here com.example.app alone."
    if _BUNDLE.fullmatch(text):
        return ""
    return f"{text!r} is no bundle id; it must look like com.example.app: letters, digits, hyphens and dots."


def _package(text: str) -> str:
    if _PACKAGE.fullmatch(text):
        return ""
    return (
        f"{text!r} is no package name; it must look like com.example.app: at least two parts, each a letter followed by"
        " letters, digits or underscores."
    )


def _country(text: str) -> str:
    return "" if _COUNTRY.fullmatch(text) else f"{text!r} is no country; it must be two letters such as US."


def _web_address(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        return "must be an http or https address."
    try:
        parts = urlsplit(text)
        fits = "@" not in parts.netloc and "\\" not in parts.netloc and bool(_host_of(parts.netloc))
    except ValueError:
        fits = False
    return "" if fits else f"{text!r} leads to no host; it must look like https://example.com/page."


def _host_of(authority: str) -> str:
    return (
        authority if re.fullmatch(r"\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", authority) else ascii_host(authority.rstrip("."))
    )


def _scheme(text: str) -> str:
    scheme = text.removesuffix("://").lower()
    if not _SCHEME.fullmatch(text) or scheme in FORBIDDEN_SCHEMES or len(scheme) > MAX_SCHEME:
        return f"{text!r} cannot be an app's URI scheme."
    return ""


def _allowed(text: str) -> str:
    found = _ALLOWED.fullmatch(text)
    host = found["host"] if found else None
    if found is None or (host is not None and not ascii_host(f"{host}{found['port'] or ''}")):
        return f"{text!r} must look like example.com, *.example.com or myapp://."
    return ""


_BY_NAME: dict[str, Callable[[str], str]] = {
    "sha256_cert_fingerprints": _fingerprint,
    "ios_team_id": _team,
    "ios_bundle_id": _bundle,
    "android_package_name": _package,
    "ios_store_country": _country,
    "redirect_allowlist": _allowed,
}
"""What is wrong with a value, or nothing, by setting; addresses and schemes are known by how their names end."""
