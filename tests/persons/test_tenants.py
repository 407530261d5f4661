"""An erasure is of one app: what others know of somebody with the same name stays theirs."""

from __future__ import annotations

from bough.sdk.legacy import bundle_key
from tests.apps import alias, other_organization, store_of
from tests.conftest import Api
from tests.running import wait_until


def test_a_login_at_another_tenant_is_left_alone(api: Api) -> None:
    """Anybody can have a user of any name: erasing it must not log somebody else's user out."""
    other = other_organization(api)
    identity, bundle = f"{alias()}@example.com", "1123456789012345678"
    for client in (api, other):
        body = {"branch_key": client.key, "identity_id": bundle, "identity": identity, "sdk": "android4.0.0"}
        assert client.http.post("/v1/profile", json=body).status_code == 200
    store = store_of(api.running)
    try:
        keys = [bundle_key(int(client.card["app_id"]), False, bundle) for client in (api, other)]

        def known() -> list[bool]:
            return [bool(store.rows("SELECT id FROM bundle_identity WHERE id = ?", (one,))) for one in keys]

        assert known() == [True, True]
        wait_until(lambda: api.manage("GET", "/api/persons", params={"identity": identity}).json()["persons"])
        asked = api.manage("POST", "/api/persons/by/erase", json={"identity": identity})
        assert asked.status_code == 200, asked.text
        (erasure,) = asked.json()["erasures"]
        address = f"/api/erasures/{erasure['erasure_id']}"
        wait_until(lambda: api.manage("GET", address).json()["status"] == "done", 90)
        assert known() == [False, True]
    finally:
        store.close()
    found = other.manage("GET", "/api/persons", params={"identity": identity}).json()["persons"]
    assert len(found) == 1
