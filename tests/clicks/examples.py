"""An app and links for deciding about."""

from __future__ import annotations

from typing import Any

from bough.accounts.model import App, AppConfig, Domain
from bough.agents.recognition import parse
from bough.clicks.decision.decide import ClickRequest, Decision, decide
from bough.links.model import Link

APP_STORE = "https://apps.apple.com/us/app/acme/id123456789"
PLAY_STORE = "https://play.google.com/store/apps/details?id=com.acme.shop&referrer=link_click_id%3D{link_click_id}"
DEFAULT = "https://acme.com/app"
DESKTOP = "https://acme.com/desktop"
ALTERNATE = "https://acme-alternate.app.link/spring"
INTENT = "intent://open?link_click_id={link_click_id}#Intent;scheme=acme;package=com.acme.shop;end"

STORES: dict[str, Any] = {
    "ios_app": 1,
    "ios_url": APP_STORE,
    "android_app": 1,
    "android_package_name": "com.acme.shop",
}
"""Settings of an app that is in both stores."""

SCHEMES: dict[str, Any] = {"ios_uri_scheme": "acme://", "android_uri_scheme": "acme"}
"""Settings of an app that can be opened by its scheme."""

DOMAINS = (
    Domain(host="acme.app.link", app=1),
    Domain(host="acme-alternate.app.link", app=1, kind="alternate"),
    Domain(host="acme.test-app.link", app=1, test=True),
    Domain(host="acme-alternate.test-app.link", app=1, test=True, kind="alternate"),
)


def app(**config: Any) -> App:
    """The app Acme with these settings and nothing else."""
    return App(id=1, organization=1, name="Acme", config=AppConfig(**config), domains=DOMAINS)


def link(data: dict[str, Any] | None = None, **fields: Any) -> Link:
    """The link https://acme.app.link/spring with this data."""
    return Link(
        id=1364964166783226677, app=1, test=False, domain="acme.app.link", path="spring", data=data or {}, **fields
    )


def click(
    user_agent: str,
    data: dict[str, Any] | None = None,
    *,
    config: dict[str, Any] | None = None,
    labels: dict[str, Any] | None = None,
    **request: Any,
) -> Decision:
    """Decide about one click by this User-Agent on a link with this data, in an app with this configuration."""
    return decide(
        ClickRequest(app=app(**(config or {})), link=link(data, **(labels or {})), agent=parse(user_agent), **request)
    )
