"""Which instants imported rows may have, and how they may be written; as SQL over a text field.

Understood exactly: epoch milliseconds as whole digits, and ISO 8601 (`2026-01-31T12:00:00Z`, with an offset, with a
fraction, with a blank in place of the T; UTC when nothing is said; a day alone is its midnight in UTC). Everything else
is refused: seconds, micro- and nanoseconds, a spreadsheet's day numbers and shortened numbers, days whose month cannot
be told from the day. So is an instant before 2010 or after tomorrow: no measurement of this kind is that old or to
come, and it is how a wrong unit shows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from bough.warehouse.quoting import text

EARLIEST: Final = int(datetime(2010, 1, 1, tzinfo=UTC).timestamp() * 1000)
AHEAD_MS: Final = 86_400_000
"""How far after now an instant may be: clocks differ, and local times without an offset are taken for UTC."""

_DIGITS: Final = r"\s*[0-9]{1,18}([.]0+)?\s*"
_ISO: Final = (
    r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
    r"( ?(UTC|Z)|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?\s*"
)
_SHORTENED: Final = r"\s*[0-9]+([.,][0-9]+)?[eE][+]?[0-9]+\s*"
_LIKE_A_TIME: Final = "[-0-9eE.,:+/ TZ]{1,40}"

SPREADSHEET_2010: Final = 40_179
"""The number that a spreadsheet has for 2010-01-01."""

HOW: Final = "must be epoch milliseconds or ISO 8601 from 2010 to now, as 2026-01-31T12:00:00Z"


def instant(field: str) -> str:
    """SQL: epoch milliseconds of a text field; NULL when it is not written in one of the two ways."""
    usual = f"strlen({field}) = 13 AND regexp_full_match({field}, '[0-9]{{13}}')"  # four times as quick as the rest
    digits = f"TRY_CAST(trim(split_part({field}, '.', 1)) AS BIGINT)"
    iso = f"epoch_ms(TRY_CAST(regexp_replace(trim({field}), ' ?(UTC|Z)$', 'Z') AS TIMESTAMPTZ))"
    return (
        f"CASE WHEN {usual} THEN CAST({field} AS BIGINT)"
        f" WHEN regexp_full_match({field}, '{_DIGITS}') THEN {digits}"
        f" WHEN regexp_full_match({field}, '{_ISO}') THEN {iso} END"
    )


def implausible(ms: str, now: int) -> str:
    """SQL: whether epoch milliseconds are none that imported rows may have; true for NULL."""
    return f"({ms} IS NULL OR {ms} < {EARLIEST} OR {ms} > {now + AHEAD_MS})"


def complaint(field: str, ms: str, label: str, now: int) -> str:
    """SQL: one sentence on what is wrong with a text field whose instant `ms` is implausible.

    Only what looks like a time is repeated in it: in a file with shifted columns the field may hold anything.
    """
    whole = f"TRY_CAST(trim(split_part({field}, '.', 1)) AS HUGEINT)"
    range_ = f"BETWEEN {EARLIEST} AND {now + AHEAD_MS}"
    first = SPREADSHEET_2010
    last = first + (now + AHEAD_MS - EARLIEST) // 86_400_000
    cases = (
        (f"regexp_full_match({field}, '{_SHORTENED}')", "was shortened by a spreadsheet, digits are lost"),
        (f"{whole} * 1000 {range_}", "is in seconds"),
        (f"{whole} // 1000 {range_}", "is in microseconds"),
        (f"{whole} // 1000000 {range_}", "is in nanoseconds"),
        (f"{whole} BETWEEN {first} AND {last}", "is a spreadsheet's number of a day"),
        (f"{ms} > {now}", "lies in the future"),
        (f"{ms} IS NOT NULL", "lies before 2010"),
    )
    told = " ".join(f"WHEN {condition} THEN {text(says)}" for condition, says in cases)
    said = f"CASE WHEN regexp_full_match({field}, '{_LIKE_A_TIME}') THEN trim({field}) ELSE 'this' END"
    return f"{text(f'{label}: {HOW}; ')} || {said} || ' ' || CASE {told} ELSE 'is neither' END"
