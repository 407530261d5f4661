"""Whether the server is well: what the background processes have reached, and what doctor would say."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from bough.attribution.stored import REBUILDING
from bough.commands.doctor import examine
from bough.dashboard import queries
from bough.dashboard.here import Here, page
from bough.dashboard.rendering import html, render
from bough.dashboard.tables import Column, Table
from bough.ids import arrived_at, now_ms

WATERMARKS = "SELECT name, journal FROM watermark"
FOLLOWERS = {
    "counts": "Kept counts of links",
    "day counts": "Kept counts by day",
    "attribution": "Attribution",
}
"""Watermarks that are journal rows, and what they follow it for."""


@page("settings")
async def health(here: Here) -> Response:
    """GET /dashboard/settings/health."""
    store = here.call.context.store
    marks: dict[str, int] = dict(await store.fetch(WATERMARKS))
    newest = (await store.fetch(queries.NEWEST_ROW))[0][0] or 0
    rows = []
    for name, label in FOLLOWERS.items():
        reached = marks.get(name, 0)
        behind = 0 if reached >= newest else now_ms() - (arrived_at(reached) if reached > 0 else 0)
        state = "being made again" if reached == REBUILDING else ("up to date" if not behind else "behind")
        rows.append({"part": label, "state": state, "as_of": arrived_at(reached) if reached > 0 else None})
    totals = marks.get("day totals")
    rows.append({"part": "Sums of the overview", "state": "kept by the warehouse", "as_of": totals})
    table = Table(
        name="health",
        caption="How far each part is",
        columns=(
            Column(name="part", label="Part"),
            Column(name="state", label="State"),
            Column(name="as_of", label="Up to", kind="time"),
        ),
        rows=rows,
        empty="Nothing runs in the background yet.",
    )
    return here.answer("settings_health.html", [table], section="health")


@page("settings")
async def doctor(here: Here) -> Response:
    """GET /dashboard/settings/health/doctor: what `bough doctor` says. It asks the network, so it takes seconds."""
    findings = await asyncio.to_thread(lambda: list(examine(here.call.context.settings)))
    if here.partial:
        return html(render("doctor.html", findings=findings))
    table = Table(
        name="doctor",
        caption="What doctor says",
        columns=(Column(name="finding", label="Finding", kind="long"),),
        rows=[{"finding": one} for one in findings],
        empty="Nothing is wrong with settings, data folder, domains and certificates.",
    )
    return here.answer("settings_doctor.html", [table], section="health", findings=findings)
