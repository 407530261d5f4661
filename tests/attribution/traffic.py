"""Random traffic on a store, through the same functions as the server's: clicks, openings, events, imports, retries."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from msgspec import to_builtins

from bough.accounts.creation import NewApp, create_app
from bough.accounts.directory import Directory
from bough.attribution.live.opens import Opens
from bough.attribution.live.request import OpenRequest
from bough.events.body import encode
from bough.events.server_fields import ServerFields, with_facts
from bough.links.model import LinkType
from bough.store import Store
from bough.store.journal import ON_ARRIVAL, NewRow, append_batch
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms
from bough.vocabulary.journal_rows import Click
from tests.attribution.world import DAY, IPHONE_UA, PIXEL_UA, android, iphone, web

HOST = "127.0.0.1:8000"
ADDRESSES = ("203.0.113.7", "198.51.100.1")
BROWSERS = ("500000000000000001", "500000000000000002")
AD_ID = "38400000-8cf0-11bd-b23e-10b96e40000d"
VENDORS = ("11111111-AAAA-4AAA-8AAA-000000000001", "11111111-AAAA-4AAA-8AAA-000000000002")
ANDROIDS = ("a1b2c3d4e5f60718", "a1b2c3d4e5f60719")
PATHS = ("summer", "coupon", "ad")
INSERT_LINK = (
    "INSERT INTO link (id, app, test, domain, path, type, data, duration, source, created_at, updated_at, campaign)"
    " VALUES (?, ?, 0, ?, ?, ?, ?, 7200, 0, 0, 0, ?)"
)


class World:
    """A store with an app, three links and the ids of what has happened so far."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.app = int(create_app(store, NewApp(name="Shop", base_url=f"http://{HOST}")).app_id)
        self.links = {path: 300 + number for number, path in enumerate(PATHS)}
        store.transact(self._add_links, None)
        self.directory = Directory(store)
        self.opens = Opens(self.directory)
        self.clicks: list[int] = []
        self.tokens: dict[str, dict[str, str]] = {}

    def _add_links(self, tx: Transaction, items: list[None]) -> list[Exception | None]:
        for path, number in self.links.items():
            kind = LinkType.ONE_TIME if path == "coupon" else LinkType.STANDARD
            data = {"$idfa": AD_ID} if path == "ad" else {"product": path}
            tx.run(INSERT_LINK, (number, self.app, HOST, path, int(kind), json.dumps(data), path))
        return [None] * len(items)


PHONES = {
    **{f"iphone {number}": iphone(vendor) for number, vendor in enumerate(VENDORS)},
    **{f"android {number}": android(one) for number, one in enumerate(ANDROIDS)},
    **{f"page {number}": web(browser) for number, browser in enumerate(BROWSERS)},
}


@st.composite
def acts(draw: st.DrawFn) -> dict[str, Any]:
    """One thing that happens."""
    what = draw(st.sampled_from(["click", "click", "open", "open", "open", "event", "event", "import"]))
    act: dict[str, Any] = {"what": what, "ip": draw(st.sampled_from(ADDRESSES)), "first": draw(st.booleans())}
    identity = draw(st.sampled_from(["", "", "ann", "bob"]))
    if what == "click":
        act |= {
            "path": draw(st.sampled_from(PATHS)),
            "browser": draw(st.sampled_from(["", *BROWSERS])),
            "user_agent": draw(st.sampled_from([IPHONE_UA, PIXEL_UA])),
            "kind": draw(st.sampled_from(["click", "click", "click", "impression", "prefetch"])),
        }
    elif what == "open":
        act |= {
            "phone": draw(st.sampled_from(sorted(PHONES))),
            "identity": identity,
            "kind": draw(st.sampled_from(["install", "open"])),
            "token": draw(st.booleans()),
            "evidence": draw(st.sampled_from(["", "", "click", "browser", "url", "store", "coupon"])),
            "number": draw(st.integers(0, 5)),
            "extra": draw(
                st.sampled_from(
                    [
                        {},
                        {},
                        {"idfa": AD_ID},
                        {"tracking_disabled": True},
                        {"branch_sdk_request_unique_id": "request-1"},
                    ]
                )
            ),
        }
    else:
        act |= {
            "name": draw(
                st.sampled_from(["PURCHASE", "LOGIN", "INSTALL", "OPEN"] if what == "import" else ["PURCHASE"])
            ),
            "who": draw(
                st.sampled_from(
                    [
                        {"developer_identity": "ann"},
                        {"developer_identity": "bob", "os": "iOS", "idfv": VENDORS[0]},
                        {"os": "Android", "android_id": ANDROIDS[1]},
                        {"browser_fingerprint_id": BROWSERS[0]},
                        {"developer_identity": "ann", "aaid": AD_ID},
                    ]
                )
            ),
            "transaction": draw(st.sampled_from(["", "t1"])),
            "days": draw(st.integers(0, 40)),
            "revenue": draw(st.sampled_from([None, 9.99, 20])),
            "touch": draw(st.booleans()),
        }
    return act


def play(world: World, act: dict[str, Any]) -> None:
    """Do it; durable when it returns."""
    if act["what"] == "click":
        _click(world, act)
    elif act["what"] == "open":
        _open(world, act)
    elif act["what"] == "event":
        data = {"transaction_id": act["transaction"], "revenue": act["revenue"], "currency": "EUR"}
        who = dict(act["who"])
        if "browser_fingerprint_id" in who:
            who["browser_fingerprint_id"] = _browser(world, act, who["browser_fingerprint_id"])
        body = {"name": act["name"], "user_data": who, "event_data": data}
        _append(world, "event", with_facts(body, ServerFields(ip=act["ip"])))
    else:
        body = {f"user_data_{name}": value for name, value in act["who"].items()}
        body |= {"id": act["transaction"], "name": act["name"], "event_data_revenue": act["revenue"]}
        if act["touch"]:
            at = now_ms() - (act["days"] + 1) * DAY
            body |= {"last_attributed_touch_type": "CLICK", "last_attributed_touch_timestamp": at}
        _append(world, "import", body, at=now_ms() - act["days"] * DAY)


def _browser(world: World, act: dict[str, Any], other: str) -> str:
    """What a browser is known by: its first click's id, when it came without a cookie."""
    return str(world.clicks[0]) if act["first"] and world.clicks else other


def _append(world: World, kind: Any, body: dict[str, Any], at: int = ON_ARRIVAL, link: int | None = None) -> int:
    return world.store.transact(append_batch, NewRow(at, world.app, 0, kind, link, encode(body).decode()))


def _click(world: World, act: dict[str, Any]) -> None:
    click = Click(
        url=f"http://{HOST}/{act['path']}", user_agent=act["user_agent"], ip=act["ip"], browser=act["browser"]
    )
    number = _append(world, act["kind"], to_builtins(click), link=world.links[act["path"]])
    world.clicks.append(number)


def _open(world: World, act: dict[str, Any]) -> None:
    phone = act["phone"]
    body = {**PHONES[phone], **act["extra"]}
    page = phone.startswith("page")
    if page:
        body["browser_fingerprint_id"] = _browser(world, act, body["browser_fingerprint_id"])
    if act["identity"]:
        body["identity"] = act["identity"]
    if act["evidence"] == "click" and world.clicks:
        body["link_identifier"] = str(world.clicks[act["number"] % len(world.clicks)])
    elif act["evidence"] == "browser":
        body["link_identifier"] = BROWSERS[0]
    elif act["evidence"] in ("url", "coupon"):
        path = "coupon" if act["evidence"] == "coupon" else "summer"
        body["universal_link_url"] = f"http://{HOST}/{path}"
    elif act["evidence"] == "store" and world.clicks:
        body["install_referrer_extras"] = f"link_click_id%3D{world.clicks[-1]}"
    tokens = world.tokens.get(phone, {}) if act["token"] else {}
    facts = ServerFields(
        ip=act["ip"],
        bundle=tokens.get("bundle", f"9{len(world.clicks)}{abs(hash(phone)) % 1000}{now_ms()}"),
        browser=body["browser_fingerprint_id"] if page else "",
    )
    if tokens:
        body["randomized_bundle_token"] = tokens["bundle"]
    kind = "open" if page else act["kind"]
    request = OpenRequest(at=now_ms(), app=world.app, test=False, kind=kind, body=body, facts=facts)
    world.store.transact(world.opens.batch, request)
    world.tokens[phone] = {"bundle": facts.bundle}
