"""The filters of a listing as text: from a query or a command line."""

from __future__ import annotations

from collections.abc import Mapping

from bough.links.listing import Filters
from bough.links.parameters import MAX_LABEL, MAX_TAG, parse_text, parse_type
from bough.web.query_values import parse_time

FILTERS: dict[str, str] = {
    "channel": "Only links with this channel.",
    "feature": "Only links with this feature.",
    "campaign": "Only links with this campaign.",
    "stage": "Only links with this stage.",
    "tag": "Only links that have this tag among theirs.",
    "type": "Only links of this type: 0 standard, 1 one-time use, 2 marketing.",
    "created_after": "Only links made at this time or later: ISO 8601 (UTC unless it says otherwise) or epoch ms.",
    "created_before": "Only links made before this time.",
    "search": "Only links with this text in alias, path, title or campaign, in capitals or not.",
}
"""Each filter and what it keeps."""


def parse_filters(given: Mapping[str, str]) -> Filters:
    """The filters among `given`; empty ones do not count. Raises BadRequest naming the filter."""
    texts = {name: given[name] for name in FILTERS if given.get(name)}
    return Filters(
        channel=_text(texts, "channel"),
        feature=_text(texts, "feature"),
        campaign=_text(texts, "campaign"),
        stage=_text(texts, "stage"),
        tag=_text(texts, "tag", MAX_TAG),
        type=parse_type(texts["type"]) if "type" in texts else None,
        created_after=_time(texts, "created_after"),
        created_before=_time(texts, "created_before"),
        search=_text(texts, "search"),
    )


def _text(texts: dict[str, str], name: str, limit: int = MAX_LABEL) -> str | None:
    return parse_text(name, texts.get(name), limit)


def _time(texts: dict[str, str], name: str) -> int | None:
    return parse_time(name, texts[name]) if name in texts else None
