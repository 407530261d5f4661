"""The operations of bough's own API of people, tokens, keys and the audit log."""

from __future__ import annotations

from bough.accounts import team_handlers as routes
from bough.accounts.audit import ACTIONS, MAX_PAGE
from bough.accounts.creation import MAX_OVERLAP_HOURS
from bough.vocabulary.permissions import PERMISSIONS
from bough.web.routing import Parameter, Route

GROUP = "Access"

_USER_ID = Parameter(name="user_id", meaning="The user.", required=True, place="path")
_APP_ID = Parameter(name="app_id", meaning="The app.", required=True, place="path")
_PERMISSIONS = ", ".join(f"`{name}`" for name in PERMISSIONS)

_USER_FIELDS = (
    Parameter(name="email", meaning="How the user is called; unique in the organization.", maximum=255),
    Parameter(name="name", maximum=255),
    Parameter(
        name="level", meaning="`organization` reaches people and tokens, too (app).", choices=("organization", "app")
    ),
    Parameter(
        name="permissions", meaning=f"Of {_PERMISSIONS}. Agency members get the first and `export`.", kind="array"
    ),
    Parameter(name="apps", meaning="Ids of the apps the user sees; null: all.", kind="array", nullable=True),
    Parameter(name="agency_id", meaning="The agency whose member it is.", nullable=True),
    Parameter(name="agency_data_only", meaning='"Only show agency-tagged data".', kind="boolean"),
    Parameter(
        name="filters",
        meaning="Data filters: dimension to array of values. A name without `install_activity_` or"
        " `reengagement_activity_` holds for both cohorts, and so does one with either.",
        kind="object",
    ),
)
_DISABLED = Parameter(name="disabled", meaning="true takes all access away; false gives it back.", kind="boolean")

USER = (
    Parameter(name="user_id", required=True),
    Parameter(name="organization_id", required=True),
    Parameter(name="email", required=True),
    Parameter(name="name", required=True),
    Parameter(name="level", required=True),
    Parameter(name="permissions", kind="array", required=True),
    Parameter(name="apps", kind="array", nullable=True, required=True),
    Parameter(name="agency_id", nullable=True, required=True),
    Parameter(name="agency_data_only", kind="boolean", required=True),
    Parameter(name="filters", kind="object", required=True),
    Parameter(name="created_at", required=True),
    Parameter(name="disabled_at", nullable=True, required=True),
)
AGENCY = (
    Parameter(name="agency_id", required=True),
    Parameter(name="name", meaning="`~agency` of its links, when it has no tag.", required=True),
    Parameter(name="tag", meaning="`~agency_id` of its links.", nullable=True, required=True),
    Parameter(name="created_at", required=True),
)
TOKEN = (
    Parameter(name="token_id", required=True),
    Parameter(name="user_id", required=True),
    Parameter(name="email", required=True),
    Parameter(name="kind", choices=("permanent", "named"), required=True),
    Parameter(name="name", required=True),
    Parameter(name="scopes", meaning="Null: all its user's permissions.", kind="array", nullable=True, required=True),
    Parameter(name="created_at", required=True),
    Parameter(name="expires_at", nullable=True, required=True),
)
MADE = (
    Parameter(name="token_id", required=True),
    Parameter(name="user_id", required=True),
    Parameter(name="email", required=True),
    Parameter(name="access_token", meaning="The token; it is not shown again.", required=True),
    Parameter(name="expires_at", nullable=True, required=True),
)
ENTRY = (
    Parameter(name="id", required=True),
    Parameter(name="at", required=True),
    Parameter(name="organization_id", nullable=True, required=True),
    Parameter(name="user_id", nullable=True, required=True),
    Parameter(name="actor", meaning="Email, `key …`, or `command line (…)`.", required=True),
    Parameter(name="ip", nullable=True, required=True),
    Parameter(name="action", meaning=f"{', '.join(f'`{name}`' for name in ACTIONS)}.", required=True),
    Parameter(name="app_id", nullable=True, required=True),
    Parameter(name="subject", required=True),
    Parameter(name="details", kind="object", required=True),
    Parameter(name="filters", meaning="Data filters in force.", kind="object", required=True),
)


def _route(method: str, path: str, **fields: object) -> Route:
    """A route of the organization's administration."""
    common = {"access": "token", "needs": ("team",), "level": "organization", "group": GROUP}
    return Route(method=method, path=path, **{**common, **fields})  # type: ignore[arg-type]


ROUTES = (
    _route(
        "GET",
        "/api/users",
        handler=routes.list_users,
        name="listUsers",
        summary="All users",
        answers=(Parameter(name="users", kind="array", entries="object", fields=USER, required=True),),
    ),
    _route(
        "POST",
        "/api/users",
        handler=routes.add_user,
        name="addUser",
        summary="Add a user or an agency's member",
        notes="Nobody gives permissions that they do not have.",
        parameters=_USER_FIELDS,
        answer="The user, who has no token yet.",
        answers=USER,
        errors=(404,),
    ),
    _route(
        "GET",
        "/api/users/{user_id}",
        handler=routes.read_user,
        name="readUser",
        summary="One user",
        parameters=(_USER_ID,),
        answers=USER,
        errors=(404,),
    ),
    _route(
        "PATCH",
        "/api/users/{user_id}",
        handler=routes.change_user,
        name="changeUser",
        summary="Change what a user may do and see",
        notes="What is not sent stays. It holds at once, also for jobs that run and files that were made before.",
        parameters=(_USER_ID, *_USER_FIELDS, _DISABLED),
        answer="The user.",
        answers=USER,
        errors=(404,),
    ),
    _route(
        "POST",
        "/api/users/{user_id}/token",
        handler=routes.reset_token,
        name="resetToken",
        summary="Make a user's permanent token; the one before ends",
        parameters=(_USER_ID,),
        answer="The token, once.",
        answers=MADE,
        errors=(404,),
    ),
    _route(
        "GET",
        "/api/agencies",
        handler=routes.list_agencies,
        name="listAgencies",
        summary="All agencies",
        answers=(Parameter(name="agencies", kind="array", entries="object", fields=AGENCY, required=True),),
    ),
    _route(
        "POST",
        "/api/agencies",
        handler=routes.add_agency,
        name="addAgency",
        summary="Add an agency",
        parameters=(
            Parameter(name="name", meaning="Its name.", required=True, maximum=255),
            Parameter(name="tag", meaning="`~agency_id` of its links; without it `~agency` is its name.", maximum=255),
        ),
        answers=AGENCY,
    ),
    _route(
        "DELETE",
        "/api/agencies/{agency_id}",
        handler=routes.remove_agency,
        name="removeAgency",
        summary="Remove an agency; its members lose all access",
        parameters=(Parameter(name="agency_id", meaning="The agency.", required=True, place="path"),),
        answers=(*AGENCY, Parameter(name="removed", kind="boolean", required=True)),
        errors=(404,),
    ),
    _route(
        "GET",
        "/api/tokens",
        handler=routes.list_tokens,
        name="listTokens",
        summary="All tokens, without themselves",
        answers=(Parameter(name="tokens", kind="array", entries="object", fields=TOKEN, required=True),),
    ),
    _route(
        "POST",
        "/api/tokens",
        handler=routes.add_token,
        name="addToken",
        summary="Make a named token",
        parameters=(
            Parameter(name="name", meaning="What it is for.", required=True, maximum=255),
            Parameter(name="user_id", meaning="Whose it is; without it yours."),
            Parameter(name="scopes", meaning="Permissions; null: all that the user has.", kind="array", nullable=True),
            Parameter(
                name="expires_in_days",
                meaning="Without it: never.",
                kind="integer",
                nullable=True,
                minimum=1,
                maximum=3650,
            ),
        ),
        answer="The token, once.",
        answers=MADE,
        errors=(404,),
    ),
    _route(
        "DELETE",
        "/api/tokens/{token_id}",
        handler=routes.revoke_token,
        name="revokeToken",
        summary="Revoke a token; every worker refuses it within a second",
        parameters=(Parameter(name="token_id", meaning="The token.", required=True, place="path"),),
        answers=(*TOKEN, Parameter(name="revoked", kind="boolean", required=True)),
        errors=(404,),
    ),
    _route(
        "GET",
        "/api/permissions",
        handler=routes.list_permissions,
        name="listPermissions",
        summary="What users can be given, and what you have",
        needs=(),
        level="app",
        answers=(
            Parameter(name="permissions", kind="array", required=True),
            Parameter(name="levels", kind="array", required=True),
            Parameter(name="filter_dimensions", meaning="Names for data filters.", kind="array", required=True),
            Parameter(
                name="you",
                kind="object",
                required=True,
                fields=(
                    Parameter(name="user_id", required=True),
                    Parameter(name="email", required=True),
                    Parameter(name="level", required=True),
                    Parameter(name="permissions", kind="array", required=True),
                    Parameter(name="apps", kind="array", required=True),
                    Parameter(name="filters", kind="object", required=True),
                ),
            ),
        ),
    ),
    _route(
        "GET",
        "/api/apps/{app_id}/keys",
        handler=routes.list_keys,
        name="listKeys",
        summary="An app's branch keys that are valid",
        needs=("settings",),
        level="app",
        parameters=(_APP_ID,),
        answers=(
            Parameter(
                name="keys",
                kind="array",
                entries="object",
                required=True,
                fields=(
                    Parameter(name="branch_key", required=True),
                    Parameter(name="environment", choices=("live", "test"), required=True),
                    Parameter(name="expires_at", nullable=True, required=True),
                ),
            ),
        ),
        errors=(404,),
    ),
    _route(
        "POST",
        "/api/apps/{app_id}/keys/rotate",
        handler=routes.rotate_keys,
        name="rotateKeys",
        summary="Make a new branch key and secret; the old ones work on for some hours",
        needs=("settings",),
        parameters=(
            _APP_ID,
            Parameter(name="environment", choices=("live", "test"), default="live"),
            Parameter(name="overlap_hours", kind="integer", default=24, minimum=0, maximum=MAX_OVERLAP_HOURS),
        ),
        answer="The new pair, once.",
        answers=(
            Parameter(name="app_id", required=True),
            Parameter(name="environment", required=True),
            Parameter(name="branch_key", required=True),
            Parameter(name="branch_secret", meaning="It is not shown again.", required=True),
            Parameter(name="old_keys_end_at", required=True),
        ),
        errors=(404,),
    ),
    _route(
        "GET",
        "/api/audit",
        handler=routes.read_audit,
        name="readAudit",
        summary="Who did what, newest first",
        parameters=(
            Parameter(name="action", meaning="Only this action; `link.` is all of links.", place="query"),
            Parameter(name="actor", meaning="Only by this actor.", place="query"),
            Parameter(name="subject", meaning="Only about this.", place="query"),
            Parameter(name="app_id", meaning="Only of this app.", place="query"),
            Parameter(name="since", meaning="From this time on: ISO 8601 or epoch ms.", place="query"),
            Parameter(name="until", meaning="Before this time.", place="query"),
            Parameter(name="cursor", meaning="`next_cursor` of the page before.", place="query"),
            Parameter(name="limit", place="query", kind="integer", minimum=1, maximum=MAX_PAGE, default=100),
        ),
        answers=(
            Parameter(name="entries", kind="array", entries="object", fields=ENTRY, required=True),
            Parameter(name="next_cursor", nullable=True, required=True),
        ),
        errors=(404,),
    ),
)
