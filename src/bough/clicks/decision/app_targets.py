"""Where people go on their own platform (docs/clicks.md, rows iOS to `$ios_nativelink`).

First the target: the link's own key for the platform, a deepview, `$fallback_url`, the app's settings. Then the way to
it: NativeLink, an attempt to open the app, a deepview that passes by, or a plain redirect.
"""

from __future__ import annotations

from itertools import chain

from bough.agents.agent import Agent
from bough.clicks.decision import controls
from bough.clicks.decision.app_urls import attempt, target_as_app_url, timeout_ms
from bough.clicks.decision.candidates import Candidate, Choice, fallback_keys, from_app, from_link, pick, platform_keys
from bough.clicks.decision.model import Decision
from bough.clicks.decision.outcome import after_click_url, cta_url, goal, page, redirect
from bough.clicks.decision.visit import Visit

DEEPVIEW_KEYS = {"ios": "$ios_deepview", "android": "$android_deepview", "desktop": "$desktop_deepview"}
PASSIVE_KEYS = {"ios": "$ios_passive_deepview", "android": "$android_passive_deepview"}
PASSIVE_FROM_IOS = (10, 3)
"""From this version on Safari shows a passive deepview by default."""


def for_person(seen: Visit) -> Decision:
    """The target for the visitor's platform and the way to it."""
    own = list(from_link(seen, platform_keys(seen)))
    rest = list(chain(from_link(seen, fallback_keys(seen)), from_app(seen)))
    choice = pick(seen, own)
    template, template_key = _deepview(seen)
    if choice.candidate:
        template = ""
    else:
        found = pick(seen, rest)
        choice = Choice(found.candidate, found.address, choice.notes + found.notes)
    following = _after(choice, own + rest)
    if _nativelink(seen, choice, template):
        return _nativelink_page(seen, _on_the_web(seen, choice, following))
    if template and not seen.request.from_button:
        return _deepview_page(seen, _on_the_web(seen, choice, following), template, template_key)
    return _lead(seen, choice, following)


def _lead(seen: Visit, choice: Choice, following: list[Candidate]) -> Decision:
    """How to get to the chosen target: through the app, past a deepview, or straight."""
    if choice.address and not choice.address.is_web:
        return _open_target(seen, choice, pick(seen, following, "web"))
    tried = None if choice.candidate and choice.candidate.rule == "ios_has_app_url" else attempt(seen)
    if tried:
        scheme = tried.url.partition(":")[0] if tried.rule == "open_app_scheme" else "intent"
        said = f"tries {scheme}:// first, as {tried.why}, and then goes to {goal(choice)}"
        return page(seen, "open_app", choice, said, tried.rule, app_url=tried.url, **_opening(seen))
    if choice.is_store and (why := _passing(seen)):
        rule = "after_click" if why == "after_click" else "passive_deepview"
        said = f"goes to {goal(choice)} past a deepview" + (
            ", so that the tab can follow $after_click_url" * (rule == why)
        )
        name = _deepview(seen)[0] or controls.DEFAULT_TEMPLATE
        return page(seen, "passive_deepview", choice, said, rule, template=name, cta_url=cta_url(seen), **_left(seen))
    if choice.candidate:
        return redirect(seen, choice, f"goes to {goal(choice)}")
    return _nothing_set(seen, choice)


def _nothing_set(seen: Visit, choice: Choice) -> Decision:
    more = {"cta_url": cta_url(seen), **_left(seen)}
    if not seen.is_mobile:
        return page(
            seen,
            "desktop",
            choice,
            "gets the page that offers the app, as no $desktop_url is set",
            "hosted_page",
            **more,
        )
    said = "gets the link's own page, as neither the link nor the app names a target for it"
    return page(seen, "deepview", choice, said, "landing_page", template=controls.DEFAULT_TEMPLATE, **more)


def _open_target(seen: Visit, choice: Choice, then: Choice) -> Decision:
    """The chosen target is an address in an app: try it, then go on with the next one on the web."""
    address = choice.address
    app_url = target_as_app_url(address) if address else ""
    said = f"tries {goal(choice)}, an address in an app, and then goes to {goal(then)}"
    following = Choice(then.candidate, then.address, choice.notes + then.notes)
    return page(seen, "open_app", following, said, "open_app_target", app_url=app_url, **_opening(seen))


def _deepview_page(seen: Visit, choice: Choice, template: str, key: str) -> Decision:
    rule = "link_deepview" if controls.text(seen.data, key) or controls.is_true(seen.data, key) else "app_deepview"
    who = f"the link's {key}" if rule == "link_deepview" else "the app's settings"
    said = f"shows the deepview {template} of {who}, which leads to {goal(choice, 'the app')}"
    return page(seen, "deepview", choice, said, rule, template=template, cta_url=cta_url(seen), **_left(seen))


def _nativelink_page(seen: Visit, choice: Choice) -> Decision:
    who = (
        "the link's $ios_nativelink"
        if controls.is_true(seen.data, "$ios_nativelink")
        else "the app's NativeLink setting"
    )
    said = f"copies the link before going to {goal(choice)}, as {who} is on"
    name = _deepview(seen)[0] or controls.DEFAULT_TEMPLATE
    return page(seen, "nativelink", choice, said, "nativelink", template=name, cta_url=cta_url(seen), **_left(seen))


def _nativelink(seen: Visit, choice: Choice, template: str) -> bool:
    """The link's own word counts always; the app's setting only on the way to a store or deepview."""
    if seen.platform != "ios" or seen.request.from_button or controls.is_false(seen.data, "$ios_nativelink"):
        return False
    if controls.is_true(seen.data, "$ios_nativelink"):
        return True
    return seen.config.ios_nativelink and not seen.has_app and (choice.is_store or bool(template))


def _deepview(seen: Visit) -> tuple[str, str]:
    """The template for the visitor's platform (empty: none) and the key that can name it."""
    key = DEEPVIEW_KEYS.get(seen.platform, "")
    config = seen.config
    settings = {"ios": config.deepview_ios, "android": config.deepview_android, "desktop": config.deepview_desktop}
    return controls.template(seen.data, key, settings.get(seen.platform, "")), key


def _passing(seen: Visit) -> str:
    """Why the way to a store leads past a page: `passive`, `after_click`, or empty for a plain redirect."""
    key = PASSIVE_KEYS.get(seen.platform, "")
    wanted = controls.template(seen.data, key, "") or (
        passes_by_default(seen.agent) and not controls.is_false(seen.data, key)
    )
    if wanted and not seen.request.from_button:
        return "passive"
    return "after_click" if seen.platform == "ios" and after_click_url(seen) else ""


def passes_by_default(agent: Agent) -> bool:
    if agent.os != "ios":
        return False
    version = tuple(int(part) for part in agent.os_version.split(".")[:2] if part.isdigit() and len(part) < 5)
    return agent.browser == "Facebook" or (agent.browser == "Safari" and version >= PASSIVE_FROM_IOS)


def _on_the_web(seen: Visit, choice: Choice, following: list[Candidate]) -> Choice:
    """The choice, or the next one on the web when it is an address in an app: pages lead to the web alone."""
    if choice.address is None or choice.address.is_web:
        return choice
    return pick(seen, following, "web")


def _after(choice: Choice, candidates: list[Candidate]) -> list[Candidate]:
    return candidates[candidates.index(choice.candidate) + 1 :] if choice.candidate else []


def _opening(seen: Visit) -> dict[str, object]:
    return {"timeout_ms": timeout_ms(seen), **_left(seen)}


def _left(seen: Visit) -> dict[str, object]:
    return {"after_click_url": after_click_url(seen)}
