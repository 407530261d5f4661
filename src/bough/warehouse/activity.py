"""Acts of people -> `activity`: one row per member, event, day and state, in the layout's order.

What people did and when they came is joined, sorted and added up as arrays: joining it twice and grouping by ten
columns in the database took longer than everything before it. Large imports go in pieces, so that memory stays flat.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package; numbers are numbers.
from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from bough.warehouse.columns import Ints
from bough.warehouse.intake import joins_as_written
from bough.warehouse.schema import ACTIVITY_COLUMNS, COHORTS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Rows = dict[str, Ints]
"""Equally long columns by name."""

AT_ONCE: Final = 4_000_000
"""Acts of a piece, about; some 300 bytes each while they are sorted."""

ORDER: Final = ("event", "member", "d")
_OF_ACTS: Final = (
    *("context", "standard_events", "custom_events", "has_clicked_ad", "has_clicked_email"),
    *("micro", "missing_rate"),
)
STATE: Final = ("variant", "entry", *_OF_ACTS[:5])
_WIDEST: Final = 62
"""Bits of a number that rows are sorted by."""
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)

ACTS: Final = f"SELECT who, rid, name, ms, day, {', '.join(_OF_ACTS)} FROM acts"
MEMBERS: Final = {
    "install": (
        "SELECT e.who, e.ms, e.day, e.first_rid AS rid, coalesce(e.second_rid, -1) AS second_rid, u.member"
        " FROM entries AS e JOIN install_numbers AS u ON u.who = e.who ORDER BY e.who"
    ),
    "reengagement": (
        "SELECT r.who, r.ms, e.day, r.rid, u.member FROM returns AS r JOIN steps AS e ON e.rid = r.rid"
        " JOIN reengagement_numbers AS u ON u.who = r.who AND u.ms = r.ms ORDER BY r.who, r.ms"
    ),
}
"""How each member of a cohort began, in the order of people and time."""


class _Piece(NamedTuple):
    """Some of the acts."""

    condition: str
    cohorts: tuple[str, ...] = COHORTS
    low: int = 0
    high: int = 2**31
    """Only rows of the members low .. high - 1."""


def write(connection: DuckDBPyConnection, tables: Mapping[str, str], install: int) -> None:
    """Put the rows of the people whom `bough.warehouse.derive` has just computed into each cohort's table, in order.

    While the database reads one piece or writes it, another one is joined and sorted beside it.

    Args:
        connection: as for `derive`.
        tables: by cohort.
        install: the code of INSTALL.
    """
    members = {cohort: _fetched(connection, MEMBERS[cohort]) for cohort in tables}
    waiting: tuple[str, Future[Rows]] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="bough-activity") as beside:
        for piece in _pieces(connection):
            with joins_as_written(connection):
                acts = _fetched(connection, f"{ACTS}{piece.condition}")
            for cohort in piece.cohorts:
                ready, waiting = (
                    waiting,
                    (tables[cohort], beside.submit(_made, cohort, acts, members[cohort], install, piece)),
                )
                _insert(connection, ready)
        _insert(connection, waiting)


def _fetched(connection: DuckDBPyConnection, sql: str) -> Rows:
    return {name: np.asarray(values) for name, values in connection.execute(sql).fetchnumpy().items()}


def _insert(connection: DuckDBPyConnection, ready: tuple[str, Future[Rows]] | None) -> None:
    if ready is not None:
        table, rows = ready[0], ready[1].result()
        connection.register("piece", {column: rows[column] for column in ACTIVITY_COLUMNS})
        try:
            connection.execute(f"INSERT INTO {table} SELECT * FROM piece")
        finally:
            connection.unregister("piece")


def _pieces(connection: DuckDBPyConnection) -> Iterator[_Piece]:
    """Parts of the acts in the order of events and, where one event has too many, of a cohort's members."""
    row = connection.execute("SELECT count(*) FROM steps").fetchone()
    if row is None or row[0] <= AT_ONCE:
        yield _Piece("")
        return
    first, size = 0, 0
    for name, count in connection.execute("SELECT name, count(*) FROM steps GROUP BY name ORDER BY name").fetchall():
        if size and size + count > AT_ONCE:
            yield _Piece(f" WHERE name >= {first} AND name < {name}")
            first, size = name, 0
        if count > AT_ONCE:
            yield from _member_pieces(connection, name, count)
            first = name + 1
        else:
            size += count
    yield _Piece(f" WHERE name >= {first}")


def _member_pieces(connection: DuckDBPyConnection, name: int, count: int) -> Iterator[_Piece]:
    for cohort in COHORTS:
        row = connection.execute(f"SELECT min(member), max(member) + 1 FROM {cohort}_numbers").fetchone()
        if row is None or row[0] is None:
            continue
        for low, high in pairwise(np.linspace(row[0], row[1], -(-count // AT_ONCE) + 1).astype(int).tolist()):
            whose = f"SELECT who FROM {cohort}_numbers WHERE member >= {low} AND member < {high}"
            yield _Piece(f" WHERE name = {name} AND who IN ({whose})", (cohort,), low, high)


def _made(cohort: str, acts: Rows, members: Rows, install: int, piece: _Piece) -> Rows:
    rows = _of_installs(acts, members, install) if cohort == "install" else _of_returns(acts, members)
    if len(piece.cohorts) == 1:
        kept = (rows["member"] >= piece.low) & (rows["member"] < piece.high)
        rows = {name: values[kept] for name, values in rows.items()}
    return grouped(rows)


def _of_installs(acts: Rows, members: Rows, install: int) -> Rows:
    """Every act from the install on. A recalculation pair has its installs twice, once for each setting."""
    if not len(members["who"]):
        return _rows(acts, members, np.zeros(0, np.int64), np.zeros(0, np.int64), 2)
    place = np.searchsorted(members["who"], acts["who"])
    place[place == len(members["who"])] = 0
    own = members["who"][place] == acts["who"]
    paired = own & (members["second_rid"][place] >= 0) & (acts["name"] == install)
    picked = np.flatnonzero(own & (acts["ms"] >= members["ms"][place]))
    rows = _rows(acts, members, picked, place[picked], 2)
    rows["variant"][paired[picked]] = 0
    again = np.flatnonzero(paired & (acts["rid"] != members["rid"][place]))
    if not len(again):
        return rows
    second = {**members, "rid": members["second_rid"]}
    others = _rows(acts, second, again, place[again], 1)
    others["d"][others["entry"] == 1] = 0
    return {name: np.concatenate((rows[name], others[name])) for name in rows}


def _of_returns(acts: Rows, members: Rows) -> Rows:
    """Every act from a return on, up to the person's next one."""
    theirs, own = instants(members, acts)
    place = np.searchsorted(theirs, own, "right") - 1
    picked = np.flatnonzero(place >= 0)
    place = place[picked]
    same = members["who"][place] == acts["who"][picked]
    return _rows(acts, members, picked[same], place[same], 2)


def instants(*parts: Rows) -> list[Ints]:
    """Numbers that are ordered as people and, for one person, as instants, comparable between the parts."""
    whos = np.concatenate([part["who"] for part in parts]).astype(np.int64)
    times = np.concatenate([part["ms"] for part in parts])
    if len(whos):
        whos -= whos.min()
        times = times - times.min()
        if int(whos.max()).bit_length() + int(times.max()).bit_length() > _WIDEST:
            times = np.unique(times, return_inverse=True)[1]
        whos <<= int(times.max()).bit_length()
    return np.split(whos + times, np.cumsum([len(part["who"]) for part in parts])[:-1])


def _rows(acts: Rows, members: Rows, picked: Ints, place: Ints, variant: int) -> Rows:
    """Rows of `activity` of the acts `picked`, each of the member at the same position of `place`."""
    return {
        "event": acts["name"][picked],
        "member": members["member"][place],
        "d": np.maximum(acts["day"][picked] - members["day"][place], 0),
        "variant": np.full(len(picked), variant, np.int8),
        "entry": (acts["rid"][picked] == members["rid"][place]).astype(np.int8),
        **{name: acts[name][picked] for name in _OF_ACTS},
    }


def grouped(rows: Rows) -> Rows:
    """Equal rows as one, with `n`, `paid` and the sums of `micro` and `missing_rate`; sorted by event, member and day.

    Rows whose dollars together do not fit 64 bits stay apart: what reads them adds them up in more bits.
    """
    key, order = _sorted(rows)
    order = _equals_together(key, order, rows)
    rows = {name: values[order] for name, values in rows.items()}
    differs = key[1:] != key[:-1]
    for name in STATE:
        differs |= rows[name][1:] != rows[name][:-1]
    starts = np.flatnonzero(np.append(True, differs)) if len(key) else np.zeros(0, np.int64)
    starts = _apart(rows["micro"], starts)
    paid = (rows["micro"] > 0).astype(np.int8)
    if len(starts) == len(key):
        return {**rows, "n": np.ones(len(key), np.int32), "paid": paid}
    found = {name: rows[name][starts] for name in (*ORDER, *STATE)}
    found["n"] = np.diff(np.append(starts, len(key))).astype(np.int32)
    found["paid"] = np.maximum.reduceat(paid, starts)
    found["missing_rate"] = np.add.reduceat(rows["missing_rate"], starts)
    found["micro"] = np.add.reduceat(rows["micro"], starts)
    return found


def _sorted(rows: Rows) -> tuple[Ints, Ints]:
    """Numbers that grow with event, member and day, in order, and which rows they are of."""
    key, bits = np.zeros(len(rows["event"]), np.int64), 0
    if not len(key):
        return key, key
    for name in ORDER:
        values = rows[name]
        low, high = int(values.min()), int(values.max())
        width = (high - low).bit_length()
        bits += width
        key = (key << width) | (values - low)
    if bits > _WIDEST:
        order = np.lexsort([rows[name] for name in reversed(ORDER)])
        columns = np.stack([rows[name][order] for name in ORDER])
        changes = np.append(False, (columns[:, 1:] != columns[:, :-1]).any(axis=0))
        return np.cumsum(changes), order
    order = np.argsort(key)
    return key[order], order


def _equals_together(key: Ints, order: Ints, rows: Rows) -> Ints:
    """The same order, but of the rows that share event, member and day those with equal state beside each other."""
    same = key[1:] == key[:-1]
    shared = np.append(False, same) | np.append(same, False)
    places = np.flatnonzero(shared)
    if not len(places):
        return order
    those = order[places]
    state = np.zeros(len(those), np.uint64)
    for name in STATE:
        state = (state ^ rows[name][those].astype(np.uint64)) * _MIX
        state ^= state >> np.uint64(29)
    order = order.copy()
    order[places] = those[np.lexsort((state, key[places]))]
    return order


def _apart(values: Ints, starts: Ints) -> Ints:
    """Where groups start, when those whose sum does not fit 64 bits are cut into single rows."""
    if not len(starts):
        return starts
    counts = np.diff(np.append(starts, len(values)))
    largest = np.maximum(np.maximum.reduceat(values, starts), -np.minimum.reduceat(values, starts))
    wide = np.flatnonzero((counts > 1) & (largest > (2**63 - 1) // counts))
    wide = wide[[not -(2**63) <= sum(values[starts[g] : starts[g] + counts[g]].tolist()) < 2**63 for g in wide]]
    if not len(wide):
        return starts
    single = [np.arange(start, start + count) for start, count in zip(starts[wide], counts[wide], strict=True)]
    return np.union1d(starts, np.concatenate(single))
