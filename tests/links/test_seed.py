"""The seed document's own examples, run as they stand there with only host and keys changed.

`seed/` holds the examples' text as the document has it (shared contract, seed-deep-linking.txt), with the sample keys
already replaced by YOUR_BRANCH_KEY and YOUR_BRANCH_SECRET. The curl commands are given to a shell and a real curl.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.apps import alias
from tests.conftest import Api

SEED = Path(__file__).parent / "seed"
API_HOST = "https://api2.branch.io"
CODE = re.compile(r"[A-Za-z0-9]{10}")

DEPTHS = [0] * 6 + [1] * 13 + [2] * 6 + [3] * 2 + [2] * 6 + [3, 2, 3, 2, 3, 2, 3] + [2] * 10 + [1]
"""The CSV script has lost its indentation in the document; this is how deep each of its lines stands."""


@pytest.fixture
def curlrc(tmp_path: Path) -> Path:
    """A folder with a .curlrc by which curl also prints the status, so that the commands can stay as they are."""
    (tmp_path / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}"\n')
    return tmp_path


def replay(api: Api, curlrc: Path, name: str, changes: dict[str, str] | None = None) -> tuple[int, Any]:
    """Run an example; its status and its JSON answer."""
    text = (SEED / f"{name}.sh").read_text()
    replacements = {
        API_HOST: api.running.base_url,
        "YOUR_BRANCH_KEY": api.key,
        "YOUR_BRANCH_SECRET": api.card["branch_secret"],
        "YOUR_APP_ID": api.card["app_id"],
        "YOUR_ACCESS_TOKEN": api.card["access_token"],
        **(changes or {}),
    }
    for documented, ours in replacements.items():
        text = text.replace(documented, ours)
    ran = subprocess.run(["sh", "-c", text], capture_output=True, text=True, timeout=30, env={"CURL_HOME": str(curlrc)})
    assert ran.returncode == 0, ran.stderr
    body, _, status = ran.stdout.rpartition("\n")
    return int(status), json.loads(body)


def documented(name: str) -> Any:
    """The answer that the document shows for an example."""
    return json.loads((SEED / f"{name}.answer.txt").read_text())


def is_short_url(api: Api, url: str) -> bool:
    """Whether a url is one of the app's, with a code of the documented shape."""
    return CODE.fullmatch(url.removeprefix(f"{api.running.base_url}/")) is not None


def test_create_answers_the_url_and_nothing_else(api: Api, curlrc: Path) -> None:
    status, answer = replay(api, curlrc, "create")
    assert (status, list(answer)) == (200, list(documented("create")))
    assert is_short_url(api, answer["url"])


def test_bulk_create_answers_one_url_each_in_order(api: Api, curlrc: Path) -> None:
    status, answers = replay(api, curlrc, "bulk")
    assert status == 200
    assert [list(answer) for answer in answers] == [["url"], ["url"]]
    assert all(is_short_url(api, answer["url"]) for answer in answers)
    first, second = (api.read(answer["url"]).json()["data"] for answer in answers)
    assert first["custom_object"] == {"random": "dictionary"}
    assert "custom_object" not in second


def test_read_answers_the_documented_body(api: Api, curlrc: Path) -> None:
    _, created = replay(api, curlrc, "create")
    example = "https://example.app.link/WgiqvsepqF"
    status, answer = replay(api, curlrc, "read", {example: created["url"]})
    expected = documented("read")
    expected["data"]["url"] = created["url"]
    assert re.fullmatch(r"\d{18,19}", answer["data"]["~id"])
    expected["data"]["~id"] = answer["data"]["~id"]
    assert (status, answer) == (200, expected)


def test_update_answers_the_documented_body(api: Api, curlrc: Path) -> None:
    """The document's link has an identity and no tags: with tags, they would stay (docs/links.md)."""
    labels = {"channel": "facebook", "feature": "onboarding", "campaign": "new product", "stage": "new user"}
    url = api.created(**labels, identity="jane", data={"custom_boolean": True, "custom_string": "everything"})
    example = quote("https://example.app.link/5IULiLcpqF", safe="")
    status, answer = replay(api, curlrc, "update", {example: quote(url, safe="")})
    expected = documented("update")
    expected["data"] |= {"url": url, "+url": url}
    for key in ("~id", "$identity_id"):
        assert re.fullmatch(r"\d{18,19}", answer["data"][key])
        expected["data"][key] = answer["data"][key]
    assert (status, answer) == (200, expected)


def test_delete_answers_the_documented_body(api: Api, curlrc: Path) -> None:
    url = api.created()
    status, answer = replay(api, curlrc, "delete", {"https://example.app.link/ABCD": url})
    assert (status, answer) == (200, {**documented("delete"), "url": url})
    assert api.read(url).status_code == 404


def update_script(endpoint: str) -> str:
    """The document's script with its indentation put back and only the endpoint constant changed.

    Every line is used, in its order, as the document has it.
    """
    lines = (SEED / "bulk_update_script.txt").read_text().splitlines()
    text = "".join(f"{'    ' * depth}{line}\n" for depth, line in zip(DEPTHS, lines, strict=True))
    constant = f'branchendpoint = "{API_HOST}/v1/url?url="'
    assert text.count(constant) == 1
    return text.replace(constant, f'branchendpoint = "{endpoint}/v1/url?url="')


@pytest.mark.parametrize("key", ["campaign", "~campaign", "$og_title", "custom"])
def test_the_documents_csv_script_updates_every_link(api: Api, tmp_path: Path, key: str) -> None:
    parameters = {"campaign": "old", "tags": ["a"], "data": {"$og_title": "Old", "custom": "old", "kept": [1, True]}}
    urls = [api.created(**parameters), api.created(**parameters, alias=f"script/{alias()}"), api.created()]
    with (tmp_path / "links.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["link", "value"], *([url, f"new {i}"] for i, url in enumerate(urls))])
    (tmp_path / "script.py").write_text(update_script(api.running.base_url))
    arguments = (api.key, api.card["branch_secret"], key, "links.csv")
    program = f"from script import BranchUpdateModule\nBranchUpdateModule{arguments!r}"
    before = [api.read(url).json() for url in urls]
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("<Response [200]>") == 3
    for i, old in enumerate(before[:2]):
        if key.endswith("campaign"):
            old["campaign"] = old["data"]["~campaign"] = f"new {i}"
        else:
            old["data"][key] = f"new {i}"
    assert [api.read(url).json() for url in urls] == before
