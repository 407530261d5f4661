"""User-Agents of people and of robots, as the fixtures of published detectors have them; read where pip put them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import yaml_rs
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from bough.agents.listed import PEOPLE

SHOW_NO_PAGE = frozenset({"library", "feed reader", "messaging", "pim", "av", "p2p", "mediaplayer"})
"""Kinds of clients that fetch and play, and are no place in which a person follows a link."""


@cache
def _fixtures() -> dict[str, list[dict[str, Any]]]:
    """device-detector's fixtures by name of file."""
    folder = files("device_detector.tests.fixtures.upstream")
    found: dict[str, Any] = {
        one.name.removesuffix(".yml"): yaml_rs.loads(one.read_text("utf-8"))
        for one in folder.iterdir()
        if one.name.endswith(".yml")
    }
    return found


@cache
def people() -> dict[str, list[str]]:
    """Strings of people's browsers and apps by where they are from, each once."""
    detected = [
        entry["user_agent"]
        for name, entries in _fixtures().items()
        if name not in ("bots", "podcasting")
        for entry in entries
        if (entry.get("client") or {}).get("type") not in SHOW_NO_PAGE
    ]
    lines = (files("fake_useragent.data") / "browsers.jsonl").read_text("utf-8").splitlines()
    return {
        "device-detector": sorted(set(filter(None, detected))),
        "fake-useragent": sorted({json.loads(line)["useragent"] for line in lines}),
    }


@cache
def robots() -> dict[str, list[str]]:
    """Strings of robots, scrapers and programs by where they are from, each once."""
    listed = {
        text for entry in CRAWLER_USER_AGENTS_DATA if entry["pattern"] not in PEOPLE for text in entry["instances"]
    }
    return {
        "device-detector": sorted({entry["user_agent"] for entry in _fixtures()["bots"]}),
        "crawler-user-agents": sorted(listed),
    }
