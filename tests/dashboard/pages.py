"""Pages of a running bough: get them, read their text, send their forms."""

from __future__ import annotations

import csv
import html
import io
from html.parser import HTMLParser
from typing import Any

import httpx

from tests.conftest import Api
from tests.running import wait_until
from tests.signin.browser import Browser

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4.1 Mobile/15E148 Safari/604.1"
)


class Pages:
    """The pages as one signed-in user sees them."""

    def __init__(self, browser: Browser, api: Api) -> None:
        self.browser = browser
        self.api = api

    def get(self, path: str = "", **query: Any) -> httpx.Response:
        """A page that must succeed."""
        response = self.browser.http.get(f"/dashboard{path}", params=query, headers={"Accept": "text/html"})
        assert response.status_code == 200, response.text
        return response

    def text(self, path: str = "", **query: Any) -> str:
        """What a person reads on a page."""
        return text_of(self.get(path, **query).text)

    def json(self, path: str = "", **query: Any) -> Any:
        """A page's JSON form."""
        return self.get(path, format="json", **query).json()

    def rows(self, path: str = "", **query: Any) -> list[dict[str, str]]:
        """A page's CSV form."""
        response = self.get(path, format="csv", **query)
        assert response.headers["content-type"] == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(response.text)))

    def post(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form with the session's token."""
        return self.browser.http.post(f"/dashboard{path}", data={"csrf": self.csrf, **fields})

    @property
    def csrf(self) -> str:
        """The session's token."""
        return self.browser.csrf("/dashboard")

    def link(self, **parameters: Any) -> str:
        """A new link; its id."""
        return self.api.link_id(self.api.created(**parameters))

    def click(self, url: str, user_agent: str = IPHONE, **headers: str) -> None:
        """Follow a link as a phone does."""
        sent = {"User-Agent": user_agent, **headers}
        response = self.api.http.get(url, headers=sent, follow_redirects=False)
        assert response.status_code in (200, 307), response.text

    def wait(self, condition: Any) -> None:
        """Wait until the background has done its work."""
        wait_until(condition, 20)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def text_of(page: str) -> str:
    """The text of a page, tags taken away."""
    parser = _Text()
    parser.feed(page)
    return " ".join("".join(parser.parts).split())


def escaped(text: str) -> str:
    """A text as it must stand in HTML."""
    return html.escape(text)
