"""What the warehouse does with rows that it cannot digest: those at fault are found by halves, the others go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from bough.store import set_aside
from bough.store.database import Store
from bough.store.set_aside import EVENTS, PERSONS, SetAside

if TYPE_CHECKING:
    from bough.warehouse.build import Warehouse

NEXT_FED = (
    "SELECT version, id, app, 'event' FROM attributed WHERE version ="
    " (SELECT min(version) FROM attributed WHERE version > ?)"
    " UNION ALL SELECT version, id, app, 'touch' FROM person_touch WHERE version ="
    " (SELECT min(version) FROM person_touch WHERE version > ?)"
    " UNION ALL SELECT id, id, app, 'merge' FROM person_merge WHERE id ="
    " (SELECT min(id) FROM person_merge WHERE id > ?) ORDER BY 1 LIMIT 1"
)
VERSIONS = (
    "SELECT version FROM attributed WHERE id = ? UNION ALL SELECT version FROM person_touch WHERE id = ?"
    " UNION ALL SELECT id FROM person_merge WHERE id = ?"
)


def is_of_row(error: Exception) -> bool:
    """Whether an exception can be blamed on the rows, not on the machine or the warehouse's file."""
    return set_aside.is_of_row(error) and not isinstance(
        error,
        (
            duckdb.FatalException,
            duckdb.IOException,
            duckdb.OutOfMemoryException,
            duckdb.InterruptException,
            duckdb.InternalException,
            duckdb.TransactionException,
            duckdb.ConnectionException,
        ),
    )


def next_fed(store: Store, version: int, error: Exception) -> tuple[int, SetAside]:
    """The next thing that attribution has for the warehouse, to be set aside, and its version."""
    reached, item, app, kind = store.rows(NEXT_FED, (version, version, version))[0]
    return reached, SetAside(consumer=EVENTS, app=app, kind=kind, item=item, reason=set_aside.reason_of(error))


def refreshed_apart(warehouse: Warehouse, error: Exception) -> list[SetAside]:
    """Compute the touched people again by halves; those at fault keep the rows that they have, and are returned."""
    connection = warehouse.connection
    touched = [who for (who,) in connection.execute("SELECT DISTINCT who FROM touched ORDER BY who").fetchall()]
    faults: list[SetAside] = []
    failed: list[tuple[list[int], Exception]] = [(touched, error)]
    waiting: list[list[int]] = []
    while failed or waiting:
        if failed:
            part, reason = failed.pop()
            if len(part) > 1:
                waiting += [part[: len(part) // 2], part[len(part) // 2 :]]
                continue
            faults += [_fault(connection, who, reason) for who in part]
            _touch(warehouse, [who for some in waiting for who in some])
            continue
        part = waiting.pop()
        rest = [who for some in waiting for who in some]
        try:
            with warehouse.transaction():
                _touch(warehouse, part)
                warehouse.refresh()
                _touch(warehouse, rest)
        except Exception as fault:
            if not is_of_row(fault):
                raise
            failed.append((part, fault))
    return faults


def _touch(warehouse: Warehouse, people: list[int]) -> None:
    with warehouse.transaction():
        warehouse.connection.execute("DELETE FROM touched")
        warehouse.connection.execute("INSERT INTO touched SELECT unnest($people)", {"people": people})


def _fault(connection: duckdb.DuckDBPyConnection, who: int, error: Exception) -> SetAside:
    row = connection.execute(
        "SELECT CAST(w.word AS BIGINT), min(p.person) FROM people AS p JOIN words AS w ON w.code = p.app"
        " WHERE p.who = $who GROUP BY 1",
        {"who": who},
    ).fetchone()
    app, person = row or (0, who)
    return SetAside(consumer=PERSONS, app=app, kind="person", item=person, reason=set_aside.reason_of(error))
