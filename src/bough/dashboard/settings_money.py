"""Exchange rates and costs, uploaded as CSV: all lines or none, and the first wrong line is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from starlette.responses import Response

from bough.accounts.audit import AuditEntry
from bough.attribution.rates import RateBatch, read_lines, store_rates
from bough.dashboard.page_context import Here, page
from bough.dashboard.tables import Column, PageTable
from bough.errors import BadRequest, BoughError
from bough.exports import wake_up
from bough.importers.costs import costs_sentence, read_costs, save_batch
from bough.text_files import uploaded_lines
from bough.vocabulary.calendar_days import date_of
from bough.web.bodies import parse_form

MAX_LINES = 20_000
MAX_BYTES = 8 * 1024 * 1024
NEWEST_RATES = "SELECT day, currency, usd_rate FROM rate ORDER BY day DESC, currency LIMIT 200"
NEWEST_COSTS = "SELECT day, amount, currency, dimensions FROM cost WHERE app = ? ORDER BY id DESC LIMIT 200"
MISSING_RATES = (
    "SELECT day, currency, count(*) FROM (SELECT day, currency FROM rate_missing LIMIT 2000) AS m"
    " GROUP BY day, currency ORDER BY day DESC LIMIT 100"
)


@page("settings")
async def money(here: Here) -> Response:
    """GET /dashboard/settings/money."""
    return await _answer(here)


@page("settings")
async def add_rates(here: Here) -> Response:
    """POST /dashboard/settings/money/rates."""
    fields = parse_form(await here.call.bytes(MAX_BYTES))
    try:
        rates = list(read_lines("The file", _lines(fields)))
        if len(rates) > MAX_LINES:
            raise BadRequest(f"At most {MAX_LINES} rates at a time.")
        batch = RateBatch(tuple(rates), replace=fields.get("replace") == "on")
        report = await here.call.change(
            store_rates, batch,
            lambda done: AuditEntry(action="rates.add", details={"added": done.added, "replaced": done.replaced}),
        )  # fmt: skip
    except BoughError as error:
        return await _answer(here, problem=error.message)
    refused = f" {len(report.refused)} were refused, the first: {report.refused[0]}" if report.refused else ""
    return await _answer(
        here, f"{report.added} rates added, {report.replaced} replaced, {report.unchanged} were there.{refused}"
    )


@page("settings")
async def add_costs(here: Here) -> Response:
    """POST /dashboard/settings/money/costs."""
    fields = parse_form(await here.call.bytes(MAX_BYTES))
    try:
        found = read_costs("The file", _lines(fields))
        if found.errors:
            line, error = found.errors[0]
            raise BadRequest(f"line {line}: {error}")
        if len(found.costs) > MAX_LINES:
            raise BadRequest(f"At most {MAX_LINES} lines at a time.")
        count = len(found.costs)
        entry = AuditEntry(action="costs.add", subject=str(here.app.id), app=here.app.id, details={"costs": count})
        stored = await here.call.change(save_batch, (here.app.id, found.costs), lambda _: entry if count else None)
        wake_up.ring(here.call.context.settings.folder)
    except BoughError as error:
        return await _answer(here, problem=error.message)
    stored = msgspec.structs.replace(stored, added_up=found.lines - count)
    return await _answer(here, f"{costs_sentence(stored, ' stored')}.")


def _lines(fields: dict[str, Any]) -> Iterator[str]:
    """The lines of the form's CSV. Raises BadRequest when there are none."""
    text = str(fields.get("csv") or "")
    if not text.strip("\ufeff \t\r\n"):
        raise BadRequest("Choose a file, or paste its lines.")
    return uploaded_lines("The file", text)


async def _answer(here: Here, said: str = "", problem: str = "") -> Response:
    store = here.call.context.store
    rates = await store.fetch(NEWEST_RATES)
    costs = [] if here.limited else await store.fetch(NEWEST_COSTS, (here.app.id,))
    missing = await store.fetch(MISSING_RATES)
    tables = [
        PageTable(
            name="costs",
            caption="Newest costs",
            columns=(
                Column(name="date", label="Day"),
                Column(name="cost", label="Cost"),
                Column(name="currency", label="Currency"),
                Column(name="dimensions", label="Of", kind="pairs"),
            ),
            rows=[
                {
                    "date": date_of(day).isoformat(),
                    "cost": amount,
                    "currency": currency,
                    "dimensions": msgspec.json.decode(dimensions),
                }
                for day, amount, currency, dimensions in costs
            ],
            empty="No costs yet. Upload what campaigns cost per day, and ROAS, ROI and eCPA show under Cohorts.",
        ),
        PageTable(
            name="rates",
            caption="Newest exchange rates",
            columns=(
                Column(name="date", label="Day"),
                Column(name="currency", label="Currency"),
                Column(name="usd_rate", label="Dollars for one unit"),
            ),
            rows=[{"date": day, "currency": currency, "usd_rate": rate} for day, currency, rate in rates],
            empty="No rates yet. Amounts in dollars need none; others are left out until their day has one.",
        ),
        PageTable(
            name="missing",
            caption="Days without a rate",
            columns=(
                Column(name="date", label="Day"),
                Column(name="currency", label="Currency"),
                Column(name="events", label="Events", kind="number"),
            ),
            rows=[{"date": day, "currency": currency, "events": count} for day, currency, count in missing],
            empty="Every amount has its rate.",
        ),
    ]
    return here.answer(
        "settings_money.html", tables, status=400 if problem else 200, section="money", said=said,
        problem=problem,
    )  # fmt: skip
