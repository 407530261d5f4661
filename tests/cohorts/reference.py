"""Slow and obvious: every measure straight from raw events, written from docs/exports.md.

Shares nothing with the warehouse but the parsed request and the digits of a number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from bough.attribution.attributed_event import AttributedEvent, CostRow
from bough.cohorts.numbers import money, ratio, wilson
from bough.cohorts.request import CohortRequest
from bough.vocabulary.filters import Filter

Value = str | frozenset[str] | None
EPOCH = date(1970, 1, 1)
COMMERCE = (
    *("ADD_TO_CART", "ADD_TO_WISHLIST", "VIEW_CART", "INITIATE_PURCHASE", "ADD_PAYMENT_INFO", "CLICK_AD"),
    *("PURCHASE", "RESERVE", "SPEND_CREDITS", "VIEW_AD"),
)
STANDARD = (
    *COMMERCE,
    *("SEARCH", "VIEW_ITEM", "VIEW_ITEMS", "RATE", "SHARE", "INITIATE_STREAM", "COMPLETE_STREAM"),
    *("COMPLETE_REGISTRATION", "COMPLETE_TUTORIAL", "ACHIEVE_LEVEL", "UNLOCK_ACHIEVEMENT", "INVITE", "LOGIN"),
    *("START_TRIAL", "SUBSCRIBE", "OPT_IN", "OPT_OUT"),
)
SERVER = ["IMPRESSION", "CLICK", "BRANCH_CTA_VIEW", "OPEN", "INSTALL", "REINSTALL", "WEB_SESSION_START", "PAGEVIEW"]


@dataclass
class App:
    zone: str = "UTC"
    inactivity_ms: int = 7 * 86_400_000
    revenue_events: tuple[str, ...] = (*COMMERCE, "SUBSCRIBE", "START_TRIAL")


@dataclass
class World:
    """Everything that is known, in any order."""

    apps: dict[str, App]
    events: list[AttributedEvent] = field(default_factory=list)
    costs: list[CostRow] = field(default_factory=list)
    merges: list[tuple[str, int, int]] = field(default_factory=list)


@dataclass
class Happened:
    """An event as an event of one membership."""

    event: AttributedEvent
    d: int
    is_entry: bool
    history: list[AttributedEvent]


@dataclass
class Entry:
    """One membership."""

    app: str
    person: int
    source: AttributedEvent
    day: date
    age: int
    history: list[AttributedEvent]
    happened: list[Happened]


def local_date(world: World, event: AttributedEvent) -> date:
    zone = ZoneInfo(world.apps[event.app].zone)
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=event.at)
    return instant.astimezone(zone).date()


def people(world: World) -> dict[tuple[str, int], list[AttributedEvent]]:
    """All rows of each person in order, touches included."""
    into = dict[tuple[str, int], int]()
    for app, old, new in world.merges:
        target = into.get((app, new), new)
        moved = into.get((app, old), old)
        for key, value in list(into.items()):
            if key[0] == app and value == moved:
                into[key] = target
        into[(app, old)] = target
        into[(app, moved)] = target
    found = dict[tuple[str, int], list[AttributedEvent]]()
    seen = set[tuple[str, str]]()
    for event in world.events:
        if (event.app, event.id) not in seen:
            seen.add((event.app, event.id))
            found.setdefault((event.app, into.get((event.app, event.person), event.person)), []).append(event)
    for rows in found.values():
        rows.sort(key=lambda e: (e.at, e.id))
    return found


def activity(history: Iterable[AttributedEvent]) -> list[AttributedEvent]:
    return [event for event in history if event.name not in ("CLICK", "IMPRESSION")]


def entries(world: World, request: CohortRequest, as_of: dict[str, date]) -> list[Entry]:
    found = []
    for (app, person), history in people(world).items():
        if app in as_of:
            make = install_entries if request.data_source == "install_cohort" else reengagement_entries
            for entry in make(world, request, app, person, history):
                if request.start_date <= entry.day <= request.end_date:
                    entry.age = (as_of[app] - entry.day).days
                    found.append(entry)
    return found


def happenings(
    world: World, day: date, source: AttributedEvent, acts: list[AttributedEvent], history: list[AttributedEvent]
) -> list[Happened]:
    return [Happened(act, max(0, (local_date(world, act) - day).days), act is source, history) for act in acts]


def install_entries(
    world: World, request: CohortRequest, app: str, person: int, history: list[AttributedEvent]
) -> list[Entry]:
    installs = [event for event in history if event.name == "INSTALL"]
    if not installs:
        return []
    first, source = installs[0], installs[0]
    day = local_date(world, first)
    acts = [act for act in activity(history) if act.at >= first.at]
    is_pair = (
        len(installs) > 1
        and all((event.os or "").upper() == "IOS" for event in installs[:2])
        and not first.attributed
        and installs[1].attributed
    )
    if request.recalculate_installs and is_pair:
        source = installs[1]
        acts.remove(first)
    happened = happenings(world, day, source, acts, history)
    for one in happened:
        if one.is_entry:
            one.d = 0
    return [Entry(app, person, source, day, 0, history, happened)]


def reengagement_entries(
    world: World, request: CohortRequest, app: str, person: int, history: list[AttributedEvent]
) -> list[Entry]:
    acts = activity(history)
    found = list[Entry]()
    for act in acts:
        earlier = [other.at for other in acts if other.at < act.at]
        if (
            act.name in ("OPEN", "WEB_SESSION_START", "REINSTALL")
            and earlier
            and act.at - max(earlier) >= world.apps[app].inactivity_ms
            and not (found and found[-1].source.at == act.at)
        ):
            found.append(Entry(app, person, act, local_date(world, act), 0, history, []))
    for entry, after in zip(found, [*found[1:], None], strict=False):
        own = [a for a in acts if a.at >= entry.source.at and (after is None or a.at < after.source.at)]
        entry.happened = happenings(world, entry.day, entry.source, own, history)
    return found


# --- dimensions ---------------------------------------------------------------------------------------------------


def as_set(value: str | list[str] | None) -> frozenset[str] | None:
    members = value.split(",") if isinstance(value, str) else [m for v in value or [] for m in v.split(",")]
    return frozenset(m for m in members if m) or None


def touch_value(event: AttributedEvent, key: str) -> Value:
    value = event.touch.get(key) if event.attributed else None
    if key in ("tilde_tags", "plus_via_features"):
        return as_set(value)
    assert not isinstance(value, list)
    return value or None


def clicked(event: AttributedEvent, history: list[AttributedEvent], what: Callable[[AttributedEvent], bool]) -> str:
    instants = []
    for other in history:
        if what(other) and other.name == "CLICK":
            instants.append(other.at)
        elif what(other) and other.attributed and other.touch_type == "CLICK":
            instants.append(other.at if other.touch_at is None else other.touch_at)
    return "true" if any(instant <= event.at for instant in instants) else "false"


def is_ad(event: AttributedEvent) -> bool:
    touch = event.touch
    third = touch.get("dollar_3p") or ""
    return (
        "ADS" in (as_set(touch.get("plus_via_features")) or ())
        or (isinstance(third, str) and third.startswith("a_"))
        or bool(touch.get("tilde_advertising_partner_name"))
    )


def is_email(event: AttributedEvent) -> bool:
    touch = event.touch
    third = touch.get("dollar_3p") or ""
    feature = touch.get("tilde_feature") or ""
    return (
        "EMAIL" in (as_set(touch.get("plus_via_features")) or ())
        or (isinstance(third, str) and third.startswith("e-"))
        or (isinstance(feature, str) and feature.lower() == "email")
    )


def had_app(event: AttributedEvent, history: list[AttributedEvent]) -> bool:
    """Installed again, or seen in the app at an earlier instant; a page on the web is not in the app."""
    if event.name == "REINSTALL":
        return True
    for other in history:
        in_app = "WEB" not in (other.platform or "").upper()
        if other.name in ("INSTALL", "OPEN", "REINSTALL") and in_app and other.at < event.at:
            return True
    return False


def user_value(event: AttributedEvent, history: list[AttributedEvent], name: str) -> Value:
    if name == "has_clicked_ad":
        return clicked(event, history, is_ad)
    if name == "has_clicked_email":
        return clicked(event, history, is_email)
    if name == "has_app":
        return str(had_app(event, history) if event.has_app is None else event.has_app).lower()
    value: str | None = getattr(event, name)
    if name == "geo_country_en" and not value:
        return {"DE": "Germany", "US": "United States", "JP": "Japan"}.get((event.geo_country_code or "").upper())
    return value or None


def cohort_value(entry: Entry, name: str) -> Value:
    if name == "app_id":
        return entry.app
    rest = name.removeprefix("install_activity_").removeprefix("reengagement_activity_")
    if rest == "timezone_adjusted_day":
        return entry.day.isoformat()
    if rest == "event_name":
        return entry.source.name
    if rest == "attributed":
        return "true" if entry.source.attributed else "false"
    if rest == "touch_type":
        return (entry.source.touch_type or None) if entry.source.attributed else None
    if rest.startswith("touch_data_"):
        return touch_value(entry.source, rest.removeprefix("touch_data_"))
    if rest == "data_has_app" and name.startswith("install_"):
        return "false"
    field_name = rest.removeprefix("data_")
    return user_value(entry.source, entry.history, "geo_country_code" if field_name == "country_code" else field_name)


def conversion_value(one: Happened, name: str) -> Value:
    if name == "customer_event_alias":
        return one.event.customer_event_alias or None
    rest = name.removeprefix("user_data_")
    done = {other.name for other in activity(one.history) if other.at <= one.event.at}
    if rest == "standard_events_completed":
        return frozenset(done & set(STANDARD)) or None
    if rest == "custom_events_completed":
        return as_set(sorted(done - set(STANDARD) - set(SERVER)))
    return user_value(one.event, one.history, rest)


def is_conversion(name: str) -> bool:
    return name.startswith("user_data_") or name == "customer_event_alias"


def shown(value: Value) -> str | None:
    return ",".join(sorted(value)) if isinstance(value, frozenset) else value


def passes(value: Value, condition: Filter) -> bool:
    def hit(wanted: str | None) -> bool:
        if isinstance(value, frozenset):
            return wanted is not None and (wanted in value or wanted == shown(value))
        return value == wanted

    return (not condition.values or any(map(hit, condition.values))) and not any(map(hit, condition.excluded))


# --- rows ---------------------------------------------------------------------------------------------------------


@dataclass
class Line:
    """One tuple."""

    request: CohortRequest
    values: tuple[str | None, ...]
    members: list[Entry]
    events: list[tuple[Entry, Happened]]
    filtered: bool
    cost: int | None
    revenue_events: dict[str, tuple[str, ...]]

    @property
    def users(self) -> int:
        return len({(m.app, m.person) for m in self.members})

    def first_day(self, band: int) -> int:
        return band * self.request.band_days

    def observable(self, band: int) -> int:
        return len({(m.app, m.person) for m in self.members if m.age >= self.first_day(band)})

    def started(self, band: int) -> bool:
        return any(m.age >= self.first_day(band) for m in self.members)

    def status(self, band: int) -> str:
        if not self.started(band):
            return "not_started"
        return "complete" if all(m.age >= self.first_day(band + 1) for m in self.members) else "partial"

    def within(self, band: int, running: bool, reached: bool) -> list[tuple[Entry, Happened]]:
        return [
            (m, one)
            for m, one in self.events
            if (one.d // self.request.band_days <= band if running else one.d // self.request.band_days == band)
            and (not reached or m.age >= self.first_day(band))
        ]

    def revenue(self, pairs: list[tuple[Entry, Happened]]) -> int:
        return sum(one.event.micro or 0 for m, one in pairs if one.event.name in self.revenue_events[m.app])

    def payers(self, pairs: list[tuple[Entry, Happened]]) -> int:
        return len(
            {
                (m.app, m.person)
                for m, one in pairs
                if one.event.name in self.revenue_events[m.app] and (one.event.micro or 0) > 0
            }
        )

    def active(self, band: int) -> int:
        names = ("OPEN",) if self.request.data_source == "install_cohort" else ("OPEN", "WEB_SESSION_START")
        later = self.request.retention_type == "on_or_after"
        return len(
            {
                (m.app, m.person)
                for m, one in self.events
                if (one.event.name in names or one.is_entry)
                and (one.d // self.request.band_days >= band if later else one.d // self.request.band_days == band)
            }
        )


Cell = int | Fraction | str | None
"""A count, a ratio, or money as text; None is undefined."""


def over(top: int | Fraction, bottom: int) -> Fraction | None:
    return Fraction(top) / bottom if bottom else None


def value_of(line: Line, measure: str, band: int) -> tuple[str, int | Fraction | None]:
    """(count | money in micro | ratio, value)."""
    request = line.request
    cumulative, per_user = request.cumulative, request.per_user
    observable = request.denominator == "observable"
    divisor = line.observable(band) if observable else line.users
    plain = line.within(band, cumulative, reached=False)
    restricted = line.within(band, cumulative, reached=cumulative and observable)
    million = 1_000_000
    booked = (line.cost if band == 0 or cumulative else 0) if line.cost is not None else None
    percent = 1 if request.percent_as_fraction else 100
    if measure == "users":
        return "count", line.users
    if measure == "Retention":
        return "ratio", over(line.active(band), divisor)
    if measure in ("revenue", "ARPU"):
        if measure == "ARPU" or per_user:
            return "ratio", over(Fraction(line.revenue(restricted), million), divisor)
        return "money", line.revenue(plain)
    if measure == "ARPPU":
        return "ratio", over(Fraction(line.revenue(plain), million), line.payers(plain))
    if measure == "LTV":
        so_far = line.within(band, True, reached=observable)
        return "ratio", over(Fraction(line.revenue(so_far), million), divisor)
    if measure in ("cost", "GROSS_PROFIT"):
        form = "ratio" if per_user else "money"
        if booked is None:
            return form, None
        amount = booked if measure == "cost" else line.revenue(plain) - booked
        return (form, over(Fraction(amount, million), line.users)) if per_user else (form, amount)
    if measure in ("ROAS", "ROI"):
        if booked is None or not line.cost:
            return "ratio", None
        gain = line.revenue(plain) - (booked if measure == "ROI" else 0)
        return "ratio", Fraction(percent * gain, line.cost)
    if measure == "eCPA":
        purchases = sum(one.event.name == "PURCHASE" for _, one in plain)
        return "ratio", None if line.cost is None else over(Fraction(line.cost, million), purchases)
    used = restricted if per_user else plain
    pairs = [(m, one) for m, one in used if one.event.name == measure]
    count = len({(m.app, m.person) for m, _ in pairs}) if request.unique else len(pairs)
    return ("ratio", over(count, divisor)) if per_user else ("count", count)


def cells(line: Line, measure: str) -> list[tuple[str, int | Fraction | None]]:
    found = []
    for band in range(line.request.band_count):
        form, value = value_of(line, measure, band)
        if not line.started(band):
            costly = measure in ("cost", "GROSS_PROFIT", "ROAS", "ROI", "eCPA") and line.cost is None
            value = 0 if line.request.incomplete_bands == "zero" and not costly else None
        found.append((form, value))
    return found


def written(form: str, value: int | Fraction | None) -> int | str | None:
    if value is None:
        return None
    if form == "count":
        return int(value)
    if form == "money":
        return money(int(value))
    return ratio(Fraction(value).numerator, Fraction(value).denominator)


def metric(request: CohortRequest, measure: str) -> str:
    if measure in ("users", "Retention"):
        return "unique_count"
    if measure in ("cost", "eCPA"):
        return "cost"
    if measure in ("revenue", "ARPU", "ARPPU", "LTV", "GROSS_PROFIT", "ROI", "ROAS"):
        return "revenue"
    return "unique_count" if request.unique else "total_count"


def cost_of(
    world: World,
    request: CohortRequest,
    as_of: dict[str, date],
    conditions: Sequence[Filter],
    line: dict[str, str | None],
) -> int | None:
    if any(is_conversion(c.dimension) for c in conditions) or any(map(is_conversion, line)):
        return None
    matching = []
    for row in world.costs:
        day = date.fromisoformat(row.day)
        if row.app not in as_of or not request.start_date <= day <= request.end_date:
            continue
        if all(cost_passes(row, c) for c in conditions) and all(
            cost_value(row, name) is not None and shown(cost_value(row, name)) == value for name, value in line.items()
        ):
            matching.append(row.micro)
    if not matching or None in matching:
        return None
    return sum(micro for micro in matching if micro is not None)


def cost_value(row: CostRow, name: str) -> Value:
    if name == "app_id":
        return row.app
    rest = name.removeprefix("install_activity_").removeprefix("reengagement_activity_")
    if rest == "timezone_adjusted_day":
        return row.day
    key = rest.removeprefix("touch_data_")
    key = key if key == rest and not rest.startswith("data_") else key.removeprefix("data_")
    text = row.dimensions.get("geo_country_code" if key == "country_code" else key)
    return as_set(text) if key in ("tilde_tags", "plus_via_features") else text or None


def cost_passes(row: CostRow, condition: Filter) -> bool:
    value = cost_value(row, condition.dimension)
    return value is not None and passes(value, condition)


def lines(world: World, request: CohortRequest, as_of: dict[str, date], mandatory: Sequence[Filter]) -> list[Line]:
    conditions = (*request.filters, *mandatory)
    on_members = [c for c in conditions if not is_conversion(c.dimension)]
    on_events = [c for c in conditions if is_conversion(c.dimension)]
    cohort_dims = [name for name in request.dimensions if not is_conversion(name)]
    event_dims = [name for name in request.dimensions if is_conversion(name)]
    cohorts = dict[tuple[str | None, ...], list[Entry]]()
    for entry in entries(world, request, as_of):
        if all(passes(cohort_value(entry, c.dimension), c) for c in on_members):
            cohorts.setdefault(tuple(shown(cohort_value(entry, name)) for name in cohort_dims), []).append(entry)
    found = []
    for key, members in cohorts.items():
        events = [
            (member, one)
            for member in members
            for one in member.happened
            if all(passes(conversion_value(one, c.dimension), c) for c in on_events)
        ]
        split = dict[tuple[str | None, ...], list[tuple[Entry, Happened]]]()
        if not event_dims:
            split[()] = events
        for member, one in events if event_dims else []:
            split.setdefault(tuple(shown(conversion_value(one, n)) for n in event_dims), []).append((member, one))
        for extra, pairs in split.items():
            inside = any(one.d < request.band_count * request.band_days for _, one in pairs)
            if event_dims and not inside:
                continue
            named = dict(zip(cohort_dims, key, strict=True))
            cost = cost_of(world, request, as_of, conditions, {**named, **dict(zip(event_dims, extra, strict=True))})
            named.update(zip(event_dims, extra, strict=True))
            revenue = {app: world.apps[app].revenue_events for app in as_of}
            values = tuple(named[name] for name in request.dimensions)
            found.append(Line(request, values, members, pairs, bool(on_events), cost, revenue))
    return [line for line in found if line.users >= request.min_cohort_size]


def ordered(request: CohortRequest, found: list[Line]) -> list[Line]:
    def text(value: str | None) -> tuple[bool, str]:
        return value is None, value or ""

    found = sorted(found, key=lambda line: tuple(map(text, line.values)))
    by = request.ordered_by
    if by is None:
        return sorted(found, key=lambda line: line.users if request.ascending else -line.users)
    found = sorted(found, key=lambda line: -line.users)
    if by in request.dimensions:
        place = request.dimensions.index(by)
        missing = [line for line in found if line.values[place] is None]
        known = [line for line in found if line.values[place] is not None]
        return (
            sorted(known, key=lambda line: line.values[place] or "", reverse=False) + missing
            if request.ascending
            else (descending(known, place) + missing)
        )
    scored = [(cells(line, by)[0][1], line) for line in found]
    known_scores = sorted({score for score, _ in scored if score is not None}, reverse=not request.ascending)
    result = [line for wanted in known_scores for score, line in scored if score == wanted]
    return result + [line for score, line in scored if score is None]


def descending(known: list[Line], place: int) -> list[Line]:
    """By one text downwards, equal ones as they stand."""
    texts = sorted({line.values[place] or "" for line in known}, reverse=True)
    return [line for text in texts for line in known if line.values[place] == text]


@dataclass
class Expected:
    body: bytes
    rows: int
    rows_total: int


def answer(world: World, request: CohortRequest, as_of: dict[str, date], mandatory: Sequence[Filter] = ()) -> Expected:
    """The bytes of the file and its counts."""
    found = ordered(request, lines(world, request, as_of, mandatory))
    pairs = [(line, measure) for line in found for measure in request.measures]
    kept = pairs[: request.limit]
    write = as_csv if request.format == "csv" else as_json
    return Expected(write(request, kept), len(kept), len(pairs))


def bands(request: CohortRequest) -> list[str]:
    return [f"{request.granularity}{band}" for band in range(request.band_count)]


def interval(line: Line, band: int) -> tuple[str, str] | None:
    observable = line.request.denominator == "observable"
    people_count = line.observable(band) if observable else line.users
    return wilson(line.active(band), people_count) if line.started(band) else None


def as_json(request: CohortRequest, rows: list[tuple[Line, str]]) -> bytes:
    objects = []
    for line, measure in rows:
        data = {
            name: written(*cell)
            for band, (name, cell) in enumerate(zip(bands(request), cells(line, measure), strict=True))
            if line.started(band) or request.incomplete_bands != "omit"
        }
        one: dict[str, object] = {
            "users": line.users,
            "cost": None if line.cost is None else money(line.cost),
            "metric": metric(request, measure),
            "measure": measure,
            "per_user": request.per_user,
            "cumulative": request.cumulative,
            "data": data,
            **dict(zip(request.dimensions, line.values, strict=True)),
        }
        if request.observable_users:
            one["observable_users"] = {name: line.observable(band) for band, name in enumerate(bands(request))}
        if request.band_status:
            one["band_status"] = {name: line.status(band) for band, name in enumerate(bands(request))}
        if request.interval and measure == "Retention":
            one["retention_interval"] = {name: interval(line, band) for band, name in enumerate(bands(request))}
        objects.append(json.dumps(one, ensure_ascii=False, separators=(",", ":")))
    if request.format == "ndjson":
        return "".join(text + "\n" for text in objects).encode()
    return ("[" + ",\n".join(objects) + "]\n").encode()


def as_csv(request: CohortRequest, rows: list[tuple[Line, str]]) -> bytes:
    header = ["measure", "metric", "per_user", "cumulative", "users", "cost", *request.dimensions, *bands(request)]
    numbers = range(request.band_count)
    header += [f"observable_users_{name}" for name in bands(request)] if request.observable_users else []
    header += [f"band_status_{name}" for name in bands(request)] if request.band_status else []
    if request.interval:
        header += [f"retention_{side}_{name}" for side in ("low", "high") for name in bands(request)]
    table: list[list[object]] = [list(header)]
    for line, measure in rows:
        fields: list[object] = [measure, metric(request, measure)]
        fields += ["true" if flag else "false" for flag in (request.per_user, request.cumulative)]
        fields += [line.users, None if line.cost is None else money(line.cost), *line.values]
        fields += [written(*cell) for cell in cells(line, measure)]
        fields += [line.observable(band) for band in numbers] if request.observable_users else []
        fields += [line.status(band) for band in numbers] if request.band_status else []
        if request.interval:
            pairs = [interval(line, band) if measure == "Retention" else None for band in numbers]
            fields += [pair[side] if pair else None for side in (0, 1) for pair in pairs]
        table.append(fields)
    return "".join(",".join(map(field_text, fields)) + "\n" for fields in table).encode()


def field_text(value: object) -> str:
    text = "" if value is None else str(value)
    special = set(text) & set(',"\n\r')
    return '"' + text.replace('"', '""') + '"' if special else text
