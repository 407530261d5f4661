"""POST /api/links/bulk-update and bulk-delete."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from bough.links.bulk import CHUNK
from tests.apps import alias, other_organization, token_of
from tests.conftest import Api, error
from tests.links.test_listing_api import name

UNKNOWN = "The resource you were looking for could not be found."


def send(api: Api, action: str, body: str | bytes, **query: str) -> Any:
    """The report of POST /api/links/bulk-…"""
    response = api.manage(
        "POST", f"/api/links/bulk-{action}", content=body, params=query, headers={"Content-Type": "text/csv"}
    )
    assert response.status_code == 200, response.text
    return response.json()


def ndjson(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def labels(api: Api, url: str) -> tuple[Any, Any]:
    document = api.read(url).json()
    return document.get("channel"), document["data"].get("$ios_url")


def test_csv_sets_labels_and_single_keys_and_reports_every_line(api: Api) -> None:
    first = api.created(channel="a", data={"$ios_url": "https://a.example/", "keep": 1})
    second = api.created(channel="same", data={"$ios_url": "https://same.example/"})
    body = (
        "url,channel,data.$ios_url\n"
        f"{first},b,https://b.example/\n"
        f"{api.running.base_url}/nowhere,b,\n"
        f"{second},same,\n"
        "\n"
        f"{second},x,javascript:alert(1)\n"
        f"{first}\n"
    )
    report = send(api, "update", body)
    assert report["dry_run"] is False
    assert (report["done"], report["unchanged"], report["failed"]) == (1, 1, 3)
    lines = report["lines"]
    assert lines[0] == {
        "line": 2,
        "url": first,
        "ok": True,
        "changed": {
            "channel": {"from": "a", "to": "b"},
            "data.$ios_url": {"from": "https://a.example/", "to": "https://b.example/"},
        },
    }
    assert lines[1] == {"line": 3, "url": f"{api.running.base_url}/nowhere", "ok": False, "error": UNKNOWN}
    assert lines[2] == {"line": 4, "url": second, "ok": True, "changed": {}}
    assert (lines[3]["line"], lines[3]["ok"]) == (6, False)
    assert lines[3]["error"].startswith("$ios_url ")
    assert lines[4] == {
        "line": 7,
        "url": "",
        "ok": False,
        "error": "The line has 1 cells, but the heading has 3.",
    }
    assert labels(api, first) == ("b", "https://b.example/")
    assert api.read(first).json()["data"]["keep"] == 1
    assert labels(api, second) == ("same", "https://same.example/")


def test_a_dry_run_says_the_same_and_does_nothing(api: Api) -> None:
    url = api.created(channel="a")
    body = f"url,channel\n{url},b\n{url},c\nx y,d\n"
    dry = send(api, "update", body, dry_run="1")
    assert labels(api, url)[0] == "a"
    wet = send(api, "update", body)
    assert dry == {**wet, "dry_run": True}
    assert [line.get("changed") for line in wet["lines"]] == [
        {"channel": {"from": "a", "to": "b"}},
        {"channel": {"from": "b", "to": "c"}},
        None,
    ]
    assert labels(api, url)[0] == "c"
    assert send(api, "delete", f"url\n{url}\n", dry_run="true")["done"] == 1
    assert api.read(url).status_code == 200


def test_empty_cells_leave_and_null_takes_away(api: Api) -> None:
    url = api.created(channel="a", campaign="c", tags=["t"], data={"k": "v", "n": "v"})
    send(api, "update", f'url,channel,campaign,tags,data.k,data\n{url},,null,"x, y",null,"{{""n"":7}}"\n')
    document = api.read(url).json()
    assert document["channel"] == "a"
    assert "campaign" not in document
    assert document["tags"] == ["x", "y"]
    assert "k" not in document["data"]
    assert document["data"]["n"] == 7


def test_ndjson_keeps_types_and_goes_on_after_bad_lines(api: Api) -> None:
    url, other = api.created(channel="a"), api.created(channel="a")
    body = (
        ndjson({"url": url, "channel": None, "data": {"n": 5}, "data.flag": False})
        + "{not json}\n[1]\n"
        + ndjson({"url": other, "chanel": "b"}, {"url": 7}, {"url": other, "channel": "null"})
    )
    report = send(api, "update", body)
    assert [(line["line"], line["ok"]) for line in report["lines"]] == [
        (1, True),
        (2, False),
        (3, False),
        (4, False),
        (5, False),
        (6, True),
    ]
    assert report["lines"][2]["error"] == "The line must be a JSON object."
    assert report["lines"][3]["error"].startswith("chanel: is not a field that can be changed")
    assert report["lines"][4]["error"] == "url: is missing; it must be the link's address."
    document = api.read(url).json()
    assert "channel" not in document
    assert document["data"]["n"] == 5
    assert document["data"]["flag"] is False
    assert labels(api, other)[0] == "null"


def test_what_cannot_change_must_be_as_it_is(api: Api) -> None:
    """A line of an export may be sent back, and one in which somebody has edited the alias says so."""
    url, wanted = api.created(), alias()
    aliased = api.created(alias=wanted, identity="bob")
    same = {"url": aliased, "alias": wanted, "type": 0, "identity": "bob", "app_id": api.card["app_id"], "clicks": 9}
    body = ndjson(
        {**same, "channel": "new"}, {**same, "alias": "else"}, {"url": url, "type": 2}, {"url": url, "type": 0}
    )
    report = send(api, "update", body)
    assert [line.get("error") for line in report["lines"]] == [
        None,
        "alias: cannot be changed by an update.",
        "type: cannot be changed by an update.",
        None,
    ]
    report = send(api, "update", f"url,alias,identity,type\n{aliased},{wanted},,0\n{url},,,STANDARD\n{url},x,,\n")
    assert [line.get("error") for line in report["lines"]] == [None, None, "alias: cannot be changed by an update."]


def test_more_lines_than_one_transaction_holds(api: Api) -> None:
    items = [{"alias": f"{name()}-{n}"} for n in range(CHUNK + 20)]
    made = api.http.post(f"/v1/url/bulk/{api.key}", json=items).json()
    mark = name()
    rows = "".join(f"{link['url']},{mark}\n" for link in made)
    report = send(api, "update", "url,campaign\n" + rows)
    assert (report["done"], report["failed"], len(report["lines"])) == (CHUNK + 20, 0, CHUNK + 20)
    assert len(api.find(campaign=mark, limit=500)) == CHUNK + 20
    report = send(api, "delete", ndjson(*({"url": link["url"]} for link in made)))
    assert (report["done"], report["failed"]) == (CHUNK + 20, 0)
    assert api.find(campaign=mark) == []
    assert api.read(made[0]["url"]).status_code == 404


def test_delete_reports_each_line(api: Api) -> None:
    url = api.created()
    report = send(api, "delete", f"url,note\n{url},old\n{url},again\n")
    assert report["lines"] == [
        {"line": 2, "url": url, "ok": True, "deleted": True},
        {"line": 3, "url": url, "ok": False, "error": UNKNOWN},
    ]
    assert api.http.get(url).status_code == 404


def test_test_links_are_not_deleted_unless_the_app_allows_it(api: Api) -> None:
    url = api.created(branch_key=api.card["test_branch_key"])
    body = f"url\n{url}\n"
    assert send(api, "delete", body)["lines"][0]["error"] == "Links of the test environment cannot be deleted."
    api.configure(test_env_delete="allow")
    try:
        assert send(api, "delete", body)["lines"][0]["deleted"] is True
    finally:
        api.configure(test_env_delete="deny")


def test_a_changed_link_redirects_anew_at_once(api: Api) -> None:
    url = api.created(data={"$desktop_url": "https://a.example/"})
    curl = {"User-Agent": "curl/8.0"}
    assert "a.example" in api.http.get(url, headers=curl).headers["location"]
    send(api, "update", f"url,data.$desktop_url\n{url},https://b.example/\n")
    for _ in range(10):  # both workers
        with type(api.http)(base_url=api.running.base_url) as fresh:
            assert "b.example" in fresh.get(url, headers=curl).headers["location"]


def test_cells_with_line_breaks_and_quotes(api: Api) -> None:
    url, other = api.created(), api.created()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([["url", "data.text"], [url, 'two\nlines, "quoted"'], [other, "plain"]])
    report = send(api, "update", "\ufeff" + text.getvalue())
    assert [line["line"] for line in report["lines"]] == [2, 4]
    assert api.read(url).json()["data"]["text"] == 'two\nlines, "quoted"'


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("", 400, "The file is empty; its first line must name the columns, as in `url,channel`."),
        ("channel\nx\n", 400, "The heading must name the column url."),
        ("url,url\nx,y\n", 400, "The heading names the column 'url' twice."),
        (
            "url,chanel\nx,y\n",
            400,
            "The column 'chanel' cannot be changed; columns are url, channel, feature, campaign, stage, tags,"
            " duration, qr_code_settings,"
            " data, and data.KEY for a key.",
        ),
        (b"url,channel\nx,\xff\n", 400, "The body is not valid UTF-8 (line 2)."),
        ("url\n" * 50_002, 413, "The body must have at most 50000 lines; `bough links` takes files of any size."),
        ("url\n" + "x" * 10 * 1024 * 1024, 413, "The body must have at most 10485760 bytes."),
    ],
)
def test_bodies_that_cannot_be_read(api: Api, body: str | bytes, status: int, message: str) -> None:
    assert api.manage("POST", "/api/links/bulk-update", content=body).json() == error(status, message)


def test_links_of_others_are_unknown(api: Api) -> None:
    url = api.created(channel="a")
    stranger = other_organization(api)
    for action, row in (("update", "url,channel\n{},b\n"), ("delete", "url,channel\n{},b\n")):
        response = stranger.manage("POST", f"/api/links/bulk-{action}", content=row.format(url))
        assert response.json()["lines"] == [{"line": 2, "url": url, "ok": False, "error": UNKNOWN}]
        query = {"app_id": api.card["app_id"]}
        response = stranger.manage("POST", f"/api/links/bulk-{action}", content="url\n", params=query)
        assert response.json() == error(404, UNKNOWN)
    assert labels(api, url)[0] == "a"


def test_permissions(api: Api) -> None:
    url = api.created(channel="a")
    reader = {"Access-Token": token_of(api.running, ["aggregate_data"])}
    writer = {"Access-Token": token_of(api.running, ["links"])}
    refused = error(403, "Unauthorized User")
    path = f"/api/links/{api.link_id(url)}"
    assert api.http.get(path, headers=reader).status_code == 200
    assert api.http.patch(path, json={"channel": "b"}, headers=reader).json() == refused
    assert api.http.put("/api/links/by-alias", json={}, headers=reader).json() == refused
    assert api.http.post("/api/links/bulk-update", content="url\n", headers=reader).json() == refused
    assert api.http.post("/api/links/bulk-delete", content="url\n", headers=writer).json() == refused
    assert api.http.patch(path, json={"channel": "b"}, headers=writer).json()["channel"] == "b"
