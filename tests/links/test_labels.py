"""Analytics labels and tags: top level, inside `data`, inside `analytics` (docs/links.md)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api

LABELS = ("channel", "feature", "campaign", "stage")


def labels_of(api: Api, url: str) -> dict[str, Any]:
    """A link's labels and tags; checks that the mirror in `data` says the same."""
    read = api.read(url).json()
    found = {name: read[name] for name in (*LABELS, "tags") if name in read}
    assert {name: read["data"][f"~{name}"] for name in (*LABELS, "tags") if f"~{name}" in read["data"]} == found
    return found


@pytest.mark.parametrize("name", LABELS)
def test_a_label_is_mirrored_into_data(api: Api, name: str) -> None:
    assert labels_of(api, api.created(**{name: "x"})) == {name: "x"}


@pytest.mark.parametrize("name", LABELS)
def test_a_label_may_be_given_in_data(api: Api, name: str) -> None:
    assert labels_of(api, api.created(data={f"~{name}": "x"})) == {name: "x"}


@pytest.mark.parametrize("name", LABELS)
def test_the_top_level_wins(api: Api, name: str) -> None:
    assert labels_of(api, api.created(**{name: "top"}, data={f"~{name}": "inner"})) == {name: "top"}


def test_top_level_tags_win(api: Api) -> None:
    assert labels_of(api, api.created(tags=["top"], data={"~tags": ["inner", "more"]})) == {"tags": ["top"]}


def test_tags_may_be_given_in_data_or_as_one_text(api: Api) -> None:
    assert labels_of(api, api.created(data={"~tags": ["a", "b"]})) == {"tags": ["a", "b"]}
    assert labels_of(api, api.created(tags="one")) == {"tags": ["one"]}


@pytest.mark.parametrize("empty", [None, ""])
def test_empty_labels_are_not_set(api: Api, empty: Any) -> None:
    assert labels_of(api, api.created(channel=empty, tags=empty, data={"~stage": empty})) == {}


def test_empty_tags_are_left_out(api: Api) -> None:
    assert labels_of(api, api.created(tags=["", "a", None])) == {"tags": ["a"]}
    assert labels_of(api, api.created(tags=[])) == {}


def test_analytics_object_sets_labels_and_keys_and_data_wins(api: Api) -> None:
    analytics = {"~channel": "from analytics", "~campaign": "from analytics", "~ad_name": "ad", "plain": "ignored"}
    url = api.created(analytics=analytics, data={"~campaign": "from data", "mine": 1})
    assert labels_of(api, url) == {"channel": "from analytics", "campaign": "from data"}
    data = api.read(url).json()["data"]
    assert (data["~ad_name"], data["mine"]) == ("ad", 1)
    assert "plain" not in data


def test_other_analytics_keys_stay_as_sent(api: Api) -> None:
    sent = {"~campaign_id": "12", "~ad_set_name": "set", "~keyword": "k", "~branch_ad_format": "Product", "~n": 3}
    data = api.read(api.created(data=sent)).json()["data"]
    assert {key: data[key] for key in sent} == sent
