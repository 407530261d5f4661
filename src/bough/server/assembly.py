"""The parts that slices share between the requests of one process, put together."""

from __future__ import annotations

from bough.accounts.context import Context
from bough.attribution.live.opens import Opens
from bough.clicks.link_cache import LinkCache
from bough.exports.downloads import open_downloads
from bough.settings import Settings
from bough.signin.passwords import Hashing
from bough.store import Store


def assemble(settings: Settings, store: Store) -> Context:
    """The context of a process that answers requests."""
    context = Context(settings, store)
    links, opens, hashing = LinkCache(settings.link_cache), Opens(context.directory), Hashing()
    for part in (links, opens, hashing, open_downloads(settings, store)):
        context.add(part)
    context.on_link_change.append(links.forget)
    context.on_app_change.append(lambda changed: links.clear() if changed else None)  # plans made for it may not hold
    context.on_app_change.append(lambda _changed: opens.forget())
    context.on_close.append(hashing.close)
    return context
