"""The overview: links, clicks, installs, opens and revenue over time, against the period before; the live feed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct
from starlette.responses import Response

from bough.dashboard import feed, formats, queries
from bough.dashboard.page_context import Here, page
from bough.dashboard.periods import LENGTHS, Period, finished, period
from bough.dashboard.tables import Column, PageTable
from bough.store.database import Rows
from bough.vocabulary.calendar_days import local_day
from bough.vocabulary.ids import now_ms
from bough.vocabulary.money import joined


class Figure(Struct, frozen=True, kw_only=True):
    """One number of the overview."""

    name: str
    label: str
    source: Literal["rows", "events", "revenue"]
    of: str = ""
    """The kind of rows or the event's name; revenue is that of all events."""


FIGURES = (
    Figure(name="clicks", label="Clicks", source="rows", of="click"),
    Figure(name="installs", label="Installs", source="events", of="INSTALL"),
    Figure(name="opens", label="Opens", source="events", of="OPEN"),
    Figure(name="revenue", label="Revenue", source="revenue"),
    Figure(name="links", label="New links", source="rows", of="link"),
)

Series = dict[str, list[int]]
"""Figure to one value per day; revenue in millionths of a dollar."""


@page("overview")
async def overview(here: Here) -> Response:
    """GET /dashboard; it is where people come after the sign-in, so who may not see it is led to what they may."""
    if here.form == "html" and not here.may("aggregate_data"):
        return Response(b"", 303, {"Location": here.url(here.navigation[0].path)})
    here.need("aggregate_data")
    if not here.has_app:
        return here.answer("no_app.html")
    if here.limited:
        return here.answer("limited.html")
    chosen = period(here.zone, here.call.query("days"), here.call.query("start"), here.call.query("end"))
    metric = next((one for one in FIGURES if one.name == here.call.query("metric")), FIGURES[0])
    store = here.call.context.store
    now, before = await store.beside(_both, store.rows, here.app.id, here.test, chosen)
    rows = [
        {
            "day": chosen.first + place,
            **{figure.name: now[figure.name][place] for figure in FIGURES},
            "people": _people_of(here, chosen.first + place) if now["installs"][place] else "",
        }
        for place in range(chosen.days)
    ]
    table = PageTable(
        name="days",
        caption="By day",
        columns=(
            Column(name="day", label="Day", kind="day"),
            *(
                Column(
                    name=one.name,
                    label=one.label,
                    kind="money" if one.source == "revenue" else "number",
                    href="people" if one.name == "installs" else "",
                )
                for one in FIGURES
            ),
        ),
        rows=rows[::-1],
        empty="There is no day in this period.",
    )
    is_open = chosen.last == local_day(here.zone, now_ms())
    totals = {name: sum(values) for name, values in now.items()}
    recent = await feed.recent(here) if here.form == "html" and here.may("sensitive_data") else []
    return here.answer(
        "overview.html",
        [table],
        period=chosen,
        lengths=LENGTHS,
        figures=FIGURES,
        metric=metric,
        now_totals=totals,
        before_totals={name: sum(values) for name, values in before.items()},
        series=now,
        chart=chart(metric, chosen, now, before, is_open=is_open),
        is_open=is_open,
        recent=recent,
        nothing=not any(totals.values()) and not recent,
    )


def _people_of(here: Here, day: int) -> str:
    """Where the installs of a day are a cohort whose numbers open; empty for who may not look, and in tests."""
    if here.test or not here.may("export"):
        return ""
    date = formats.day(day)
    return here.url("cohorts", source="install_cohort", start=date, end=date, measure="Retention", dim="data_os")


def read_series(rows: Rows, app: int, test: bool, days: Period) -> Series:
    """The kept counts of a period."""
    counted = rows(queries.APP_DAYS, (app, int(test), days.first, days.last))
    if test:
        events = rows(queries.TEST_EVENTS, (app, days.first, days.last))
    else:
        events = rows(queries.APP_EVENTS, (app, days.first, days.last))
    return series_of(days, counted, events)


def series_of(days: Period, counted: Iterable[tuple[Any, ...]], events: Iterable[tuple[Any, ...]]) -> Series:
    """(day, kind, count) and (day, name, count, thousands of dollars, micro) as one list per figure."""
    found: Series = {figure.name: [0] * days.days for figure in FIGURES}
    by_kind = {figure.of: figure.name for figure in FIGURES if figure.source == "rows"}
    by_event = {figure.of: figure.name for figure in FIGURES if figure.source == "events"}
    for day, kind, count in counted:
        if kind in by_kind:
            found[by_kind[kind]][day - days.first] += count
    for day, name, count, thousands, micro in events:
        if name in by_event:
            found[by_event[name]][day - days.first] += int(count)
        found["revenue"][day - days.first] += joined(int(thousands), int(micro))
    return found


def _both(rows: Rows, app: int, test: bool, chosen: Period) -> tuple[Series, Series]:
    return read_series(rows, app, test, chosen), read_series(rows, app, test, chosen.before)


def chart(metric: Figure, chosen: Period, now: Series, before: Series, *, is_open: bool) -> str:
    """The data of the curve (static/app.js). `is_open`: the last day is not over, and drawn as a part of its own."""
    unit = 1_000_000 if metric.source == "revenue" else 1
    values, unfinished = finished([one / unit for one in now[metric.name]], is_open=is_open)
    value = {
        "x": "Day",
        "labels": [formats.day(chosen.first + place) for place in range(chosen.days)],
        "money": metric.source == "revenue",
        "series": [
            {"label": metric.label, "values": values},
            {"label": f"{chosen.days} days before", "values": [v / unit for v in before[metric.name]], "dash": True},
            *unfinished,
        ],
    }
    return msgspec.json.encode(value).decode()
