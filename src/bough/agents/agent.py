"""What a User-Agent tells us about the caller (the parsing is in `bough.agents.recognition`)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["browser", "social", "robot", "program"]
"""`browser`: a person's browser or in-app web view; `social`: fetches a link preview for people; `robot`: crawls on its
own; `program`: none of these (curl, node, an HTTP library)."""

OperatingSystem = Literal[
    "ios", "android", "fire", "mac", "windows", "linux", "chromeos", "windows_phone", "blackberry", ""
]


class Agent(Struct, frozen=True, kw_only=True):
    """One parsed User-Agent. Empty strings mean unknown."""

    kind: Kind
    os: OperatingSystem = ""
    os_version: str = ""
    """Dotted, as in `17.4.1`."""
    device: Literal["phone", "tablet", "desktop", ""] = ""
    brand: str = ""
    """`Apple`, `Samsung`, `Huawei`, … when the User-Agent says so."""
    model: str = ""
    """`iPhone`, `SM-G991B`, …"""
    browser: str = ""
    """`Safari`, `Chrome`, `Facebook`, `Instagram`, `WeChat`, …; for robots and programs their own name."""
    browser_version: str = ""
