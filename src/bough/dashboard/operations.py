"""The pages of the dashboard as routes."""

from __future__ import annotations

from msgspec.structs import replace

from bough.dashboard import (
    cohort_page,
    exports_page,
    feed,
    installs,
    link_editor,
    link_list,
    link_page,
    overview,
    page_context,
    qr_page,
    reports,
    settings_app,
    settings_domains,
    settings_health,
    settings_money,
    settings_sdk,
    settings_team,
    theme,
)
from bough.dashboard.settings_money import MAX_BYTES
from bough.vocabulary.permissions import Permission
from bough.web.bodies import FORM
from bough.web.routing import JSON, Handler, Parameter, Route

PATH_VARIABLES = {
    "id": "The link's id.",
    "rest": "Anything.",
    "job_id": "The job.",
    "event_id": "The event's journal row.",
    "person_id": "The person.",
    "report_id": "The report.",
}


def get(path: str, handler: Handler, summary: str, *needs: Permission) -> Route:
    """A page that is read."""
    return _route("GET", path, handler, summary, needs)


def post(path: str, handler: Handler, summary: str, *needs: Permission, body_limit: int = 0) -> Route:
    """A form of a page."""
    return _route("POST", path, handler, summary, needs, body_limit)


def _route(
    method: str, path: str, handler: Handler, summary: str, needs: tuple[Permission, ...], body_limit: int = 0
) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        access="page",
        summary=summary,
        needs=needs,
        parameters=tuple(
            Parameter(name=name, meaning=meaning, required=True, place="path")
            for name, meaning in PATH_VARIABLES.items()
            if f"{{{name}" in path
        ),
        consumes=(FORM,) if method == "POST" else (),
        produces=("text/html", "text/csv", JSON) if method == "GET" else ("text/html",),
        body_limit=body_limit,
    )


def team_get(path: str, handler: Handler, summary: str) -> Route:
    """A page for those who administer the whole organization."""
    return replace(get(path, handler, summary, "team"), level="organization")


def team_post(path: str, handler: Handler, summary: str) -> Route:
    """A form of such a page."""
    return replace(post(path, handler, summary, "team"), level="organization")


COHORT: tuple[Permission, ...] = ("aggregate_data", "export")

DASHBOARD_ROUTES = (
    get("/dashboard", overview.overview, "Overview"),
    get("/dashboard/feed", feed.live, "The live feed"),
    post("/dashboard/theme", theme.choose, "Choose light or dark"),
    get("/dashboard/links", link_list.links, "Links"),
    post("/dashboard/links/act", link_list.act, "Change the marked links"),
    get("/dashboard/links/new", link_editor.new, "Make a link"),
    post("/dashboard/links/new", link_editor.create, "Make a link"),
    post("/dashboard/links/preview", link_editor.preview, "Preview of a form"),
    get("/dashboard/picture", link_editor.picture, "A preview's picture"),
    get("/dashboard/links/{id}", link_page.link, "A link"),
    get("/dashboard/links/{id}/edit", link_editor.edit, "Change a link"),
    post("/dashboard/links/{id}/edit", link_editor.save, "Change a link"),
    get("/dashboard/links/{id}/qr", qr_page.designer, "Design a QR code"),
    post("/dashboard/links/{id}/qr", qr_page.keep, "Keep a look of the QR code", "links"),
    get("/dashboard/links/{id}/qr-picture", qr_page.picture, "A QR code"),
    get("/dashboard/cohorts", cohort_page.cohorts, "Cohorts", *COHORT),
    get("/dashboard/cohorts/answer", cohort_page.answer, "A cohort question's answer", *COHORT),
    get("/dashboard/cohorts/cell", cohort_page.cell, "The rows behind a number", *COHORT, "sensitive_data"),
    get("/dashboard/cohorts/job/{job_id}", cohort_page.progress, "An answer's progress", *COHORT),
    post("/dashboard/cohorts/job/{job_id}/cancel", cohort_page.cancel, "Cancel a question", *COHORT),
    get("/dashboard/cohorts/reports", reports.reports, "Reports", *COHORT),
    post("/dashboard/cohorts/reports", reports.save, "Save or schedule a report", *COHORT),
    post("/dashboard/cohorts/reports/{report_id}/delete", reports.delete, "Delete a report", *COHORT),
    get("/dashboard/installs", installs.installs, "Installs", "sensitive_data"),
    get("/dashboard/installs/person/{person_id}", installs.person, "A person", "sensitive_data"),
    get("/dashboard/installs/event/{event_id}", installs.event, "Why an event was attributed", "sensitive_data"),
    get("/dashboard/installs/click/{id}", installs.click, "A click", "sensitive_data"),
    get("/dashboard/installs/simulator", installs.simulator, "The simulator", "sensitive_data"),
    post("/dashboard/installs/simulator", installs.simulator, "Play a click and an opening", "sensitive_data"),
    get("/dashboard/exports", exports_page.exports, "Exports", *COHORT),
    get("/dashboard/exports/{job_id}", exports_page.job, "An export job", *COHORT),
    get("/dashboard/exports/{job_id}/file", exports_page.download, "An export's file", *COHORT),
    post("/dashboard/exports/{job_id}/cancel", exports_page.cancel, "Cancel an export", *COHORT),
    post("/dashboard/exports/{job_id}/repeat", exports_page.repeat, "Ask again", *COHORT),
    get("/dashboard/settings", settings_app.show, "Settings of the app", "settings"),
    post("/dashboard/settings", settings_app.save, "Save the app's settings", "settings"),
    get("/dashboard/settings/domains", settings_domains.domains, "Link domains", "settings"),
    post("/dashboard/settings/domains", settings_domains.add, "Add a domain", "settings"),
    get("/dashboard/settings/domains/check", settings_domains.check, "Check a domain", "settings"),
    post("/dashboard/settings/domains/remove", settings_domains.remove, "Remove a domain", "settings"),
    get("/dashboard/settings/sdk", settings_sdk.sdk, "SDK set-up", "settings"),
    get("/dashboard/settings/money", settings_money.money, "Rates and costs", "settings"),
    post("/dashboard/settings/money/rates", settings_money.add_rates, "Upload rates", "settings", body_limit=MAX_BYTES),
    post("/dashboard/settings/money/costs", settings_money.add_costs, "Upload costs", "settings", body_limit=MAX_BYTES),
    team_get("/dashboard/settings/team", settings_team.team, "People and agencies"),
    team_post("/dashboard/settings/team/users", settings_team.save_user, "Add or change a user"),
    team_post("/dashboard/settings/team/agencies", settings_team.save_agency, "Add or remove an agency"),
    team_get("/dashboard/settings/tokens", settings_team.list_tokens, "Tokens"),
    team_post("/dashboard/settings/tokens", settings_team.change_tokens, "Make or revoke a token"),
    team_get("/dashboard/settings/audit", settings_team.audit_log, "The audit log"),
    get("/dashboard/settings/health", settings_health.health, "Health", "settings"),
    get("/dashboard/settings/health/doctor", settings_health.doctor, "What doctor says", "settings"),
    get("/dashboard/{rest:path}", page_context.missing, "No page"),
)
