"""The audit log: who, what, when, from where, under which filters; append-only on both stores."""

from __future__ import annotations

import apsw
import psycopg
import pytest

from tests.access.people import Member, member
from tests.apps import alias, new_app, store_of
from tests.conftest import Api, error
from tests.exports.client import bough
from tests.running import Running


def entries(api: Api, **query: str) -> list[dict[str, object]]:
    """GET /api/audit, which must succeed."""
    answer = api.manage("GET", "/api/audit", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["entries"]
    return found


def test_a_change_of_a_link_is_logged_with_who_what_when_and_where(api: Api) -> None:
    url = api.created(channel="a")
    identifier = api.link_id(url)
    assert api.manage("PATCH", f"/api/links/{identifier}", json={"channel": "b"}).status_code == 200
    (entry,) = entries(api, subject=url, action="link.change")
    assert (entry["actor"], entry["ip"], entry["app_id"]) == ("owner", "127.0.0.1", api.card["app_id"])
    assert entry["details"] == {"id": identifier, "fields": ["channel"]}
    assert entry["filters"] == {}
    assert str(entry["at"]).endswith("Z")


def test_changes_with_key_and_secret_name_the_key(api: Api) -> None:
    url = api.created(channel="a")
    api.update(url, channel="b")
    api.configure(og_title="x")
    assert [entry["actor"] for entry in entries(api, subject=url)] == [f"key {api.key}"]
    newest = entries(api, action="app.change", limit="1")[0]
    assert (newest["actor"], newest["details"]) == (f"key {api.key}", {"fields": ["dev_email", "og_title"]})


def test_every_kind_of_change_leaves_its_entry(api: Api) -> None:
    url, other = api.created(), api.created()
    api.delete(url)
    api.manage("POST", "/api/links/bulk-update", content=f"url,channel\n{other},z\n")
    api.manage("PUT", "/api/links/by-alias", json={"app_id": api.card["app_id"], "alias": alias()})
    api.manage("POST", "/api/links/bulk-delete", content=f"url\n{other}\n")
    api.manage("POST", "/api/costs", json={"app_id": api.card["app_id"], "costs": [{"date": "2026-01-01", "cost": 1}]})
    api.manage("POST", "/api/rates", json={"rates": [{"date": "2020-01-02", "currency": "EUR", "usd_rate": "1.1"}]})
    app = api.manage("POST", "/v1/app", json={"app_name": "x", "dev_name": "x", "dev_email": "x"}).json()
    api.manage("POST", f"/api/apps/{app['app_id']}/keys/rotate", json={})
    agency = api.manage("POST", "/api/agencies", json={"name": alias()}).json()["agency_id"]
    user = api.manage("POST", "/api/users", json={"email": alias(), "agency_id": agency}).json()["user_id"]
    api.manage("PATCH", f"/api/users/{user}", json={"name": "Jane"})
    token = api.manage("POST", "/api/tokens", json={"name": "x", "user_id": user}).json()["token_id"]
    api.manage("POST", f"/api/users/{user}/token")
    api.manage("DELETE", f"/api/tokens/{token}")
    api.manage("PATCH", f"/api/users/{user}", json={"disabled": True})
    api.manage("PATCH", f"/api/users/{user}", json={"disabled": False})
    api.manage("DELETE", f"/api/agencies/{agency}")
    newest_first = [entry["action"] for entry in entries(api, limit="17")]
    assert newest_first[::-1][-16:] == [
        "links.change",
        "link.place",
        "links.delete",
        "costs.add",
        "rates.add",
        "app.create",
        "app.keys",
        "agency.add",
        "user.add",
        "user.change",
        "token.create",
        "token.reset",
        "token.revoke",
        "user.disable",
        "user.enable",
        "agency.remove",
    ]
    assert newest_first[-1] == "link.delete"


def test_what_fails_leaves_none(api: Api) -> None:
    before = entries(api, limit="1")
    assert api.manage("POST", "/api/users", json={"email": ""}).status_code == 400
    assert api.manage("DELETE", "/api/agencies/1").status_code == 404
    assert entries(api, limit="1") == before


def test_neither_tokens_nor_secrets_stand_in_it(api: Api) -> None:
    made = api.manage("POST", "/api/tokens", json={"name": "secret test"}).json()["access_token"]
    keys = api.manage("POST", f"/api/apps/{new_app(api).card['app_id']}/keys/rotate", json={}).json()
    text = api.manage("GET", "/api/audit", params={"limit": "20"}).text
    assert keys["branch_key"] in text
    assert not any(secret in text for secret in (made, keys["branch_secret"], api.card["access_token"]))


def test_pages_follow_one_another(api: Api) -> None:
    for _ in range(3):
        api.manage("POST", "/api/agencies", json={"name": alias()})
    whole = entries(api, action="agency.", limit="3")
    first = api.manage("GET", "/api/audit", params={"action": "agency.", "limit": "2"}).json()
    second = entries(api, action="agency.", limit="1", cursor=first["next_cursor"])
    assert [*first["entries"], *second] == whole
    assert entries(api, action="agency.", until="2000-01-01") == []


def test_only_for_people_of_the_organization_with_team(api: Api) -> None:
    who: Member = member(api, permissions=["aggregate_data", "export", "links", "settings", "sensitive_data"])
    answer = who.http("GET", "/api/audit")
    assert (answer.status_code, answer.json()) == (403, error(403, "Unauthorized User"))


def test_the_database_itself_refuses_to_change_or_lose_a_row(api: Api) -> None:
    api.manage("POST", "/api/agencies", json={"name": alias()})
    store = store_of(api.running)
    try:
        for sql in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
            with pytest.raises((apsw.Error, psycopg.Error), match="append-only"), store.begin() as tx:
                tx.run(sql)
        identifier = store.rows("SELECT max(id) FROM audit")[0][0]
        replace = (
            "INSERT OR REPLACE INTO audit VALUES (?, 1, 1, 1, 'x', '', 'x', 1, '', '{}', '{}')"
            if "BOUGH_STORE" not in api.running.environment
            else "INSERT INTO audit VALUES (?, 1, 1, 1, 'x', '', 'x', 1, '', '{}', '{}')"
            " ON CONFLICT (id) DO UPDATE SET actor = 'x'"
        )
        with pytest.raises((apsw.Error, psycopg.Error), match="append-only"), store.begin() as tx:
            tx.run(replace, (identifier,))
    finally:
        store.close()


def test_the_command_line_logs_and_shows(server: Running) -> None:
    name = alias()
    bough(server, "agencies", "add", name)
    shown = bough(server, "audit", "list", "--do", "agency.add", "--limit", "1").stdout
    assert "command line (" in shown
    assert name in shown
