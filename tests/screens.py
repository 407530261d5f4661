"""Screenshots of every page: ``scripts/screens [--out DIR]``; the demo's year at 390 and 1440 px, light and dark."""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser

from tests import chromium
from tests.dashboard.addresses import addresses
from tests.dashboard.signing_in import signed_in
from tests.running import Running, wait_until

WIDTHS = (390, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
COHORT = (
    "/dashboard/cohorts?source=install_cohort&days=90&granularity=week&bands=8&measure=Retention&measure=LTV"
    "&dim=install_activity_touch_data_tilde_campaign"
)


def take(server: Running, browser: Browser, out: Path) -> int:
    """Photograph all pages; how many pictures."""
    owner = signed_in(server, browser, "owner")
    pages = [*addresses(owner, server), COHORT]
    state = owner.storage_state()
    count = 0
    for width in WIDTHS:
        for scheme in SCHEMES:
            context = browser.new_context(
                base_url=server.base_url,
                storage_state=state,
                color_scheme=scheme,
                viewport={"width": width, "height": 900},
            )
            page = context.new_page()
            for address in pages:
                page.goto(address)
                if "/cohorts" in address and page.locator("#answer").count():
                    page.locator("table.heat, .empty").first.wait_for(timeout=30_000)
                name = (
                    re.sub(r"\W+", "-", address.removeprefix("/dashboard").partition("?")[0]).strip("-") or "overview"
                )
                suffix = "-split" if "?" in address else ""
                page.screenshot(path=out / f"{name}{suffix}-{width}-{scheme}.png", full_page=True)
                count += 1
            context.close()
    return count


def main() -> None:
    """Start the demo, wait for its year, photograph."""
    parser = argparse.ArgumentParser(prog="scripts/screens", description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("screens"), help="where the pictures go (screens)")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bough-screens-") as folder:
        server = Running(Path(folder) / "data", environment={"BOUGH_RATE_LIMITS": "off"})
        try:
            wait_until(lambda: "A year of demo data" in server.log.read_text(), 120)
            with chromium.chromium() as browser:
                print(f"{take(server, browser, out)} pictures in {out}")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
