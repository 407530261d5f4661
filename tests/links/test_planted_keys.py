"""Keys that only the server may write (`+…`) cannot be planted in a link, and one that was planted reaches no app."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from bough.links.codec import from_json, from_row, to_json, to_row
from bough.links.model import Link
from bough.store.changes import Change, record
from bough.store.transaction import Transaction
from tests.apps import new_app
from tests.clicks import user_agents as ua
from tests.clicks.following import follow, link_id, sent
from tests.conftest import Api
from tests.sdk.devices import Iphone
from tests.web.watch import opened

PLANTED = {
    "+non_branch_link": "https://x.example",
    "+phone_number": "1",
    "+match_guaranteed": True,
    "+clicked_branch_link": False,
    "+referrer": "x",
    "+": 1,
    "+anything": {"a": 1},
    "~referring_link": "https://x.example",
    "$one_time_use_used": True,
}
KEPT = {"product": "1984", "nested": {"+mine": 1}, "phone": "+49", "a+b": 1}


def own(data: dict[str, Any]) -> dict[str, Any]:
    """What of a link's data is the customer's."""
    made = ("$one_time_use", "~creation_source", "~id", "url", "~marketing")
    return {key: value for key, value in data.items() if key not in made}


def by_post(api: Api) -> str:
    return api.created(data={**PLANTED, **KEPT})


def by_json_text(api: Api) -> str:
    return api.created(data=json.dumps({**PLANTED, **KEPT}))


def by_form(api: Api) -> str:
    form = {"branch_key": api.key, "source": "web-sdk", "data": json.dumps({**PLANTED, **KEPT})}
    url: str = api.http.post("/v1/url", data=form).json()["url"]
    return url


def by_analytics(api: Api) -> str:
    return api.created(data=KEPT, analytics={**PLANTED})


def by_bulk(api: Api) -> str:
    url: str = api.http.post(f"/v1/url/bulk/{api.key}", json=[{"data": {**PLANTED, **KEPT}}]).json()[0]["url"]
    return url


def by_put(api: Api) -> str:
    url = api.created()
    assert api.update(url, data={**PLANTED, **KEPT}).status_code == 200
    return url


def by_quick_link(api: Api) -> str:
    url = api.created(type=2, data={**PLANTED, **KEPT, "$marketing_title": "Spring"})
    assert api.update(url, data={**PLANTED, **KEPT}).status_code == 200
    return url


WAYS = (by_post, by_json_text, by_form, by_analytics, by_bulk, by_put, by_quick_link)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_planted_keys_are_dropped_and_the_rest_is_kept(api: Api, way: Callable[[Api], str]) -> None:
    app = new_app(api)
    url = way(app)
    assert own(app.read(url).json()["data"]) == KEPT
    phone = Iphone(app)
    data = phone.data(phone.start(universal_link_url=url))
    assert {key: value for key, value in data.items() if key in KEPT} == KEPT
    assert {key for key in data if key.startswith("+")} == {
        "+clicked_branch_link",
        "+is_first_session",
        "+match_guaranteed",
        "+click_timestamp",
        "+url",
    }
    assert (data["+clicked_branch_link"], data["~referring_link"]) == (True, url)


@pytest.mark.parametrize("key", ["+phone_number", "+", "+url", "~referring_link"])
def test_a_change_of_single_keys_names_them(api: Api, key: str) -> None:
    url = api.created()
    answer = api.manage("PATCH", f"/api/links/{api.link_id(url)}", json={"data": {key: "1"}})
    message = f"data.{key}: is made by the server and cannot be changed."
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


def test_an_app_may_send_back_the_session_data_that_it_read(api: Api) -> None:
    """As apps do that share the link they were opened by."""
    app = new_app(api)
    phone = Iphone(app)
    read = phone.data(phone.start(universal_link_url=app.created(data=KEPT, channel="mail")))
    again = app.created(data=read)
    assert own(app.read(again).json()["data"]) == {**KEPT, "~channel": "mail"}


def test_the_dashboard_refuses_them_by_name() -> None:
    from bough.dashboard.link_form import _custom
    from bough.errors import BadRequest

    with pytest.raises(BadRequest, match=r"^Your own keys: \+phone_number is made by the server\.$"):
        _custom('{"+phone_number": "1"}')


def plant(api: Api, url: str) -> None:
    """Put keys into a stored link as earlier versions would have stored them."""
    identifier = link_id(api, url)
    host, path = url.split("/", 3)[2:]

    def store(tx: Transaction, items: list[str]) -> list[Exception | None]:
        tx.run("UPDATE link SET data = ? WHERE id = ?", (items[0], identifier))
        app = int(api.card["app_id"])
        record(tx, [Change(subject="link", app=app, link=identifier, domain=host, path=path)])
        return [None]

    with opened(api.running) as opened_store:
        opened_store.transact(store, json.dumps({**PLANTED, **KEPT, "$desktop_url": "https://example.com/d"}))


def test_keys_that_were_planted_before_reach_neither_app_nor_reader(api: Api) -> None:
    app = new_app(api)
    url = app.created()
    plant(app, url)
    phone = Iphone(app)
    data = phone.data(phone.start(universal_link_url=url))
    assert "+phone_number" not in data
    assert "+non_branch_link" not in data
    assert data["+clicked_branch_link"] is True
    assert data["product"] == "1984"
    assert not [key for key in app.read(url).json()["data"] if key.startswith("+")]
    assert sent(follow(app, url, ua.LINUX_FIREFOX)).target == "https://example.com/d"


def test_a_planted_key_is_left_out_of_a_links_row_and_of_its_history() -> None:
    link = Link(id=1, app=1, test=False, domain="d", path="p", data={"+phone_number": "1", "phone": "+49"})
    assert from_row(to_row(link)).data == from_json(to_json(link)).data == {"phone": "+49"}


@pytest.mark.parametrize("where", ["query", "data"])
def test_a_long_link_cannot_carry_them(api: Api, where: str) -> None:
    app = new_app(api)
    encoded = base64.urlsafe_b64encode(json.dumps({**PLANTED, **KEPT}).encode()).decode()
    query = f"data={encoded}" if where == "data" else "%2Bphone_number=1&+non_branch_link=x&product=1984"
    phone = Iphone(app)
    data = phone.data(phone.start(universal_link_url=f"{app.running.base_url}/a/{app.key}?{query}"))
    assert data["product"] == "1984"
    assert data["+clicked_branch_link"] is True
    assert "+phone_number" not in data
    assert "+non_branch_link" not in data
