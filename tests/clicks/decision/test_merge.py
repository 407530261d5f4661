"""A click's query over the link's stored data."""

from __future__ import annotations

import pytest

from bough.clicks.decision.merge import accepted, forwarded, has_app, merge
from tests.clicks.examples import link


def test_appended_values_win_for_this_click() -> None:
    stored = link({"title": "Spring", "count": 3}, channel="web", tags=("a",))
    merged = merge(stored, (("title", "Summer"), ("extra", "1")))
    assert merged.data == {"title": "Summer", "count": 3, "extra": "1"}
    assert stored.data == {"title": "Spring", "count": 3}
    assert (merged.channel, merged.tags, merged.id) == ("web", ("a",), stored.id)


def test_labels_and_tags_go_to_their_fields() -> None:
    merged = merge(
        link(channel="web", tags=("a",)), (("~channel", "mail"), ("~tags", "b"), ("~tags[]", "c"), ("~stage", "x"))
    )
    assert (merged.channel, merged.stage, merged.tags, merged.data) == ("mail", "x", ("b", "c"), {})


def test_a_label_without_its_tilde_is_a_custom_key() -> None:
    merged = merge(link(channel="web"), (("channel", "mail"),))
    assert (merged.channel, merged.data) == ("web", {"channel": "mail"})


def test_of_repeated_keys_the_last_wins() -> None:
    assert merge(link(), (("a", "1"), ("a", "2"))).data == {"a": "2"}


def test_without_a_query_the_link_is_the_same_object() -> None:
    stored = link({"a": 1})
    assert merge(stored, ()) is stored


@pytest.mark.parametrize(
    "key",
    ["data", "password", "auth", "~id", "~creation_source", "+clicked_branch_link", "$identity_id", "has_app"],
)
def test_reserved_keys_are_dropped(key: str) -> None:
    assert accepted(((key, "1"), ("a", "b"))) == (("a", "b"),)


def test_dashboard_words_are_dropped_only_as_such() -> None:
    assert accepted((("debug", "1"), ("stats", "1"), ("edit", "all"))) == (("edit", "all"),)


@pytest.mark.parametrize("key", ["access_token", "AccessToken", "auth_token", "AuthToken"])
def test_credentials_are_dropped(key: str) -> None:
    assert accepted((("a", "b"), (key, "x"))) == (("a", "b"),)


def test_a_value_without_a_name_travels_on_but_is_no_data() -> None:
    query = accepted((("", "x"), ("a", "b")))
    assert forwarded(link(), query) == (("", "x"), ("a", "b"))
    assert merge(link(), query).data == {"a": "b"}


def test_redirect_addresses_are_not_forwarded_but_other_parameters_are() -> None:
    query = (("$ios_url_de", "https://acme.com"), ("$og_image_url", "https://acme.com/i.png"), ("ref", "1"))
    assert forwarded(link(), query) == query[1:]


@pytest.mark.parametrize(
    ("query", "known", "result"),
    [
        ((), False, None),
        ((), True, True),
        ((("has_app", "true"),), False, True),
        ((("has_app", "false"),), True, False),
        ((("has_app", "maybe"),), True, True),
    ],
)
def test_has_app_overrules_the_record(query: tuple[tuple[str, str], ...], known: bool, result: bool | None) -> None:
    assert has_app(query, known) is result
