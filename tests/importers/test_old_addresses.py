"""Addresses that Branch and others once handed out are kept by an import letter by letter, or named with a reason."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.conftest import Api
from tests.exports.client import bough
from tests.running import Running

HOST = "old.example.com"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    running = Running(tmp_path_factory.mktemp("own") / "data", "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    api = Api(running)
    yield api
    api.http.close()
    running.stop()


def imported(own: Api, folder: Path, urls: list[str], code: int = 0) -> list[dict[str, Any]]:
    """Import links at `urls`, each to a place of its own; what became of every line."""
    path = folder / "links.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("url", "data"))
        for number, url in enumerate(urls):
            writer.writerow((url, json.dumps({"$desktop_url": f"https://target.example.com/{number}"})))
    done = bough(own.running, "import", "links", str(path), "--app", own.card["app_id"], "--json", code=code)
    return [json.loads(line) for line in done.stdout.splitlines()]


def clicked(own: Api, path: str) -> str:
    """Where a desktop is sent from `path` on HOST."""
    answer = own.http.get(path, headers={"Host": HOST, "User-Agent": DESKTOP})
    assert answer.status_code == 307, (path, answer.text)
    return str(answer.headers["location"]).partition("?")[0]


KEPT = {
    "Branch's marketing link": "/m/AbCdEf",
    "Branch's SDK link": "/l/AbCdEf",
    "Branch's click link": "/c/AbCdEf",
    "Branch's old domain link": "/d/AbCdEf",
    "a short prefix of Firebase": "/x/m9Mm",
    "one letter alone": "/m",
    "one digit alone": "/7",
    "OneLink's template and id": "/H5hv/a1b2c3d4",
    "Adjust's token": "/abc123x",
    "Kochava's smart link": "/5d1f0a52x",
    "case": "/AbCdE",
    "other case": "/aBcDe",
    "several segments": "/deal/2024/12/summer-sale",
    "a dot": "/deal/v1.2.html",
    "a dot first": "/.deal",
    "a dot first further inside": "/deal/.hidden",
    "a tilde": "/~jane",
    "dashes": "/--deal-_-",
    "a plus": "/a+b",
    "an at sign": "/@jane",
    "a colon": "/deal:1",
    "brackets and commas": "/deal(1),2;x=3!*'",
    "a blank": "/summer%20sale",
    "a question mark": "/what%3F",
    "a hash": "/%23deal",
    "a percent sign": "/100%25",
    "percent signs that look encoded": "/100%2541",
    "umlauts": "/%C3%BCber",
    "an emoji": "/%F0%9F%8E%81",
    "other letters": "/%D1%81%D0%BA%D0%B8%D0%B4%D0%BA%D0%B0/%E5%A4%8F",
    "a double slash": "/deal//x",
    "a reserved word further inside": "/deal/v1/api",
    "a long one": "/deal/" + "a" * 900,
}


def test_old_addresses_are_kept_letter_by_letter(own: Api, tmp_path: Path) -> None:
    urls = [f"https://{HOST}{path}" for path in KEPT.values()]
    lines = imported(own, tmp_path, urls)
    assert [(name, line.get("outcome")) for name, line in zip(KEPT, lines, strict=True)] == [
        (name, "created") for name in KEPT
    ]
    for number, (name, path) in enumerate(KEPT.items()):
        assert clicked(own, path) == f"https://target.example.com/{number}", name
        read = own.read(f"https://{HOST}{path}")
        assert read.status_code == 200, name
        shown = read.json()["data"]["url"]
        assert unquote(shown) == unquote(f"https://{HOST}{path}"), name
        assert own.read(shown).json()["data"]["~id"] == read.json()["data"]["~id"], name
    assert [line.get("outcome") for line in imported(own, tmp_path, urls)] == ["unchanged"] * len(KEPT)


def test_how_a_file_writes_an_address_makes_no_difference(own: Api, tmp_path: Path) -> None:
    written = [
        f"https://{HOST}/größe",
        f"https://{HOST}/gr%C3%B6%C3%9Fe",
        f"{HOST}/gr%c3%b6%c3%9fe/",
        f"http://{HOST}/größe",
    ]
    lines = imported(own, tmp_path, written[:1])
    assert lines[0]["outcome"] == "created"
    for url in written[1:]:
        assert imported(own, tmp_path, [url])[0]["outcome"] == "unchanged", url
    assert clicked(own, quote("/größe/")) == "https://target.example.com/0"


def test_what_is_exported_can_be_imported_and_changed(own: Api, tmp_path: Path) -> None:
    url = f"https://{HOST}/m/für%20alle%3F"
    imported(own, tmp_path, [url])
    path = tmp_path / "out.csv"
    bough(own.running, "links", "export", str(path), "--app", own.card["app_id"])
    done = bough(own.running, "links", "import", str(path), "--json")
    assert {json.loads(line)["outcome"] for line in done.stdout.splitlines()} == {"unchanged"}
    read = own.read(url).json()
    assert own.update(url, **{**read, "channel": "mail"}).status_code == 200
    assert own.read(url).json()["channel"] == "mail"


def test_an_alias_of_one_letter_stays_in_an_import(own: Api, tmp_path: Path) -> None:
    path = tmp_path / "links.ndjson"
    path.write_text(json.dumps({"url": f"https://{HOST}/m/Kept", "alias": "m/Kept", "channel": "a"}) + "\n")
    done = bough(own.running, "import", "links", str(path), "--app", own.card["app_id"], "--json")
    assert json.loads(done.stdout)["outcome"] == "created"
    read = own.read(f"https://{HOST}/m/Kept").json()
    assert read["alias"] == "m/Kept"
    assert own.update(f"https://{HOST}/m/Kept", **{**read, "channel": "b"}).status_code == 200
    assert own.create(alias="m/Kept").status_code == 400, "new links keep to Branch's rules"


OWN = "url: addresses that begin with /{} are the server's own, so no link can be kept there; make a link with another "
OWN += "alias and let your proxy redirect this address to it."
REFUSED = {
    "/v1/url": OWN.format("v1"),
    "/a/key_live_abc": OWN.format("a"),
    "/i/AbCd": OWN.format("i"),
    "/.well-known/x": OWN.format(".well-known"),
    "/dashboard": OWN.format("dashboard"),
    "/": "url: names a host and no path; a link needs one, as in https://go.example.com/welcome.",
    "/deal/%2E%2E/x": "url: the path must not hold the segments '.' and '..', which browsers resolve themselves.",
    "/deal%0Ax": "url: the path must not hold control characters.",
    "/%E9t%E9": "url: the path is not valid UTF-8 once it is decoded; write it as the links that people have.",
    "/" + "a" * 1025: "url: the path must have at most 1024 bytes.",
}


def test_an_address_that_cannot_be_kept_is_named_with_the_reason_each_time(own: Api, tmp_path: Path) -> None:
    urls = [f"https://{HOST}{path}" for path in REFUSED] + [f"https://{HOST}/kept"]
    for outcome in ("created", "unchanged"):
        lines = imported(own, tmp_path, urls, code=1)
        assert [(line["line"], line.get("error")) for line in lines[:-1]] == list(enumerate(REFUSED.values(), 2))
        assert lines[-1]["outcome"] == outcome


def test_a_web_only_address_is_the_link_without_it(own: Api, tmp_path: Path) -> None:
    assert imported(own, tmp_path, [f"https://{HOST}/e/N2wxmRfMZXb"])[0]["outcome"] == "created"
    assert clicked(own, "/e/N2wxmRfMZXb") == "https://target.example.com/0"
