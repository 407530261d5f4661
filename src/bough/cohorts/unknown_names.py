"""Names in a request that nothing has ever been called: they give zeros or no rows, and a warning says so.

A name is looked up in the data of the request's own apps alone, so that no answer tells of another's. Names are
proposed to callers without a data filter only: to others they could be of data that they must not see.
"""

# ruff: noqa: S608 - names of our own tables and columns, and numbers.
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bough.cohorts.measures import MEASURES, event_of, is_event
from bough.cohorts.plan import AppScope
from bough.cohorts.request import CohortRequest
from bough.spelling import did_you_mean
from bough.vocabulary.dimensions import DIMENSIONS, Dimension, DimensionTable, Kind
from bough.vocabulary.filters import Filter
from bough.warehouse.text_codes import codes_in_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_KNOWN: Final = 5000
"""Names that a wrong one is compared with."""

MAX_VALUES: Final = 20
"""Values of one filter that are looked up; somebody who lists more has them from a program."""

_EVENTS_DONE: Final = ("user_data_standard_events_completed", "user_data_custom_events_completed")


def unknown_names(
    connection: DuckDBPyConnection, request: CohortRequest, apps: Sequence[AppScope], *, proposes: bool
) -> Iterator[str]:
    """Sentences about measures, dimensions and values of filters that the apps have never sent.

    Args:
        connection: a warehouse, inside a transaction.
        request: checked.
        apps: what it covers.
        proposes: whether similar names may be named, and values of filters looked up.
    """
    names = _Names(connection, request, apps, proposes)
    yield from names.measures()
    if proposes:
        yield from names.dimensions()
        yield from names.values()


class _Names:
    """One request's look-ups."""

    def __init__(
        self, connection: DuckDBPyConnection, request: CohortRequest, apps: Sequence[AppScope], proposes: bool
    ) -> None:
        self._connection = connection
        self._request = request
        self._proposes = proposes
        self._cohort = "install" if request.data_source == "install_cohort" else "reengagement"
        texts = {*(scope.app_id for scope in apps), *map(event_of, request.measures)}
        texts |= {text for condition in request.filters for text in _looked_up(condition)}
        self._codes = codes_in_table(connection, sorted(texts))
        # the codes stand in the text: a search then skips blocks and ends at the first row
        own = [str(self._codes[scope.app_id]) for scope in apps if scope.app_id in self._codes]
        self._apps = ", ".join(own) or "-1"
        self._known_events: list[str] | None = None

    def measures(self) -> Iterator[str]:
        for name in self._request.measures:
            event = event_of(name)
            if is_event(name) and not self._has_event(event):
                if event in MEASURES:
                    yield f"measures: no {event} has ever been recorded"
                else:
                    yield f"measures: no event is called {event!r}{self._like_event(event)}"

    def dimensions(self) -> Iterator[str]:
        for name in self._request.dimensions:
            dimension = DIMENSIONS[name]
            is_kept = dimension.kind is not Kind.DAY and dimension.place is not DimensionTable.ACTIVITY
            if is_kept and self._has_members() and not self._any(dimension, "<> 0"):
                yield f"dimensions: nothing that was recorded has ever had a {name}"

    def values(self) -> Iterator[str]:
        for condition in self._request.filters:
            dimension = DIMENSIONS[condition.dimension]
            for text in _looked_up(condition):
                if dimension.name in _EVENTS_DONE:
                    if not self._has_event(text):
                        yield f"filters.{dimension.name}: no event is called {text!r}{self._like_event(text)}"
                elif text not in self._codes or not self._any(dimension, f"= {self._codes[text]}"):
                    like = did_you_mean(text, self._values_of(dimension))
                    yield f"filters.{dimension.name}: nothing that was recorded has ever had {text!r}{like}"

    def _has_event(self, name: str) -> bool:
        return name in self._codes and self._first(f"events WHERE name = {self._codes[name]} AND app IN ({self._apps})")

    def _has_members(self) -> bool:
        return self._first(f"{self._cohort}_members WHERE app IN ({self._apps})")

    def _any(self, dimension: Dimension, condition: str) -> bool:
        return self._first(f"{self._from(dimension)} AND v.{dimension.column} {condition}")

    def _from(self, dimension: Dimension) -> str:
        if dimension.of_member:
            return f"{self._cohort}_members AS v WHERE v.app IN ({self._apps})"
        return f"contexts AS v JOIN events AS e ON e.context = v.context WHERE e.app IN ({self._apps})"

    def _first(self, rows: str) -> bool:
        return self._connection.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchone() is not None

    def _like_event(self, name: str) -> str:
        if not self._proposes:
            return ""
        if self._known_events is None:
            self._known_events = self._texts(f"SELECT DISTINCT name AS code FROM events WHERE app IN ({self._apps})")
            self._known_events += [one for one in MEASURES if one not in self._known_events]
        return did_you_mean(name, self._known_events)

    def _values_of(self, dimension: Dimension) -> list[str]:
        return self._texts(f"SELECT DISTINCT v.{dimension.column} AS code FROM {self._from(dimension)}")

    def _texts(self, codes: str) -> list[str]:
        rows = self._connection.execute(
            f"SELECT w.word FROM words AS w JOIN ({codes}) AS c ON c.code = w.code ORDER BY w.word LIMIT {MAX_KNOWN}"
        )
        return [row[0] for row in rows.fetchall()]


def _looked_up(condition: Filter) -> list[str]:
    """The texts of a condition that can be checked: of single texts, and of sets those that hold event names."""
    dimension = DIMENSIONS[condition.dimension]
    if dimension.name in _EVENTS_DONE or (
        dimension.kind is Kind.TEXT and dimension.place is not DimensionTable.ACTIVITY
    ):
        texts = dict.fromkeys(text for text in (*condition.values, *condition.excluded) if text is not None)
        return list(texts)[:MAX_VALUES]
    return []
