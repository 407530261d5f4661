"""What would happen: one click, a delay and one open, attributed and explained, writing nothing (`POST /api/simulate`).

It runs the very functions that read the journal, on two rows that exist only here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from bough.attribution.replay.explain import Explanation, explain
from bough.attribution.replay.read import Attributed, always, attribute
from bough.attribution.rules.matching import Candidates, Match, match
from bough.attribution.rules.openings import parse_opening, platform_of
from bough.attribution.rules.touches import LinkTable, ParseAgent, touch_of
from bough.errors import BadRequest
from bough.events.identifiers import extract, privacy
from bough.events.server_fields import ServerFields, server_fields_of, with_facts
from bough.links.document import full_data
from bough.links.model import Link
from bough.vocabulary.journal_rows import Click, JournalRow
from bough.vocabulary.values import text
from bough.vocabulary.windows import Windows

MAX_DELAY = 400 * 86_400_000
"""Milliseconds."""

_START = 1_700_000_000_000
_CLICK = 100_000_000_000_000_001
_OPEN = 100_000_000_000_000_002
_SOMEBODY = 100_000_000_000_000_003

PHONES = {"ios": "iOS", "android": "Android", "fire": "FIRE_OS"}
"""Systems that apps are installed on, as `bough.agents.agent` and as SDKs write them."""


class Scene(Struct, frozen=True, kw_only=True):
    """What to play."""

    link: Link
    delay: int
    """Milliseconds from click to open."""
    touch: Literal["click", "impression", "prefetch", "robot"] = "click"
    click: Click
    opening: Literal["install", "open"] = "install"
    body: dict[str, Any]
    """The open's request fields; `CLICK_ID` anywhere in their values becomes the click's id. What they do not say about
    the device is that of the clicking browser's."""
    facts: ServerFields = ServerFields()
    """Without an address: the click's."""


CLICK_ID = "CLICK_ID"


class Outcome(Struct, frozen=True, kw_only=True):
    """What would happen, and why."""

    result: Attributed
    explanation: Explanation


def simulate(scene: Scene, windows: Windows, parse: ParseAgent) -> Outcome:
    """Play the scene. Pure; the same scene gives the same outcome.

    Raises:
        BadRequest: the delay is negative or above 400 days.
    """
    if not 0 <= scene.delay <= MAX_DELAY:
        raise BadRequest("delay: must be between 0 and 400 days.")
    click = JournalRow(
        id=_CLICK,
        at=_START,
        app=scene.link.app,
        test=scene.link.test,
        kind=scene.touch,
        link=scene.link.id or None,
        body=_click_body(scene),
    )
    opened = JournalRow(
        id=_OPEN,
        at=_START + scene.delay,
        app=scene.link.app,
        test=scene.link.test,
        kind=scene.opening,
        body=with_facts(_opening_body(scene, parse), replace(scene.facts, ip=scene.facts.ip or scene.click.ip)),
    )
    links = LinkTable([scene.link])
    (result,) = attribute([click, opened], always(windows), links, parse)
    if result.match is not None and not result.match.considered:
        result = replace(result, match=_with_the_click(result.match, click, opened, links, parse))
    explanation = explain(result)
    if result.person:
        explanation = replace(explanation, person="A person who was never seen before.")
    return Outcome(result=result, explanation=explanation)


def _with_the_click(
    decided: Match, click: JournalRow, opened: JournalRow, links: LinkTable, parse: ParseAgent
) -> Match:
    """The match with what speaks against the only touch there is; a journal has too many to look at all of them."""
    opening = parse_opening(
        opened.body, "install" if opened.kind == "install" else "open", server_fields_of(opened.body)
    )
    nearby = Candidates(nearby=[touch_of(click, links, parse)])
    again = match(opening, opened.at, opened.app, opened.test, nearby, first_open=decided.guessing == "done")
    return replace(decided, considered=again.considered)


def _click_body(scene: Scene) -> dict[str, Any]:
    """A long link is not stored: its click holds its data."""
    click = scene.click if scene.link.id else replace(scene.click, data=full_data(scene.link, scene.click.url))
    body: dict[str, Any] = to_builtins(click)
    return body


def _opening_body(scene: Scene, parse: ParseAgent) -> dict[str, Any]:
    """The open's request, from the device that clicked when it names none, and from somebody when it names nobody."""
    body = _filled(scene.body)
    if not text(body.get("sdk")) and not text(body.get("os")):
        agent = parse(scene.click.user_agent)
        if agent.os in PHONES:
            body = {"os": PHONES[agent.os], "os_version": agent.os_version, "model": agent.model, **body}
    if not extract(body, {}, scene.facts, privacy(body, {})):
        somebody = "browser_fingerprint_id" if platform_of(body) == "web" else "hardware_id"
        body = {**body, somebody: str(_SOMEBODY)}
    return body


def _filled(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.replace(CLICK_ID, str(_CLICK)) if isinstance(value, str) else value for name, value in body.items()
    }
