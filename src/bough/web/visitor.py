"""The caller: address, country and scheme, with headers of proxies believed only when the proxy is trusted."""

from __future__ import annotations

import ipaddress
import logging
import socket
from pathlib import Path

import maxminddb
from msgspec import Struct

from bough.settings import Settings

log = logging.getLogger("bough.web")

GEO_FILE = "geo.mmdb"
"""An optional MaxMind-format file in the data folder; nothing needs it."""

_CACHED_PLACES = 10_000


class Visitor(Struct, frozen=True, gc=False):
    """Where a request comes from."""

    ip: str
    country: str
    """ISO 3166-1 alpha-2, or empty."""
    region: str = ""
    """The region's English name, or empty."""


class Visitors:
    """Finds out about visitors."""

    def __init__(self, settings: Settings) -> None:
        self._trusted = frozenset(a.strip() for a in settings.trusted_proxies.split(",") if a.strip())
        self._country_header = settings.country_header.lower().encode()
        self._geo = _open_geo(settings.folder / GEO_FILE)
        self._places: dict[str, tuple[str, str]] = {}
        self._known: dict[str, Visitor] = {}
        """Peers that spoke for themselves."""

    def visitor(self, peer: str, forwarded: bytes, country: bytes) -> Visitor:
        """From the peer's address and the values of X-Forwarded-For and the country header (empty: not sent)."""
        if not (forwarded or country) or peer not in self._trusted:
            return self._known.get(peer) or self._remember(peer)
        ip = peer
        if forwarded:
            ip = self._last_untrusted(forwarded.decode("latin-1")) or peer
        found, region = self._place_of(ip)
        named = country.decode("latin-1").upper() if country else ""
        if len(named) == 2 and named.isalpha() and named != found:
            return Visitor(ip, named)
        return Visitor(ip, found, region)

    def _remember(self, peer: str) -> Visitor:
        if len(self._known) >= _CACHED_PLACES:
            self._known.clear()
        found = self._known[peer] = Visitor(peer, *self._place_of(peer))
        return found

    def at(self, ip: str) -> Visitor:
        """Somebody at an address that a server reports."""
        return Visitor(ip, *self._place_of(ip))

    def _place_of(self, ip: str) -> tuple[str, str]:
        """Country and region of an address, by the optional file; empty when unknown."""
        if self._geo is None:
            return "", ""
        found = self._places.get(ip)
        if found is None:
            found = self._look_up(self._geo, ip)
            if len(self._places) >= _CACHED_PLACES:
                self._places.clear()
            self._places[ip] = found
        return found

    def _look_up(self, geo: maxminddb.Reader, ip: str) -> tuple[str, str]:
        try:
            record = geo.get(ip)
        except ValueError:
            return "", ""
        code = _inside(record, "country", "iso_code")
        regions = record.get("subdivisions") if isinstance(record, dict) else None
        region = _inside(regions[0], "names", "en") if isinstance(regions, list) and regions else ""
        return code, region

    def _last_untrusted(self, forwarded: str) -> str:
        """The right-most address that is not one of our proxies: what is left of it may be invented."""
        for part in reversed(forwarded.split(",")):
            text = part.strip()
            if text in self._trusted:
                continue
            if "." in text and _is_ipv4(text):
                return text
            try:
                return str(ipaddress.ip_address(text.strip("[]")))
            except ValueError:
                return ""
        return ""


def _is_ipv4(text: str) -> bool:
    """Four plain decimal numbers, the one spelling of an IPv4 address: ten times as quick as `ipaddress`."""
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def _open_geo(path: Path) -> maxminddb.Reader | None:
    if not path.exists():
        return None
    try:
        return maxminddb.open_database(str(path))
    except (maxminddb.InvalidDatabaseError, OSError) as error:
        log.warning("%s cannot be read and is not used: %s", path, error)
        return None


def _inside(record: object, place: str, name: str) -> str:
    """A text two levels down in a record, or empty."""
    inner = record.get(place) if isinstance(record, dict) else None
    value = inner.get(name) if isinstance(inner, dict) else None
    return value if isinstance(value, str) else ""
