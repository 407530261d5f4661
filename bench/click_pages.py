"""How long pages and QR codes take, in microseconds of one core: `scripts/bench click_pages`."""

from __future__ import annotations

import timeit
from collections.abc import Callable

from bough.accounts.model import App
from bough.clicks.pages import documents
from bough.clicks.pages.preview import preview
from bough.links.qr.code import render
from bough.links.qr.look import QrSettings

LINK = "https://trailhead.app.link/WgiqvsepqF"
APP = App(id=1, organization=1, name="Trailhead")
DATA = {
    "$og_title": "Five lakes walk above Zermatt",
    "$og_description": "A circular walk of 9 km past five mountain lakes.",
    "$og_image_url": "https://cdn.example.com/lakes.jpg",
    "$canonical_url": "https://example.com/walks/5",
}
SEEN = preview(DATA, APP, LINK)

CASES: dict[str, Callable[[], object]] = {
    "preview from data": lambda: preview(DATA, APP, LINK),
    "og page": lambda: documents.og(documents.OgPage(preview=SEEN, link_url=LINK)),
    "deepview": lambda: documents.deepview(documents.DeepviewPage(preview=SEEN, cta_url=LINK)),
    "desktop page": lambda: documents.desktop(documents.DesktopPage(preview=SEEN, link_url=LINK)),
    "open page": lambda: documents.open_app(documents.OpenAppPage(preview=SEEN, open_url="a://b", fallback_url=LINK)),
    "not found": documents.not_found,
    "QR png 512": lambda: render(LINK),
    "QR png 2000": lambda: render(LINK, QrSettings(width=2000)),
    "QR svg": lambda: render(LINK, QrSettings(image_format="svg")),
}


def main() -> None:
    for name, case in CASES.items():
        timer = timeit.Timer(case)
        count, _ = timer.autorange()
        print(f"{name:20} {min(timer.repeat(3, count)) / count * 1e6:10.0f} µs")


if __name__ == "__main__":
    main()
