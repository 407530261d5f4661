"""The objects of a cohort answer as heat maps: pure. What is shown is what the file says, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bough.cohorts.measures import Form, MeasureOptions, measure_of

Status = Literal["complete", "partial", "not_started"]

LEVELS = 9
MAX_CURVES = 7


class Cell(Struct, frozen=True, kw_only=True):
    """One band of one row."""

    band: int
    text: str
    """What is printed; empty for a band that has not started."""
    title: str
    """The whole truth: exact value, interval, how many have reached the band."""
    status: Status
    level: int = 0
    """0 to LEVELS: how strong the colour is."""


class HeatMapRow(Struct, frozen=True, kw_only=True):
    """One row."""

    values: tuple[str | None, ...]
    """Of the dimensions."""
    key: str
    """The same as JSON: dimension to value."""
    users: int
    cost: str | None
    cells: tuple[Cell, ...]


class HeatMap(Struct, frozen=True, kw_only=True):
    """One measure."""

    measure: str
    unit: str
    bands: tuple[str, ...]
    lines: tuple[HeatMapRow, ...]
    mean: tuple[Cell, ...]
    """Averages over the rows whose band has started, weighted by users."""
    users: int
    chart: str
    """Data of the curves (static/app.js)."""


def heat_maps(objects: Sequence[dict[str, Any]], body: dict[str, Any]) -> list[HeatMap]:
    """One map per measure, in the order of the request."""
    by_measure: dict[str, list[dict[str, Any]]] = {}
    for one in objects:
        by_measure.setdefault(one["measure"], []).append(one)
    return [_map(measure, found, body) for measure, found in by_measure.items()]


def form_of(measure: str, body: dict[str, Any]) -> Form:
    """How the measure's numbers are written."""
    asked = MeasureOptions(
        cumulative=bool(body.get("cumulative")), per_user=bool(body.get("per_user")), unique=bool(body.get("unique"))
    )
    return measure_of(measure).form_of(asked)


def is_percent(measure: str) -> tuple[bool, int]:
    """Whether a measure is shown in percent, and what its value is multiplied with for that."""
    if measure == "Retention":
        return True, 100
    return measure in ("ROAS", "ROI"), 1


def shown(value: Decimal, measure: str, form: Form) -> str:
    """A value as it is printed in a cell."""
    percent, factor = is_percent(measure)
    if percent:
        return f"{(value * factor).quantize(Decimal('0.1'), ROUND_HALF_EVEN):,} %"
    if form is Form.MONEY or measure in ("ARPU", "ARPPU", "LTV", "eCPA", "revenue", "cost", "GROSS_PROFIT"):
        return f"{'-' if value < 0 else ''}${abs(value).quantize(Decimal('0.01'), ROUND_HALF_EVEN):,}"
    if form is Form.COUNT:
        return f"{value:,}"
    return f"{value.quantize(Decimal('0.001'), ROUND_HALF_EVEN).normalize():,f}"


def _map(measure: str, objects: list[dict[str, Any]], body: dict[str, Any]) -> HeatMap:
    form = form_of(measure, body)
    names = list(objects[0]["data"])
    dimensions = body["dimensions"]
    first = 1 if measure == "Retention" else 0
    numbers = [
        Decimal(str(value)) for one in objects for value in list(one["data"].values())[first:] if value is not None
    ]
    most = max(numbers, default=Decimal(0))
    lines = [_line(one, names, dimensions, measure, form, most) for one in objects]
    mean = tuple(_mean(objects, name, place, measure, form, most) for place, name in enumerate(names))
    return HeatMap(
        measure=measure,
        unit="percent" if is_percent(measure)[0] else form.value,
        bands=tuple(names),
        lines=tuple(lines),
        mean=mean,
        users=sum(one["users"] for one in objects),
        chart=_chart(measure, form, objects, names, dimensions),
    )


def _line(
    one: dict[str, Any], names: list[str], dimensions: list[str], measure: str, form: Form, most: Decimal
) -> HeatMapRow:
    cells = tuple(_cell(one, name, place, measure, form, most) for place, name in enumerate(names))
    values = {name: one[name] for name in dimensions}
    return HeatMapRow(
        values=tuple(values.values()),
        key=msgspec.json.encode(values).decode(),
        users=one["users"],
        cost=one["cost"],
        cells=cells,
    )


def _cell(one: dict[str, Any], name: str, place: int, measure: str, form: Form, most: Decimal) -> Cell:
    status: Status = one.get("band_status", {}).get(name, "complete")
    value = one["data"].get(name)
    reached = one.get("observable_users", {}).get(name, one["users"])
    if status == "not_started":
        return Cell(band=place, text="", title=f"{name}: nobody has got so far yet", status=status)
    if value is None:
        return Cell(band=place, text="–", title=f"{name}: undefined", status=status)
    number = Decimal(str(value))
    parts = [f"{name}: {value}" if not is_percent(measure)[0] else f"{name}: {shown(number, measure, form)}"]
    interval = (one.get("retention_interval") or {}).get(name)
    if interval:
        low, high = (shown(Decimal(str(side)), measure, form) for side in interval)
        parts.append(f"95 % interval {low} to {high}")
    if status == "partial":
        parts.append(f"not finished: {reached:,} of {one['users']:,} have got so far")
    return Cell(
        band=place, text=shown(number, measure, form), title="; ".join(parts), status=status,
        level=_level(number, most),
    )  # fmt: skip


def _level(value: Decimal, most: Decimal) -> int:
    if value <= 0 or most <= 0:
        return 0
    return max(1, min(LEVELS, int(LEVELS * value / most + Decimal("0.5"))))


def _mean(objects: list[dict[str, Any]], name: str, place: int, measure: str, form: Form, most: Decimal) -> Cell:
    found = [
        (Decimal(str(one["data"][name])), one["users"], one.get("band_status", {}).get(name))
        for one in objects
        if one["data"].get(name) is not None and one.get("band_status", {}).get(name) != "not_started"
    ]
    users = sum(weight for _, weight, _ in found)
    if not users:
        return Cell(band=place, text="", title=f"{name}: nothing to average yet", status="not_started")
    mean = sum((value * weight for value, weight, _ in found), Decimal(0)) / users
    partial = any(status == "partial" for _, _, status in found)
    ratio = Form.RATIO if form is Form.COUNT else form
    title = f"{name}: average of {len(found)} rows, weighted by {users:,} users"
    return Cell(
        band=place, text=shown(mean, measure, ratio), title=title + ("; some are not finished" if partial else ""),
        status="partial" if partial else "complete", level=_level(mean, most),
    )  # fmt: skip


def _chart(measure: str, form: Form, objects: list[dict[str, Any]], names: list[str], dimensions: list[str]) -> str:
    percent, factor = is_percent(measure)
    largest = sorted(objects, key=lambda one: -one["users"])[:MAX_CURVES]
    series = []
    for one in largest:
        label = ", ".join("none" if one[name] is None else str(one[name]) for name in dimensions)[:60] or "All"
        series += _curve(label, one, names, factor)
    money = form is Form.MONEY or measure in ("ARPU", "ARPPU", "LTV", "eCPA")
    value = {"x": "Band", "labels": names, "money": money, "unit": " %" if percent else "", "series": series}
    return msgspec.json.encode(value).decode()


def _curve(label: str, one: dict[str, Any], names: list[str], factor: Decimal | int) -> list[dict[str, Any]]:
    """A row's finished bands, and its unfinished ones as a dotted part of their own that the line goes on into."""
    status = [one.get("band_status", {}).get(name, "complete") for name in names]
    values = [
        None
        if one["data"].get(name) is None or state == "not_started"
        else float(Decimal(str(one["data"][name])) * factor)
        for name, state in zip(names, status, strict=True)
    ]
    whole = status.index("partial") if "partial" in status else len(names)
    solid = [*values[:whole], *([None] * (len(names) - whole))]
    if whole == len(names):
        return [{"label": label, "values": solid}]
    ahead = max(0, whole - 1)
    return [{"label": label, "values": solid, "all": values},
            {"label": "", "values": [*([None] * ahead), *values[ahead:]], "tail": True}]  # fmt: skip
