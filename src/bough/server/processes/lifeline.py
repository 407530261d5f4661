"""End with the supervisor: a thread waits for the end of the pipe that only it writes to."""

from __future__ import annotations

import os
import signal
import threading


def end_with_supervisor(alive_reading: int) -> None:
    """Send this process SIGTERM when the supervisor has died."""

    def wait() -> None:
        while os.read(alive_reading, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="bough-lifeline", daemon=True).start()
