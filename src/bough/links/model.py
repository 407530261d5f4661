"""What a link is, once it is behind the edge (docs/links.md).

`data` holds the customer's own keys exactly as sent (types kept); the keys that the server makes (`~id`, `url`, …) are
never stored, they are laid over it by `bough.links.document` when a link is read.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

LABELS = ("channel", "feature", "campaign", "stage")
"""The analytics labels that are top-level parameters, mirrored as `~channel` … in `data`; `tags` is the fifth."""

DEFAULT_DURATION = 7200
"""Seconds for which a click may be matched to an app open, unless the link says otherwise."""


MADE_BY_SERVER = frozenset(
    {"~id", "~creation_source", "~marketing", "~referring_link", "$identity_id", "$one_time_use_used"}
)


def is_made_by_server(key: str) -> bool:
    """Whether only the server says what stands under a key of `data`: MADE_BY_SERVER, and all that begins with `+`.

    Apps believe these keys (was the link clicked, by whom, how surely), so nobody else may write them. Deeper in `data`
    a key is the customer's, whatever it is called.
    """
    return key.startswith("+") or key in MADE_BY_SERVER


class LinkType:
    """`type` of a link: who may make it and how it behaves."""

    STANDARD = 0
    ONE_TIME = 1
    MARKETING = 2


class CreationSource:
    """`~creation_source`: what made the link (docs/links.md)."""

    API = 0
    DASHBOARD = 1
    SDK = 2
    IOS_SDK = 3
    ANDROID_SDK = 4
    WEB_SDK = 5
    DYNAMIC = 6
    THIRD_PARTY = 7


class Link(Struct, frozen=True, kw_only=True, gc=False):
    """One link. Unique by (`domain`, `path`); `path` is the alias or the random code, with the app prefix if any."""

    id: int
    """18-19 digits; shown to clients as the decimal string `~id`. 0 for a long (dynamic) link that is not stored."""
    app: int
    test: bool
    domain: str
    """Host as in the URL, with its port if there is one, lower case."""
    path: str
    """Everything after the host and the slash, percent-decoded, e.g. `product/id1234` or `WgiqvsepqF`."""
    alias: str | None = None
    """What the customer chose, or None when the path is a random code."""
    type: int = LinkType.STANDARD
    data: dict[str, Any] = {}
    """The customer's keys; control parameters start with `$`, analytics with `~`."""
    channel: str | None = None
    feature: str | None = None
    campaign: str | None = None
    stage: str | None = None
    tags: tuple[str, ...] = ()
    duration: int = DEFAULT_DURATION
    """Seconds; see DEFAULT_DURATION."""
    identity: str | None = None
    identity_id: int | None = None
    """Server-made id of `identity`; present when the link has one."""
    source: int = CreationSource.API
    created_at: int = 0
    """Epoch milliseconds, as `updated_at`."""
    updated_at: int = 0
    qr_code_settings: str | None = None
    """How its QR code looks: JSON of what differs from the usual look (`bough.links.qr.look`), or None."""
    expires_at: int | None = None
    """Epoch milliseconds after which the link answers 404, or None: never (the default)."""
