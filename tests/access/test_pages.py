"""Who may open what in a browser: every page of the table × every kind of user who has signed in → the status.

As in test_matrix.py the expectations are written down a second time: a page without a row fails, and so does one whose
row and behaviour differ.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from bough.dashboard.page_context import NAVIGATION, SECTIONS
from bough.server.route_table import TABLE
from bough.vocabulary.permissions import PERMISSIONS
from tests.access.people import agency, member
from tests.access.sessions import Visitor
from tests.access.test_matrix import UNKNOWN, routes_of
from tests.apps import other_organization, store_of
from tests.conftest import Api


class Page(NamedTuple):
    """What a page takes, and how it answers."""

    needs: tuple[str, ...] = ()
    level: str = "app"
    granted: int = 200
    refused: int = 403
    filtered: int | None = None
    """For an agency's member whose data filters hide the thing of the address; None: as for anybody."""
    stranger: int | None = None
    """For another tenant's owner; None: as for anybody."""
    query: Mapping[str, str] = {}
    form: Mapping[str, str] = {}


COHORT = ("aggregate_data", "export")
SETTINGS = Page(("settings",))
SENT = SETTINGS._replace(granted=400)
TEAM = Page(("team",), "organization")
GONE = 404
LINK = Page(filtered=GONE, stranger=GONE)
EDIT = LINK._replace(needs=("links",))
EXPORT_JOB = Page(COHORT, filtered=GONE, stranger=GONE)
SIMULATOR = Page(("sensitive_data",))
UNKNOWN_STORY = Page(("sensitive_data",), granted=GONE)
OWN = Page()
WRONG = Page(granted=400)

PAGES: dict[tuple[str, str], Page] = {
    ("GET", "/signin/account"): OWN,
    ("POST", "/signin/account/password"): WRONG,
    ("GET", "/signin/account/totp"): OWN,
    ("POST", "/signin/account/totp"): WRONG,
    ("POST", "/signin/account/totp/off"): WRONG,
    ("POST", "/signin/account/everywhere"): Page(granted=303),
    ("GET", "/dashboard"): Page(("aggregate_data",), refused=303),
    ("GET", "/dashboard/feed"): Page(("sensitive_data",), filtered=403),
    ("POST", "/dashboard/theme"): Page(granted=303, form={"theme": "dark"}),
    ("GET", "/dashboard/links"): OWN,
    ("POST", "/dashboard/links/act"): Page(("links",), granted=400),
    ("GET", "/dashboard/links/new"): Page(("links",)),
    ("POST", "/dashboard/links/new"): Page(("links",), granted=400, form={"alias": "no such/ alias"}),
    ("POST", "/dashboard/links/preview"): Page(),
    ("GET", "/dashboard/picture"): WRONG,
    ("GET", "/dashboard/links/{id}"): LINK,
    ("GET", "/dashboard/links/{id}/edit"): EDIT,
    ("POST", "/dashboard/links/{id}/edit"): EDIT._replace(granted=303),
    ("GET", "/dashboard/links/{id}/qr"): LINK,
    ("POST", "/dashboard/links/{id}/qr"): EDIT._replace(granted=303),
    ("GET", "/dashboard/links/{id}/qr-picture"): LINK,
    ("GET", "/dashboard/cohorts"): Page(COHORT),
    ("GET", "/dashboard/cohorts/answer"): Page(COHORT),
    ("GET", "/dashboard/cohorts/cell"): Page(
        (*COHORT, "sensitive_data"), filtered=GONE, stranger=GONE, query={"job_id": "{job}", "measure": "OPEN"}
    ),
    ("GET", "/dashboard/cohorts/job/{job_id}"): EXPORT_JOB,
    ("POST", "/dashboard/cohorts/job/{job_id}/cancel"): EXPORT_JOB,
    ("GET", "/dashboard/cohorts/reports"): Page(COHORT),
    ("POST", "/dashboard/cohorts/reports"): Page(COHORT, granted=400),
    ("POST", "/dashboard/cohorts/reports/{report_id}/delete"): Page(COHORT, granted=GONE),
    ("GET", "/dashboard/installs"): Page(("sensitive_data",)),
    ("GET", "/dashboard/installs/person/{person_id}"): UNKNOWN_STORY,
    ("GET", "/dashboard/installs/event/{event_id}"): UNKNOWN_STORY,
    ("GET", "/dashboard/installs/click/{id}"): UNKNOWN_STORY,
    ("GET", "/dashboard/installs/simulator"): SIMULATOR,
    ("POST", "/dashboard/installs/simulator"): SIMULATOR,
    ("GET", "/dashboard/exports"): Page(COHORT),
    ("GET", "/dashboard/exports/{job_id}"): EXPORT_JOB,
    ("GET", "/dashboard/exports/{job_id}/file"): EXPORT_JOB,
    ("POST", "/dashboard/exports/{job_id}/cancel"): EXPORT_JOB._replace(granted=303),
    ("POST", "/dashboard/exports/{job_id}/repeat"): EXPORT_JOB._replace(granted=303),
    ("GET", "/dashboard/settings"): SETTINGS,
    ("POST", "/dashboard/settings"): SENT._replace(form={"timezone": "Nowhere/None"}),
    ("GET", "/dashboard/settings/domains"): SETTINGS,
    ("POST", "/dashboard/settings/domains"): SENT,
    ("GET", "/dashboard/settings/domains/check"): SETTINGS._replace(granted=GONE),
    ("POST", "/dashboard/settings/domains/remove"): SETTINGS._replace(granted=GONE),
    ("GET", "/dashboard/settings/sdk"): SETTINGS,
    ("GET", "/dashboard/settings/money"): SETTINGS,
    ("POST", "/dashboard/settings/money/rates"): SENT,
    ("POST", "/dashboard/settings/money/costs"): SENT,
    ("GET", "/dashboard/settings/team"): TEAM,
    ("POST", "/dashboard/settings/team/users"): TEAM._replace(granted=400),
    ("POST", "/dashboard/settings/team/agencies"): TEAM._replace(granted=400),
    ("GET", "/dashboard/settings/tokens"): TEAM,
    ("POST", "/dashboard/settings/tokens"): TEAM._replace(granted=400),
    ("GET", "/dashboard/settings/audit"): TEAM,
    ("GET", "/dashboard/settings/health"): SETTINGS,
    ("GET", "/dashboard/settings/health/doctor"): SETTINGS,
    ("GET", "/dashboard/{rest:path}"): Page(granted=GONE),
}
"""Every route of those who have signed in."""


class Who(NamedTuple):
    """A kind of user."""

    user: str
    permissions: frozenset[str]
    level: str


class World(NamedTuple):
    """The callers and what they reach for."""

    api: Api
    store: Any
    callers: dict[str, Who]
    things: dict[str, str]


def user_of(api: Api) -> Who:
    """The owner of a token."""
    you = api.manage("GET", "/api/permissions").json()["you"]
    return Who(you["user_id"], frozenset(you["permissions"]), you["level"])


@pytest.fixture(scope="module")
def world(server: Any) -> Iterator[World]:
    """All kinds of users, another tenant, a link of another agency and a job over everything."""
    api = Api(server)
    company = agency(api, tag="acme")["agency_id"]
    most = [name for name in PERMISSIONS if name not in ("settings", "team")]
    made = {
        f"without {name}": member(api, level="organization", permissions=[one for one in PERMISSIONS if one != name])
        for name in PERMISSIONS
    }
    made["app level"] = member(api, level="app", permissions=list(PERMISSIONS))
    made["agency member"] = member(api, agency_id=company)
    made["agency member with filters"] = member(api, agency_id=company, agency_data_only=True, permissions=most)
    callers = {name: Who(one.id, frozenset(one.user["permissions"]), one.user["level"]) for name, one in made.items()}
    callers["another tenant"] = user_of(other_organization(api))
    callers["owner"] = user_of(api)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    export = {
        "start_date": today,
        "end_date": today,
        "data_source": "install_cohort",
        "measures": ["OPEN"],
        "granularity_band_count": 1,
    }
    asked = api.manage(
        "POST",
        "/v2/analytics",
        params={"app_id": api.card["app_id"], "format": "json"},
        json=export,
        headers={"Prefer": "wait=60"},
    )
    assert asked.headers["preference-applied"] == "wait", asked.text
    things = {
        "id": api.link_id(api.created(data={"~agency_id": "other"})),
        "job": asked.headers["bough-job-id"],
        "job_id": asked.headers["bough-job-id"],
        "event_id": UNKNOWN,
        "person_id": UNKNOWN,
        "report_id": UNKNOWN,
        "app": api.card["app_id"],
    }
    store = store_of(server)
    yield World(api, store, callers, things)
    store.close()
    api.http.close()


def status(world: World, method: str, path: str, row: Page, who: Who) -> int:
    """What a user is answered; each time in a session of its own, since some pages end it."""
    address = path.replace("{rest:path}", "nonsense")
    for name, value in world.things.items():
        address = address.replace(f"{{{name}}}", UNKNOWN if path.startswith("/dashboard/installs") else value)
    query = {name: value.format(**world.things) for name, value in row.query.items()}
    visitor = Visitor(world.api, world.store, who.user)
    return visitor.ask(method, address, params=query, data=dict(row.form)).status_code


def test_every_page_has_a_row() -> None:
    assert set(routes_of("page")) == set(PAGES)


def test_the_table_and_the_routes_name_the_same_permissions() -> None:
    """Some pages ask for more than their route, inside; none asks for less."""
    for route in TABLE.routes:
        if route.access == "page":
            row = PAGES[route.method, route.path]
            assert set(route.needs) <= set(row.needs), route.path
            assert row.level == route.level or route.level == "app", route.path


@pytest.mark.parametrize("key", PAGES, ids=" ".join)
def test_users_who_have_signed_in(world: World, key: tuple[str, str]) -> None:
    method, path = key
    row = PAGES[key]
    found: dict[str, int] = {}
    expected: dict[str, int] = {}
    for name, who in world.callers.items():
        found[name] = status(world, method, path, row, who)
        allowed = who.permissions.issuperset(row.needs) and (row.level == "app" or who.level == "organization")
        seen = {"agency member with filters": row.filtered, "another tenant": row.stranger}.get(name)
        expected[name] = (row.granted if seen is None else seen) if allowed else row.refused
    assert found == expected


def test_the_menu_holds_what_one_may_open_and_nothing_else(world: World) -> None:
    every = {f"/dashboard/{one.path}".rstrip("/") for one in (*NAVIGATION, *SECTIONS)}
    for name, who in world.callers.items():
        visitor = Visitor(world.api, world.store, who.user)
        page = visitor.ask("GET", "/dashboard/links").text
        menus = "".join(re.findall(r'<nav class="(?:menu|main)".*?</nav>', page, re.DOTALL))
        offered = set(re.findall(r'href="([^"?]*)', menus)) & every
        assert "/dashboard/links" in offered
        for address in offered:
            assert visitor.ask("GET", address).status_code == 200, (name, address)
        settings = [one for one in offered if one.startswith("/dashboard/settings")]
        assert bool(settings) == bool({"settings", "team"} & who.permissions), name
        if settings:
            sub = re.search(r'<nav class="subnav".*?</nav>', visitor.ask("GET", settings[0]).text, re.DOTALL)
            assert sub is not None
            for address in re.findall(r'href="([^"?]*)', sub[0]):
                assert visitor.ask("GET", address).status_code == 200, (name, address)


def test_who_may_not_see_the_overview_is_led_to_what_they_may(world: World) -> None:
    visitor = Visitor(world.api, world.store, world.callers["without aggregate_data"].user)
    answer = visitor.ask("GET", "/dashboard")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/links")


def test_sections_and_menu_ask_for_what_their_routes_do() -> None:
    routes = {route.path: route for route in TABLE.routes if route.method == "GET" and route.access == "page"}
    for section in SECTIONS:
        route = routes[f"/dashboard/{section.path}"]
        assert (section.needs, section.level) == (route.needs, route.level)
    for entry in NAVIGATION[1:-1]:
        assert entry.needs == routes[f"/dashboard/{entry.path}"].needs
