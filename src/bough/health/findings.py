"""How the server is, in one place: `GET /readyz`, `bough doctor` and the Health page all tell what is read here.

Degraded means: it answers and counts, but a part fails, a consumer lags, or rows are set aside. Links go on working.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

from bough import condition
from bough.store import set_aside
from bough.store.transaction import Reader
from bough.vocabulary.ids import arrived_at, now_ms

LAG_MS = 60_000
"""A consumer whose oldest waiting row is older lags."""

LABELS: Mapping[str, str] = {
    "counts": "Kept counts of links",
    "day counts": "Kept counts by day",
    "attribution": "Attribution",
}
"""Consumers whose watermark is a row of the journal."""

ASIDE_LABELS: Mapping[str, str] = {
    set_aside.COUNTS: "Kept counts of links",
    set_aside.DAY_COUNTS: "Kept counts by day",
    set_aside.TOUCHES: "Finding clicks again",
    set_aside.ATTRIBUTION: "Attribution",
    set_aside.MONEY: "Dollars of events",
    set_aside.EVENTS: "Warehouse: events",
    set_aside.PERSONS: "Warehouse: people",
    set_aside.FILES: "Warehouse: imported files",
    set_aside.COSTS: "Costs",
    set_aside.LINK_COSTS: "Costs of links",
}

WATERMARKS = "SELECT name, journal FROM watermark"
OLDEST_AFTER = "SELECT id FROM journal WHERE id > ? ORDER BY id LIMIT 1"

State = Literal["up to date", "behind", "lags", "being made again"]


class Consumer(Struct, frozen=True, kw_only=True):
    """How far one consumer of the journal is."""

    name: str
    label: str
    state: State
    as_of: int | None
    """Epoch ms up to which it has digested everything; None: nothing yet."""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is not as it should be."""

    part: str
    state: Literal["failing", "silent", "lags", "set aside"]
    message: str
    """One sentence for the operator."""


def consumers(reader: Reader) -> list[Consumer]:
    """How far those are who consume the journal."""
    marks: dict[str, int] = dict(reader.rows(WATERMARKS))
    found = []
    for name, label in LABELS.items():
        reached = marks.get(name, 0)
        waiting = reader.rows(OLDEST_AFTER, (max(reached, 0),))
        state: State = "up to date"
        if reached < 0:
            state = "being made again"
        elif waiting:
            state = "lags" if now_ms() - arrived_at(waiting[0][0]) > LAG_MS else "behind"
        as_of = arrived_at(reached) if reached > 0 else None
        found.append(Consumer(name=name, label=label, state=state, as_of=as_of))
    return found


def findings(reader: Reader, folder: Path, apps: Mapping[int, str] | None = None) -> list[Finding]:
    """Everything that is wrong with the running server; nothing about processes when none runs.

    `apps`: names of the apps whose set-aside rows are told apart; None: all are counted together.
    """
    found = process_findings(folder)
    found += [
        Finding(part=one.name, state="lags", message=f"{one.label}: rows have waited for more than a minute.")
        for one in consumers(reader)
        if one.state == "lags"
    ]
    counts: dict[tuple[str, str], int] = {}
    for consumer, app, count in set_aside.counted(reader):
        if apps is None or app in apps:
            key = (consumer, "" if apps is None else apps[app])
            counts[key] = counts.get(key, 0) + count
    found += [_aside(consumer, app, count) for (consumer, app), count in counts.items()]
    return found


def _aside(consumer: str, app: str, count: int) -> Finding:
    whose = f"App {app}: " if app else ""
    things = "1 row is" if count == 1 else f"{count} rows are"
    label = ASIDE_LABELS.get(consumer, consumer)
    message = (
        f"{whose}{label}: {things} set aside; `bough journal set-aside` shows why, `bough journal replay` retries."
    )
    return Finding(part=consumer, state="set aside", message=message)


def process_findings(folder: Path) -> list[Finding]:
    """Parts that fail, and processes that do not say anything, of a server that runs."""
    states = condition.read(folder)
    alive = [one for one in states if not one.is_silent]
    found: dict[str, Finding] = {}
    for process in alive:
        for part in process.failing:
            message = f"{part.part} fails and is tried again (failure {part.failures}): {part.reason}"
            found[part.part] = Finding(part=part.part, state="failing", message=message)
    if not alive:
        return list(found.values())
    started = min(one.started for one in alive)
    said = {one.process for one in alive}
    waited = now_ms() - started > condition.SILENT_SECONDS * 1000
    missing = [name for name in condition.FOLLOWERS if name not in said and waited]
    missing += [one.process for one in states if one.is_silent and one.process not in missing]
    for name in missing:
        message = f"The {name} process says nothing: it hangs or ends again and again; the server's log says why."
        found[name] = Finding(part=name, state="silent", message=message)
    return list(found.values())
