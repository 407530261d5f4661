"""Deep linking: which click an opening belongs to, and so whose link data it is given (docs/sdk.md).

The ways are tried in this order, and the first that decides ends the search:

1. a click id that the request names: `link_identifier`, `link_click_id`, the store referrer. It is looked up as a
   click id, then as a browser id (→ that browser's newest click).
2. an address of one of the app's link domains that opened the app or lay on the pasteboard: a click made now.
3. an advertising or hardware id that was given on a click.
4. on an install or a person's first open only: the newest click from the same network address by the same kind of
   device inside the deep-link duration. Never guaranteed.

A known click that the request *names* decides, for or against: when it is too old or used up, nothing is guessed
instead. Matching says which data an app gets; who gets the *credit* is `bough.attribution.rules.windows`' answer and
uses longer windows.

The function compares fields of prefetched touches only and makes no text: that is `bough.attribution.replay.explain`'s
work, when someone asks.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from bough.attribution.rules.likeness import Likeness, compare
from bough.attribution.rules.openings import Evidence, Opening, Source
from bough.attribution.rules.touches import MAX_DURATION, Touch
from bough.events.identifiers import HARDWARE, Identifier

Way = Literal["click_id", "browser", "opened_url", "given_id", "probabilistic"]
DETERMINISTIC: frozenset[Way] = frozenset({"click_id", "browser", "opened_url", "given_id"})

Verdict = Literal[
    "taken",
    "too_late",  # older than the deep-link duration
    "too_early",  # clicked after the opening
    "used",  # a one-time link that another opening has used
    "used_by_other",  # probabilistic: already matched to another person
    "given_before",  # by device id: this person's app was given its data already
    "ambiguous",  # probabilistic: another candidate is just as likely
    "weaker",  # probabilistic: another candidate agrees in more
    "older",  # another click came later
    "ids_given",  # probabilistic: the click carried a device id, and it is not this device's
    "other_app",
    "other_environment",
    "robot",
    "prefetch",
    "impression",
    "unknown",  # no click has this id
    "foreign",  # the address is on none of the app's link domains
    "other_ip",
    "other_os",
    "other_version",
    "other_model",
    "other_screen",
]

MAX_NEARBY = 64
"""Clicks of one network address that are looked at; behind more than that many clicks nobody can be told apart."""

MIN_LOOK_BACK = 86_400_000
"""Milliseconds: clicks of the last day are listed as near misses even when their deep-link duration is shorter."""


class Considered(Struct, frozen=True, kw_only=True):
    """One candidate and what became of it."""

    way: Way
    verdict: Verdict
    source: Source | None = None
    """For ways 1 and 2: the request's field."""
    touch: Touch | None = None
    """None when no click was found."""
    named: str = ""
    """The id or address in the request, when no click was found."""
    age: int = 0
    """Milliseconds from touch to opening."""
    likeness: Likeness | None = None
    """For way 4."""


Guessing = Literal["done", "decided", "not_first", "web", "privacy", "no_address"]
"""Whether way 4 was tried, or why not. `decided`: an earlier way had decided."""


class Match(Struct, frozen=True, kw_only=True):
    """The answer for one opening."""

    touch: Touch | None = None
    way: Way | None = None
    guaranteed: bool = False
    """`+match_guaranteed`."""
    considered: tuple[Considered, ...] = ()
    guessing: Guessing = "decided"
    foreign_url: str = ""
    """`+non_branch_link`: the address that opened the app, when it is none of ours."""


class Candidates(Struct, kw_only=True):
    """What was fetched for one opening. Everything may be a superset; matching checks each touch itself."""

    named: Mapping[str, Touch] = {}
    """By click id (`Opening.evidence.clicks`), clicks that exist."""
    browsers: Mapping[str, Touch] = {}
    """By browser id of the same spelling: that browser's newest click."""
    opened: Mapping[str, Touch] = {}
    """By address (`Opening.evidence.urls`): the touch made now, for addresses of the app's link domains."""
    given: Sequence[Touch] = ()
    """Clicks on which an id of this device was given, newest last."""
    nearby: Sequence[Touch] = ()
    """Clicks from the same network address, newest last."""
    used: Container[str] = frozenset()
    """`Touch.once` of one-time links that an earlier opening has used."""
    claimed: Container[int] = frozenset()
    """Ids of clicks that were matched to another person's opening."""
    given_out: Container[int] = frozenset()
    """Ids of clicks whose data this person's earlier openings were given."""


class WantedTouches(Struct, frozen=True, kw_only=True):
    """What to fetch for one opening before `match` can decide."""

    named: tuple[str, ...]
    """Click ids; each may also be a browser id."""
    given: tuple[Identifier, ...]
    """Device ids that a click may carry."""
    address: str
    """Network address whose newest clicks are candidates; empty when nothing may be guessed."""


def wanted(opening: Opening) -> WantedTouches:
    """The lookups for one opening; addresses to resolve are `opening.evidence.urls`."""
    guess = opening.platform != "web" and opening.privacy.probabilistic
    return WantedTouches(
        named=tuple(one.id for one in opening.evidence.clicks),
        given=tuple(one for one in opening.identifiers if one[0] in HARDWARE),
        address=opening.ip if guess else "",
    )


def match(opening: Opening, at: int, app: int, test: bool, candidates: Candidates, *, first_open: bool) -> Match:
    """Decide which click an opening at `at` (epoch ms) of that app and environment belongs to.

    `first_open`: an install, or this person's first opening of the app. Never raises.
    """
    search = _Search(at, app, test, candidates)
    found = search.by_name(opening) or search.by_address(opening)
    if found is None and not search.decided:
        found = search.by_given_ids(opening)
    guessing: Guessing = "decided"
    if found is None and not search.decided:
        guessing = may_guess(opening, first_open=first_open)
        if guessing == "done":
            found = search.by_likeness(opening)
    if found is None:
        return Match(considered=tuple(search.considered), guessing=guessing, foreign_url=search.foreign)
    return Match(
        touch=found.touch,
        way=found.way,
        guaranteed=found.way in DETERMINISTIC,
        considered=tuple(search.considered),
        guessing=guessing,
    )


def may_guess(opening: Opening, *, first_open: bool) -> Guessing:
    """Whether way 4 is tried for an opening that no earlier way has decided."""
    if opening.platform == "web":
        return "web"
    if not first_open:
        return "not_first"
    if not opening.privacy.probabilistic:
        return "privacy"
    return "done" if opening.ip else "no_address"


def named_touches(result: Match) -> list[Touch]:
    """The touches that an opening brings to its person, for credit, in the order of time.

    The matched click; also a click that the request named but that is too old or used up for link data: credit has its
    own, longer windows (docs/sdk.md). A probabilistic candidate that was refused
    brings nothing: the deep-link duration is the cap of guessing.
    """
    found = {
        one.touch.id: one.touch
        for one in result.considered
        if one.touch is not None
        and (one.verdict == "taken" or (one.way in DETERMINISTIC and one.verdict in ("too_late", "used")))
    }
    return sorted(found.values(), key=lambda touch: touch.order)


def foreign_address(evidence: Evidence, opened: Mapping[str, Touch], app: int, test: bool) -> str:
    """The address that opened the app and is no link of its own in its environment; empty when there is none. What lay
    on the pasteboard did not open it."""
    ours = {url for url, touch in opened.items() if (touch.app, touch.test) == (app, test)}
    urls = (one.url for one in evidence.urls if one.url not in ours and one.source != "pasteboard")
    return next(urls, evidence.own_scheme)


def look_back(touch: Touch) -> int:
    """For how many milliseconds after a click an opening nearby still looks at it."""
    return max(touch.duration, MIN_LOOK_BACK)


def newest_nearby(nearby: Sequence[Touch], at: int) -> list[Touch]:
    """The clicks nearby that are still looked at, newest first, at most `MAX_NEARBY`."""
    found: list[Touch] = []
    for touch in reversed(nearby):
        if at - touch.at > MAX_DURATION * 1000:
            break
        if at - touch.at <= look_back(touch):
            found.append(touch)
            if len(found) == MAX_NEARBY:
                break
    return found


class _Search:
    """One run through the ways; collects what was considered."""

    def __init__(self, at: int, app: int, test: bool, candidates: Candidates) -> None:
        self.at = at
        self.app = app
        self.test = test
        self.candidates = candidates
        self.considered: list[Considered] = []
        self.decided = False
        self.foreign = ""

    def by_name(self, opening: Opening) -> Considered | None:
        for named in opening.evidence.clicks:
            touch, way = self.candidates.named.get(named.id), "click_id"
            if touch is None:
                touch, way = self.candidates.browsers.get(named.id), "browser"
            if touch is None:
                self.considered.append(
                    Considered(way="click_id", verdict="unknown", source=named.source, named=named.id)
                )
                continue
            found = self._add("browser" if way == "browser" else "click_id", touch, named.source)
            if found.verdict == "taken":
                return found
            if found.verdict in ("too_late", "used"):
                self.decided = True
        return None

    def by_address(self, opening: Opening) -> Considered | None:
        if self.decided:
            return None
        for url in opening.evidence.urls:
            touch = self.candidates.opened.get(url.url)
            if touch is None:
                self.considered.append(
                    Considered(way="opened_url", verdict="foreign", source=url.source, named=url.url)
                )
                continue
            found = self._add("opened_url", touch, url.source)
            if found.verdict == "taken":
                return found
            if found.verdict == "used":
                self.decided = True
        if not self.decided:
            self.foreign = foreign_address(opening.evidence, self.candidates.opened, self.app, self.test)
        return None

    def by_given_ids(self, opening: Opening) -> Considered | None:
        if not self.candidates.given:
            return None
        own = set(opening.identifiers)
        best: Considered | None = None
        for touch in reversed(self.candidates.given):
            if not own.intersection(touch.given):
                continue
            if best is not None:
                self.considered.append(self._considered("given_id", touch, "older"))
                continue
            if touch.id in self.candidates.given_out:
                self.considered.append(self._considered("given_id", touch, "given_before"))
                self.decided = True
                break
            found = self._add("given_id", touch, None)
            if found.verdict == "taken":
                best = found
            elif found.verdict in ("too_late", "used"):
                # A click that bears this device's id says where it comes from: nothing is guessed instead.
                self.decided = True
        return best

    def by_likeness(self, opening: Opening) -> Considered | None:
        if not self.candidates.nearby:
            return None
        own = set(opening.identifiers)
        likely: list[Considered] = []
        for touch in newest_nearby(self.candidates.nearby, self.at):
            one = self._guess(touch, opening, own)
            if one.verdict == "taken":
                likely.append(one)
            else:
                self.considered.append(one)
        chosen, verdicts = choose(likely)
        for one, verdict in zip(likely, verdicts, strict=True):
            self.considered.append(one if verdict == "taken" else _with_verdict(one, verdict))
        return chosen

    def _guess(self, touch: Touch, opening: Opening, own: set[Identifier]) -> Considered:
        verdict = self._verdict(touch)
        if verdict == "too_late" and (differs := compare(touch, opening)).difference:
            # It would not have been taken in time either, and that is what is worth telling.
            return Considered(
                way="probabilistic",
                verdict=differs.difference,
                touch=touch,
                age=self.at - touch.at,
                likeness=differs,
            )
        if verdict != "taken":
            return self._considered("probabilistic", touch, verdict)
        if touch.given and not own.intersection(touch.given):
            return self._considered("probabilistic", touch, "ids_given")
        if touch.id in self.candidates.claimed:
            return self._considered("probabilistic", touch, "used_by_other")
        likeness = compare(touch, opening)
        return Considered(
            way="probabilistic",
            verdict=likeness.difference or "taken",
            touch=touch,
            age=self.at - touch.at,
            likeness=likeness,
        )

    def _add(self, way: Way, touch: Touch, source: Source | None) -> Considered:
        one = self._considered(way, touch, self._verdict(touch), source)
        self.considered.append(one)
        return one

    def _considered(self, way: Way, touch: Touch, verdict: Verdict, source: Source | None = None) -> Considered:
        return Considered(way=way, verdict=verdict, source=source, touch=touch, age=self.at - touch.at)

    def _verdict(self, touch: Touch) -> Verdict:
        if touch.app != self.app:
            return "other_app"
        if touch.test != self.test:
            return "other_environment"
        if touch.kind != "click":
            return touch.kind
        if touch.at > self.at:
            return "too_early"
        if self.at - touch.at > touch.duration:
            return "too_late"
        if touch.once and touch.once in self.candidates.used:
            return "used"
        return "taken"


def choose(likely: Sequence[Considered]) -> tuple[Considered | None, list[Verdict]]:
    """Pick among probabilistic candidates (newest first) that nothing speaks against; a verdict for each.

    The one that agrees in most wins. Repeated clicks of one person (same browser id, or the same browser on the same
    link while no two browser ids contradict that) count once, newest. Two different equally strong ones: refuse.
    """
    if not likely:
        return None, []
    strongest = max(_strength(one) for one in likely)
    finalists = [one for one in likely if _strength(one) == strongest]
    verdicts: list[Verdict] = []
    if all(_same_person(finalists[0], other) for other in finalists[1:]):
        for one in likely:
            verdicts.append("taken" if one is finalists[0] else "older" if _strength(one) == strongest else "weaker")
        return finalists[0], verdicts
    return None, ["ambiguous" if _strength(one) == strongest else "weaker" for one in likely]


def _same_person(one: Considered, other: Considered) -> bool:
    left, right = one.touch, other.touch
    if left is None or right is None:
        return False
    if left.browser and left.browser == right.browser:
        return True
    if left.cookie and right.cookie:
        return False
    return left.user_agent == right.user_agent and left.link == right.link and left.url == right.url


def _strength(one: Considered) -> int:
    return one.likeness.strength if one.likeness is not None else 0


def _with_verdict(one: Considered, verdict: Verdict) -> Considered:
    return Considered(
        way=one.way, verdict=verdict, source=one.source, touch=one.touch, age=one.age, likeness=one.likeness
    )
