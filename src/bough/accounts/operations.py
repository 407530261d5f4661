"""The operations of Branch's App API (contract/links.md §1.7)."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from bough.accounts import routes
from bough.accounts.app_document import MAX_TEXT
from bough.accounts.model import AppConfig
from bough.web.parameters import BRANCH_SECRET, KEY_IN_PATH, SECRET_IN_QUERY
from bough.web.routing import Kind, Parameter, Route

GROUP = "Apps"

_KINDS: dict[Any, Kind] = {str: "string", int: "integer", bool: "boolean", tuple: "array", dict: "object"}


def _field(name: str, hint: Any, default: Any) -> Parameter:
    """A field of the configuration, as its type describes it."""
    low = high = None
    if get_origin(hint) is Annotated:
        hint, meta = get_args(hint)
        low, high = meta.ge, meta.le
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    if isinstance(hint, UnionType):
        (hint,) = (kind for kind in get_args(hint) if kind is not NoneType)
        hint = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    base = type(choices[0]) if choices else get_origin(hint) or hint
    return Parameter(
        name=name,
        kind=_KINDS[base],
        choices=choices,
        default=default if isinstance(default, str | int) else None,
        minimum=low,
        maximum=MAX_TEXT if base is str and not choices else high,
    )


_HINTS = get_type_hints(AppConfig, include_extras=True)
CONFIG = tuple(_field(f.name, _HINTS[f.name], f.default) for f in msgspec.structs.fields(AppConfig))
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
        handler=routes.read_app,
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
        handler=routes.update_app,
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
        handler=routes.create_app,
        access="token",
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
