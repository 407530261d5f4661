"""What every request of one process shares, and how it hears of changes made by others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bough.accounts.directory import Directory
from bough.settings import Settings
from bough.store import Store
from bough.store.changes import AFTER, NEWEST
from bough.web.limits import Limits
from bough.web.visitor import Visitors

Part = TypeVar("Part")


class Context:
    """The process's view of the store. `refresh` is called for each request and costs one memory read.

    A slice that keeps something between requests (a cache of links, an index of openings) puts it here when the server
    is assembled (`bough.server.assembly`), and asks for it by its type.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.seen: int = store.rows(NEWEST)[0][0] or 0
        self.directory = Directory(store)
        self.visitors = Visitors(settings)
        self.limits = Limits(settings.folder, enabled=settings.rate_limits == "on")
        self.on_link_change: list[Callable[[str, str], None]] = []
        """Called with domain and path of a link that has changed."""
        self.on_app_change: list[Callable[[bool], None]] = []
        """Called after the directory was read again, with whether an app that was known is another now."""
        self.on_close: list[Callable[[], None]] = []
        self._parts: dict[type[Any], Any] = {}

    def add(self, part: object) -> None:
        """Share a part; there is one of each type."""
        self._parts[type(part)] = part

    def part(self, kind: type[Part]) -> Part:
        """The process's one part of this type. Raises KeyError when the server was assembled without it."""
        found: Part = self._parts[kind]
        return found

    @property
    def own_host(self) -> str:
        """The server's own host, with its port if it has one."""
        return self.settings.base_url.partition("://")[2].rstrip("/").lower()

    def refresh(self) -> None:
        """Forget what was changed since the last request."""
        if self.store.version.read() > self.seen:
            self.catch_up()

    def poll(self) -> None:
        """`refresh` from the table itself: finds changes of other hosts, and of a writer killed before it said so."""
        if (self.store.rows(NEWEST)[0][0] or 0) > self.seen:
            self.catch_up()

    def catch_up(self) -> None:
        """Read the changes after the last known one and drop what they touched. All is seen, or it is tried again."""
        reload = False
        seen = self.seen
        for number, subject, domain, path in self.store.rows(AFTER, (seen,)):
            seen = number
            if subject == "link":
                for forget in self.on_link_change:
                    forget(domain, path)
            else:
                reload = True
        if reload:
            before = self.directory.apps
            self.directory.load()
            changed = any(self.directory.apps.get(known) is not app for known, app in before.items())
            for forget_apps in self.on_app_change:
                forget_apps(changed)
        self.seen = seen

    def close(self) -> None:
        """Let go of the store and the shared memory."""
        self.limits.close()
        for close in self.on_close:
            close()
        self.store.close()
