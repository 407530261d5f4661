"""Imported files without a person: no byte of theirs in any column, and every row that counts still there."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from bough.importers.checks import checked
from bough.importers.kept import as_exported
from bough.importers.sources import source_of
from bough.persons.imported_rows import COLUMN_KINDS
from bough.persons.pseudonyms import PseudonymPlan, Pseudonyms
from bough.persons.segments import connected, rewrite, rows_of
from bough.vocabulary.export_columns import EXPORT_COLUMNS
from bough.vocabulary.ids import now_ms

NOON = 1_714_564_800_000
ANNA = "anna.example@example.org"
IDFA = "5D1F0A52-1C5E-4F0B-9A38-3D2A7C6C8A01"
IDFV = "9A1F0A52-2C5E-4F0B-9A38-3D2A7C6C8A77"
SECRETS = (ANNA, IDFA, IDFV, "a wish of hers", "order-of-anna", "203.0.113.201")
"""Anna's identifiers, and what only her rows say."""

COUNTED = ("id", "name", "ms", "attributed", "touch_type", "touch_at", "amount", "currency", "os", "tilde_campaign")


def segment(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """What an import makes of rows."""
    source, made = folder / "e.ndjson", folder / "segment.parquet"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        read = source_of(connection, source, "ndjson", None)
        connection.execute(f"COPY ({checked(read.sql, read.fields, now=now_ms())}) TO '{made}' (FORMAT parquet)")
    return made


def all_rows(path: Path) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        cursor = connection.execute(f"FROM read_parquet('{path}')")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def text_of(path: Path) -> str:
    return json.dumps(all_rows(path), ensure_ascii=False).lower()


def erased(path: Path, *, foreign: tuple[tuple[Any, str], ...] = ()) -> tuple[int, Path]:
    found = connected([path], [("identity", ANNA)])
    own = tuple(one for one in found if one not in foreign)
    made = path.with_name("made.parquet")
    return rewrite(path, made, Pseudonyms(PseudonymPlan(salt="00" * 32, identifiers=own, foreign=foreign))), made


BASE = {
    "last_attributed_touch_type": "CLICK",
    "last_attributed_touch_data_tilde_campaign": "spring",
    "user_data_os": "IOS",
}
ROWS: list[dict[str, Any]] = [
    {**BASE, "id": "1", "name": "INSTALL", "timestamp": NOON, "user_data_developer_identity": ANNA,
     "user_data_idfa": IDFA, "user_data_idfv": IDFV, "user_data_ip": "203.0.113.201"},
    {**BASE, "id": "2", "name": "PURCHASE", "timestamp": NOON + 1, "user_data_idfa": IDFA, "event_data_revenue": "5",
     "event_data_transaction_id": "order-of-anna", "custom_data": {"wish": "a wish of hers"}},
    {"id": f"3 {ANNA}", "name": "OPEN", "timestamp": NOON + 2, "user_data_developer_identity": "bert",
     "custom_data": {"friend": f"knows {ANNA.upper()}", "kept": "of bert"}},
    {"id": "4", "name": "OPEN", "timestamp": NOON + 3, "user_data_developer_identity": "carl", "user_data_idfv": "C-1",
     "user_data_ip": "198.51.100.7"},
    {"id": "5", "name": "OPEN", "timestamp": NOON + 4, "user_data_idfv": IDFV.lower()},
]  # fmt: skip


def test_nothing_of_a_person_is_left_in_any_column(tmp_path: Path) -> None:
    path = segment(tmp_path, ROWS)
    before = all_rows(path)
    count, made = erased(path)
    assert count == 4
    text = text_of(made)
    assert [secret for secret in SECRETS if secret.lower() in text] == []
    after = all_rows(made)
    assert [row["id"] for row in after][::3] == ["1", "4"]
    for old, new in zip(before, after, strict=True):
        assert {name: new[name] for name in COUNTED[1:]} == {name: old[name] for name in COUNTED[1:]}


def test_what_is_of_others_stays(tmp_path: Path) -> None:
    path = segment(tmp_path, ROWS)
    _, made = erased(path)
    before, after = all_rows(path), all_rows(made)
    assert after[3] == before[3]
    assert after[2]["identity"] == "bert"
    custom = json.loads(after[2]["custom_data"])
    assert custom["kept"] == "of bert"
    assert custom["friend"].startswith("knows erased-")


def test_stand_ins_keep_a_persons_rows_together(tmp_path: Path) -> None:
    _, made = erased(segment(tmp_path, ROWS))
    first, second = all_rows(made)[:2]
    assert first["idfa"] == second["idfa"]
    assert first["idfa"] != IDFA.lower()


def test_a_lent_telephone_keeps_its_owners_rows(tmp_path: Path) -> None:
    path = segment(tmp_path, [
        ROWS[0],
        {"id": "6", "name": "OPEN", "timestamp": NOON, "user_data_developer_identity": "bert", "user_data_idfa": IDFA,
         "custom_data": {"kept": "of bert"}},
    ])  # fmt: skip
    _, made = erased(path, foreign=(("identity", "bert"),))
    bert = all_rows(made)[1]
    assert (bert["identity"], bert["custom_data"]) == ("bert", '{"kept":"of bert"}')
    assert IDFA.lower() not in text_of(made)


def test_nothing_is_written_when_nobody_is_there(tmp_path: Path) -> None:
    path = segment(tmp_path, ROWS[3:4])
    count, made = erased(path)
    assert (count, made.exists()) == (0, False)


def test_an_access_report_tells_what_the_file_said(tmp_path: Path) -> None:
    path = segment(tmp_path, ROWS)
    told = rows_of([path], connected([path], [("identity", ANNA)]))
    assert [row["id"] for row in told] == ["1", "2", "5"]
    assert told[0] == {name: str(value) for name, value in ROWS[0].items()}
    assert json.loads(told[1]["custom_data"]) == {"wish": "a wish of hers"}


@pytest.mark.parametrize("seed", range(12))
def test_in_any_column_and_any_spelling(tmp_path: Path, seed: int) -> None:
    """Anna's identifiers stand anywhere in anybody's row; afterwards nowhere, and others' other values stay."""
    random = Random(seed)
    free = [name for name, column in EXPORT_COLUMNS.items() if column.type == "text" and name not in ("id", "name")]
    rows = []
    for number in range(30):
        row: dict[str, Any] = {"id": str(number), "name": "OPEN", "timestamp": NOON + number}
        for name in random.sample(free, 6):
            said = random.choice((ANNA, IDFA, IDFV, "nothing"))
            row[name] = random.choice((said, said.upper(), f"x {said} y", json.dumps({"a": [said]})))
        who = random.choice((ANNA, "bert", "carl", None))
        for name in ("user_data_developer_identity", *(c for c in COLUMN_KINDS if c in EXPORT_COLUMNS)):
            row.pop(name, None)
        rows.append(row | ({"user_data_developer_identity": who} if who else {}))
    rows.append({**ROWS[0], "id": "anna"})
    path = segment(tmp_path, rows)
    before = [as_exported(row) for row in all_rows(path)]
    _, made = erased(path)
    text = text_of(made)
    assert [one for one in (ANNA, IDFA, IDFV) if one.lower() in text] == []
    for old, new in zip(before, [as_exported(row) for row in all_rows(made)], strict=True):
        assert old["timestamp"] == new["timestamp"]
        if old.get("user_data_developer_identity") in ("bert", "carl"):
            harmless = {name for name, value in old.items() if not any(s.lower() in value.lower() for s in SECRETS)}
            assert {name: new.get(name) for name in harmless} == {name: old[name] for name in harmless}
