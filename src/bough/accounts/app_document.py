"""An app as Branch's App API shows and takes it (docs/settings.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin

import msgspec

from bough.accounts.creation import check_name, check_timezone
from bough.accounts.model import App, AppConfig
from bough.accounts.setting_checks import MAX_TEXT as MAX_TEXT
from bough.accounts.setting_checks import check_texts
from bough.errors import BadRequest
from bough.vocabulary.windows import windows_from_days
from bough.web.limits import check_own_limits

_FIELDS = {field.name: field for field in msgspec.structs.fields(AppConfig)}
_WORDS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
"""What a switch may be sent as, besides 1 and 0."""
_CHOICES = {name: get_args(field.type) for name, field in _FIELDS.items() if get_origin(field.type) is Literal}


def app_document(app: App, branch_key: str, branch_secret: str, test: bool) -> dict[str, Any]:
    """The app resource. The secret is the caller's own: only its hash is kept."""
    domain = app.domain(test)
    alternate = app.domain(test, "alternate")
    host = domain.host if domain else ""
    created = datetime.fromtimestamp(app.created_at / 1000, UTC)
    return {
        "branch_key": branch_key,
        "branch_secret": branch_secret,
        "creation_date": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "app_name": app.name,
        "app_id": str(app.id),
        "timezone": app.timezone,
        **{name: msgspec.to_builtins(getattr(app.config, name)) for name in _FIELDS},
        "short_url_domain": host,
        "default_short_url_domain": host,
        "alternate_short_url_domain": alternate.host if alternate else "",
    }


def updated_config(config: AppConfig, body: Mapping[str, Any]) -> AppConfig:
    """The configuration with the fields of a request laid over it; unknown fields are ignored.

    Raises BadRequest naming the field. Numbers and booleans may come as text. Values that stay as they are may be ones
    that are refused today: a form that sends all of them back still saves the others, and `bough doctor` names them.
    """
    changes = {name: _checked(name, value, config) for name, value in body.items() if name in _FIELDS}
    values = {**msgspec.structs.asdict(config), **changes}
    try:
        updated = msgspec.convert(values, AppConfig, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("`$.")[2].rstrip("`") or "body"
        raise BadRequest(f"{field}: {str(error).partition(' - at')[0]}.") from error
    windows_from_days(updated.attribution_windows)
    check_own_limits(updated.rate_limits)
    return updated


def updated_identity(app: App, body: Mapping[str, Any]) -> tuple[str, str]:
    """(name, time zone) after a request. Raises BadRequest naming the field."""
    name = body.get("app_name", app.name)
    timezone = body.get("timezone", app.timezone)
    if not isinstance(name, str) or not isinstance(timezone, str):
        raise BadRequest("app_name and timezone: must be strings.")
    check_name(name)
    check_timezone(timezone)
    return name, timezone


def _checked(name: str, value: Any, config: AppConfig) -> Any:
    if value is None:
        field = _FIELDS[name]
        return field.default if field.default is not msgspec.NODEFAULT else {}
    if choices := _CHOICES.get(name):
        return _choice(name, value, choices)
    if isinstance(value, str) and _FIELDS[name].type is bool:
        return _WORDS.get(value.lower(), value)
    if name == "expiry_days" and value == "none":
        return 0
    texts = value if isinstance(value, list) else [value]
    kept = getattr(config, name)
    if texts != (list(kept) if isinstance(kept, tuple) else [kept]):
        check_texts(name, [text for text in texts if isinstance(text, str)])
    return value


def _choice(name: str, value: Any, choices: tuple[int | str, ...]) -> int | str:
    """One of a field's values: also as text, and switches of 0 and 1 also as true and false, which Branch's MCP server
    sends."""
    given = str(value).lower() if isinstance(value, bool | int | str) else ""
    if 0 in choices:
        given = str(int(_WORDS[given])) if given in _WORDS else given
    for choice in choices:
        if str(choice) == given:
            return choice
    raise BadRequest(f"{name}: must be one of {', '.join(map(str, choices))}.")
