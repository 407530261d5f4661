"""Staged rows -> `events`, `people`, `touches`, `contexts`, `words`: vectorised SQL, one pass per table.

A staged relation has the columns of `bough.attribution.attributed_event.STAGE_TYPES`; it may be read several times.
"""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package; values are bound.
from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.json import Encoder

from bough.attribution.attributed_event import LATEST_INSTANT, STAGE_TYPES, AttributedEvent
from bough.errors import BadRequest, Unavailable
from bough.vocabulary.countries import COUNTRIES
from bough.vocabulary.dimensions import TOUCH_COLUMNS, Kind
from bough.vocabulary.event_groups import REVENUE_EVENTS, SESSION_EVENTS
from bough.warehouse.schema import CONTEXT_CODES, EVENT_COLUMNS, TOUCH_CODES
from bough.warehouse.zones import offsets

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SETS = frozenset(column for column, kind in TOUCH_COLUMNS if kind is Kind.SET)
_ENTRY_NAMES = ", ".join(f"'{name}'" for name in ("INSTALL", *SESSION_EVENTS))
_REVENUE_NAMES = ", ".join(f"'{name}'" for name in REVENUE_EVENTS)
_TOUCH_TEXTS = tuple(column for column, _ in TOUCH_COLUMNS)
_CREDITED_TEXTS = ("touch_type", *_TOUCH_TEXTS)
_CONTEXT_HASH = f"hash({', '.join(f's.{column}' for column in CONTEXT_CODES)})"
_TOUCH_HASH = f"hash({', '.join(f's.{column}' for column in _CREDITED_TEXTS)})"
_CODED_AT_ONCE = 250_000
"""Rows of distinct texts whose codes are in memory as cells."""
_NO_TOUCH = "CAST(0 AS UBIGINT)"
"""In place of the hash of a touch: the row is not attributed."""

AD_CLICK = (
    "(contains(',' || coalesce(plus_via_features, '') || ',', ',ADS,') OR starts_with(dollar_3p, 'a_')"
    " OR tilde_advertising_partner_name <> '')"
)
"""A link of an ad: feature ADS, an ad partner's ``$3p`` (``a_…``) or an ad partner's name."""
EMAIL_CLICK = (
    "(contains(',' || coalesce(plus_via_features, '') || ',', ',EMAIL,') OR starts_with(dollar_3p, 'e-')"
    " OR lower(tilde_feature) = 'email')"
)
"""A link of an email: feature EMAIL, an email partner's ``$3p`` (``e-…``) or ``~feature`` email."""


def stage_events(connection: DuckDBPyConnection, events: Iterable[AttributedEvent], folder: Path | None) -> str:
    """Write events to a file and return SQL that reads it as a staged relation; the caller removes the file.

    The text of the file is in the temporary table `staged`, so the file is gone when this returns.
    """
    columns = {name: kind for name, kind in STAGE_TYPES.items() if name not in _TOUCH_TEXTS}
    touch = ", ".join(f"{c} {'JSON' if c in _SETS else 'VARCHAR'}" for c in _TOUCH_TEXTS)
    listed = ", ".join(f"'{name}': '{kind}'" for name, kind in {**columns, "touch": f"STRUCT({touch})"}.items())
    with tempfile.NamedTemporaryFile(suffix=".ndjson", dir=folder) as file:
        file.write(Encoder().encode_lines(events))
        file.flush()
        picked = ", ".join(
            f"{_set_text(f'touch.{c}')} AS {c}" if c in _SETS else f"touch.{c} AS {c}" for c in _TOUCH_TEXTS
        )
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE staged AS SELECT {', '.join(columns)}, {picked} FROM"
            f" read_json($path, format = 'newline_delimited', columns = {{{listed}}})",
            {"path": file.name},
        )
    return "staged"


def _set_text(value: str) -> str:
    """A JSON array or text as members joined by ","."""
    members = f"from_json({value}, '[\"VARCHAR\"]')"
    return f"CASE json_type({value}) WHEN 'ARRAY' THEN array_to_string({members}, ',') ELSE {value} ->> '$' END"


def sorted_set(text: str) -> str:
    """SQL: members joined by "," as a set: sorted by code point, each once, no empty member."""
    return f"array_to_string(list_sort(list_distinct(list_filter(string_split({text}, ','), lambda v: v <> ''))), ',')"


def learn(connection: DuckDBPyConnection, texts: str) -> None:
    """Give every new text of `texts` (SQL with one column `word`) a code."""
    connection.execute(
        "INSERT INTO words SELECT (SELECT coalesce(max(code), 0) FROM words) + row_number() OVER (ORDER BY n.word),"
        f" n.word FROM (SELECT DISTINCT word FROM ({texts}) AS t WHERE word <> '') AS n"
        " ANTI JOIN words AS k ON k.word = n.word"
    )


class Stage(NamedTuple):
    """Staged rows as SQL; what is not in the rows themselves is joined after their texts have become numbers."""

    texts: str
    """A table's name or a query in parentheses with the columns of `STAGE_TYPES`, less those in `joins`."""
    people: str
    """Columns app and person: at least everybody who is in the rows, perhaps several times."""
    carried: tuple[str, ...] = ("person", "micro", "missing_rate")
    """Columns of `texts` that are numbers already, or that `joins` needs."""
    joins: str = ""
    """Joins of the rows, as `s`, with where the three values are."""
    person: str = "s.person"
    micro: str = "s.micro"
    missing_rate: str = "s.missing_rate"
    distinct: bool = False
    """Whether it is known that no (app, id) stands twice."""


def append(connection: DuckDBPyConnection, stage: Stage) -> int:
    """Add the staged rows that are not there yet.

    Returns:
        How many rows were new. Their people are noted in `touched`.

    Raises:
        BadRequest: a row without id, app, person, name or an instant within 1970..2199.
    """
    _refuse_unusable(connection, stage)
    _learn_names(connection, stage.texts)
    _add_apps(connection)
    _add_people(connection, stage.people)
    _add_contexts(connection, stage.texts)
    _add_touches(connection, stage.texts)
    return _add_events(connection, stage)


def _refuse_unusable(connection: DuckDBPyConnection, stage: Stage) -> None:
    """Also `staged_apps`, in the same pass: the apps with their first and last instant."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE staged_apps AS SELECT app, min(ms) AS first, max(ms) AS last,"
        " count(*) FILTER (WHERE coalesce(id, '') = '' OR coalesce(app, '') = '' OR coalesce(name, '') = ''"
        f" OR ms IS NULL OR ms < 0 OR ms >= {LATEST_INSTANT}) AS unusable FROM {stage.texts} GROUP BY app"
    )
    row = connection.execute(
        "SELECT (SELECT coalesce(sum(unusable), 0) FROM staged_apps)"
        f" + (SELECT count(*) FILTER (WHERE person IS NULL) FROM {stage.people})"
    ).fetchone()
    if row is not None and row[0]:
        raise BadRequest(f"{row[0]} events lack id, app, person, name or a time between 1970 and 2199")


def _learn_names(connection: DuckDBPyConnection, stage: str) -> None:
    learn(
        connection,
        f"SELECT app AS word FROM staged_apps UNION ALL SELECT DISTINCT name FROM {stage}"
        f" UNION ALL SELECT unnest(['true', 'false', 'INSTALL', {_REVENUE_NAMES}])",
    )


def _add_apps(connection: DuckDBPyConnection) -> None:
    """Unknown apps get UTC, 7 days and the contract's revenue events; then the offsets that the staged rows need."""
    connection.execute(
        "INSERT INTO revenue_events SELECT a.code, n.code FROM staged_apps AS s JOIN words AS a ON a.word = s.app,"
        f" words AS n WHERE n.word IN ({_REVENUE_NAMES}) AND a.code NOT IN (SELECT app FROM apps)"
    )
    connection.execute(
        "INSERT INTO apps SELECT w.code, 'UTC', 604800000 FROM staged_apps AS s JOIN words AS w ON w.word = s.app"
        " WHERE w.code NOT IN (SELECT app FROM apps)"
    )
    zone_table(
        connection,
        connection.execute(
            "SELECT a.app, a.zone, s.first, s.last FROM staged_apps AS s JOIN words AS w ON w.word = s.app"
            " JOIN apps AS a ON a.app = w.code"
        ).fetchall(),
    )


def zone_table(connection: DuckDBPyConnection, spans: list[tuple[int, str, int, int]]) -> None:
    """Fill the temporary table `zones` (app, starts, ends, shift in ms) for (app, zone, first, last instant)."""
    connection.execute("CREATE OR REPLACE TEMP TABLE zones (app INTEGER, starts BIGINT, ends BIGINT, shift BIGINT)")
    rows = [(app, *part) for app, zone, first, last in spans for part in offsets(zone, first, last)]
    if rows:
        connection.executemany("INSERT INTO zones VALUES (?, ?, ?, ?)", rows)


def _add_people(connection: DuckDBPyConnection, stage: str) -> None:
    connection.execute(
        "INSERT INTO people SELECT (SELECT value FROM counters WHERE name = 'who')"
        " + row_number() OVER (ORDER BY p.app, p.person), p.app, p.person"
        f" FROM (SELECT DISTINCT w.code AS app, s.person FROM {stage} AS s JOIN words AS w ON w.word = s.app) AS p"
        " ANTI JOIN people AS k ON k.app = p.app AND k.person = p.person"
    )
    connection.execute(
        "UPDATE counters SET value = greatest(value, (SELECT coalesce(max(who), 0) FROM people)) WHERE name = 'who'"
    )


def _add_contexts(connection: DuckDBPyConnection, stage: str) -> None:
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE context_texts AS SELECT DISTINCT {_CONTEXT_HASH} AS h,"
        f" {', '.join(CONTEXT_CODES)} FROM {stage} AS s"
    )
    _name_countries(connection)
    _encode(connection, "context", CONTEXT_CODES)


def _name_countries(connection: DuckDBPyConnection) -> None:
    """The name of a country whose code alone is said."""
    listed = ", ".join(f"('{code}', '{name.replace(chr(39), 2 * chr(39))}')" for code, name in COUNTRIES.items())
    connection.execute(
        f"UPDATE context_texts SET geo_country_en = c.name FROM (VALUES {listed}) AS c(code, name)"
        " WHERE c.code = upper(context_texts.geo_country_code) AND coalesce(context_texts.geo_country_en, '') = ''"
    )


def _add_touches(connection: DuckDBPyConnection, stage: str) -> None:
    """Distinct touches of the events that can open a cohort; an unattributed event has no touch data."""
    texts = ", ".join(_CREDITED_TEXTS)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE touch_texts AS SELECT DISTINCT {_TOUCH_HASH} AS h, 'true' AS attributed, {texts}"
        f" FROM {stage} AS s WHERE s.name IN ({_ENTRY_NAMES}) AND s.attributed"
        f" UNION ALL SELECT {_NO_TOUCH}, 'false'{', NULL' * len(_CREDITED_TEXTS)}"
    )
    for column in sorted(_SETS):
        connection.execute(f"UPDATE touch_texts SET {column} = {sorted_set(column)} WHERE {column} <> ''")
    _encode(connection, "touch", TOUCH_CODES)


def _refuse_shared_hash(connection: DuckDBPyConnection, name: str) -> None:
    """The hash of `<name>_texts` tells all its rows apart, or the import stops: it is what rows are joined by."""
    row = connection.execute(f"SELECT count(*) = count(DISTINCT h) FROM {name}_texts").fetchone()
    if row is None or not row[0]:
        raise Unavailable(f"two {name}s share a hash; import the file in smaller parts")


def _encode(connection: DuckDBPyConnection, name: str, columns: tuple[str, ...]) -> None:
    """`<name>_texts` -> new rows of `contexts` or `touches`; `<name>_text_codes`: the texts' hash with their row."""
    table = {"context": "contexts", "touch": "touches"}[name]
    _refuse_shared_hash(connection, name)
    code_texts(connection, name, columns)
    same = " AND ".join(f"k.{c} = n.{c}" for c in columns)
    listed = ", ".join(f"n.{c}" for c in columns)
    counter = f"(SELECT value FROM counters WHERE name = '{name}')"
    connection.execute(
        f"INSERT INTO {table} SELECT {counter} + row_number() OVER (), {listed}"
        f" FROM (SELECT DISTINCT {', '.join(columns)} FROM {name}_codes) AS n ANTI JOIN {table} AS k ON {same}"
    )
    connection.execute(
        f"UPDATE counters SET value = (SELECT coalesce(max({name}), 0) FROM {table}) WHERE name = '{name}'"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name}_text_codes AS SELECT t.h, k.{name} FROM {name}_numbered AS t"
        f" JOIN {name}_codes AS n ON n.rid = t.rid JOIN {table} AS k ON {same}"
    )


def code_texts(connection: DuckDBPyConnection, name: str, columns: tuple[str, ...]) -> None:
    """`<name>_texts` -> `<name>_numbered`, the same with `rid`, and `<name>_codes`: rid and the code of every column.

    All columns go through one join, because planning a join per column takes longer than running it. Which cell has
    which code is then written into place, which takes a third of the time of grouping the cells by row.
    """
    import numpy as np  # only here: workers load this module for its words, and need no arrays

    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name}_numbered AS SELECT row_number() OVER () AS rid, t.*"
        f" FROM {name}_texts AS t"
    )
    texts = ", ".join(columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name}_cells AS SELECT rid, unnest([{texts}]) AS word,"
        f" unnest(range({len(columns)})) AS place FROM {name}_numbered"
    )
    learn(connection, f"SELECT DISTINCT word FROM {name}_cells")
    codes = np.zeros((len(columns), _count(connection, f"{name}_numbered")), np.int32)
    for start in range(0, codes.shape[1], _CODED_AT_ONCE):
        found = connection.execute(
            f"SELECT c.place, c.rid, w.code FROM {name}_cells AS c JOIN words AS w ON w.word = c.word"
            f" WHERE c.rid > {start} AND c.rid <= {start + _CODED_AT_ONCE}"
        ).fetchnumpy()
        codes[found["place"], found["rid"] - 1] = found["code"]
    rid = np.arange(1, codes.shape[1] + 1)
    connection.register("coded", {"rid": rid, **dict(zip(columns, codes, strict=True))})
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name}_codes AS SELECT * FROM coded")
    connection.unregister("coded")


def _add_events(connection: DuckDBPyConnection, stage: Stage) -> int:
    """Staged rows that are new -> `events`, and their people -> `touched`."""
    known = "" if _count(connection, "events") == 0 else " ANTI JOIN events AS k ON k.app = a.code AND k.id = s.id"
    once = " QUALIFY row_number() OVER (PARTITION BY a.code, s.id) = 1" if _repeats(connection, stage) else ""
    values = {
        "id": "s.id",
        "app": "a.code",
        "who": "p.who",
        "name": "n.code",
        "ms": "s.ms",
        "day": "(s.ms + z.shift) // 86400000",
        "context": "c.context",
        "touch": "coalesce(t.touch, 0)",
        "micro": stage.micro,
        "missing_rate": f"CASE WHEN {stage.missing_rate} THEN 1 ELSE 0 END",
        "ad_at": "s.ad_at",
        "email_at": "s.email_at",
    }
    with joins_as_written(connection):
        added = connection.execute(
            f"INSERT INTO events SELECT {', '.join(values[column] for column in EVENT_COLUMNS)}"
            f" FROM ({_without_texts(stage)}) AS s{stage.joins}"
            " JOIN words AS a ON a.word = s.app JOIN words AS n ON n.word = s.name"
            f" JOIN people AS p ON p.app = a.code AND p.person = {stage.person}"
            " JOIN zones AS z ON z.app = a.code AND s.ms >= z.starts AND s.ms < z.ends"
            " JOIN context_text_codes AS c ON c.h = s.context_hash"
            f" LEFT JOIN touch_text_codes AS t ON t.h = s.touch_hash{known}{once}"
        ).fetchone()
    count = 0 if added is None else int(added[0])
    if count:
        connection.execute(
            f"INSERT INTO touched SELECT DISTINCT p.who FROM {stage.people} AS s JOIN words AS a ON a.word = s.app"
            " JOIN people AS p ON p.app = a.code AND p.person = s.person"
        )
    return count


@contextmanager
def joins_as_written(connection: DuckDBPyConnection) -> Iterator[None]:
    """Statements join their small tables to the rows that come first, one after another.

    The planner takes a join by a range of time for one that leaves few rows, and then builds its tables of all the
    others: three times the work. The setting is the database's, so a query that is planned meanwhile may be slower.
    """
    with connection.cursor() as settings:  # also when the transaction has failed
        settings.execute("SET disabled_optimizers = 'join_order'")
        try:
            yield
        finally:
            settings.execute("RESET disabled_optimizers")


def _without_texts(stage: Stage) -> str:
    """SQL: the staged rows with hashes in the place of their contexts and touches, so that joins carry few columns."""
    clicked = "CASE WHEN s.name = 'CLICK' THEN s.ms ELSE coalesce(s.touch_at, s.ms) END"
    click = "(s.name = 'CLICK' OR (s.attributed AND s.touch_type = 'CLICK'))"
    credited = f"CASE WHEN s.attributed THEN {_TOUCH_HASH} ELSE {_NO_TOUCH} END"
    return (
        f"SELECT s.id, s.app, s.name, s.ms, {', '.join(f's.{column}' for column in stage.carried)},"
        f" {_CONTEXT_HASH} AS context_hash, CASE WHEN s.name IN ({_ENTRY_NAMES}) THEN {credited} END AS touch_hash,"
        f" CASE WHEN {click} AND {AD_CLICK} THEN {clicked} END AS ad_at,"
        f" CASE WHEN {click} AND {EMAIL_CLICK} THEN {clicked} END AS email_at FROM {stage.texts} AS s"
    )


def _repeats(connection: DuckDBPyConnection, stage: Stage) -> bool:
    """Whether an (app, id) may stand twice; different hashes are different ids."""
    if stage.distinct:
        return False
    row = connection.execute(f"SELECT count(*) > count(DISTINCT hash(app, id)) FROM {stage.texts}").fetchone()
    return row is not None and bool(row[0])


def _count(connection: DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
