"""Journal rows without a person: pure functions from a row's body to the body that takes its place.

What reports and attribution are made from stays: what happened and when, money, country, system, device model, campaign
and what was answered. All else that a row of the person's own says is left out. On rows of others only the person's
identifiers are replaced (a lent device).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from msgspec.structs import replace

from bough.agents.recognition import parse
from bough.attribution.rules.dimensions import dimensions_of
from bough.events import identifiers as ids
from bough.events.identifiers import Kind, clean
from bough.events.server_fields import KEY, server_fields_of, with_facts
from bough.persons.pseudonyms import Pseudonyms, pseudonym
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.values import text

KEPT = frozenset(
    {
        # what happened
        "name", "event", "customer_event_alias", "timestamp", "event_timestamp",
        # on what
        "sdk", "os", "os_version", "os_version_android", "brand", "model", "country", "geo_region_en", "environment",
        "app_version", "app_store", "update", "screen_width", "screen_height", "screen_dpi", "server_to_server",
        "is_hardware_id_real", "hardware_id_type", "retryNumber",
        # what was allowed
        "tracking_disabled", "cpp_level", "dma_eea", "dma_ad_user_data", "dma_ad_personalization", "lat_val",
        "limit_ad_tracking", "ad_tracking_enabled",
        # which link led there: ids of rows, which stay
        "link_identifier", "link_click_id",
        # imported rows
        "attributed", "last_attributed_touch_type", "last_attributed_touch_timestamp", "last_attributed_touch_data",
    }
)  # fmt: skip
"""Fields of a request and of its `user_data` that stay as they are."""

KEPT_PREFIXES = ("last_attributed_touch_data_", "user_data_geo_", "event_data_revenue", "event_data_currency")
KEPT_OF_EVENT = frozenset({"revenue", "currency"})
KEPT_IMPORTED = frozenset(
    f"user_data_{name}" for name in ("os", "platform", "environment", "brand", "model", "device_type", "has_app")
)
"""Dimension values as flat exports name them."""

ADDRESSES = frozenset({"android_app_link_url", "universal_link_url", "local_url"})
"""Addresses of links that opened the app: their link data count."""

COUNTED = frozenset({"id", "transaction_id"})
"""By these an event counts once: replaced, so that it still does."""

IDENTIFYING: dict[str, Kind] = {
    **{name: kind for kind, names in ids.FIELDS for name in names},
    "identity": "identity",
    "developer_identity": "identity",
    "fire_ad_id": "fire",
    "hardware_id": "hardware",
    "browser_id": "browser",
    "browser": "browser",
}
"""Fields that hold an identifier, and its kind; with `user_data_` in front in flat exports."""

HARDWARE_KINDS: tuple[Kind, ...] = ("hardware", "idfa", "idfv", "android_id")
"""What a `hardware_id` can be."""

LABEL_QUERY = re.compile(r"[~+$]|utm_|branch_|link_click_id\Z")
"""Query parameters of links that are labels and behaviour, and no content."""


def own_body(row: JournalRow, pseudonyms: Pseudonyms) -> dict[str, Any]:
    """The body that takes the place of one of the person's own rows."""
    if row.kind in ("click", "prefetch", "robot", "impression"):
        return other_body(_touch(row, pseudonyms), pseudonyms)
    body = _request(row.body, pseudonyms)
    if KEY in row.body:
        facts = server_fields_of(row.body)
        body = with_facts(
            body,
            replace(
                facts,
                ip="",
                user_agent="",
                session="",
                bundle=_own("bundle", facts.bundle, pseudonyms),
                device=_own("device", facts.device, pseudonyms),
                browser=_own("browser", facts.browser, pseudonyms),
            ),
        )
    return _with_agent(row, _walked(body, pseudonyms))


def other_body(body: Mapping[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    """The body of somebody else's row, with the person's identifiers replaced."""
    found: dict[str, Any] = _walked(body, pseudonyms)
    return found


def is_own(row: JournalRow, pseudonyms: Pseudonyms) -> bool:
    """Whether a row that bears an identifier of the person is theirs: it names no other user, and no other's touch."""
    if row.kind in ("click", "prefetch", "robot", "impression"):
        browser = text(row.body.get("browser"))
        return bool(browser) and pseudonyms.of("browser", browser) is not None
    user = row.body.get("user_data")
    user_data = user if isinstance(user, dict) else {}
    borne = ids.extract(row.body, user_data, server_fields_of(row.body), ids.ALLOWED)
    identity = next((one for one in borne if one[0] == "identity"), None)
    if identity is not None:
        return pseudonyms.of(*identity) is not None
    return any(pseudonyms.of(*one) is not None for one in borne)


def _request(body: Mapping[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in body.items():
        if name == "user_data" and isinstance(value, dict):
            kept[name] = _request(value, pseudonyms)
        elif name == "event_data" and isinstance(value, dict):
            kept[name] = {
                field: pseudonym(pseudonyms.plan.salt, field, text(inner)) if field in COUNTED else inner
                for field, inner in value.items()
                if field in KEPT_OF_EVENT | COUNTED
            }
        elif name == "advertising_ids" and isinstance(value, dict):
            kept[name] = _request(value, pseudonyms)
        elif name.removeprefix("user_data_") in IDENTIFYING:
            kept[name] = _identifier(name, value, pseudonyms)
        elif name in COUNTED and value is not None:
            kept[name] = pseudonym(pseudonyms.plan.salt, name, text(value))
        elif name in ADDRESSES:
            kept[name] = plain_address(text(value))
        elif name in KEPT or name in KEPT_IMPORTED or name.startswith(KEPT_PREFIXES):
            kept[name] = value
    return kept


def _identifier(name: str, value: object, pseudonyms: Pseudonyms) -> object:
    kind = IDENTIFYING[name.removeprefix("user_data_")]
    kinds = HARDWARE_KINDS if kind == "hardware" else (kind,)
    for one in kinds:
        cleaned = clean(one, value)
        if cleaned and (pseudonyms.of(one, cleaned) is not None or pseudonyms.is_foreign(one, cleaned)):
            return pseudonyms.on_own_row(one, cleaned)
    cleaned = clean(kind, value)
    return pseudonyms.on_own_row(kind, cleaned) if cleaned else None


def _own(kind: Kind, value: str, pseudonyms: Pseudonyms) -> str:
    return pseudonyms.on_own_row(kind, value) if value else ""


def _touch(row: JournalRow, pseudonyms: Pseudonyms) -> dict[str, Any]:
    body = {**row.body}
    body["url"] = plain_address(text(body.get("url"), 16_384))
    for name in ("ip", "referrer"):
        body.pop(name, None)
    if body.get("browser"):
        body["browser"] = _own("browser", text(body["browser"]), pseudonyms)
    agent = text(body.get("user_agent"), 1024)
    body["user_agent"] = next(one for one in _agents(agent) if _device(one) == _device(agent))
    return body


def _device(agent: str) -> tuple[str, ...]:
    """What is made of a click's User-Agent later."""
    parsed = parse(agent)
    return parsed.kind, parsed.os, parsed.device, parsed.brand, parsed.model


def plain_address(address: str) -> str:
    """A link's address with the query parameters that are labels, and no others."""
    try:
        parts = urlsplit(address)
        query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError:
        return ""
    kept = [one for one in query if LABEL_QUERY.match(one[0])]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))


def _agents(agent: str) -> tuple[str, ...]:
    """A User-Agent in less and less detail removed: none, without exact versions, as it was."""
    return "", re.sub(r"(\d+)(?:[._]\d+)+", r"\1.0", agent), agent


def _with_agent(row: JournalRow, body: dict[str, Any]) -> dict[str, Any]:
    """The least of the User-Agent that gives the same dimension values."""
    wanted = dimensions_of(row)
    user = row.body.get("user_data")
    said = text(user.get("user_agent")) if isinstance(user, dict) else ""
    agent = said or text(row.body.get("user_agent")) or server_fields_of(row.body).user_agent
    for candidate in _agents(agent):
        tried = {**body, "user_agent": candidate} if candidate else body
        if dimensions_of(replace(row, body=tried)) == wanted:
            return tried
    return {**body, "user_agent": agent}


def _walked(value: Any, pseudonyms: Pseudonyms) -> Any:
    """JSON with the person's identifiers replaced: in the fields for them, and long ones anywhere."""
    if isinstance(value, dict):
        return {name: _field(name, inner, pseudonyms) for name, inner in value.items()}
    if isinstance(value, list):
        return [_walked(inner, pseudonyms) for inner in value]
    return pseudonyms.replaced(value) if isinstance(value, str) else value


def _field(name: str, value: Any, pseudonyms: Pseudonyms) -> Any:
    kind = IDENTIFYING.get(name.removeprefix("user_data_"))
    if kind is not None and isinstance(value, str | int) and not isinstance(value, bool):
        for one in HARDWARE_KINDS if kind == "hardware" else (kind,):
            if (new := pseudonyms.of(one, clean(one, value))) is not None:
                return new
    return _walked(value, pseudonyms)
