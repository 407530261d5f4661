"""The app store's referrer: what Google Play, AppGallery, Galaxy Store and GetApps hand to a fresh install.

It is a query string that our own redirect put into the store address (`link_click_id=…`), often percent-encoded once
more by the store, or the store's own words for "no campaign" (`utm_source=google-play&utm_medium=organic`).
"""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

from msgspec import Struct

CLICK_KEYS = ("link_click_id", "link_identifier", "_branch_match_id")
MAX_FIELDS = 100


class Referrer(Struct, frozen=True, kw_only=True):
    """A parsed store referrer; empty means not said."""

    raw: str = ""
    click_id: str = ""
    gclid: str = ""
    source: str = ""
    medium: str = ""
    campaign: str = ""

    @property
    def organic(self) -> bool:
        """The store itself says that no campaign led here."""
        return self.medium == "organic" and not self.click_id


EMPTY = Referrer()


def parse_referrer(raw: str) -> Referrer:
    """Read a raw referrer; anything unreadable gives an empty one with `raw` kept."""
    if not raw:
        return EMPTY
    fields = _fields(raw)
    if fields.keys().isdisjoint(CLICK_KEYS):
        fields = {**_fields(unquote(raw)), **fields}
    return Referrer(
        raw=raw,
        click_id=next((fields[key] for key in CLICK_KEYS if fields.get(key)), ""),
        gclid=fields.get("gclid", ""),
        source=fields.get("utm_source", ""),
        medium=fields.get("utm_medium", ""),
        campaign=fields.get("utm_campaign", ""),
    )


def _fields(raw: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(raw, max_num_fields=MAX_FIELDS))
    except ValueError:  # more fields than any store writes
        return {}
