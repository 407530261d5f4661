"""One result of attribution as it is stored."""

from __future__ import annotations

from msgspec import Struct


class Stored(Struct, frozen=True):
    """One `attributed` row as it is kept; `body` is the text of a `Kept`."""

    id: int
    app: int
    test: bool
    person: int
    at: int
    name: str
    counted: bool
    touch: int | None
    body: str
