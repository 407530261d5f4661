"""`bough import links`: a bough plays the Branch account that is moved away from; exports of Branch and Firebase."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bough.errors import BadRequest, Unavailable
from bough.importers.branch_api import ATTEMPTS, BranchAccount
from bough.importers.firebase import converted, is_export
from bough.links.row_files import FileRow
from tests.conftest import Api
from tests.exports.client import bough
from tests.running import Running


@pytest.fixture(scope="module")
def branch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The account that links are read from."""
    running = Running(tmp_path_factory.mktemp("branch") / "data", "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    api = Api(running)
    yield api
    api.http.close()
    running.stop()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The installation that takes the links."""
    running = Running(tmp_path_factory.mktemp("own") / "data", "--empty", environment={"BOUGH_RATE_LIMITS": "off"})
    api = Api(running)
    yield api
    api.http.close()
    running.stop()


def _import(own: Api, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    done = bough(own.running, "import", "links", *arguments, "--app", own.card["app_id"], "--json", code=code)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_running_account_is_read_link_by_link(branch: Api, own: Api, tmp_path: Path) -> None:
    urls = [
        branch.created(alias="summer", channel="email", tags=["a", "b"], data={"$og_title": "Sun", "screen": 7}),
        branch.created(campaign="winter", data={"deep": {"er": [1, 2.5, None]}}),
        f"{branch.running.base_url}/nothing-here",
    ]
    listed = tmp_path / "urls.txt"
    listed.write_text("# my links\n\n" + "\n".join(urls) + "\n")
    options = [str(listed), "--from-api", branch.running.base_url, "--branch-key", branch.key]
    first = _import(own, *options, code=1)
    assert [(line["line"], line["ok"]) for line in first] == [(3, True), (4, True), (5, False)]
    assert first[2]["error"] == "the account has no such link."
    for url in urls[:2]:
        there, here = branch.read(url).json(), own.read(url).json()
        for changing in ("~id",):
            there["data"].pop(changing, None)
            here["data"].pop(changing, None)
        assert here["data"] == there["data"]
        assert here.get("alias") == there.get("alias")
    again = _import(own, *options, code=1)
    assert [line.get("outcome") for line in again[:2]] == ["unchanged", "unchanged"]


@pytest.mark.parametrize(
    "columns",
    [
        ("Short Link", "Link name", "Long Dynamic Link"),
        ("short_link", "name", "long_link"),
        ("shortLink", "linkName", "longLink"),
    ],
)
def test_firebase_dynamic_links_keep_their_addresses(own: Api, tmp_path: Path, columns: tuple[str, ...]) -> None:
    host = f"{columns[0].lower().replace(' ', '-').replace('_', '.')}.page.link"
    long = (
        f"https://{host}/?link=https%3A%2F%2Fexample.com%2Fwelcome%3Fa%3D1&apn=com.example&ibi=com.example.ios&isi=123"
        "&ofl=https%3A%2F%2Fexample.com%2Fdesktop&st=Hello&utm_campaign=spring&utm_source=mail"
    )
    path = tmp_path / "fdl.csv"
    path.write_text(f'{",".join(columns)}\nhttps://{host}/m9Mm,Welcome,"{long}"\nhttps://{host}/none,Nothing,\n')
    lines = _import(own, str(path), code=1)
    assert [line["ok"] for line in lines] == [True, False]
    assert lines[1]["error"] == "link: neither a deep link nor a long dynamic link."
    data = own.read(f"https://{host}/m9Mm").json()["data"]
    assert data["$canonical_url"] == data["$fallback_url"] == "https://example.com/welcome?a=1"
    assert (data["$desktop_url"], data["$og_title"]) == ("https://example.com/desktop", "Hello")
    assert (data["~campaign"], data["~channel"], data["apn"]) == ("spring", "mail", "com.example")
    answer = own.http.get("/m9Mm", headers={"Host": host, "User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/130"})
    assert answer.status_code in (302, 307)
    assert answer.headers["location"].startswith("https://example.com/desktop")
    assert _import(own, str(path), code=1)[0]["outcome"] == "unchanged"


def test_a_hosts_links_are_not_taken_from_another_app(own: Api, tmp_path: Path) -> None:
    other = bough(own.running, "apps", "create", "Other", "--domain", "taken.example.com", "--json")
    assert json.loads(other.stdout)["link_domain"] == "taken.example.com"
    path = tmp_path / "links.csv"
    path.write_text("url,channel\nhttps://taken.example.com/x,mail\nftp://no,mail\n")
    lines = _import(own, str(path), code=1)
    assert [line["ok"] for line in lines] == [False, False]


def test_a_dry_run_changes_nothing(own: Api, tmp_path: Path) -> None:
    path = tmp_path / "links.ndjson"
    path.write_text(json.dumps({"url": "https://new.example.com/xy", "data": {"a": 1}}) + "\n")
    assert _import(own, str(path), "--dry-run")[0]["outcome"] == "created", "its host would become a domain"
    assert _import(own, str(path), "--dry-run", "--domain", "new.example.com", code=1)[0]["ok"] is False
    assert _import(own, str(path))[0]["outcome"] == "created"
    assert _import(own, str(path), "--dry-run")[0]["outcome"] == "unchanged"


@pytest.mark.parametrize("options", [["--from-api", "x"], ["--branch-key", "x"]])
def test_host_and_key_belong_together(own: Api, tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "urls.txt"
    path.write_text("")
    done = bough(own.running, "import", "links", str(path), "--app", own.card["app_id"], *options, code=1)
    assert done.stderr == "bough: --from-api and --branch-key are given together.\n"


class _Answers(BaseHTTPRequestHandler):
    """Answers from a list of (status, Retry-After)."""

    queue: list[tuple[int, str]]

    def do_GET(self) -> None:
        status, after = self.queue.pop(0) if len(self.queue) > 1 else self.queue[0]
        self.send_response(status)
        if after:
            self.send_header("Retry-After", after)
        body = b'{"data": {"a": 1}}' if status == 200 else b"{}"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def _waits(*answers: tuple[int, str]) -> tuple[list[float], Any]:
    handler = type("Handler", (_Answers,), {"queue": list(answers)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    waited: list[float] = []
    account = BranchAccount(f"http://127.0.0.1:{server.server_address[1]}", "key_live_x", waited.append)
    try:
        return waited, account.read("https://x.app.link/a")
    finally:
        account.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_retry_after_is_honoured() -> None:
    assert _waits((429, "7"), (429, ""), (503, "2"), (200, "")) == ([7.0, 2.0, 2.0], {"data": {"a": 1}})


def test_an_account_that_does_not_recover_ends_the_import() -> None:
    with pytest.raises(Unavailable, match="try again later"):
        _waits(*[(500, "")] * ATTEMPTS)


def test_a_refused_key_is_said() -> None:
    with pytest.raises(BadRequest, match="the account answered with status 400"):
        _waits((400, ""))


@pytest.mark.parametrize("host", ["", "ftp://x", "http://"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(BadRequest, match=r"--from-api: "):
        BranchAccount(host, "key")


def test_firebase_columns_of_their_own() -> None:
    values = {
        "Short link": "https://x.page.link/a",
        "Link": "https://example.com/",
        "utm_medium": "cpc",
        "afl": "https://a/",
    }
    assert is_export(tuple(values))
    assert not is_export(("url", "channel"))
    assert converted(FileRow(2, values)) == FileRow(
        2,
        {
            "url": "https://x.page.link/a",
            "data": {
                "$canonical_url": "https://example.com/",
                "$fallback_url": "https://example.com/",
                "$android_url": "https://a/",
            },
            "feature": "cpc",
        },
    )
