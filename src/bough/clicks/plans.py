"""What happens to like visitors of a link, decided once for all of them.

A plan is kept with its link and serves every visitor of the same class (`Known.number`). For links that are clicked
for the first time, deciding from the beginning costs more than all the rest of a click, and most links of an app differ
only in their addresses. So what was decided for one link is learned as a `Lane`, which gives the same plan for links of
the same `shape_of`: the same control parameters, and addresses under the same keys. A lane is only taken where nothing
can make a difference (a redirect to the link's own first target, which is a plain web page); all else is decided in
full. Tests compare both ways for random links.
"""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

from bough.accounts.model import App
from bough.clicks import controls
from bough.clicks.agent import Agent
from bough.clicks.agents import parse
from bough.clicks.cache import Entry
from bough.clicks.candidates import fallback_keys, platform_keys
from bough.clicks.decide import decide
from bough.clicks.decision import ClickRequest, Decision
from bough.clicks.location import MATCH_ID, Prepared, prepare, referrer_pair
from bough.clicks.parameters import UTM_LABELS, takes_utm
from bough.clicks.people import passes_by_default
from bough.clicks.stores import is_store
from bough.clicks.visit import visit
from bough.journal import RowKind
from bough.links.addresses import Address, encode_value
from bough.links.document import link_url
from bough.links.model import Link
from bough.links.targets import read_target, target_use

MAX_KNOWN = 8192
MAX_LANES = 4096
MAX_PLANS = 64

SEEN_BY_ROBOTS = ("$og_", "$twitter_", "$canonical_")
"""Beginnings of control parameters that make previews and never decide where a person goes."""

_SWITCHES = (str, int, float, bool, type(None))


class Plan(NamedTuple):
    """What happens to a class of visitors of a link."""

    redirects: bool
    """Whether they are redirected and the click is counted; all else is answered the whole way."""
    rule: str
    location: tuple[bytes, ...]
    """The address to redirect to; the click's id goes between the pieces."""
    kind: RowKind


class Known(NamedTuple):
    """A User-Agent header that was seen before."""

    text: str
    agent: Agent
    number: int
    """Agents with the same number are sent to the same place by every link."""


class Lane(NamedTuple):
    """How links of one shape redirect one class of visitors: to the web page under `key`."""

    key: str
    rule: str
    appends: bool
    takes_utm: bool

    def prepared(self, link: Link, app: App) -> Prepared | None:
        """The address for a link, or None when it must be decided in full."""
        address = read_target(controls.text(link.data, self.key), app.config)
        if not isinstance(address, Address) or not address.is_web or address.authority == link.domain:
            return None
        rest = address.rest
        if "?" in rest or "#" in rest or is_store(address):
            return None
        url = f"{address.scheme}://{address.authority}{rest}"
        mark = "?"
        if self.takes_utm:
            for label, name in UTM_LABELS:
                if value := getattr(link, label):
                    url = f"{url}{mark}{name}={encode_value(value)}"
                    mark = "&"
        if not self.appends:
            return Prepared((url,), ("",))
        return Prepared((f"{url}{mark}{MATCH_ID}=", f"&{referrer_pair(link_url(link, app))}"), ("",))


class Plans:
    """Makes and keeps the plans of one process."""

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._next_number = count()
        self._lanes: dict[tuple[object, ...], tuple[App, Lane | None]] = {}

    def known(self, user_agent: bytes) -> Known:
        """What a User-Agent header says."""
        found = self._known.get(user_agent)
        if found is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
                self._numbers.clear()
            text = user_agent.decode("latin-1")
            agent = parse(text)
            found = self._known[user_agent] = Known(text, agent, self._number(agent))
        return found

    def plan(self, entry: Entry, agent: Known, country: str, web_only: bool, installed: bool) -> Plan:
        """What happens to a visitor of a link."""
        key = (agent.number, country, web_only, installed)
        plan: Plan | None = entry.plans.get(key)
        if plan is None:
            if len(entry.plans) >= MAX_PLANS:
                entry.plans.clear()
            plan = entry.plans[key] = self._make(entry, agent.agent, key)
        return plan

    def _number(self, agent: Agent) -> int:
        # Versions matter to a decision only where passive deepviews begin; so the plans of a link stay few.
        model = agent.model if agent.os == "ios" else ""
        passes = passes_by_default(agent)
        like = (agent.kind, agent.os, agent.device, agent.brand, model, agent.browser, passes)
        if like not in self._numbers:
            self._numbers[like] = next(self._next_number)
        return self._numbers[like]

    def _make(self, entry: Entry, agent: Agent, key: tuple[int, str, bool, bool]) -> Plan:
        link, app = entry.link, entry.app
        number, country, web_only, installed = key
        shape = None if web_only or agent.kind != "browser" else shape_of(link)
        place = (app.id, number, country, installed, shape)
        learned_from, lane = self._lanes.get(place, (None, None))
        if lane is not None and learned_from is app and (prepared := lane.prepared(link, app)) is not None:
            return Plan(True, lane.rule, prepared.around_click_id(), "click")
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
        if shape is not None and learned_from is not app:
            if len(self._lanes) >= MAX_LANES:
                self._lanes.clear()
            self._lanes[place] = (app, learn(request, decision))
        kind: RowKind = "robot" if agent.kind in ("robot", "social") else "click"
        redirects = decision.kind == "redirect" and decision.process
        return Plan(redirects, decision.rule, prepare(decision).around_click_id(), kind)


def shape_of(link: Link) -> tuple[str, ...] | None:
    """What of a stored link decides where people go, besides the addresses; None when that is hard to say."""
    words = [f"type={link.type}", f"test={link.test}"]
    for key, value in link.data.items():
        if not key.startswith("$") or key.startswith(SEEN_BY_ROBOTS):
            continue
        if target_use(key) == "redirect":
            if controls.text(link.data, key):
                words.append(key)
        elif isinstance(value, _SWITCHES):
            words.append(f"{key}={value!r}")
        else:
            return None
    words.sort()
    return tuple(words)


def learn(request: ClickRequest, decision: Decision) -> Lane | None:
    """The lane that leads to this decision for every link of the same shape, if there is one."""
    link = request.link
    if link is None or decision.kind != "redirect" or not decision.process or decision.rule != decision.target_rule:
        return None
    seen = visit(request, link)
    own = ((key, rule) for key, rule in (*platform_keys(seen), *fallback_keys(seen)) if controls.text(link.data, key))
    key, rule = next(own, ("", ""))
    if rule != decision.rule:
        return None  # decided by the app's settings, or the first target was passed over
    lane = Lane(key, rule, decision.appends, takes_utm(seen, key))
    return lane if lane.prepared(link, request.app) == prepare(decision) else None
