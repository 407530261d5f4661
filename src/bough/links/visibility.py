"""Which links a user with data filters sees: a link's labels decide.

| dimension | of a link |
| --- | --- |
| `touch_data_tilde_campaign`, `…_channel`, `…_feature`, `…_stage`, `…_tags` | its labels and tags |
| any other `touch_data_tilde_x` | its `~x` in `data`, so `~agency_id` and `~agency` for agency-tagged data |
| `touch_data_dollar_3p`, `touch_data_plus_web_format` | `$3p`, `+web_format` |
| `touch_data_plus_via_features` | what the link was made with, as clicks on it would say |
| `app_id` | its app |

What is only known of a click, device or event (country, os, referring domain, day) is not known of a link: a filter on
it hides every link.
"""

from __future__ import annotations

from bough.accounts.data_filters import Fact, admits
from bough.accounts.model import User
from bough.links.features import via_features
from bough.links.model import LABELS, Link, LinkType
from bough.vocabulary.dimensions import TOUCH_COLUMNS, Kind
from bough.vocabulary.touch_columns import COLUMN_KEYS, touch_columns

_OF_CLICKS = frozenset({"plus_referring_domain"})
_SETS = frozenset(column for column, kind in TOUCH_COLUMNS if kind is Kind.SET)


def sees_link(user: User, link: Link) -> bool:
    """Whether a link passes the user's data filters. Its app is looked at by the caller."""
    return not user.filters or admits(user.filters, link_facts(link))


def link_facts(link: Link) -> dict[str, Fact]:
    """The values of a link by column of `bough.vocabulary.dimensions`; what is not there is not known of links."""
    data = {**link.data, **{f"~{name}": getattr(link, name) for name in LABELS}, "~tags": list(link.tags)}
    if link.type == LinkType.MARKETING:
        data["~marketing"] = True
    if "+via_features" not in data:
        data["+via_features"] = via_features(data)
    facts = data_facts(data)
    return {**{column: value for column, value in facts.items() if column not in _OF_CLICKS}, "app": str(link.app)}


def data_facts(data: dict[str, object]) -> dict[str, Fact]:
    """The values of a link's or touch's data by column; those that it lacks are known to be missing."""
    said = touch_columns(data)
    facts: dict[str, Fact] = {}
    for column, _ in COLUMN_KEYS:
        value = said.get(column)
        if column in _SETS:
            parts = value if isinstance(value, list) else [value] if value else []
            facts[column] = frozenset(part for text in parts for part in str(text).split(",") if part)
        else:
            facts[column] = ",".join(value) if isinstance(value, list) else (value or None)
    return facts
