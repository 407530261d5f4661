"""A process that writes rows one after another and prints each one that was acknowledged.

Run as ``python -m tests.store.write_until MODE FOLDER WAY``, where the mode is

* ``file-limit``: the system refuses to let files grow beyond 1 MB; after the first refusal the limit is taken away, and
  ten more writes are tried;
* ``full-disk``: the disk fills up; after the first refusal the file ``ballast`` beside the folder is removed, and ten
  more writes are tried;
* ``thin-disk``: the disk takes writes that it cannot keep; after the first refusal ten more writes are tried;

and the way ``thread`` or ``at-once``: who commits (`bough.store.writer`).
"""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from bough.errors import Unavailable
from bough.store import Store, open_store, sqlite
from tests.store.batches import put_batch

MEGABYTE = 1024 * 1024
ROW = "x" * 10_000


async def write(store: Store, name: str, way: str) -> None:
    """Write one row; raises Unavailable."""
    if way == "thread":
        store.transact(put_batch, name)
        return
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    store.submit(put_batch, name, answer.set_result, light=True)
    if isinstance(result := await answer, Unavailable):
        raise result


async def main(mode: str, folder: Path, way: str) -> None:
    """Print `stored NAME` or `refused MESSAGE` for each write."""
    setattr(sqlite, "QUICK_SYNC", 10.0)  # noqa: B010 - the disk of a test may be slow
    store = open_store(folder)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    if mode == "file-limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, most))
    number = 0
    after_refusal = 0
    while after_refusal < 10:
        number += 1
        try:
            await write(store, f"{number:06}{ROW}", way)
        except Unavailable as error:
            print(f"refused {error.message}", flush=True)
            if not after_refusal:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
                (folder.parent / "ballast").unlink(missing_ok=True)
            after_refusal += 1
        else:
            print(f"stored {number:06}", flush=True)
            after_refusal += after_refusal > 0
        assert number < 10_000


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
