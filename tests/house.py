"""Rules of the house that no linter knows: names that nothing uses, and words that one thing no longer bears.

`python -m tests.house` prints each breach and ends with status 1 when there is one; `scripts/check` calls it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEAD = re.compile(r"^(src/\S+): unused (function|class|variable) '(\w+)'")
FIELDS_OF_OTHERS = frozenset({"create_application"})
"""Called by name from elsewhere: uvicorn's factory."""

WORDS = (
    ("the short way", "the fast path"),
    ("the whole way", "the slow path"),
    ("told again", "replayed"),
    ("taken in by", "ingested by"),
    ("who asks for this", "the caller"),
    ("found an app", "create an app"),
)
"""What is not written, and what is written in its place."""

CITED = re.compile(r"contract/|design\.md|\bissue \d+\b")
"""Papers that the repository does not hold."""


def dead_names() -> Iterator[str]:
    """Functions, classes and constants of src/ that neither it nor the tests nor the benches use."""
    command = [sys.executable, "-m", "vulture", "src", "tests", "bench", "--min-confidence", "60"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    for line in told.splitlines():
        found = DEAD.match(line)
        if found is None or found[3] in FIELDS_OF_OTHERS:
            continue
        # Fields of a Struct are read by their wire names; a variable is dead only when it is a constant.
        if not found[3].startswith("__") and (found[2] != "variable" or found[3].isupper()):
            yield f"{found[1]}: nothing uses {found[3]}; delete it."


def words() -> Iterator[str]:
    """Lines that use another word than the glossary's, or cite what is not here."""
    for file in sorted((*ROOT.glob("src/**/*.py"), *ROOT.glob("docs/**/*.md"), ROOT / "README.md")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            where = f"{file.relative_to(ROOT)}:{number}"
            for wrong, right in WORDS:
                if wrong in line.lower():
                    yield f"{where}: write {right!r}, not {wrong!r}."
            if file.suffix == ".py" and CITED.search(line):
                yield f"{where}: cites what the repository does not hold; link a page of docs/."


def main() -> int:
    """Print every breach."""
    found = [*dead_names(), *words()]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
