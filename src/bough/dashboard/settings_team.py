"""People, agencies and their data filters; tokens; the audit log. The same functions as /api/users and its siblings."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from bough.accounts import audit, tokens
from bough.accounts import users as people
from bough.accounts.audit import AuditQuery
from bough.accounts.data_filters import COLUMNS
from bough.accounts.team_handlers import agency_entry, identifier, revoked_entry, token_entry, user_entry
from bough.accounts.tokens import NewToken, RevokedToken
from bough.accounts.users import RemovedAgency, UserChange, WantedAgency
from bough.dashboard import curl
from bough.dashboard.page_context import Here, page
from bough.dashboard.tables import Column, PageTable
from bough.errors import BadRequest, BoughError
from bough.vocabulary.permissions import PERMISSIONS
from bough.web.bodies import parse_form

AUDIT_PAGE = 100


@page("settings")
async def team(here: Here) -> Response:
    """GET /dashboard/settings/team."""
    return await _team(here)


@page("settings")
async def save_user(here: Here) -> Response:
    """POST /dashboard/settings/team/users: a new user, or changes of the one whose id is given."""
    fields = parse_form(await here.call.bytes())
    account = identifier(str(fields["user_id"])) if fields.get("user_id") else None
    try:
        wanted = UserChange(here.user.organization, user_fields(fields, new=account is None), here.user, account)
        await here.call.change(people.save_batch, wanted, user_entry)
    except BoughError as error:
        return await _team(here, problem=error.message)
    here.call.context.refresh()
    return Response(b"", 303, {"Location": here.url("settings/team")})


@page("settings")
async def save_agency(here: Here) -> Response:
    """POST /dashboard/settings/team/agencies: add one, or with `remove` take one away."""
    fields = parse_form(await here.call.bytes())
    try:
        if fields.get("remove"):
            gone = RemovedAgency(here.user.organization, identifier(str(fields["remove"])))
            await here.call.change(people.remove_agency_batch, gone, agency_entry("agency.remove"))
        else:
            name, tag = str(fields.get("name") or "").strip(), str(fields.get("tag") or "").strip()
            wanted = WantedAgency(here.user.organization, name, tag)
            await here.call.change(people.add_agency_batch, wanted, agency_entry("agency.add"))
    except BoughError as error:
        return await _team(here, problem=error.message)
    here.call.context.refresh()
    return Response(b"", 303, {"Location": here.url("settings/team")})


def user_fields(fields: dict[str, Any], *, new: bool) -> dict[str, Any]:
    """The form as the body of POST or PATCH /api/users. Raises BadRequest naming the field."""

    def several(name: str) -> list[str]:
        value = fields.get(name, [])
        return [one for one in ([value] if isinstance(value, str) else value) if one]

    agency = str(fields.get("agency_id") or "")
    body: dict[str, Any] = {
        "permissions": several("permission"),
        "apps": several("app_id") or None,
        "agency_id": agency or None,
        "level": "app" if agency else str(fields.get("level") or "app"),
        "agency_data_only": bool(agency) and fields.get("agency_data_only") == "on",
        "filters": filters_of(str(fields.get("filters") or "")),
    }
    if new:
        body["email"] = str(fields.get("email") or "").strip()
        body["name"] = str(fields.get("name") or "").strip()
    else:
        body["disabled"] = fields.get("disabled") == "on"
    return body


def filters_of(text: str) -> dict[str, list[str | None]]:
    """Data filters, a line each: `touch_data_tilde_campaign = spring | summer`; nothing between stands for missing."""
    found: dict[str, list[str | None]] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        name, equals, values = line.partition("=")
        if not equals:
            raise BadRequest("filters: each line must be a dimension, =, and values with | between them.")
        found[name.strip()] = [value.strip() or None for value in values.split("|")]
    return found


def filters_text(filters: dict[str, list[str | None]]) -> str:
    """The inverse of `filters_of`."""
    return "\n".join(f"{name} = {' | '.join(value or '' for value in values)}" for name, values in filters.items())


async def _team(here: Here, problem: str = "") -> Response:
    store = here.call.context.store
    users = [people.document(one) for one in await store.beside(people.everyone, store.rows, here.user.organization)]
    agencies = [
        people.agency_document(one) for one in await store.beside(people.agencies, store.rows, here.user.organization)
    ]
    by_id = {one["agency_id"]: one["name"] for one in agencies}
    tables = [
        PageTable(
            name="users",
            caption="People",
            columns=(
                Column(name="email", label="E-mail"),
                Column(name="name", label="Name"),
                Column(name="level", label="Reaches"),
                Column(name="permissions", label="May", kind="tags"),
                Column(name="agency", label="Agency"),
                Column(name="filters_text", label="Sees only", kind="long"),
                Column(name="disabled_at", label="Disabled", kind="time"),
            ),
            rows=[
                {**one, "agency": by_id.get(one["agency_id"], ""), "filters_text": filters_text(one["filters"])}
                for one in users
            ],
            empty="Nobody is here.",
            document={"users": users},
        ),
        PageTable(
            name="agencies",
            caption="Agencies",
            columns=(
                Column(name="name", label="Name"),
                Column(name="tag", label="Tag of its links", kind="code"),
                Column(name="agency_id", label="Id", kind="code"),
            ),
            rows=agencies,
            empty="No agency yet. Its members see what their data filters let through.",
            document={"agencies": agencies},
        ),
    ]
    return here.answer(
        "settings_team.html", tables, status=400 if problem else 200, section="team",
        users=tables[0].rows, agencies=agencies, permissions=PERMISSIONS, dimensions=sorted(COLUMNS), problem=problem,
        curl=curl.get_line(here, "/api/users"),
    )  # fmt: skip


@page("settings")
async def list_tokens(here: Here) -> Response:
    """GET /dashboard/settings/tokens."""
    return await _tokens(here)


@page("settings")
async def change_tokens(here: Here) -> Response:
    """POST /dashboard/settings/tokens: make one, shown once; `revoke` ends one, `reset` makes a permanent one anew."""
    fields = parse_form(await here.call.bytes())
    made = ""
    try:
        if fields.get("revoke"):
            gone = RevokedToken(here.user.organization, identifier(str(fields["revoke"])))
            await here.call.change(tokens.revoke_batch, gone, revoked_entry)
        elif fields.get("reset"):
            whose = identifier(str(fields["reset"]))
            wanted = NewToken(here.user.organization, whose, "permanent", "permanent", by=here.user)
            made = (await here.call.change(tokens.make_batch, wanted, token_entry("token.reset"))).token
        else:
            days = str(fields.get("expires_in_days") or "").strip()
            if days and not (days.isascii() and days.isdigit() and len(days) < 5):
                raise BadRequest("expires_in_days: must be a whole number.")
            scopes = fields.get("scope", [])
            wanted = NewToken(
                here.user.organization,
                here.user.id,
                "named",
                str(fields.get("name") or "").strip(),
                tokens.parse_scopes([scopes] if isinstance(scopes, str) else scopes or None),
                int(days) if days else None,
                here.user,
            )
            made = (await here.call.change(tokens.make_batch, wanted, token_entry("token.create"))).token
    except BoughError as error:
        return await _tokens(here, problem=error.message)
    here.call.context.refresh()
    return await _tokens(here, made=made)


async def _tokens(here: Here, made: str = "", problem: str = "") -> Response:
    store = here.call.context.store
    found = await store.beside(tokens.tokens, store.rows, here.user.organization)
    table = PageTable(
        name="tokens",
        caption="Tokens",
        columns=(
            Column(name="name", label="Name"),
            Column(name="email", label="Whose"),
            Column(name="kind", label="Kind"),
            Column(name="scopes", label="May", kind="tags"),
            Column(name="created_at", label="Made", kind="time"),
            Column(name="expires_at", label="Ends", kind="time"),
        ),
        rows=[{**one, "scopes": one.get("scopes") or []} for one in found],
        empty="No token yet. Scripts and the API need one.",
        document={"tokens": found},
    )
    return here.answer(
        "settings_tokens.html", [table], status=400 if problem else 200, section="tokens",
        made=made, problem=problem, permissions=[p for p in PERMISSIONS if here.may(p)],
        curl=curl.line(here, "POST", "/api/tokens", {"name": "nightly export", "scopes": ["aggregate_data", "export"]}),
    )  # fmt: skip


@page("settings")
async def audit_log(here: Here) -> Response:
    """GET /dashboard/settings/audit."""
    cursor = here.call.query("cursor") or ""
    asked = AuditQuery(
        organization=here.user.organization,
        action=(here.call.query("action") or "").strip(),
        actor=(here.call.query("actor") or "").strip(),
        subject=(here.call.query("subject") or "").strip(),
        before=identifier(cursor) if cursor else None,
        limit=AUDIT_PAGE,
    )
    store = here.call.context.store
    found = await store.beside(audit.read, store.rows, asked)
    after = found[-1]["id"] if len(found) == AUDIT_PAGE else None
    named = {name: value for name in ("action", "actor", "subject") if (value := here.call.query(name))}
    table = PageTable(
        name="audit",
        caption="Who did what, newest first",
        columns=(
            Column(name="at", label="When", kind="time"),
            Column(name="actor", label="Who"),
            Column(name="action", label="What", kind="code"),
            Column(name="subject", label="About"),
            Column(name="details", label="Details", kind="pairs"),
            Column(name="ip", label="From"),
        ),
        rows=found,
        empty="Nothing fits. Take a filter away.",
        document={"entries": found, "next_cursor": after},
    )
    return here.answer(
        "settings_audit.html",
        [table],
        section="audit",
        next_cursor=after,
        curl=curl.get_line(here, "/api/audit", **named),
    )
