"""`bough links`, while a server runs on the same store."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bough.cli import main
from bough.links.transfer import CHUNK, COLUMNS
from tests.apps import new_app, other_organization
from tests.conftest import Api
from tests.links.test_listing_api import IPHONE, name
from tests.running import Running, wait_until


class Shown(NamedTuple):
    """What a command wrote."""

    out: str
    err: str


class Shell:
    """Runs `bough links` on the store of a running server."""

    def __init__(self, running: Running, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.store = ["--data", str(running.folder)]
        if "BOUGH_STORE" in running.environment:
            self.store += ["--store", running.environment["BOUGH_STORE"]]
        self._folder = folder
        self._capture = capture

    def run(self, *arguments: str, status: int = 0, rows: str = "") -> Shown:
        """`bough links ARGUMENTS`, in this process; must end with `status`. `-` stands for a file with `rows`."""
        file = self._folder / "rows"
        file.write_text(rows, newline="")
        given = [str(file) if argument == "-" else argument for argument in arguments]
        self._capture.readouterr()
        ended = main(["links", *given, *self.store])
        shown = Shown(*self._capture.readouterr())
        assert ended == status, shown.err
        return shown


@pytest.fixture
def shell(
    server: Running,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    for variable in list(os.environ):
        if variable.startswith("BOUGH_"):
            monkeypatch.delenv(variable)
    return Shell(server, tmp_path_factory.mktemp("shell"), capsys)


def test_list_with_filters(api: Api, shell: Shell) -> None:
    campaign = name()
    first = api.created(campaign=campaign, channel="email", data={"$og_title": "A title"})
    second = api.created(campaign=campaign, channel="web", branch_key=api.card["test_branch_key"])
    listed = json.loads(shell.run("list", "--campaign", campaign, "--json").out)
    assert listed == api.find(campaign=campaign)
    assert [link["url"] for link in listed] == [second, first]
    assert shell.run("list", "--campaign", campaign, "--limit", "1").out.split()[2:] == [second, "web", campaign]
    text = shell.run("list", "--search", "a title", "--campaign", campaign).out
    assert text.split()[2:] == [first, "email", campaign, "A", "title"]
    live = json.loads(shell.run("list", "--campaign", campaign, "--environment", "live", "--json").out)
    assert [link["url"] for link in live] == [first]
    assert json.loads(shell.run("list", "--campaign", campaign, "--channel", "none", "--json").out) == []


def test_wrong_filters_and_apps_are_one_sentence(shell: Shell) -> None:
    failed = shell.run("list", "--type", "9", status=1)
    assert failed.err == "bough: type: must be 0 (standard), 1 (one-time use) or 2 (marketing).\n"
    failed = shell.run("list", "--app", "nobody", status=1)
    assert failed.err == "bough: There is no app 'nobody'; `bough apps list` shows all ids.\n"


def rich_links(api: Api, campaign: str) -> list[str]:
    """Links that hold all kinds of things."""
    return [
        api.created(campaign=campaign, alias=f"product/{name()}", tags=["a,b", 'quo"te'], identity="me", type=2),
        api.created(campaign=campaign, channel="null", data={"n": 1, "deep": {"a": [True, None]}, "line": "a\nb,c"}),
        api.created(campaign=campaign, duration=60, data={"$ios_url": "https://example.com/ü?x=1"}, type=1),
        api.created(campaign=campaign, branch_key=api.card["test_branch_key"], source="web-sdk"),
    ]


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_export_has_all_links_with_their_counts(api: Api, shell: Shell, tmp_path: Path, kind: str) -> None:
    campaign = name()
    urls = rich_links(api, campaign)
    assert api.http.get(urls[2], headers={"User-Agent": IPHONE}).status_code in (200, 307)
    wait_until(lambda: api.find(campaign=campaign)[1]["clicks"] == 1)
    file = tmp_path / f"links.{kind}"
    shell.run("export", str(file), "--campaign", campaign)
    text = file.read_text()
    assert shell.run("export", "--campaign", campaign, "--format", kind).out == text
    assert list(tmp_path.iterdir()) == [file]
    if kind == "csv":
        rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(text)))
        assert tuple(rows[0]) == COLUMNS
        for row in rows:
            row["data"] = json.loads(row["data"])
            row["clicks"] = int(row["clicks"])
    else:
        rows = [json.loads(line) for line in text.splitlines()]
        assert tuple(rows[0]) == COLUMNS
    assert [row["url"] for row in rows] == urls[::-1]
    assert [row["clicks"] for row in rows] == [0, 1, 0, 0]
    assert rows[2]["data"] == {"n": 1, "deep": {"a": [True, None]}, "line": "a\nb,c"}
    assert rows[2]["channel"] == "null"


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_export_and_import_give_the_same_links_back(api: Api, shell: Shell, tmp_path: Path, kind: str) -> None:
    campaign = name()
    urls = rich_links(api, campaign)
    file = tmp_path / f"links.{kind}"
    shell.run("export", str(file), "--campaign", campaign)
    again = shell.run("import", str(file))
    assert again.err == "4 unchanged\n"

    before = api.find(campaign=campaign)
    api.configure(test_env_delete="allow")
    shell.run("delete", str(file))
    api.configure(test_env_delete="deny")
    assert api.find(campaign=campaign) == []
    dry = shell.run("import", str(file), "--dry-run")
    assert dry.err == "4 created (dry run: nothing was stored)\n"
    assert api.find(campaign=campaign) == []
    assert shell.run("import", str(file)).err == "4 created\n"
    assert shell.run("import", str(file)).err == "4 unchanged\n"
    after = api.find(campaign=campaign)

    def kept(links: list[dict[str, Any]]) -> list[dict[str, Any]]:
        without = ("id", "updated_at")
        return sorted(({k: v for k, v in link.items() if k not in without} for link in links), key=lambda x: x["url"])

    assert kept(after) == kept(before)
    document = api.read(urls[1]).json()
    assert document["data"]["deep"] == {"a": [True, None]}
    assert document["data"]["line"] == "a\nb,c"
    assert api.read(urls[0]).json()["data"]["$identity_id"].isdigit()


def test_import_of_rows_as_branch_shows_them(api: Api, shell: Shell) -> None:
    base = api.running.base_url
    code, alias = name(), f"product/{name()}"
    read = {
        "channel": "facebook",
        "tags": ["one", "two"],
        "data": {
            "$one_time_use": False,
            "~channel": "facebook",
            "~creation_source": 0,
            "~id": "123456789012345678",
            "~tags": ["one", "two"],
            "url": f"{base}/{code}",
            "custom": {"a": 1},
        },
        "type": 0,
        "alias": None,
    }
    flat = {"url": f"{base}/{alias}", "alias": alias, "~campaign": "c", "$og_title": "T", "Clicks": 5}
    lines = "".join(json.dumps(row) + "\n" for row in (read, flat))
    assert shell.run("import", "-", rows=lines).err == "2 created\n"
    assert shell.run("import", "-", rows=lines).err == "2 unchanged\n"
    document = api.read(f"{base}/{code}").json()
    assert (document["channel"], document["tags"], document["alias"]) == ("facebook", ["one", "two"], None)
    assert document["data"]["custom"] == {"a": 1}
    assert document["data"]["~id"] != "123456789012345678"
    document = api.read(f"{base}/{alias}").json()
    assert (document["campaign"], document["alias"], document["data"]["$og_title"]) == ("c", alias, "T")


def test_import_reports_lines_that_cannot_be(api: Api, shell: Shell) -> None:
    base, alias = api.running.base_url, name()
    api.created(alias=alias, channel="a")
    good = name()
    text = (
        "url,channel,alias,created_at\n"
        f"{base}/{alias},b,{alias},\n"
        "https://elsewhere.example/x,b,,\n"
        f"{base}/v1/x,b,,\n"
        f"{base}/{good}x,b,other,\n"
        f"{base}/{good}y,b,,yesterday\n"
        f"{base}/{good},b,,2024-05-06T07:08:09Z\n"
    )
    done = shell.run("import", "-", rows=text, status=1)
    assert done.err.splitlines() == [
        f"line 2: {base}/{alias}: Link alias conflict: {api.card['link_domain']}/{alias}",
        "line 3: https://elsewhere.example/x: url: elsewhere.example is no link domain of this server; --domain puts"
        " the links under another host.",
        f"line 4: {base}/v1/x: url: addresses that begin with /v1 are the server's own, so no link can be kept there;"
        " make a link with another alias and let your proxy redirect this address to it.",
        f"line 5: {base}/{good}x: alias: 'other' does not belong to the address '{good}x'.",
        f"line 6: {base}/{good}y: created_at: must be a time such as 2026-03-01, 2026-03-01T12:00:00Z or epoch ms.",
        "1 created, 5 failed",
    ]
    assert api.read(f"{base}/{alias}").json()["channel"] == "a"
    link = api.manage("GET", f"/api/links/{api.link_id(f'{base}/{good}')}").json()
    assert link["created_at"] == "2024-05-06T07:08:09.000Z"

    done = shell.run("import", "-", "--replace", rows=f"url,channel\n{base}/{alias},b\n")
    assert done.err == "1 changed\n"
    assert api.read(f"{base}/{alias}").json()["channel"] == "b"


def test_import_under_another_host_and_for_one_app(api: Api, shell: Shell) -> None:
    code = name()
    host = api.card["link_domain"]
    rows = f"url,channel\nhttps://acme.app.link/{code},b\n"
    assert shell.run("import", "-", "--domain", host, rows=rows).err == "1 created\n"
    assert api.read(f"{api.running.base_url}/{code}").json()["channel"] == "b"
    stranger = other_organization(api)
    done = shell.run("import", "-", "--domain", host, "--app", stranger.card["app_id"], rows=rows, status=1)
    assert f"url: {host}/{code} is not an address of this app." in done.err


def test_update_sets_columns_and_the_server_follows_at_once(api: Api, shell: Shell, tmp_path: Path) -> None:
    url = api.created(channel="a", data={"$desktop_url": "https://a.example/", "keep": 1})
    curl = {"User-Agent": "curl/8.0"}
    assert "a.example" in api.http.get(url, headers=curl).headers["location"]
    file = tmp_path / "changes.csv"
    file.write_text(f"url,channel,data.$desktop_url\n{url},b,https://b.example/\n")
    dry = shell.run("update", str(file), "--dry-run")
    assert dry.err == "1 changed (dry run: nothing was stored)\n"
    assert json.loads(dry.out.partition(": ")[2])["channel"] == {"from": "a", "to": "b"}
    assert api.read(url).json()["channel"] == "a"
    assert shell.run("update", str(file)).err == "1 changed\n"
    assert shell.run("update", str(file)).err == "1 unchanged\n"
    document = api.read(url).json()
    assert (document["channel"], document["data"]["keep"]) == ("b", 1)
    assert "b.example" in api.http.get(url, headers=curl).headers["location"]


def test_update_and_delete_go_on_after_errors_and_end_with_status_1(api: Api, shell: Shell) -> None:
    url = api.created(channel="a")
    rows = f"url,channel\n{api.running.base_url}/nowhere,b\n{url},b\n"
    unknown = "The resource you were looking for could not be found."
    for action, done in (("update", "1 changed, 1 failed"), ("delete", "1 deleted, 1 failed")):
        ended = shell.run(action, "-", rows=rows, status=1)
        assert ended.err.splitlines() == [f"line 2: {api.running.base_url}/nowhere: {unknown}", done]
    assert api.read(url).status_code == 404


def test_json_reports_every_line(api: Api, shell: Shell) -> None:
    url = api.created(channel="a")
    ended = shell.run("update", "-", "--json", rows=f'{{"url":"{url}","channel":"b"}}\n{{"url":1}}\n', status=1)
    assert [json.loads(line) for line in ended.out.splitlines()] == [
        {"line": 1, "url": url, "ok": True, "changed": {"channel": {"from": "a", "to": "b"}}},
        {"line": 2, "url": "", "ok": False, "error": "url: is missing; it must be the link's address."},
    ]


def test_only_links_of_one_app(api: Api, shell: Shell) -> None:
    sister = new_app(api, organization=int(api.card["organization_id"]))
    url = api.created(channel="a")
    rows = f"url,channel\n{url},b\n"
    shell.run("update", "-", "--app", sister.card["app_id"], rows=rows, status=1)
    assert api.read(url).json()["channel"] == "a"
    shell.run("update", "-", "--app", api.card["app_id"], rows=rows)
    assert api.read(url).json()["channel"] == "b"


def test_lines_that_are_no_utf_8(api: Api, shell: Shell, tmp_path: Path) -> None:
    url = api.created(channel="a")
    file = tmp_path / "changes.csv"
    file.write_bytes(b"url,channel\n%s,\xff\n%s,b\n" % (url.encode(), url.encode()))
    ended = shell.run("update", str(file), status=1)
    assert "line 2: : The line is not valid UTF-8." in ended.err
    assert api.read(url).json()["channel"] == "b"


def test_files_that_are_not_there(shell: Shell, tmp_path: Path) -> None:
    failed = shell.run("update", str(tmp_path / "none.csv"), status=1)
    assert failed.err == f"bough: {tmp_path}/none.csv cannot be read: No such file or directory.\n"
    failed = shell.run("export", str(tmp_path / "none" / "x.csv"), status=1)
    assert failed.err == f"bough: {tmp_path}/none/x.csv cannot be written: No such file or directory.\n"
    failed = shell.run("update", "-", rows="link,channel\nx,y\n", status=1)
    assert failed.err == "bough: The heading must name the column url.\n"


def test_a_large_file_in_pieces_from_standard_input_with_a_progress_bar(api: Api, shell: Shell, tmp_path: Path) -> None:
    campaign, count = name(), 2 * CHUNK + 50
    file = tmp_path / "links.csv"
    rows = "".join(f"{api.running.base_url}/{campaign}-{n},{campaign}\n" for n in range(count))
    file.write_text("url,campaign\n" + rows)
    assert shell.run("import", str(file)).err == f"{count} created\n"
    assert len(list(csv.reader(io.StringIO(shell.run("export", "--campaign", campaign).out)))) == count + 1

    command = [sys.executable, "-m", "bough.cli", "links", "delete", "-", *shell.store]
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    with file.open("rb") as rows_again:
        done = subprocess.Popen(command, stdin=rows_again, stderr=terminal)
    os.close(terminal)
    shown = b"".join(_until_closed(screen))
    assert done.wait(60) == 0
    assert f"{file.stat().st_size / 1000:.1f}kB".encode() in shown
    assert f"{count} deleted".encode() in shown
    assert api.find(campaign=campaign) == []


def _until_closed(screen: int) -> Iterator[bytes]:
    """All that is written to a terminal until its last writer ends."""
    with os.fdopen(screen, "rb", buffering=0) as source:
        while True:
            try:
                piece = source.read(4096)
            except OSError:  # Linux reports the end of a terminal as EIO
                return
            if not piece:
                return
            yield piece
