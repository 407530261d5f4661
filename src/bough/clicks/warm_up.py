"""After a start, links are read into memory beside all else: their first click is then as quick as a later one.

Those of the newest journal rows come first, the latest of them first of all, then all others, newest first, as long as
there is room (`bough.clicks.link_cache`). A few are read at a time, and the more the process has to do, the longer it
rests between. When a change of an app makes all links be forgotten, they are read again.
"""

from __future__ import annotations

import asyncio

from bough.accounts.context import Context
from bough.clicks.link_cache import LinkCache, keep, read_links
from bough.condition import Part
from bough.links.codec import SELECTED
from bough.links.model import Link
from bough.links.queries import BY_IDS
from bough.store.select_in import in_list

LINKS_AT_ONCE = 32
"""Reading them takes as long as a few clicks."""

ROWS_LOOKED_AT = 200_000
"""Newest journal rows whose links come first: read in a few seconds."""

AGAIN_SECONDS = 5.0
"""How often it is looked whether all was forgotten, and how soon it is tried again when the store cannot be read."""

END = (1 << 63) - 1
LATEST_ROWS = "SELECT id, link FROM journal WHERE id < ? ORDER BY id DESC LIMIT ?"
NEWEST_LINKS = f"SELECT {SELECTED} FROM link WHERE id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608 - columns of our own


async def keep_read_in(context: Context, part: Part | None = None) -> None:
    """Read links into memory, and again when they were forgotten; ends with its task. `part`: how that goes."""
    part = part or Part("links in memory")
    while True:
        cleared = context.part(LinkCache).cleared
        try:
            await _read_latest(context)
            await _read_newest(context)
            part.state = None
            while context.part(LinkCache).cleared == cleared:
                await asyncio.sleep(AGAIN_SECONDS)
        except Exception as error:  # noqa: BLE001 - clicks go on without it, so it must not end for what may pass
            part.failed(error)
            await asyncio.sleep(AGAIN_SECONDS)


async def _read_latest(context: Context) -> None:
    before, looked_at = END, 0
    known: set[int] = set()
    while looked_at < ROWS_LOOKED_AT and context.part(LinkCache).has_room:
        began = asyncio.get_running_loop().time()
        rows = await context.store.fetch(LATEST_ROWS, (before, LINKS_AT_ONCE))
        if not rows:
            return
        before = rows[-1][0]
        looked_at += len(rows)
        wanted = {link for _, link in rows if link} - known
        if wanted:
            known |= wanted
            _keep(context, await read_links(context, *in_list(BY_IDS, sorted(wanted))))
        await _rest(began)


async def _read_newest(context: Context) -> None:
    before = END
    while context.part(LinkCache).has_room:
        began = asyncio.get_running_loop().time()
        links = await read_links(context, NEWEST_LINKS, (before, LINKS_AT_ONCE))
        if not links:
            return
        before = links[-1].id
        _keep(context, links)
        await _rest(began)


def _keep(context: Context, links: list[Link]) -> None:
    for link in links:
        if context.part(LinkCache).has_room and context.part(LinkCache).get(link.domain, link.path) is None:
            keep(context, link)


async def _rest(began: float) -> None:
    """As long as the reading took, and what had come meanwhile: the busier the process, the longer."""
    await asyncio.sleep(0)
    await asyncio.sleep(asyncio.get_running_loop().time() - began)
