"""What the parts of a running server say of themselves: each loop is tried again for ever, and is never silent.

A *part* is one thing that goes on beside the requests: counting, attribution, the intake of the warehouse, the polling
of changes. `Part.attempt` runs one round of it. A round that fails is logged with its reason, and the part is tried
again after a pause that doubles up to LONGEST_PAUSE; the other parts of the process go on meanwhile.

Every process writes how its parts are into a small file of its own in the data folder (`Process.beat`, at least every
BEAT_SECONDS while it lives). `read` puts them together for `GET /readyz`, `bough doctor` and the Health page. A process
that has said nothing for SILENT_SECONDS is itself a finding: it hangs, or ends again and again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from bough.errors import BoughError, Unavailable
from bough.vocabulary.ids import now_ms

log = logging.getLogger("bough.condition")

FOLDER = "condition"
BEAT_SECONDS = 5.0
SILENT_SECONDS = 30.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
MAX_REASON = 300

FOLLOWERS = ("background", "warehouse")
"""Processes that every server has once, besides its workers."""

_name = "worker"

Result = TypeVar("Result")


class PartState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part that is not well."""

    part: str
    reason: str
    since: int
    """Epoch ms of the first failure in a row."""
    failures: int = 1
    """In a row."""


class ProcessState(Struct, frozen=True, kw_only=True):
    """What one process says."""

    process: str
    pid: int
    started: int
    at: int
    """Epoch ms."""
    failing: tuple[PartState, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether it has said nothing for too long."""
        return now_ms() - self.at > SILENT_SECONDS * 1000


class Part:
    """One part of a process. For one thread at a time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: PartState | None = None
        """None: it is well."""
        self.not_before = 0.0
        """Monotonic second before which it is not tried again."""

    @property
    def is_resting(self) -> bool:
        """Whether it has failed a moment ago."""
        return time.monotonic() < self.not_before

    @property
    def pause(self) -> float:
        """Seconds until it is tried again."""
        return max(0.0, self.not_before - time.monotonic())

    def attempt(self, action: Callable[[], Result], otherwise: Result, *passing: type[BaseException]) -> Result:
        """One round; `otherwise` when it failed, or rests after a failure. `passing` goes on to the caller."""
        if self.is_resting:
            return otherwise
        try:
            result = action()
        except passing:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is said, and tried again
            self.failed(error)
            return otherwise
        self.state, self.not_before = None, 0.0
        return result

    def failed(self, error: BaseException) -> None:
        """Note, log and pause."""
        failures = 1 if self.state is None else self.state.failures + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures - 1, 10))
        reason = (error.message if isinstance(error, BoughError) else f"{type(error).__name__}: {error}")[:MAX_REASON]
        since = now_ms() if self.state is None else self.state.since
        self.state = PartState(part=self.name, reason=reason, since=since, failures=failures)
        self.not_before = time.monotonic() + pause
        details = None if isinstance(error, Unavailable) else error
        log.error("%s failed and is tried again in %s s: %s", self.name, pause, reason, exc_info=details)


class Process:
    """The parts of this process, and the file in which it says how they are."""

    def __init__(self, folder: Path, name: str, parts: Iterable[Part]) -> None:
        self._path = folder / FOLDER / f"{name}.json"
        self._name = name
        self.parts = list(parts)
        self._started = now_ms()
        self._said: tuple[PartState, ...] | None = None
        self._said_at = 0.0

    def beat(self) -> None:
        """Say how the parts are, when that has changed or was said a while ago. A failure to write it is logged."""
        failing = tuple(part.state for part in self.parts if part.state is not None)
        if failing == self._said and time.monotonic() - self._said_at < BEAT_SECONDS:
            return
        self._said, self._said_at = failing, time.monotonic()
        state = ProcessState(process=self._name, pid=os.getpid(), started=self._started, at=now_ms(), failing=failing)
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            scratch = self._path.with_suffix(f".{os.getpid()}")
            scratch.write_bytes(msgspec.json.encode(state))
            scratch.replace(self._path)
        except OSError as error:
            log.warning("The condition of %s cannot be written: %s", self._name, error)

    def end(self) -> None:
        """It ends on purpose."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def call_this_process(name: str) -> None:
    """Give this process its name; several workers differ by theirs."""
    global _name
    _name = name


def this_process() -> str:
    """What this process is called."""
    return _name


def start_anew(folder: Path) -> None:
    """Forget what processes of an earlier start have said."""
    with contextlib.suppress(OSError):
        for path in (folder / FOLDER).iterdir():
            path.unlink(missing_ok=True)


def read(folder: Path) -> list[ProcessState]:
    """What every process has said last, by name."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in sorted((folder / FOLDER).glob("*.json")):
            with contextlib.suppress(OSError, msgspec.DecodeError):  # one that is just being replaced or removed
                found.append(msgspec.json.decode(path.read_bytes(), type=ProcessState))
    return found
