"""An erasure is of one app: what others know of somebody with the same name stays theirs."""

from __future__ import annotations

from bough.attribution.live.legacy_identity import bundle_key
from tests.apps import alias, other_organization, store_of
from tests.attribution.stored.test_history import Phone
from tests.conftest import Api
from tests.running import wait_until


def test_a_login_at_another_tenant_is_left_alone(api: Api) -> None:
    """Anybody can have a user of any name: erasing it must not log somebody else's user out."""
    other = other_organization(api)
    identity, bundles = f"{alias()}@example.com", []
    for client in (api, other):
        told = Phone(client, "11111111-AAAA-4AAA-8AAA-0000000E0001", "203.0.113.131").open(identity=identity)
        bundles.append(told["randomized_bundle_token"])
        body = {"branch_key": client.key, "identity_id": bundles[-1], "identity": identity, "sdk": "android4.0.0"}
        assert client.http.post("/v1/profile", json=body).status_code == 200
    store = store_of(api.running)
    try:
        keys = [
            bundle_key(int(client.card["app_id"]), False, bundle)
            for client, bundle in zip((api, other), bundles, strict=True)
        ]

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
    wait_until(lambda: len(other.manage("GET", "/api/persons", params={"identity": identity}).json()["persons"]) == 1)
