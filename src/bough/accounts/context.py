"""What every request of one process shares, and how it hears of changes made by others."""

from __future__ import annotations

from collections.abc import Sequence

from bough.accounts.directory import Directory
from bough.attribution.live.opens import Opens
from bough.clicks.link_cache import Entry, LinkCache, entry_of
from bough.exports.files import open_files
from bough.exports.signing import open_signer
from bough.links.address import locate, plain_host
from bough.links.codec import from_row
from bough.links.model import Link
from bough.settings import Settings
from bough.signin.passwords import Hashing
from bough.store import Store
from bough.store.changes import AFTER, NEWEST
from bough.store.transaction import Value
from bough.web.limits import Limits
from bough.web.visitor import Visitors


class Context:
    """The process's view of the store. `refresh` is called for each request and costs one memory read."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.seen: int = store.rows(NEWEST)[0][0] or 0
        self.directory = Directory(store)
        self.links = LinkCache(settings.link_cache)
        self.opens = Opens(self.directory)
        self.signer = open_signer(store)
        self.export_files = open_files(settings)
        self.visitors = Visitors(settings)
        self.hashing = Hashing()
        self.limits = Limits(settings.folder, enabled=settings.rate_limits == "on")

    def known_host(self, host: str) -> str:
        """A Host header in lower case, or the server's own host when no app has links there."""
        host = plain_host(self.directory, host.lower())
        if self.directory.knows_host(host) or self.directory.knows_host(locate(self.directory, host, "").domain):
            return host
        return self.own_host

    @property
    def own_host(self) -> str:
        """The server's own host, with its port if it has one."""
        return self.settings.base_url.partition("://")[2].rstrip("/").lower()

    async def read_links(self, sql: str, params: Sequence[Value]) -> list[Link]:
        """Links as they are when it returns: what is read may be kept until it changes."""
        while True:
            seen = self.seen
            rows = await self.store.fetch(sql, params)
            self.refresh()
            if seen == self.seen:  # nothing changed while we read
                return [from_row(row) for row in rows]

    def keep(self, link: Link) -> Entry:
        """Keep a stored link in memory until it changes."""
        entry = entry_of(link, self.directory.apps[link.app])
        self.links.put(entry)
        return entry

    def refresh(self) -> None:
        """Forget what was changed since the last request."""
        if self.store.version.read() > self.seen:
            self.catch_up()

    def poll(self) -> None:
        """`refresh` from the table itself: finds changes of other hosts, and of a writer killed before it told."""
        if (self.store.rows(NEWEST)[0][0] or 0) > self.seen:
            self.catch_up()

    def catch_up(self) -> None:
        """Read the changes after the last known one and drop what they touched. All is seen, or it is tried again."""
        reload = False
        seen = self.seen
        for number, subject, domain, path in self.store.rows(AFTER, (seen,)):
            seen = number
            if subject == "link":
                self.links.forget(domain, path)
            else:
                reload = True
        if reload:
            before = self.directory.apps
            self.directory.load()
            if any(self.directory.apps.get(one) is not app for one, app in before.items()):
                self.links.clear()  # what was decided for them may no longer hold
            self.opens.forget()
        self.seen = seen

    def close(self) -> None:
        """Let go of the store and the shared memory."""
        self.limits.close()
        self.hashing.close()
        self.store.close()
