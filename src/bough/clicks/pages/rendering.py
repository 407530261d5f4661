"""How a page becomes bytes: templates compiled once, and headers under which nothing foreign can run.

Pages hold no per-response nonce: their few scripts are constant files whose values stand in `data-` attributes, so that
the Content-Security-Policy names the scripts and the style by their hashes and is itself a constant.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

CONTENT_TYPE = "text/html; charset=utf-8"

_FOLDER = Path(__file__).parent / "templates"
STYLE = (_FOLDER / "page.css").read_text("utf-8")
SCRIPTS = {name: (_FOLDER / f"{name}.js").read_text("utf-8") for name in ("after", "nativelink", "open_app")}


def _source(inline: str) -> str:
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_source(STYLE)}",
        f"script-src {' '.join(_source(script) for script in SCRIPTS.values())}",
        "img-src https: http:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = (
    ("Content-Type", CONTENT_TYPE),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
)
"""Of every page; a hosted page says nothing about referrers (docs/links.md)."""


class HtmlPage(Struct, frozen=True, kw_only=True):
    """A finished answer."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = HEADERS


_environment = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.globals["style"] = Markup(STYLE)  # our own file, as are the scripts
_environment.globals["scripts"] = {name: Markup(script) for name, script in SCRIPTS.items()}
_templates = {path.name: _environment.get_template(path.name) for path in sorted(_FOLDER.glob("*.html"))}


def render(template: str, status: int = 200, **values: object) -> HtmlPage:
    """The page of `template` (a file of templates/) with `values`."""
    # Cleaned values hold no lone surrogates; should one get here all the same, it must not cost the visitor the page.
    return HtmlPage(body=_templates[template].render(values).encode("utf-8", "replace"), status=status)
