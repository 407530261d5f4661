"""Reading a page in tests the way a browser would: as elements, not as text."""

from __future__ import annotations

from html.parser import HTMLParser

Attributes = dict[str, str]


class Document(HTMLParser):
    """`elements` in order, and the text inside of each tag name."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(body.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        self.texts.setdefault(tag, []).append("")
        if tag not in ("meta", "link", "img", "rect", "path"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            continue

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data

    def all(self, tag: str) -> list[Attributes]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> str:
        """The text of the first element of that name, at its own level."""
        return self.texts[tag][0].strip()

    def metas(self) -> list[tuple[str, str, str]]:
        """Meta tags as (attribute, key, content), without the charset."""
        found: list[tuple[str, str, str]] = []
        for attributes in self.all("meta"):
            for attribute in ("property", "name", "http-equiv"):
                if attribute in attributes:
                    found.append((attribute, attributes[attribute], attributes["content"]))
        return found

    def links(self) -> list[str]:
        return [attributes["href"] for attributes in self.all("a")]
