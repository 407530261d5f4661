"""A User-Agent cut into what it is made of: products, comments, and the pairs that apps put in brackets.

`Mozilla/5.0 (Linux; Android 14; HiPad X Build/UP1A) Chrome/124.0 Mobile [FBAN/FB4A;FBDV/HiPad X]` has four products,
one comment of three tokens and two pairs. A name counts only where it is such a part: `iPad` is a token, and no part of
`HiPad X`. One pass over the text; any text is cut.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct


class Tokens(Struct, frozen=True):
    """The parts of one User-Agent."""

    words: tuple[str, ...]
    """What stands outside comments and brackets, between spaces: `Chrome/124.0`, `Mobile`."""
    comments: tuple[tuple[str, ...], ...]
    """Each comment's tokens, stripped; those of comments within comments belong to the outer one."""
    after: tuple[str, ...]
    """The product that stands before each comment, without version: whose comment it is."""
    pairs: dict[str, str]
    """`{"FBDV": "iPhone14,5"}` of `[FBAN/FBIOS;FBDV/iPhone14,5]`."""

    def has(self, *names: str) -> bool:
        """Whether one of the products is there, with or without a version."""
        return any(word.partition("/")[0] in names for word in self.words)

    def version(self, name: str) -> str:
        """What follows `name/`; empty when the product is not there."""
        return next((word[len(name) + 1 :] for word in self.words if word.startswith(f"{name}/")), "")


def tokens_of(text: str) -> Tokens:
    """The parts of any text."""
    words: list[str] = []
    comments: list[tuple[str, ...]] = []
    after: list[str] = []
    pairs: dict[str, str] = {}
    for kind, piece in _pieces(text):
        if kind == "(":
            comments.append(tuple(token.strip() for token in piece.split(";") if token.strip()))
            after.append(_product(words))
        elif kind == "[" and ";" in piece:
            pairs.update(_pairs(piece))
        else:
            words.extend(piece.split())
    if "(" not in text and ";" in text and not pairs:
        comments.append(_bare_comment(text))  # some proxies take the parentheses away
        after.append("")
    for word in words:
        if "/" in word and ";" in word:
            pairs.update(_pairs(word))  # FB_IAB/FB4A;FBAV/455.0; without brackets
    return Tokens(tuple(words), tuple(comments), tuple(after), pairs)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """(bracket, what it holds) in order; the text between brackets has none. A bracket that never ends holds the
    rest."""
    start, at = 0, 0
    while at < len(text):
        if text[at] not in "([":
            at += 1
            continue
        yield "", text[start:at]
        end = _end_of_comment(text, at) if text[at] == "(" else text.find("]", at)
        end = len(text) if end < 0 else end
        yield text[at], text[at + 1 : end]
        start = at = end + 1
    yield "", text[start:]


def _end_of_comment(text: str, start: int) -> int:
    """Where the comment that begins at `start` ends, with those inside it; -1: nowhere."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at
    return -1


def _bare_comment(text: str) -> tuple[str, ...]:
    bare = text.partition(" ")[2].partition(" AppleWebKit/")[0]
    return tuple(token.strip() for token in bare.split(";") if token.strip())


def _pairs(piece: str) -> Iterator[tuple[str, str]]:
    for part in piece.split(";"):
        name, slash, value = part.strip().partition("/")
        if slash:
            yield name, value.strip()


def _product(words: list[str]) -> str:
    """The product before a comment; in `Instagram 321.0.0.39.106 Android (…)` that is Instagram."""
    for word in reversed(words):
        name = word.partition("/")[0]
        if name[:1].isalpha() and name != "Android":
            return name
    return ""
