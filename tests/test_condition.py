"""Parts that fail are tried again and said; processes that fall silent are found."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from bough import condition
from bough.condition import Part, Process, ProcessState, read, start_anew
from bough.health.findings import findings, process_findings
from bough.store import Store, set_aside, watermark
from bough.store.set_aside import SetAside
from bough.store.transaction import Transaction
from bough.vocabulary.ids import growing_ids, now_ms


def fail(error: BaseException) -> None:
    """Raise it."""
    raise error


def test_a_part_that_fails_rests_longer_each_time_and_recovers(caplog: pytest.LogCaptureFixture) -> None:
    part = Part("intake")
    pauses = []
    for _ in range(9):
        part.not_before = 0.0  # time goes by
        assert part.attempt(lambda: fail(ValueError("broken")), None) is None
        pauses.append(round(part.pause))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert part.state is not None
    assert (part.state.reason, part.state.failures) == ("ValueError: broken", 9)
    assert part.attempt(lambda: "tried", "resting") == "resting"
    part.not_before = 0.0
    assert part.attempt(lambda: "tried", "resting") == "tried"
    assert part.state is None
    assert caplog.text.count("intake failed and is tried again in") == 9


def test_what_a_caller_wants_to_see_passes() -> None:
    part = Part("intake")
    with pytest.raises(StopIteration):
        part.attempt(lambda: fail(StopIteration()), None, StopIteration)
    assert part.state is None


def test_processes_say_which_parts_fail(tmp_path: Path) -> None:
    well, sick = Part("counts"), Part("attribution")
    process = Process(tmp_path, "background", [well, sick])
    process.beat()
    assert process_findings(tmp_path) == []
    sick.failed(OverflowError("too large"))
    process.beat()
    (finding,) = process_findings(tmp_path)
    assert (finding.part, finding.state) == ("attribution", "failing")
    assert finding.message == "attribution fails and is tried again (failure 1): OverflowError: too large"
    sick.state = None
    process.beat()
    assert process_findings(tmp_path) == []
    process.end()
    assert read(tmp_path) == []


def say(folder: Path, name: str, *, started: int, at: int) -> None:
    """What a process has said at some time."""
    (folder / condition.FOLDER).mkdir(exist_ok=True)
    state = ProcessState(process=name, pid=os.getpid(), started=started, at=at)
    (folder / condition.FOLDER / f"{name}.json").write_bytes(msgspec.json.encode(state))


def test_a_process_that_falls_silent_or_never_speaks_is_found(tmp_path: Path) -> None:
    long_ago = now_ms() - 60_000
    say(tmp_path, "worker-1", started=long_ago, at=now_ms())
    say(tmp_path, "background", started=long_ago, at=long_ago)
    assert {(one.part, one.state) for one in process_findings(tmp_path)} == {
        ("background", "silent"),
        ("warehouse", "silent"),
    }
    start_anew(tmp_path)
    say(tmp_path, "worker-1", started=now_ms(), at=now_ms())
    assert process_findings(tmp_path) == []  # the others are being started
    start_anew(tmp_path)
    say(tmp_path, "worker-1", started=long_ago, at=long_ago)
    assert process_findings(tmp_path) == []  # nothing runs: that is for others to say
    start_anew(tmp_path)
    (tmp_path / condition.FOLDER / "worker-1.json").write_bytes(b"{")
    assert read(tmp_path) == []


def test_a_row_that_waits_for_more_than_a_minute_is_a_lag(store: Store, tmp_path: Path) -> None:
    old = next(growing_ids(0))
    hour = 3_600_000 << 22
    steps = iter((old - hour, old))

    def write(tx: Transaction, items: list[int]) -> list[Exception | None]:
        for row in items:
            tx.insert(
                "journal", ("id", "at", "app", "test", "kind", "link", "body"), [(row, 1, 1, 0, "event", None, "{}")]
            )
        return [None] * len(items)

    def reach(tx: Transaction, items: list[tuple[str, int]]) -> list[Exception | None]:
        for name, row in items:
            watermark.advance(tx, name, row)
        return [None] * len(items)

    store.transact(write, next(steps))
    assert {(one.part, one.state) for one in findings(store, tmp_path)} == {
        ("counts", "lags"), ("day counts", "lags"), ("attribution", "lags"),
    }  # fmt: skip
    for name in ("counts", "day counts", "attribution"):
        store.transact(reach, (name, old - hour))
    assert findings(store, tmp_path) == []
    store.transact(write, next(steps))
    assert findings(store, tmp_path) == []  # a moment ago


def test_what_is_set_aside_is_counted_by_app_for_the_operator_and_together_for_all(
    store: Store, tmp_path: Path
) -> None:
    some = [
        SetAside(consumer=consumer, app=app, kind="event", item=item, reason="secret 17")
        for consumer, app, item in (
            ("attribution", 1, 5),
            ("attribution", 1, 6),
            ("attribution", 2, 7),
            ("costs", 2, 5),
        )
    ]
    store.transact(set_aside.put_batch, some)
    told = [one.message.partition(";")[0] for one in findings(store, tmp_path, {1: "Shop", 2: "Bank"})]
    assert told == [
        "App Shop: Attribution: 2 rows are set aside",
        "App Bank: Attribution: 1 row is set aside",
        "App Bank: Costs: 1 row is set aside",
    ]
    everybody = findings(store, tmp_path)
    assert [one.message.partition(";")[0] for one in everybody] == [
        "Attribution: 3 rows are set aside",
        "Costs: 1 row is set aside",
    ]
    assert not any("secret" in one.message for one in everybody)
