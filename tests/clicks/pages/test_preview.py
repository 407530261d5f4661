from __future__ import annotations

import json
from typing import Any

import pytest

from bough.accounts.model import App, AppConfig
from bough.clicks.pages.preview import preview
from bough.links.preview_tags import TAGS

LINK = "https://trailhead.app.link/WgiqvsepqF"
BARE = App(id=1, organization=1, name="Trailhead")
APP = App(
    id=1,
    organization=1,
    name="Trailhead",
    config=AppConfig(
        og_title="Find your next walk",
        og_description="Maps and tours.",
        og_image_url="https://cdn.example.com/app.png",
        og_app_id="987",
    ),
)


def tags(data: dict[str, Any], app: App = BARE) -> dict[str, str]:
    found = preview(data, app, LINK).tags
    assert len({tag.key for tag in found}) == len(found)
    assert all((tag.attribute == "name") == tag.key.startswith("twitter:") for tag in found)
    return {tag.key: tag.content for tag in found}


def test_every_key_of_the_contract_becomes_its_tag() -> None:
    data = {row.key: f"https://example.com/{row.key[1:]}" if row.kind == "url" else f"a {row.key[1:]}" for row in TAGS}
    assert tags(data) == {row.tag: data[row.key] for row in TAGS}


def test_the_keys_are_those_of_the_contract() -> None:
    og = {"title", "description", "image_url", "image_width", "image_height", "video", "url", "type", "app_id"}
    twitter = {"card", "title", "description", "image_url", "site", "app_country", "player", "player_width"}
    expected = {f"$og_{name}" for name in og} | {f"$twitter_{name}" for name in twitter} | {"$twitter_player_height"}
    assert {row.key for row in TAGS} == expected


def test_a_bare_link_shows_the_apps_defaults_and_a_bare_app_its_name() -> None:
    assert tags({}, APP) == {
        "og:title": "Find your next walk",
        "og:description": "Maps and tours.",
        "og:image": "https://cdn.example.com/app.png",
        "fb:app_id": "987",
        "og:url": LINK,
        "og:type": "website",
        "twitter:card": "summary_large_image",
    }
    assert tags({}) == {"og:title": "Trailhead", "og:url": LINK, "og:type": "website", "twitter:card": "summary"}


def test_the_links_own_keys_win_and_unusable_ones_fall_back() -> None:
    own = tags({"$og_title": "Five lakes", "$og_image_url": "javascript:alert(1)", "$og_description": ["x"]}, APP)
    assert own["og:title"] == "Five lakes"
    assert own["og:image"] == "https://cdn.example.com/app.png"
    assert own["og:description"] == "Maps and tours."


def test_title_description_and_picture_are_those_of_the_tags() -> None:
    seen = preview({"$og_title": "Five lakes"}, APP, LINK)
    assert (seen.app_name, seen.title, seen.description) == ("Trailhead", "Five lakes", "Maps and tours.")
    assert seen.image_url == "https://cdn.example.com/app.png"


def test_the_video_is_the_player_and_a_player_card_needs_its_size() -> None:
    video = {"$og_video": "https://example.com/v.mp4"}
    assert tags(video)["twitter:player"] == "https://example.com/v.mp4"
    assert tags(video)["twitter:card"] == "summary"
    sized = {**video, "$twitter_player_width": 640, "$twitter_player_height": 360}
    assert tags(sized)["twitter:card"] == "player"
    assert tags(sized)["twitter:player:width"] == "640"


@pytest.mark.parametrize("form", [json.dumps, dict])
def test_custom_meta_tags_are_added_and_win(form: Any) -> None:
    custom = {"fb:pages": "1", "og:type": "article", "n": 2, "b": True, "nested": {}, "": "x", "empty": ""}
    found = tags({"$custom_meta_tags": form({**custom, "apple_touch_icon": "https://example.com/i.png"})})
    assert {key: found[key] for key in ("fb:pages", "og:type", "n", "b")} == {
        "fb:pages": "1",
        "og:type": "article",
        "n": "2",
        "b": "true",
    }
    assert not {"nested", "", "empty", "apple_touch_icon"} & set(found)


def test_the_touch_icon_is_a_web_address_or_nothing() -> None:
    def icon(value: object) -> str:
        return preview({"$custom_meta_tags": {"apple_touch_icon": value}}, BARE, LINK).touch_icon

    assert icon("https://example.com/i.png") == "https://example.com/i.png"
    assert icon("javascript:alert(1)") == ""
    assert icon(5) == ""


@pytest.mark.parametrize("raw", ["{", "[]", '"x"', "null", "\ud800", 5, ["a"], "[" * 100_000])
def test_custom_meta_tags_that_cannot_be_read_say_nothing(raw: object) -> None:
    assert tags({"$custom_meta_tags": raw}) == tags({})


def test_custom_meta_tags_are_bounded() -> None:
    assert len(tags({"$custom_meta_tags": {f"k{n}": "v" for n in range(1000)}})) <= 50 + len(tags({}))


@pytest.mark.parametrize(
    ("value", "indexable"),
    [(1, True), ("1", True), (True, True), (0, False), ("0", False), (False, False), ("false", False)],
)
def test_links_are_indexable_unless_they_say_no(value: object, indexable: bool) -> None:
    assert preview({"$publicly_indexable": value}, BARE, LINK).indexable is indexable
    assert preview({}, BARE, LINK).indexable is True


def test_the_canonical_address_is_a_web_address_or_nothing() -> None:
    assert preview({"$canonical_url": "https://example.com/a"}, BARE, LINK).canonical_url == "https://example.com/a"
    assert preview({"$canonical_url": "product/12"}, BARE, LINK).canonical_url == ""
