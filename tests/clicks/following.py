"""Following links over HTTP and looking at what was recorded."""

from __future__ import annotations

import gzip
from base64 import b64decode
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from bough.clicks.counts.kept import LINK_COUNTS
from bough.store.journal import to_row
from bough.vocabulary.journal_rows import JournalRow
from tests.conftest import Api
from tests.web.watch import opened

ROWS = "SELECT id, at, app, test, kind, link, body FROM journal WHERE link = ? ORDER BY id"
DYNAMIC_ROWS = "SELECT id, at, app, test, kind, link, body FROM journal WHERE app = ? AND link IS NULL ORDER BY id"


def follow(api: Api, url: str, user_agent: str, query: str = "", method: str = "GET", **headers: str) -> httpx.Response:
    """Ask for a link of any host; `headers` with underscores. The client keeps no cookies."""
    scheme, _, rest = url.partition("://")
    assert scheme in ("http", "https")
    host, _, path = rest.partition("/")
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = api.http.request(
        method, f"/{path}{query}", headers={"Host": host, "User-Agent": user_agent, **names}, follow_redirects=False
    )
    api.http.cookies.clear()
    return answer


def link_id(api: Api, url: str) -> int:
    """The id of a stored link."""
    return int(api.read(url).json()["data"]["~id"])


def rows(api: Api, url: str) -> list[JournalRow]:
    """The journal rows of a stored link, oldest first."""
    identifier = link_id(api, url)
    with opened(api.running) as store:
        return [to_row(values) for values in store.rows(ROWS, (identifier,))]


def rows_without_link(api: Api) -> list[JournalRow]:
    """The journal rows of the app's long links, oldest first."""
    with opened(api.running) as store:
        return [to_row(values) for values in store.rows(DYNAMIC_ROWS, (int(api.card["app_id"]),))]


def kept_count(api: Api, url: str) -> int:
    """How many clicks the background process has counted for a link."""
    identifier = link_id(api, url)
    with opened(api.running) as store:
        found = store.rows(LINK_COUNTS, (identifier,))
    return int(found[0][0]) if found else 0


class Sent(NamedTuple):
    """A Location taken apart."""

    target: str
    """Without `_branch_match_id` and `_branch_referrer`."""
    match_id: str
    referrer: str
    """The link that `_branch_referrer` holds, unpacked."""


def sent(answer: httpx.Response) -> Sent:
    """The parts of a redirect's Location; checks that the two come last and in Branch's form."""
    location = answer.headers["location"]
    query = parse_qs(urlsplit(location).query)
    if "_branch_match_id" not in query:
        return Sent(location, "", "")
    match_id, referrer = query["_branch_match_id"][0], query["_branch_referrer"][0]
    appended = f"_branch_match_id={match_id}&_branch_referrer={quote(referrer, safe='')}"
    assert location.endswith(appended)
    target = location.removesuffix(appended).rstrip("?&")
    return Sent(target, match_id, gzip.decompress(b64decode(referrer)).decode())
