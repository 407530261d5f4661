"""A decision as an HTTP answer: the redirect or the page it names."""

from __future__ import annotations

from starlette.responses import Response

from bough.clicks.decision.explain import explain
from bough.clicks.decision.location import Prepared
from bough.clicks.decision.model import ClickRequest, Decision
from bough.clicks.pages import documents
from bough.clicks.pages.preview import Preview, preview
from bough.clicks.pages.rendering import HtmlPage
from bough.links.document import full_data

REDIRECT_STATUS = 307

UNKNOWN = b"There is no such link.\n"
"""What programs read of a link that leads people to the page that says the same."""


def answer(
    asked: ClickRequest, decision: Decision, prepared: Prepared, click_id: int, *, page: bool = True
) -> Response:
    """The response for a click that is on disk as `click_id`; `page` is as for `not_found`."""
    if decision.kind == "redirect":
        headers = {"Location": prepared.url(click_id), "Cache-Control": "no-store"}
        return Response(b"", REDIRECT_STATUS, headers)
    link = decision.link or asked.link
    if decision.page == "not_found" or link is None:
        home = asked.app.config.default_desktop_url
        return not_found(documents.NotFoundPage(app_name=asked.app.name, home_url=home), page=page)
    shown = preview(full_data(link, decision.link_url), asked.app, decision.link_url)
    return as_response(_page(decision, shown, prepared, click_id))


def not_found(shown: documents.NotFoundPage | None = None, *, page: bool) -> Response:
    """404: a page, or one line of text for programs that ask for none (`bough.clicks.faults.wants_page`)."""
    if page:
        return as_response(documents.not_found(shown))
    return Response(UNKNOWN, 404, {"Cache-Control": "no-store"}, "text/plain")


def debug(asked: ClickRequest, decision: Decision, user_agent: str) -> Response:
    """`?debug=1`: what every platform would get, and why."""
    link = decision.link or asked.link
    link_url = decision.link_url or asked.link_url
    others = explain(
        asked.link,
        asked.app,
        test=asked.test,
        query=asked.query,
        web_only=asked.web_only,
        country=asked.country,
        link_url=asked.link_url,
    )
    routes = [_route("This visitor", decision, current=True), *(_route(name, found) for name, found in others)]
    page = documents.DebugPage(
        link_url=link_url,
        routes=tuple(routes),
        data=full_data(link, link_url) if link else {},
        user_agent=user_agent,
    )
    return as_response(documents.debug(page))


def destination(decision: Decision) -> str:
    """Where a decision leads, in words when it is a page of ours."""
    return decision.target or f"{decision.page} page" + (f", then {decision.fallback}" if decision.fallback else "")


def as_response(page: HtmlPage) -> Response:
    """A page as a response."""
    return Response(page.body, page.status, dict(page.headers))


def _route(platform: str, decision: Decision, current: bool = False) -> documents.DebugRoute:
    return documents.DebugRoute(
        platform=platform,
        target=destination(decision),
        rule=decision.rule,
        reason=decision.reason,
        current=current,
    )


def _page(decision: Decision, shown: Preview, prepared: Prepared, click_id: int) -> HtmlPage:
    if decision.page == "og":
        return documents.og(documents.OgPage(preview=shown, link_url=decision.link_url))
    after_click = decision.after_click_url or ""
    url = prepared.url(click_id)
    if decision.page == "desktop":
        return documents.desktop(documents.DesktopPage(preview=shown, link_url=decision.link_url))
    if decision.page == "nativelink":
        return documents.nativelink(
            documents.NativeLinkPage(
                preview=shown, link_url=decision.link_url, store_url=url, after_click_url=after_click
            )
        )
    if decision.page == "open_app":
        return documents.open_app(
            documents.OpenAppPage(
                preview=shown,
                open_url=prepared.app_url(click_id),
                fallback_url=url,
                timeout_ms=decision.timeout_ms,
                after_click_url=after_click,
            )
        )
    return _deepview(decision, shown, url)


def _deepview(decision: Decision, shown: Preview, url: str) -> HtmlPage:
    passive = decision.page == "passive_deepview"
    page = documents.DeepviewPage(
        preview=shown,
        cta_url=url if passive else decision.cta_url or url,
        web_url=url if decision.appends else "",
        after_click_url=decision.after_click_url or "",
    )
    return documents.passive_deepview(page) if passive else documents.deepview(page)
