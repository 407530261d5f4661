"""The plain side of `bench.cohorts`: raw events joined to installs at query time, texts and all."""

# ruff: noqa: S608, E501 - generated SQL of this benchmark alone.
from __future__ import annotations

from datetime import date
from typing import Any, Final

from duckdb import DuckDBPyConnection

from bough.cohorts.numbers import money, ratio
from bough.cohorts.request import CohortRequest
from bough.vocabulary.dimensions import DIMENSIONS

_EPOCH: Final = date(1970, 1, 1)
_REVENUE: Final = "('ADD_TO_CART', 'PURCHASE', 'SUBSCRIBE', 'START_TRIAL', 'RESERVE', 'SPEND_CREDITS')"


class Found:
    """Rows of the plain query; objects are made outside of the measured time, as on the other side."""

    def __init__(self, request: CohortRequest, as_of: int, rows: list[tuple[Any, ...]]) -> None:
        self._request, self._as_of, self._rows = request, as_of, rows

    def objects(self) -> list[dict[str, Any]]:
        """The same JSON objects as the layout's."""
        request, width = self._request, len(self._request.dimensions)
        series: dict[tuple[Any, ...], dict[str, list[int]]] = {}
        heads: dict[tuple[Any, ...], tuple[int, int]] = {}
        for row in self._rows:
            key = row[:width]
            users, oldest, measure, band, value = row[width : width + 5]
            heads[key] = (users, self._as_of - oldest)
            if measure is not None and band is not None:
                series.setdefault(key, {}).setdefault(measure, [0] * request.band_count)[band] += int(value)
        order = sorted(heads, key=lambda key: (-heads[key][0], tuple((v is None, v or "") for v in key)))
        return [self._object(key, heads[key], series.get(key, {}), name) for key in order for name in request.measures][
            : request.limit
        ]

    def _object(
        self, key: tuple[Any, ...], head: tuple[int, int], series: dict[str, list[int]], name: str
    ) -> dict[str, Any]:
        request = self._request
        zeros = [0] * request.band_count
        unit = {"day": 1, "week": 7, "month": 30}[request.granularity]
        data: dict[str, Any] = {}
        for band in range(request.band_count):
            value: Any = series.get(name, zeros)[band]
            if name == "revenue":
                value = money(value)
            elif name == "LTV":
                value = ratio(sum(series.get("revenue", zeros)[: band + 1]), 1_000_000 * head[0])
            elif name == "ARPPU":
                payers = series.get("payers", zeros)[band]
                value = ratio(series.get("revenue", zeros)[band], 1_000_000 * payers) if payers else None
            data[f"{request.granularity}{band}"] = value if band * unit <= head[1] else None
        metric = (
            "revenue" if name in ("revenue", "LTV", "ARPPU") else "unique_count" if request.unique else "total_count"
        )
        return {
            "users": head[0],
            "cost": None,
            "metric": metric,
            "measure": name,
            "per_user": False,
            "cumulative": request.cumulative,
            "data": data,
            **dict(zip(request.dimensions, key, strict=True)),
        }


def plain_answer(connection: DuckDBPyConnection, request: CohortRequest, as_of: date) -> Found:
    """Run the plain join."""
    rows = connection.execute(plain_sql(request)).fetchall()
    return Found(request, (as_of - _EPOCH).days, rows)


def plain_sql(request: CohortRequest) -> str:
    """Texts grouped by texts; the tuples are chosen first, as a limit demands."""
    unit = {"day": 1, "week": 7, "month": 30}[request.granularity]
    dims = [DIMENSIONS[name] for name in request.dimensions]
    own = [(n, d) for n, d in enumerate(dims) if d.of_member]
    later = [(n, d) for n, d in enumerate(dims) if not d.of_member]
    first, last = (request.start_date - _EPOCH).days, (request.end_date - _EPOCH).days
    where = [f"day BETWEEN {first} AND {last}"]
    for condition in request.filters:
        column = DIMENSIONS[condition.dimension].column
        if condition.values:
            where.append(f"{column} IN ({', '.join(repr(v) for v in condition.values)})")
        if condition.excluded:
            listed = ", ".join(repr(v) for v in condition.excluded)
            where.append(f"({column} IS NULL OR {column} NOT IN ({listed}))")
    keys = "".join(f"i.{d.column} AS k{n}, " for n, d in own)
    listed_keys = "".join(f"k{n}, " for n, _ in own)
    tuples = -(-request.limit // len(request.measures))
    group = f"GROUP BY {listed_keys.rstrip(', ')}" if own else ""
    order = "".join(f", k{n} NULLS LAST" for n, _ in own)
    same = " AND ".join(f"j.k{n} IS NOT DISTINCT FROM g.k{n}" for n, _ in own) or "TRUE"
    event_keys = "".join(f"e.{d.column} AS k{n}, " for n, d in later)
    event_group = "".join(f", e.{d.column}" for _, d in later)
    shown = ", ".join(f"{'c' if n in dict(later) else 'g'}.k{n}" for n, _ in enumerate(dims))
    joined = " AND ".join(f"c.k{n} IS NOT DISTINCT FROM g.k{n}" for n, _ in own) or "TRUE"
    return (
        f"WITH i AS (SELECT person, ms, day, {keys.replace('i.', '')}1 AS one FROM installs WHERE {' AND '.join(where)}),"
        f" g AS (SELECT {listed_keys}count(*) AS users, min(day) AS oldest FROM i {group}"
        f" ORDER BY users DESC{order} LIMIT {tuples}),"
        f" c AS ({_cells(request, unit, listed_keys, event_keys, event_group, same, bool(later))})"
        f" SELECT {shown}, g.users, g.oldest, c.measure, c.band, c.value FROM g"
        f" {'JOIN' if later else 'LEFT JOIN'} c ON {joined}"
    )


def _cells(
    request: CohortRequest, unit: int, keys: str, event_keys: str, event_group: str, same: str, split: bool
) -> str:
    own = "".join(f"j.{key.strip()}, " for key in keys.split(",") if key.strip())
    band = f"(e.day - j.day) // {unit}"
    counted = [name for name in request.measures if name in ("OPEN", "PURCHASE")]
    money_wanted = any(name in ("revenue", "LTV", "ARPPU") for name in request.measures)
    source = (
        f" FROM events AS e JOIN i AS j ON j.person = e.person JOIN g ON {same}"
        f" WHERE e.ms >= j.ms AND {band} < {request.band_count}"
    )
    parts = []
    if counted:
        names = ", ".join(repr(name) for name in counted)
        value = "count(DISTINCT e.person)" if request.unique else "count(*)"
        only = "" if split else f" AND e.name IN ({names})"
        value = f"count(DISTINCT CASE WHEN e.name IN ({names}) THEN e.person END)" if split else value
        name = f"'{counted[0]}'" if split else "e.name"
        parts.append(
            f"SELECT {own}{event_keys}{name} AS measure, {band} AS band, {value} AS value{source}{only}"
            f" GROUP BY {own}{'' if split else 'e.name, '}{band}{event_group}"
        )
    if money_wanted:
        parts.append(
            f"SELECT {own}'revenue' AS measure, {band} AS band, sum(e.micro) AS value{source}"
            f" AND e.name IN {_REVENUE} AND e.micro IS NOT NULL GROUP BY {own}{band}"
        )
    if "ARPPU" in request.measures:
        parts.append(
            f"SELECT {own}'payers' AS measure, {band} AS band, count(DISTINCT e.person) AS value{source}"
            f" AND e.name IN {_REVENUE} AND e.micro > 0 GROUP BY {own}{band}"
        )
    return " UNION ALL ".join(parts)
