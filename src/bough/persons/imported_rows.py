"""One row of an imported file without a person: pure functions from a segment's row to the row in its place.

Of the person's own rows stays what counts are made from, with stand-ins for identifiers; all columns that are merely
kept go. On rows of others only the person's identifiers are replaced, in the columns for them and inside other texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from bough.events.body import encode
from bough.events.identifiers import Identifier, Kind, clean
from bough.importers.columns import KEPT
from bough.importers.kept import SAID
from bough.persons.pseudonyms import Pseudonyms
from bough.persons.rewriting import other_body
from bough.vocabulary.export_columns import IDENTIFIERS

COLUMN_KINDS: Final[dict[str, Kind]] = {
    "identity": "identity",
    "idfa": "idfa",
    "aaid": "aaid",
    "browser": "browser",
    "user_data_idfv": "idfv",
    "user_data_android_id": "android_id",
    "user_data_oaid": "oaid",
    "user_data_kindle_id": "fire",
}
"""Columns of a segment that hold an identifier, and its kind. The first four join rows into persons."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode

assert tuple(COLUMN_KINDS)[: len(IDENTIFIERS)] == IDENTIFIERS


def borne(row: Mapping[str, Any]) -> list[Identifier]:
    """The identifiers of a row."""
    found = ((kind, _spelt(column, row.get(column))) for column, kind in COLUMN_KINDS.items())
    return [(kind, value) for kind, value in found if value]


def _spelt(column: str, value: Any) -> str:
    """An identifier as it is compared. Those that join rows were spelt when they were imported, save for capitals."""
    if column not in IDENTIFIERS:
        return clean(COLUMN_KINDS[column], value)
    return (value or "").lower() if column in ("idfa", "aaid") else (value or "")


def is_own(row: Mapping[str, Any], own: frozenset[Identifier]) -> bool:
    """Whether a row is of the person with these identifiers: it names no other user."""
    carried = borne(row)
    identity = next((one for one in carried if one[0] == "identity"), None)
    return identity in own if identity is not None else any(one in own for one in carried)


def without(row: Mapping[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    """The row that takes the place of one in which the person is, or may be."""
    own = frozenset((kind, value) for kind, value, _ in pseudonyms.items())
    return _own_row(row, pseudonyms) if is_own(row, own) else _other_row(row, pseudonyms)


def _own_row(row: Mapping[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, value in row.items():
        kind = COLUMN_KINDS.get(column)
        if kind is not None:
            spelt = _spelt(column, value)
            found[column] = pseudonyms.on_own_row(kind, spelt) if spelt else None
        elif column in KEPT or _is_spelling(column):
            found[column] = None
        else:
            found[column] = pseudonyms.replaced(value) if isinstance(value, str) else value
    return found


def _other_row(row: Mapping[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    found = dict(row)
    for column, value in row.items():
        kind = COLUMN_KINDS.get(column)
        if not isinstance(value, str):
            continue
        stand_in = pseudonyms.of(kind, _spelt(column, value)) if kind is not None else None
        found[column] = stand_in if stand_in is not None else _text_without(value, pseudonyms)
    for column in IDENTIFIERS:
        if found.get(column) != row.get(column) and f"{SAID}{column}" in row:
            found[f"{SAID}{column}"] = None
    return found


def _is_spelling(column: str) -> bool:
    """Whether a column holds the file's letters of an identifier."""
    return column.startswith(SAID) and column.removeprefix(SAID) in IDENTIFIERS


def _text_without(value: str, pseudonyms: Pseudonyms) -> str:
    """A text with the person's identifiers replaced; inside JSON also short ones, in the fields for them."""
    if value[:1] in "{[" and pseudonyms.may_be_in(value):
        try:
            parsed = _decode(value)
        except msgspec.DecodeError:
            return pseudonyms.replaced(value)
        new = other_body({"": parsed}, pseudonyms)[""]
        return value if new == parsed else encode(new).decode()
    return pseudonyms.replaced(value)
