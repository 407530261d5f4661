"""Whether the server is well: what the background processes have reached, what is set aside, what doctor would say."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from bough.dashboard.page_context import Here, page
from bough.dashboard.rendering import html, render
from bough.dashboard.tables import Column, PageTable
from bough.health.examination import examine
from bough.health.findings import ASIDE_LABELS, Consumer, Finding, consumers, process_findings
from bough.store import set_aside
from bough.store.database import Store
from bough.store.set_aside import SetAside

TOTALS = "SELECT journal FROM watermark WHERE name = 'day totals'"


@page("settings")
async def health(here: Here) -> Response:
    """GET /dashboard/settings/health."""
    store = here.call.context.store
    parts, problems, aside, totals = await store.beside(_read, here, store)
    rows = [{"part": one.label, "state": one.state, "as_of": one.as_of} for one in parts]
    rows.append({"part": "Sums of the overview", "state": "kept by the warehouse", "as_of": totals})
    table = PageTable(
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
    return here.answer("settings_health.html", [table, _problems(problems), _aside(here, aside)], section="health")


def _read(here: Here, store: Store) -> tuple[list[Consumer], list[Finding], list[SetAside], int | None]:
    # A reason may quote what a row holds, so it is for those who may see all of their data.
    aside = [one for app in here.apps for one in set_aside.listed(store, app.id)] if not here.limited else []
    totals = store.rows(TOTALS)
    settings = here.call.context.settings
    return consumers(store), process_findings(settings.folder), aside, totals[0][0] if totals else None


def _problems(problems: list[Finding]) -> PageTable:
    return PageTable(
        name="problems",
        caption="What fails",
        columns=(
            Column(name="part", label="Part"),
            Column(name="state", label="State"),
            Column(name="message", label="What is wrong", kind="long"),
        ),
        rows=[{"part": one.part, "state": one.state, "message": one.message} for one in problems],
        empty="Every part of the server is well.",
    )


def _aside(here: Here, aside: list[SetAside]) -> PageTable:
    names = {app.id: app.name for app in here.apps}
    return PageTable(
        name="set_aside",
        caption="What is set aside",
        columns=(
            Column(name="at", label="Tried last", kind="time"),
            Column(name="app", label="App"),
            Column(name="part", label="Part"),
            Column(name="kind", label="Kind"),
            Column(name="item", label="Id"),
            Column(name="reason", label="Reason", kind="long"),
        ),
        rows=[
            {
                "at": one.at,
                "app": names[one.app],
                "part": ASIDE_LABELS.get(one.consumer, one.consumer),
                "kind": one.kind,
                "item": str(one.item),
                "reason": one.reason,
            }
            for one in aside
        ],
        empty="Everything that has arrived was digested.",
    )


@page("settings")
async def doctor(here: Here) -> Response:
    """GET /dashboard/settings/health/doctor: what `bough doctor` says. It asks the network, so it takes seconds."""
    findings = await asyncio.to_thread(lambda: list(examine(here.call.context.settings)))
    if here.partial:
        return html(render("doctor.html", findings=findings))
    table = PageTable(
        name="doctor",
        caption="What doctor says",
        columns=(Column(name="finding", label="Finding", kind="long"),),
        rows=[{"finding": one} for one in findings],
        empty="Nothing is wrong with settings, data folder, domains and certificates.",
    )
    return here.answer("settings_doctor.html", [table], section="health", findings=findings)
