"""Links as rows of a file and back: `bough links export` and `bough links import`.

An import keeps host and path of every link, so that the address people have goes on working. It is safe to repeat: a
link that is there already with the same content is left alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from bough.accounts.directory import Directory
from bough.accounts.model import App, Domain
from bough.errors import BadRequest, BoughError
from bough.links.address import parse_address
from bough.links.alias import check_imported
from bough.links.bulk import split_tags
from bough.links.change import new_link
from bough.links.document import link_url
from bough.links.item import optional_time, qr_look
from bough.links.listing import Listed
from bough.links.model import LABELS, CreationSource, Link
from bough.links.parameters import parse_data, parse_parameters
from bough.links.placing import Placement
from bough.links.row_files import FileRow, RowFile
from bough.links.targets import check_targets
from bough.vocabulary.ids import iso_time
from bough.web.query_values import parse_time

COLUMNS = (
    "url",
    "alias",
    "type",
    *LABELS,
    "tags",
    "data",
    "duration",
    "identity",
    "qr_code_settings",
    "creation_source",
    "created_at",
    "updated_at",
    "expires_at",
    "clicks",
    "last_click_at",
    "app_id",
    "test",
    "id",
)
"""Of an export, in this order."""

CHUNK = 300
"""Links that are stored at a time."""

LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999."""


class Ready(Struct, frozen=True, kw_only=True):
    """A row that was read: a placement, or what is wrong with it."""

    line: int
    url: str
    placement: Placement | None = None
    error: str = ""


class Target(Struct, frozen=True, kw_only=True):
    """Where an import puts links."""

    app: App | None = None
    """Only links of this app; None: of any."""
    domain: str = ""
    """Host that takes the place of the rows' own; empty: each row's own."""
    replace: bool = False
    """Whether a link that is there with other content is replaced."""
    now: int
    """Epoch milliseconds."""


def export_row(listed: Listed, app: App) -> dict[str, Any]:
    """A link by COLUMNS. `data` holds the customer's keys only."""
    link = listed.link
    return {
        "url": link_url(link, app),
        "alias": link.alias,
        "type": link.type,
        **{name: getattr(link, name) for name in LABELS},
        "tags": list(link.tags),
        "data": link.data,
        "duration": link.duration,
        "identity": link.identity,
        "qr_code_settings": qr_look(link),
        "creation_source": link.source,
        "created_at": iso_time(link.created_at),
        "updated_at": iso_time(link.updated_at),
        "expires_at": optional_time(link.expires_at),
        "clicks": listed.clicks,
        "last_click_at": optional_time(listed.last_click_at),
        "app_id": str(link.app),
        "test": link.test,
        "id": str(link.id),
    }


def csv_cells(row: Mapping[str, Any]) -> list[str]:
    """An export's row as cells: arrays and objects as JSON, null as nothing."""
    return [_cell(row[name]) for name in COLUMNS]


def ready_chunks(file: RowFile, directory: Directory, target: Target) -> Iterator[list[Ready]]:
    """Read an import's rows, some hundred at a time."""
    while taken := list(itertools.islice(file.rows, CHUNK)):
        yield [_ready(row, directory, target) for row in taken]


def read_link(values: Mapping[str, Any], directory: Directory, target: Target) -> Link:
    """The link that a row describes, at its own address. Raises BoughError naming the column.

    Understood are rows of an export, answers of GET /v1/url, and tables with columns such as `~channel`, `$og_title` or
    `data.user_id`. Other columns are ignored.
    """
    data = _data(values)
    url = values.get("url") or data.get("url") or data.get("+url")
    domain, path = _place(url, directory, target)
    app = directory.apps[domain.app]
    parameters = parse_parameters(
        {
            "type": values.get("type"),
            "duration": values.get("duration"),
            "identity": values.get("identity"),
            "qr_code_settings": values.get("qr_code_settings"),
            **{name: values[name] for name in LABELS if values.get(name) not in (None, "")},
            **({"tags": _tags(values["tags"])} if values.get("tags") not in (None, "") else {}),
            "data": data,
        }
    )
    if parameters.data is not UNSET:
        check_targets(parameters.data, app)
    own_path = path.removeprefix(f"{domain.prefix}/") if domain.prefix else path
    check_imported(path)
    alias = values.get("alias") or None
    if alias is not None and alias != own_path:
        raise BadRequest(f"alias: {alias!r} does not belong to the address {path!r}.")
    parameters = msgspec.structs.replace(parameters, alias=alias)
    link = new_link(parameters, app, domain, target.now)
    return msgspec.structs.replace(
        link,
        path=path,
        source=_source(values.get("creation_source", data.get("~creation_source"))),
        created_at=_created_at(values, target.now),
    )


def _ready(row: FileRow, directory: Directory, target: Target) -> Ready:
    url = row.values.get("url")
    shown = url if isinstance(url, str) else ""
    if row.error:
        return Ready(line=row.line, url=shown, error=row.error)
    try:
        link = read_link(row.values, directory, target)
    except BoughError as error:
        return Ready(line=row.line, url=shown, error=error.message)
    return Ready(line=row.line, url=shown, placement=Placement(link=link, replace=target.replace))


def _place(url: Any, directory: Directory, target: Target) -> tuple[Domain, str]:
    """The domain and path of a link. Raises BadRequest when the host is no app's, or another app's."""
    address = parse_address(url, directory)
    host = directory.main_host(target.domain.lower()) if target.domain else address.domain
    if not directory.knows_host(host):
        raise BadRequest(f"url: {host} is no link domain of this server; --domain puts the links under another host.")
    domain = directory.domain_of_path(host, address.path)
    if domain is None or (target.app is not None and domain.app != target.app.id):
        raise BadRequest(f"url: {host}/{address.path} is not an address of this app.")
    return domain, address.path


def _data(values: Mapping[str, Any]) -> dict[str, Any]:
    """`data`, and with it the columns that are keys of it."""
    given = parse_data(values.get("data"))
    data = {} if given is UNSET else dict(given)
    for name, value in values.items():
        if value not in (None, ""):
            if name.startswith(("$", "~")):
                data[name] = _tags(value) if name == "~tags" else value
            elif name.startswith("data."):
                data[name.removeprefix("data.")] = value
    return data


def _tags(value: Any) -> Any:
    return split_tags(value) if isinstance(value, str) else value


def _source(value: Any) -> int:
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 3 else value
    known = isinstance(number, int) and CreationSource.API <= number <= CreationSource.THIRD_PARTY
    return int(number) if known else CreationSource.API


def _created_at(values: Mapping[str, Any], now: int) -> int:
    for name in ("created_at", "creation_date"):
        if values.get(name) not in (None, ""):
            created_at = parse_time(name, str(values[name]))
            if not 0 <= created_at <= LATEST:
                raise BadRequest(f"{name}: must be a time before the year 10000.")
            return created_at
    return now


def _cell(value: Any) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
