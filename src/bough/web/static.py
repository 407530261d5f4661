"""Files of the pages (style sheets, scripts), read once; their addresses change with their content."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import NamedTuple

from starlette.responses import Response

from bough.errors import NotFound
from bough.web.request import Request
from bough.web.routing import Parameter, Route

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""By the end of the file's name; no other files are served."""


class File(NamedTuple):
    """One file in memory."""

    content: bytes
    type: str
    version: str
    packed: bytes
    """The content compressed."""


def _read(path: Path) -> File:
    content = path.read_bytes()
    return File(
        content, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:16], gzip.compress(content, 9, mtime=0)
    )


FILES = {path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}


def address(name: str) -> str:
    """Where a file is, for pages; kept by browsers for a year, since another content has another address."""
    return f"/static/{name}?v={FILES[name].version}"


async def read_static(request: Request) -> Response:
    """GET /static/{name}."""
    file = FILES.get(request.path["name"])
    if file is None:
        raise NotFound
    kept = "public, max-age=31536000, immutable" if request.query("v") == file.version else "no-cache"
    headers = {"Cache-Control": kept, "ETag": f'"{file.version}"', "X-Content-Type-Options": "nosniff"}
    if request.header("if-none-match") == headers["ETag"]:
        return Response(b"", 304, headers)
    headers["Vary"] = "Accept-Encoding"
    if "gzip" in (request.header("accept-encoding") or ""):
        return Response(file.packed, 200, {**headers, "Content-Encoding": "gzip"}, file.type)
    return Response(file.content, 200, headers, file.type)


ROUTES = (
    Route(
        method="GET",
        path="/static/{name}",
        handler=read_static,
        access="open_page",
        summary="A style sheet or script of the pages",
        parameters=(Parameter(name="name", meaning="The file.", required=True, place="path"),),
        produces=tuple(dict.fromkeys(TYPES.values())),
    ),
)
