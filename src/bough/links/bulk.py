"""Change or delete many links from rows that name them by `url`: POST /api/links/bulk-…, `bough links update|delete`.

Rows are taken in chunks; one transaction writes a chunk. Each line has its own result, and a line that fails changes
nothing and stops nothing. A dry run decides all the same and writes nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from bough.accounts.directory import Directory
from bough.accounts.model import App
from bough.errors import BadRequest, BoughError, Forbidden, NotFound
from bough.links import actions, queries
from bough.links.address import Address, parse_address
from bough.links.change import NOT_UPDATABLE, check_not_updatable, is_expired
from bough.links.history import Differences, differences
from bough.links.model import Link
from bough.links.patch import FIELDS, Patch, parse_patch, patched_link
from bough.links.row_files import FileRow, Format, RowFile
from bough.store.changes import Change, record
from bough.store.database import Rows
from bough.store.transaction import Transaction

CHUNK = 300
"""Rows in one transaction: others wait some ten milliseconds for it."""

IGNORED = frozenset(
    {
        "id",
        "app_id",
        "test",
        "domain",
        "path",
        "alias",
        "type",
        "title",
        "identity",
        "creation_source",
        "created_at",
        "updated_at",
        "expires_at",
        "clicks",
        "last_click_at",
    }
)
"""Columns of `bough links export` that cannot be changed: an export may be edited and sent back whole. What an update
may only repeat (`NOT_UPDATABLE`) must be as it is."""

OUTSIDE = "Your data filters do not let you make such a link."

NULL = "null"
"""In a CSV cell: take the label or key away. An empty cell leaves it."""


class ReportLine(Struct, frozen=True, kw_only=True):
    """What one row asks for."""

    number: int
    url: str
    address: Address | None = None
    patch: Patch | None = None
    """None: delete the link."""
    repeated: dict[str, Any] = {}
    """What the row says of things that an update cannot change."""
    error: str = ""


class Chunk(Struct, frozen=True, kw_only=True):
    """Some hundred lines."""

    lines: list[ReportLine]
    apps: Mapping[int, App]
    """Whose links may be changed; those of others are unknown."""
    now: int
    """Epoch milliseconds."""
    admits: Callable[[Link], bool] | None = None
    """Which of them the caller sees; None: all. A change must not take a link out of it."""


class BulkReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a line."""

    line: int
    url: str
    ok: bool
    changed: Differences | None = None
    """Of an update; empty when the link was so already."""
    deleted: bool = False
    error: str = ""
    """One sentence."""


def chunks(
    file: RowFile,
    directory: Directory,
    apps: Mapping[int, App],
    *,
    delete: bool,
    now: int,
    admits: Callable[[Link], bool] | None = None,
) -> Iterator[Chunk]:
    """Read rows into chunks. Raises BadRequest for a CSV whose columns cannot be used."""
    check_columns(file.columns, delete)
    while taken := list(itertools.islice(file.rows, CHUNK)):
        lines = [_line(row, file.kind, directory, delete) for row in taken]
        yield Chunk(lines=lines, apps=apps, now=now, admits=admits)


def check_columns(columns: tuple[str, ...], delete: bool) -> None:
    """Raises BadRequest when a heading (empty: none) lacks `url` or names what an update cannot change."""
    if columns and "url" not in columns:
        raise BadRequest("The heading must name the column url.")
    for name in () if delete else columns:
        if name != "url" and name not in FIELDS and name not in IGNORED and not name.startswith("data."):
            raise BadRequest(
                f"The column {name!r} cannot be changed; columns are url, {', '.join(FIELDS)}, and data.KEY for a key."
            )


def apply_batch(tx: Transaction, requests: list[Chunk]) -> list[list[BulkReport] | Exception]:
    """Carry chunks out."""
    return [_apply(tx, chunk) for chunk in requests]


def preview(rows: Rows, chunk: Chunk) -> list[BulkReport]:
    """What a chunk would do."""
    return _Work(rows, chunk).reports


def failed(chunk: Chunk, error: BoughError) -> list[BulkReport]:
    """What became of a chunk whose transaction failed: nothing of it is stored."""
    return [BulkReport(line=line.number, url=line.url, ok=False, error=error.message) for line in chunk.lines]


def _apply(tx: Transaction, chunk: Chunk) -> list[BulkReport]:
    work = _Work(tx.rows, chunk)
    tx.each(queries.UPDATE, [actions.update_values(link) for link in work.states.values() if link is not None])
    gone = [(link.id,) for link in work.deleted]
    tx.each(queries.DELETE, gone)
    tx.each(queries.DELETE_COUNT, gone)
    record(tx, work.changes)
    return work.reports


class _Work:
    """The decisions of one chunk, line after line, each on the state that the line before has left."""

    def __init__(self, rows: Rows, chunk: Chunk) -> None:
        addresses = (line.address for line in chunk.lines if line.address is not None)
        self._chunk = chunk
        self._stored = actions.load(rows, ((address.domain, address.path) for address in addresses))
        self.states: dict[tuple[str, str], Link | None] = {}
        """New states of links that change; None: deleted."""
        self.deleted: list[Link] = []
        self.changes: list[Change] = []
        self.reports = [self._report(line) for line in chunk.lines]

    def _report(self, line: ReportLine) -> BulkReport:
        if line.address is None:
            return BulkReport(line=line.number, url=line.url, ok=False, error=line.error)
        try:
            return self._decide(line, (line.address.domain, line.address.path))
        except BoughError as error:
            return BulkReport(line=line.number, url=line.url, ok=False, error=error.message)

    def _decide(self, line: ReportLine, key: tuple[str, str]) -> BulkReport:
        link = self.states[key] if key in self.states else self._stored.get(key)
        app = self._chunk.apps.get(link.app) if link is not None else None
        admits = self._chunk.admits
        if link is None or app is None or (admits is not None and not admits(link)):
            raise NotFound
        if line.patch is None:
            if link.test and app.config.test_env_delete == "deny":
                raise Forbidden("Links of the test environment cannot be deleted.")
            self._keep(key, link, None)
            self.deleted.append(link)
            return BulkReport(line=line.number, url=line.url, ok=True, deleted=True)
        if is_expired(link, app, self._chunk.now):
            raise NotFound
        check_not_updatable(link, app, line.repeated)
        after = patched_link(link, line.patch, app, self._chunk.now)
        if admits is not None and not admits(after):
            raise Forbidden(OUTSIDE)
        if after is not link:
            self._keep(key, link, after)
        return BulkReport(line=line.number, url=line.url, ok=True, changed=differences(link, after))

    def _keep(self, key: tuple[str, str], before: Link, after: Link | None) -> None:
        self.states[key] = after
        self.changes.append(actions.change_of(before))


def _line(row: FileRow, kind: Format, directory: Directory, delete: bool) -> ReportLine:
    url = row.values.get("url")
    shown = url if isinstance(url, str) else ""
    if row.error:
        return ReportLine(number=row.line, url=shown, error=row.error)
    try:
        patch = None if delete else parse_patch(fields(row.values, kind))
        repeated = {name: value for name, value in row.values.items() if name in NOT_UPDATABLE}
        address = parse_address(url, directory)
        return ReportLine(number=row.line, url=shown, address=address, patch=patch, repeated=repeated)
    except BoughError as error:
        return ReportLine(number=row.line, url=shown, error=error.message)


def fields(values: Mapping[str, Any], kind: Format) -> dict[str, Any]:
    """The body of a PATCH that a row stands for. Raises BadRequest naming the column.

    `data.$ios_url` is one key of `data`; `data` itself is an object or its JSON. In a CSV all values are texts: an
    empty one leaves things as they are, `null` takes away.
    """
    body: dict[str, Any] = {}
    keys: dict[str, Any] = {}
    for name, value in values.items():
        given = value
        if name == "url" or name in IGNORED or (kind == "csv" and value == ""):
            continue
        if kind == "csv" and value == NULL:
            given = None
        elif kind == "csv" and name == "tags":
            given = split_tags(value)
        if name.startswith("data."):
            keys[name.removeprefix("data.")] = given
        else:
            body[name] = given
    if keys:
        body["data"] = {**_object(body.get("data")), **keys}
    return body


def split_tags(text: str) -> Any:
    """Tags in one cell: a JSON array, or texts with commas between them."""
    if text.startswith("["):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise BadRequest(f"tags: is not a valid JSON array ({error}).") from error
    return [tag.strip() for tag in text.split(",")]


def _object(data: Any) -> dict[str, Any]:
    if data is None:
        return {}
    if isinstance(data, str):
        try:
            data = msgspec.json.decode(data)
        except msgspec.DecodeError as error:
            raise BadRequest(f"data: is not valid JSON ({error}).") from error
    if not isinstance(data, dict):
        raise BadRequest("data: must be an object or a JSON string of one.")
    return data
