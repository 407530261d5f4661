"""A worker that commits every item by itself, to show what group commit is worth: ``python -m bench.one_by_one PORT``.

The very same writer with batches of one; nothing a product setting could do by mistake.
"""

from __future__ import annotations

import sys
from functools import partial

from bough.processes import worker
from bough.processes.supervisor import bind
from bough.settings import load_settings
from bough.store import database
from bough.store.writer import Writer

if __name__ == "__main__":
    setattr(database, "Writer", partial(Writer, max_batch=1))  # noqa: B010 - a name of the module, not of its API
    worker.main(load_settings(), bind("127.0.0.1", int(sys.argv[1])))
