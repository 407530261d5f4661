"""What can identify a device, browser, app install or user, and what privacy settings take away (docs/sdk.md,
docs/events.md).

An identifier is a pair (kind, value). Never among them: IP addresses, user agents, click ids. Those may hint at a click
(`bough.attribution.rules.matching`), but they never say that two requests came from one person.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from bough.events.server_fields import ServerFields
from bough.vocabulary.values import first, flag, text

Kind = Literal[
    "identity",  # developer identity: the customer's own user id
    "bundle",  # randomized_bundle_token, once identity_id: a user on one app install
    "device",  # randomized_device_token, once device_fingerprint_id: one app install
    "browser",  # browser_fingerprint_id: cookie of the link domain and storage of the site
    "idfa",
    "idfv",
    "aaid",
    "oaid",
    "fire",
    "android_id",
    "hardware",  # hardware_id that says it is not real: random, lives as long as the app install
    "anon",  # anon_id of the SDK: random, lives as long as the app install
    "request",  # branch_sdk_request_unique_id: joins the retries of one request
]
Identifier = tuple[Kind, str]

ADVERTISING: frozenset[Kind] = frozenset({"idfa", "aaid", "oaid", "fire"})
"""Removed by limit-ad-tracking, by a missing DMA consent, and by every cpp_level but FULL."""

HARDWARE: frozenset[Kind] = frozenset({*ADVERTISING, "idfv", "android_id", "hardware"})


SCOPED_TO_INSTALL: frozenset[Kind] = frozenset({"bundle", "device", "hardware", "anon", "request"})
"""Gone when the app is deleted: they cannot recognise a reinstall."""

FIELDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("bundle", ("randomized_bundle_token", "identity_id")),
    ("device", ("randomized_device_token", "device_fingerprint_id")),
    ("browser", ("browser_fingerprint_id",)),
    ("browser", ("alternative_browser_fingerprint_id",)),
    ("idfa", ("idfa",)),
    ("idfv", ("idfv",)),
    ("idfv", ("ios_vendor_id",)),
    ("aaid", ("aaid",)),
    ("aaid", ("google_advertising_id",)),
    ("oaid", ("oaid",)),
    ("fire", ("fire_ad_id",)),
    ("android_id", ("android_id",)),
    ("anon", ("anon_id",)),
    ("request", ("branch_sdk_request_unique_id",)),
)
"""Which field holds which kind, the new name before the old one. `identity` and `hardware_id` have their own rules."""

GIVEN_ON_CLICK: dict[str, Kind] = {
    "idfa": "idfa",
    "idfv": "idfv",
    "aaid": "aaid",
    "gaid": "aaid",
    "google_advertising_id": "aaid",
    "oaid": "oaid",
    "fire_ad_id": "fire",
    "android_id": "android_id",
}
"""Link keys, after a leading `$`, `%` or `~`, by which a click can carry a device's id (docs/sdk.md, way 3)."""

_NOT_SAID = frozenset({"", "null", "undefined", "bnc_no_value"})
_SHARED = frozenset({"9774d56d682e549c", "dead00beef", "000000000000000"})
"""Ids that a whole model range shares (the Android 2.2 emulator id and its kin)."""

_NOBODY = frozenset({*_NOT_SAID, *_SHARED, "none", "nil", "unknown", "na", "n/a", "nan", "false", "true", "optional"})

_CASELESS: frozenset[Kind] = frozenset({"idfa", "idfv", "aaid", "oaid", "fire", "android_id", "hardware"})
_MAX = 255


class Privacy(Struct, frozen=True):
    """What the user or the law allows."""

    tracking: bool = True
    """False: no person, no credit; a link that was opened explicitly still gives its data."""
    advertising: bool = True
    """False: advertising ids are dropped."""
    probabilistic: bool = True
    """False: no guess by network address."""
    reason: str = ""
    """Which setting took something away, in words; empty when nothing was."""


ALLOWED = Privacy()

_PRIVACY_FIELDS = frozenset(
    {
        "tracking_disabled",
        "cpp_level",
        "dma_eea",
        "dma_ad_user_data",
        "dma_ad_personalization",
        "lat_val",
        "limit_ad_tracking",
        "ad_tracking_enabled",
    }
)


def clean(kind: Kind, value: object) -> str:
    """The id's text in one spelling, or empty when it identifies nobody (zeros, `null`, shared ids, too long)."""
    written = value.strip() if type(value) is str else text(value)
    if len(written) > _MAX:
        return ""
    folded = written.casefold()
    if kind == "identity":
        return "" if folded in _NOT_SAID else written
    if folded in _NOBODY or not written.strip("0-"):
        return ""
    return folded if kind in _CASELESS else written


def privacy(body: Mapping[str, Any], user_data: Mapping[str, Any]) -> Privacy:
    """Reads tracking_disabled, limit-ad-tracking, DMA consent and cpp_level, at the top level or in `user_data`.

    A DMA field that is missing although `dma_eea` is true counts as refused.
    """
    if _PRIVACY_FIELDS.isdisjoint(body) and _PRIVACY_FIELDS.isdisjoint(user_data):
        return ALLOWED
    said = {name: user_data.get(name) for name in _PRIVACY_FIELDS if user_data.get(name) is not None}
    said.update((name, body[name]) for name in _PRIVACY_FIELDS if body.get(name) is not None)
    if not said:
        return ALLOWED
    level = text(said.get("cpp_level")).upper()
    if flag(said.get("tracking_disabled")):
        return Privacy(tracking=False, advertising=False, probabilistic=False, reason="tracking is disabled")
    if level == "NONE":
        return Privacy(tracking=False, advertising=False, probabilistic=False, reason="the consent level is NONE")
    if level == "MINIMAL":
        return Privacy(advertising=False, probabilistic=False, reason="the consent level is MINIMAL")
    if level == "REDUCED":
        return Privacy(advertising=False, reason="the consent level is REDUCED")
    if flag(said.get("dma_eea")) and not (
        flag(said.get("dma_ad_user_data")) and flag(said.get("dma_ad_personalization"))
    ):
        return Privacy(advertising=False, reason="consent under the DMA is missing")
    limited = flag(said.get("lat_val")) or flag(said.get("limit_ad_tracking"))
    if limited or flag(said.get("ad_tracking_enabled")) is False:
        return Privacy(advertising=False, reason="the device limits ad tracking")
    return ALLOWED


def extract(
    body: Mapping[str, Any], user_data: Mapping[str, Any], facts: ServerFields, allowed: Privacy
) -> tuple[Identifier, ...]:
    """Every usable identifier of one SDK request, in a fixed order and once each.

    `user_data` is empty for opens. Ids that the server issued in its answer (`facts`) count as if they had been sent.
    `allowed` is what `privacy` said.
    """
    if not allowed.tracking:
        return ()
    found: dict[Identifier, None] = {}
    for source in (body, user_data):
        if not source:
            continue
        _from_fields(source, found)
        _from_advertising_ids(source, found)
        _hardware(source, found)
    identity = clean("identity", first(user_data, "developer_identity", "identity")) or clean(
        "identity", first(body, "identity", "developer_identity")
    )
    if identity:
        found["identity", identity] = None
    if facts.bundle:
        found["bundle", facts.bundle] = None
    if facts.device:
        found["device", facts.device] = None
    if facts.browser:
        found["browser", facts.browser] = None
    link_identifier = text(body.get("link_identifier"))
    if allowed.advertising and not link_identifier:
        return tuple(found)
    return tuple(
        one
        for one in found
        if (allowed.advertising or one[0] not in ADVERTISING)
        # The Web SDK repeats a page's click id as its browser id; a click id is nobody's id (docs/sdk.md).
        and not (one[0] == "browser" and one[1] == link_identifier and one[1] != facts.browser)
    )


def _from_fields(source: Mapping[str, Any], found: dict[Identifier, None]) -> None:
    for kind, names in FIELDS:
        for name in names:
            value = source.get(name)
            if value is not None and (cleaned := clean(kind, value)):
                found[kind, cleaned] = None
                break


def _from_advertising_ids(source: Mapping[str, Any], found: dict[Identifier, None]) -> None:
    several = source.get("advertising_ids")
    if isinstance(several, dict):
        _from_fields({name: several.get(name) for name in ("aaid", "oaid", "fire_ad_id", "idfa")}, found)


def _hardware(source: Mapping[str, Any], found: dict[Identifier, None]) -> None:
    """`hardware_id` is an IDFA, an IDFV, an Android id or a random number; `hardware_id_type` and the SDK say which."""
    value = source.get("hardware_id")
    if value is None:
        return
    said = text(source.get("hardware_id_type")).casefold()
    kind: Kind = "hardware"
    if said == "idfa":
        kind = "idfa"
    elif said in ("vendor_id", "idfv"):
        kind = "idfv"
    elif said != "random" and flag(source.get("is_hardware_id_real")):
        apple = text(source.get("os")).casefold() in ("ios", "ipados") or text(source.get("sdk")).startswith("ios")
        kind = "idfv" if apple else "android_id"
    cleaned = clean(kind, value)
    if cleaned:
        found[kind, cleaned] = None


def given_on_click(query: Mapping[str, Any]) -> tuple[Identifier, ...]:
    """The device ids that a click's merged link data carry (`$idfa`, `%aaid`, …), unexpanded macros left out."""
    found: dict[Identifier, None] = {}
    for name, kind in _given_names(tuple(query)):
        cleaned = clean(kind, query[name])
        if cleaned and cleaned[0] not in "{[$%":
            found[kind, cleaned] = None
    return tuple(found)


@lru_cache(maxsize=1024)
def _given_names(names: tuple[str, ...]) -> tuple[tuple[str, Kind], ...]:
    """Those that give an id. Many links have the same names."""
    return tuple((name, kind) for name in names if (kind := _given_kind(name)) is not None)


def _given_kind(name: str) -> Kind | None:
    return GIVEN_ON_CLICK.get(name[1:].casefold()) if name and name[0] in "$%~" else None
