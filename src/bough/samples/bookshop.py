"""The sample app of `bough demo`, a bookshop, and its links."""

from __future__ import annotations

from typing import Any

from bough.accounts.directory import Directory
from bough.accounts.model import AppConfig
from bough.links import actions
from bough.links.change import new_link
from bough.links.parameters import parse_parameters
from bough.samples.campaigns import CAMPAIGNS, WIN_BACK, Campaign
from bough.store import Store
from bough.vocabulary.ids import now_ms

SAMPLE_CONFIG = AppConfig(
    ios_app=1,
    ios_url="https://apps.apple.com/us/app/apple-books/id364709193",
    ios_uri_scheme="boughbooks://",
    ios_bundle_id="com.example.books",
    ios_team_id="A1B2C3D4E5",
    universal_linking_enabled=1,
    android_app=1,
    android_package_name="com.example.books",
    android_app_links_enabled=1,
    sha256_cert_fingerprints=(":".join(["AB"] * 32),),
    default_desktop_url="https://example.com/books",
    og_title="Bough Books",
    og_description="Every book has a branch to it.",
)

SAMPLE_LINKS: tuple[dict[str, Any], ...] = (
    {
        "alias": "spring-sale",
        "channel": "email",
        "campaign": "spring",
        "feature": "marketing",
        "tags": ["sale", "newsletter"],
        "data": {
            "$og_title": "Spring sale",
            "$og_description": "Every paperback, half price.",
            "$desktop_url": "https://example.com/books/sale",
            "$deeplink_path": "sale/spring",
        },
    },
    {
        "alias": "book/1984",
        "channel": "instagram",
        "campaign": "classics",
        "feature": "share",
        "data": {
            "$og_title": "Nineteen Eighty-Four",
            "$desktop_url": "https://example.com/books/1984",
            "$ios_url": "https://example.com/books/1984?from=iphone",
            "$android_url": "https://example.com/books/1984?from=android",
            "$deeplink_path": "book/1984",
        },
    },
    {
        "alias": "read-on",
        "channel": "web",
        "campaign": "continue reading",
        "data": {
            "$og_title": "Read on in the app",
            "$ios_deepview": "default_template",
            "$android_deepview": "default_template",
        },
    },
)


def campaign_link(campaign: Campaign) -> dict[str, Any]:
    """The link of one of the demo year's campaigns."""
    return {
        "alias": campaign.alias,
        "channel": campaign.channel,
        "campaign": campaign.name,
        "feature": campaign.feature,
        "tags": ["demo", *([campaign.partner] if campaign.partner else [])],
        "data": {
            "$og_title": campaign.name.capitalize(),
            "$og_description": "Every book has a branch to it.",
            "$desktop_url": f"https://example.com/books/{campaign.alias}",
            "$deeplink_path": f"campaign/{campaign.alias}",
        },
    }


def create_sample_links(store: Store) -> None:
    """Create the sample links, and those of the year's campaigns, in the newest app's live environment."""
    app = list(Directory(store).apps.values())[-1]
    domain = app.domain(test=False)
    if domain is None:
        return
    links = (*SAMPLE_LINKS, *map(campaign_link, (*CAMPAIGNS, WIN_BACK)))
    drafts = [
        actions.Draft(link=new_link(parse_parameters(link), app, domain, now_ms()), prefix=domain.prefix)
        for link in links
    ]
    store.transact(actions.create_batch, drafts)
