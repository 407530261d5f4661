"""Style, scripts and icons of the pages: constant files whose addresses hold their own hash, cached for a year."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import NamedTuple

from starlette.responses import Response

from bough.errors import NotFound
from bough.web.call import Call

FOLDER = Path(__file__).parent / "static"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class StaticFile(NamedTuple):
    """One file, ready to send."""

    content_type: str
    body: bytes
    compressed: bytes
    version: str
    """The first characters of its SHA-256."""


def _read(path: Path) -> StaticFile:
    body = path.read_bytes()
    version = hashlib.sha256(body).hexdigest()[:12]
    return StaticFile(TYPES[path.suffix], body, gzip.compress(body, 9, mtime=0), version)


FILES: dict[str, StaticFile] = {
    path.relative_to(FOLDER).as_posix(): _read(path)
    for path in sorted(FOLDER.rglob("*"))
    if path.is_file() and path.suffix in TYPES
}
"""By name, as `app.css` or `vendor/htmx.min.js`."""


def static_url(name: str) -> str:
    """The address of a file."""
    return f"/static/{FILES[name].version}/{name}"


async def serve(call: Call) -> Response:
    """GET /static/{version}/{name:path}; an old version gets the new file, uncached."""
    file = FILES.get(call.path["name"])
    if file is None:
        raise NotFound
    current = call.path["version"] == file.version
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    if "gzip" in (call.header("accept-encoding") or ""):
        return Response(file.compressed, 200, {**headers, "Content-Encoding": "gzip"}, file.content_type)
    return Response(file.body, 200, headers, file.content_type)
