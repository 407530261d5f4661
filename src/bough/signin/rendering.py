"""The templates of the sign-in pages."""

from __future__ import annotations

from pathlib import Path

import segno
from markupsafe import Markup
from starlette.responses import Response

from bough.accounts.call import Call
from bough.signin.gate import new_form
from bough.web.pages import Templates

TEMPLATES = Templates(Path(__file__).parent / "templates")


def form_page(call: Call, template: str, status: int = 200, **values: object) -> Response:
    """A page with a form that can be sent before there is a session."""
    token, cookies = new_form(call)
    response = TEMPLATES.page(call, template, status, **{**values, "csrf": token})
    for cookie in cookies:
        response.raw_headers.append((b"set-cookie", cookie.encode("latin-1")))
    return response


def qr_code(text: str) -> Markup:
    """A QR code as `<svg>`. Not kept anywhere: `text` holds a secret."""
    return Markup(
        segno.make(text, error="m", micro=False).svg_inline(scale=4, border=0, title="QR code", svgclass=None)
    )
