"""The scenario table (`scenarios.md`), one test per row."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bough.attribution.replay.explain import explain
from bough.attribution.replay.read import Attributed
from bough.vocabulary.journal_rows import JournalRow, RowKind
from tests.attribution import world
from tests.attribution.world import BY_PATH, DESKTOP_UA, IPHONE_UA, PIXEL_UA, REDUCED_UA, android, iphone, opened, web

TABLE = Path(__file__).with_name("scenarios.md")
ADDRESSES = {"home": "203.0.113.7", "office": "198.51.100.9"}
USER_AGENTS = {"iphone": IPHONE_UA, "pixel": PIXEL_UA, "desktop": DESKTOP_UA, "reduced-chrome": REDUCED_UA}
COOKIES = {"a": "600000000000000001", "b": "600000000000000002", "browser": "500000000000000001"}
AD_IDS = {
    "x": "38400000-8cf0-11bd-b23e-10b96e40000d",
    "y": "38400000-8cf0-11bd-b23e-10b96e40000e",
    "zero": "00000000-0000-0000-0000-000000000000",
}
DEVICES: dict[str, dict[str, Any]] = {
    "iphone": iphone(),
    "iphone2": iphone("11111111-AAAA-4AAA-8AAA-000000000002"),
    "pixel": android(),
    "pixel2": android("a1b2c3d4e5f60719"),
    "browser": web(),
    "browser2": web("500000000000000002"),
    "server-iphone": {**iphone(), "server_to_server": True},
}
SPAN = {"d": 1440.0, "h": 60.0, "m": 1.0, "s": 1 / 60}


class Scenario(NamedTuple):
    """One row of the table."""

    story: str
    event: str
    credit: str
    data: str
    because: str


def scenarios() -> list[Scenario]:
    """All rows of all tables."""
    lines = [line for line in TABLE.read_text().splitlines() if re.match(r"\| \d", line)]
    return [Scenario(*(cell.strip() for cell in line.strip("| ").split(" | "))) for line in lines]


class Story:
    """Plays the steps of one row into journal rows."""

    def __init__(self, story: str) -> None:
        self.rows: list[JournalRow] = []
        self.touches: list[tuple[str, int]] = []
        self.judged = 0
        for step in story.split(";"):
            when, what, whom, *options = step.split()
            self._step(_minutes(when), what, whom, dict(option.split("=", 1) for option in options))

    def _step(self, at: float, what: str, whom: str, options: dict[str, str]) -> None:
        number = 800_000_000_000_000_000 + len(self.rows)
        self.judged = number
        if what in ("click", "impression", "robot", "prefetch"):
            self._touch(number, at, what, whom, options)
        elif what in ("install", "open", "visit", "page"):
            body = {**DEVICES[whom], **self._evidence(options), **_settings(options)}
            kind: RowKind = "install" if what == "install" else "pageview" if what == "page" else "open"
            address = ADDRESSES[options.get("at", "home")]
            self.rows.append(opened(number, at, body, kind=kind, ip=address))
        else:
            self.rows.append(world.event(number, at, what, _user(whom, options)))

    def _touch(self, number: int, at: float, what: str, whom: str, options: dict[str, str]) -> None:
        query = "&".join(f"%24{kind}={AD_IDS[options[kind]]}" for kind in ("idfa", "aaid") if kind in options)
        fields: dict[str, Any] = {"app": 1} if options.get("app") == "other" else {}
        kinds: dict[str, RowKind] = {
            "click": "click",
            "impression": "impression",
            "robot": "robot",
            "prefetch": "prefetch",
        }
        self.touches.append((whom, number))
        self.rows.append(
            world.click(
                number,
                at,
                BY_PATH[whom],
                kind=kinds[what],
                query=query,
                test=options.get("env") == "test",
                ip=ADDRESSES[options.get("at", "home")],
                user_agent=USER_AGENTS[options.get("on", "iphone")],
                browser=COOKIES.get(options.get("cookie", ""), ""),
                **fields,
            )
        )

    def _evidence(self, options: dict[str, str]) -> dict[str, str]:
        by, _, which = options.get("by", "").partition("#")
        url = f"https://{world.DOMAIN}/{options.get('link', '')}"
        path, click = self.touches[int(which or 0) - 1] if self.touches else ("", 0)
        return {
            "": {},
            "click-id": {"link_identifier": str(click)},
            "unknown-id": {"link_identifier": "123456789012345678"},
            "scheme": {"external_intent_uri": f"myapp://open?link_click_id={click}"},
            "cookie": {"link_identifier": COOKIES["a"]},
            "referrer": {"install_referrer_extras": f"link_click_id={click}&utm_source=mail"},
            "encoded-referrer": {"install_referrer_extras": f"link_click_id%3D{click}%26utm_source%3Dmail"},
            "organic-referrer": {"install_referrer_extras": "utm_source=google-play&utm_medium=organic"},
            "pasteboard": {"local_url": f"https://{world.DOMAIN}/{path}"},
            "pasteboard-id": {"local_url": f"https://{world.DOMAIN}/{path}?link_click_id={click}"},
            "universal-link": {"universal_link_url": url},
            "app-link": {"android_app_link_url": url},
        }[by]


def _settings(options: dict[str, str]) -> dict[str, Any]:
    dma = {"dma_eea": True, "dma_ad_user_data": options.get("dma") == "given", "dma_ad_personalization": True}
    settings: dict[str, dict[str, Any]] = {
        "as": {"identity": options.get("as")},
        "idfa": {"idfa": AD_IDS.get(options.get("idfa", ""))},
        "aaid": {"google_advertising_id": AD_IDS.get(options.get("aaid", ""))},
        "retry": {"branch_sdk_request_unique_id": options.get("retry")},
        "consent": {"cpp_level": options.get("consent")},
        "token": {"randomized_bundle_token": options.get("token")},
        "lat": {"lat_val": 1},
        "dma": dma,
        "tracking": {"tracking_disabled": True},
        "version": {"os_version": options.get("version")},
        "model": {"model": options.get("model")},
    }
    return {name: value for option in options for name, value in settings.get(option, {}).items()}


def _user(whom: str, options: dict[str, str]) -> dict[str, Any]:
    if whom not in DEVICES:
        return {"developer_identity": whom}
    device = DEVICES[whom]
    user: dict[str, Any] = {
        "os": device.get("os"),
        "idfv": device.get("ios_vendor_id"),
        "android_id": device["hardware_id"] if whom.startswith("pixel") else None,
        "browser_fingerprint_id": device.get("browser_fingerprint_id"),
        "developer_identity": options.get("as"),
    }
    return {name: value for name, value in user.items() if value is not None}


def _minutes(when: str) -> float:
    return sum(float(number) * SPAN[unit] for number, unit in re.findall(r"(\d+)([dhms])", when))


def _event(result: Attributed) -> str:
    if result.duplicate_of is not None:
        return "retry"
    remark = " (re-engagement)" if result.reengagement else "" if result.counted else " (not counted)"
    return result.name + remark


def _credit(result: Attributed, story: Story, expected: str) -> str:
    if result.duplicate_of is not None:
        return "-"
    if result.credit is None or result.credit.touch is None:
        return "organic"
    touch = result.credit.touch
    named = f"{touch.kind} {touch.data.get('product', 'brief')}"
    if "#" not in expected:
        return named
    return f"{named}#{[number for _, number in story.touches].index(touch.id) + 1}"


def _data(result: Attributed) -> str:
    given = result.deep_link
    if given is None:
        return "-"
    if given["+clicked_branch_link"]:
        return str(given.get("product", "brief")) + ("" if given["+match_guaranteed"] else " (guess)")
    return "foreign" if "+non_branch_link" in given else "none"


@pytest.mark.parametrize("row", scenarios(), ids=lambda row: row.story)
def test_scenario(row: Scenario) -> None:
    story = Story(row.story)
    (result,) = [one for one in world.read(*story.rows) if one.id == story.judged]
    told = explain(result)
    said = [told.summary, told.nearest_miss, *(line.sentence for line in (*told.deep_link, *told.credit))]
    assert (_event(result), _credit(result, story, row.credit), _data(result)) == (row.event, row.credit, row.data), (
        said
    )
    assert any(row.because in sentence for sentence in said), said


def test_there_are_at_least_eighty_scenarios() -> None:
    assert len(scenarios()) >= 80
    assert len({row.story for row in scenarios()}) == len(scenarios())
