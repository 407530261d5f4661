"""A copy of main as arrays in one file beside the database, for queries (`bough.warehouse.columns`).

It is made when main has been written; the database says which copy belongs to it. Without one (a database in memory,
small tables, a copy of another release, files that are gone) the tables answer. A copy holds the columns of
`…_members_main` and `…_activity_main` in their order, `contexts` by number, and `words` by code. Each column but
`member` of activity has the narrowest type that holds its values.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package; numbers are numbers.
from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from bough.warehouse.columns import ACTIVITY, ARRAYS, INDEX, Copy, Ints, narrow, spans_of
from bough.warehouse.schema import COHORTS, CONTEXT_CODES, DATABASE, MEMBER_COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WORTH_FILES: Final = 100_000
"""Fewer rows of activity are read from the tables as fast."""
_ALIGNED: Final = 64


def copy_folder(database: str, copy: int) -> Path:
    """Where a copy of a database's file lies."""
    return Path(f"{database}.columns") / str(copy)


def opened(database: str | None, copy: int) -> Copy | None:
    """The copy that a database has noted; None for 0, and when it is gone: a newer one has taken its place."""
    if not database or not copy:
        return None
    try:
        return Copy(copy_folder(database, copy))
    except FileNotFoundError:
        return None


def copy_main(connection: DuckDBPyConnection) -> None:
    """Write a copy of what main holds now, in the transaction that has written it, and note it.

    A copy that another transaction has noted is never touched; the one before it is kept for queries that still read
    it.
    """
    database = _database(connection)
    for cohort in COHORTS:
        row = connection.execute(f"SELECT count(*) FROM {cohort}_activity_main").fetchone()
        count = 0 if row is None else int(row[0])
        copy = secrets.randbits(62) | 1 if database and count >= WORTH_FILES else 0
        if database and copy:
            _write(connection, cohort, copy_folder(database, copy))
        before = f"(SELECT value FROM counters WHERE name = '{cohort}_copy')"
        connection.execute(f"UPDATE counters SET value = {before} WHERE name = '{cohort}_copy_before'")
        connection.execute(f"UPDATE counters SET value = {copy} WHERE name = '{cohort}_copy'")


def remove_old_copies(connection: DuckDBPyConnection) -> None:
    """Remove the files of copies that are neither the present ones nor those before; after the transaction."""
    database = _database(connection)
    if not database or not copy_folder(database, 0).parent.exists():
        return
    kept = connection.execute("SELECT value FROM counters WHERE name LIKE '%\\_copy%' ESCAPE '\\'").fetchall()
    for found in copy_folder(database, 0).parent.iterdir():
        if found.name not in {str(copy) for (copy,) in kept}:
            shutil.rmtree(found)


def _database(connection: DuckDBPyConnection) -> str | None:
    row = connection.execute(DATABASE).fetchone()
    return None if row is None else row[0]


def _write(connection: DuckDBPyConnection, cohort: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    listed: dict[str, tuple[str, int, int]] = {}
    with (folder / ARRAYS).open("wb") as file:
        for name, values in _arrays(connection, cohort):
            file.write(bytes(-file.tell() % _ALIGNED))
            listed[name] = (values.dtype.str, file.tell(), values.size)
            file.write(np.ascontiguousarray(values).data)
    (folder / INDEX).write_text(json.dumps(listed))
    for place in (folder / ARRAYS, folder / INDEX, folder, folder.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _arrays(connection: DuckDBPyConnection, cohort: str) -> Iterator[tuple[str, Ints]]:
    activity = f"{cohort}_activity_main"
    yield "spans", spans_of(_column(connection, f"SELECT event AS c FROM {activity}")).reshape(-1)
    paid = f"SELECT DISTINCT event AS c FROM {activity} WHERE micro <> 0 OR missing_rate <> 0"
    yield "paid", _column(connection, paid)
    for name, sql in ACTIVITY.items():
        values = _column(connection, f"SELECT {sql} AS c FROM {activity}")
        yield name, values if name == "member" else narrow(values)
    for name in MEMBER_COLUMNS:
        if name != "ms":
            yield f"members.{name}", narrow(_column(connection, f"SELECT {name} AS c FROM {cohort}_members_main"))
    numbers = _column(connection, "SELECT context AS c FROM contexts")
    for name in CONTEXT_CODES:
        whole = np.zeros(int(numbers.max(initial=0)) + 1, np.int32)
        whole[numbers] = _column(connection, f"SELECT {name} AS c FROM contexts")
        yield f"contexts.{name}", narrow(whole)
    yield from _words(connection)


def _words(connection: DuckDBPyConnection) -> Iterator[tuple[str, Ints]]:
    """The texts of the codes 1, 2, … as UTF-8 one after the other, and by code where each ends and its rank.

    `order` has the codes in the order of their texts.
    """
    row = connection.execute("SELECT coalesce(string_agg(word, '' ORDER BY code), '') FROM words").fetchone()
    yield "words.texts", np.frombuffer(b"" if row is None else row[0].encode(), np.uint8)
    lengths = _column(connection, "SELECT strlen(word) AS c FROM words ORDER BY code")
    yield "words.ends", narrow(np.cumsum(np.append(0, lengths)))
    order = _column(connection, "SELECT code AS c FROM words ORDER BY word")
    rank = np.zeros(len(order) + 1, np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    yield "words.order", narrow(order)
    yield "words.rank", narrow(rank)


def _column(connection: DuckDBPyConnection, sql: str) -> Ints:
    return np.asarray(connection.execute(sql).fetchnumpy()["c"])
