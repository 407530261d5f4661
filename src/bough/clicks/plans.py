"""What happens to like visitors of a link, decided once for all of them.

A plan is kept with its link and serves every visitor of the same class. Classes are numbered, and the garbage collector
has nothing to do with a dictionary of numbers and plans: tuples for keys cost a fifth of a link's first click, and
stopped a worker for 50 ms now and then.

For links that are clicked for the first time, deciding from the beginning costs more than all the rest of a click, and
most links of an app differ only in their addresses. So what was decided for one link is learned as a `Lane`, which
gives the same plan for links of the same shape (`bough.clicks.decision.link_shapes`). A lane is only taken where
nothing can make a
difference (a redirect to the link's own first target, which is a plain web page); all else is decided in full. Tests
compare both ways for random links.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from typing import NamedTuple

from msgspec import Struct

from bough.accounts.model import App
from bough.agents.agent import Agent
from bough.agents.recognition import parse, usual_hints
from bough.clicks.decision import controls
from bough.clicks.decision.app_stores import HOSTS_WITH_STORES
from bough.clicks.decision.app_targets import passes_by_default
from bough.clicks.decision.appended import UTM_LABELS, takes_utm
from bough.clicks.decision.candidates import fallback_keys, platform_keys
from bough.clicks.decision.decide import decide
from bough.clicks.decision.location import MATCH_ID, prepare
from bough.clicks.decision.model import ClickRequest, Decision
from bough.clicks.decision.visit import visit
from bough.clicks.link_cache import CachedLink
from bough.links.addresses import Refused, encode_value, plain_page_host
from bough.links.document import link_url
from bough.links.targets import read_target
from bough.vocabulary.journal_rows import RowKind

MAX_KNOWN = 8192
MAX_CLASSES = 8192
MAX_LANES = 4096
MAX_PLANS = 64


class ClickPlan(Struct, frozen=True, gc=False):
    """What happens to a class of visitors of a link."""

    redirects: bool
    """Whether they are redirected and the click is counted; all else is answered by the slow path."""
    rule: str
    location: tuple[bytes, ...]
    """The address to redirect to; the click's id goes between the pieces."""
    kind: RowKind


class Known(Struct, frozen=True, gc=False):
    """A User-Agent header that was seen before."""

    text: str
    agent: Agent
    number: int
    """Agents with the same number are sent to the same place by every link."""
    hints: tuple[bytes, bytes]
    """`Sec-CH-UA-Platform` and `-Mobile` of a browser that is what it says."""


class Lane(NamedTuple):
    """How links of one shape redirect one class of visitors: to the web page under `key`."""

    key: str
    rule: str
    appends: bool
    takes_utm: bool

    def location(self, entry: CachedLink) -> tuple[bytes, ...] | None:
        """`Plan.location` of a link, or None when it must be decided in full."""
        link, config = entry.link, entry.app.config
        page = link.data[self.key]
        host = plain_page_host(page)
        if not host or host == link.domain or host in HOSTS_WITH_STORES:
            return None
        if config.redirect_allowlist and isinstance(read_target(page, config), Refused):
            return None
        utm = utm_query(link.campaign, link.channel, link.feature) if self.takes_utm else ""
        if not self.appends:
            return (f"{page}?{utm}".encode() if utm else page.encode(),)
        joined = f"{page}?{utm}&{MATCH_ID}=" if utm else f"{page}?{MATCH_ID}="
        return joined.encode(), entry.referrer


@lru_cache(maxsize=4096)
def utm_query(*labels: str | None) -> str:
    """`utm_*` for the values of UTM_LABELS: a campaign's links share them."""
    named = zip(labels, UTM_LABELS, strict=True)
    return "&".join(f"{parameter}={encode_value(value)}" for value, (_, parameter) in named if value)


class Plans:
    """Makes and keeps the plans of one process."""

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._next_number = count()
        self._classes: dict[tuple[int, str, bool, bool], int] = {}
        """Numbers of visitors' classes: agent number, country, web only, installed. No number is used again."""
        self._next_class = count()
        self._lanes: dict[tuple[int, int, int], tuple[App, Lane | None]] = {}
        """By app, shape and class of visitors: the lane, and the state of the app for which it holds."""

    def known(self, user_agent: bytes) -> Known:
        """What a User-Agent header says."""
        found = self._known.get(user_agent)
        if found is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
                self._numbers.clear()
            text = user_agent.decode("latin-1")
            agent = parse(text)
            found = self._known[user_agent] = Known(text, agent, self._number(agent), usual_hints(agent))
        return found

    def plan(self, entry: CachedLink, agent: Known, country: str, web_only: bool, installed: bool) -> ClickPlan:
        """What happens to a visitor of a link."""
        visitor = (agent.number, country, web_only, installed)
        number = self._classes.get(visitor)
        if number is None:
            number = self._new_class(visitor)
        if entry.visitors == number:
            first: ClickPlan = entry.plan
            return first
        found: ClickPlan | None = entry.others.get(number) if entry.others else None
        if found is None:
            found = self._make(entry, agent.agent, number, country, web_only, installed)
            _keep(entry, number, found)
        return found

    def _new_class(self, visitor: tuple[int, str, bool, bool]) -> int:
        if len(self._classes) >= MAX_CLASSES:
            self._classes.clear()
        number = self._classes[visitor] = next(self._next_class)
        return number

    def _number(self, agent: Agent) -> int:
        # Versions matter to a decision only where passive deepviews begin; so the plans of a link stay few.
        model = agent.model if agent.os == "ios" else ""
        passes = passes_by_default(agent)
        like = (agent.kind, agent.os, agent.device, agent.brand, model, agent.browser, passes)
        if like not in self._numbers:
            self._numbers[like] = next(self._next_number)
        return self._numbers[like]

    def _make(
        self, entry: CachedLink, agent: Agent, number: int, country: str, web_only: bool, installed: bool
    ) -> ClickPlan:
        link, app = entry.link, entry.app
        shape = 0 if web_only or agent.kind != "browser" else entry.shape
        place = (app.id, shape, number)
        learned_from, lane = self._lanes.get(place, (None, None))
        if lane is not None and learned_from is app and (location := lane.location(entry)) is not None:
            return ClickPlan(True, lane.rule, location, "click")
        request = ClickRequest(
            app=app,
            link=link,
            agent=agent,
            test=link.test,
            web_only=web_only,
            country=country,
            installed=installed,
            link_url=link_url(link, app),
        )
        decision = decide(request)
        if shape and learned_from is not app:
            if len(self._lanes) >= MAX_LANES:
                self._lanes.clear()
            self._lanes[place] = (app, learn(entry, request, decision))
        kind: RowKind = "robot" if agent.kind in ("robot", "social") else "click"
        redirects = decision.kind == "redirect" and decision.process
        return ClickPlan(redirects, decision.rule, prepare(decision).around_click_id(), kind)


def _keep(entry: CachedLink, number: int, plan: ClickPlan) -> None:
    if entry.visitors < 0:
        entry.visitors, entry.plan = number, plan
    elif entry.others is None or len(entry.others) >= MAX_PLANS:
        entry.others = {number: plan}
    else:
        entry.others[number] = plan


def learn(entry: CachedLink, request: ClickRequest, decision: Decision) -> Lane | None:
    """The lane that leads to this decision for every link of the same shape, if there is one."""
    link = entry.link
    if decision.kind != "redirect" or not decision.process or decision.rule != decision.target_rule:
        return None
    seen = visit(request, link)
    own = ((key, rule) for key, rule in (*platform_keys(seen), *fallback_keys(seen)) if controls.text(link.data, key))
    key, rule = next(own, ("", ""))
    if rule != decision.rule:
        return None  # decided by the app's settings, or the first target was passed over
    lane = Lane(key, rule, decision.appends, takes_utm(seen, key))
    return lane if lane.location(entry) == prepare(decision).around_click_id() else None
