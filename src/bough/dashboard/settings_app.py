"""An app's settings, from the table of its configuration; windows and matching; the allow-list."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response

from bough.accounts.handlers import change_app
from bough.accounts.model import App
from bough.accounts.operations import CONFIG
from bough.dashboard.page_context import Here, page
from bough.dashboard.tables import Column, PageTable
from bough.errors import BadRequest, BoughError
from bough.vocabulary.windows import NAMES, Windows
from bough.web.bodies import parse_form
from bough.web.routing import Parameter

DAY_MS = 86_400_000


class SettingGroup(NamedTuple):
    """Fields that belong together."""

    title: str
    help: str
    starts: tuple[str, ...]
    """How the names of its fields begin."""


GROUPS = (
    SettingGroup("iOS", "The App Store, universal links and the URI scheme.", ("ios_", "universal_")),
    SettingGroup("Android", "The Play Store, App Links and the URI scheme.", ("android_", "sha256_", "fire_")),
    SettingGroup("Where people go without an address of the link's own", "Web, desktop and other stores.",
          ("web_url", "default_desktop_url", "windows_", "blackberry_", "mac_", "text_message", "always_open_app")),
    SettingGroup("Preview", "For links without their own.", ("og_title", "og_desc", "og_image", "og_app")),
    SettingGroup("Deepviews", "Pages with content and a button; a template's name switches one on.", ("deepview_",)),
    SettingGroup("Redirect allow-list", "Empty: any web address. One entry per line: example.com, *.example.com, myapp://.",
          ("redirect_allowlist", "uri_schemes")),
    SettingGroup("How links behave", "bough's own switches.",
          ("alias_conflict", "test_env", "allow_type2", "expiry_", "append_", "utm_", "og_for_social", "update_imm",
           "uri_redirect_mode", "ios_nativelink")),
    SettingGroup("Money", "Events whose revenue counts in cohorts; empty: the usual ones.", ("revenue_events",)),
    SettingGroup("Exports", "Objects of an export whose request names no limit, and the most that one may ask for.",
          ("export_",)),
    SettingGroup("Rate limits", "By name, [per second, per minute, per hour] as JSON; empty: the server's.",
          ("rate_limits",)),
    SettingGroup("Contact", "Who develops the app.", ("dev_",)),
)  # fmt: skip


@page("settings")
async def show(here: Here) -> Response:
    """GET /dashboard/settings."""
    return _answer(here, here.app, {}, "Saved." if here.call.query("saved") else "")


@page("settings")
async def save(here: Here) -> Response:
    """POST /dashboard/settings."""
    fields = parse_form(await here.call.bytes())
    try:
        await change_app(here.call, here.app, body_of(fields))
    except BoughError as error:
        return _answer(here, here.app, fields, problem=error.message)
    return Response(b"", 303, {"Location": here.url("settings", saved="1")})


def body_of(fields: dict[str, Any]) -> dict[str, Any]:
    """The form as the body of PUT /v1/app: only what it holds."""
    body: dict[str, Any] = {}
    for name in ("app_name", "timezone"):
        if name in fields:
            body[name] = str(fields[name]).strip()
    for field in CONFIG:
        if f"c:{field.name}" not in fields or field.name == "attribution_windows":
            continue
        text = str(fields[f"c:{field.name}"]).replace("\r\n", "\n").strip()
        if field.kind == "array":
            body[field.name] = [line.strip() for line in text.splitlines() if line.strip()]
        elif field.kind == "object":
            body[field.name] = _object(field.name, text)
        else:
            body[field.name] = text if text or field.kind == "string" else None
    days = {name: str(fields[f"w:{name}"]).strip() for name in NAMES if str(fields.get(f"w:{name}") or "").strip()}
    if any(f"w:{name}" in fields for name in NAMES):
        body["attribution_windows"] = days
    return body


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"{name}: is not valid JSON ({error}).") from error
    if not isinstance(value, dict):
        raise BadRequest(f"{name}: must be a JSON object.")
    return value


def group_of(field: Parameter) -> SettingGroup | None:
    """Where a field of the configuration stands."""
    starts = [(start, group) for group in GROUPS for start in group.starts if field.name.startswith(start)]
    return max(starts, key=lambda one: len(one[0]))[1] if starts else None


WORDS = {"ios": "iOS", "uri": "URI", "url": "address", "og": "preview", "sha256": "SHA-256", "id": "id"}
"""How parts of a setting's name are written."""


def label(name: str) -> str:
    """What a setting is called."""
    text = " ".join(WORDS.get(word, word) for word in name.split("_"))
    return text if text.startswith("iOS") else text[0].upper() + text[1:]


SWITCH = {0: "off", 1: "on"}
CHOICES: dict[str, dict[Any, str]] = {
    "ios_app": {0: "none", 1: "App Store", 2: "an address of your own"},
    "android_app": {0: "none", 1: "Play Store", 2: "an address of your own"},
    "universal_linking_enabled": SWITCH,
    "android_app_links_enabled": SWITCH,
    "always_open_app": SWITCH,
    "uri_redirect_mode": {0: "never when an error could show", 1: "when the app is known to be installed", 2: "always"},
}
"""What the numbers of the configuration mean (docs/settings.md)."""


def choice_label(name: str, choice: Any) -> str:
    """A choice with its meaning."""
    meaning = CHOICES.get(name, {}).get(choice)
    return f"{choice}: {meaning}" if meaning else str(choice)


def shown(value: Any) -> str:
    """A setting's value in a form."""
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode() if value else ""
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _answer(here: Here, app: App, fields: dict[str, Any], said: str = "", problem: str = "") -> Response:
    config = {field.name: msgspec.to_builtins(getattr(app.config, field.name)) for field in CONFIG}
    values = {field.name: shown(getattr(app.config, field.name)) for field in CONFIG}
    values |= {name[2:]: str(value) for name, value in fields.items() if name.startswith("c:")}
    grouped = [(group, [field for field in CONFIG if group_of(field) is group]) for group in GROUPS]
    defaults = {name: f"{getattr(Windows(), name) / DAY_MS:g}" for name in NAMES}
    table = PageTable(
        name="settings",
        caption="Settings",
        columns=(Column(name="name", label="Setting", kind="code"), Column(name="value", label="Value")),
        rows=[{"name": name, "value": value} for name, value in values.items()],
        empty="",
        document={"app_id": str(app.id), "app_name": app.name, "timezone": app.timezone, **config},
    )
    return here.answer(
        "settings_app.html",
        [table],
        status=400 if problem else 200,
        section="app",
        app=app,
        name=fields.get("app_name", app.name),
        timezone=fields.get("timezone", app.timezone),
        grouped=grouped,
        values=values,
        windows={name: fields.get(f"w:{name}", app.config.attribution_windows.get(name, "")) for name in NAMES},
        defaults=defaults,
        label=label,
        choice_label=choice_label,
        said=said,
        problem=problem,
    )
