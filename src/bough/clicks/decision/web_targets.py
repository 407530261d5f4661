"""Visits that end on the web whatever app there is: robots, scrapers, programs, and links that are web-only."""

from __future__ import annotations

from collections.abc import Iterator

from bough.clicks.decision import controls
from bough.clicks.decision.candidates import (
    CONTENT_KEYS,
    Candidate,
    Choice,
    Keys,
    fallback_keys,
    from_link,
    pick,
    platform_keys,
    store_settings,
    web_settings,
)
from bough.clicks.decision.model import Decision
from bough.clicks.decision.outcome import goal, page, redirect
from bough.clicks.decision.visit import Visit

DESKTOP: Keys = (("$desktop_url", "desktop_url"),)
FALLBACK: Keys = (("$fallback_url", "fallback_url"),)
PHONES: Keys = (("$ios_url", "ios_url"), ("$android_url", "android_url"))


def for_robot(visit: Visit) -> Decision:
    """Search engines and unknown robots: `$fallback_url`, which overrides even the preview, else the web target."""
    fallback = pick(visit, from_link(visit, FALLBACK), "web")
    if fallback.candidate:
        return redirect(visit, fallback, f"goes to {goal(fallback)}, like every robot", "robot_fallback")
    web = _with_notes(_web(visit, DESKTOP), fallback)
    if web.candidate:
        return redirect(visit, web, f"goes to {goal(web)}, which is the link's place on the web", "robot_web")
    return page(visit, "og", web, "gets the preview page, as no web target is set", "robot_page")


def for_social(visit: Visit) -> Decision:
    """Link previews: `$og_redirect`, or the page of tags, or the page behind `$fallback_url` (docs/clicks.md)."""
    away = pick(visit, from_link(visit, (("$og_redirect", "social_redirect"),)), "web")
    if away.candidate:
        return redirect(visit, away, f"takes its preview from {goal(away)}")
    fallback = pick(visit, from_link(visit, FALLBACK), "web")
    has_tags = any(key.startswith("$og_") and value not in (None, "") for key, value in visit.data.items())
    if fallback.candidate and (visit.config.og_for_social == "branch" or not has_tags):
        return redirect(visit, fallback, f"follows {goal(fallback)} and takes that page's preview", "social_fallback")
    web = _web(visit, (*DESKTOP, *FALLBACK))
    because_of = "its $og_ keys" if has_tags else "its own or the app's preview settings"
    return page(visit, "og", web, f"gets the link's preview page with {because_of}", "social_og")


def for_program(visit: Visit) -> Decision:
    """curl, node, HTTP libraries: one plain redirect to the web target, and the preview page where there is none."""
    first = (*fallback_keys(visit), *DESKTOP) if is_web_only(visit) else (*DESKTOP, *fallback_keys(visit))
    web = _web(visit, first)
    if web.candidate:
        return redirect(visit, web, f"is no browser and goes straight to {goal(web)}", "program_web")
    return page(visit, "og", web, "gets the preview page, as no web target is set", "program_page")


def is_web_only(visit: Visit) -> bool:
    """Whether the link never opens the app: `$web_only`, `/e/…` or a `-web` host."""
    return visit.request.web_only or controls.is_true(visit.data, "$web_only")


def for_web_only(visit: Visit) -> Decision | None:
    """The web target of a link that is web-only on this platform, or None when it is not."""
    if is_web_only(visit):
        why = "the address is web-only" if visit.request.web_only else "$web_only is on"
        keys = (*fallback_keys(visit), *platform_keys(visit), *DESKTOP, *CONTENT_KEYS)
        return _forced(visit, keys, "web_only", why)
    keys = (*platform_keys(visit), *fallback_keys(visit), *CONTENT_KEYS)
    if visit.is_mobile and controls.is_true(visit.data, "$mobile_web_only"):
        return _forced(visit, keys, "mobile_web_only", "$mobile_web_only is on")
    if not visit.is_mobile and controls.is_true(visit.data, "$desktop_web_only"):
        return _forced(visit, keys, "desktop_web_only", "$desktop_web_only is on")
    if visit.is_mobile and controls.is_false(visit.data, "$always_deeplink"):
        return _forced(visit, keys, "always_deeplink_off", "$always_deeplink is false")
    return None


def _forced(visit: Visit, keys: Keys, rule: str, why: str) -> Decision:
    choice = pick(visit, _candidates(visit, keys), "page")
    if choice.candidate:
        return redirect(visit, choice, f"goes to {goal(choice)}, as {why}", rule)
    said = f"shows the link's own page, as {why} and no web target is set"
    if visit.is_mobile:
        return page(visit, "deepview", choice, said, "web_only_page", template=controls.DEFAULT_TEMPLATE)
    return page(visit, "desktop", choice, said, "web_only_page")


def _web(visit: Visit, first: Keys) -> Choice:
    """The link's place on the web for those who have no platform: a page if there is any, else a store's page."""
    keys = (*first, *CONTENT_KEYS, *PHONES)
    found = pick(visit, _candidates(visit, keys), "page")
    if found.candidate:
        return found
    return pick(visit, [*_candidates(visit, keys), *store_settings(visit)], "web")


def _candidates(visit: Visit, keys: Keys) -> Iterator[Candidate]:
    yield from from_link(visit, keys)
    yield from web_settings(visit)


def _with_notes(choice: Choice, earlier: Choice) -> Choice:
    return Choice(choice.candidate, choice.address, (*earlier.notes, *choice.notes))
