"""Reading control parameters leniently: a query can only carry text, and old clients send text for everything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

URI_MODES: dict[str, int] = {
    "0": 0,
    "CONSERVATIVE": 0,
    "STANDARD": 0,
    "1": 1,
    "INTELLIGENT": 1,
    "SMART": 1,
    "SMART_REDIRECT": 1,
    "2": 2,
    "AGGRESSIVE": 2,
    "FORCEFUL": 2,
    "FORCEFUL_REDIRECT": 2,
    "FORCE_APP_OPEN": 2,
    "FORCE_APP_OPEN_IFRAME": 2,
}
"""Values of `$uri_redirect_mode` (docs/clicks.md), and names of the dashboard and of Branch's MCP server."""

DEFAULT_TEMPLATE = "default_template"
"""The deepview shown when a link asks for one without naming it."""

_TEMPLATE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TRUE = (True, 1, "true", "True", "TRUE", "1")
_FALSE = (False, 0, "false", "False", "FALSE", "0")


def is_true(data: Mapping[str, Any], key: str) -> bool:
    """Whether a switch is on; anything but true, 1 and their texts is off."""
    return _value(data, key) in _TRUE


def is_false(data: Mapping[str, Any], key: str) -> bool:
    """Whether a switch is off by its own word, which is not the same as unset."""
    return _value(data, key) in _FALSE


def text(data: Mapping[str, Any], key: str) -> str:
    """A text, or empty when it is unset, of another type or the word `false`."""
    value = _value(data, key)
    return value.strip(" ") if isinstance(value, str) and value not in _FALSE else ""


def milliseconds(data: Mapping[str, Any], key: str, default: int) -> int:
    """A waiting time from 0 to 10,000 ms; the default when it is unset or no number."""
    value = data.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return default
    return min(max(value, 0), 10_000)


def uri_mode(data: Mapping[str, Any], keys: tuple[str, ...], default: int) -> int:
    """0 never, 1 when the app is known to be installed, 2 always; the first key that holds a mode decides."""
    for key in keys:
        value = data.get(key)
        if not isinstance(value, bool) and str(value).upper() in URI_MODES:
            return URI_MODES[str(value).upper()]
    return default


def template(data: Mapping[str, Any], key: str, default: str) -> str:
    """The deepview template of a key, `default` when it is unset, empty when it is switched off.

    A name that can be no template's (it might come from the query) counts as the default template.
    """
    if is_false(data, key):
        return ""
    name = DEFAULT_TEMPLATE if is_true(data, key) else text(data, key) or default
    return name if not name or _TEMPLATE.fullmatch(name) else DEFAULT_TEMPLATE


def _value(data: Mapping[str, Any], key: str) -> Any:
    """The value; nothing for the empty key, which stands for a parameter that a platform does not have."""
    return data.get(key) if key else None
