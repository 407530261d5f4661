"""`Plan` -> one SQL text with bound values.

The text keeps to what DuckDB and Spark (through sqlglot) both run: CASE and SUM instead of FILTER, explicit NULLS
order, no bit operators, whole-number division of values that are not negative. Rows of six kinds in one shape:

    kind  item (tuple)  slot         band   n        b        c        d       e       f       v0 …
    0     number                            users    max age  min age  tuples                  texts of the groups
    1     number        event slot   band   events   micro    no rate  people  payers  active
    2     number        need         band   people
    3     number                     reach  people
    4     number                            micro    rows without a rate
    5     number        need         band   value over those who have reached the band
"""

# ruff: noqa: S608 - names come from the tables of this package; every value is bound.
from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from bough.cohorts.dimensions import DIMENSIONS, Dimension, Kind, Place
from bough.cohorts.facts import Facts
from bough.cohorts.filter import Filter
from bough.cohorts.measures import Need, Part
from bough.cohorts.plan import Order, Plan

_EPOCH: Final = date(1970, 1, 1)
REVENUE_SLOT: Final = -1
_WIDTH: Final = 6


class Query(Struct, frozen=True):
    """SQL and the values of its ``$p…`` marks."""

    text: str
    values: dict[str, str | int]


def slots(plan: Plan) -> tuple[str, ...]:
    """Event names by slot: those that are counted one by one."""
    names = [need.event for need in plan.needs if need.part in (Part.COUNT, Part.PEOPLE)]
    if any(need.part is Part.ACTIVE for need in plan.needs) and not plan.counted_apart:
        names.append("OPEN")
    return tuple(dict.fromkeys(names))


def active_events(plan: Plan) -> tuple[str, ...]:
    """Events that make a person active, besides the cohort event (contract/cohort.md §9)."""
    return ("OPEN",) if plan.cohort == "install" else ("OPEN", "WEB_SESSION_START")


def render(plan: Plan, facts: Facts) -> Query:
    """The SQL of a plan."""
    return Writer(plan, facts).query()


class Writer:
    """Collects the bound values while it writes."""

    def __init__(self, plan: Plan, facts: Facts) -> None:
        self.plan = plan
        self.facts = facts
        self.values: dict[str, str | int] = {}
        self.member_groups = [(i, g) for i, g in enumerate(plan.groups) if g.of_member]
        self.event_groups = [(i, g) for i, g in enumerate(plan.groups) if not g.of_member]

    def query(self) -> Query:
        parts = [
            *([("scope", self.scope())] if self.scoped() else []),
            ("picked", self.picked()),
            ("cohorts", self.cohorts()),
            *([("placed", self.placed())] if self.event_groups else []),
            ("tuples", self.tuples()),
            ("chosen", self.chosen()),
            *([] if self.event_groups else [("placed", self.placed())]),
        ]
        unions = [self.tuple_rows(), *self.blocks()]
        steps = ",\n".join(f"{name} AS (\n  {text}\n)" for name, text in parts)
        return Query(f"WITH {steps}\n" + "\nUNION ALL\n".join(unions), self.values)

    def bind(self, value: str | int) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    # --- members ------------------------------------------------------------------------------------------------

    def scoped(self) -> bool:
        """Whether the apps are joined; the code of a single one stands in the text instead."""
        return len(self.facts.apps) != 1 or (self.plan.costed and self.facts.costs)

    def scope(self) -> str:
        rows = ", ".join(f"({code}, {as_of})" for code, as_of in self.facts.apps) or "(-1, 0)"
        return f"SELECT v.app, v.as_of FROM (VALUES {rows}) AS v(app, as_of)"

    def picked(self) -> str:
        """Members of the cohort with their group codes."""
        plan = self.plan
        keys = "".join(f", m.{group.column} AS k{i}" for i, group in self.member_groups)
        where = [
            f"m.day BETWEEN {plan.first_day} AND {plan.last_day}",
            f"m.variant <> {plan.skipped_variant}",
            *(self.condition(f"m.{DIMENSIONS[f.dimension].column}", f) for f in plan.member_filters),
        ]
        as_of, join = "s.as_of", " JOIN scope AS s ON s.app = m.app"
        if len(self.facts.apps) == 1:
            code, as_of, join = self.facts.apps[0][0], str(self.facts.apps[0][1]), ""
            where.insert(0, f"m.app = {code}")
        return (
            f"SELECT m.member, {self.person('m')} AS person, {as_of} - m.day AS age{keys}"
            f"\n  FROM {self.members()} AS m{join}\n  WHERE " + "\n    AND ".join(where)
        )

    def members(self) -> str:
        """`members`, without the delta when it is empty."""
        return f"{self.plan.cohort}_members" if self.facts.delta else f"{self.plan.cohort}_members_main"

    def activity(self, events: tuple[int, ...] | None) -> str:
        """`activity` of the members asked for, of some events or of all, so that other blocks are skipped."""
        named = "" if events is None else f"event IN ({', '.join(map(str, events)) or '-1'})"
        low, high = self.facts.members
        main = f"SELECT * FROM {self.plan.cohort}_activity_main WHERE member BETWEEN {low} AND {high}"
        main += f" AND {named}" if named else ""
        if not self.facts.delta:
            return f"({main})"
        where = f" WHERE {named}" if named else ""
        return f"({main} UNION ALL SELECT * FROM {self.plan.cohort}_activity_delta{where})"

    def person(self, table: str) -> str:
        """A person enters an install cohort once, so that the member stands for the person."""
        return f"{table}.member" if self.plan.cohort == "install" else f"{table}.who"

    def cohorts(self) -> str:
        """Groups by cohort dimensions: their people, and the ages of the oldest and youngest member in days."""
        count = "COUNT(*)" if self.plan.cohort == "install" else "COUNT(DISTINCT p.person)"
        keys = [f"p.k{i}" for i, _ in self.member_groups]
        number = (
            f", ROW_NUMBER() OVER (ORDER BY {', '.join(keys) or 'MIN(p.age)'}) AS cohort" if self.event_groups else ""
        )
        listed = "".join(f"{key} AS {key[2:]}, " for key in keys)
        grouped = f"\n  GROUP BY {', '.join(keys)}" if keys else ""
        return (
            f"SELECT {listed}{count} AS users, MAX(p.age) AS max_age, MIN(p.age) AS min_age{number}"
            f"\n  FROM picked AS p{grouped}\n  HAVING {count} >= {max(1, self.plan.min_users)}"
        )

    def placed(self) -> str:
        """Each member with the number of its tuple, or of its cohort when events split tuples further."""
        table, number = ("cohorts", "cohort") if self.event_groups else ("chosen", "item")
        keys = [f"p.k{i} = c.k{i}" for i, _ in self.member_groups]
        join = f"JOIN {table} AS c ON {' AND '.join(keys)}" if keys else f"CROSS JOIN {table} AS c"
        person = ", p.person" if self.plan.counted_apart or self.plan.reach else ""
        reach = (
            f", CASE WHEN p.age < 0 THEN -1 ELSE p.age // {self.plan.band_days} END AS reach" if self.plan.reach else ""
        )
        return f"SELECT p.member{person}, c.{number} AS place{reach}\n  FROM picked AS p {join}"

    # --- tuples -------------------------------------------------------------------------------------------------

    def tuples(self) -> str:
        keys = "".join(f"c.k{i}, " for i, _ in self.member_groups)
        if not self.event_groups:
            return f"SELECT {keys}c.users, c.max_age, c.min_age\n  FROM cohorts AS c"
        codes = ", ".join(f"{_event_column(group)} AS k{i}" for i, group in self.event_groups)
        found = ", ".join(f"e.k{i}" for i, _ in self.event_groups)
        done = [group.column for _, group in self.event_groups if group.place is Place.ACTIVITY]
        states = ", ".join(["m.place", "a.context", *(f"a.{column}" for column in done)])
        events, where = self.events([], None)
        return (
            f"SELECT {keys}{found}, c.cohort, c.users, c.max_age, c.min_age\n  FROM (SELECT DISTINCT a.place, {codes}"
            f" FROM (SELECT DISTINCT {states} FROM {events} WHERE {where}) AS a"
            f" JOIN contexts AS x ON x.context = a.context) AS e\n  JOIN cohorts AS c ON c.cohort = e.place"
        )

    def chosen(self) -> str:
        """The first tuples in the answer's order, numbered, with their texts."""
        plan = self.plan
        texts = "".join(f", {_shown(i, group)} AS v{i}" for i, group in enumerate(plan.groups))
        words = "".join(
            f" LEFT JOIN words AS w{i} ON w{i}.code = t.k{i}"
            for i, group in enumerate(plan.groups)
            if group.kind is not Kind.DAY
        )
        order = self.ordering(plan.order)
        limit = "" if plan.tuples is None else f"\n    ORDER BY {order} LIMIT {plan.tuples}"
        return (
            f"SELECT ROW_NUMBER() OVER (ORDER BY {order}) AS item, n.*"
            f"\n  FROM (SELECT t.*{texts} FROM tuples AS t{words}{self.cut()}{limit}) AS n"
        )

    def cut(self) -> str:
        """Ordered by users, tuples smaller than the last that fits need no texts."""
        plan = self.plan
        if plan.tuples is None or plan.order.key != "users" or len(plan.groups) < 2:
            return ""
        way, edge, side = ("ASC", "MAX", "<=") if plan.order.ascending else ("DESC", "MIN", ">=")
        return (
            f"\n    WHERE t.users {side} (SELECT {edge}(l.users) FROM"
            f" (SELECT users FROM tuples ORDER BY users {way} LIMIT {plan.tuples}) AS l)"
        )

    def ordering(self, order: Order) -> str:
        """users, then the tuple; by a dimension, that dimension first (contract/cohort.md §3.3)."""
        way = "ASC" if order.ascending else "DESC"
        ties = ["users DESC", *(f"{_sorted(i, group)} ASC NULLS LAST" for i, group in enumerate(self.plan.groups))]
        if order.key == "users":
            return ", ".join([f"users {way}", *ties[1:]])
        if order.key == "dimension":
            return ", ".join([f"{_sorted(order.index, self.plan.groups[order.index])} {way} NULLS LAST", *ties])
        return ", ".join(ties)

    def tuple_rows(self) -> str:
        texts = "".join(f", c.v{i}" for i, _ in enumerate(self.plan.groups))
        return (
            "SELECT 0 AS kind, c.item, NULL AS slot, NULL AS band, c.users AS n, c.max_age AS b, c.min_age AS c,"
            f" (SELECT COUNT(*) FROM tuples) AS d, NULL AS e, NULL AS f{texts}\nFROM chosen AS c"
        )

    # --- events -------------------------------------------------------------------------------------------------

    def events(
        self, dimensions: Sequence[Dimension], codes: tuple[int, ...] | None, everywhere: bool = False
    ) -> tuple[str, str]:
        """FROM and WHERE of the events `a` of placed members `m` within the requested bands."""
        plan = self.plan
        used = [*dimensions, *(DIMENSIONS[f.dimension] for f in plan.event_filters)]
        context = " JOIN contexts AS x ON x.context = a.context" if any(d.place is Place.CONTEXT for d in used) else ""
        where = [
            f"a.variant <> {plan.skipped_variant}",
            *([] if everywhere else [f"a.d < {plan.bands * plan.band_days}"]),
            *(self.condition(_event_column(DIMENSIONS[f.dimension]), f) for f in plan.event_filters),
        ]
        table = f"{self.activity(codes)} AS a JOIN placed AS m ON m.member = a.member{context}"
        return table, " AND ".join(where)

    def counted(self, codes: tuple[int, ...] | None, everywhere: bool = False) -> tuple[str, str, str]:
        """FROM, WHERE and the tuple's number of the events that count for the chosen tuples."""
        table, where = self.events([group for _, group in self.event_groups], codes, everywhere)
        if not self.event_groups:
            return table, where, "m.place"
        same = "".join(f" AND c.k{i} = {_event_column(group)}" for i, group in self.event_groups)
        return f"{table} JOIN chosen AS c ON c.cohort = m.place{same}", where, "c.item"

    def summed(self) -> bool:
        """Whether anything is summed from `activity`."""
        return any(need.part in (Part.COUNT, Part.REVENUE) for need in self.plan.needs) or (
            not self.plan.counted_apart and any(not need.reached for need in self.plan.needs)
        )

    def wanted(self) -> tuple[tuple[int, ...], str]:
        """Codes of the events to sum, and SQL for their slot; other revenue events share one slot."""
        codes = {
            self.facts.events[name]: slot for slot, name in enumerate(slots(self.plan)) if name in self.facts.events
        }
        if self.has(Part.REVENUE, Part.PAYERS):
            codes = {**dict.fromkeys(self.facts.revenue_events, REVENUE_SLOT), **codes}
        if len(set(codes.values())) <= 1:
            return tuple(codes), str(next(iter(codes.values()), REVENUE_SLOT))
        named = " ".join(f"WHEN {code} THEN {slot}" for code, slot in codes.items() if slot != REVENUE_SLOT)
        return tuple(codes), f"CASE a.event {named} ELSE {REVENUE_SLOT} END"

    def has(self, *parts: Part) -> bool:
        """Whether the plan needs any of these."""
        return any(need.part in parts for need in self.plan.needs)

    def blocks(self) -> list[str]:
        plan = self.plan
        found = [self.sums()] if self.summed() else []
        for index, need in enumerate(plan.needs):
            if need.reached:
                found.append(self.reached(index, need))
            elif need.part is Part.ACTIVE and plan.on_or_after:
                found.append(self.last_active(index))
            elif need.part in (Part.PEOPLE, Part.PAYERS, Part.ACTIVE) and plan.counted_apart:
                found.append(self.distinct(index, need))
        if plan.reach:
            found.append(self.reach())
        if plan.costed and self.facts.costs:
            found.append(self.costs())
        return found

    def sums(self) -> str:
        """Everything that adds up, in one pass."""
        plan = self.plan
        band, start = _band(plan), f"a.d - a.d % {plan.band_days}"
        flags = {"d": "0", "e": "0", "f": "0"}
        if not plan.counted_apart:
            for need in plan.needs:
                if need.part is Part.PEOPLE:
                    flags["d"] = _flag(f"a.prev < {'0' if need.running else start}")
                if need.part is Part.PAYERS:
                    flags["e"] = _flag(f"a.paid = 1 AND a.prev_paid < {'0' if need.running else start}")
                if need.part is Part.ACTIVE and not plan.on_or_after:
                    flags["f"] = _flag(f"a.prev < {start}")
        codes, slot = self.wanted()
        table, where, item = self.counted(codes)
        texts = ", NULL" * len(plan.groups)
        count = _total("a.n") if self.has(Part.COUNT) else "0"
        money = f"{_total('a.micro')}, {_total('a.missing_rate')}" if self.has(Part.REVENUE) else "0, 0"
        grouped = ", ".join([item, *([slot] if slot.startswith("CASE") else []), band])
        return (
            f"SELECT 1, {item}, {slot}, {band}, {count}, {money}, {flags['d']}, {flags['e']}, {flags['f']}{texts}"
            f"\nFROM {table}\nWHERE {where}\nGROUP BY {grouped}"
        )

    def belonging(self, need: Need) -> tuple[tuple[int, ...] | None, str]:
        """Codes of the events that can count for a need (None: any), and the condition on them."""
        if need.part in (Part.PAYERS, Part.REVENUE):
            return self.facts.revenue_events, "a.paid = 1" if need.part is Part.PAYERS else "1 = 1"
        names = active_events(self.plan) if need.part is Part.ACTIVE else (need.event,)
        codes = tuple(self.facts.events[name] for name in names if name in self.facts.events)
        if need.part is not Part.ACTIVE:
            return codes, "1 = 1"
        return None, f"(a.event IN ({', '.join(map(str, codes)) or '-1'}) OR a.entry = 1)"

    def distinct(self, index: int, need: Need) -> str:
        """People per band; running: people by the first band in which they count."""
        codes, belongs = self.belonging(need)
        table, where, item = self.counted(codes)
        if need.running:
            inner = f"{item} AS item, m.person, MIN({_band(self.plan)}) AS band"
            grouped = f"{item}, m.person"
        else:
            inner = f"{item} AS item, m.person, {_band(self.plan)} AS band"
            grouped = f"{item}, m.person, {_band(self.plan)}"
        return self.people(index, inner, f"{table}\n  WHERE {where} AND {belongs}\n  GROUP BY {grouped}")

    def last_active(self, index: int) -> str:
        """People by the last band in which they were active, later bands as the last one."""
        codes, belongs = self.belonging(Need(Part.ACTIVE))
        table, where, item = self.counted(codes, everywhere=True)
        person = "m.person" if self.plan.counted_apart else "a.member"
        last = f"LEAST(MAX({_band(self.plan)}), {self.plan.bands - 1})"
        return self.people(
            index,
            f"{item} AS item, {person} AS person, {last} AS band",
            f"{table}\n  WHERE {where} AND {belongs}\n  GROUP BY {item}, {person}",
        )

    def people(self, index: int, inner: str, source: str) -> str:
        return (
            f"SELECT 2, q.item, {index}, q.band, COUNT(*){self.blank(1)}"
            f"\nFROM (SELECT {inner}\n  FROM {source}) AS q\nGROUP BY q.item, q.band"
        )

    def blank(self, used: int) -> str:
        return ", NULL" * (_WIDTH - used + len(self.plan.groups))

    def reached(self, index: int, need: Need) -> str:
        """Running values of band b over the members that have reached b."""
        codes, belongs = self.belonging(need)
        table, where, item = self.counted(codes)
        value = {Part.COUNT: _total("a.n"), Part.REVENUE: _total("a.micro")}.get(need.part, "COUNT(DISTINCT m.person)")
        bands = ", ".join(f"({band})" for band in range(self.plan.bands))
        return (
            f"SELECT 5, {item}, {index}, b.band, {value}{self.blank(1)}\nFROM {table}"
            f" JOIN (VALUES {bands}) AS b(band) ON {_band(self.plan)} <= b.band AND m.reach >= b.band"
            f"\nWHERE {where} AND {belongs}\nGROUP BY {item}, b.band"
        )

    def reach(self) -> str:
        """People by the last band that one of their memberships has reached; tuples of one cohort share them."""
        item, join = "m.place", ""
        if self.event_groups:
            item, join = "c.item", " JOIN chosen AS c ON c.cohort = m.place"
        last = f"LEAST(MAX(m.reach), {self.plan.bands - 1})"
        return (
            f"SELECT 3, q.item, NULL, q.band, COUNT(*){self.blank(1)}\nFROM (SELECT {item} AS item, m.person,"
            f" {last} AS band FROM placed AS m{join} WHERE m.reach >= 0 GROUP BY {item}, m.person) AS q"
            "\nGROUP BY q.item, q.band"
        )

    def costs(self) -> str:
        """Costs match a value only by having that value; without a rate the sum is unknown."""
        plan = self.plan
        same = [f"{_cost_column(group)} = c.k{i}" for i, group in self.member_groups]
        known = [f"{_cost_column(group)} <> 0" for _, group in self.member_groups if _may_lack(group)]
        where = [f"o.day BETWEEN {plan.first_day} AND {plan.last_day}", *known]
        for condition in plan.member_filters:
            dimension = DIMENSIONS[condition.dimension]
            if _may_lack(dimension):
                where.append(f"{_cost_column(dimension)} <> 0")
            where.append(self.condition(_cost_column(dimension), condition))
        join = f"JOIN chosen AS c ON {' AND '.join(same)}" if same else "CROSS JOIN chosen AS c"
        return (
            f"SELECT 4, c.item, NULL, NULL, {_total('o.micro')}, {_flag('o.micro IS NULL')}{self.blank(2)}"
            f"\nFROM costs AS o JOIN scope AS s ON s.app = o.app {join}"
            f"\nWHERE {' AND '.join(where)}\nGROUP BY c.item"
        )

    # --- conditions ---------------------------------------------------------------------------------------------

    def condition(self, column: str, condition: Filter) -> str:
        kind = DIMENSIONS[condition.dimension].kind
        parts = []
        if condition.values:
            parts.append(f"({self.matches(column, kind, condition.values)})")
        if condition.excluded:
            parts.append(f"NOT ({self.matches(column, kind, condition.excluded)})")
        return " AND ".join(parts) or "1 = 1"

    def matches(self, column: str, kind: Kind, values: tuple[str | None, ...]) -> str:
        texts = tuple(dict.fromkeys(value for value in values if value is not None))
        if kind is Kind.DAY:
            days = sorted({day for text in texts if (day := day_number(text)) is not None})
            return f"{column} IN ({', '.join(map(str, days))})" if days else "1 = 0"
        parts = [f"{column} = 0"] if None in values else []
        if kind is Kind.TEXT:
            codes = sorted(code for text in texts if (code := self.facts.texts.get(text)) is not None)
            parts += [f"{column} IN ({', '.join(map(str, codes))})"] if codes else []
            return " OR ".join(parts) or "1 = 0"
        if texts:
            parts.append(f"{column} IN (SELECT code FROM words WHERE {self.words(texts)})")
        return " OR ".join(parts)

    def words(self, texts: tuple[str, ...]) -> str:
        """A set matches a member of it, or the whole set as it is written."""
        equal = f"word IN ({', '.join(self.bind(text) for text in texts)})"
        members = [f"strpos(',' || word || ',', {self.bind(f',{text},')}) > 0" for text in texts if "," not in text]
        return " OR ".join([equal, *members])


def _band(plan: Plan) -> str:
    return "a.d" if plan.band_days == 1 else f"a.d // {plan.band_days}"


def _flag(condition: str) -> str:
    return _total(f"CASE WHEN {condition} THEN 1 ELSE 0 END")


def _total(value: str) -> str:
    """A sum as 64 bits: wider integers are slow to fetch, and a sum that does not fit is an error, never wrong."""
    return f"CAST(SUM({value}) AS BIGINT)"


def _event_column(dimension: Dimension) -> str:
    return f"{'x' if dimension.place is Place.CONTEXT else 'a'}.{dimension.column}"


def _cost_column(dimension: Dimension) -> str:
    return f"o.{dimension.column}"


def _may_lack(dimension: Dimension) -> bool:
    """The app and the day of a cost are always known."""
    return dimension.kind is not Kind.DAY and dimension.column != "app"


def _shown(index: int, dimension: Dimension) -> str:
    return f"CAST(t.k{index} AS VARCHAR)" if dimension.kind is Kind.DAY else f"w{index}.word"


def _sorted(index: int, dimension: Dimension) -> str:
    return f"k{index}" if dimension.kind is Kind.DAY else f"v{index}"


def day_number(text: str) -> int | None:
    """Days since 1970-01-01 of a date as it is written in results; None for any other text."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return (day - _EPOCH).days if day.isoformat() == text else None
