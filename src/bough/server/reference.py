"""docs/api.md, made from the route table: ``python -m bough.server.reference FILE`` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bough.web.openapi import DESCRIPTION, ERROR_MEANINGS, error_statuses, notes, plain_path
from bough.web.routing import JSON, Parameter, Route

HEAD = f"""\
# The API

<!-- Made from the route table by scripts/docs; do not edit. -->

{DESCRIPTION}

The same as an OpenAPI 3.1 document: `GET /openapi.json`.
"""


def reference(routes: Iterable[Route]) -> str:
    """The whole page, as Markdown."""
    groups: dict[str, list[Route]] = {}
    for route in routes:
        groups.setdefault(route.heading, []).append(route)
    parts = [HEAD, _errors()]
    for name, members in groups.items():
        parts.append(f"## {name}\n")
        parts += [_operation(route) for route in members]
    return "\n".join(parts)


def _errors() -> str:
    rows = "".join(f"| {status} | {meaning} |\n" for status, meaning in ERROR_MEANINGS.items())
    return f"## Errors\n\n| status | when |\n| --- | --- |\n{rows}"


def _operation(route: Route) -> str:
    parts = [f"### {route.method} {plain_path(route)}\n", f"{route.summary}. {notes(route)}\n"]
    for place, heading in (("path", "In the path"), ("query", "In the query"), ("header", "Header"), ("body", "Body")):
        if fields := [parameter for parameter in route.parameters if parameter.place == place]:
            kinds = f" ({' or '.join(f'`{kind}`' for kind in route.consumes)})" if place == "body" else ""
            what = ", an array of" if place == "body" and route.body_array else ""
            parts.append(f"{heading}{kinds}{what}:\n\n{_table(fields)}")
    if route.has_body and not route.body:
        parts.append(f"Body: {' or '.join(f'`{kind}`' for kind in route.consumes)}.\n")
    parts.append(_answer(route))
    parts.append(f"Errors: {', '.join(map(str, error_statuses(route)))}.\n")
    return "\n".join(parts)


def _answer(route: Route) -> str:
    kinds = "" if tuple(route.produces) == (JSON,) else f" ({' or '.join(f'`{kind}`' for kind in route.produces)})"
    text = f"Answer{kinds}: {route.answer or route.summary + '.'}\n"
    return f"{text}\n{_table(route.answers)}" if route.answers else text


def _table(fields: Sequence[Parameter]) -> str:
    return "| name | type | meaning |\n| --- | --- | --- |\n" + "".join(_rows(fields, ""))


def _rows(fields: Sequence[Parameter], prefix: str) -> Iterable[str]:
    for field in fields:
        name = f"{prefix}{field.name}"
        needed = ", required" if field.required and field.place != "path" else ""
        yield f"| `{name}` | {_kind(field)}{needed} | {_meaning(field)} |\n"
        inner = f"{name}[]." if field.kind == "array" else f"{name}."
        yield from _rows(field.fields, inner)


def _kind(field: Parameter) -> str:
    text = f"array of {field.entries}s" if field.kind == "array" else field.kind
    return f"{text} or null" if field.nullable else text


def _meaning(field: Parameter) -> str:
    parts = [field.meaning]
    if field.choices:
        parts.append("One of " + ", ".join(f"`{choice}`" for choice in field.choices) + ".")
    if field.minimum is not None and field.maximum is not None:
        parts.append(f"From {field.minimum} to {field.maximum}.")
    elif field.maximum is not None:
        unit = {"string": " characters", "array": " entries"}.get(field.kind, "")
        parts.append(f"At most {field.maximum}{unit}.")
    if field.default not in (None, ""):
        parts.append(f"Default `{str(field.default).lower() if isinstance(field.default, bool) else field.default}`.")
    return " ".join(part for part in parts if part).replace("|", "\\|")


def main(path: Path) -> None:
    """Write the page."""
    from bough.server.route_table import ROUTES

    path.write_text(reference(ROUTES))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
