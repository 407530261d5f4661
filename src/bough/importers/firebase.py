"""Firebase Dynamic Links as links: a row of its export (short link, long link, name) -> a row of `bough links import`.

A long dynamic link says everything in its query (`link`, `apn`, `ibi`, `afl`, `ifl`, `ofl`, `st`, `utm_…`); rows may
also have those as columns of their own. Names of columns are read without regard to case, blanks and marks.

Firebase's rules for people without the app (docs/imports.md has them as a table): a platform whose app the link names
leads to that app's store, unless the link gives another address for it; a platform without an app leads to `link`.
The App Store knows apps by `isi` only, so `ibi` or `ipbi` without it leads to `link`, too.
Source: https://firebase.google.com/docs/dynamic-links/create-manually.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from bough.clicks.decision.app_stores import CLICK_HERE, app_store_url, is_package, play_store_url
from bough.errors import BadRequest
from bough.links.addresses import WEB_SCHEMES, Refused, read_address
from bough.links.parameters import MAX_TAG
from bough.links.row_files import FileRow

SHORT: Final = ("shortlink", "shortdynamiclink", "shorturl", "dynamiclink")
LONG: Final = ("longlink", "longdynamiclink", "longurl")
DEEP: Final = ("link", "deeplink", "deeplinkurl", "url")
NAME: Final = ("name", "linkname", "title")
CREATED: Final = ("created", "creationdate", "createdat", "creationtime", "createtime")

ADDRESSES: Final[dict[str, tuple[str, ...]]] = {
    "afl": ("$android_url",),
    "ifl": ("$ios_url",),
    "ipfl": ("$ipad_url",),
    "ofl": ("$desktop_url", "$windows_phone_url", "$blackberry_url"),
}
"""Parameter that holds an address → keys of link data; `ofl` is every platform but Android and iOS."""

PREVIEW: Final[dict[str, str]] = {"st": "$og_title", "sd": "$og_description", "si": "$og_image_url"}

LABELS: Final[dict[str, str]] = {"utm_campaign": "campaign", "utm_medium": "feature", "utm_source": "channel"}
REFERRER: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "gclid")
"""Parameters that the Play Store passes on to the app."""
APP_STORE: Final = ("pt", "at", "ct", "mt")
"""Parameters that the App Store counts campaigns by."""
KEPT: Final = (
    *("utm_term", "utm_content", "gclid", "apn", "amv", "al", "ibi", "ipbi", "isi", "imv", "ius", "efr"),
    *APP_STORE,
)
"""Parameters that stay in the data for the app, besides what they mean here."""

COLUMNS: Final = frozenset({*ADDRESSES, *PREVIEW, *LABELS, *KEPT})

MAX_FIELDS: Final = 200


def is_export(columns: tuple[str, ...]) -> bool:
    """Whether a CSV with these columns is an export of Firebase Dynamic Links."""
    names = {_plain(column) for column in columns}
    return bool(names & set(SHORT)) and bool(names & {*LONG, *DEEP})


def converted(row: FileRow) -> FileRow:
    """A row as `bough.links.transfer.read_link` takes it."""
    if row.error:
        return row
    values = {_plain(name): value for name, value in row.values.items() if isinstance(value, str) and value.strip()}
    short, long = _first(values, SHORT), _first(values, LONG)
    try:
        query = dict(parse_qsl(urlsplit(long).query, max_num_fields=MAX_FIELDS)) if long else {}
    except ValueError:
        return FileRow(row.line, row.values, "long link: is not an address.")
    fields = {**{name: value for name, value in values.items() if name in COLUMNS}, **query}
    target = fields.get("link") or _first(values, DEEP)
    if not target:
        return FileRow(row.line, row.values, "link: neither a deep link nor a long dynamic link.")
    try:
        data = _data(target, fields)
    except BadRequest as error:
        return FileRow(row.line, {"url": short}, error.message)
    name = _first(values, NAME)
    if name:
        data["$marketing_title"] = name
    found: dict[str, Any] = {"url": short, "data": data}
    found.update({label: fields[name] for name, label in LABELS.items() if fields.get(name)})
    if 0 < len(fields.get("utm_content", "")) <= MAX_TAG:
        found["tags"] = [fields["utm_content"]]
    created = _first(values, CREATED)
    if created:
        found["created_at"] = created
    return FileRow(row.line, found)


def _data(target: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """The link's data. Raises BadRequest naming the parameter that cannot be what it should be."""
    _check_address("link", target)
    data: dict[str, Any] = {"$canonical_url": target, "$fallback_url": target, **_stores(fields)}
    for name, keys in ADDRESSES.items():
        if fields.get(name):
            _check_address(name, fields[name])
            data.update(dict.fromkeys(keys, fields[name]))
    data.update({key: fields[name] for name, key in PREVIEW.items() if fields.get(name)})
    data.update({name: fields[name] for name in KEPT if fields.get(name)})
    if fields.get("utm_term"):
        data["$keywords"] = [fields["utm_term"]]
    if fields.get("efr") == "1":  # no page on the way to the App Store
        data["$ios_passive_deepview"] = False
    return data


def _stores(fields: Mapping[str, str]) -> dict[str, str]:
    """Where people without the app get it, by link data key; what `ADDRESSES` says comes before it.

    An iPad asks for `$ipad_url` first, so `ifl` is its own, too, unless the store is named for the iPad alone.
    """
    found: dict[str, str] = {}
    if package := fields.get("apn"):
        if not is_package(package):
            raise BadRequest(f"apn: {package!r} is no Android package name, as in com.example.app.")
        found["$android_url"] = play_store_url(package) + _referrer(fields)
    if number := fields.get("isi"):
        if not re.fullmatch(r"[0-9]{1,20}", number):
            raise BadRequest(f"isi: {number!r} is no App Store id, which is a number such as 284882215.")
        store = app_store_url(number, _given(fields, APP_STORE))
        if fields.get("ibi"):
            found["$ios_url"] = store
        elif fields.get("ipbi") and not fields.get("ifl"):
            found["$ipad_url"] = store
    return found


def _referrer(fields: Mapping[str, str]) -> str:
    """What the Play Store hands to the app after its install; the click's id is added to it at every click."""
    given = _given(fields, REFERRER)
    return f"&{urlencode({'referrer': urlencode(given)})}{CLICK_HERE}" if given else ""


def _given(fields: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: fields[name] for name in names if fields.get(name)}


def _check_address(name: str, url: str) -> None:
    address = read_address(url)
    if isinstance(address, Refused):
        raise BadRequest(f"{name}: {address.why}.")
    if address.scheme not in WEB_SCHEMES:
        raise BadRequest(f"{name}: must be an http or https address.")


def _plain(name: str) -> str:
    kept = re.sub(r"[^a-z0-9_]", "", name.lower())
    return kept if kept.startswith("utm_") else kept.replace("_", "")


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((values[name].strip() for name in names if name in values), "")
