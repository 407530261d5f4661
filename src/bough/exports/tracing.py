"""What the warehouse process answers at once (`bough.exports.questions`): rows behind a cell, the size of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from bough.accounts.directory import Directory
from bough.cohorts.request import CohortRequest
from bough.cohorts.trace import CellRows, Estimate, cell_rows, estimate
from bough.errors import BadRequest, Unavailable
from bough.exports.job import iso
from bough.store.database import Store
from bough.vocabulary.filters import Filter
from bough.vocabulary.ids import now_ms
from bough.vocabulary.money import MICRO

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class TraceRequest(Struct, frozen=True, kw_only=True):
    """A request and whose it is; for rows also the cell."""

    request: CohortRequest
    apps: tuple[int, ...]
    filters: tuple[Filter, ...] = ()
    values: dict[str, str | None] = {}
    measure: str = ""
    band: int = 0


def answerer(
    store: Store, cursor: Callable[[], DuckDBPyConnection], as_of: Callable[[], int]
) -> Callable[[str, Mapping[str, Any]], Any]:
    """Answers questions from a warehouse's cursors."""
    import duckdb  # only here: workers load this module to ask, and none of them opens a database of its own

    from bough.exports.runner import scopes

    def answer(kind: str, fields: Mapping[str, Any]) -> Any:
        question = msgspec.convert(fields, TraceRequest)
        connection = cursor()
        at = as_of() or now_ms()
        covered = scopes(Directory(store).apps, question.apps, at)
        try:
            if kind == "estimate":
                found = estimate(connection, question.request, covered, question.filters)
                return {**estimate_document(found), "data_as_of": iso(at)}
            rows = cell_rows(
                connection,
                question.request,
                covered,
                question.values,
                question.measure,
                question.band,
                question.filters,
            )
            return {**rows_document(rows), "data_as_of": iso(at)}
        except BadRequest:
            raise
        except duckdb.Error as error:
            raise Unavailable("The warehouse could not answer; please try again.") from error
        finally:
            connection.close()

    return answer


def estimate_document(found: Estimate) -> dict[str, Any]:
    """For JSON."""
    return {"members": found.members, "objects": found.objects, "activity_rows": found.activity_rows}


def rows_document(found: CellRows) -> dict[str, Any]:
    """For JSON: ids as text, instants in ISO 8601, money in dollars."""
    return {
        "members_total": found.members_total,
        "events_total": found.events_total,
        "members": [
            {"app_id": member.app, "person": str(member.person), "at": iso(member.at)} for member in found.members
        ],
        "events": [
            {
                "app_id": event.app,
                "id": event.id,
                "person": str(event.person),
                "name": event.name,
                "at": iso(event.at),
                "band": event.band,
                "revenue_in_usd": None if event.micro is None else f"{event.micro / MICRO:.6f}",
            }
            for event in found.events
        ],
    }
