"""The meta tags of a link's preview, and the keys of its data that fill them."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Key(NamedTuple):
    """One row of TAGS."""

    tag: str
    """The meta tag's property (`og:…`, `fb:…`) or name (`twitter:…`)."""
    key: str
    """The key in the link's data."""
    kind: Literal["text", "url"]
    default: str = ""
    """The field of the app's configuration that stands in for a missing key."""


TAGS = (
    Key("og:title", "$og_title", "text", "og_title"),
    Key("og:description", "$og_description", "text", "og_description"),
    Key("og:image", "$og_image_url", "url", "og_image_url"),
    Key("og:image:width", "$og_image_width", "text"),
    Key("og:image:height", "$og_image_height", "text"),
    Key("og:video", "$og_video", "url"),
    Key("og:url", "$og_url", "url"),
    Key("og:type", "$og_type", "text"),
    Key("fb:app_id", "$og_app_id", "text", "og_app_id"),
    Key("twitter:card", "$twitter_card", "text"),
    Key("twitter:title", "$twitter_title", "text"),
    Key("twitter:description", "$twitter_description", "text"),
    Key("twitter:image", "$twitter_image_url", "url"),
    Key("twitter:site", "$twitter_site", "text"),
    Key("twitter:app:country", "$twitter_app_country", "text"),
    Key("twitter:player", "$twitter_player", "url"),
    Key("twitter:player:width", "$twitter_player_width", "text"),
    Key("twitter:player:height", "$twitter_player_height", "text"),
)
