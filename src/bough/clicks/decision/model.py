"""What a click asks and what is decided about it: the two sides of `bough.clicks.decision.decide.decide`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from bough.accounts.model import App
from bough.agents.agent import Agent
from bough.clicks.query import Query
from bough.links.model import Link

LINK_CLICK_ID = "{link_click_id}"
"""Stands in an address where the click's id goes. Braces from outside are always percent-encoded, so it is unique."""

PageName = Literal["og", "deepview", "passive_deepview", "desktop", "open_app", "nativelink", "not_found", ""]


class ClickRequest(Struct, frozen=True, kw_only=True):
    """One GET of a link, as far as it matters for where the visitor goes."""

    app: App
    link: Link | None
    """None when there is no such link (or it has expired or was deleted)."""
    agent: Agent
    test: bool = False
    query: Query = ()
    """What was appended to the link; for a long link the whole query (`bough.clicks.query`)."""
    web_only: bool = False
    """The visitor came through `/e/…` or a `-web` host."""
    country: str = ""
    """ISO 3166 alpha-2 of the address, any case; empty when unknown."""
    installed: bool = False
    """The server has seen this browser or device open the app; `?has_app=true|false` overrules it."""
    one_time_used: bool = False
    """The link is a one-time link and was used before."""
    link_url: str = ""
    """The link as people see it, e.g. `https://acme.app.link/abc`; made from the link when empty."""
    alternate: str = ""
    """Host of the alternate domain; when empty the app's own `alternate` domain of the environment."""
    from_button: bool = False
    """The visitor pressed a page's button, so came through the alternate domain and the app did not open: no deepview
    again, on to the store."""


class Decision(Struct, frozen=True, kw_only=True):
    """Where a click goes. Every address is plain ASCII without control characters and may hold LINK_CLICK_ID.

    At most one of `target` and `fallback` is set; both are without the appended parameters, which
    `bough.clicks.decision.location` adds.
    """

    kind: Literal["redirect", "page"]
    """`redirect`: 307 to `target`. `page`: 200 (404 for `not_found`) with the page named in `page`."""
    page: PageName = ""
    """`og`: preview tags for scrapers. `deepview`: content and a button (`cta_url`). `passive_deepview`: the same, but
    it goes to `target` at once. `desktop`: the app by text message or QR code. `open_app`: tries `app_url`, then after
    `timeout_ms` goes to `fallback` (stays when there is none). `nativelink`: copies the link, then leads to `fallback`.
    `not_found`: 404, in plain text for programs."""
    target: str | None = None
    """Where the visitor is sent at once."""
    fallback: str | None = None
    """Where a page leads when the app does not open."""
    app_url: str | None = None
    """A URI-scheme or `intent://` address that `open_app` tries first."""
    timeout_ms: int = 0
    """How long to wait for the app before going to `fallback`."""
    rule: str
    """What decided, a key of `bough.clicks.decision.rules.RULES`."""
    target_rule: str = ""
    """What gave `target` or `fallback`; the same as `rule` when nothing stands before it."""
    reason: str
    """One sentence that names the key that decided."""
    appends: bool = False
    """Whether `_branch_match_id` and `_branch_referrer` are appended to the target: web targets only, never stores."""
    parameters: Query = ()
    """Forwarded query parameters and `utm_*` that are appended to the target, too."""
    link: Link | None = None
    """The link with the click's query laid over it; what pages and the click's record show."""
    link_url: str = ""
    """The link as people see it."""
    cta_url: str | None = None
    """The same link on the alternate domain, for a page's button: there the system opens the app."""
    template: str = ""
    """Name of the deepview template."""
    after_click_url: str | None = None
    """Where the browser tab goes after the app or store has opened (iOS and desktop)."""
    process: bool = True
    """False for `$do_not_process`: the click is not counted."""
    attribute: bool = True
    """False for `$deeplink_no_attribution`: data is passed on, credit is not given."""
    deep_links: bool = True
    """False when a one-time link was used before: the app gets no data."""
