"""Makes of devices by what the maker writes into the model, or into the name of the build.

A browser says nothing of who made the device it runs on: Samsung Internet runs on all Android phones. It only counts
where the model is hidden (Chrome and Samsung Internet send `K` for every model).
"""

from __future__ import annotations

import re

from bough.agents.huawei import huawei_or_honor

MAKES: tuple[tuple[str, str], ...] = (
    (r"SM-[A-Z]{0,2}\d|GT-[A-Z]\d{3}|SGH-|SCH-|SHV-|SHW-|SPH-|YP-G|EK-G|ISW\d+SC", "Samsung"),
    (r"SC-\d\d[A-Z]|SC[GTLV]\d\d|\d{3}SC$|SEC_|samsung|galaxy (?:[a-z]|note|tab|fold)", "Samsung"),
    (r"KF[A-Z]{2,8}\d?$|AFT[A-Z0-9]|AEO[A-Z]{2,4}$|SD4930|Kindle|Amazon|Fire HD", "Amazon"),
    (r"pixel|nexus", "Google"),
    (r"redmi|poco|xiaomi|mi |mix |M2\d{3}|2\d{3,7}[A-Z0-9]{2,}", "Xiaomi"),
    (r"oppo|CPH\d", "Oppo"),
    (r"vivo|V\d{4}[A-Z]?$", "Vivo"),
    (r"oneplus|LE21|KB20|IN20|NE22", "OnePlus"),
    (r"moto|XT\d{4}", "Motorola"),
    (r"LM-|LG-", "LG"),
    (r"XQ-|sony|xperia", "Sony"),
    (r"nokia|TA-\d", "Nokia"),
    (r"realme|RMX\d", "Realme"),
    (r"blackberry", "BlackBerry"),
)
"""What a model begins with, in any case of letters, and its make; Huawei and Honor are told apart in
`bough.agents.huawei`."""

BROWSERS_OF_MAKES = {
    "SamsungBrowser": "Samsung",
    "HuaweiBrowser": "Huawei",
    "HMSCore": "Huawei",
    "MiuiBrowser": "Xiaomi",
}
"""Products by which a make can be told although the model is hidden."""


def _merged() -> dict[str, str]:
    merged: dict[str, list[str]] = {}
    for pattern, make in MAKES:
        merged.setdefault(make, []).append(pattern)
    return {make: "|".join(patterns) for make, patterns in merged.items()}


_MAKE = re.compile("|".join(f"(?P<{make}>{pattern})" for make, pattern in _merged().items()), re.IGNORECASE)


def make_of(model: str, android: int, build: str, huawei_services: bool) -> str:
    """The make of an Android device, empty when its model does not say.

    `android`: the main number of the version, 0 when it is not known. `build`: what follows `Build/`.
    `huawei_services`: whether HMSCore or Huawei's own browser is named.
    """
    if not model:
        return ""
    if found := _MAKE.match(model):
        return found.lastgroup or ""
    return huawei_or_honor(model, android, build, huawei_services)
