"""A small world for attribution tests: links, phones, clicks and opens with readable defaults."""

from __future__ import annotations

from typing import Any

from bough.agents.recognition import parse
from bough.attribution.replay.read import Attributed, always, attribute
from bough.attribution.rules.touches import LinkTable
from bough.events.server_fields import ServerFields, with_facts
from bough.links.model import Link, LinkType
from bough.vocabulary.journal_rows import JournalRow, RowKind
from bough.vocabulary.windows import Windows

APP = 700_000_000_000_000_001
DOMAIN = "go.example.com"
T0 = 1_750_000_000_000
"""Epoch ms of minute 0."""
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

REDUCED_UA = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
)
"""What Chrome on Android says on every phone."""
IPHONE_UA = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4.1 Mobile/15E148 Safari/604.1"
)
PIXEL_UA = REDUCED_UA.replace("Android 10; K", "Android 14; Pixel 8")
DESKTOP_UA = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"


def link(number: int, path: str, **fields: Any) -> Link:
    """A live link of the app."""
    fields.setdefault("data", {"product": path})
    fields.setdefault("channel", "mail")
    return Link(id=300_000_000_000_000_000 + number, app=APP, test=False, domain=DOMAIN, path=path, **fields)


SUMMER = link(1, "summer", campaign="summer")
WINTER = link(2, "winter", campaign="winter")
COUPON = link(3, "coupon", type=LinkType.ONE_TIME, campaign="coupon")
PATIENT = link(4, "patient", duration=7 * 86_400, campaign="patient")
BRIEF = link(5, "brief", data={"$click_install_window_days": "0.5", "$click_conversion_window_days": 2})
SILENT = link(6, "silent", data={"$deeplink_no_attribution": True, "product": "silent"})
LINKS = LinkTable([SUMMER, WINTER, COUPON, PATIENT, BRIEF, SILENT])
BY_PATH = {one.path: one for one in (SUMMER, WINTER, COUPON, PATIENT, BRIEF, SILENT)}


def click(
    number: int, minutes: float, to: Link, *, query: str = "", kind: RowKind = "click", **fields: Any
) -> JournalRow:
    """A click row; `fields` are those of `bough.vocabulary.journal_rows.Click`."""
    app, test = fields.pop("app", to.app), fields.pop("test", to.test)
    fields.setdefault("user_agent", IPHONE_UA)
    fields.setdefault("ip", "203.0.113.7")
    url = f"https://{to.domain}/{to.path}" + (f"?{query}" if query else "")
    return JournalRow(
        id=number, at=T0 + int(minutes * MINUTE), app=app, test=test, kind=kind, link=to.id, body={"url": url, **fields}
    )


def iphone(vendor: str = "11111111-AAAA-4AAA-8AAA-000000000001", **fields: Any) -> dict[str, Any]:
    """What an iPhone sends with every open."""
    return {
        "sdk": "ios3.14.0",
        "os": "iOS",
        "os_version": "17.4.1",
        "model": "iPhone15,2",
        "brand": "Apple",
        "hardware_id": vendor,
        "hardware_id_type": "vendor_id",
        "is_hardware_id_real": True,
        "ios_vendor_id": vendor,
        **fields,
    }


def android(android_id: str = "a1b2c3d4e5f60718", **fields: Any) -> dict[str, Any]:
    """What an Android phone sends with every open."""
    return {
        "sdk": "android5.21.2",
        "os": "Android",
        "os_version": 34,
        "os_version_android": "14",
        "model": "Pixel 8",
        "brand": "Google",
        "hardware_id": android_id,
        "is_hardware_id_real": True,
        **fields,
    }


def web(browser: str = "500000000000000001", **fields: Any) -> dict[str, Any]:
    """What the Web SDK sends: a form, everything text."""
    return {"sdk": "web2.89.2", "browser_fingerprint_id": browser, **fields}


def opened(
    number: int, minutes: float, body: dict[str, Any], *, kind: RowKind = "install", ip: str = "203.0.113.7"
) -> JournalRow:
    """An install, open or pageview row."""
    facts = ServerFields(ip=ip)
    return JournalRow(
        id=number, at=T0 + int(minutes * MINUTE), app=APP, test=False, kind=kind, body=with_facts(body, facts)
    )


def event(number: int, minutes: float, name: str, user: dict[str, Any], **event_data: Any) -> JournalRow:
    """A row of /v2/event/*."""
    body = {"name": name, "user_data": user, "event_data": event_data}
    return JournalRow(id=number, at=T0 + int(minutes * MINUTE), app=APP, test=False, kind="event", body=body)


def read(*rows: JournalRow, windows: Windows | None = None, links: LinkTable = LINKS) -> list[Attributed]:
    """Attribution of these rows in this world."""
    return attribute(rows, always(windows or Windows()), links, parse)
