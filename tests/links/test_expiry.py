"""The expiry rule, which is off unless an app asks for it (docs/links.md)."""

from __future__ import annotations

import pytest

from bough.links.actions import change_of
from bough.links.change import DAY_MS
from bough.links.codec import COLUMNS, from_row
from bough.links.queries import BY_PATH, EXTEND
from bough.store.changes import record
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms
from tests.apps import alias, new_app, store_of
from tests.conftest import Api, error
from tests.running import wait_until

DAYS = 380
NOT_FOUND = error(404, "The resource you were looking for could not be found.")
PHONE = {
    "User-Agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/124.0.0.0 Mobile Safari/537.36"
}


@pytest.fixture
def expiring(api: Api) -> Api:
    """An app whose links end 380 days after their last use."""
    return new_app(api, expiry_days=DAYS, web_url="")


def days_left(api: Api, url: str) -> float | None:
    """Until the link ends, as stored; None: never."""
    domain, path = _address(api, url)
    store = store_of(api.running)
    try:
        columns = store.rows(BY_PATH, (domain, path))[0]
    finally:
        store.close()
    expires_at = columns[COLUMNS.index("expires_at")]
    return None if expires_at is None else float(expires_at - now_ms()) / DAY_MS


def set_days_left(api: Api, url: str, days: float) -> None:
    """Let the link end so many days from now (negative: it has ended)."""
    domain, path = _address(api, url)
    store = store_of(api.running)

    def end(tx: Transaction, items: list[int]) -> list[Exception | None]:
        (row,) = tx.rows(BY_PATH, (domain, path))
        tx.run(EXTEND, (items[0], row[0]))
        record(tx, [change_of(from_row(row))])
        return [None]

    try:
        store.transact(end, now_ms() + int(days * DAY_MS))
    finally:
        store.close()


def _address(api: Api, url: str) -> tuple[str, str]:
    host, _, path = url.partition("://")[2].partition("/")
    return host, path


def click(api: Api, url: str) -> int:
    """The status of following the link."""
    return api.http.get(url.removeprefix(api.running.base_url), headers=PHONE).status_code


def test_links_never_expire_by_default(api: Api) -> None:
    assert days_left(api, api.created()) is None


@pytest.mark.parametrize(("link_type", "expires"), [(0, True), (1, True), (2, False)])
def test_standard_and_one_time_links_expire_and_marketing_links_do_not(
    expiring: Api, link_type: int, expires: bool
) -> None:
    left = days_left(expiring, expiring.created(type=link_type))
    assert left == pytest.approx(DAYS, abs=0.01) if expires else left is None


@pytest.mark.parametrize("before", [0.5, 379.5])
def test_a_read_gives_the_link_its_whole_time_again(expiring: Api, before: float) -> None:
    url = expiring.created()
    set_days_left(expiring, url, before)
    assert expiring.read(url).status_code == 200
    assert days_left(expiring, url) == pytest.approx(DAYS, abs=0.01)


def test_a_click_gives_the_link_its_whole_time_again(expiring: Api) -> None:
    url = expiring.created(data={"$android_url": "https://example.com"})
    set_days_left(expiring, url, 0.5)
    assert click(expiring, url) == 307
    wait_until(lambda: (days_left(expiring, url) or 0) > DAYS - 0.01)


def test_an_expired_link_is_unknown(expiring: Api) -> None:
    url = expiring.created(data={"$android_url": "https://example.com"})
    assert click(expiring, url) == 307
    # Counting the click gives the link its time again, so it must be counted before.
    wait_until(lambda: expiring.manage("GET", f"/api/links/{expiring.link_id(url)}").json()["clicks"] == 1)
    set_days_left(expiring, url, -0.001)
    assert (expiring.read(url).status_code, expiring.read(url).json()) == (404, NOT_FOUND)
    assert expiring.update(url, channel="x").json() == NOT_FOUND
    assert click(expiring, url) == 404


def test_an_expired_links_alias_stays_taken_until_it_is_deleted(expiring: Api) -> None:
    wanted = alias()
    url = expiring.created(alias=wanted)
    set_days_left(expiring, url, -1)
    assert expiring.create(alias=wanted, channel="other").status_code == 409
    assert expiring.delete(url).json() == {"url": url, "deleted": True}
    assert expiring.created(alias=wanted, channel="other") == url


def test_repeating_the_creation_of_an_expired_link_revives_it(expiring: Api) -> None:
    wanted = alias()
    url = expiring.created(alias=wanted)
    set_days_left(expiring, url, -1)
    assert expiring.created(alias=wanted) == url
    assert expiring.read(url).status_code == 200


def test_without_the_rule_expired_links_are_back(expiring: Api) -> None:
    url = expiring.created(data={"$android_url": "https://example.com"})
    set_days_left(expiring, url, -1)
    assert click(expiring, url) == 404
    expiring.configure(expiry_days=0)
    assert (expiring.read(url).status_code, click(expiring, url)) == (200, 307)
