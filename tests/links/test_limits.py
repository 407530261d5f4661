"""Every limit of a link at its edge and one past it, with the exact sentence (docs/links.md)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.apps import alias
from tests.conftest import Api, error


def nested(levels: int) -> dict[str, Any]:
    """`data` that is that many levels deep."""
    data: dict[str, Any] = {}
    for _ in range(levels - 1):
        data = {"a": data}
    return data


def sized(size: int) -> dict[str, str]:
    """`data` of so many bytes as compact JSON."""
    return {"a": "x" * (size - len('{"a":""}'))}


LABEL = "must have at most 255 characters."
DURATION = "must be a whole number of seconds from 1 to 2592000."
LIMITS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    *[
        ({name: "x" * 255}, {name: "x" * 256}, f"{name}: {LABEL}")
        for name in ("channel", "feature", "campaign", "stage")
    ],
    ({"data": {"~channel": "é" * 255}}, {"data": {"~channel": "é" * 256}}, f"data.~channel: {LABEL}"),
    ({"analytics": {"~stage": "x" * 255}}, {"analytics": {"~stage": "x" * 256}}, f"data.~stage: {LABEL}"),
    ({"tags": ["t" * 64]}, {"tags": ["t" * 65]}, "tags: must have at most 64 characters."),
    ({"tags": ["t"] * 200}, {"tags": ["t"] * 201}, "tags: must have at most 200 entries."),
    ({"data": {"~tags": ["t"] * 200}}, {"data": {"~tags": ["t"] * 201}}, "data.~tags: must have at most 200 entries."),
    ({"identity": "i" * 127}, {"identity": "i" * 128}, "identity: must have at most 127 characters."),
    ({"duration": 1}, {"duration": 0}, f"duration: {DURATION}"),
    ({"duration": 2_592_000}, {"duration": 2_592_001}, f"duration: {DURATION}"),
    ({"duration": "2592000"}, {"duration": "2592001"}, f"duration: {DURATION}"),
    ({"data": {"$match_duration": 2_592_000}}, {"data": {"$match_duration": 0}}, f"data.$match_duration: {DURATION}"),
    ({"data": sized(102_400)}, {"data": sized(102_401)}, "data: must have at most 100 KB of JSON."),
    (
        {"data": json.dumps(sized(102_400), separators=(",", ":"))},
        {"data": json.dumps(sized(102_401), separators=(",", ":"))},
        "data: must have at most 100 KB of JSON.",
    ),
    ({"data": nested(64)}, {"data": nested(65)}, "data: must be nested at most 64 levels deep."),
]


@pytest.mark.parametrize(("within", "past", "message"), LIMITS, ids=[str(i) for i in range(len(LIMITS))])
def test_a_limit_is_kept_to_the_last_character(
    api: Api, within: dict[str, Any], past: dict[str, Any], message: str
) -> None:
    assert api.create(**within).status_code == 200
    response = api.create(**past)
    assert (response.status_code, response.json()) == (400, error(400, message))


@pytest.mark.parametrize(("within", "past", "message"), LIMITS, ids=[str(i) for i in range(len(LIMITS))])
def test_updates_keep_the_same_limits(api: Api, within: dict[str, Any], past: dict[str, Any], message: str) -> None:
    if "identity" in past:
        message = "identity: cannot be changed by an update."
    url = api.created(data={"before": 1})
    response = api.update(url, **past)
    assert (response.status_code, response.json()) == (400, error(400, message))
    assert api.read(url).json()["data"]["before"] == 1


def test_analytics_and_data_share_one_limit(api: Api) -> None:
    half = {"x" * 60_000: ""}
    response = api.create(data=half, analytics={"~" + key: value for key, value in half.items()})
    assert (response.status_code, response.json()) == (400, error(400, "data: must have at most 100 KB of JSON."))


def test_data_that_fills_the_limit_can_be_written_back(api: Api) -> None:
    """The keys that a read adds do not count, nor do labels, which have limits of their own."""
    url = api.created(data=sized(102_400), channel="c" * 255, tags=["t" * 64] * 200)
    read = api.read(url).json()
    assert api.update(url, **read).status_code == 200
    assert api.read(url).json() == read
    too_much = api.update(url, analytics={"~ad_id": "7"})
    assert (too_much.status_code, too_much.json()) == (400, error(400, "data: must have at most 100 KB of JSON."))


def test_an_alias_has_at_most_128_characters(api: Api) -> None:
    longest = alias().ljust(128, "x")
    assert api.create(alias=longest).status_code == 200
    response = api.create(alias=longest + "x")
    assert (response.status_code, response.json()) == (400, error(400, "alias: must have at most 128 characters."))


TEXT = "must be a string."
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"channel": 5}, f"channel: {TEXT}"),
    ({"campaign": {}}, f"campaign: {TEXT}"),
    ({"stage": ["a"]}, f"stage: {TEXT}"),
    ({"identity": True}, f"identity: {TEXT}"),
    ({"domain": 1}, f"domain: {TEXT}"),
    ({"alias": 1}, f"alias: {TEXT}"),
    ({"data": {"~feature": 1}}, f"data.~feature: {TEXT}"),
    ({"tags": 5}, "tags: must be an array of strings."),
    ({"tags": {"a": 1}}, "tags: must be an array of strings."),
    ({"tags": [1]}, f"tags: {TEXT}"),
    ({"data": 5}, "data: must be an object or a JSON string of one."),
    ({"data": []}, "data: must be an object or a JSON string of one."),
    ({"data": "[1]"}, "data: must be an object or a JSON string of one."),
    ({"data": "{"}, "data: is not valid JSON (Input data was truncated)."),
    ({"analytics": 5}, "analytics: must be an object of '~' keys."),
    ({"type": 3}, "type: must be 0 (standard), 1 (one-time use) or 2 (marketing)."),
    ({"type": True}, "type: must be 0 (standard), 1 (one-time use) or 2 (marketing)."),
    ({"type": "QUICK"}, "type: must be 0 (standard), 1 (one-time use) or 2 (marketing)."),
    ({"type": []}, "type: must be 0 (standard), 1 (one-time use) or 2 (marketing)."),
    ({"duration": 1.5}, f"duration: {DURATION}"),
    ({"duration": True}, f"duration: {DURATION}"),
    ({"duration": "soon"}, f"duration: {DURATION}"),
    ({"duration": "٣"}, f"duration: {DURATION}"),
    ({"channel": "a\r\nb"}, "channel: must not hold control characters."),
    ({"tags": ["a\x00"]}, "tags: must not hold control characters."),
    ({"identity": "\x1b"}, "identity: must not hold control characters."),
]


@pytest.mark.parametrize(("sent", "message"), WRONG, ids=[str(sent) for sent, _ in WRONG])
def test_wrong_types_name_the_field(api: Api, sent: dict[str, Any], message: str) -> None:
    response = api.create(**sent)
    assert (response.status_code, response.json()) == (400, error(400, message))
