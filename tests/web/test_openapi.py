"""GET /openapi.json, docs/api.md, and that the server answers as they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from bough.server.reference import reference
from bough.server.route_table import API_SEGMENTS, ROUTES
from bough.web.openapi import document, plain_path
from bough.web.routing import Route
from tests.conftest import Api

DOCUMENT = document(ROUTES, "https://go.example.com")
OPERATIONS = [(route.method, plain_path(route)) for route in ROUTES]

BRANCH = [
    ("POST", "/v1/url"),
    ("GET", "/v1/url"),
    ("PUT", "/v1/url"),
    ("DELETE", "/v1/url"),
    ("POST", "/v1/url/bulk/{branch_key}"),
    ("GET", "/v1/app/{branch_key}"),
    ("PUT", "/v1/app/{branch_key}"),
    ("POST", "/v1/app"),
    ("POST", "/v1/qr-code"),
    ("POST", "/v2/qr-code"),
]
"""docs/links.md."""


def operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


def test_the_document_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_the_server_gives_it_out(api: Api) -> None:
    response = api.http.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.json() == document(ROUTES, api.running.base_url)


def test_every_operation_is_there_once() -> None:
    paths = DOCUMENT["paths"]
    assert sorted(OPERATIONS) == sorted((method.upper(), path) for path in paths for method in paths[path])
    assert set(BRANCH) <= set(OPERATIONS)
    names = [route.operation_id for route in ROUTES]
    assert sorted(names) == sorted(set(names))
    assert {route.path.split("/")[1] for route in ROUTES} <= API_SEGMENTS


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_an_operation_says_all_about_itself(route: Route) -> None:
    described = operation(route.method, plain_path(route))
    assert route.summary
    assert not route.summary.endswith(".")
    assert set(re.findall(r"\{(\w+)(?::path)?\}", route.path)) == {
        parameter.name for parameter in route.parameters if parameter.place == "path"
    }
    if route.access == "token":
        assert described["security"] == [{"AccessToken": []}]
    if route.limit:
        assert "429" in described["responses"]
        assert described["x-rate-limit"]["second"] > 0
    for status, response in described["responses"].items():
        if status != "200":
            assert response == {"$ref": f"#/components/responses/{status}"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_operation_has_the_error_shape_for_bad_requests(api: Api, route: Route) -> None:
    if route.access == "public":
        return
    path = re.sub(r"\{[^}]*\}", "none", route.path)
    response = api.http.request(route.method, path, content=b"{not json" if route.has_body else None)
    assert str(response.status_code) in operation(route.method, plain_path(route))["responses"]
    assert response.headers["content-type"] == "application/json"
    check(response, DOCUMENT["components"]["schemas"]["Error"])
    assert response.json()["error"]["code"] == response.status_code


def check(response: httpx.Response, schema: dict[str, Any]) -> None:
    """The answer is as its schema says, and holds nothing that the schema does not name."""
    errors = [
        f"{error.json_path}: {error.message}" for error in OAS31Validator(closed(schema)).iter_errors(response.json())
    ]
    assert errors == []


def closed(schema: Any) -> Any:
    """The schema with every object that lists its properties closed to others."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: closed(part) for key, part in schema.items()}
    return {**parts, "additionalProperties": False} if isinstance(schema.get("properties"), dict) else parts


def answers(api: Api) -> Iterator[tuple[str, str, httpx.Response]]:
    """An answer of each operation on links and apps."""
    card = api.card
    url = api.created(channel="a", tags=["t"], data={"$og_title": "T"})
    identifier = api.link_id(url)
    alias = f"openapi-{identifier}"
    yield "POST", "/v1/url", api.create()
    yield "POST", "/v1/url/bulk/{branch_key}", api.http.post(f"/v1/url/bulk/{api.key}", json=[{}, {"type": 9}])
    yield "GET", "/v1/url", api.read(url)
    yield "PUT", "/v1/url", api.update(url, channel="b")
    yield "GET", "/api/links", api.manage("GET", "/api/links")
    yield "PATCH", "/api/links/{id}", api.manage("PATCH", f"/api/links/{identifier}", json={"stage": "s"})
    yield "GET", "/api/links/{id}", api.manage("GET", f"/api/links/{identifier}")
    body = {"app_id": card["app_id"], "alias": alias}
    yield "PUT", "/api/links/by-alias", api.manage("PUT", "/api/links/by-alias", json=body)
    rows = f"url,channel\n{url},c\nnowhere,x\n"
    yield "POST", "/api/links/bulk-update", api.manage("POST", "/api/links/bulk-update", content=rows)
    yield "POST", "/api/decide", api.manage("POST", "/api/decide", json={"url": url})
    yield "POST", "/api/links/bulk-delete", api.manage("POST", "/api/links/bulk-delete?dry_run=1", content=rows)
    yield "DELETE", "/v1/url", api.delete(url)
    secret = {"branch_secret": card["branch_secret"]}
    yield "GET", "/v1/app/{branch_key}", api.http.get(f"/v1/app/{api.key}", params=secret)
    yield "PUT", "/v1/app/{branch_key}", api.http.put(f"/v1/app/{api.key}", json=secret)
    names = {"app_name": "A", "dev_name": "D", "dev_email": "d@example.com", "user_id": card["access_token"]}
    yield "POST", "/v1/app", api.http.post("/v1/app", json=names)
    yield "GET", "/healthz", api.http.get("/healthz")
    yield "GET", "/readyz", api.http.get("/readyz")


def test_answers_are_as_the_document_says(api: Api) -> None:
    for method, path, response in answers(api):
        assert response.status_code == 200, (method, path, response.text)
        check(response, operation(method, path)["responses"]["200"]["content"]["application/json"]["schema"])


def test_the_schemas_notice_a_wrong_answer() -> None:
    schema = operation("POST", "/v1/url")["responses"]["200"]["content"]["application/json"]["schema"]
    for wrong in ({}, {"url": 5}, {"url": "https://x/", "more": 1}):
        assert not OAS31Validator(closed(schema)).is_valid(wrong)


def test_the_reference_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "api.md"
    assert page.read_text() == reference(ROUTES), "run scripts/docs"


def test_the_reference_names_every_operation_and_parameter() -> None:
    page = reference(ROUTES)
    for route in ROUTES:
        assert f"### {route.method} {plain_path(route)}\n" in page
        for parameter in route.parameters:
            assert f"| `{parameter.name}` |" in page
