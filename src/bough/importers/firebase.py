"""Firebase Dynamic Links as links: a row of its export (short link, long link, name) -> a row of `bough links import`.

A long dynamic link says everything in its query (`link`, `apn`, `ibi`, `afl`, `ifl`, `ofl`, `st`, `utm_…`); rows may
also have those as columns of their own. Names of columns are read without regard to case, blanks and marks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from bough.links.rows import Row

SHORT: Final = ("shortlink", "shortdynamiclink", "shorturl", "dynamiclink")
LONG: Final = ("longlink", "longdynamiclink", "longurl")
DEEP: Final = ("link", "deeplink", "deeplinkurl", "url")
NAME: Final = ("name", "linkname", "title")
CREATED: Final = ("created", "creationdate", "createdat", "creationtime", "createtime")

PARAMETERS: Final[dict[str, str]] = {
    "afl": "$android_url",
    "ifl": "$ios_url",
    "ipfl": "$ipad_url",
    "ofl": "$desktop_url",
    "st": "$og_title",
    "sd": "$og_description",
    "si": "$og_image_url",
}
"""Parameter of a long dynamic link → link data."""

LABELS: Final[dict[str, str]] = {"utm_campaign": "campaign", "utm_medium": "feature", "utm_source": "channel"}
KEPT: Final = ("utm_term", "utm_content", "gclid", "apn", "amv", "ibi", "isi", "imv", "ius", "efr")
"""Parameters that have no meaning here and stay in the data for the app."""

MAX_FIELDS: Final = 200


def is_export(columns: tuple[str, ...]) -> bool:
    """Whether a CSV with these columns is an export of Firebase Dynamic Links."""
    names = {_plain(column) for column in columns}
    return bool(names & set(SHORT)) and bool(names & {*LONG, *DEEP})


def converted(row: Row) -> Row:
    """A row as `bough.links.transfer.read_link` takes it."""
    if row.error:
        return row
    values = {_plain(name): value for name, value in row.values.items() if isinstance(value, str) and value.strip()}
    short, long = _first(values, SHORT), _first(values, LONG)
    try:
        query = dict(parse_qsl(urlsplit(long).query, max_num_fields=MAX_FIELDS)) if long else {}
    except ValueError:
        return Row(row.line, row.values, "long link: is not an address.")
    fields = {**{name: value for name, value in values.items() if name in (*PARAMETERS, *LABELS, *KEPT)}, **query}
    target = fields.get("link") or _first(values, DEEP)
    if not target:
        return Row(row.line, row.values, "link: neither a deep link nor a long dynamic link.")
    data: dict[str, Any] = {"$canonical_url": target, "$fallback_url": target}
    data.update({key: fields[name] for name, key in PARAMETERS.items() if fields.get(name)})
    data.update({name: fields[name] for name in KEPT if fields.get(name)})
    name = _first(values, NAME)
    if name:
        data["$marketing_title"] = name
    found: dict[str, Any] = {"url": short, "data": data}
    found.update({label: fields[name] for name, label in LABELS.items() if fields.get(name)})
    created = _first(values, CREATED)
    if created:
        found["created_at"] = created
    return Row(row.line, found)


def _plain(name: str) -> str:
    kept = re.sub(r"[^a-z0-9_]", "", name.lower())
    return kept if kept.startswith("utm_") else kept.replace("_", "")


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((values[name].strip() for name in names if name in values), "")
