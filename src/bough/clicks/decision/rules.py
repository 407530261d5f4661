"""Every rule that can decide a click, each with one sentence (docs/clicks.md).

`Decision.rule` and `Decision.target_rule` hold these names; pages, documentation and tests read this table.
"""

from __future__ import annotations

RULES: dict[str, str] = {
    # Unknown links.
    "unknown_link_default": "There is no such link, so the visitor goes to the app's default URL.",
    "unknown_link": "There is no such link and the app has no default URL, so a page says so.",
    # Who is no person.
    "robot_fallback": "Robots go to $fallback_url when the link has one.",
    "robot_web": "Robots go to the link's web target.",
    "robot_page": "Robots get the link's preview page when nothing else is set.",
    "social_redirect": "Social scrapers fetch their preview from $og_redirect.",
    "social_fallback": "Social scrapers follow $fallback_url and take the preview of that page.",
    "social_og": "Social scrapers get a page with the link's preview tags.",
    "program_web": "Programs such as curl go straight to the web target.",
    "program_page": "Programs such as curl get the link's preview page when nothing else is set.",
    # Web by force.
    "web_only": "A web-only link never opens the app or a store.",
    "mobile_web_only": "$mobile_web_only keeps phones and tablets on the web.",
    "desktop_web_only": "$desktop_web_only keeps desktops on the web.",
    "always_deeplink_off": "$always_deeplink is false, so the link always goes to the web.",
    "web_only_page": "A web-only link without any web target shows its own page.",
    # The link's own targets.
    "ios_url": "The link's $ios_url.",
    "ios_country_url": "The link's $ios_url for the visitor's country.",
    "ipad_url": "The link's $ipad_url, for iPads.",
    "ios_wechat_url": "The link's $ios_wechat_url, inside WeChat on iOS.",
    "ios_has_app_url": "The link's $ios_has_app_url, for people known to have the app.",
    "android_url": "The link's $android_url.",
    "android_country_url": "The link's $android_url for the visitor's country.",
    "android_wechat_url": "The link's $android_wechat_url, inside WeChat on Android.",
    "samsung_url": "The link's $samsung_url, for Samsung devices.",
    "huawei_url": "The link's $huawei_url, for Huawei devices.",
    "fire_url": "The link's $fire_url, for Amazon devices.",
    "windows_phone_url": "The link's $windows_phone_url.",
    "blackberry_url": "The link's $blackberry_url.",
    "mac_desktop_url": "The link's $mac_desktop_url.",
    "windows_desktop_url": "The link's $windows_desktop_url.",
    "desktop_url": "The link's $desktop_url.",
    "fallback_country_url": "The link's $fallback_url for the visitor's country.",
    "fallback_url": "The link's $fallback_url.",
    "original_url": "The link's $original_url.",
    "canonical_url": "The link's $canonical_url.",
    # The app's settings.
    "app_ios_url": "The app's custom iOS URL.",
    "app_store": "The app's App Store page.",
    "app_android_tablet_url": "The app's URL for Android tablets.",
    "app_android_url": "The app's custom Android URL.",
    "play_store": "The app's Play Store page.",
    "app_fire_url": "The app's Amazon Fire URL.",
    "amazon_store": "The app's page in Amazon's store, as Fire devices have no Play Store.",
    "app_windows_phone_url": "The app's Windows Phone URL.",
    "app_blackberry_url": "The app's BlackBerry URL.",
    "app_desktop_url": "The app's desktop URL.",
    "app_default_url": "The app's default URL.",
    # Pages.
    "link_deepview": "The link asks for a deepview on this platform.",
    "app_deepview": "The app shows a deepview on this platform.",
    "passive_deepview": "A deepview is shown while the store opens.",
    "after_click": "The store opens from a page, so that the tab can go on to the after-click URL.",
    "nativelink": "NativeLink copies the link before the store opens, so that the app finds it after the install.",
    "open_app_scheme": "The app's URI scheme is tried first.",
    "open_app_intent": "Chrome on Android is asked to open the app, and goes on when it is not there.",
    "open_app_target": "The target is itself an address in an app, so it is tried first.",
    "hosted_page": "Nothing is set for desktops, so a page offers the app by text message or QR code.",
    "landing_page": "Nothing is set for this platform, so a page shows the link's content.",
}
