"""What is appended to a web target besides the match parameters (docs/clicks.md)."""

from __future__ import annotations

from bough.clicks.decision.candidates import Choice
from bough.clicks.decision.visit import Visit
from bough.clicks.query import Query, read_query

UTM_LABELS = (("campaign", "utm_campaign"), ("channel", "utm_source"), ("feature", "utm_medium"))
"""Label of the link and the parameter that it becomes."""

UTM_KEYS = frozenset({"$fallback_url", "$ios_url", "$android_url", "$desktop_url", "$original_url", "$canonical_url"})
"""Keys whose targets get `utm_*`; with their country variants."""


def takes_parameters(visit: Visit, choice: Choice) -> bool:
    """Whether anything is appended at all: to web pages that are no store, and not for robots and scrapers."""
    if choice.address is None or not choice.address.is_web or choice.is_store:
        return False
    return visit.agent.kind in ("browser", "program")


def parameters(visit: Visit, choice: Choice) -> Query:
    """The forwarded pairs and `utm_*`, without any that the target itself names."""
    if not takes_parameters(visit, choice) or choice.address is None:
        return ()
    query = choice.address.rest.partition("#")[0].partition("?")[2]
    named = {key for key, _ in read_query(query) if key}
    passed = tuple(pair for pair in visit.forwarded if pair[0] not in named)
    named.update(key for key, _ in passed)
    return passed + tuple((key, value) for key, value in _utm(visit, choice) if key not in named)


def takes_utm(visit: Visit, key: str) -> bool:
    """Whether labels become `utm_*` on the target under this key."""
    return visit.config.utm_mapping and (key in UTM_KEYS or key.removesuffix(f"_{visit.country}") in UTM_KEYS)


def _utm(visit: Visit, choice: Choice) -> Query:
    if choice.candidate is None or not takes_utm(visit, choice.candidate.key):
        return ()
    labels = ((parameter, getattr(visit.link, label)) for label, parameter in UTM_LABELS)
    return tuple((parameter, value) for parameter, value in labels if value)
