"""Link types 0, 1 and 2 (docs/links.md, docs/errors.md)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps import new_app
from tests.conftest import Api, error


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        (None, 0),
        ("", 0),
        (0, 0),
        ("0", 0),
        (1, 1),
        ("1", 1),
        (2, 2),
        ("2", 2),
        ("STANDARD", 0),
        ("standard", 0),
        ("ONE_TIME", 1),
        ("ONE_TIME_USE", 1),
        ("MARKETING", 2),
    ],
)
def test_types_as_numbers_digits_and_names(api: Api, sent: Any, number: int) -> None:
    assert api.read(api.created(type=sent)).json()["type"] == number


@pytest.mark.parametrize(
    ("parameters", "one_time"),
    [
        ({}, False),
        ({"type": 1}, True),
        ({"type": 2}, False),
        ({"data": {"$one_time_use": True}}, True),
        ({"data": {"$one_time_use": "true"}}, True),
        ({"data": {"$one_time_use": False}}, False),
        ({"type": 1, "data": {"$one_time_use": False}}, True),
    ],
)
def test_one_time_use_is_always_said(api: Api, parameters: dict[str, Any], one_time: bool) -> None:
    assert api.read(api.created(**parameters)).json()["data"]["$one_time_use"] is one_time


def test_marketing_links_are_marked(api: Api) -> None:
    data = api.read(api.created(type=2, data={"$marketing_title": "Spring"})).json()["data"]
    assert (data["~marketing"], data["$marketing_title"]) == (True, "Spring")


def test_marketing_links_can_be_switched_off(api: Api) -> None:
    app = new_app(api, allow_type2=False)
    response = app.create(type=2)
    message = "You don't have access to this type. Please try again with type 0 (default) or 1."
    assert (response.status_code, response.json()) == (403, error(403, message))
    assert [app.create(type=number).status_code for number in (0, 1)] == [200, 200]
    bulk = app.http.post(f"/v1/url/bulk/{app.key}", json=[{"type": 2}, {"type": 0}])
    assert (bulk.status_code, bulk.json()[0], list(bulk.json()[1])) == (200, {"error": message}, ["url"])
