"""What makes a line of an event file good, and what becomes of it in a segment; as SQL over text fields."""

# ruff: noqa: S608 - every name put into SQL here is a constant of this package or quoted.
from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bough.importers.amounts import SAYS, WRITTEN_FOR_PEOPLE
from bough.importers.columns import KEPT, SOURCES
from bough.importers.instants import complaint, implausible, instant
from bough.importers.kept import kept
from bough.importers.names import name_faults
from bough.vocabulary.currencies import CURRENCIES
from bough.vocabulary.dimensions import TOUCH_COLUMNS, USER_COLUMNS, Kind
from bough.vocabulary.export_columns import EXPORT_COLUMNS, IDENTIFIERS
from bough.vocabulary.money import MAX_AMOUNT
from bough.warehouse.quoting import name as quoted
from bough.warehouse.quoting import text

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
_TELLING: Final = (
    *SOURCES,
    *(
        column
        for column in KEPT
        if column.startswith(("event_data_", "content_items"))
        and EXPORT_COLUMNS[column].source == "have"
        and column != "event_data_transaction_id"
    ),
)
"""What an event says of itself: rows without an id that differ in it are two. Its order number is in `SOURCES`."""

_TRUE: Final = "('true', '1', 't')"


def checked(source: str, present: Iterable[str], *, now: int, readable: str = "") -> str:
    """SQL: the rows of `source` (columns `line` and the fields in `present`) as a segment's, with line and error.

    `readable` names a boolean column of `source` that says whether the line could be read at all; `now` is the instant
    (epoch ms) shortly after which no event can have happened.
    """
    fields = frozenset(present)
    instants = ", ".join(
        f"{instant(field)} AS {name}" if field in fields else f"CAST(NULL AS BIGINT) AS {name}"
        for field, name in (("timestamp", "ms"), ("touch_at", "touch_ms"))
    )
    code = "upper(coalesce(currency, 'USD'))" if "currency" in fields else "'USD'"
    missing = [f"CAST(NULL AS VARCHAR) AS {field}" for field in SOURCES if field not in fields]
    typed = f"SELECT {', '.join(['*', instants, f'{code} AS code', *missing])} FROM ({source}) AS s"
    # A column that the file lacks is a constant here, so that checks of it cost nothing.
    return f"SELECT {_columns(fields)}, line, {_fault(fields, readable, now)} AS error FROM ({typed}) AS t"


def _columns(fields: frozenset[str]) -> str:
    content = f"md5(concat_ws('\x1f', {', '.join(_told(field) for field in _TELLING if field in fields)}))"
    attributed = "CASE WHEN touch_type IS NULL THEN 'false' ELSE 'true' END"
    spelt = _spelt()
    others = (*IDENTIFIERS, *USER_COLUMNS, *(column for column, _ in TOUCH_COLUMNS))
    texts = [f"{spelt[field]} AS {field}" if field in spelt else field for field in others if field in fields]
    amount = "coalesce(revenue, revenue_in_usd) AS amount"
    currency = "CASE WHEN revenue IS NULL THEN 'USD' ELSE code END AS currency"
    return ", ".join(
        [
            f"CASE WHEN id IS NULL THEN {content} ELSE id END AS id",  # coalesce would make the digest of every row
            "name",
            "ms",
            f"lower(coalesce(attributed, {attributed})) IN {_TRUE} AS attributed",
            f"{spelt['touch_type']} AS touch_type",
            "touch_ms AS touch_at",
            "customer_event_alias",
            amount,
            currency,
            *texts,
            *kept(fields, spelt),
        ]
    )


def _spelt() -> dict[str, str]:
    """Fields that count in one spelling → that text."""
    return {
        "timestamp": "CAST(ms AS VARCHAR)",
        "touch_type": "upper(touch_type)",
        "touch_at": "CAST(touch_ms AS VARCHAR)",
        **{field: _identifier(field) for field in IDENTIFIERS},
        "has_app": "lower(has_app)",
        **{column: _set_text(column) for column, _ in TOUCH_COLUMNS if column in _SETS},
    }


def _told(field: str) -> str:
    """What a field adds to a row's content: nothing when it is empty, so that files with other columns agree."""
    if field in ("custom_data", "content_items"):
        value = f"CASE WHEN json_valid({field}) THEN CAST(json({field}) AS VARCHAR) ELSE {field} END"
    else:
        value = "ms" if field == "timestamp" else quoted(field)
    return f"'{field}=' || {value}"


def _fault(fields: frozenset[str], readable: str, now: int) -> str:
    """The first thing that is wrong with a line, as one sentence; NULL when it is good."""
    faults = (
        ("readable", f"NOT {readable}", text("is not valid JSON")),
        *(("name", condition, says) for condition, says in name_faults("name")),
        ("id", f"length(id) > {MAX_ID}", text(f"id: longer than {MAX_ID} characters")),
        ("timestamp", "timestamp IS NULL", text("timestamp: is missing")),
        ("timestamp", implausible("ms", now), complaint("timestamp", "ms", "timestamp", now)),
        (
            "touch_at",
            f"touch_at IS NOT NULL AND {implausible('touch_ms', now)}",
            complaint("touch_at", "touch_ms", "last_attributed_touch_timestamp", now),
        ),
        (
            "attributed",
            "lower(attributed) NOT IN ('true', 'false', '1', '0', 't', 'f')",
            text("attributed: is no boolean"),
        ),
        *(fault for field in ("revenue", "revenue_in_usd") for fault in _amount_faults(field)),
        (
            "currency",
            # one search in a text: comparing with each of 180 codes took longer than all other checks
            f"currency IS NOT NULL AND NOT (strlen(code) = 3 AND contains({_codes()}, ',' || code || ','))",
            text("event_data_currency: not an ISO 4217 currency code"),
        ),
    )
    known = fields | ({"readable"} if readable else set())
    cases = " ".join(f"WHEN {condition} THEN {says}" for field, condition, says in faults if field in known)
    return f"CASE {cases} END"


def _codes() -> str:
    return text(f",{','.join(sorted(CURRENCIES))},")


def _amount_faults(field: str) -> Iterable[tuple[str, str, str]]:
    """(field, condition, sentence) of what an amount may not be."""
    within = f"coalesce(abs(TRY_CAST({field} AS DOUBLE)) < {MAX_AMOUNT}, false)"
    wrong = f"{field} IS NOT NULL AND NOT (regexp_full_match({field}, '{_NUMBER}') AND {within})"
    label = f"event_data_{field}"
    points = f"regexp_full_match({field}, '[-+]?[0-9]*[.]?[0-9]*')"
    for_people = f"NOT {points} AND regexp_matches({field}, {text(WRITTEN_FOR_PEOPLE)})"
    yield field, f"{wrong} AND {for_people}", text(f"{label}: {SAYS}")
    yield field, wrong, text(f"{label}: must be a plain number below 10^12 with at most 30 decimals")
    yield field, f"{field} LIKE '-%' AND name <> 'PURCHASE'", text(f"{label}: may be negative on PURCHASE only")


def _set_text(column: str) -> str:
    """A JSON array or a text as members joined by ","."""
    return (
        f"CASE WHEN {column} LIKE '[%' AND json_valid({column})"
        f" THEN array_to_string(from_json({column}, '[\"VARCHAR\"]'), ',') ELSE {column} END"
    )


def _identifier(field: str) -> str:
    """An identifier in one spelling; NULL for what identifies nobody (zeros, `null`, …)."""
    nobody = ", ".join(text(word) for word in _NOBODY)
    if field == "identity":
        return f"CASE WHEN lower({field}) IN ('null', 'undefined', 'bnc_no_value') THEN NULL ELSE {field} END"
    value = f"lower({field})" if field in ("idfa", "aaid") else field
    # the long comparisons are made of what is short or begins like zeros: few rows
    longest = max(map(len, _NOBODY))
    word = f"strlen({field}) <= {longest} AND lower({field}) IN ({nobody})"
    zeros = f"{field} < '1' AND ltrim({field}, '0-') = ''"
    return f"CASE WHEN ({word}) OR ({zeros}) THEN NULL ELSE {value} END"
