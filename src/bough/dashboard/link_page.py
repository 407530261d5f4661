"""A link's own page: clicks by day, platform, country and referrer, what it brought, where it leads, its changes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from starlette.responses import Response

from bough.accounts.model import App
from bough.dashboard import formats, queries
from bough.dashboard.curl import create_link_line, get_line
from bough.dashboard.link_form import fields_of, new_body
from bough.dashboard.link_preview import show
from bough.dashboard.page_context import Here, page
from bough.dashboard.periods import LENGTHS, Period, finished, period
from bough.dashboard.tables import Column, PageTable
from bough.links.listing import Listed
from bough.links.management_handlers import link_document, own_link_by_id
from bough.links.qr.code import inline_svg
from bough.links.qr.look import parse_settings
from bough.store.database import Rows
from bough.store.transaction import RowValues
from bough.vocabulary.calendar_days import local_day
from bough.vocabulary.ids import now_ms
from bough.vocabulary.money import joined

TOP = 100
"""Values of a dimension that are shown."""

MAX_QR_URL = 600


@page("links")
async def link(here: Here) -> Response:
    """GET /dashboard/links/{id}."""
    listed = await own_link_by_id(here.call, here.user, here.call.path["id"])
    app = here.call.context.directory.apps[listed.link.app]
    if (app.id, listed.link.test) != (here.app.id, here.test):
        here = here.at(app, listed.link.test)
    chosen = period(here.zone, here.call.query("days"), here.call.query("start"), here.call.query("end"))
    store = here.call.context.store
    days, values, events = await store.beside(_read, store.rows, listed.link.id, chosen)
    document = await link_document(here.call, listed)
    is_open = chosen.last == local_day(here.zone, now_ms())
    clicks = sum(count for _, count in days)
    tables = [
        _days_table(chosen, days, events),
        *(_values_table(name, label, values, clicks) for name, label in (
            ("platform", "Platforms"), ("country", "Countries"), ("referrer", "Referrers"))),
        _results_table(events),
    ]  # fmt: skip
    if here.form == "json" and here.call.query("table") is None:
        tables[0].document = document
    return here.answer(
        "link.html",
        tables,
        listed=listed,
        document=document,
        period=chosen,
        lengths=LENGTHS,
        clicks=clicks,
        installs=sum(count for _, name, count, _ in events if name == "INSTALL"),
        reinstalls_opens=sum(count for _, name, count, _ in events if name == "OPEN"),
        revenue=sum(micro for _, _, _, micro in events),
        chart=_chart(chosen, days, is_open=is_open),
        is_open=is_open,
        qr=_qr(document["url"], listed),
        create_line=create_link_line(here, new_body({**fields_of(listed.link), "alias": listed.link.alias or ""})),
        read_line=get_line(here, f"/api/links/{listed.link.id}"),
        said={"made": "The link is made.", "saved": "Saved."}.get(
            next((name for name in ("made", "saved") if here.call.query(name)), ""), ""
        ),
        people=_people_of(here, listed.link.campaign or ""),
        **_shown(listed, app),
    )


def _people_of(here: Here, campaign: str) -> str:
    """Where the people of the link's campaign are a cohort whose numbers open; empty where there is no such page."""
    if not campaign or "|" in campaign or here.test or not (here.may("aggregate_data") and here.may("export")):
        return ""
    named = {"f-dim": "touch_data_tilde_campaign", "f-op": "is", "f-val": campaign}
    return here.url("cohorts", source="install_cohort", days="90", measure="Retention", **named)


def _shown(listed: Listed, app: App) -> dict[str, Any]:
    return {"shown": show(listed.link, app)}


def _qr(url: str, listed: Listed) -> str:
    if len(url.encode()) > MAX_QR_URL:
        return ""
    look = msgspec.structs.replace(parse_settings(listed.link.qr_code_settings), width=300, margin=0)
    return inline_svg(url, "QR code of this link", look)


def _read(rows: Rows, link: int, chosen: Period) -> tuple[list[RowValues], list[RowValues], list[RowValues]]:
    between = (link, chosen.first, chosen.last)
    events = [
        (day, name, count, joined(thousands, micro))
        for day, name, count, thousands, micro in rows(queries.LINK_EVENTS, (link,))
    ]
    return rows(queries.LINK_DAYS, between), rows(queries.LINK_VALUES, between), events


def _days_table(chosen: Period, days: list[RowValues], events: list[RowValues]) -> PageTable:
    clicks: dict[int, int] = dict(days)
    installs: Counter[int] = Counter()
    revenue: Counter[int] = Counter()
    for day, name, count, micro in events:
        installs[day] += count if name == "INSTALL" else 0
        revenue[day] += micro
    return PageTable(
        name="days",
        caption="By day",
        columns=(
            Column(name="day", label="Day", kind="day"),
            Column(name="clicks", label="Clicks", kind="number"),
            Column(name="installs", label="Installs", kind="number"),
            Column(name="revenue", label="Revenue", kind="money"),
        ),
        rows=[
            {"day": day, "clicks": clicks.get(day, 0), "installs": installs[day], "revenue": revenue[day]}
            for day in range(chosen.last, chosen.first - 1, -1)
        ],
        empty="There is no day in this period.",
    )


def _values_table(dimension: str, label: str, values: list[RowValues], clicks: int) -> PageTable:
    found = [(value, int(count)) for one, value, count in values if one == dimension and value]
    unknown = clicks - sum(count for _, count in found)
    if unknown > 0:  # clicks that came between two readings make it less
        found.append(("", unknown))
    found.sort(key=lambda one: (-one[1], one[0]))
    return PageTable(
        name=dimension,
        caption=label,
        columns=(
            Column(name=dimension, label=dimension.capitalize()),
            Column(name="clicks", label="Clicks", kind="number", bars=True),
        ),
        rows=[{dimension: value or "unknown", "clicks": count} for value, count in found[:TOP]],
        empty="No click in this period. Choose a longer one, or open the link on a phone.",
    )


def _results_table(events: list[RowValues]) -> PageTable:
    counts: Counter[str] = Counter()
    micros: Counter[str] = Counter()
    for _, name, count, micro in events:
        counts[name] += count
        micros[name] += micro
    return PageTable(
        name="events",
        caption="What it brought, all time",
        columns=(
            Column(name="event", label="Event"),
            Column(name="count", label="Count", kind="number"),
            Column(name="revenue", label="Revenue", kind="money"),
        ),
        rows=[
            {"event": name, "count": count, "revenue": micros[name] or None} for name, count in counts.most_common(TOP)
        ],
        empty="Nothing is credited to this link yet. Installs and events appear within a second of their attribution.",
    )


def _chart(chosen: Period, days: list[RowValues], *, is_open: bool) -> str:
    clicks: dict[int, int] = dict(days)
    every = range(chosen.first, chosen.last + 1)
    values, unfinished = finished([clicks.get(day, 0) for day in every], is_open=is_open)
    value = {
        "x": "Day",
        "height": 220,
        "labels": [formats.day(day) for day in every],
        "series": [{"label": "Clicks", "values": values}, *unfinished],
    }
    return msgspec.json.encode(value).decode()
