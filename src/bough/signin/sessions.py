"""Sessions of signed-in users: kept by the server, known to the browser by a random id in a cookie.

Only the id's hash is stored, so that who reads the database cannot sign in with it. The CSRF token of a session is
made from its id, so nothing more needs to be kept, and it ends with the session.
"""

from __future__ import annotations

from typing import NamedTuple

from bough.accounts.directory import Directory
from bough.accounts.keys import fingerprint
from bough.accounts.session import Session, Stage
from bough.signin import queries
from bough.store.database import Store
from bough.store.transaction import Transaction
from bough.vocabulary.ids import new_code, now_ms

ID_LENGTH = 43
"""Base62 characters: 256 bits."""

IDLE_MS = 7 * 86_400_000
LONGEST_MS = 30 * 86_400_000
CODE_MS = 10 * 60_000
"""How long the second step may take."""

SEEN_EVERY_MS = 10 * 60_000
"""How exact `seen_at` is: a write on every request would cost more than it tells."""

MAX_AGENT = 200


class NewSession(NamedTuple):
    """A sign-in that was right."""

    id: str
    user: int
    stage: Stage
    address: str
    agent: str
    replaces: str = ""
    """Id of the session that ends with it: an id never outlives a change of what it may do."""


def new_session_id() -> str:
    """A random id."""
    return new_code(ID_LENGTH)


def lives(stage: str, created_at: int, seen_at: int, now: int) -> bool:
    """Whether a session still holds; all in epoch milliseconds."""
    longest = LONGEST_MS if stage == "full" else CODE_MS
    return now - created_at < longest and now - seen_at < IDLE_MS


async def find_session(store: Store, directory: Directory, session_id: str) -> Session | None:
    """The session of a cookie, when it holds. Asked of the store each time: an ended one is refused at once."""
    if len(session_id) != ID_LENGTH or not session_id.isascii():
        return None
    found = await store.fetch(queries.SESSION, (fingerprint(session_id),))
    if not found:
        return None
    number, stage, created_at, seen_at = found[0]
    user = directory.users.get(number)
    now = now_ms()
    if user is None or not lives(stage, created_at, seen_at, now):
        return None
    if now - seen_at > SEEN_EVERY_MS:
        await store.write(seen_batch, (fingerprint(session_id), now))
    return Session(id=session_id, user=user, stage=stage, created_at=created_at, seen_at=seen_at)


def start_batch(tx: Transaction, items: list[NewSession]) -> list[Exception | None]:
    """Store new sessions; sessions that are over are cleared away on the way."""
    now = now_ms()
    tx.run(queries.END_OLD_SESSIONS, (now - LONGEST_MS, now - IDLE_MS))
    for new in items:
        if new.replaces:
            tx.run(queries.END_SESSION, (fingerprint(new.replaces),))
        agent = "".join(filter(str.isprintable, new.agent))[:MAX_AGENT]
        tx.run(queries.INSERT_SESSION, (fingerprint(new.id), new.user, new.stage, now, now, new.address, agent))
    return [None] * len(items)


def seen_batch(tx: Transaction, items: list[tuple[str, int]]) -> list[Exception | None]:
    """Note (session hash, epoch milliseconds) of use."""
    for session_hash, at in items:
        tx.run(queries.SEEN, (at, session_hash))
    return [None] * len(items)


def end_batch(tx: Transaction, items: list[str]) -> list[Exception | None]:
    """Sign out: end sessions by their hash."""
    for session_hash in items:
        tx.run(queries.END_SESSION, (session_hash,))
    return [None] * len(items)


def end_all_batch(tx: Transaction, items: list[tuple[int, str]]) -> list[int | Exception]:
    """Sign out everywhere: (user, hash of a session that stays, or empty); how many ended."""
    return [tx.run(queries.END_SESSIONS_OF, item) for item in items]
