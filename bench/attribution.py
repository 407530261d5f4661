"""What attribution costs without any I/O: one open decided, and a journal read from zero.

`python -m bench.attribution` prints CPU microseconds per open (parsing the decoded body, matching against 20 clicks
behind the same address, making the data string) and rows per CPU second of a whole reading.
"""

from __future__ import annotations

import random
from time import process_time
from typing import Any

from bough.agents.recognition import parse
from bough.attribution.replay.read import always, attribute
from bough.attribution.rules.matching import Candidates, match
from bough.attribution.rules.openings import parse_opening
from bough.attribution.rules.session_data import data_string
from bough.attribution.rules.touches import LinkTable, touch_of
from bough.attribution.stored.increments import Follower
from bough.events.server_fields import ServerFields, with_facts
from bough.links.model import Link
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.windows import Windows

APP = 1
T0 = 1_750_000_000_000
MINUTE = 60_000
LINKS = LinkTable([Link(id=1, app=APP, test=False, domain="go.example.com", path="summer", data={"a": 1})])
PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36"
)


def click(number: int, at: int, ip: str) -> JournalRow:
    """A click on the one link."""
    body = {"url": "https://go.example.com/summer?x=1", "user_agent": PHONE, "ip": ip}
    return JournalRow(id=number, at=at, app=APP, test=False, kind="click", link=1, body=body)


def phone(number: int, **fields: Any) -> dict[str, Any]:
    """What one Android phone sends."""
    return {
        "sdk": "android5.21.2",
        "os": "Android",
        "os_version": 34,
        "model": "Pixel 8",
        "hardware_id": f"{number:016x}",
        "is_hardware_id_real": True,
        "branch_sdk_request_unique_id": f"u{random.random()}",
        **fields,
    }


def one_open() -> float:
    """Microseconds to decide one install with 20 clicks nearby."""
    nearby = [touch_of(click(n, T0 + n, "203.0.113.7"), LINKS, parse) for n in range(1, 21)]
    bodies = [phone(n) for n in range(2000)]
    facts = ServerFields(ip="203.0.113.7")
    start = process_time()
    for body in bodies:
        opening = parse_opening(body, "install", facts)
        decided = match(opening, T0 + MINUTE, APP, False, Candidates(nearby=nearby), first_open=True)
        data_string(decided, first_session=True)
    return (process_time() - start) / len(bodies) * 1e6


def journal(people: int) -> list[JournalRow]:
    """Five rows per person: a click, the install it led to, an open and two events."""
    rows: list[JournalRow] = []
    for person in range(people):
        at, number, ip = (
            T0 + person * 100,
            person * 5 + 1,
            f"10.{person >> 16 & 255}.{person >> 8 & 255}.{person & 255}",
        )
        body = with_facts(phone(person, link_identifier=str(number)), ServerFields(ip=ip))
        rows.append(click(number, at, ip))
        rows.append(JournalRow(id=number + 1, at=at + MINUTE, app=APP, test=False, kind="install", body=body))
        again = with_facts(phone(person), ServerFields(ip=ip))
        rows.append(JournalRow(id=number + 2, at=at + 9 * MINUTE, app=APP, test=False, kind="open", body=again))
        for further in (3, 4):
            bought = {"name": "PURCHASE", "user_data": {"os": "Android", "android_id": f"{person:016x}"}}
            rows.append(
                JournalRow(
                    id=number + further, at=at + further * 9 * MINUTE, app=APP, test=False, kind="event", body=bought
                )
            )
    return rows


def main() -> None:
    """Print the three numbers."""
    print(f"one open, 20 clicks nearby: {one_open():.0f} µs")
    rows = journal(10_000)
    start = process_time()
    results = attribute(rows, always(Windows()), LINKS, parse)
    print(f"reading from zero: {len(rows) / (process_time() - start):,.0f} rows/s, {len(results)} results")
    follower = Follower(always(Windows()), LINKS, parse)
    rows.sort(key=lambda row: row.at)
    start = process_time()
    for place in range(0, len(rows), 100):
        follower.add(rows[place : place + 100])
    print(f"following in pieces of 100: {len(rows) / (process_time() - start):,.0f} rows/s")


if __name__ == "__main__":
    main()
