"""What a file of texts really is, told by its bytes and not by its name: packing, encoding, line ends.

Spreadsheets write UTF-16 or a byte order mark, old programs end lines with CR alone, browsers save error pages and
people rename workbooks. What can be read exactly is read; anything else is refused with a sentence that says what the
file is and what to do.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final, cast

from msgspec import Struct

from bough.errors import BadRequest

LINES_LOOKED_AT: Final = 2000
"""Lines in which an object that is written over several of them is looked for."""

LOOK: Final = 65_536
"""Bytes that are looked at to tell what a file is."""

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks."""

GZIP: Final = b"\x1f\x8b"
PARQUET: Final = b"PAR1"

FOREIGN: Final[tuple[tuple[bytes, str], ...]] = (
    (b"PK\x03\x04", "is a zip file or an Excel workbook; unpack it, or save the sheet as CSV (UTF-8)"),
    (b"PK\x05\x06", "is an empty zip file"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook; save the sheet as CSV (UTF-8)"),
    (PARQUET, "is a Parquet file; its name must end in .parquet"),
    (b"BZh", "is packed with bzip2; unpack it, or pack it with gzip"),
    (b"\xfd7zXZ", "is packed with xz; unpack it, or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "is packed with zstd; unpack it, or pack it with gzip"),
    (b"7z\xbc\xaf", "is a 7-Zip file; unpack it"),
    (b"%PDF", "is a PDF document; export the table as CSV"),
    (b"SQLite format 3\x00", "is an SQLite database; export the table as CSV"),
)
"""First bytes of what people take for CSV → what it is and what to do."""

_MARKUP: Final = ("<!doctype", "<html", "<head", "<body", "<?xml", "<error", "<table", "<!--", "<svg")


class TextFile(Struct, frozen=True, kw_only=True):
    """How the bytes of a file become lines of text."""

    packed: bool
    """Whether it is gzip, whatever its name is."""
    encoding: str = "utf-8"
    mark: int = 0
    """Bytes of its byte order mark."""
    carriage_returns: bool = False
    """Whether lines end with CR alone."""
    odd: bool = False
    """Whether it holds NUL characters, or CR inside of lines: only the exact reading knows what they mean."""

    @property
    def plain(self) -> bool:
        """Whether other readers of UTF-8 see the same lines in its (unpacked) bytes."""
        return self.encoding == "utf-8" and not (self.mark or self.carriage_returns or self.odd)


def look(path: Path) -> TextFile:
    """Tell what a file is; reads all of it once.

    Raises:
        BadRequest: it is no file of texts, is packed in a way that is not read, or breaks off.
    """
    start = _start(path)
    packed = start.startswith(GZIP)
    if not packed and path.name.lower().endswith(".gz"):
        refuse_foreign(path.name, start)
        raise BadRequest(f"{path.name}: cannot be read: its name ends in .gz, but it is not packed with gzip.")
    try:
        with opened(path, TextFile(packed=packed)) as file:
            return _told(path.name, file, packed=packed)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadRequest(
            f"{path.name}: cannot be read: the packed file breaks off or is damaged ({error}); fetch it again."
        ) from error
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}.") from error


def refuse_foreign(name: str, start: bytes) -> None:
    """Raises BadRequest when the first bytes are those of something that is no text."""
    for magic, says in FOREIGN:
        if start.startswith(magic):
            raise BadRequest(f"{name}: cannot be read: it {says}.")


def refuse_markup(name: str, text: str) -> None:
    """Raises BadRequest when a text begins as a web page does."""
    if text.lstrip("\ufeff \t\r\n").lower().startswith(_MARKUP):
        raise BadRequest(
            f"{name}: cannot be read: it is a web page (HTML or XML), perhaps an error or sign-in page that was saved"
            " in place of the data; fetch it again and look at it first."
        )


def refuse_other_json(name: str, start: str) -> None:
    """Raises BadRequest when the beginning of a text is JSON, but not one object per line, or when it is empty."""
    text = start.lstrip("\ufeff \t\r\n")
    if not text:
        raise BadRequest(f"{name}: is empty.")
    if text.startswith("["):
        raise BadRequest(
            f"{name}: is a JSON array; one object per line is needed: `jq -c '.[]' {name} > lines.ndjson`."
        )
    first = text.split("\n", 1)[0].rstrip()
    if first == "{" or _goes_on(first, text):
        raise BadRequest(
            f"{name}: has objects of several lines; one per line is needed: `jq -c . {name} > lines.ndjson`."
        )


def _goes_on(first: str, text: str) -> bool:
    """Whether the first line begins an object that later lines end."""
    if not first.startswith("{") or first.endswith("}"):
        return False
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return end > len(first)


def encoding_of(start: bytes) -> tuple[str, int]:
    """The encoding of a text by its first bytes, and how many of them are a byte order mark.

    UTF-16 without a mark is known by the zero bytes of its ASCII characters.
    """
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return encoding, len(mark)
    pairs = start[: len(start) // 2 * 2]
    if len(pairs) >= 4:
        high, low = pairs[0::2].count(0), pairs[1::2].count(0)
        half = len(pairs) // 2
        if low * 2 > half and high * 10 < half:
            return "utf-16-le", 0
        if high * 2 > half and low * 10 < half:
            return "utf-16-be", 0
    return "utf-8", 0


def opened(path: Path, found: TextFile) -> IO[bytes]:
    """The file's bytes, unpacked."""
    return cast("IO[bytes]", gzip.open(path)) if found.packed else path.open("rb")


def lines_of(path: Path, found: TextFile) -> Iterator[str]:
    r"""The lines of a file with "\n" at their ends; bytes that are no UTF-8 become surrogates.

    Raises:
        BadRequest: a text in another encoding that holds what is none of its characters.
    """
    with opened(path, found) as file:
        file.read(found.mark)
        yield from decoded(path.name, file, found)


def decoded(name: str, file: IO[bytes], found: TextFile) -> Iterator[str]:
    """As `lines_of`, from bytes behind the byte order mark."""
    errors = "surrogateescape" if found.encoding == "utf-8" else "strict"
    end = "\r" if found.carriage_returns else "\n"
    with io.TextIOWrapper(file, encoding=found.encoding, errors=errors, newline=end) as texts:
        try:
            for line in texts:
                yield line[:-1] + "\n" if found.carriage_returns and line.endswith("\r") else line
        except UnicodeDecodeError as error:
            raise BadRequest(
                f"{name}: cannot be read: it is {found.encoding.upper()} that breaks off or is damaged; save it as"
                " UTF-8."
            ) from error


def piped_lines(name: str, source: io.BufferedReader) -> Iterator[str]:
    """As `lines_of`, from a stream that can be read once.

    Raises:
        BadRequest: it is no text, or packed, or damaged.
    """
    start = source.peek(LOOK)
    refuse_foreign(name, start)
    if start.startswith(GZIP):
        raise BadRequest(f"{name}: is packed with gzip; unpack it on the way: `gunzip -c`.")
    encoding, mark = encoding_of(start)
    refuse_markup(name, start[mark:].decode(encoding, "replace"))
    ends = _LineEnds(encoding)
    ends.add(start[mark:])
    alone = ends.returns > 1 and not ends.feeds
    source.read(mark)
    yield from decoded(name, source, TextFile(packed=False, encoding=encoding, carriage_returns=alone))


def uploaded_lines(name: str, text: str) -> Iterator[str]:
    """The lines of a text that a browser read from a file, or that a person pasted.

    Raises:
        BadRequest: it is a web page or no text, or was not UTF-8.
    """
    if "\0" in text or text.startswith("PK\x03\x04"):
        raise BadRequest(f"{name}: is no text in UTF-8 (perhaps a workbook, or UTF-16); save it as CSV (UTF-8).")
    if "\ufffd" in text:
        raise BadRequest(f"{name}: holds characters that are not UTF-8; save it as CSV (UTF-8).")
    refuse_markup(name, text)
    text = text.removeprefix("\ufeff")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    yield from io.StringIO(text, newline="\n")


def is_text(line: str) -> bool:
    """Whether a line of `lines_of` was UTF-8."""
    return line.isascii() or not any("\udc80" <= character <= "\udcff" for character in line)


def first_text(lines: Iterable[str]) -> str:
    """The first line that is not blank, without blanks at its ends; empty when there is none."""
    return next((text for line in lines if (text := line.strip("\ufeff \t\r\n"))), "")


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LOOK)
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}.") from error


def _told(name: str, file: IO[bytes], *, packed: bool) -> TextFile:
    start = file.read(LOOK)
    refuse_foreign(name, start)
    encoding, mark = encoding_of(start)
    refuse_markup(name, start[mark:].decode(encoding, "replace"))
    if start[mark:].startswith(GZIP):
        raise BadRequest(f"{name}: cannot be read: it is packed with gzip twice; unpack it once.")
    seen = _LineEnds(encoding)
    chunk = start[mark:]
    while chunk:
        seen.add(chunk)
        chunk = file.read(1 << 20)
    alone = seen.returns > 0 and not seen.feeds
    return TextFile(
        packed=packed,
        encoding=encoding,
        mark=mark,
        carriage_returns=alone,
        odd=seen.nul or (seen.returns > seen.pairs and not alone),
    )


class _LineEnds:
    """Counts CR and CRLF, and looks for LF and NUL, in pieces of bytes."""

    def __init__(self, encoding: str) -> None:
        self._return, self._feed = "\r".encode(encoding), "\n".encode(encoding)
        self._bytewise = len(self._return) == 1
        self._last = b""
        self.returns = self.pairs = 0
        self.feeds = self.nul = False

    def add(self, chunk: bytes) -> None:
        """The next piece."""
        self.feeds = self.feeds or self._feed in chunk
        self.returns += chunk.count(self._return)
        if self.returns:
            self.pairs += chunk.count(self._return + self._feed)
            self.pairs += self._last == self._return and chunk.startswith(self._feed)
        self._last = chunk[-len(self._return) :]
        self.nul = self.nul or (self._bytewise and b"\0" in chunk)
