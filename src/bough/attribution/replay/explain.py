"""Why: an attribution result told in sentences.

`explain` turns what `matching` and `windows` decided into one sentence per candidate, a summary that names the rule and
window that decided, and the nearest miss with what was missing. It is made on demand from the structured result, never
while matching.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from bough.attribution.replay.read import Attributed
from bough.attribution.rules.matching import Considered, Match
from bough.attribution.rules.touches import Touch
from bough.attribution.rules.windows import Credit, Weighed
from bough.events.identifiers import Identifier
from bough.vocabulary.durations import span, window_span


class ExplanationLine(Struct, frozen=True, kw_only=True):
    """One candidate."""

    touch: str | None
    """Click id as a decimal string; None when no click was found."""
    at: int | None
    """Epoch ms of the touch."""
    link: str
    """The touch's address."""
    rule: str
    """`click_id`, `opened_url`, …, or for credit the window's name, e.g. `click_install`."""
    verdict: str
    chosen: bool
    sentence: str


class Explanation(Struct, frozen=True, kw_only=True):
    """The whole story of one event."""

    summary: str
    person: str
    """Who, and what that rests on."""
    deep_link: tuple[ExplanationLine, ...] = ()
    """For openings: every candidate for link data, in the order they were tried."""
    credit: tuple[ExplanationLine, ...] = ()
    """Every touch of the person that was weighed, newest first."""
    nearest_miss: str = ""
    """What almost had it, and what was missing; empty when nothing came close."""


RULES: dict[str, str] = {
    "click_id": "the click id",
    "browser": "the browser id",
    "opened_url": "the link that opened the app",
    "given_id": "the device id given on the click",
    "probabilistic": "network address and device",
}

SOURCES: dict[str, str] = {
    "link_identifier": "in the link_identifier",
    "link_click_id": "in the link_click_id",
    "store_referrer": "in the store referrer",
    "pasteboard": "on the pasteboard",
    "app_link": "in the app link",
    "universal_link": "in the universal link",
}

OPENED: dict[str, str] = {
    "pasteboard": "the link on the pasteboard",
    "app_link": "the app link that opened the app",
    "universal_link": "the universal link that opened the app",
}
"""`opened_url` told with where the address stood."""

KNOWN_BY: dict[str, str] = {
    "identity": "user id",
    "bundle": "bundle token",
    "device": "device token",
    "browser": "browser id",
    "idfa": "IDFA",
    "idfv": "IDFV",
    "aaid": "Google advertising id",
    "oaid": "OAID",
    "fire": "Fire advertising id",
    "android_id": "Android id",
    "hardware": "random hardware id",
    "anon": "random SDK id",
}
"""Kinds of identifiers in words; the id of a request says nothing about a person."""

OCCASIONS: dict[str, str] = {"install": "install", "session_start": "session-start", "conversion": "conversion"}

_MISS_ORDER: tuple[str, ...] = (
    "too_late",
    "used",
    "ambiguous",
    "ids_given",
    "used_by_other",
    "given_before",
    "other_screen",
    "other_model",
    "other_version",
    "other_os",
    "other_environment",
    "other_app",
    "too_early",
    "robot",
    "prefetch",
    "impression",
    "other_ip",
    "unknown",
    "foreign",
)
"""Verdicts from the nearest miss to the farthest."""


def explain(
    result: Attributed, identifiers: Iterable[Identifier] = (), shared: Collection[Identifier] = ()
) -> Explanation:
    """The story of one result; `identifiers` are those that its row bears, `shared` what many share."""
    deep_link = tuple(_deep_link_line(one) for one in result.match.considered) if result.match else ()
    credit = tuple(_credit_line(one, result.credit) for one in result.credit.weighed) if result.credit else ()
    return Explanation(
        summary=summary(result),
        person=_person(result, tuple(identifiers), shared),
        deep_link=deep_link,
        credit=credit,
        nearest_miss=nearest_miss(result),
    )


def summary(result: Attributed) -> str:
    """One or two sentences: what it is, who gets the credit and the data, by which rule and window."""
    if result.duplicate_of is not None:
        return f"A retry of event {result.duplicate_of}: it is not counted again."
    parts = [_kind_sentence(result)]
    if not result.counted:
        parts.append(_uncounted(result))
    elif result.credit is not None:
        parts.append(_credit_sentence(result, result.credit))
    elif result.touch_type is not None:
        parts.append(f"The import says {result.touch_type}; that is taken as given.")
    else:
        parts.append("The import names no touch.")
    if result.match is not None:
        parts.append(_data_sentence(result, result.match))
    if result.privacy and result.counted:
        parts.append(f"Not everything could be used: {result.privacy}.")
    return " ".join(parts)


def _kind_sentence(result: Attributed) -> str:
    reasons = {
        "INSTALL": "this person was never seen in the app before",
        "REINSTALL": "a fresh install, but this person had the app before",
        "OPEN": "a session of an app that was already installed",
        "WEB_SESSION_START": "a new session in the browser",
        "PAGEVIEW": "a page was loaded",
    }
    known = result.person and result.name in reasons
    sentence = f"{result.name}: {reasons[result.name]}" if known else result.name
    if result.reengagement and result.previous_activity is not None:
        sentence += f", and a re-engagement after {span(result.at - result.previous_activity)} without activity"
    return sentence + "."


def _uncounted(result: Attributed) -> str:
    if result.uncounted == "server_open":
        return "A server reported another open without a link from this address less than 4 h before: not counted."
    reason = result.privacy or "the request carries no usable identifier"
    return f"Because {reason}, it is in no count and belongs to nobody."


def _credit_sentence(result: Attributed, credit: Credit) -> str:
    touch = credit.touch
    window = f"{window_span(credit.window)} {OCCASIONS[credit.occasion]} window"
    if touch is None:
        return "Organic: " + (_no_credit(credit) if credit.weighed else "this person has no touch.")
    named = f"the {touch.kind} on {_name(touch)}"
    source = "the link's own " if credit.from_link else "the "
    sentence = f"Credit: {named}, {_ago(result.at - touch.at)}, inside {source}{window}"
    later = next(
        (one for one in credit.weighed if one.verdict == "click_wins" and one.age < result.at - touch.at), None
    )
    if later is not None:
        sentence += f"; an impression {span(later.age)} earlier was more recent, but a click beats an impression"
    return sentence + "."


def _no_credit(credit: Credit) -> str:
    newest = credit.weighed[0]
    if newest.verdict == "excluded":
        return "the link of the newest touch is taken out of attribution."
    return (
        f"the newest touch, the {newest.touch.kind} on {_name(newest.touch)}, was {span(newest.age)} earlier; "
        f"the {OCCASIONS[credit.occasion]} window is {span(newest.window)}."
    )


def _data_sentence(result: Attributed, decided: Match) -> str:
    if decided.touch is not None and decided.way is not None:
        sure = "guaranteed" if decided.guaranteed else "not guaranteed"
        return f"Link data: from {_name(decided.touch)}, matched by {RULES[decided.way]} ({sure})."
    late = _too_late_with_credit(result, decided)
    if late is not None:
        return late
    if decided.foreign_url:
        return "Link data: none; the app was opened by an address that is not one of its links."
    if any(one.verdict == "ambiguous" for one in decided.considered):
        count = sum(one.verdict == "ambiguous" for one in decided.considered)
        return f"Link data: none; {count} clicks are equally likely, so none is guessed."
    if any(one.verdict == "used" for one in decided.considered):
        return "Link data: none; the one-time link was used before."
    if (late := _too_late_to_guess(decided)) is not None:
        return late
    return f"Link data: none; {_why_no_guess(decided)}."


def _why_no_guess(decided: Match) -> str:
    return {
        "done": "no click fits",
        "decided": "the click that was named does not qualify",
        "not_first": "the request names no link, and only a first open is matched by network address",
        "web": "the page was not reached through a link",
        "privacy": "the request names no link, and the privacy setting forbids matching by network address",
        "no_address": "the request names no link and its network address is unknown",
    }[decided.guessing]


def _too_late_with_credit(result: Attributed, decided: Match) -> str | None:
    """The classic: too late for data, still in time for credit."""
    late = next((one for one in decided.considered if one.verdict == "too_late" and one.way != "probabilistic"), None)
    if late is None or late.touch is None:
        return None
    sentence = f"The click was {span(late.age)} earlier; deep-link duration is {span(late.touch.duration)}"
    if result.credit is not None and result.touch_id == late.touch.id:
        window = f"{window_span(result.credit.window)} {OCCASIONS[result.credit.occasion]} window"
        return f"{sentence}; still inside the {window}, so it gets the credit but no link data."
    return f"{sentence}, so there is no link data."


def _too_late_to_guess(decided: Match) -> str | None:
    """Too late for data, and without anything that would bring the credit all the same."""
    late = next((one for one in decided.considered if one.verdict == "too_late" and one.way == "probabilistic"), None)
    if decided.guessing != "done" or late is None or late.touch is None:
        return None
    return (
        f"Link data: none; the click on {_name(late.touch)} was {span(late.age)} earlier; deep-link duration is "
        f"{span(late.touch.duration)}, and network address and device alone count only inside it, so this click brings "
        "neither link data nor credit."
    )


def _deep_link_line(one: Considered) -> ExplanationLine:
    touch = one.touch
    return ExplanationLine(
        touch=str(touch.id) if touch is not None else None,
        at=touch.at if touch is not None else None,
        link=touch.url if touch is not None else one.named,
        rule=one.way,
        verdict=one.verdict,
        chosen=one.verdict == "taken",
        sentence=candidate_sentence(one),
    )


def candidate_sentence(one: Considered) -> str:
    """Why one candidate for link data was taken or refused."""
    touch = one.touch
    where = f" {SOURCES[one.source]}" if one.source is not None else ""
    if touch is None:
        if one.verdict == "foreign":
            return f"The address {one.named}{where} is on none of the app's link domains, or no such link exists."
        return f"No click has the id {one.named} that stood{where}."
    click = f"The click on {_name(touch)} {_ago(one.age)}"
    return click + " " + _verdict_clause(one, touch, where)


def _verdict_clause(one: Considered, touch: Touch, where: str) -> str:
    left, right = (one.likeness.left, one.likeness.right) if one.likeness is not None else ("", "")
    if one.verdict == "taken":
        evidence = OPENED.get(one.source or "", "") if one.way == "opened_url" else f"{RULES[one.way]}{where}"
        fit = "fit" if one.way == "probabilistic" else "fits"
        return (
            f"was taken: {evidence or RULES[one.way]} {fit}, inside the deep-link duration of {span(touch.duration)}."
        )
    clauses = {
        "too_late": f"is {span(one.age - touch.duration)} too old: deep-link duration is {span(touch.duration)}.",
        "too_early": "came after the opening.",
        "used": "is on a one-time link that another opening has used.",
        "used_by_other": "was already matched to somebody else's opening.",
        "given_before": "was already given to an earlier opening of the same person.",
        "ambiguous": "is as likely as another one; two equal candidates are refused.",
        "weaker": "fits, but another click agrees in more.",
        "older": "fits, but a later click was taken.",
        "ids_given": "carried the id of another device, so it is never matched by network address.",
        "other_app": "belongs to another app.",
        "other_environment": "belongs to the other environment (test and live never mix).",
        "robot": "was a robot's; robots are never matched.",
        "prefetch": "was a browser's look-ahead, not a person's click.",
        "impression": "was only an impression; those never give link data.",
        "other_ip": f"came from another network address ({left or 'unknown'}, not {right or 'unknown'}).",
        "other_os": f"came from another system ({left or 'unknown'}, not {right or 'unknown'}).",
        "other_version": f"came from another system version ({left}, not {right}).",
        "other_model": f"came from another model ({left}, not {right}).",
        "other_screen": f"came from another screen ({left}, not {right}).",
    }
    return clauses[one.verdict]


def _credit_line(one: Weighed, credit: Credit | None) -> ExplanationLine:
    occasion = credit.occasion if credit is not None else "conversion"
    touch = one.touch
    return ExplanationLine(
        touch=str(touch.id),
        at=touch.at,
        link=touch.url,
        rule=f"{touch.kind}_{occasion}",
        verdict=one.verdict,
        chosen=one.verdict == "credited",
        sentence=f"The {touch.kind} on {_name(touch)} {_ago(one.age)} " + _weighed_clause(one, occasion),
    )


def _weighed_clause(one: Weighed, occasion: str) -> str:
    whose = "the link's own" if one.from_link else "the"
    window = f"{whose} {window_span(one.window)} {OCCASIONS[occasion]} window for {one.touch.kind}s"
    clauses = {
        "credited": f"gets the credit: it is the newest inside {window}.",
        "outside": f"is outside {window} by {span(one.age - one.window)}.",
        "older": "qualifies, but a later touch has the credit.",
        "click_wins": "is more recent or qualifies too, but any qualifying click beats an impression.",
        "excluded": "is on a link that is taken out of attribution.",
    }
    return clauses[one.verdict]


def nearest_miss(result: Attributed) -> str:
    """The refused candidate that came closest, and what was missing; empty when data and credit were both given."""
    if not result.counted and result.match is None:
        return ""
    if result.match is not None and result.match.touch is None:
        refused = [one for one in result.match.considered if one.verdict in _MISS_ORDER]
        if refused:
            return candidate_sentence(min(refused, key=lambda one: (_MISS_ORDER.index(one.verdict), one.age)))
    if result.credit is not None and result.credit.touch is None:
        outside = [one for one in result.credit.weighed if one.verdict == "outside"]
        if outside:
            closest = min(outside, key=lambda one: one.age - one.window)
            return _credit_line(closest, result.credit).sentence
    return ""


def _person(result: Attributed, identifiers: Sequence[Identifier], shared: Collection[Identifier]) -> str:
    if not result.person:
        return "Nobody: the request carries no usable identifier."
    own = [one for one in identifiers if one not in shared]
    known = _kinds(own or identifiers[:1])
    sentence = f"Person {result.person}{f', known by {known}' if known else ''}."
    passed_over = _kinds([one for one in identifiers if one in shared])
    if passed_over:
        sentence += f" The {passed_over} of this event came with so many others that it joins nobody."
    return sentence


def _kinds(identifiers: Iterable[Identifier]) -> str:
    kinds = list(dict.fromkeys(KNOWN_BY[kind] for kind, _ in identifiers if kind in KNOWN_BY))
    return " and ".join([", ".join(kinds[:-1])] * (len(kinds) > 1) + kinds[-1:])


def _ago(age: int) -> str:
    """When a touch was, seen from the event; a link that opened the app itself is a click at that moment."""
    return f"{span(age)} earlier" if age else "at that moment"


def _name(touch: Touch) -> str:
    return touch.url.partition("?")[0] or (f"link {touch.link}" if touch.link else f"click {touch.id}")
