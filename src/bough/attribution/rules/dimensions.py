"""Where and on what an event happened, as the dimension values of reports (docs/exports.md, `user_data_*`).

Imported rows name most of these themselves and are taken at their word. For live rows they come from the request's
fields, its User-Agent and the server's facts. Values are written as Branch's exports write them: IOS, ANDROID_APP,
FULL_APP, IOS_PHONE. An empty text means unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bough.agents.agent import Agent
from bough.agents.recognition import parse
from bough.attribution.rules.openings import SYSTEMS
from bough.events.body import nested_object
from bough.events.server_fields import server_fields_of
from bough.vocabulary.countries import COUNTRIES
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.values import first, flag, text, whole

TABLET_DP = 600
"""Width in density-independent pixels from which Android calls a screen a tablet's."""


class Dimensions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The `user_data_*` values of one event; the names are the export's without the prefix."""

    os: str = ""
    platform: str = ""
    environment: str = ""
    geo_country_code: str = ""
    geo_country_en: str = ""
    geo_region_en: str = ""
    brand: str = ""
    model: str = ""
    device_type: str = ""
    has_app: str = ""
    """`true` or `false` where an import says it; else attribution knows better."""


OS_VALUES: dict[str, str] = {
    "ios": "IOS",
    "android": "ANDROID",
    "fire": "FIRE_OS",
    "mac": "MAC_OS_X",
    "windows": "WINDOWS",
    "linux": "LINUX",
    "chromeos": "CHROME_OS",
    "windows_phone": "WINDOWS_PHONE",
    "blackberry": "BLACKBERRY",
}
"""`bough.agents.agent`'s name of a system → the export's."""

_APPS = {"ios": "IOS", "android": "ANDROID", "fire": "ANDROID"}
"""Systems of phones and tablets; on all others an app is a desktop app and a page a desktop page."""


def dimensions_of(row: JournalRow) -> Dimensions:
    """The dimension values of a journal row that is no touch. Never raises for what a client sent."""
    body = row.body
    user = nested_object(body.get("user_data"), "user_data")
    if row.kind == "import":
        return _imported(body, user)
    facts = server_fields_of(body)

    def said(name: str) -> str:
        value = user.get(name)
        if value is None:
            value = body.get(name)
        return "" if value is None else text(value, 128)

    agent = parse(said("user_agent") or facts.user_agent)
    web = _is_web(row, body, user)
    system = SYSTEMS.get(said("os").casefold(), "") or _system_of_sdk(said("sdk"))
    if web and not system:
        system = agent.os
    country = (said("country") or facts.country).upper()[:2]
    if web and facts.country:
        country = facts.country
    device = _device(system, agent, said("model"), _dots(body, user), web)
    return Dimensions(
        os=OS_VALUES.get(system, system.upper()),
        platform=_platform(system, web),
        environment=said("environment").upper() or ("FULL_WEB" if web else "FULL_APP"),
        geo_country_code=country,
        geo_country_en=COUNTRIES.get(country, ""),
        geo_region_en=said("geo_region_en") or facts.region,
        brand=said("brand") or (agent.brand if web else ""),
        model=said("model") or (agent.model if web else ""),
        device_type=device,
    )


def _imported(body: Mapping[str, Any], user: Mapping[str, Any]) -> Dimensions:
    values = {
        name: text(first(user, name) if body.get(f"user_data_{name}") is None else body[f"user_data_{name}"], 255)
        for name in Dimensions.__struct_fields__
    }
    country = values["geo_country_code"] = values["geo_country_code"].upper() if values["geo_country_code"] else ""
    if not values["geo_country_en"]:
        values["geo_country_en"] = COUNTRIES.get(country, "")
    owns = flag(values["has_app"])
    values["has_app"] = "" if owns is None else str(owns).lower()
    return Dimensions(**values)


def _is_web(row: JournalRow, body: Mapping[str, Any], user: Mapping[str, Any]) -> bool:
    sdk = (text(body.get("sdk"), 64) or text(user.get("sdk"), 64)).casefold()
    if sdk:
        return sdk.startswith("web")
    if row.kind == "pageview":
        return True
    return body.get("os") is None and user.get("os") is None and bool(user.get("browser_fingerprint_id"))


def _system_of_sdk(sdk: str) -> str:
    lowered = sdk.casefold()
    return "ios" if lowered.startswith("ios") else "android" if lowered.startswith("android") else ""


def _platform(system: str, web: bool) -> str:
    family = _APPS.get(system)
    if web:
        return f"{family}_WEB" if family else "DESKTOP_WEB"
    if family:
        return f"{family}_APP"
    return "DESKTOP_APP" if system else ""


def _device(system: str, agent: Agent, model: str, dots: int | None, web: bool) -> str:
    family = _APPS.get(system)
    if family is None:
        return "DESKTOP" if system or (web and agent.device == "desktop") else ""
    tablet = model.startswith("iPad") or agent.device == "tablet" or (dots is not None and dots >= TABLET_DP)
    return f"{family}_TABLET" if tablet else f"{family}_PHONE"


def _dots(body: Mapping[str, Any], user: Mapping[str, Any]) -> int | None:
    """The screen's smaller side in density-independent pixels, for Android, which tells its density."""
    numbers = []
    for name in ("screen_width", "screen_height", "screen_dpi"):
        value = whole(first(user, name) if body.get(name) is None else body[name])
        if value is None or not 0 < value < 100_000:
            return None
        numbers.append(value)
    width, height, dpi = numbers
    # iOS sends its scale factor (2 or 3) here, which is no density.
    return min(width, height) * 160 // dpi if dpi >= 100 else None
