"""The files of `bough links`: read and written as streams, with a progress bar and a report."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import msgspec
from tqdm import tqdm

from bough.accounts.audit import transact
from bough.accounts.directory import Directory
from bough.accounts.model import App
from bough.errors import BadRequest, BoughError, Unavailable
from bough.links import bulk, placing, transfer
from bough.links.entries import bulk_entry, imported_entry
from bough.links.listing import Listed
from bough.links.row_files import Format, RowFile, guess_format, read_rows
from bough.store import Store
from bough.text_files import LINES_LOOKED_AT, lines_of, look, piped_lines, refuse_other_json
from bough.vocabulary.ids import now_ms

STANDARD = "-"
"""In place of a file: standard input or output."""

FORMATS: dict[str, Format] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
"""By the ending of a file's name."""


class Tally:
    """What became of the lines so far; shows errors on standard error, with `--json` every line on standard output."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._as_json: bool = arguments.json
        self._dry_run: bool = arguments.dry_run
        self._counts: dict[str, int] = {}
        self.failed = 0

    def add(self, outcome: str, line: Mapping[str, Any]) -> None:
        """One line: `outcome` is a past participle, or `failed`."""
        if outcome == "failed":
            self.failed += 1
            tqdm.write(f"line {line['line']}: {line['url']}: {line['error']}", file=sys.stderr)
        else:
            self._counts[outcome] = self._counts.get(outcome, 0) + 1
        if self._as_json:
            tqdm.write(json.dumps(line, ensure_ascii=False), file=sys.stdout)
        elif self._dry_run and line.get("changed"):
            tqdm.write(f"{line['url']}: {json.dumps(line['changed'], ensure_ascii=False)}", file=sys.stdout)

    def close(self) -> int:
        """Say the numbers; the command's status."""
        parts = [f"{count} {outcome}" for outcome, count in self._counts.items()]
        parts += [f"{self.failed} failed"] if self.failed else []
        ending = " (dry run: nothing was stored)" if self._dry_run else ""
        print((", ".join(parts) or "no lines") + ending, file=sys.stderr)
        return 1 if self.failed else 0


def bulk_file(
    store: Store, directory: Directory, apps: Mapping[int, App], arguments: argparse.Namespace, *, delete: bool
) -> int:
    """Change or delete the links of a file; status 1 when a line failed."""
    tally = Tally(arguments)
    with opened_rows(arguments.file, arguments.format) as file:
        for chunk in bulk.chunks(file, directory, apps, delete=delete, now=now_ms()):
            for report in _carry_out(store, chunk, arguments.dry_run, delete=delete):
                outcome = "deleted" if report.deleted else "changed" if report.changed else "unchanged"
                tally.add(outcome if report.ok else "failed", msgspec.to_builtins(report))
    return tally.close()


def import_file(store: Store, directory: Directory, app: App | None, arguments: argparse.Namespace) -> int:
    """Create the links of a file; status 1 when a line failed."""
    with opened_rows(arguments.file, arguments.format) as file:
        return import_rows(store, directory, app, file, arguments)


def import_rows(
    store: Store, directory: Directory, app: App | None, file: RowFile, arguments: argparse.Namespace
) -> int:
    """Create the links of rows; status 1 when a line failed."""
    tally = Tally(arguments)
    target = transfer.Target(app=app, domain=arguments.domain, replace=arguments.replace, now=now_ms())
    for chunk in transfer.ready_chunks(file, directory, target):
        for ready, outcome in _place(store, chunk, arguments.dry_run):
            line = {"line": ready.line, "url": ready.url}
            if isinstance(outcome, BoughError):
                tally.add("failed", {**line, "ok": False, "error": outcome.message})
            else:
                tally.add(outcome, {**line, "ok": True, "outcome": outcome})
    return tally.close()


def export(found: Iterable[Listed], directory: Directory, name: str, wanted: Format | None) -> None:
    """Write links as they are read. A file is there whole or not at all."""
    kind = wanted or FORMATS.get(Path(name).suffix.lower(), "csv")
    rows = (transfer.export_row(listed, directory.apps[listed.link.app]) for listed in found)
    if name == STANDARD:
        _write(rows, kind, sys.stdout)
        return
    path = Path(name)
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            _write(rows, kind, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise BadRequest(f"{name} cannot be written: {error.strerror}.") from error


@contextmanager
def opened_rows(name: str, wanted: Format | None) -> Iterator[RowFile]:
    """The rows of a file, with a progress bar on standard error when that is a terminal."""
    with opened_lines(name) as lines:
        start = list(islice(lines, LINES_LOOKED_AT))
        text = "".join(start)
        kind = wanted or FORMATS.get(Path(name).suffix.lower()) or guess_format(text)
        if kind == "ndjson" and text.strip():
            refuse_other_json(Path(name).name, text)
        yield read_rows(chain(start, lines), kind)


@contextmanager
def opened_lines(name: str) -> Iterator[Iterator[str]]:
    """The lines of a file, with a progress bar on standard error when that is a terminal."""
    size = Path(name).stat().st_size if name != STANDARD and Path(name).is_file() else None
    with tqdm(total=size, unit="B", unit_scale=True, disable=None, file=sys.stderr) as bar:
        if name != STANDARD:
            yield _told(lines_of(Path(name), look(Path(name))), bar)
            return
        with open(sys.stdin.fileno(), "rb", closefd=False) as source:
            yield _told(piped_lines("standard input", source), bar)


def _told(lines: Iterator[str], bar: tqdm[Any]) -> Iterator[str]:
    for line in lines:
        bar.update(len(line))
        yield line


def _carry_out(store: Store, chunk: bulk.Chunk, dry_run: bool, *, delete: bool) -> list[bulk.BulkReport]:
    if dry_run:
        return bulk.preview(store.rows, chunk)
    try:
        organization = next((app.organization for app in chunk.apps.values()), None)
        action = "links.delete" if delete else "links.change"
        return transact(store, bulk.apply_batch, chunk, lambda done: bulk_entry(action, done, organization))
    except Unavailable as error:
        return bulk.failed(chunk, error)


def _place(
    store: Store, chunk: list[transfer.Ready], dry_run: bool
) -> Iterator[tuple[transfer.Ready, placing.Outcome | BoughError]]:
    placements = [ready.placement for ready in chunk if ready.placement is not None]
    outcomes = iter(_outcomes(store, placements, dry_run))
    for ready in chunk:
        yield ready, BadRequest(ready.error) if ready.placement is None else next(outcomes)


def _outcomes(store: Store, placements: list[placing.Placement], dry_run: bool) -> list[placing.Outcome | BoughError]:
    if dry_run:
        return placing.preview(store.rows, placements)
    try:
        placed = transact(store, placing.place_batch, placements, imported_entry) if placements else []
    except Unavailable as error:
        return [error] * len(placements)
    return [result if isinstance(result, BoughError) else result.outcome for result in placed]


def _write(rows: Iterable[dict[str, Any]], kind: Format, file: TextIO) -> None:
    if kind == "ndjson":
        for row in rows:
            file.write(msgspec.json.encode(row).decode() + "\n")
        return
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(transfer.COLUMNS)
    for row in rows:
        writer.writerow(transfer.csv_cells(row))
