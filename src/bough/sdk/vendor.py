"""A copy of the Branch Web SDK that talks to our own server (docs/sdk.md (b)).

The npm package `branch-sdk` is under the MIT licence. Its build names Branch's hosts as text; in the copy they are
ours. That also makes releases before 2.82 work, which have no `setAPIUrl`. The copy says what it is, what was changed
and under which licence, because the licence asks for that.
"""

from __future__ import annotations

import re
from importlib.resources import files
from urllib.parse import urlsplit

from bough.errors import BadRequest

HOSTS = ("https://api2.branch.io", "https://app.link", "https://bnc.lt")
"""What the SDK's builds name: the API, the host of /_r, and the host of the long links that it makes up offline."""

LICENCE = files("bough.sdk").joinpath("static/branch-sdk-LICENSE.txt").read_text()
"""The licence of the npm package, for a build that came without its LICENSE file."""

_VERSION = re.compile(r'"web(\d+\.\d+\.\d+)"|sdk:"(\d+\.\d+\.\d+)"')


def vendor(source: str, address: str, licence: str = LICENCE) -> str:
    """The build with its hosts replaced by `address` (`https://go.example.com`) and the licence at its head.

    Raises:
        BadRequest: `address` is no http(s) origin, is `localhost` (which the SDK refuses), or `source` is no build of
            the SDK.
    """
    origin = _origin(address)
    missing = [host for host in HOSTS if f'"{host}' not in source]
    if missing:
        raise BadRequest(f"This is no build of branch-sdk: it does not name {missing[0]}.")
    copy = source
    for host in HOSTS:
        copy = re.sub(rf'"{re.escape(host)}(?=["/])', lambda _: f'"{origin}', copy)
    return f"{_head(source, origin, licence)}{copy}"


def version_of(source: str) -> str:
    """The release that a build says it is, or `of unknown version`."""
    found = _VERSION.search(source)
    return (found[1] or found[2]) if found else "of unknown version"


def _origin(address: str) -> str:
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise BadRequest(f"{address!r} is not an address such as https://go.example.com.") from None
    plain = parts.hostname and re.fullmatch(r"[A-Za-z0-9.-]+|[0-9a-f:]+", parts.hostname)
    if parts.scheme not in ("http", "https") or not plain or parts.path.strip("/") or parts.query or parts.fragment:
        raise BadRequest(f"{address!r} is not an address such as https://go.example.com.")
    if parts.hostname == "localhost":
        raise BadRequest("The Web SDK refuses the host localhost; use 127.0.0.1.")
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def _head(source: str, origin: str, licence: str) -> str:
    notice = licence.strip().replace("*/", "* /").replace("\n", "\n * ")
    return (
        f"/*! branch-sdk {version_of(source)}, changed by `bough sdk vendor`: requests go to {origin}.\n"
        f" *\n * {notice}\n */\n"
    ).replace(" \n", "\n")
