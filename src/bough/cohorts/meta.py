"""`GET /v2/analytics/meta`: what a request may say, read off the tables that check it (docs/exports.md)."""

from __future__ import annotations

from typing import Any

from bough.cohorts.measures import EVENT_PREFIX, MEASURES, MeasureOptions, measure_of
from bough.cohorts.request import (
    BAND_DAYS,
    COMPRESSED,
    DEFAULT_LIMIT,
    FORMATS,
    MAX_BAND_DAYS,
    MAX_DAYS,
    MAX_DIMENSIONS,
    MAX_LIMIT,
    MAX_MEASURES,
)
from bough.vocabulary.dimensions import PREFIX, dimensions_of


def meta() -> dict[str, Any]:
    """Dimensions per data source, measures, granularities, formats and limits, ready for JSON."""
    return {
        "data_sources": {
            source: {
                "dimensions": [
                    {
                        "name": dimension.name,
                        "label": dimension.label,
                        "kind": dimension.kind.value,
                        "of": "cohort event" if dimension.of_member else "conversion event",
                    }
                    for dimension in dimensions_of(source)
                ]
            }
            for source in PREFIX
        },
        "measures": [
            {"name": name, "metric": measure_of(name).metric, "form": measure_of(name).form_of(MeasureOptions()).value}
            for name in MEASURES
        ],
        "custom_events_are_measures": True,
        "event_prefix": EVENT_PREFIX,
        "granularities": {name: {"days": days, "max_bands": MAX_BAND_DAYS // days} for name, days in BAND_DAYS.items()},
        "formats": [*FORMATS, *COMPRESSED],
        "limits": {
            "dimensions": MAX_DIMENSIONS,
            "measures": MAX_MEASURES,
            "days": MAX_DAYS,
            "records": MAX_LIMIT,
            "default_records": DEFAULT_LIMIT,
        },
    }
