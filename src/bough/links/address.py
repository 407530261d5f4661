"""Which stored link a URL names (docs/clicks.md)."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from bough.accounts.context import Context
from bough.accounts.directory import Directory
from bough.errors import BadRequest

WEB_ONLY_PREFIX = "e/"
WEB_ONLY_SUFFIX = "-web"
MAX_URL = 8192

_SPARE = re.compile(r"\.?(:80|:443)?\Z")


_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/-]*")
"""What new aliases and codes are made of; imported paths may hold anything."""


class Address(NamedTuple):
    """Where a link is stored, and whether its web-only form was asked for."""

    domain: str
    path: str
    web_only: bool


def parse_address(url: object, directory: Directory) -> Address:
    """The address in a `url` parameter, with or without scheme. Raises BadRequest naming `url`."""
    if not isinstance(url, str) or not url:
        raise BadRequest("url: is missing; it must be the link's address.")
    if len(url) > MAX_URL:
        raise BadRequest(f"url: must have at most {MAX_URL} characters.")
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError as error:
        raise BadRequest("url: is not an address.") from error
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadRequest("url: must be an http or https address.")
    return locate(directory, parts.netloc.rpartition("@")[2], unquote(parts.path))


def locate(directory: Directory, host: str, path: str) -> Address:
    """The stored address behind a host and a decoded path: alternate hosts and web-only forms lead to the same link."""
    host = plain_host(directory, _storable(host).lower())
    path = _storable(path).lstrip("/")
    web_only = False
    if not directory.knows_host(host):
        name, dot, rest = host.partition(".")
        if (
            dot
            and name.endswith(WEB_ONLY_SUFFIX)
            and directory.knows_host(name.removesuffix(WEB_ONLY_SUFFIX) + dot + rest)
        ):
            host = name.removesuffix(WEB_ONLY_SUFFIX) + dot + rest
            web_only = True
    prefix, slash, rest = path.partition("/")
    if path.startswith(WEB_ONLY_PREFIX):
        path = path.removeprefix(WEB_ONLY_PREFIX)
        web_only = True
    elif slash and rest.startswith(WEB_ONLY_PREFIX) and directory.domain(host, prefix) is not None:
        path = f"{prefix}/{rest.removeprefix(WEB_ONLY_PREFIX)}"
        web_only = True
    host = directory.main_host(host)
    bare = path.rstrip("/")  # as people and programs write it; behind a prefix alone the slash says that it is one
    return Address(host, path if directory.domain(host, bare) else bare, web_only)


def written_path(path: str) -> str:
    """A stored path as it stands in an address: percent-encoded where it must be, so that it is read back the same."""
    return path if _PLAIN_PATH.fullmatch(path) else quote(path, safe="/~:@!$&'()*+,;=", errors="replace")


def plain_host(directory: Directory, host: str) -> str:
    """A host (in lower case) without the default port or last dot that proxies write, unless it is known with them."""
    return host if directory.knows_host(host) else _SPARE.sub("", host)


def _storable(text: str) -> str:
    """Without NUL, which PostgreSQL's text cannot hold, not even as a parameter. No link's address has either sign."""
    return text.replace("\x00", "\ufffd")


def known_host(context: Context, host: str) -> str:
    """A Host header in lower case, or the server's own host when no app has links there."""
    directory = context.directory
    host = plain_host(directory, host.lower())
    if directory.knows_host(host) or directory.knows_host(locate(directory, host, "").domain):
        return host
    return context.own_host
