"""`bough serve` with a worker that commits every item by itself: ``python -m bench.one_by_one PORT``.

It shows what group commit is worth: the very same server, with all that consumes the journal, and the very same writer
with batches of one; nothing a product setting could do by mistake.
"""

from __future__ import annotations

import sys
from functools import partial

from bough.server.processes.supervisor import START_METHOD, bind, supervise
from bough.settings import load_settings
from bough.store import database
from bough.store.writer import Writer

if __name__ == "__main__":
    if START_METHOD != "fork":
        raise SystemExit("Only a forked worker has the writer that is set here.")
    setattr(database, "Writer", partial(Writer, max_batch=1))  # noqa: B010 - a name of the module, not of its API
    supervise(bind("127.0.0.1", int(sys.argv[1])), 1, load_settings())
