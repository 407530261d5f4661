"""Operating system, device, make and model from a person's User-Agent, by the parts that it is made of.

Only what decides where a click goes (docs/clicks.md, "The caller") or matches it to an install is read. The system is
named by the first token of a comment that is a system's name: `Linux` is made more precise by what follows, `like
iPhone` and `HiPad X` name none. Some browsers exist on one system alone and pretend another; those products say more
than the comment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from bough.agents.agent import OperatingSystem
from bough.agents.makes import BROWSERS_OF_MAKES, make_of
from bough.agents.tokens import Tokens, tokens_of

DeviceType = Literal["phone", "tablet", "desktop", ""]


class Device(Struct, frozen=True, kw_only=True):
    """The machine behind a User-Agent; the fields are those of `bough.agents.agent.Agent`."""

    os: OperatingSystem = ""
    os_version: str = ""
    device: DeviceType = ""
    brand: str = ""
    model: str = ""


SYSTEMS: tuple[tuple[str, str], ...] = (
    (r"Windows Phone(?:$| OS| \d)|(?:WPDesktop|ZuneWP7|XBLWP7|Windows CE|Windows Mobile)\b|wds \d", "windows_phone"),
    (r"(?:Tizen|KAIOS|Symbian(?:OS)?|Series\s?\d\d|webOS|Web0S|hpwOS|Bada|Nintendo|PlayStation)\b", "other"),
    (r"(?:Linux )?(?:Android|Andr0id|Adr)(?:$|[ /-]?v?\d|[ ;])|(?:OpenHarmony|HarmonyOS)\b", "android"),
    (r"(?:iPad|iPhone|iPod|iOS|iPadOS|CPU iPhone OS|CPU OS)(?:$|[ ,/;_]|\d)", "ios"),
    (r"(?:BlackBerry|BB10|PlayBook)(?:$|[ /;\d])", "blackberry"),
    (r"CrOS ", "chromeos"),
    (r"(?:Macintosh|Mac OS X|Mac_PowerPC|PPC Mac|Intel Mac OS X)(?:$|\W)", "mac"),
    (r"(?:Windows|WinNT|Win\d|Win9x)", "windows"),
    (r"(?:X11|Linux|LINUX|Ubuntu|Fedora|Debian|SUSE)(?:$|[^\w])", "linux"),
)
"""What a token begins with, and the system that it names; the first that matches. Within a comment the first token
that names a system decides, except that any Windows Phone wins (it calls itself Android and iPhone as well), and that
`Linux`, `X11` and `Windows` are made more precise by a later one."""

IPAD_BROWSERS = ("CriOS", "FxiOS", "EdgiOS", "OPiOS", "OPT", "GSA", "Focus")
"""Products of iOS alone. With a Mac's comment they are an iPad's (or an iPhone's) that asks for pages for desktops."""

ANDROID_BROWSERS = (
    *("SamsungBrowser", "MiuiBrowser", "EdgA", "HuaweiBrowser", "HeyTapBrowser", "VivoBrowser", "OculusBrowser"),
    *("PicoBrowser", "TwitterAndroid", "DuckDuckGo"),
)
"""Products that on Linux are Android's alone; with `X11; Linux` they are a tablet's, or a phone's, in desktop mode."""

APPLE_APPS = ("Instagram", "Barcelona", "musical_ly", "Snapchat", "Twitter", "Pinterest", "trill", "BytedanceWebview")
"""Apps whose own comment names the device: `Instagram 300.0 (iPad13,8; iPadOS 17_0; …)`."""

VAGUE = frozenset(("linux", "windows"))
PRECISE = frozenset(("android", "other", "chromeos"))
"""Systems that others in their comment call Linux, X11 or Windows."""

NAMING_WORDS = frozenset(("Android", "iPhone", "iPad", "iPod", "iOS", "iPadOS", "Macintosh", "KAIOS", "SymbianOS"))
"""Words outside a comment that name the system: `YelpApp/9.10.0 Android/7.0`."""

OLD_PHONES = {"BlackBerry": "blackberry", "Nokia": "other", "SonyEricsson": "other"}
"""How the User-Agents of phones begin that name the device before anything else."""

FACEBOOK_FOR_ANDROID = ("FB4A", "EMA", "Orca-Android", "MessengerLite")
"""What Facebook's Android apps call themselves in FBAN."""

_SYSTEM = re.compile("|".join(f"(?P<{system}>{pattern})" for pattern, system in SYSTEMS))
_LOCALE = re.compile(r"^([a-zA-Z]{2}|[a-zA-Z]{2}[-_]([a-zA-Z]{2}|[a-zA-Z]{4}[-_][a-zA-Z]{2})?)$")
_VERSION = re.compile(r"^\d+(?:[._]\d+)*")
_APPLE_MODEL = re.compile(r"^(iPad|iPhone|iPod)(?:$|[ ,/;_]|\d)")
_ANDROID_VERSION = re.compile(r"(?:Android|Andr0id|Adr|OpenHarmony|HarmonyOS)[ /-]?v?(\d+(?:[._]\d+)*)")
_NOT_A_MODEL = frozenset(
    {
        *("U", "wv", "K", "Mobile", "Tablet", "Phone", "HarmonyOS", "Android", "Linux", "Touch"),
        *("arm", "arm_64", "x86_64", "x86", "aarch64", "armv7l", "armv8l"),
    }
)
_FLAGS = ("rv:", "HMSCore", "Build/", "Android ", "Android/", "Linux ", "Opera ")


def device_of(user_agent: str) -> Device:
    """What the machine is; every field empty when nothing is known."""
    tokens = tokens_of(user_agent)
    system = _system(tokens)
    read = _READERS.get(system)
    return read(tokens, user_agent) if read else Device(device="phone" if _is_mobile(tokens) else "")


def android_device(model: str, android: int, device: DeviceType) -> tuple[str, str, DeviceType]:
    """(make, model, device) of an Android model told by itself, as a client hint does."""
    named = _without_make(model)
    make = make_of(named, android, "", huawei_services=False)
    return make, named, "" if make == "Amazon" and named.startswith("AFT") else device


def version_after(text: str, *markers: str) -> str:
    """The dotted number right after the first marker found, `17_4_1` as `17.4.1`; empty when there is none."""
    for marker in markers:
        at = text.find(marker)
        if at >= 0 and (found := _VERSION.match(text[at + len(marker) : at + len(marker) + 32])):
            return str(found.group(0)).replace("_", ".")
    return ""


def _system(tokens: Tokens) -> str:
    """The system's name as in `Device.os`, `fire` and `other` included; empty when nothing names one."""
    named = _named_system(tokens)
    if named == "mac" and (tokens.has(*IPAD_BROWSERS) or tokens.version("Mobile")):
        return "ios"  # no browser of a Mac says `Mobile/15E148`
    if named in ("", "mac", "linux") and (_app_device(tokens) or tokens.pairs.get("FBSN") in ("iOS", "iPadOS")):
        return "ios"
    if named in ("linux", "mac", "android") and (tokens.has("Silk") or _any_begins(tokens, "Silk/")):
        return "fire"
    if named in ("", "linux") and (tokens.has(*ANDROID_BROWSERS) or tokens.pairs.get("FBAN") in FACEBOOK_FOR_ANDROID):
        return "android"
    return named


def _named_system(tokens: Tokens) -> str:
    """The system that the comments name, or else the words; the first comment that names one decides."""
    for comment in tokens.comments:
        if found := [system for token in comment if (system := _system_of(token))]:
            return _of_named(found, comment, tokens)
    words = (word for word in tokens.words if word.partition("/")[0] in NAMING_WORDS)
    named = next((_system_of(word) for word in words), "")
    first = tokens.words[0] if tokens.words else ""
    return named or next((system for start, system in OLD_PHONES.items() if first.startswith(start)), "")


def _of_named(found: Sequence[str], comment: Sequence[str], tokens: Tokens) -> str:
    if "windows_phone" in found:
        return "windows_phone"
    if comment[0] == "PC":
        return "harmony_pc"
    if tokens.has("KAIOS"):
        return "other"
    precise = next((system for system in found if system in PRECISE), "")
    return precise if found[0] in VAGUE and precise else found[0]


def _system_of(token: str) -> str:
    found = _SYSTEM.match(token)
    return found.lastgroup or "" if found else ""


def _first(tokens: Tokens) -> tuple[str, ...]:
    return tokens.comments[0] if tokens.comments else ()


def _any_begins(tokens: Tokens, *starts: str) -> bool:
    """Whether a token of the first comment begins so."""
    return any(token.startswith(starts) for token in _first(tokens))


def _app_device(tokens: Tokens) -> str:
    """`iPad`, `iPhone` or `iPod` when an app's own comment or FBDV names the device."""
    names = [tokens.pairs.get("FBDV", "")]
    told = zip(tokens.comments, tokens.after, strict=True)
    names += [comment[0] for comment, app in told if comment and app.startswith(APPLE_APPS)]
    names += [word for before, word in pairwise(tokens.words) if before == "for"]  # Twitter for iPad
    return next((str(found.group(1)) for name in names if (found := _APPLE_MODEL.search(name))), "")


def _is_mobile(tokens: Tokens) -> bool:
    said = any(word.partition("/")[0] == "Mobile" for word in tokens.words)
    if said or not tokens.comments:
        return True  # an app that says nothing but what it is, is on a phone as a rule
    return any(token in ("Mobile", "Phone") or token.startswith("Opera M") for token in tokens.comments[0])


def _windows_phone(tokens: Tokens, user_agent: str) -> Device:
    version = version_after(user_agent, "Windows Phone OS ", "Windows Phone ")
    return Device(os="windows_phone", os_version=version, device="phone")


def _blackberry(tokens: Tokens, user_agent: str) -> Device:
    device: DeviceType = "tablet" if _any_begins(tokens, "PlayBook") else "phone"
    version = version_after(user_agent, "Version/")
    return Device(os="blackberry", os_version=version, device=device, brand="BlackBerry")


def _ios(tokens: Tokens, user_agent: str) -> Device:
    named = [found for comment in tokens.comments for one in comment if (found := _APPLE_MODEL.search(one))]
    own = _app_device(tokens)
    model = own or (str(named[0].group(1)) if named else "iPad" if _named_system(tokens) == "mac" else "iPhone")
    version = version_after(user_agent, "iPhone OS ", "CPU OS ", "iPadOS ", "iOS ") or tokens.pairs.get("FBSV", "")
    return Device(
        os="ios",
        os_version=version,
        device="tablet" if model == "iPad" else "phone",
        brand="Apple",
        model=model,
    )


def _android(tokens: Tokens, user_agent: str) -> Device:
    version = _android_version(tokens)
    raw, build = _android_model(tokens)
    services = tokens.has("HuaweiBrowser", "HMSCore") or _any_begins(tokens, "HMSCore")
    main = int(version.partition(".")[0][:3] or 0) if version else 0
    model = _without_make(raw)
    brand = make_of(model, main, build, services) or _made_by(tokens, raw, model)
    if brand == "Amazon":
        return _fire_device(version, model)
    device: DeviceType = "phone" if _is_mobile(tokens) else "tablet"
    return Device(os="android", os_version=version, device=device, brand=brand, model=model)


def _fire(tokens: Tokens, user_agent: str) -> Device:
    return _fire_device(_android_version(tokens), _android_model(tokens)[0])


def _fire_device(version: str, model: str) -> Device:
    kind: DeviceType = "" if model.startswith(("AFT", "AEO")) else "tablet"
    return Device(os="fire", os_version=version, device=kind, brand="Amazon", model=model)


def _android_version(tokens: Tokens) -> str:
    for comment in tokens.comments:
        for token in comment:
            if _system_of(token) == "android" and (found := _ANDROID_VERSION.search(token)):
                return str(found.group(1)).replace("_", ".")
    return tokens.pairs.get("FBSV", "")


def _android_model(tokens: Tokens) -> tuple[str, str]:
    """(model, build) in `(Linux; Android 13; SM-S918B Build/TP1A; wv)`: the first part after the version that is no
    flag. What an app says of the device (FBDV, Instagram's comment) fills in for a model that the browser hides."""
    for comment in tokens.comments:
        at = next((place for place, token in enumerate(comment) if _system_of(token) == "android"), None)
        if at is None:
            continue
        for token in (_after_slash(comment[at]), *comment[at + 1 :]):
            name, _, build = token.partition(" Build/")
            if name.strip() and not _is_flag(name.strip()):
                return name.strip()[:64], build
    return _android_app_model(tokens)[:64], ""


def _android_app_model(tokens: Tokens) -> str:
    if named := tokens.pairs.get("FBDV", ""):
        return named
    for comment, app in zip(tokens.comments, tokens.after, strict=True):
        if app in ("Instagram", "Barcelona") and len(comment) >= 5:
            return comment[4]
    return ""


def _after_slash(token: str) -> str:
    """`JNY-LX1` of `Android/10/JNY-LX1`."""
    return token.split("/", 2)[2] if token.startswith("Android/") and token.count("/") >= 2 else ""


def _is_flag(name: str) -> bool:
    return name in _NOT_A_MODEL or name.startswith(_FLAGS) or bool(_LOCALE.match(name))


def _without_make(model: str) -> str:
    """Samsung Internet writes `SAMSUNG` before every model, also before another maker's."""
    return model[8:].strip() or model if model.startswith("SAMSUNG ") else model


def _made_by(tokens: Tokens, raw: str, model: str) -> str:
    """The make by other signs than the model: FBBD, the system, or the browser where the model is hidden."""
    if raw != model:
        return "Samsung"
    said = tokens.pairs.get("FBBD", "") or tokens.pairs.get("FBMF", "")
    if said:
        return _MAKERS.get(said.lower(), said.capitalize()[:64])
    if _any_begins(tokens, "OpenHarmony", "HarmonyOS"):
        return "Huawei"
    if tokens.has("OculusBrowser"):
        return ""
    hidden = not model
    names = (*(word.partition("/")[0] for word in tokens.words), *(one.partition(" ")[0] for one in _first(tokens)))
    return next((make for name in names if hidden and (make := BROWSERS_OF_MAKES.get(name))), "")


_MAKERS = {"huawei": "Huawei", "honor": "Honor", "samsung": "Samsung", "amazon": "Amazon", "lge": "LG"}


def _mac(tokens: Tokens, user_agent: str) -> Device:
    version = version_after(user_agent, "Mac OS X ")
    return Device(os="mac", os_version=version, device="desktop", brand="Apple", model="Mac")


def _windows(tokens: Tokens, user_agent: str) -> Device:
    return Device(os="windows", os_version=version_after(user_agent, "Windows NT "), device="desktop")


def _chromeos(tokens: Tokens, user_agent: str) -> Device:
    after_machine = user_agent[user_agent.find("CrOS ") + 5 :].partition(" ")[2]
    return Device(os="chromeos", os_version=version_after(" " + after_machine, " "), device="desktop")


def _linux(tokens: Tokens, user_agent: str) -> Device:
    return Device(os="linux", device="desktop")


def _harmony_pc(tokens: Tokens, user_agent: str) -> Device:
    return Device(os="linux", device="desktop", brand="Huawei")


_READERS = {
    "windows_phone": _windows_phone,
    "blackberry": _blackberry,
    "ios": _ios,
    "android": _android,
    "fire": _fire,
    "mac": _mac,
    "windows": _windows,
    "chromeos": _chromeos,
    "linux": _linux,
    "harmony_pc": _harmony_pc,
}
"""What reads the rest, by system."""
