"""Bring the tables up to date: the numbered .sql files of `migrations/`, each once, in order, in one transaction.

The files are written in the common subset of both databases; `{id}` is an integer primary key (SQLite needs the exact
words INTEGER PRIMARY KEY to make it the row's own address). A statement below a line `-- sqlite` or `-- postgres` is
for that database alone (triggers have no common spelling).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from bough.errors import ConfigurationError
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms

Engine = Literal["sqlite", "postgres"]
ID_TYPES: dict[Engine, str] = {"sqlite": "INTEGER PRIMARY KEY", "postgres": "BIGINT PRIMARY KEY"}


def migrate(tx: Transaction, engine: Engine) -> None:
    """Apply what is missing. Raises ConfigurationError when the data was written by a newer bough."""
    id_type = ID_TYPES[engine]
    tx.run(f"CREATE TABLE IF NOT EXISTS migration (id {id_type}, name TEXT NOT NULL, applied_at BIGINT NOT NULL)")
    applied = {number for (number,) in tx.rows("SELECT id FROM migration")}
    known = migrations()
    if unknown := applied - {number for number, _, _ in known}:
        raise ConfigurationError(
            f"The data was written by a newer bough (it has migration {max(unknown)}); start that one."
        )
    for number, name, sql in known:
        if number not in applied:
            for statement in sql.replace("{id}", id_type).split(";\n"):
                if statement.strip() and (own := _of_engine(statement.strip(), engine)):
                    tx.run(own)
            tx.run("INSERT INTO migration (id, name, applied_at) VALUES (?, ?, ?)", (number, name, now_ms()))


def _of_engine(statement: str, engine: Engine) -> str:
    """A statement without its mark, or nothing when it is for the other database."""
    first, _, rest = statement.partition("\n")
    if first not in ("-- sqlite", "-- postgres"):
        return statement
    return rest if first == f"-- {engine}" else ""


def migrations() -> list[tuple[int, str, str]]:
    """(number, name, SQL text) of every migration, in order."""
    found = []
    for file in files("bough.store").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            number, _, name = file.name.removesuffix(".sql").partition("_")
            found.append((int(number), name, file.read_text()))
    return sorted(found)
