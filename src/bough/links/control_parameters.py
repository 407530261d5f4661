"""Every control and analytics parameter of a link, grouped by what it does (docs/links.md, docs/clicks.md).

Forms and documentation are made from this table; `tests/dashboard/test_link_editor.py` holds it to the tables that
decide clicks (`links.targets`, `clicks.preview`) and to the contract's own list.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from bough.links.preview_tags import TAGS
from bough.links.targets import COUNTRY_KEYS, TARGET_KEYS

Kind = Literal["url", "text", "long", "switch", "number", "mode", "country_url"]


class Control(Struct, frozen=True, kw_only=True):
    """One key of a link's `data`."""

    key: str
    label: str
    kind: Kind = "text"
    help: str = ""
    """One sentence, where the label does not say all."""


class ControlGroup(Struct, frozen=True, kw_only=True):
    """Keys that do the same kind of thing."""

    name: str
    title: str
    help: str
    controls: tuple[Control, ...]


def _url(key: str, label: str, help: str = "") -> Control:
    return Control(key=key, label=label, kind="url", help=help)


def _switch(key: str, label: str, help: str = "") -> Control:
    return Control(key=key, label=label, kind="switch", help=help)


_TAG_LABELS = {
    "$og_title": "Title",
    "$og_description": "Description",
    "$og_image_url": "Picture",
    "$og_image_width": "Picture's width",
    "$og_image_height": "Picture's height",
    "$og_video": "Video",
    "$og_url": "Address shown",
    "$og_type": "Type",
    "$og_app_id": "Facebook app id",
}


def _preview_control(key: str) -> Control:
    kind: Kind = "url" if TARGET_KEYS.get(key) else ("long" if key.endswith("description") else "text")
    name = key.removeprefix("$").replace("_", " ")
    return Control(key=key, label=_TAG_LABELS.get(key, name[0].upper() + name[1:]), kind=kind)


def _analytics(key: str) -> Control:
    name = key.removeprefix("~").replace("_", " ")
    return Control(key=key, label=name[0].upper() + name[1:])


GROUPS: tuple[ControlGroup, ...] = (
    ControlGroup(
        name="targets",
        title="Where people go",
        help="The address by platform; the first that is set wins over the app's store and default addresses.",
        controls=(
            _url("$fallback_url", "Everywhere else", "For every platform without an address of its own."),
            _url("$ios_url", "iPhone"),
            _url("$ipad_url", "iPad"),
            _url("$android_url", "Android"),
            _url("$desktop_url", "Desktop"),
            _url("$mac_desktop_url", "Mac"),
            _url("$windows_desktop_url", "Windows"),
            _url("$ios_has_app_url", "iPhone that has the app"),
            _url("$ios_wechat_url", "WeChat on iPhone"),
            _url("$android_wechat_url", "WeChat on Android"),
            _url("$samsung_url", "Samsung"),
            _url("$huawei_url", "Huawei"),
            _url("$fire_url", "Amazon Fire"),
            _url("$windows_phone_url", "Windows Phone"),
            _url("$blackberry_url", "BlackBerry"),
            _url("$original_url", "Original address", "Where the content stands on the web."),
        ),
    ),
    ControlGroup(
        name="countries",
        title="Addresses by country",
        help="One line per country: two letters and the address, as in: de https://example.com/de",
        controls=tuple(
            Control(key=key, label={"$fallback_url": "All platforms", "$ios_url": "iOS"}.get(key, "Android"),
                    kind="country_url", help=f"{key}_xx")
            for key in COUNTRY_KEYS
        ),
    ),
    ControlGroup(
        name="app",
        title="Opening the app",
        help="What the app is told, and how hard the browser tries to open it.",
        controls=(
            Control(key="$deeplink_path", label="Path in the app", help="What follows myapp:// on every platform."),
            Control(key="$ios_deeplink_path", label="Path in the iOS app"),
            Control(key="$android_deeplink_path", label="Path in the Android app"),
            Control(key="$desktop_deeplink_path", label="Path in the desktop app"),
            _switch("$always_deeplink", "Open the app when it is there", "No: always the web address."),
            Control(key="$uri_redirect_mode", label="Try the URI scheme", kind="mode"),
            Control(key="$ios_uri_redirect_mode", label="Try the URI scheme on iOS", kind="mode"),
            Control(key="$android_uri_redirect_mode", label="Try the URI scheme on Android", kind="mode"),
            Control(key="$ios_redirect_timeout", label="Wait on iOS", kind="number", help="Milliseconds; 750."),
            Control(key="$android_redirect_timeout", label="Wait on Android", kind="number", help="Milliseconds; 750."),
            _switch("$ios_nativelink", "Copy the link on iOS", "A page puts the link on the pasteboard first."),
        ),
    ),
    ControlGroup(
        name="web",
        title="Web only",
        help="Keep people in the browser.",
        controls=(
            _switch("$web_only", "Always the web"),
            _switch("$mobile_web_only", "The web on phones"),
            _switch("$desktop_web_only", "The web on desktops"),
        ),
    ),
    ControlGroup(
        name="deepviews",
        title="Deepviews",
        help="A page with the content and a button to the app; the template's name, or true for the default one.",
        controls=(
            Control(key="$ios_deepview", label="Deepview on iOS"),
            Control(key="$android_deepview", label="Deepview on Android"),
            Control(key="$desktop_deepview", label="Deepview on desktops"),
            Control(key="$ios_passive_deepview", label="Passive deepview on iOS", help="false switches it off."),
            Control(key="$android_passive_deepview", label="Passive deepview on Android", help="false: off."),
        ),
    ),
    ControlGroup(
        name="after",
        title="After the click",
        help="Where the browser tab goes once the app or store has opened.",
        controls=(
            _url("$after_click_url", "On phones"),
            _url("$afterclick_desktop_url", "On desktops"),
            Control(key="$custom_sms_text", label="Text message", kind="long", help="Must hold {{ link }}."),
        ),
    ),
    ControlGroup(
        name="preview",
        title="How it looks where it is shared",
        help="Title, description and picture for social networks and messengers.",
        controls=(
            *(_preview_control(row.key) for row in TAGS),
            _url("$og_redirect", "Send scrapers to", "They read the preview there instead."),
            Control(key="$custom_meta_tags", label="Further meta tags", kind="long", help="A JSON object."),
        ),
    ),
    ControlGroup(
        name="content",
        title="Content",
        help="What the link is about, for search and for the app.",
        controls=(
            Control(key="$marketing_title", label="Name in this dashboard"),
            Control(key="$canonical_identifier", label="Canonical identifier"),
            _url("$canonical_url", "Canonical address"),
            Control(key="$keywords", label="Keywords"),
            Control(key="$content_type", label="Content type"),
            _switch("$publicly_indexable", "Search engines may index it"),
            _switch("$locally_indexable", "The device may index it"),
            Control(key="$exp_date", label="Content ends", kind="number", help="Epoch milliseconds."),
        ),
    ),
    ControlGroup(
        name="attribution",
        title="Attribution",
        help="How long a click or view counts, and whether it does at all.",
        controls=(
            _switch("$deeplink_no_attribution", "No credit", "The app gets the data, nobody gets the credit."),
            _switch("$do_not_process", "No analytics", "The click is not counted."),
            _switch("$one_time_use", "One-time use"),
            *(
                Control(key=f"${touch}_{occasion}_window_days", label=f"{touch.capitalize()} to {name}", kind="number",
                        help="Days.")
                for touch in ("click", "impression")
                for occasion, name in (
                    ("install", "install"), ("session_start", "session start"), ("conversion", "conversion"))
            ),
        ),
    ),
    ControlGroup(
        name="analytics",
        title="Advertising labels",
        help="Names and ids of campaign, ad set, ad and publisher, as dimensions of cohorts.",
        controls=(
            Control(key="$3p", label="Ad partner (3p)"),
            *(
                _analytics(f"~{name}")
                for name in (
                    "advertising_partner_name", "campaign_id", "customer_campaign", "ad_set_name", "ad_set_id",
                    "customer_ad_set_name", "ad_name", "ad_id", "customer_ad_name", "creative_name", "creative_id",
                    "keyword", "keyword_id", "customer_keyword", "placement", "placement_id", "customer_placement",
                    "sub_site_name", "customer_sub_site_name", "secondary_publisher", "customer_secondary_publisher",
                    "agency", "agency_id", "branch_ad_format", "secondary_ad_format", "link_type",
                    "quick_link_template_id", "ad_link_template_id", "cost", "cost_currency", "cost_model",
                )
            ),
        ),
    ),
)  # fmt: skip
"""In the order of a form."""

CONTROLS: dict[str, Control] = {
    control.key: control for group in GROUPS for control in group.controls if control.kind != "country_url"
}
"""Every single key; the country keys are made of COUNTRY_KEYS."""

MODES: tuple[tuple[str, str], ...] = (
    ("0", "Never"),
    ("1", "When the app is known to be installed"),
    ("2", "Always"),
)
"""Values of the kind `mode`; other spellings are those of `bough.clicks.decision.controls.URI_MODES`."""
