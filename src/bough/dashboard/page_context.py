"""Where a visitor of the dashboard is: who, which app and environment, which page; and how a view becomes an answer.

An app is named by `?app=`, its test environment by `?env=test`; without them it is the organization's first app, live.
So every state has an address, and `Here.url` keeps app and environment while leading elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from bough.accounts.call import Call
from bough.accounts.model import App, User
from bough.attribution.stored.tables import data_as_of
from bough.dashboard.rendering import html, render
from bough.dashboard.tables import Form, PageTable, twin, wanted_form
from bough.errors import SERVER_FAULT, BoughError, Forbidden, NotFound
from bough.vocabulary.ids import now_ms
from bough.vocabulary.permissions import Level, Permission
from bough.web.errors import error_response, log, status_of

THEMES = ("auto", "light", "dark")


class NavigationEntry(NamedTuple):
    """A page of the navigation, for users with the permissions that it needs."""

    name: str
    path: str
    label: str
    icon: str
    needs: tuple[Permission, ...] = ()


class Section(NamedTuple):
    """A page of the settings; what it needs is what its route does."""

    name: str
    label: str
    path: str
    needs: tuple[Permission, ...]
    level: Level = "app"


SECTIONS = (
    Section("app", "App", "settings", ("settings",)),
    Section("domains", "Domains", "settings/domains", ("settings",)),
    Section("sdk", "SDK set-up", "settings/sdk", ("settings",)),
    Section("money", "Rates and costs", "settings/money", ("settings",)),
    Section("team", "Team", "settings/team", ("team",), "organization"),
    Section("tokens", "Tokens", "settings/tokens", ("team",), "organization"),
    Section("audit", "Audit", "settings/audit", ("team",), "organization"),
    Section("health", "Health", "settings/health", ("settings",)),
)
NAVIGATION = (
    NavigationEntry("overview", "", "Overview", "M3 12h4l3-8 4 16 3-8h4", ("aggregate_data",)),
    NavigationEntry("links", "links", "Links", "M9 15l6-6M8 11l-2 2a4 4 0 006 6l2-2M16 13l2-2a4 4 0 00-6-6l-2 2"),
    NavigationEntry("cohorts", "cohorts", "Cohorts", "M4 5h16M4 10h12M4 15h8M4 20h4", ("aggregate_data", "export")),
    NavigationEntry("installs", "installs", "Installs", "M12 3v12m0 0l-5-5m5 5l5-5M4 20h16", ("sensitive_data",)),
    NavigationEntry(
        "exports", "exports", "Exports", "M14 3H6v18h12V7zM14 3v4h4M9 13h6M9 17h6", ("aggregate_data", "export")
    ),
    NavigationEntry(
        "settings",
        "settings",
        "Settings",
        "M4 7h10M18 7h2M4 17h2M10 17h10M16 5a2 2 0 100 4 2 2 0 000-4M8 15a2 2 0 100 4",
    ),
)


class Here:
    """One request of a page."""

    def __init__(self, call: Call, page: str, form: Form | None = None) -> None:
        """`form`: how it is answered; None: as the call says.

        Raises what `Call.user` raises, and NotFound for an app that is not the user's.
        """
        self.call = call
        self.page = page
        self.user: User = call.user()
        self.apps: list[App] = sorted(call.context.directory.apps_of(self.user).values(), key=lambda app: app.id)
        asked = call.query("app")
        self._chosen = next((one for one in self.apps if asked in (None, "", str(one.id))), None)
        if self._chosen is None and asked:
            raise NotFound("There is no such app in your organization.")
        self.test = call.query("env") == "test"
        self._query: dict[str, Any] = {}
        for name, value in call.request.query_params.multi_items():
            self._query.setdefault(name, []).append(value)
        self.form: Form = form or wanted_form(call)

    def at(self, app: App, test: bool) -> Here:
        """This request for another app and environment: a thing's own page is of the thing's app."""
        there = Here(self.call, self.page)
        there._chosen, there.test = app, test
        return there

    @property
    def app(self) -> App:
        """The chosen app. Raises NotFound when the organization has none."""
        if self._chosen is None:
            raise NotFound("There is no app yet. Create one with `bough apps create NAME`.")
        return self._chosen

    @property
    def has_app(self) -> bool:
        """Whether there is an app at all."""
        return self._chosen is not None

    @property
    def zone(self) -> str:
        """The time zone in which the page's times are written."""
        return self._chosen.timezone if self._chosen is not None else "UTC"

    @property
    def csrf(self) -> str:
        """The token that forms must carry."""
        return self.call.session.csrf if self.call.session is not None else ""

    @property
    def limited(self) -> bool:
        """Whether data filters hide a part of the data from the user: sums over all of it are then not theirs."""
        return bool(self.user.filters)

    @property
    def theme(self) -> str:
        """auto, light or dark."""
        chosen = self.call.request.cookies.get("bough_theme", "auto")
        return chosen if chosen in THEMES else "auto"

    @property
    def partial(self) -> bool:
        """Whether htmx asked for a part of the page."""
        return self.call.header("hx-request") == "true"

    @property
    def navigation(self) -> list[NavigationEntry]:
        """The pages that the user may open; Settings leads to the first section that is the user's."""
        found = [entry for entry in NAVIGATION if entry.name != "settings" and all(map(self.may, entry.needs))]
        sections = self.sections
        if sections:
            found.append(NAVIGATION[-1]._replace(path=sections[0].path))
        return found

    @property
    def sections(self) -> list[Section]:
        """The pages of the settings that the user may open."""
        return [
            section
            for section in SECTIONS
            if all(map(self.may, section.needs)) and section.level in ("app", self.user.level)
        ]

    def may(self, permission: str) -> bool:
        """Whether the user has a permission."""
        return permission in self.user.permissions

    def need(self, *permissions: str) -> None:
        """Raises Forbidden when the user lacks one of them."""
        for permission in permissions:
            if not self.may(permission):
                raise Forbidden(f"You need the permission {permission.replace('_', ' ')} for this; ask your owner.")

    def url(self, path: str = "", **query: Any) -> str:
        """The address of a page for the same app and environment; None and empty values are left out."""
        values: dict[str, Any] = {}
        if self.has_app and len(self.apps) > 1:
            values["app"] = str(self.app.id)
        if self.test:
            values["env"] = "test"
        return address(f"/dashboard/{path}" if path else "/dashboard", values | query)

    def same(self, **query: Any) -> str:
        """This page's own address with some parameters changed; None takes one away."""
        return address(self.call.request.scope["path"], self._query | query)

    def twin_url(self, form: Form, table: str = "") -> str:
        """The address of a table as CSV or JSON."""
        return self.same(format=form, table=table or None)

    def as_of(self) -> int:
        """Epoch ms up to which everything that has arrived is attributed."""
        return data_as_of(self.call.context.store)

    def answer(self, template: str, tables: Sequence[PageTable] = (), status: int = 200, **values: Any) -> Response:
        """The page, or one of its tables as CSV or JSON when that is what was asked for."""
        if self.form != "html":
            return twin(self.call, self.form, tables)
        by_name = {table.name: table for table in tables}
        return html(
            render(template, here=self, call=self.call, tables=by_name, now=now_ms(), as_of=self.as_of(), **values),
            status,
        )


def address(path: str, query: dict[str, Any]) -> str:
    """A path with a query; None, empty and missing values are left out."""
    pairs = [
        (name, one)
        for name, value in query.items()
        for one in (value if isinstance(value, list | tuple) else [value])
        if one not in (None, "")
    ]
    return f"{path}?{urlencode(pairs)}" if pairs else path


View = Callable[[Here], Awaitable[Response]]


def page(name: str) -> Callable[[View], Callable[[Call], Awaitable[Response]]]:
    """Make a view of `Here` a handler; what it raises becomes a page with a sentence on what to do next."""

    def decorate(view: View) -> Callable[[Call], Awaitable[Response]]:
        async def handle(call: Call) -> Response:
            here: Here | None = None
            try:
                here = Here(call, name)
                return await view(here)
            except Exception as error:  # noqa: BLE001 - every fault becomes a page; those that are ours are logged
                return failed(call, here, error)

        handle.__doc__ = view.__doc__
        handle.__module__ = view.__module__
        return handle

    return decorate


def failed(call: Call, here: Here | None, error: Exception) -> Response:
    """An error as a page, as a line for htmx, or in the API's shape for programs."""
    if here is None or here.form != "html":
        return error_response(error)
    if isinstance(error, BoughError):
        status, message = status_of(error), error.message
    else:
        log.error("A page failed", exc_info=error)
        status, message = 500, SERVER_FAULT
    if here.partial:
        return html(render("problem.html", message=message), 200, {"HX-Reswap": "innerHTML"})
    return html(
        render("error.html", here=here, call=call, status=status, message=message, now=now_ms(), as_of=here.as_of()),
        status,
    )


@page("")
async def missing(here: Here) -> Response:
    """Any address under /dashboard that is no page."""
    raise NotFound("There is no page at this address. The menu leads to all pages.")
