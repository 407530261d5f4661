"""The SQL of typical requests, one file per case, so that a diff shows what changed.

`BOUGH_WRITE_SNAPSHOTS=1` writes the files anew.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bough.cohorts.arrays.selection import SelectionWriter, members_query
from bough.cohorts.arrays.table_facts import TableFacts
from bough.cohorts.plan import AppScope, plan
from bough.cohorts.request import parse
from bough.vocabulary.filters import Filter

FOLDER = Path(__file__).parent / "snapshots"
CAMPAIGN = "install_activity_touch_data_tilde_campaign"
TAGS = "install_activity_touch_data_tilde_tags"
DAY = "install_activity_timezone_adjusted_day"

FACTS = TableFacts(
    apps=((4, 19_850),),
    events={"OPEN": 2, "WEB_SESSION_START": 3},
    revenue_events=(5, 6),
    texts={"A": 7, "IOS": 8},
)

CASES: dict[str, dict[str, Any]] = {
    "total": {},
    "by_campaign_and_day": {"dimensions": [CAMPAIGN, DAY], "measures": ["OPEN", "revenue", "ARPPU"]},
    "ordered_by_dimension": {"dimensions": [CAMPAIGN], "ordered_by": CAMPAIGN, "ordered": "ascending"},
    "ordered_by_measure": {"dimensions": [CAMPAIGN], "ordered_by": "OPEN"},
    "filters": {"filters": {CAMPAIGN: ["A", "!B", None], TAGS: ["x"], DAY: ["2024-05-01"], "user_data_os": ["IOS"]}},
    "unique_cumulative_weeks": {"unique": True, "cumulative": True, "granularity": "week"},
    "by_conversion_event": {
        "dimensions": [CAMPAIGN, "user_data_os"],
        "unique": True,
        "measures": ["OPEN", "Retention"],
    },
    "retention_on_or_after": {"measures": ["Retention"], "retention_type": "on_or_after"},
    "observable": {"measures": ["LTV", "OPEN"], "denominator": "observable", "cumulative": True, "per_user": True},
    "recalculated": {"enable_install_recalculation": True, "min_cohort_size": 5},
    "reengagement": {
        "data_source": "reengagement_cohort",
        "dimensions": ["reengagement_activity_data_os"],
        "measures": ["Retention", "ARPPU", "cost"],
    },
}


@pytest.mark.parametrize("case", CASES)
def test_sql_is_as_recorded(case: str) -> None:
    body = {
        "start_date": "2024-05-01",
        "end_date": "2024-05-02",
        "data_source": "install_cohort",
        "measures": ["OPEN"],
        "granularity_band_count": 3,
        **CASES[case],
    }
    request = parse(body, {"app_id": "1"}, today=date(2024, 6, 1))
    mandatory = (Filter("install_activity_touch_data_tilde_agency_id", ("7",)),) if case == "filters" else ()
    the_plan = plan(request, [AppScope("1", 19_850)], mandatory)
    texts = []
    for wanted, write in ((True, members_query), (the_plan.costed, SelectionWriter.costs)):
        if wanted:
            writer = SelectionWriter(the_plan, FACTS)
            texts += [write(writer) + "\n", *(f"-- ${name} = {value!r}\n" for name, value in writer.values.items())]
    text = "".join(texts)
    file = FOLDER / f"{case}.sql"
    if os.environ.get("BOUGH_WRITE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def test_no_snapshot_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.sql")} == set(CASES)
