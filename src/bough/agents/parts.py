"""A User-Agent cut into the parts that mean something, and the shape that they make together.

    Jobs/24.4 Mozilla/5.0 (Linux; Android 14; M bot 60 Build/NRD90M; wv) AppleWebKit/537.36 … Acme/1 [FBDV/M bot 60;]
    └─ lead ┘             └─ platform ────────────────────────────────┘ └─ tail ──────────────────┘ └─ left out ────┘

A phone's maker writes the platform, so that any word may stand there; an app may write before and after it. Blocks in
square brackets are an app's own report on the phone, and repeat the maker's words.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from bough.agents.patterns import holds

Shape = Literal["browser", "web view", "phone", "none"]
"""`browser`: a full browser; `web view`: a page inside an app; `phone`: an old telephone, or a view that names itself
in its own way; `none`: nothing in which a person looks at pages."""


class Parts(Struct, frozen=True, gc=False):
    """One User-Agent. Empty strings mean that it has no such part."""

    lead: str
    """What stands before `Mozilla/`."""
    platform: str
    """The first comment, without its parentheses."""
    tail: str
    """All else behind `Mozilla/5.0`, without blocks in square brackets."""
    shape: Shape

    @property
    def is_device(self) -> bool:
        """Whether the platform holds a maker's words: model, build, firmware."""
        return "Android" in self.platform or not self.platform.lower().startswith(DESKTOPS)

    @property
    def is_compatible(self) -> bool:
        """Whether the platform begins with `compatible`, as that of all robots and of Internet Explorer does."""
        return self.platform[:10].lower() == "compatible"

    @property
    def added(self) -> str:
        """What stands behind the maker's words in the platform: `wv`, or a name."""
        return self.platform.partition(" Build/")[2].partition(";")[2]

    @property
    def is_headed(self) -> bool:
        """Whether a stranger stands before the browser's string, with a comma, as programs write that pass a visitor's
        string on, or before the system's name: `(feeder.co; Macintosh; Intel Mac OS X 10_15_7)`."""
        if self.lead.endswith(","):
            return True
        first, _, rest = self.platform.partition(";")
        if not rest.startswith((" Windows NT", " Macintosh", " Intel Mac OS X")):
            return False
        return len(first) > 2 and not first.startswith(("IE ", "compatible")) and not _names_a_system(first)


DESKTOPS = ("windows; ", "windows nt", "macintosh", "x11", "compatible", "iphone", "ipad", "ipod")
"""Beginnings, in lower case, of platforms whose words are the browser's and not a maker's: a word that is new there is
somebody's name."""

COMMON = ("Linux; ", "iPhone; ", "iPad; ", "Windows NT ", "Macintosh; ", "X11; ")
"""How nearly all platforms begin; they need no closer look."""

NO_BROWSER = ("Dalvik/", "CFNetwork/", "okhttp/", "OkHttp/", "Darwin/")
"""An app's own requests: no page is shown, unless an engine is named too."""

_names_a_system = holds(
    r"(?i)Windows|Win9|WinNT|Mac|\bOS\b|iPhone|iPad|iPod|Linux|X11|Android|Adr |CrOS|BSD|SunOS|Mobile|Phone|Tablet|TV|"
    r"Symbian|Series|BlackBerry|PlayBook|BB1|webOS|Web0S|Tizen|Bada|MeeGo|Maemo|Harmony|Fuchsia|Nintendo|PlayStation|"
    r"PSP|PS\d|Xbox|Kindle|Roku|BeOS|Amiga|RISC|Haiku|Syllable|QtEmbedded|DirectFB|Wayland|SAMSUNG|Nokia|LG-|Brew|REX|"
    r"WILLCOM|DDIPOCKET|FOMA|Palm|Profile/|Viera|Diga|jig browser|NetFront|Konqueror|MSIE \d|Serenity|Charon"
)
"""Names of systems, one of which stands in the platform of whatever people look at pages with."""

_names_an_engine = holds(
    r"(?i)AppleWebKit|Gecko|Trident/|MSIE \d|Presto/|Opera|Firefox|NetFront|KHTML|Goanna|Servo/|U2/|UC ?Browser|"
    r"Chrome/|Safari|MAUI|Obigo|Polaris|Konqueror|LibWeb|NCBrowser|Browse|Ladybird|MSPIE"
)
"""Names of engines, and of browsers that do not name theirs."""

_names_a_browser = holds(r"(?:Chrome|Safari|Firefox|NetFront|HbbTV|CE-HTML)/\d")

_is_rightly_compatible = holds(
    r"(?i)MSIE \d|MSPIE|Konqueror|iCab|Origyn|NCBrowser|IBrowse|NetFront|Polaris|"
    r"Windows Phone|RISC OS|Syllable|BeOS|Haiku|Amiga|CellPhone|Linux ?(?:\d|mips)|Viera|Diga"
)
"""Old browsers, and systems that nobody writes robots on."""

_names_a_phone = holds(
    r"(?i)Profile/MIDP|UP\.Browser|UP\.Link|Configuration/CLDC|\bWAP|Browser/|NetFront|Obigo|MAUI\b|AppleWebKit|"
    r"FB(?:AN|AV)/|\d+dpi; \d+x\d+|; scale=\d|like Mac OS X|"
    r"^(?:Opera|BlackBerry|Lynx|UCWEB|JUC|DoCoMo|KDDI-|SoftBank|Vodafone|J-PHONE|Nokia|SonyEricsson|"
    r"SAMSUNG-|SEC-|SIE-|MOT-|LG[-/]|PANTECH|HTC[-_])|^Links \("
)
"""How telephones without `Mozilla/` name themselves, the blocks of Meta's apps, and WebKit's words on an iPhone."""


def parts_of(user_agent: str) -> Parts:
    """Cut a User-Agent up. Pure, total, in linear time."""
    at = user_agent.find("Mozilla/")
    if at < 0:
        at = user_agent.lower().find("mozilla/")
    lead = user_agent[:at].strip() if at > 0 else ""
    platform, tail = _platform(user_agent, max(at, 0))
    return Parts(lead, platform, _without_blocks(tail), _shape(user_agent, at, platform, tail))


def _platform(user_agent: str, start: int) -> tuple[str, str]:
    """The first comment and the rest; of strings that lost their parentheses, what stands before the engine."""
    opened = user_agent.find("(", start)
    engine = user_agent.find("AppleWebKit/", start)
    if 0 <= engine < opened or (opened < 0 <= engine):
        return user_agent[start:engine].partition(" ")[2], user_agent[engine:]
    head = user_agent[start : opened if opened >= 0 else len(user_agent)]
    before = head.partition(" ")[2] if head[:8].lower() == "mozilla/" else head
    if opened < 0:
        return (before, "") if ";" in before else ("", before)
    closed = _closing(user_agent, opened)
    return user_agent[opened + 1 : closed], f"{before}{user_agent[closed + 1 :]}"


def _closing(text: str, opened: int) -> int:
    """Where the comment that is opened there ends: models hold parentheses, too."""
    closed = text.find(")", opened)
    inner = text.count("(", opened + 1, closed if closed >= 0 else len(text))
    while closed >= 0 and inner:
        following = text.find(")", closed + 1)
        inner += text.count("(", closed + 1, following if following >= 0 else len(text)) - 1
        closed = following
    return closed if closed >= 0 else len(text)


def _without_blocks(text: str) -> str:
    if "[" not in text:
        return text
    first, *others = text.split("[")
    return first + "".join(other.partition("]")[2] for other in others)


def _shape(user_agent: str, at: int, platform: str, tail: str) -> Shape:
    if at < 0 or (at > 0 and not platform):
        return _bare_shape(user_agent)
    if not platform:
        return "web view" if "Mobile Safari/" in tail else "none"
    if platform[:10].lower() == "compatible" and not _is_rightly_compatible(platform):
        return "none"
    if not platform.startswith(COMMON) and not _names_a_system(platform) and not _names_a_browser(tail):
        return "none"
    if platform.startswith(("Windows NT", "Mac", "X11")) and not _has_engine(user_agent, at, platform, tail):
        return "none"
    return "web view" if _is_web_view(at, platform, tail) else "browser"


def _has_engine(user_agent: str, at: int, platform: str, tail: str) -> bool:
    """Whether there is an engine; Netscape, up to its version 4, had no name for it."""
    if "AppleWebKit/" in tail or "Gecko/" in tail:
        return True
    is_netscape = user_agent.startswith(("Mozilla/4.", "Mozilla/3.", "Mozilla/2."), at)
    return is_netscape or _names_an_engine(f"{platform}\n{tail}")


def _is_web_view(at: int, platform: str, tail: str) -> bool:
    """Whether an app shows the page: it leaves out the browser's name, says `wv`, or stands before `Mozilla/`."""
    if at > 0 and ("Android" in platform or "like Mac OS X" in platform):
        return True
    if platform.startswith(("iPhone", "iPad", "iPod")):
        return "Safari/" not in tail
    return platform.endswith("wv") or "; wv" in platform or ("Android" in platform and "Version/" in tail)


def _bare_shape(user_agent: str) -> Shape:
    if not _names_a_phone(user_agent):
        return "none"
    is_app = any(token in user_agent for token in NO_BROWSER)
    return "none" if is_app and "AppleWebKit" not in user_agent and "FBAV/" not in user_agent else "phone"
