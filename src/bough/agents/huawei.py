"""Huawei and Honor, told apart by the era of a phone.

Huawei's phones lost Google's services in May 2019 and get their apps from AppGallery; Honor was a name of Huawei's
until November 2020 and has been another company with Google's services since. Both go on writing models of one form,
`ELS-NX9`, `HLK-AL00`, `FNE-NX9`: a project of three letters, then radio and market. So a model alone does not tell the
make, and what does is when the phone was made:

* 5G models (`-AN00`, `-NX9`, `-N29`) are Huawei's when the project is one of `HUAWEI_5G`, and Honor's otherwise. That
  list is closed: Huawei has made no phone with a 5G model number since the split.
* Other models of Android 10 and older were made by Huawei, whatever the name. Those of 13 and later are Honor's, as
  Huawei's system has counted as Android 12 ever since (HarmonyOS names itself).
* Other models of Android 11 and 12 are told by the name of the build, by Huawei's services, then by market: Huawei sold
  those with `-AL00`, `-LX9`, `-L29` and `-W09`, Honor those with `-LX1` to `-LX3` except for the five projects of
  `HUAWEI_LX`. When the version is unknown, the last ones stay without a make: both have Google's services.
"""

from __future__ import annotations

import re

HUAWEI_5G = frozenset(
    {
        *("ALA", "ANA", "ANG", "BAH3", "BMH", "BRQ", "CDL", "CDY", "CND", "DVC", "EBG", "ELS", "EVR", "FRL"),
        *("JEF", "JER", "JSC", "KKG", "KRJ", "LIO", "MRX", "MXW", "NEY", "NOH", "NOP", "OCE", "OXF", "OXP"),
        *("TAH", "TAS", "TEL", "TET", "TNN", "TNNH", "WGR", "WKG", "WLZ", "YOK"),
    }
)
"""Projects of phones and tablets with 5G that Huawei made, under either name, until the split."""

HUAWEI_LX = frozenset(("JLN", "NCO", "GLA", "CTR", "BNE"))
"""Projects of Huawei's own with Android 11 or 12 and a market of -LX1 to -LX3."""

HONOR_TABLETS = frozenset(("BRT", "HEY", "KRJ2", "ROD"))
"""Projects of Honor's tablets with Android 11 or 12, whose models look like Huawei's."""

LAST_OF_BOTH = 10
"""Android up to which everything with such a model was made by Huawei, Honor's 5G apart."""
LAST_OF_HUAWEI = 12

_MODEL = re.compile(
    r"^([A-Z][A-Za-z]{1,6}\d?|[A-Z]\d{2,4}[A-Z]?)-"
    r"(AN|NX|N|TN|BN|AL|LX|L|TL|UL|CL|DL|U|C|T|BX|W)(\d{1,2})(?:[A-Za-z]{0,3}|[A-Z]\d\w?)$"
)
_NAMED = re.compile(
    r"huawei|ascend|ideos|mediapad|hw[tv]\d\d|hw-\d\d[a-z]$|\d{3}hw$|nova \di?\b|mate ?(\d\d|x)", re.IGNORECASE
)
_FIVE_G = frozenset(("AN", "NX", "N", "TN", "BN"))


def huawei_or_honor(model: str, android: int, build: str, huawei_services: bool) -> str:
    """`Huawei`, `Honor`, or empty when the model is of neither; the arguments are those of `make_of`."""
    if model[:5].lower() == "honor":
        return "Huawei" if 0 < android <= LAST_OF_BOTH else "Honor"
    if _NAMED.match(model):
        return "Huawei"
    found = _MODEL.match(model)
    named = build[:6].upper()
    if found is None:
        return "Huawei" if named == "HUAWEI" else ""
    project, radio, number = found.groups()
    if radio == "N" and len(number) != 2:
        return ""
    if radio in _FIVE_G:
        return "Huawei" if project in HUAWEI_5G else "Honor"
    if 0 < android <= LAST_OF_BOTH or not project.isupper():
        return "Huawei"  # Honor's projects have never been words (`Bach-W09`)
    if android > LAST_OF_HUAWEI:
        return "Honor"
    return _between((project, radio, number), model, android, named, huawei_services)


def _between(parts: tuple[str, str, str], model: str, android: int, build: str, huawei_services: bool) -> str:
    """The make of a 4G model of Android 11 or 12, or of an unknown version."""
    project, radio, number = parts
    if build == "HUAWEI":
        return "Huawei"
    if build.startswith("HONOR") or model.endswith("HN") or project in HONOR_TABLETS:
        return "Honor"
    if huawei_services or radio != "LX" or number not in ("1", "2", "3"):
        return "Huawei"
    if project in HUAWEI_LX:
        return "Huawei"
    return "Honor" if android else ""
