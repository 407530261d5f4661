"""Events of SDKs before v2."""

from __future__ import annotations

from typing import Any

import pytest

from bough.errors import BadRequest
from bough.events import legacy
from bough.events.schema import Event

BODY = {"event": "level_done", "identity_id": "77"}


def test_old_events_become_custom_events() -> None:
    assert legacy.parse({**BODY, "metadata": '{"level":"7"}', "identity": "ann"}) == Event(
        name="level_done", kind="custom", user_data={"developer_identity": "ann"}, custom_data={"level": "7"}
    )


def test_a_standard_name_makes_a_standard_event() -> None:
    assert legacy.parse({**BODY, "event": "PURCHASE"}).kind == "standard"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"event": None}, "event: required"),
        ({"event": "x" * 64}, "event: longer than 63"),
        ({"event": "Install"}, "name: a custom event cannot bear"),
        ({"identity_id": None}, "identity_id: one of"),
        ({"metadata": {"a": {"b": 1}}}, "metadata.a: must be one level"),
        ({"metadata": {"a": "x" * 256}}, "metadata.a: longer"),
        ({"metadata": "[]"}, "metadata: must be an object"),
    ],
)
def test_limits(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=f"^{message}"):
        legacy.parse({**BODY, **fields})
