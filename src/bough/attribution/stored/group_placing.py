"""The rows of one step put into their groups, in their order."""

from __future__ import annotations

from bough.attribution.replay.entries import JournalEntry
from bough.attribution.stored.group_loading import Loader, entry_keys
from bough.attribution.stored.group_reading import Grouped
from bough.attribution.stored.tables import exact_row
from bough.attribution.stored.touch_index import TOUCHES
from bough.events.identifiers import Identifier
from bough.store.database import Store
from bough.store.select_in import select_in
from bough.store.transaction import RowValues
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.lookup_keys import key

GROUPS_OF_KEYS = "SELECT id, grp FROM group_key WHERE id IN ({})"


class Groups:
    """Puts the rows of one step into groups, in their order."""

    def __init__(
        self,
        store: Store,
        rows: list[RowValues],
        carrying: dict[int, list[Identifier]],
        loader: Loader,
        grouped: Grouped,
        at_most: int,
    ) -> None:
        """`carrying`: what touches carry (`bough.attribution.stored.touch_index.carried`); those that are not in it are
        unowned. `at_most`: so many rows that are somebody's are taken, the others are left to the next step."""
        self._loader = loader
        self._grouped = grouped
        shared = grouped.shared
        self._placing: list[tuple[list[int], RowValues, tuple[JournalEntry, JournalRow] | None]] = []
        """The keys of every row. Touches are read only when they turn out to be somebody's."""
        entries = 0
        for values in rows:
            if values[0] in carrying:
                app, test = values[2], bool(values[3])
                nobodys = shared.get((app, test), ())
                own = [key(app, test, *one) for one in carrying[values[0]] if one not in nobodys]
                self._placing.append((own, values, None))
            elif values[4] not in TOUCHES:
                row = exact_row(values)
                entry = loader.entry(row)
                self._placing.append((entry_keys(entry, shared), values, (entry, row)))
                entries += 1
                if entries == at_most:
                    break
        wanted = {one for keys, _, _ in self._placing for one in keys}
        self._known: dict[int, int] = dict(select_in(store.rows, GROUPS_OF_KEYS, wanted))
        self._into: dict[int, int] = {}
        self.last = self._stop_after(at_most)
        """The last row that is taken; None: all."""

    def _stop_after(self, at_most: int) -> int | None:
        left = at_most
        for number, (keys, values, read) in enumerate(self._placing):
            left -= read is not None or any(one in self._known for one in keys)
            if not left:
                del self._placing[number + 1 :]
                return int(values[0])
        return None

    def place(self) -> None:
        """Every row goes to its group; groups that a row connects become one."""
        for keys, values, read in self._placing:
            found = {self._group(self._known[one]) for one in keys if one in self._known}
            if read is None:
                for group in sorted(found):
                    self._grouped.touch(group, self._loader.touch_entry(values))
                continue
            entry, row = read
            target = self._target(found, entry)
            unknown = [one for one in keys if one not in self._known]
            for one in unknown:
                self._known[one] = target
                self._grouped.change.keys.append((one, target))
            self._grouped.row(target, entry, row, fresh=not found, unknown=unknown)

    def _target(self, found: set[int], entry: JournalEntry) -> int:
        if not found:
            return entry.row
        if len(found) == 1:
            return next(iter(found))
        target = max(found, key=lambda group: (self._grouped.size(group), -group))
        for group in sorted(found - {target}):
            self._into[group] = target
            self._grouped.merge(group, target)
        return target

    def _group(self, group: int) -> int:
        while group in self._into:
            group = self._into[group]
        return group
