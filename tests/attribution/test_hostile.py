"""Whatever arrives: openings never raise, events raise BadRequest only, and the reading survives both."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bough.attribution.replay.explain import explain
from bough.attribution.rules.openings import parse_opening
from bough.errors import BadRequest
from bough.events import identifiers as ids
from bough.events import legacy, schema
from bough.events.server_fields import ServerFields
from tests.attribution.world import SUMMER, click, opened, read

FIELDS = sorted(
    {
        *(name for _, names in ids.FIELDS for name in names),
        *("sdk", "os", "os_version", "hardware_id", "hardware_id_type", "is_hardware_id_real", "advertising_ids"),
        *("link_identifier", "link_click_id", "install_referrer_extras", "universal_link_url", "local_url", "identity"),
        *(
            "android_app_link_url",
            "external_intent_uri",
            "screen_width",
            "screen_height",
            "model",
            "bough",
            "cpp_level",
        ),
        *("tracking_disabled", "lat_val", "dma_eea", "update", "first_install_time", "server_to_server", "user_agent"),
    }
)
EVENT_FIELDS = ["name", "event", "user_data", "event_data", "custom_data", "content_items", "metadata", "identity_id"]
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.text(max_size=30),
    st.sampled_from(
        ["ios3", "android5", "iOS", "Android", "https://go.example.com/summer?a=%zz", "https://[", "1", "PURCHASE"]
    ),
    st.sampled_from(
        [Decimal("NaN"), Decimal("1E+999999"), Decimal("-0"), "link_click_id=1&&", "{", '{"revenue":"1e9"}']
    ),
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner), max_leaves=6
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), values), st.sampled_from(["install", "open"]))
def test_no_opening_is_too_dirty(body: dict[str, Any], kind: Any) -> None:
    opening = parse_opening(body, kind, ServerFields())
    assert all(isinstance(value, str) and value for _, value in opening.identifiers)
    results = read(click(1, 0, SUMMER), opened(2, 1, body, kind=kind))
    assert len(results) == 1
    assert explain(results[0]).summary


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(EVENT_FIELDS), values), st.sampled_from(["standard", "custom"]))
def test_a_bad_event_is_a_bad_request(body: dict[str, Any], kind: Any) -> None:
    with suppress(BadRequest):
        assert schema.parse({"name": "PURCHASE", "user_data": {"developer_identity": "a"}, **body}, kind).name
    with suppress(BadRequest):
        assert legacy.parse({"event": "x", "identity_id": "7", **body}).name
