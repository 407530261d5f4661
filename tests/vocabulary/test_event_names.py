"""Event names."""

from __future__ import annotations

import pytest

from bough.errors import BadRequest
from bough.vocabulary import event_names


def test_the_closed_list_has_ten_commerce_seven_content_and_eight_lifecycle_events() -> None:
    groups = [event.group for event in event_names.STANDARD]
    assert [groups.count(group) for group in ("commerce", "content", "lifecycle", "privacy")] == [10, 7, 8, 2]
    assert len(event_names.BY_NAME) == len(event_names.STANDARD)


def test_revenue_counts_on_commerce_subscribe_and_start_trial() -> None:
    commerce = {event.name for event in event_names.STANDARD if event.group == "commerce"}
    assert commerce | {"SUBSCRIBE", "START_TRIAL"} == event_names.REVENUE_EVENTS


@pytest.mark.parametrize("name", ["purchase", "Purchase ", "MY_EVENT", ""])
def test_standard_names_are_exact(name: str) -> None:
    with pytest.raises(BadRequest, match="not a standard event"):
        event_names.check_standard_name(name)


@pytest.mark.parametrize("name", event_names.AUTOMATIC)
def test_nobody_posts_what_the_server_records_itself(name: str) -> None:
    with pytest.raises(BadRequest, match="recorded by the server"):
        event_names.check_standard_name(name)
    with pytest.raises(BadRequest, match="built-in"):
        event_names.check_custom_name(name)


@pytest.mark.parametrize("name", ["PURCHASE", "purchase", "INSTALL ", " Open", "open"])
def test_a_custom_event_cannot_bear_a_built_in_name_in_any_letter_case(name: str) -> None:
    with pytest.raises(BadRequest, match="built-in"):
        event_names.check_custom_name(name)


@pytest.mark.parametrize(
    "name", ["OPT_IN", "opt_out", "Käse gekauft", "users_2", "x" * 255, *event_names.COMPUTED_MEASURES]
)
def test_other_custom_names_are_fine(name: str) -> None:
    assert event_names.check_custom_name(name) == name


@pytest.mark.parametrize("name", ["x" * 256, "a\nb", "\x00"])
def test_long_names_and_control_characters_are_refused(name: str) -> None:
    with pytest.raises(BadRequest, match=r"^name: "):
        event_names.check_custom_name(name)


@pytest.mark.parametrize(
    "name", ["INSTALL ", " INSTALL", "\u00a0INSTALL", "install\u200b", "\u3000Purchase", "PUR\u00adCHASE", "\tOPEN"]
)
def test_names_that_people_read_as_built_in_ones_are_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        event_names.check_custom_name(name)


@pytest.mark.parametrize("name", ["a\u2028b", "a\x85b", "\u200b", "\u00a0"])
def test_names_without_anything_to_read_or_with_line_ends_are_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        event_names.check_custom_name(name)
