"""Answering comes first: counting works when nobody else wants the processor, exports with a smaller share of it."""

from __future__ import annotations

import os

NICENESS = 10


def give_way() -> None:
    """Lower the priority of this thread and of those that it starts from now on.

    Linux runs a thread of SCHED_IDLE only where a processor is free, and takes it away the moment an answer is due; a
    merely niced one keeps it for milliseconds. Elsewhere, and where that is forbidden, the process is niced.
    """
    if hasattr(os, "SCHED_IDLE"):
        try:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        except PermissionError:
            step_back()
    else:
        step_back()


def step_back() -> None:
    """Take a smaller share of a busy processor: where somebody waits for the work, idling would be too little."""
    os.nice(NICENESS)
