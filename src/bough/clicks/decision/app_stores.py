"""App stores: which addresses are store pages, and the pages made from a package name.

A store page gets no match parameters (docs/clicks.md). The Play Store alone passes something on to the app: its
`referrer`, in which the click's id travels through the install.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bough.clicks.decision.model import LINK_CLICK_ID
from bough.links.addresses import SafeAddress, encode_value

STORE_HOSTS = frozenset(
    {
        "apps.apple.com",
        "itunes.apple.com",
        "geo.itunes.apple.com",
        "play.google.com",
        "market.android.com",
        "appgallery.huawei.com",
        "appgallery.cloud.huawei.com",
        "galaxystore.samsung.com",
        "apps.samsung.com",
        "www.samsungapps.com",
        "samsungapps.com",
        "apps.microsoft.com",
        "app.mi.com",
        "m.app.mi.com",
    }
)
"""Hosts that are stores as a whole."""

STORE_PATHS = {"www.amazon.com": "/gp/mas/", "amazon.com": "/gp/mas/", "www.microsoft.com": "/store/"}
"""Stores that are a part of a host."""

HOSTS_WITH_STORES = STORE_HOSTS | STORE_PATHS.keys()

STORE_SCHEMES = frozenset({"market", "itms", "itms-apps", "itms-appss", "samsungapps", "amzn", "appmarket"})
"""Schemes that open a store's app."""

PLAY_STORE = "play.google.com"
CLICK_HERE = "%26link_click_id%3D"
"""The end of a referrer that a link brings along, where the click's id shall stand."""
REFERRER = f"referrer=link_click_id%3D{LINK_CLICK_ID}"

_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")
_OWN_REFERRER = re.compile(r"[?&]referrer=([^&#]*)")


def is_store(address: SafeAddress) -> bool:
    """Whether an address is a page of an app store, or opens one."""
    if not address.is_web:
        return address.scheme in STORE_SCHEMES
    host = address.host
    if host in STORE_HOSTS:
        return True
    return host in STORE_PATHS and address.path.startswith(STORE_PATHS[host])


def play_store_url(package: str) -> str:
    """The Play Store page of a package; the referrer is added by `with_referrer`."""
    return f"https://{PLAY_STORE}/store/apps/details?id={encode_value(package)}"


def app_store_url(number: str, campaign: Mapping[str, str]) -> str:
    """The App Store page of an app's numeric id, with the parameters by which the store counts campaigns."""
    query = "&".join(f"{name}={encode_value(value)}" for name, value in campaign.items())
    return f"https://apps.apple.com/app/id{number}{'?' if query else ''}{query}"


def amazon_store_url(package: str) -> str:
    """The page of a package in Amazon's store for Android."""
    return f"https://www.amazon.com/gp/mas/dl/android?p={encode_value(package)}"


def with_referrer(address: SafeAddress) -> str:
    """The address to send; a Play Store page carries the click's id. A referrer of its own stays as it is, unless it
    ends in CLICK_HERE and so asks for the id."""
    if address.host != PLAY_STORE or "id=" not in address.rest:
        return address.url
    url = address.url
    if own := _OWN_REFERRER.search(url):
        asks = own[1].endswith(CLICK_HERE)
        return f"{url[: own.end()]}{LINK_CLICK_ID}{url[own.end() :]}" if asks else url
    page, hash_sign, fragment = url.partition("#")
    return f"{page}&{REFERRER}{hash_sign}{fragment}"


def is_package(name: str) -> bool:
    """Whether a text is an Android package name, and so can stand in an intent address."""
    return len(name) <= 255 and bool(_PACKAGE.fullmatch(name))
