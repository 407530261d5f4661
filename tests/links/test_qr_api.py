"""POST /v1/qr-code and /v2/qr-code."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import zxingcpp
from PIL import Image

from bough.web.limits import LIMITS
from tests.conftest import Api, error
from tests.running import Running

DESKTOP = "https://example.com/qr"


def decoded(response: httpx.Response) -> str:
    """The text of the code in a picture."""
    assert response.status_code == 200, response.text
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(response.content)).convert("RGB"))
    assert len(found) == 1
    text: str = found[0].text
    return text


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_picture_leads_to_a_new_link(api: Api, version: str) -> None:
    body = {"branch_key": api.key, "channel": "poster", "data": {"$desktop_url": DESKTOP}, "qr_code_settings": {}}
    response = api.http.post(f"/{version}/qr-code", json=body)
    assert response.headers["content-type"] == "image/png"
    assert response.headers["access-control-allow-origin"] == "*"
    document = api.read(decoded(response)).json()
    assert document["channel"] == "poster"
    assert document["data"]["$desktop_url"] == DESKTOP
    assert decoded(api.http.post(f"/{version}/qr-code", json=body)) != decoded(response)


def test_settings_are_optional(api: Api) -> None:
    url = decoded(api.http.post("/v2/qr-code", json={"branch_key": api.key}))
    assert api.read(url).status_code == 200


def test_form_of_the_web_sdk_with_texts_only(api: Api) -> None:
    settings = {"width": "600", "margin": "4", "code_color": "#102030", "image_format": "JPEG"}
    form = {
        "branch_key": api.key,
        "data": json.dumps({"k": "v"}),
        "qr_code_settings": json.dumps(settings),
        "tags": "a",
    }
    response = api.http.post("/v1/qr-code", data=form)
    assert response.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(response.content)).size == (600, 600)
    document = api.read(decoded(response)).json()
    assert document["data"]["k"] == "v"
    assert document["tags"] == ["a"]


def test_android_labels_its_json_as_a_form(api: Api) -> None:
    body = json.dumps({"branch_key": api.key, "qr_code_settings": {"image_format": "PNG"}, "data": {"k": 1}})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "image/*"}
    response = api.http.post("/v1/qr-code", content=body, headers=headers)
    assert api.read(decoded(response)).json()["data"]["k"] == 1


def test_svg(api: Api) -> None:
    body = {"branch_key": api.key, "alias": "qr-svg", "qr_code_settings": {"image_format": "svg"}}
    response = api.http.post("/v2/qr-code", json=body)
    assert response.headers["content-type"].startswith("image/svg+xml")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.text.startswith("<svg") or response.text.startswith("<?xml")
    assert api.read(f"{api.running.base_url}/qr-svg").status_code == 200


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"width": 20}, "qr_code_settings.width"),
        ({"code_color": "red"}, "qr_code_settings.code_color"),
        ("no json", "qr_code_settings"),
        (["a"], "qr_code_settings"),
        ({"code_color": "#fff", "background_color": "#ffffff"}, "qr_code_settings.code_color"),
        ({"center_logo_url": "http://127.0.0.1:9/logo.png"}, "qr_code_settings.center_logo_url"),
        ({"center_logo_url": "data:image/png;base64,AAAA"}, "qr_code_settings.center_logo_url"),
    ],
)
def test_settings_that_cannot_be_used_store_nothing(api: Api, settings: object, named: str) -> None:
    body = {"branch_key": api.key, "alias": "qr-never", "qr_code_settings": settings}
    response = api.http.post("/v2/qr-code", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(named)
    assert api.read(f"{api.running.base_url}/qr-never").status_code == 404


def test_wrong_link_parameters_and_keys_are_errors(api: Api) -> None:
    assert api.http.post("/v2/qr-code", json={"branch_key": api.key, "channel": 5}).json() == error(
        400, "channel: must be a string."
    )
    assert api.http.post("/v2/qr-code", json={"branch_key": "key_live_x"}).json() == error(
        400, "Invalid or missing app id, Branch key, or secret"
    )


def test_the_same_alias_twice_gives_the_same_link_and_another_content_a_conflict(api: Api) -> None:
    body = {"branch_key": api.key, "alias": "qr-twice", "channel": "a"}
    first = decoded(api.http.post("/v2/qr-code", json=body))
    assert decoded(api.http.post("/v2/qr-code", json=body)) == first == f"{api.running.base_url}/qr-twice"
    response = api.http.post("/v2/qr-code", json={**body, "channel": "b"})
    assert response.json() == error(409, f"Link alias conflict: {api.card['link_domain']}/qr-twice")


@pytest.fixture
def logo() -> Iterator[str]:
    """The address of a picture on a private address."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "#aa2233").save(buffer, "PNG")

    class Pictures(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(buffer.getvalue())))
            self.end_headers()
            self.wfile.write(buffer.getvalue())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Pictures)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/logo.png"
    server.shutdown()
    thread.join()
    server.server_close()


def test_logo_from_a_private_address_by_setting_and_the_rate_limit(data_folder: Path, logo: str) -> None:
    running = Running(data_folder, "--empty", environment={"BOUGH_FETCH_PRIVATE": "allow"})
    client = Api(running)
    try:
        settings = {"center_logo_url": logo, "width": 600}
        response = client.http.post("/v2/qr-code", json={"branch_key": client.key, "qr_code_settings": settings})
        assert client.read(decoded(response)).status_code == 200
        red = Image.open(io.BytesIO(response.content)).convert("RGB").getpixel((300, 300))
        assert red == (0xAA, 0x22, 0x33)

        wrong = urlencode({"branch_key": client.key, "qr_code_settings": "no"})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        for _ in range(2 * LIMITS["qr"].minute):
            answered = client.http.post("/v1/qr-code", content=wrong, headers=headers)
            if answered.status_code == 429:
                break
        assert answered.json() == error(429, "Rate limit reached.")
        assert 1 <= int(answered.headers["retry-after"]) <= 60
    finally:
        client.http.close()
        running.stop()
