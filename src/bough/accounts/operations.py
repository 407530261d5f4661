"""The operations of Branch's App API (docs/settings.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bough.accounts import handlers
from bough.accounts.model import AppConfig
from bough.accounts.setting_checks import MAX_TEXT
from bough.web.parameters import BRANCH_SECRET, KEY_IN_PATH, SECRET_IN_QUERY
from bough.web.routing import Kind, Parameter, Route

GROUP = "Apps"


def _field(name: str, schema: Mapping[str, Any]) -> Parameter:
    """A field of the configuration, as the JSON Schema of its type describes it."""
    choices: tuple[str | int, ...] = tuple(schema.get("enum", ()))
    kinds = schema.get("anyOf", [schema])
    kind: Kind = next((part["type"] for part in kinds if part.get("type", "null") != "null"), "string")
    if choices and isinstance(choices[0], int):
        kind = "integer"
    default = schema.get("default")
    return Parameter(
        name=name,
        kind=kind,
        choices=choices,
        nullable={"type": "null"} in kinds,
        default=default if isinstance(default, str | int) else None,
        minimum=schema.get("minimum"),
        maximum=MAX_TEXT if kind == "string" and not choices else schema.get("maximum"),
    )


_SCHEMAS = msgspec.json.schema_components((AppConfig,))[1]["AppConfig"]["properties"]
CONFIG = tuple(_field(name, schema) for name, schema in _SCHEMAS.items())
"""Every field of an app's configuration: Branch's own, then bough's switches."""

NAME = Parameter(name="app_name", meaning="Its name.", maximum=255)
TIMEZONE = Parameter(name="timezone", meaning="IANA time zone of its reports.", default="UTC")

APP = (
    Parameter(name="branch_key", required=True),
    Parameter(name="branch_secret", meaning="The one that was sent: only its hash is kept.", required=True),
    Parameter(name="creation_date", meaning="ISO 8601 with milliseconds.", required=True),
    Parameter(name="app_name", required=True),
    Parameter(name="app_id", required=True),
    Parameter(name="timezone", required=True),
    *(msgspec.structs.replace(field, required=True, default=None, maximum=None) for field in CONFIG),
    Parameter(name="short_url_domain", meaning="Host of new links.", required=True),
    Parameter(name="default_short_url_domain", required=True),
    Parameter(name="alternate_short_url_domain", required=True),
)

ROUTES = (
    Route(
        method="GET",
        path="/v1/app/{branch_key}",
        handler=handlers.read_app,
        access="branch_secret",
        name="readApp",
        group=GROUP,
        summary="Read an app's configuration",
        parameters=(KEY_IN_PATH, SECRET_IN_QUERY),
        answer="The app.",
        answers=APP,
    ),
    Route(
        method="PUT",
        path="/v1/app/{branch_key}",
        handler=handlers.update_app,
        access="branch_secret",
        name="updateApp",
        group=GROUP,
        summary="Change an app's configuration",
        notes="Fields that are not sent stay; null gives a field its default again.",
        parameters=(KEY_IN_PATH, BRANCH_SECRET, NAME, TIMEZONE, *CONFIG),
        answer="The app.",
        answers=APP,
    ),
    Route(
        method="POST",
        path="/v1/app",
        handler=handlers.create_app,
        access="token",
        needs=("settings",),
        level="organization",
        refusal="access_denied",
        body_token=("user_id", "access_token", "access_key"),
        name="createApp",
        group=GROUP,
        summary="Create an app",
        notes="`user_id` may hold the access token in place of the header.",
        parameters=(
            msgspec.structs.replace(NAME, required=True),
            TIMEZONE,
            *(msgspec.structs.replace(field, required=field.name in ("dev_name", "dev_email")) for field in CONFIG),
        ),
        answer="The app with its secret, which is not shown again.",
        answers=(
            *APP,
            Parameter(name="id", meaning="As `app_id`.", required=True),
            Parameter(name="app_key", meaning="As `branch_key`.", required=True),
            Parameter(name="origin", required=True),
        ),
        errors=(403,),
    ),
)
