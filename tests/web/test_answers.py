"""What every API answer has in common: shape, CORS, methods, media types (docs/links.md, docs/errors.md)."""

from __future__ import annotations

import re

import pytest

from bough.server.route_table import ROUTES, TABLE
from bough.web.routing import Route
from tests.conftest import Api, error

NOT_FOUND = error(404, "The resource you were looking for could not be found.")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def address(route: Route) -> str:
    """The route's path with something in its variables."""
    return re.sub(r"\{\w+(:path)?\}", "x", route.path)


PATHS = sorted({address(route) for route in ROUTES})


@pytest.mark.parametrize("path", PATHS)
def test_browsers_may_call_it_from_any_page(api: Api, path: str) -> None:
    """A preflight, as for a JSON request with a token."""
    asked = {
        "Origin": "https://customer.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type, access-token",
    }
    response = api.http.options(path, headers=asked)
    assert (response.status_code, response.content) == (200, b"")
    allowed = ", ".join(TABLE.allowed(path))
    expected = {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": allowed,
        "access-control-allow-headers": "Content-Type, Access-Token",
        "access-control-max-age": "86400",
        "allow": allowed,
    }
    assert {name: response.headers[name] for name in expected} == expected


@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith(("/v1", "/v2", "/api"))])
def test_errors_too_are_readable_by_browsers(api: Api, path: str) -> None:
    for method in METHODS:
        response = api.http.request(method, path)
        assert response.headers["access-control-allow-origin"] == "*", method
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/json", method
            assert list(response.json()) == ["error"]
            assert response.json()["error"]["code"] == response.status_code


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_a_path_does_not_have(api: Api, path: str) -> None:
    allowed = ", ".join(TABLE.allowed(path))
    for method in METHODS:
        if method in TABLE.allowed(path):
            continue
        response = api.http.request(method, path)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)
        assert response.json() == error(405, f"This address answers {allowed} only.")


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/urls/",
        "/v1/URL",
        "/v1/url/x",
        "/v1/url/bulk",
        "/v2",
        "/v2/x",
        "/api",
        "/api/x/y",
        "/v1/%2e%2e/x",
        "/v1//url",
        "/openapi.json/x",
        "/healthz/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_paths_of_the_api_answer_json(api: Api, method: str, path: str) -> None:
    response = api.http.request(method, path)
    assert (response.status_code, response.json()) == (404, NOT_FOUND)
    assert response.headers["access-control-allow-origin"] == "*"


def test_health_and_readiness(api: Api) -> None:
    assert (api.http.get("/healthz").json(), api.http.get("/readyz").json()) == ({"status": "ok"}, {"status": "ready"})


@pytest.mark.parametrize("media_type", ["text/xml", "multipart/form-data; boundary=x", "application/octet-stream"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/url"), ("PUT", "/v1/url"), ("POST", "/v1/url/bulk/x")])
def test_other_media_types(api: Api, method: str, path: str, media_type: str) -> None:
    response = api.http.request(method, path, content=b"--x", headers={"Content-Type": media_type})
    message = "Content-Type: must be application/json or application/x-www-form-urlencoded."
    assert (response.status_code, response.json()) == (415, error(415, message))


def test_a_form_has_at_most_2000_fields(api: Api) -> None:
    body = "&".join(f"a{i}=1" for i in range(2001))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = api.http.post("/v1/url", content=body, headers=headers)
    assert (response.status_code, response.json()) == (400, error(400, "The body has more than 2000 form fields."))


@pytest.mark.parametrize("body", [b"a=%ff", b"a=\xff", b"%ff=a"])
def test_a_form_that_is_not_utf_8(api: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = api.http.post("/v1/url", content=body, headers=headers)
    assert (response.status_code, response.json()) == (400, error(400, "The body is not valid UTF-8."))
