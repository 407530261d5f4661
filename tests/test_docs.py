"""The documentation, tested: its commands are run, its names exist, and nothing that code names is missing from it.

Every operation in docs/api.md is tested in tests/web/test_openapi.py.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bough.accounts.operations import CONFIG
from bough.cli import parser
from bough.clicks.decision.merge import DROPPED, REFUSED
from bough.clicks.decision.rules import RULES
from bough.links.change import NOT_UPDATABLE
from bough.server.route_table import TABLE
from bough.settings import describe
from bough.vocabulary.reserved_paths import RESERVED_FIRST_SEGMENTS
from tests.reference import DOCS, ROOT, renewed
from tests.running import Running, wait_until

IDS = {page: str(page.relative_to(ROOT)) for page in DOCS}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BY_HAND = [page for page in DOCS if page.name not in ("api.md", "commands.md")]
DECISIONS = ROOT / "docs/decisions"
ABOUT_CODE = [ROOT / "docs/architecture.md", ROOT / "docs/fast-paths.md", *sorted(DECISIONS.glob("*.md"))]


class Fence(NamedTuple):
    """A block of a page."""

    kind: str
    text: str


def fences(page: Path) -> list[Fence]:
    return [Fence(*found.groups()) for found in FENCE.finditer(page.read_text())]


def links(page: Path) -> list[str]:
    """Files that a page links to."""
    return re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())


def in_docs(name: str, page: str) -> bool:
    """Whether a page names something as code."""
    return (
        re.search(rf"`[^`\n]*(?<![\w-]){re.escape(name)}(?![\w-])[^`\n]*`", (ROOT / "docs" / page).read_text())
        is not None
    )


# Nothing is missing.


@pytest.mark.parametrize("page", DOCS, ids=IDS.get)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    """`scripts/docs` writes them."""
    assert renewed(page.read_text()) == page.read_text()


def test_every_setting_stands_in_the_docs() -> None:
    assert [name for name, _, _ in describe() if not in_docs(name, "settings.md")] == []
    assert [field.name for field in CONFIG if not in_docs(field.name, "settings.md")] == []


def test_every_setting_of_ours_is_explained() -> None:
    """The fields that Branch documents are in the table; what bough adds needs words."""
    text = (ROOT / "docs/settings.md").read_text().rpartition("What the fields that Branch does not have mean:")[2]
    names = [field.name for field in CONFIG]
    added = [*names[names.index("alias_conflict_status") :], "android_tablet_url"]
    assert [name for name in added if f"`{name}`" not in text] == []


def test_every_command_and_option_stands_in_the_docs() -> None:
    text = (ROOT / "docs/commands.md").read_text()
    missing = [path for path, options in commands() if f"`bough {path}`" not in text]
    missing += [o for _, options in commands() for o in options if o != "-h" and not in_docs(o, "commands.md")]
    assert [name for name in missing if name != "--help"] == []


def test_every_rule_of_the_decision_table_stands_in_the_docs() -> None:
    assert [rule for rule in RULES if not in_docs(rule, "clicks.md")] == []


def test_lists_of_the_contract_stand_in_the_docs_in_full() -> None:
    own = RESERVED_FIRST_SEGMENTS - {"apple-app-site-association"}
    assert [word for word in own if not in_docs(word, "links.md")] == []
    assert [word for word in NOT_UPDATABLE if not in_docs(word, "links.md")] == []
    assert [word for word in DROPPED | REFUSED if not in_docs(word, "clicks.md")] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    waiting = list(reached)
    while waiting:
        page = waiting.pop()
        found = {(page.parent / target).resolve() for target in links(page) if target.endswith(".md")}
        waiting += [page for page in found - reached if page.exists()]
        reached |= found
    assert [IDS[page] for page in DOCS if page not in reached] == []


def test_the_readme_says_first_what_bough_is_and_is_not() -> None:
    title, what, independent = re.split(r"\n\n", (ROOT / "README.md").read_text())[:3]
    assert title == "# bough"
    assert what.startswith(
        "bough is a self-hosted deep-link and mobile-measurement server that speaks Branch's HTTP API."
    )
    assert independent.replace("\n", " ") == (
        'bough is independent of Branch Metrics, Inc. It uses the name "Branch" only to say what it is compatible with.'
    )


# Nothing is invented.


@pytest.mark.parametrize("page", DOCS, ids=IDS.get)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    assert [target for target in links(page) if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", DOCS, ids=IDS.get)
def test_links_to_a_part_of_a_page_name_a_heading(page: Path) -> None:
    missing = [
        f"{target}#{anchor}"
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text())
        if anchor not in anchors(page.parent / target if target else page)
    ]
    assert missing == []


def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as Markdown viewers make them."""
    headings = re.findall(r"^#+ (.+)", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", DOCS, ids=IDS.get)
def test_variables_that_are_named_exist(page: Path) -> None:
    known = {name for name, _, _ in describe()} | {"BOUGH_PYTHON"}
    assert set(re.findall(r"\bBOUGH_[A-Z_]+[A-Z]\b", page.read_text())) <= known


@pytest.mark.parametrize("page", BY_HAND, ids=IDS.get)
def test_operations_that_are_named_exist(page: Path) -> None:
    for method, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^` ?]*)", page.read_text()):
        assert method in TABLE.allowed(path.replace("{branch_key}", "x")), f"{method} {path}"


@pytest.mark.parametrize("page", BY_HAND, ids=IDS.get)
def test_commands_that_are_named_exist(page: Path) -> None:
    text = page.read_text()
    known = {path for path, _ in commands()}
    for named in re.findall(r"`bough ([a-z]+(?: [a-z]+)?)[^`]*`", text):
        assert named in known or named.split(" ")[0] in known, named
    for line in [line for fence in fences(page) if fence.kind == "console" for line in fence.text.splitlines()]:
        assert line.startswith("$ "), line
        words = shlex.split(line.removeprefix("$ "))
        if words[0] == "bough":
            parser().parse_args(words[1:])
        else:
            assert os.access(ROOT / words[0], os.X_OK), line


def test_benches_that_are_named_exist() -> None:
    named = set(re.findall(r"`scripts/bench ([a-z_]+)", (ROOT / "docs/performance.md").read_text()))
    assert named
    assert [name for name in named if "\ndef main" not in (ROOT / "bench" / f"{name}.py").read_text()] == []


@pytest.mark.parametrize("page", ABOUT_CODE, ids=IDS.get)
def test_files_of_the_code_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*/(?:[a-z_]+\.py)?)`", page.read_text())
    assert [name for name in named if not (ROOT / "src/bough" / name).exists()] == []


# The pages about the code.


def test_the_floors_are_those_of_the_import_contract() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    folders = [name for name in contract["layers"] if (ROOT / "src/bough" / name).is_dir()]
    assert re.findall(r"^\| `([a-z]+)` \|", architecture(), re.M) == folders


def test_each_of_the_five_walks_has_at_most_ten_files() -> None:
    walks = architecture().split("## Five walks")[1].split("## Read on")[0].split("\n### ")[1:]
    assert len(walks) == 5
    for walk in walks:
        steps = re.findall(r"^\d+\. (.*)", walk, re.M)
        assert 2 <= len(steps) <= 10
        for step in steps:
            assert re.match(r"`[a-z_/]+\.py`: \S", step), step


def architecture() -> str:
    return (ROOT / "docs/architecture.md").read_text()


def test_the_index_of_decisions_lists_every_page_under_its_title() -> None:
    listed = re.findall(r"^\| (\d{3}) \| \[(.+)\]\((.+)\) \| .+ \|$", (DECISIONS / "README.md").read_text(), re.M)
    assert [name for _, _, name in listed] == [page.name for page in sorted(DECISIONS.glob("[0-9]*.md"))]
    for number, title, name in listed:
        assert name.startswith(f"{number}-")
        assert (DECISIONS / name).read_text().startswith(f"# {number} {title}\n")


@pytest.mark.parametrize("page", sorted(DECISIONS.glob("[0-9]*.md")), ids=IDS.get)
def test_a_decision_is_a_short_page_of_context_choice_and_consequence(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^#+ (.+)", text, re.M)[1:] == ["Context", "Choice", "Consequence"]
    assert len(text.splitlines()) <= 40


# What it shows works.


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the examples can run: a demo server with its data, and `bough` on the path."""
    folder = tmp_path_factory.mktemp("docs")
    running = Running(folder / "demo-data", environment={"BOUGH_RATE_LIMITS": "off"})  # many pages in one minute
    (folder / "bin").mkdir()
    command = folder / "bin" / "bough"
    source = shlex.quote(str(ROOT / "src"))
    command.write_text(f'#!/bin/sh\nPYTHONPATH={source} exec {shlex.quote(sys.executable)} -m bough.cli "$@"\n')
    command.chmod(0o755)
    (folder / ".curlrc").write_text("fail-with-body\nshow-error\n")
    yield folder
    running.stop()


def card(folder: Path) -> dict[str, str]:
    """The demo's keys."""
    found: dict[str, str] = json.loads((folder / "demo-data" / "demo.json").read_text())
    return found


SHOWN = sorted((p for p in DOCS if any(f.kind == "sh" for f in fences(p))), key=lambda page: page.name == "access.md")
"""Pages with examples; last the one that makes a second organization, with which other pages would answer otherwise."""


@pytest.mark.parametrize("page", SHOWN, ids=IDS.get)
def test_every_example_runs_and_answers_as_shown(page: Path, shown: Path) -> None:
    """One shell per page; a block of JSON right after a block of commands is what they print."""
    blocks = fences(page)
    commands_of_page = [fence.text for fence in blocks if fence.kind == "sh"]
    script = "set -euo pipefail\n" + "".join(f"{text}\nprintf '\\n@@@\\n'\n" for text in commands_of_page)
    values = {name.upper(): value for name, value in card(shown).items()}
    path = f"{shown / 'bin'}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    environment = {**values, "PATH": path, "CURL_HOME": str(shown), "HOME": str(shown), "LANG": "C.UTF-8"}
    ran = subprocess.run(
        ["bash", "-c", script], cwd=shown, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr
    printed = iter(ran.stdout.split("\n@@@\n"))
    for fence, following in zip(blocks, [*blocks[1:], Fence("", "")], strict=True):
        if fence.kind == "sh":
            answer = next(printed)
            if following.kind == "json":
                assert comparable(json.loads(answer), shown) == comparable(json.loads(following.text), shown)


def comparable(answer: Any, folder: Path) -> Any:
    """JSON without what differs between two servers: address, ids, random codes."""
    text = json.dumps(answer).replace(card(folder)["base_url"], "http://127.0.0.1:8000")
    text = re.sub(r'"\d{18,19}"', '"an id"', text)
    return json.loads(re.sub(r'http://127\.0\.0\.1:8000/[A-Za-z0-9]{10}"', 'http://127.0.0.1:8000/a code"', text))


def test_the_readmes_redirects_go_where_they_should(shown: Path) -> None:
    (loop,) = [fence.text for fence in fences(ROOT / "README.md") if "for agent in" in fence.text]
    create = next(fence.text for fence in fences(ROOT / "README.md") if '"alias": "first-book"' in fence.text)
    values = {name.upper(): value for name, value in card(shown).items()}
    environment = {**values, "PATH": os.environ["PATH"]}
    ran = subprocess.run(
        ["bash", "-euc", f"{create}\necho\n{loop}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answers = [line.partition("?")[0].strip() for line in ran.stdout.splitlines()[-4:]]
    assert answers == [
        "307 https://example.com/ios",
        "307 https://example.com/android",
        "307 https://example.com/desktop",
        "200",
    ]


def test_every_file_of_a_data_folder_stands_in_the_docs(shown: Path) -> None:
    def unknown() -> list[str]:
        return [path.name for path in (shown / "demo-data").iterdir() if not in_docs(path.name, "operations.md")]

    wait_until(lambda: (shown / "demo-data" / "warehouse.duckdb").exists(), 30)
    wait_until(lambda: not unknown(), 5, lambda: str(unknown()))


def test_the_backup_can_be_read(shown: Path) -> None:
    (line,) = [fence.text for fence in fences(ROOT / "docs/operations.md") if "backup.db" in fence.text]
    folder = shown / "restored"
    folder.mkdir()
    subprocess.run(["bash", "-euc", line], cwd=shown, check=True, timeout=60)
    (shown / "backup.db").rename(folder / "bough.db")
    bough = [str(shown / "bin" / "bough"), "apps", "list", "--json", "--data", str(folder)]
    listed = json.loads(subprocess.run(bough, capture_output=True, check=True, timeout=60).stdout)
    assert card(shown)["app_id"] in [app["app_id"] for app in listed]


def commands() -> list[tuple[str, list[str]]]:
    """(words after `bough`, options) of every command."""

    def walk(described: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, list[str]]]:
        groups = [a for a in described._actions if isinstance(a, argparse._SubParsersAction)]
        if path:
            yield path, [o for a in described._actions for o in a.option_strings]
        for group in groups:
            for name, child in group.choices.items():
                yield from walk(child, f"{path} {name}".strip())

    return list(walk(parser(), ""))
