"""Operating system, device, brand and model from a person's User-Agent, by plain tokens.

Only what decides where a click goes (contract/links.md §3.2) or matches it to an install (contract/sdk.md, matching) is
read. Tokens are looked for in an order that undoes disguises: Windows Phone calls itself Android and iPhone, Fire
tablets call themselves Android, and everything calls itself Mozilla.
"""

from __future__ import annotations

from typing import Literal

import re2
from msgspec import Struct

from bough.clicks.agent import OperatingSystem

DeviceType = Literal["phone", "tablet", "desktop", ""]


class Device(Struct, frozen=True, kw_only=True):
    """The machine behind a User-Agent; the fields are those of `bough.clicks.agent.Agent`."""

    os: OperatingSystem = ""
    os_version: str = ""
    device: DeviceType = ""
    brand: str = ""
    model: str = ""


BRANDS: tuple[tuple[str, str], ...] = (
    (r"(?i)^(SM-|GT-|SGH-|SCH-|SHV-|SAMSUNG)", "Samsung"),
    (r"(?i)^honor", "Honor"),
    (r"(?i)^(huawei|ascend|nova )", "Huawei"),
    (r"^[A-Z]{3}-(L\d\d|LX\d|LX\d\d|AL\d\d|TL\d\d|BX\d|W\d\d)", "Huawei"),
    (r"^(KF[A-Z]{2,}|AFT|Kindle|Amazon)", "Amazon"),
    (r"(?i)^(pixel|nexus)", "Google"),
    (r"(?i)^(redmi|poco|xiaomi|mi |mix |M2\d{3}|2\d{3,7}[A-Z0-9]{2,})", "Xiaomi"),
    (r"(?i)^(oppo|CPH\d)", "Oppo"),
    (r"(?i)^(vivo|V\d{4}[A-Z]?$)", "Vivo"),
    (r"(?i)^(oneplus|LE21|KB20|IN20|NE22)", "OnePlus"),
    (r"(?i)^(moto|XT\d{4})", "Motorola"),
    (r"(?i)^(LM-|LG-)", "LG"),
    (r"(?i)^(XQ-|sony|xperia)", "Sony"),
    (r"(?i)^(nokia|TA-\d)", "Nokia"),
    (r"(?i)^(realme|RMX\d)", "Realme"),
)
"""Model pattern to brand, first match wins."""

SAYS_BRAND: tuple[tuple[str, str], ...] = (
    ("SamsungBrowser/", "Samsung"),
    ("SAMSUNG", "Samsung"),
    ("HUAWEI", "Huawei"),
    ("HuaweiBrowser/", "Huawei"),
    ("HMSCore", "Huawei"),
    ("HarmonyOS", "Huawei"),
    ("OpenHarmony", "Huawei"),
    ("MiuiBrowser/", "Xiaomi"),
)
"""Brands that can be told although the model is hidden (Chrome sends `K` for every model)."""

_BRANDS = [(re2.compile(pattern), brand) for pattern, brand in BRANDS]
_LOCALE = re2.compile(r"^[a-zA-Z]{2}([-_][a-zA-Z]{2})?$")
_VERSION = re2.compile(r"^\d+(?:[._]\d+)*")
_NOT_A_MODEL = (
    "U",
    "wv",
    "K",
    "Mobile",
    "Tablet",
    "HarmonyOS",
    "rv:",
    "HMSCore",
    "Android",
    "Linux",
    "arm_64",
    "x86_64",
)


def device_of(user_agent: str) -> Device:
    """What the machine is; every field empty when nothing is known."""
    for tokens, read in _READERS:
        if any(token in user_agent for token in tokens):
            return read(user_agent)
    return Device()


def version_after(text: str, *markers: str) -> str:
    """The dotted number right after the first marker found, `17_4_1` as `17.4.1`; empty when there is none."""
    for marker in markers:
        at = text.find(marker)
        if at >= 0 and (found := _VERSION.match(text[at + len(marker) : at + len(marker) + 32])):
            return str(found.group(0)).replace("_", ".")
    return ""


def _windows_phone(user_agent: str) -> Device:
    version = version_after(user_agent, "Windows Phone OS ", "Windows Phone ")
    return Device(os="windows_phone", os_version=version, device="phone")


def _blackberry(user_agent: str) -> Device:
    device: DeviceType = "tablet" if "PlayBook" in user_agent else "phone"
    return Device(os="blackberry", os_version=version_after(user_agent, "Version/"), device=device, brand="BlackBerry")


def _ios(user_agent: str) -> Device:
    model = next(name for name in ("iPad", "iPod", "iPhone") if name in user_agent)
    return Device(
        os="ios",
        os_version=version_after(user_agent, "iPhone OS ", "CPU OS ", "iOS "),
        device="tablet" if model == "iPad" else "phone",
        brand="Apple",
        model=model,
    )


def _android(user_agent: str) -> Device:
    model = _android_model(user_agent)
    brand = _brand(user_agent, model)
    version = version_after(user_agent, "Android ", "OpenHarmony ")
    if brand == "Amazon" or "Silk/" in user_agent:
        kind: DeviceType = "" if model.startswith("AFT") else "tablet"
        return Device(os="fire", os_version=version, device=kind, brand="Amazon", model=model)
    phone = "Mobile" in user_agent or "(Phone;" in user_agent
    return Device(os="android", os_version=version, device="phone" if phone else "tablet", brand=brand, model=model)


def _android_model(user_agent: str) -> str:
    """The model in `(Linux; Android 13; SM-S918B Build/…; wv)`: the first part after the version that is no flag."""
    start = user_agent.find("Android")
    end = user_agent.find(")", start)
    if start < 0 or end < 0:
        return ""
    for part in user_agent[start:end].split(";")[1:]:
        text = part.strip()
        name = text.split(" Build/", 1)[0].strip()
        if name and not _LOCALE.match(name) and not name.startswith("Build/") and not _is_flag(name):
            return name[:64]
    return ""


def _is_flag(name: str) -> bool:
    return name in _NOT_A_MODEL or name.startswith(("rv:", "HMSCore"))


def _brand(user_agent: str, model: str) -> str:
    for pattern, brand in _BRANDS:
        if model and pattern.search(model):
            return brand
    return next((brand for token, brand in SAYS_BRAND if token in user_agent), "")


def _mac(user_agent: str) -> Device:
    version = version_after(user_agent, "Mac OS X ")
    return Device(os="mac", os_version=version, device="desktop", brand="Apple", model="Mac")


def _windows(user_agent: str) -> Device:
    return Device(os="windows", os_version=version_after(user_agent, "Windows NT "), device="desktop")


def _chromeos(user_agent: str) -> Device:
    after_machine = user_agent[user_agent.find("CrOS ") + 5 :].partition(" ")[2]
    return Device(os="chromeos", os_version=version_after(" " + after_machine, " "), device="desktop")


def _linux(user_agent: str) -> Device:
    return Device(os="linux", device="desktop")


_READERS = (
    (("Windows Phone",), _windows_phone),
    (("BlackBerry", "(BB10", "PlayBook"), _blackberry),
    (("iPhone", "iPad", "iPod"), _ios),
    (("Android", "OpenHarmony", "Silk/"), _android),
    (("Macintosh",), _mac),
    (("Windows NT",), _windows),
    (("CrOS ",), _chromeos),
    (("Linux", "X11"), _linux),
)
"""Tokens and what reads the rest, in the order that undoes disguises."""
