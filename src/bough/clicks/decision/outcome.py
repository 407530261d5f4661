"""Writing down a decision: the parts that every redirect and page has in common."""

from __future__ import annotations

from typing import Any

from bough.clicks.decision import controls, merge
from bough.clicks.decision.app_stores import with_referrer
from bough.clicks.decision.appended import parameters, takes_parameters
from bough.clicks.decision.candidates import Choice
from bough.clicks.decision.model import Decision, PageName
from bough.clicks.decision.visit import Visit, called
from bough.clicks.query import written
from bough.links.addresses import SafeAddress, encode
from bough.links.targets import read_target

AFTER_CLICK_KEYS = {"ios": "$after_click_url", "desktop": "$afterclick_desktop_url"}
"""Where the tab left behind goes, on the platforms that support it."""

MAX_NOTES = 3
"""Refused targets that a reason names."""


def redirect(visit: Visit, choice: Choice, said: str, rule: str = "") -> Decision:
    """307 to the chosen target; `said` completes `iPhone: …`."""
    url = with_referrer(choice.address) if choice.address else None
    return _decision(visit, choice, said, rule, kind="redirect", target=url)


def page(visit: Visit, name: PageName, choice: Choice, said: str, rule: str, **more: Any) -> Decision:
    """A page that leads to the chosen target, if there is one."""
    url = with_referrer(choice.address) if choice.address else None
    where = "target" if name == "passive_deepview" else "fallback"
    return _decision(visit, choice, said, rule, kind="page", page=name, **{where: url}, **more)


def goal(choice: Choice, nowhere: str = "its own page") -> str:
    """What a sentence calls the chosen target."""
    return choice.candidate.said if choice.candidate else nowhere


def after_click_url(visit: Visit) -> str | None:
    """The checked address for the tab that stays behind, or None."""
    url = controls.text(visit.data, AFTER_CLICK_KEYS.get(visit.platform, ""))
    address = read_target(url, visit.config) if url else None
    return address.url if isinstance(address, SafeAddress) and address.is_web else None


def cta_url(visit: Visit) -> str | None:
    """The link with its query on the alternate domain, where a tap opens the app; None without such a domain."""
    request = visit.request
    domain = request.app.domain(request.test, "alternate")
    host = request.alternate or (domain.host if domain else "")
    scheme, separator, rest = visit.link_url.partition("://")
    if not host or not separator:
        return None
    _, slash, path = rest.partition("?")[0].partition("/")
    pairs = "&".join(map(written, merge.accepted(request.query)))
    return f"{scheme}://{encode(host)}{slash}{encode(path)}{'?' if pairs else ''}{pairs}"


def because(notes: tuple[str, ...]) -> str:
    """`, because the link's $ios_url …` for what was passed over."""
    return f", because {' and '.join(notes[:MAX_NOTES])}" if notes else ""


def _decision(visit: Visit, choice: Choice, said: str, rule: str, **where: Any) -> Decision:
    target_rule = choice.candidate.rule if choice.candidate else ""
    return Decision(
        rule=rule or target_rule,
        target_rule=target_rule,
        reason=f"{called(visit.agent)}: {said}{because(choice.notes)}.",
        appends=visit.config.append_match_params and takes_parameters(visit, choice),
        parameters=parameters(visit, choice),
        link=visit.link,
        link_url=visit.link_url,
        process=not controls.is_true(visit.data, "$do_not_process"),
        attribute=not controls.is_true(visit.data, "$deeplink_no_attribution"),
        deep_links=not visit.request.one_time_used,
        **where,
    )
