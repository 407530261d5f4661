"""A link's parameters as a form and back: pure.

Fields: `d:KEY` for each key of `links.control_parameters`, `c:KEY` for its country variants (a line each), `custom` for
all other keys as JSON, the labels, `tags` (with commas), alias, domain, type and duration; `qr` for the look of the QR
code that a copy of a link takes over, as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bough.errors import BadRequest
from bough.links.control_parameters import CONTROLS, GROUPS, Control
from bough.links.model import LABELS, Link
from bough.links.parameters import is_reserved
from bough.links.targets import COUNTRY_KEYS

Fields = Mapping[str, Any]


def fields_of(link: Link) -> dict[str, str]:
    """The form of a link."""
    fields = {name: getattr(link, name) or "" for name in LABELS}
    fields |= {"tags": ", ".join(link.tags), "duration": str(link.duration), "alias": link.alias or link.path}
    fields |= {"type": str(link.type), "qr": link.qr_code_settings or ""}
    own: dict[str, Any] = {}
    countries: dict[str, list[str]] = {key: [] for key in COUNTRY_KEYS}
    for key, value in link.data.items():
        base, country = _country(key)
        if key in CONTROLS and shown(value) is not None:
            fields[f"d:{key}"] = shown(value) or ""
        elif base and isinstance(value, str) and not any(c.isspace() for c in value):
            countries[base].append(f"{country} {value}")
        else:
            own[key] = value
    fields |= {f"c:{key}": "\n".join(lines) for key, lines in countries.items()}
    fields["custom"] = msgspec.json.format(msgspec.json.encode(own), indent=2).decode() if own else ""
    return fields


def shown(value: Any) -> str | None:
    """A value of a control's field; None for what a field cannot hold (it stays among the own keys)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return None if "\r" in value else value
    return str(value) if isinstance(value, int) else None


def data_of(fields: Fields, before: Mapping[str, Any]) -> dict[str, Any]:
    """The `data` that a form describes. A value that looks as it did before keeps its type.

    Raises BadRequest naming the field.
    """
    data: dict[str, Any] = {}
    for key, control in CONTROLS.items():
        text = _text(fields, f"d:{key}")
        if text != "":
            data[key] = before[key] if key in before and shown(before[key]) == text else _typed(control, text)
    for key in COUNTRY_KEYS:
        data |= _countries(key, _text(fields, f"c:{key}"))
    return data | _custom(_text(fields, "custom"))


def labels_of(fields: Fields) -> dict[str, Any]:
    """Labels, tags and match duration."""
    body: dict[str, Any] = {name: _text(fields, name).strip() or None for name in LABELS}
    body["tags"] = [tag.strip() for tag in _text(fields, "tags").split(",") if tag.strip()]
    if duration := _text(fields, "duration").strip():
        body["duration"] = duration
    return body


def new_body(fields: Fields) -> dict[str, Any]:
    """The body of POST /v1/url."""
    body = {name: value for name, value in labels_of(fields).items() if value}
    for name in ("alias", "domain"):
        if text := _text(fields, name).strip():
            body[name] = text
    if look := _text(fields, "qr"):
        body["qr_code_settings"] = _object(look, "qr_code_settings", '{"width": 600}')
    return {**body, "type": _text(fields, "type") or "0", "source": "dashboard", "data": data_of(fields, {})}


def patch_body(fields: Fields, link: Link) -> dict[str, Any]:
    """The body of PATCH /api/links/{id} that makes the link what the form says."""
    data = data_of(fields, link.data)
    changed = {key: value for key, value in data.items() if key not in link.data or link.data[key] != value}
    gone = dict.fromkeys((key for key in link.data if key not in data), None)
    body = labels_of(fields)
    if changed or gone:
        body["data"] = {**gone, **changed}
    return body


def is_open(group: str, fields: Fields) -> bool:
    """Whether a group of the form has something in it."""
    found = next(one for one in GROUPS if one.name == group)
    return any(_text(fields, f"{'c' if one.kind == 'country_url' else 'd'}:{one.key}") for one in found.controls)


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name, "")
    if isinstance(value, list):
        value = value[-1] if value else ""
    return str(value).replace("\r\n", "\n")


def _typed(control: Control, text: str) -> Any:
    if control.kind == "switch" and text in ("true", "false"):
        return text == "true"
    stripped = text.strip()
    if control.kind in ("number", "mode") and stripped.isascii() and stripped.isdigit() and len(stripped) < 16:
        return int(stripped)
    if control.key.endswith("deepview") and stripped in ("true", "false"):
        return stripped == "true"
    return stripped if control.kind == "url" else text


def _country(key: str) -> tuple[str, str]:
    base, _, country = key.rpartition("_")
    if base in COUNTRY_KEYS and len(country) == 2 and country.isascii() and country.isalpha() and country.islower():
        return base, country
    return "", ""


def _countries(key: str, text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        country, _, address = line.strip().partition(" ")
        if not _country(f"{key}_{country.lower()}")[0] or not address.strip():
            raise BadRequest(f"{key}: each line must be two letters and an address, as `de https://example.com/de`.")
        found[f"{key}_{country.lower()}"] = address.strip()
    return found


def _custom(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    value = _object(text, "Your own keys", '{"product": "1984"}')
    for key in value:
        if is_reserved(key):
            raise BadRequest(f"Your own keys: {key} is made by the server.")
    return value


def _object(text: str, name: str, example: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"{name}: not valid JSON ({error}).") from error
    if not isinstance(value, dict):
        raise BadRequest(f"{name}: must be a JSON object, as {example}.")
    return value
