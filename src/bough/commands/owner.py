"""Who does the warehouse's work for a command: the server when one runs, else the command itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bough.attribution.stored.consumer import StoredFollower
from bough.exports import wake_up
from bough.store import Store
from bough.warehouse.opening import WarehouseBusy
from bough.warehouse.refresh import Keeper

WAIT_SECONDS = 0.02
ROWS_AT_ONCE = 2000


def until(folder: Path, store: Store, done: Callable[[], bool], work: Callable[[Keeper], None]) -> None:
    """Return when `done()`: a running server is rung and waited for; without one, `work` is given the warehouse."""
    while not done():
        if wake_up.ring(folder):
            time.sleep(WAIT_SECONDS)
            continue
        try:
            keeper = Keeper(folder, store)
        except WarehouseBusy:  # a server that is just starting, or another command
            time.sleep(WAIT_SECONDS)
            continue
        try:
            work(keeper)
        finally:
            keeper.close()


def attribute(store: Store) -> None:
    """Attribute what has arrived, as the server's background process does: without it nothing newer can be answered."""
    follower = StoredFollower(store)
    while follower.step(ROWS_AT_ONCE):
        pass
