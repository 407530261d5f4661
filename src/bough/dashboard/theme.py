"""Light, dark, or as the system says: kept in a cookie, so that the first paint is right."""

from __future__ import annotations

from starlette.responses import Response

from bough.dashboard.page_context import THEMES, Here, page
from bough.errors import BadRequest
from bough.web.bodies import parse_form

YEAR_SECONDS = 365 * 86_400


@page("")
async def choose(here: Here) -> Response:
    """POST /dashboard/theme."""
    fields = parse_form(await here.call.bytes())
    theme, back = fields.get("theme"), str(fields.get("back") or "")
    if theme not in THEMES:
        raise BadRequest(f"theme: must be one of {', '.join(THEMES)}.")
    own = back.startswith("/dashboard") and back.isascii() and back.isprintable() and "\\" not in back
    headers = {
        "Location": back if own else "/dashboard",
        "Set-Cookie": f"bough_theme={theme}; Max-Age={YEAR_SECONDS}; Path=/; HttpOnly; SameSite=Lax",
    }
    return Response(b"", 303, headers)
