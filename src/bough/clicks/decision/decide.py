"""Where a click goes: one pure function from a ClickRequest to a Decision (docs/clicks.md).

The rows of the contract's table are asked in this order: unknown link; robot; social scraper; program; links that are
web-only; then the visitor's platform.
"""

from __future__ import annotations

from bough.clicks.decision.app_targets import for_person
from bough.clicks.decision.model import ClickRequest, Decision
from bough.clicks.decision.visit import PLATFORMS, called, visit
from bough.clicks.decision.web_targets import for_program, for_robot, for_social, for_web_only
from bough.links.addresses import SafeAddress
from bough.links.targets import read_target

__all__ = ["ClickRequest", "Decision", "decide"]


def decide(request: ClickRequest) -> Decision:
    """Where the click goes and why."""
    if request.link is None:
        return _unknown(request)
    seen = visit(request, request.link)
    kind = request.agent.kind
    if kind == "robot":
        return for_robot(seen)
    if kind == "social":
        return for_social(seen)
    if kind == "program":
        return for_program(seen)
    return for_web_only(seen) or for_person(seen)


def _unknown(request: ClickRequest) -> Decision:
    config = request.app.config
    name = called(request.agent)
    mobile = request.agent.os in PLATFORMS
    for url in (config.web_url, "" if mobile else config.default_desktop_url):
        address = read_target(url, config) if url else None
        if isinstance(address, SafeAddress):
            reason = f"{name}: there is no such link, so the app's default URL is used."
            rule = "unknown_link_default"
            return Decision(kind="redirect", target=address.url, rule=rule, target_rule=rule, reason=reason)
    reason = f"{name}: there is no such link, and the app has no default URL."
    return Decision(kind="page", page="not_found", rule="unknown_link", reason=reason)
