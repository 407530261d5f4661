"""The journal: one append-only list of everything that happened, in the order in which it reached the disk.

A row's `id` is a decimal number of 18-19 digits that grows with arrival; a click's id is its `link_click_id`, an
event's id its event id. A row is never changed. Attribution and counts read the journal after a watermark and can be
run again from any point (shared design: "One way through the house").
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

RowKind = Literal[
    "click",  # a person followed a link
    "prefetch",  # a browser or mail scanner looked ahead; never a touch
    "robot",  # a crawler or scraper followed a link; never a touch
    "impression",  # a person was shown an ad (pixel or API)
    "install",  # POST /v1/install, or an open that says it is the first
    "open",  # POST /v1/open
    "pageview",  # POST /v1/pageview
    "event",  # POST /v2/event/standard|custom, and legacy /v1/event
    "segment",  # a file of imported events (`bough.importers.events`), named by its body
    "identity",  # an old SDK said who its user is (legacy /v1/profile); no event, it only joins
    "import",  # one row of an imported export; its touch is taken as given
]


class JournalRow(Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    id: int
    at: int
    """Epoch milliseconds when it happened (for imports: the file's time; else when the request arrived)."""
    app: int
    test: bool
    kind: RowKind
    link: int | None = None
    """The link's id, for clicks and impressions of stored links."""
    body: dict[str, Any]
    """The facts, by `kind`. See `Click` for clicks; SDK rows hold the request's own fields."""


class Click(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`body` of a `click`, `prefetch`, `robot` or `impression` row."""

    plain: bool = False
    """Whether its stored link said at this moment neither what it costs nor whose device it is for, as most: who
    consumes the journal need not read it. Stands first (`PLAIN`). False: it may, or nobody looked."""
    url: str
    """The address that was asked for, with its query."""
    user_agent: str = ""
    ip: str = ""
    country: str = ""
    """ISO 3166-1 alpha-2 when known."""
    referrer: str = ""
    browser: str = ""
    """The link domain's browser id (cookie `_s`), 18-19 digits, when the browser sent one."""
    rule: str = ""
    """Which rule of the decision table answered (`bough.clicks.decision.decide`)."""
    data: dict[str, Any] = {}
    """For long (dynamic) links, which are not stored: the link's whole data."""


PLAIN = '{"plain":true,'
"""How the body of a plain click begins."""


def needs_link(body: str) -> bool:
    """Whether one must read the link to know what a click or impression costs and whose device it is for. A plain one's
    query can say both, over what the link says."""
    return not body.startswith(PLAIN) or "?" in body
