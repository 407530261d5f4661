"""A live first start of an imported person's device is a reinstall, not an install (docs/exports.md)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.apps import store_of
from tests.exports.client import Exports, read_csv, write_csv
from tests.running import wait_until

IDFA = "5D1F0A52-1C5E-4F0B-9A38-3D2A7C6C8A01"
OTHER = "6D1F0A52-1C5E-4F0B-9A38-3D2A7C6C8A02"


def _install(client: Exports, key: str, **fields: Any) -> dict[str, Any]:
    body = {
        "branch_key": key,
        "hardware_id": fields.pop("hardware_id"),
        "is_hardware_id_real": True,
        "os": "iOS",
        "os_version": "17.0",
        "update": 0,
        "first_install_time": 1,
        "latest_install_time": 1,
        "latest_update_time": 1,
        "app_version": "1.0",
        **fields,
    }
    answer = client.http.post("/v1/install", json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


@pytest.mark.parametrize("platform", ["IOS_APP", ""])
def test_a_live_start_of_an_imported_device_is_a_reinstall(
    new_app: Callable[[], Exports], tmp_path: Path, platform: str
) -> None:
    client = new_app()
    store = store_of(client.running)
    try:
        keys = store.rows("SELECT branch_key FROM app_key WHERE app = ? AND test = 0", (int(client.app_id),))
    finally:
        store.close()
    columns = ("name", "timestamp", "user_data_idfa", "user_data_platform")
    client.import_events(write_csv(tmp_path / "e.csv", columns, [("INSTALL", client.at(20), IDFA, platform)]))
    for idfa in (IDFA.lower(), OTHER):
        _install(client, keys[0][0], hardware_id=idfa, idfa=idfa)
    dimension = "install_activity_timezone_adjusted_day"
    body = client.body(start_date=client.day(30), end_date=client.day(0), measures=["users"], dimensions=[dimension])

    def installs() -> dict[str, str]:
        return {row[dimension]: row["users"] for row in read_csv(client.waited({**body, "fresh": True}))}

    wait_until(lambda: client.day(0) in installs(), 20)
    assert installs() == {client.day(20): "1", client.day(0): "1"}, "only the device that nobody knew is new"
