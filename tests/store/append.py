"""A process that appends to the journal, many rows per commit: ``python -m tests.store.append FOLDER ADDRESS NAME``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bough.store import open_store
from bough.store.journal import NewRow, append_batch
from bough.vocabulary.ids import now_ms

ROUNDS = 40
ROWS = 25


async def main(folder: Path, address: str, name: str) -> None:
    """Append ROUNDS times ROWS rows; prints the ids."""
    store = open_store(folder, address)
    for _ in range(ROUNDS):
        rows = [NewRow(now_ms(), 1, 0, "click", None, f'{{"by":"{name}"}}') for _ in range(ROWS)]
        ids = await asyncio.gather(*(store.write(append_batch, row) for row in rows))
        print(*ids, flush=True)
    store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
