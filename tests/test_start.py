"""Starting is quick: what takes long to load is loaded where it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = ("duckdb", "numpy", "obstore", "psycopg", "pytest")


@pytest.mark.parametrize("module", ["bough.commands.demo", "bough.commands.serve", "bough.processes.worker"])
def test_no_process_loads_a_database_engine_that_it_does_not_open(module: str) -> None:
    code = f"import sys, {module}; print(*[name for name in {SLOW} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
