from __future__ import annotations

from pathlib import Path

import pytest

from bough.attribution.live.legacy_identity import is_old
from bough.cli import main
from bough.errors import BadRequest
from bough.sdk.vendor import HOSTS, vendor

BUILD = 'var a="https://api2.branch.io",b=[a,"https://app.link","https://bnc.lt"],c="https://bnc.lt/a/",d={sdk:"web2.89.2"};'


def test_every_host_is_ours_and_the_licence_stays() -> None:
    copy = vendor(BUILD, "https://go.example.com/")
    assert not any(host in copy for host in HOSTS)
    assert copy.count('"https://go.example.com') == 4
    assert 'c="https://go.example.com/a/"' in copy
    assert copy.startswith(
        "/*! branch-sdk 2.89.2, changed by `bough sdk vendor`: requests go to https://go.example.com."
    )
    assert "The MIT License (MIT)" in copy
    assert "Copyright (c) 2015 Branch Metrics, Inc." in copy


@pytest.mark.parametrize(
    "address",
    ["go.example.com", "https://go.example.com/path", "ftp://go.example.com", 'https://a"b', "https://x:y", "https://"],
)
def test_an_address_that_is_no_origin(address: str) -> None:
    with pytest.raises(BadRequest, match="is not an address"):
        vendor(BUILD, address)


def test_localhost_is_what_the_sdk_refuses() -> None:
    with pytest.raises(BadRequest, match=r"127\.0\.0\.1"):
        vendor(BUILD, "http://localhost:8000")


def test_another_script_is_no_build() -> None:
    with pytest.raises(BadRequest, match="no build of branch-sdk"):
        vendor("alert(1)", "https://go.example.com")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "package" / "dist" / "build.min.js", tmp_path / "branch.js"
    command = ["sdk", "vendor", "--from", str(source), "--out", str(out), "--host", "https://go.example.com"]
    assert main(command) == 1
    assert "is not there; run `npm install branch-sdk`" in capsys.readouterr().err
    source.parent.mkdir(parents=True)
    source.write_text(BUILD)
    (tmp_path / "package" / "LICENSE").write_text("The package's own licence */ text")
    assert main(command) == 0
    assert capsys.readouterr().out == f"branch-sdk 2.89.2 → {out}\n"
    assert "The package's own licence * / text" in out.read_text()


@pytest.mark.parametrize(
    ("sdk", "old"),
    [
        ("ios2.2.1", True),
        ("ios3.0.0", False),
        ("android5.8.1", True),
        ("android5.9.0", False),
        ("android5.21.2", False),
        ("web2.71.0", True),
        ("web2.79.0", False),
        ("", False),
        ("unity1.0", False),
        ("web", False),
    ],
)
def test_whose_identity_the_server_keeps(sdk: str, old: bool) -> None:
    assert is_old(sdk) is old
