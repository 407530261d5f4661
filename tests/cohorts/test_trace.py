"""Every number can be followed to its rows: as many events and people behind a cell as the cell says."""

from __future__ import annotations

import json
from datetime import date
from random import Random

import pytest

from bough.cohorts.files import file_bytes
from bough.cohorts.meta import meta
from bough.cohorts.plan import AppScope
from bough.cohorts.request import parse
from bough.cohorts.result import answer
from bough.cohorts.trace import cell_rows, estimate
from bough.errors import BadRequest
from tests.cohorts import worlds
from tests.cohorts.test_against_reference import in_order

EPOCH = date(1970, 1, 1)
AS_OF = (date(2024, 5, 20) - EPOCH).days


@pytest.mark.parametrize("source", ["install_cohort", "reengagement_cohort"])
@pytest.mark.parametrize("later", [[], ["user_data_standard_events_completed", "user_data_os"]])
@pytest.mark.parametrize("recalculated", [False, True])
def test_cells_and_their_rows_agree(source: str, later: list[str], recalculated: bool) -> None:
    prefix = source.removesuffix("_cohort") + "_activity_"
    warehouse = in_order(worlds.world(Random(7), 90))
    body = {
        "start_date": "2024-03-08",
        "end_date": "2024-05-05",
        "data_source": source,
        "measures": ["OPEN", "INSTALL", "users", "PURCHASE"],
        "dimensions": [prefix + "data_os", prefix + "touch_data_tilde_tags", *later],
        "granularity": "week",
        "granularity_band_count": 3,
        "enable_install_recalculation": recalculated,
    }
    request = parse(body, {"app_id": "100", "format": "json", "limit": "50000"}, today=date(2024, 6, 1))
    scope = [AppScope("100", AS_OF)]
    objects = json.loads(file_bytes(answer(warehouse.connection, request, scope)))
    assert objects
    for found in objects[:8]:
        values = {name: found[name] for name in request.dimensions}
        for band in (0, 1):
            behind = cell_rows(warehouse.connection, request, scope, values, found["measure"], band)
            if source == "install_cohort":
                assert behind.members_total == found["users"]
            if found["measure"] != "users":
                assert behind.events_total == found["data"][f"week{band}"], (found, band)


def test_a_cell_that_is_not_there_is_refused() -> None:
    warehouse = in_order(worlds.world(Random(7), 20))
    body = {
        "start_date": "2024-03-08",
        "end_date": "2024-05-05",
        "data_source": "install_cohort",
        "measures": ["OPEN"],
        "granularity_band_count": 3,
    }
    request = parse(body, {"app_id": "100"}, today=date(2024, 6, 1))
    with pytest.raises(BadRequest, match="measure"):
        cell_rows(warehouse.connection, request, [AppScope("100", AS_OF)], {}, "OPEN", 3)
    with pytest.raises(BadRequest, match="values"):
        cell_rows(warehouse.connection, request, [AppScope("100", AS_OF)], {"app_id": "1"}, "OPEN", 0)
    found = estimate(warehouse.connection, request, [AppScope("100", AS_OF)])
    assert (found.objects, found.members > 0, found.activity_rows > 0) == (1, True, True)


def test_meta_lists_what_requests_accept() -> None:
    found = meta()
    assert len(found["data_sources"]["install_cohort"]["dimensions"]) == 47 + 12 + 2
    assert found["limits"] == {
        "dimensions": 11,
        "measures": 5,
        "days": 90,
        "records": 50_000,
        "default_records": 100,
    }
