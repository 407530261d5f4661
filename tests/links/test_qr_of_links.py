"""`qr_code_settings` of a link: kept when it is made or updated, and drawn at GET /api/links/{id}/qr-code."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
from PIL import Image

from bough.links.qr.look import MAX_KEPT_BYTES
from tests.conftest import Api, error
from tests.links.test_patch_api import details, patch
from tests.links.test_qr_api import decoded

LOOK = {"code_color": "#102030", "width": 600, "code_pattern": 3}


def code(api: Api, url: str, **query: Any) -> httpx.Response:
    """GET /api/links/{id}/qr-code."""
    return api.manage("GET", f"/api/links/{api.link_id(url)}/qr-code", params=query)


def colors(response: httpx.Response) -> set[tuple[int, ...]]:
    """The colours of a picture, those of its edges left out."""
    picture = Image.open(io.BytesIO(response.content)).convert("RGB")
    counted = picture.getcolors(1 << 24) or []
    return {color for count, color in counted if isinstance(color, tuple) and count > picture.width**2 // 50}


def test_a_link_keeps_the_look_that_it_was_made_with(api: Api) -> None:
    url = api.created(type=2, data={"$marketing_title": "Poster"}, qr_code_settings=LOOK)
    assert details(api, url)["qr_code_settings"] == LOOK
    assert "qr_code_settings" not in api.read(url).text
    response = code(api, url)
    assert response.headers["content-type"] == "image/png"
    assert decoded(response) == url
    assert Image.open(io.BytesIO(response.content)).size == (600, 600)
    assert colors(response) == {(0x10, 0x20, 0x30), (255, 255, 255)}


def test_without_settings_it_looks_as_usual(api: Api) -> None:
    for more in ({}, {"qr_code_settings": None}, {"qr_code_settings": {"width": 512, "code_color": "#000"}}):
        url = api.created(**more)
        assert details(api, url)["qr_code_settings"] is None
        assert decoded(code(api, url)) == url


def test_fields_of_the_query_go_over_it_and_are_not_kept(api: Api) -> None:
    url = api.created(qr_code_settings=LOOK)
    response = code(api, url, width=300, image_format="jpeg")
    assert response.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(response.content)).size == (300, 300)
    assert details(api, url)["qr_code_settings"] == LOOK
    assert "size: is not a part of a code's look" in code(api, url, size=3).json()["error"]["message"]
    refused = code(api, url, width=3)
    assert refused.json() == error(400, "qr_code_settings.width must be a whole number from 300 to 2000")


def test_an_update_restyles_it_and_one_without_it_does_not(api: Api) -> None:
    url = api.created(channel="a", qr_code_settings=LOOK)
    assert api.update(url, channel="b").status_code == 200
    assert details(api, url)["qr_code_settings"] == LOOK
    answer = api.update(url, qr_code_settings='{"code_color": "#abc000"}')
    assert answer.status_code == 200
    assert "qr_code_settings" not in answer.text
    assert details(api, url)["qr_code_settings"] == {"code_color": "#abc000"}
    assert api.update(url, **api.read(url).json()).status_code == 200
    assert details(api, url)["qr_code_settings"] == {"code_color": "#abc000"}
    assert patch(api, url, qr_code_settings=None)["qr_code_settings"] is None
    changed = [entry["changed"] for entry in details(api, url)["history"]]
    assert changed[0] == {"qr_code_settings": {"from": {"code_color": "#abc000"}, "to": None}}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 10}, "qr_code_settings.width must be a whole number from 300 to 2000"),
        ({"code_color": "red"}, "qr_code_settings.code_color must be a hex colour such as #1a7f4b"),
        ([1], "qr_code_settings must be an object or the JSON text of one"),
        (
            {"center_logo_url": "data:image/png;base64," + "A" * MAX_KEPT_BYTES},
            "qr_code_settings must have at most 16 KB of JSON; name pictures by their http(s) URLs",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_stored(api: Api, settings: Any, message: str) -> None:
    body = {"branch_key": api.key, "alias": "qr-refused", "qr_code_settings": settings}
    refused = api.http.post("/v1/url", json=body)
    assert (refused.status_code, refused.json()) == (400, error(400, message))
    assert api.read(f"{api.running.base_url}/qr-refused").status_code == 404
    kept = api.created(qr_code_settings=LOOK)
    assert api.update(kept, qr_code_settings=settings).json() == error(400, message)
    assert details(api, kept)["qr_code_settings"] == LOOK


def test_a_repeated_alias_with_another_look_is_another_link(api: Api) -> None:
    body = {"branch_key": api.key, "alias": "qr-again", "qr_code_settings": LOOK}
    assert [api.http.post("/v1/url", json=body).status_code for _ in range(2)] == [200, 200]
    assert api.http.post("/v1/url", json={**body, "qr_code_settings": {"width": 700}}).status_code == 409


def test_bulk_and_csv_know_it(api: Api) -> None:
    first, second = api.http.post(
        f"/v1/url/bulk/{api.key}", json=[{"qr_code_settings": LOOK}, {"qr_code_settings": {"margin": 99}}]
    ).json()
    assert details(api, first["url"])["qr_code_settings"] == LOOK
    assert second == {"error": "qr_code_settings.margin must be a whole number from 0 to 20"}
    rows = f'url,qr_code_settings\n{first["url"]},"{{""margin"": 4}}"\n'
    headers = {"Content-Type": "text/csv"}
    assert api.manage("POST", "/api/links/bulk-update", content=rows, headers=headers).json()["done"] == 1
    assert details(api, first["url"])["qr_code_settings"] == {"margin": 4}


def test_a_link_made_by_its_code_keeps_the_look(api: Api) -> None:
    body = {"branch_key": api.key, "qr_code_settings": LOOK}
    url = decoded(api.http.post("/v2/qr-code", json=body))
    assert details(api, url)["qr_code_settings"] == LOOK


def test_another_organization_does_not_see_it(api: Api) -> None:
    url = api.created(qr_code_settings=LOOK)
    assert api.http.get(f"/api/links/{api.link_id(url)}/qr-code").status_code in (400, 401)
    assert api.manage("GET", "/api/links/123456789012345678/qr-code").status_code == 404
