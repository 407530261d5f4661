"""One request of `/v1/open` or `/v1/install`, as it is before it is decided."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from bough.attribution.rules.openings import Opening
from bough.events.server_fields import ServerFields


class Parsed(Struct, frozen=True, kw_only=True):
    """What a request says by itself, found before the write lock is taken."""

    opening: Opening
    own: tuple[int, ...]
    """Keys in `device_key` under which openings of the same device or browser are found."""
    touching: tuple[int, ...]
    """Keys in `touch_key` under which clicks of this device are found: by device id, by network address."""
    request: int | None = None
    """The key in `device_key` that a retry has too; None when the request cannot be told from another one."""
    old_bundle: int | None = None
    """See `bough.attribution.live.legacy_identity.asked_bundle`."""
    page_of: str = ""
    """The click that a Web page names."""
    app_beside: tuple[int, ...] = ()
    """For a page: the key in `device_key` that says that its browser's device has opened the app."""


class OpenRequest(Struct, frozen=True, kw_only=True):
    """One request of `/v1/open` or `/v1/install`, not decided yet."""

    at: int
    app: int
    test: bool
    kind: str
    """`open` or `install`."""
    body: dict[str, Any]
    """As sent, without credentials."""
    facts: ServerFields
    """What the server knows and issues; matching adds to it."""
    parsed: Parsed | None = None
    """`parse_request` of this very request, if it was done already."""
