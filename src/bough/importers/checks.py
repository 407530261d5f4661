"""What makes a line of an event file good, and what becomes of it in a segment; as SQL over text fields."""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted.
from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bough.cohorts.dimensions import TOUCH_COLUMNS, USER_COLUMNS, Kind
from bough.events.currencies import CURRENCIES
from bough.importers.columns import IDENTIFIERS, SOURCES
from bough.importers.quoting import text
from bough.warehouse.event import LATEST_INSTANT

MAX_NAME: Final = 255
MAX_ID: Final = 1024

_SETS: Final = frozenset(column for column, kind in TOUCH_COLUMNS if kind is Kind.SET)
_NUMBER: Final = r"[+-]?([0-9]{1,15}([.][0-9]{0,30})?|[.][0-9]{1,30})([eE][+-]?[0-9]{1,2})?"
_NOBODY: Final = (
    "null",
    "none",
    "nil",
    "undefined",
    "unknown",
    "na",
    "n/a",
    "bnc_no_value",
    "nan",
    "false",
    "true",
    "optional",
)
_TRUE: Final = "('true', '1', 't')"


def checked(source: str, present: Iterable[str], *, readable: str = "") -> str:
    """SQL: the rows of `source` (columns `line` and the fields in `present`) as a segment's, with line and error.

    `readable` names a boolean column of `source` that says whether the line could be read at all.
    """
    fields = frozenset(present)
    instants = ", ".join(
        f"{_instant(field)} AS {name}" if field in fields else f"CAST(NULL AS BIGINT) AS {name}"
        for field, name in (("timestamp", "ms"), ("touch_at", "touch_ms"))
    )
    code = "upper(coalesce(currency, 'USD'))" if "currency" in fields else "'USD'"
    missing = [f"CAST(NULL AS VARCHAR) AS {field}" for field in SOURCES if field not in fields]
    typed = f"SELECT {', '.join(['*', instants, f'{code} AS code', *missing])} FROM ({source}) AS s"
    # A column that the file lacks is a constant here, so that checks of it cost nothing.
    return f"SELECT {_columns(fields)}, line, {_fault(fields, readable)} AS error FROM ({typed}) AS t"


def _columns(fields: frozenset[str]) -> str:
    content = f"md5(concat_ws('\x1f', {', '.join(_told(field) for field in SOURCES if field in fields)}))"
    attributed = "CASE WHEN touch_type IS NULL THEN 'false' ELSE 'true' END"
    touches = [_set_text(column) if column in _SETS else column for column, _ in TOUCH_COLUMNS if column in fields]
    users = [f"lower({c}) AS {c}" if c == "has_app" else c for c in USER_COLUMNS if c in fields]
    identifiers = [_identifier(field) for field in IDENTIFIERS if field in fields]
    amount = "coalesce(revenue, revenue_in_usd) AS amount"
    currency = "CASE WHEN revenue IS NULL THEN 'USD' ELSE code END AS currency"
    return ", ".join(
        [
            f"CASE WHEN id IS NULL THEN {content} ELSE id END AS id",  # coalesce would make the digest of every row
            "name",
            "ms",
            f"lower(coalesce(attributed, {attributed})) IN {_TRUE} AS attributed",
            "upper(touch_type) AS touch_type",
            "touch_ms AS touch_at",
            "customer_event_alias",
            amount,
            currency,
            *identifiers,
            *users,
            *touches,
        ]
    )


def _told(field: str) -> str:
    """What a field adds to a row's content: nothing when it is empty, so that files with other columns agree."""
    value = {
        "timestamp": "ms",
        "custom_data": "CASE WHEN json_valid(custom_data) THEN CAST(json(custom_data) AS VARCHAR) ELSE custom_data END",
    }.get(field, field)
    return f"'{field}=' || {value}"


def _instant(field: str) -> str:
    """Epoch milliseconds from digits or ISO 8601 (UTC when it has no offset); NULL when it is neither."""
    return (
        f"coalesce(CASE WHEN strlen({field}) <= 15 THEN TRY_CAST({field} AS BIGINT) END,"
        f" epoch_ms(TRY_CAST({field} AS TIMESTAMPTZ)))"
    )


def _fault(fields: frozenset[str], readable: str) -> str:
    """The first thing that is wrong with a line, as one sentence; NULL when it is good."""
    codes = text(f",{','.join(sorted(CURRENCIES))},")
    faults: tuple[tuple[str, str, str], ...] = (
        ("readable", f"NOT {readable}", "is not valid JSON"),
        ("name", "name IS NULL", "name: is missing"),
        ("name", f"length(name) > {MAX_NAME}", f"name: longer than {MAX_NAME} characters"),
        ("id", f"length(id) > {MAX_ID}", f"id: longer than {MAX_ID} characters"),
        ("timestamp", "timestamp IS NULL", "timestamp: is missing"),
        (
            "timestamp",
            f"ms IS NULL OR ms < 0 OR ms >= {LATEST_INSTANT}",
            "timestamp: must be epoch milliseconds or ISO 8601, from 1970 to 2199",
        ),
        ("touch_at", "touch_at IS NOT NULL AND touch_ms IS NULL", "last_attributed_touch_timestamp: is no time"),
        (
            "attributed",
            "lower(attributed) NOT IN ('true', 'false', '1', '0', 't', 'f')",
            "attributed: is no boolean",
        ),
        *(
            (
                field,
                f"{field} IS NOT NULL AND NOT regexp_full_match({field}, '{_NUMBER}')",
                f"event_data_{field}: must be a plain number below 10^15 with at most 30 decimals",
            )
            for field in ("revenue", "revenue_in_usd")
        ),
        (
            "currency",
            # one search in a text: comparing with each of 180 codes took longer than all other checks
            f"currency IS NOT NULL AND NOT (strlen(code) = 3 AND contains({codes}, ',' || code || ','))",
            "event_data_currency: not an ISO 4217 currency code",
        ),
        *(
            (
                field,
                f"{field} LIKE '-%' AND name <> 'PURCHASE'",
                f"event_data_{field}: may be negative on PURCHASE only",
            )
            for field in ("revenue", "revenue_in_usd")
        ),
    )
    known = fields | ({"readable"} if readable else set())
    cases = " ".join(f"WHEN {condition} THEN {text(says)}" for field, condition, says in faults if field in known)
    return f"CASE {cases} END"


def _set_text(column: str) -> str:
    """A JSON array or a text as members joined by ","."""
    return (
        f"CASE WHEN {column} LIKE '[%' AND json_valid({column})"
        f" THEN array_to_string(from_json({column}, '[\"VARCHAR\"]'), ',') ELSE {column} END AS {column}"
    )


def _identifier(field: str) -> str:
    """An identifier in one spelling; NULL for what identifies nobody (zeros, `null`, …)."""
    nobody = ", ".join(text(word) for word in _NOBODY)
    if field == "identity":
        return (
            f"CASE WHEN lower({field}) IN ('null', 'undefined', 'bnc_no_value') THEN NULL ELSE {field} END AS {field}"
        )
    value = f"lower({field})" if field in ("idfa", "aaid") else field
    # the long comparisons are made of what is short or begins like zeros: few rows
    longest = max(map(len, _NOBODY))
    word = f"strlen({field}) <= {longest} AND lower({field}) IN ({nobody})"
    zeros = f"{field} < '1' AND ltrim({field}, '0-') = ''"
    return f"CASE WHEN ({word}) OR ({zeros}) THEN NULL ELSE {value} END AS {field}"
