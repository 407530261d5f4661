"""What the reading of a step's groups changes in the store, compared with what stands there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bough.attribution.replay.read import Attributed
from bough.attribution.rules.persons import NOBODY
from bough.attribution.stored import tables
from bough.attribution.stored.result_row import Stored
from bough.attribution.stored.row_values import SettledFacts
from bough.attribution.stored.tables import AttributionChange, TouchOf, stored_of
from bough.vocabulary.journal_rows import JournalRow


class Results:
    """Notes in a `AttributionChange` what is new or different."""

    def __init__(self, change: AttributionChange, facts: SettledFacts) -> None:
        self._change = change
        self._facts = facts
        self._rows: dict[int, JournalRow] = {}

    def arrived(self, row: JournalRow) -> None:
        """A row of this step, whose result is about to be added."""
        self._rows[row.id] = row

    def add(self, group: int, result: Attributed) -> None:
        """The first result of a row of this step."""
        facts = self._facts.of(self._rows[result.id], result.name)
        if facts.missing_day:
            self._change.missing.append((result.id, facts.missing_day, facts.currency))
        self._change.added.append((group, stored_of(result, facts)))

    def compare(self, group: int, results: Iterable[Attributed], standing: Mapping[int, Stored]) -> None:
        """Rows that were read, some of them again."""
        for result in results:
            before = standing.get(result.id)
            if before is None:
                self.add(group, result)
                continue
            after = stored_of(result, tables.facts_kept(tables.kept_of(before.body)))
            if after != before:
                self._change.changed.append((group, after))

    def compare_touches(self, group: int, brought: Mapping[int, TouchOf], had: Mapping[int, TouchOf]) -> None:
        """Touches that persons have now, and had before."""
        for one in brought.values():
            before = had.get(one.id)
            if before is None:
                self._change.touches.append((group, one))
            elif before != one:
                self._change.touches_changed.append((group, one))
        for before in had.values():
            if before.id not in brought and before.name:
                gone = TouchOf(before.touch, before.app, before.test, before.person, before.at, "", before.body)
                self._change.touches_changed.append((group, gone))

    def merges(self, results: Iterable[Attributed], standing: Mapping[int, Stored]) -> None:
        """Persons whose every row has gone to one other person."""
        now = {result.id: result.person for result in results}
        remaining = set(now.values())
        moved: dict[tuple[int, bool, int], set[int]] = {}
        for before in standing.values():
            if before.person not in remaining and before.person != NOBODY:
                moved.setdefault((before.app, before.test, before.person), set()).add(now[before.id])
        for (app, test, person), targets in sorted(moved.items()):
            if len(targets) == 1:
                self._change.merges.append((app, test, person, targets.pop()))
