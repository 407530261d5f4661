"""The generated parts of docs/: tables made from the code's own tables. `scripts/docs` writes them anew.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; `tests/test_docs.py` fails when one is out of date.
`docs/api.md` is made from the route table by `bough.server.reference`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from bough.accounts.operations import CONFIG
from bough.cli import parser
from bough.clicks.decision.rules import RULES
from bough.errors import BoughError
from bough.links.alias import MAX_LENGTH
from bough.links.handlers import MAX_BULK_BYTES
from bough.links.model import DEFAULT_DURATION
from bough.links.parameters import (
    MAX_DATA_BYTES,
    MAX_DATA_DEPTH,
    MAX_DURATION,
    MAX_IDENTITY,
    MAX_LABEL,
    MAX_TAG,
    MAX_TAGS,
)
from bough.settings import describe
from bough.vocabulary.export_columns import EXPORT_COLUMNS
from bough.warehouse import refresh
from bough.web.limits import LIMITS
from bough.web.routing import Parameter

ROOT = Path(__file__).resolve().parent.parent
DOCS = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def settings() -> str:
    return table(
        ("variable", "default", "meaning"),
        ((f"`{name}`", f"`{default}`" if default else "empty", meaning) for name, default, meaning in describe()),
    )


def app_settings() -> str:
    return table(("field", "values", "default"), ((f"`{p.name}`", _values(p), _default(p)) for p in CONFIG))


def rules() -> str:
    return table(("rule", "what happens"), ((f"`{name}`", meaning) for name, meaning in RULES.items()))


def limits() -> str:
    rows = {
        "`alias`": f"{MAX_LENGTH} characters",
        "`channel`, `feature`, `campaign`, `stage`": f"{MAX_LABEL} characters",
        "`tags`": f"{MAX_TAGS} tags of {MAX_TAG} characters",
        "`identity`": f"{MAX_IDENTITY} characters",
        "`duration`": f"1 to {MAX_DURATION:,} seconds; {DEFAULT_DURATION:,} when not sent",
        "`data`": f"{MAX_DATA_BYTES:,} bytes of JSON, {MAX_DATA_DEPTH} levels deep",
        "body of a bulk request": f"{MAX_BULK_BYTES:,} bytes",
    }
    return table(("field", "limit"), iter(rows.items()))


def rates() -> str:
    rows = ((f"`{name}`", f"{r.second:,}", f"{r.minute:,}", f"{r.hour:,}") for name, r in LIMITS.items())
    return table(("operation", "per second", "per minute", "per hour"), rows)


def export_columns() -> str:
    kinds = {"iso": "ISO 8601", "texts": "JSON array of texts", "object": "JSON object", "objects": "JSON array",
             "json": "JSON array"}  # fmt: skip
    return table(
        ("column", "type", "unit", "meaning"),
        ((f"`{c.name}`", kinds.get(c.type, c.type), c.unit, c.meaning) for c in EXPORT_COLUMNS.values()),
    )


def errors() -> str:
    parser()  # loads every module, so that all kinds are known
    rows = sorted({(kind.status, _first_sentence(kind.__doc__)) for kind in _kinds(BoughError)})
    return table(("status", "when"), ((str(status), meaning) for status, meaning in rows))


def commands() -> str:
    return "".join(_command(parser()))


GENERATED: dict[str, Callable[[], str]] = {
    "settings": settings,
    "app-settings": app_settings,
    "rules": rules,
    "limits": limits,
    "rates": rates,
    "errors": errors,
    "export-columns": export_columns,
    "commands": commands,
}


def renewed(text: str) -> str:
    """A page with its generated parts made anew."""
    return PART.sub(lambda found: f"{found[1]}\n{GENERATED[found[2]]().rstrip()}\n\n{found[4]}", text)


def _values(parameter: Parameter) -> str:
    if parameter.choices:
        return ", ".join(f"`{choice}`" for choice in parameter.choices)
    if parameter.kind == "integer" and parameter.minimum is not None:
        return f"{parameter.minimum} to {parameter.maximum}"
    return {"string": "text", "boolean": "`true`, `false`", "array": "texts", "integer": "number"}.get(
        parameter.kind, parameter.kind
    )


def _default(parameter: Parameter) -> str:
    default = parameter.default
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return "empty" if default in (None, "") else f"`{default}`"


WITH_ERRORS = (refresh,)
"""Modules that errors are defined in and that nothing here would import otherwise."""


def _kinds(base: type[BoughError]) -> Iterator[type[BoughError]]:
    for kind in base.__subclasses__():
        if kind.__name__ != "ConfigurationError":  # ends the process at start; no caller sees it
            yield kind
            yield from _kinds(kind)


def _first_sentence(text: str | None) -> str:
    return re.sub(r" \(docs/[^)]*\)", "", (text or "").split("\n")[0])


def _command(described: argparse.ArgumentParser) -> Iterator[str]:
    children = [a for a in described._actions if isinstance(a, argparse._SubParsersAction)]
    options = [a for a in described._actions if a not in children and a.dest != "help"]
    if not children:
        yield f"### `{described.prog}`\n\n"
    if options:
        yield table(("option", "meaning"), ((_option(action), _help(action)) for action in options)) + "\n"
    for group in children:
        helps = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for name, child in group.choices.items():
            if any(isinstance(a, argparse._SubParsersAction) for a in child._actions):
                yield f"## `{child.prog}`\n\n{_sentence(helps.get(name, ''))}\n\n"
                yield from _command(child)
            else:
                head, *rest = _command(child)
                yield head + f"{_sentence(helps.get(name, ''))}\n\n"
                yield from rest


def _option(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{action.metavar or action.dest}`"
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    if action.choices:
        value = f" {'|'.join(map(str, action.choices))}"
    return ", ".join(f"`{name}{value}`" for name in action.option_strings)


def _help(action: argparse.Action) -> str:
    return _sentence(action.help or "")


def _sentence(text: str) -> str:
    first = text if "://" in text.split(" ")[0] else text[:1].upper() + text[1:]
    return first + ("." if text and text[-1] not in ".)" else "")


def main() -> None:
    """Write all generated parts."""
    for page in DOCS:
        text = page.read_text()
        if (new := renewed(text)) != text:
            page.write_text(new)


if __name__ == "__main__":
    main()
