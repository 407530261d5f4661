"""Mistakes on the command line: one sentence that says what to do, and nothing is made. Driven by the parser itself, so
that a new command is held to it, too."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bough.cli import main, parser
from tests.running import free_port

BEGIN = {"serve", "demo", "apps create", "organizations add", "import rates"}
"""Commands that make an installation where there is none."""

WITHOUT_DATA = {"permissions", "sdk vendor"}
"""Commands that read nothing of a data folder."""


def leaves(described: argparse.ArgumentParser, path: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that can be run, with its parser."""
    found = [action for action in described._actions if isinstance(action, argparse._SubParsersAction)]
    if not found:
        yield path, described
    for action in found:
        for name, below in action.choices.items():
            yield from leaves(below, f"{path} {name}".strip())


LEAVES = dict(leaves(parser()))
WITH_DATA = {path for path, below in LEAVES.items() if "--data" in below._option_string_actions}
READING = sorted(WITH_DATA - BEGIN - WITHOUT_DATA)


def arguments(path: str, file: Path) -> list[str]:
    """A command with all that it requires; whatever can name a file names one that is there."""
    given = path.split()
    for action in LEAVES[path]._actions:
        value = str(next(iter(action.choices))) if action.choices else "1" if action.type is int else str(file)
        if action.option_strings and action.required:
            given += [action.option_strings[-1], value]
        elif not action.option_strings and action.nargs not in ("?", "*"):
            given.append(value)
    return given


def run(given: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Status and the whole output."""
    try:
        status = main(given)
    except SystemExit as ended:
        status = int(ended.code or 0)
    shown = capsys.readouterr()
    return status, shown.out + shown.err


def test_all_commands_are_known() -> None:
    assert set(LEAVES) - WITH_DATA <= WITHOUT_DATA
    assert set(LEAVES) >= BEGIN | WITHOUT_DATA


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("kind", ["missing", "no folder of bough", "file"])
def test_a_wrong_data_folder_is_said_and_not_made(
    path: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.txt"
    file.write_text("")
    folder = tmp_path / "elsewhere" / "deeper"
    if kind == "no folder of bough":
        folder.mkdir(parents=True)
        (folder / "letter.txt").write_text("mine")
    elif kind == "file":
        folder = file
    before = sorted(tmp_path.rglob("*"))
    status, said = run([*arguments(path, file), "--data", str(folder)], capsys)
    sentence = {
        "missing": f"There is no data folder {folder}: ",
        "no folder of bough": f"{folder} is no data folder of bough, as it holds no bough.db: ",
        "file": f"{folder} is a file and no data folder: ",
    }[kind] + "name the server's folder with --data or BOUGH_DATA; `bough serve` makes a new one."
    assert (status, said.removeprefix("bough: ").removeprefix("- ")) == (1, sentence + "\n")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_database_without_bough_is_said_and_gets_no_tables(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bough.version").write_bytes(bytes(8))
    (tmp_path / "bough.version.lock").touch()
    for _ in range(2):
        status, said = run(["apps", "list", "--data", str(tmp_path), "--store", database], capsys)
        assert status == 1
        assert said.startswith("bough: BOUGH_STORE: the database holds nothing of bough; name the server's database")
    status, said = run(["apps", "list", "--data", str(tmp_path / "no"), "--store", database], capsys)
    assert (status, said[:40]) == (1, f"bough: There is no data folder {tmp_path}"[:40])
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--port", "70000"], "bough: argument --port: '70000' is no whole number from 0 to 65535. "),
        (["--port", "-1"], "bough: argument --port: "),
        (["--port", "http"], "bough: argument --port: 'http' is no whole number from 0 to 65535. "),
        (["--port", "80 80"], "bough: argument --port: '80 80' is no whole number from 0 to 65535. "),
        (["--port", "٣"], "bough: argument --port: '٣' is no whole number from 0 to 65535. "),
        (["--workers", "0"], "bough: argument --workers: '0' is no whole number from 1 to 32. "),
        (["--host", "192.0.2.1"], "bough: Cannot listen on 192.0.2.1 port 0: "),
        (["--host", "no..host"], "bough: Cannot listen on no..host port 0: "),
        (["--port", "TAKEN"], "; another program listens there, so choose another --port.\n"),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_bad_address_is_one_sentence_before_anything_is_made(
    command: str, options: list[str], says: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = [str(taken.getsockname()[1]) if one == "TAKEN" else one for one in options]
        with_port = [] if "--port" in given else ["--port", "0"]
        done = _bough([command, "--data", str(folder), *with_port, *given])
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert (done.stderr.count("\n"), done.stdout) == (1, "")
    assert not folder.exists()


@pytest.mark.parametrize("command", sorted(BEGIN))
@pytest.mark.parametrize("place", ["file/data", "/proc/bough", "/dev/null/data"])
def test_a_folder_that_cannot_be_made_is_one_sentence(command: str, place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    folder = tmp_path / place
    extra = ["--port", str(free_port())] if command in ("serve", "demo") else [str(tmp_path / "file")]
    done = _bough([*command.split(), *extra, "--data", str(folder)])
    assert done.returncode == 1
    assert done.stderr.startswith(f"bough: The data folder {folder} cannot be ")
    assert (done.stderr.count("\n"), done.stdout) == (1, "")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["srve"], "argument COMMAND: 'srve' is unknown; did you mean 'serve'?"),
        (["apps", "lst"], "argument ACTION: 'lst' is unknown; did you mean 'list'?"),
        (["apps", "list", "--datta", "x"], "there is no option --datta; did you mean '--data'?"),
        (["export", "--meassures=OPEN"], "there is no option --meassures; did you mean '--measures'?"),
        (["import", "event", "x"], "argument WHAT: 'event' is unknown; did you mean 'events'?"),
        (["apps", "list", "more"], "'more' is one argument too many."),
    ],
    ids=str,
)
def test_mistyped_words_get_a_proposal(given: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(given, capsys)
    assert (status, said.count("\n")) == (2, 1)
    assert said.startswith("bough: ")
    assert says in said


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_every_command_knows_what_an_unknown_option_is(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.txt"
    file.write_text("")
    status, said = run([*arguments(path, file), "--colour", "red"], capsys)
    assert (status, said.count("\n")) == (2, 1)
    assert said.startswith("bough: there is no option --colour")
    assert said.endswith(f"`bough {path} --help` shows what there is.\n")


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("BOUGH_DTA", "x", "BOUGH_DTA is not a setting of bough; "),
        ("BOUGH_DTA", "x", "docs/settings.md lists them all. Did you mean BOUGH_DATA?"),
        ("BOUGH_BASEURL", "x", "Did you mean BOUGH_BASE_URL?"),
        ("BOUGH_ZZZ", "x", "BOUGH_ZZZ is not a setting of bough; docs/settings.md lists them all."),
        ("BOUGH_RATE_LIMITS", "maybe", "BOUGH_RATE_LIMITS='maybe' cannot be used: "),
        ("BOUGH_MAX_BODY", "many", "BOUGH_MAX_BODY='many' cannot be used: "),
        ("BOUGH_MAX_BODY", "-1", "BOUGH_MAX_BODY='-1' cannot be used: "),
        ("BOUGH_IDLE_SECONDS", "nan", "BOUGH_IDLE_SECONDS='nan' cannot be used: "),
        ("BOUGH_LOG_LEVEL", "loud", "BOUGH_LOG_LEVEL='loud' cannot be used: "),
        ("BOUGH_EXPORT_FILES", "http://x", "BOUGH_EXPORT_FILES='http://x' must look like s3://bucket"),
        ("BOUGH_DATA", "", "BOUGH_DATA or --data is empty; it must name the data folder, as in ./bough-data."),
        ("BOUGH_STORE", "mysql://x", "BOUGH_STORE or --store must begin with postgresql://"),
        ("BOUGH_STORE", "bough.db", "BOUGH_STORE or --store must begin with postgresql://"),
        ("BOUGH_TRUSTED_PROXIES", "nowhere", "BOUGH_TRUSTED_PROXIES: 'nowhere' is no IP address"),
        ("BOUGH_BASE_URL", "go.example.com", "BOUGH_BASE_URL='go.example.com' must look like https://go.example.com"),
    ],
)
def test_a_setting_that_cannot_work_is_one_sentence(variable: str, value: str, says: str, tmp_path: Path) -> None:
    environment = {"BOUGH_DATA": str(tmp_path / "data"), variable: value}
    done = _bough(["serve", "--port", "0"], environment, cwd=tmp_path)
    assert done.returncode == 1
    assert says in done.stderr
    assert (done.stderr.count("\n"), done.stdout) == (1, "")
    assert not (tmp_path / "data").exists()


def test_a_database_that_is_none_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bough.db").write_text("this is a letter and no database, however long it may be" * 100)
    status, said = run(["apps", "list", "--data", str(tmp_path)], capsys)
    assert (status, said.count("\n")) == (1, 1)
    assert f"{tmp_path}" in said


def test_an_app_that_is_nobodys_gets_a_proposal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["apps", "create", "Bough Books", "--data", str(tmp_path)], capsys)[0] == 0
    status, said = run(["apps", "show", "bough book", "--data", str(tmp_path)], capsys)
    assert status == 1
    assert said == "bough: There is no app 'bough book'; `bough apps list` shows all ids. Did you mean 'Bough Books'?\n"


@pytest.mark.parametrize("output", ["no/such/folder.csv", "."])
def test_an_output_that_cannot_be_written_is_one_sentence(
    output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    run(["apps", "create", "Shop", "--data", str(data)], capsys)
    status, said = run(["links", "export", str(tmp_path / output), "--data", str(data)], capsys)
    assert (status, said.count("\n")) == (1, 1)
    assert str(tmp_path) in said


def _bough(
    given: list[str], environment: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOUGH_")}
    return subprocess.run(
        [sys.executable, "-m", "bough.cli", *given],
        capture_output=True, text=True, timeout=60, env=kept | (environment or {}), cwd=cwd, check=False,
    )  # fmt: skip
