"""Which browser or in-app view a person uses, and its version.

In-app views come first because they also say Safari or Chrome; browsers built on Chrome come before Chrome, and Safari,
whose name everybody borrows, comes last.
"""

from __future__ import annotations

from bough.agents.devices import version_after

IN_APP: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("WeChat", ("MicroMessenger/",), ("MicroMessenger/",)),
    ("Instagram", ("Instagram ",), ("Instagram ",)),
    ("Threads", ("Barcelona ",), ("Barcelona ",)),
    ("Messenger", ("FBAN/Messenger", "FB_IAB/Orca", "FB_IAB/MESSENGER"), ("FBAV/",)),
    ("Facebook", ("FBAN/", "FBAV/", "FB_IAB/", "MetaIAB"), ("FBAV/", "MetaIAB/")),
    ("Snapchat", ("Snapchat/", "Snapchat "), ("Snapchat/", "Snapchat ")),
    ("TikTok", ("musical_ly", "BytedanceWebview", "TikTok ", "trill_"), ("musical_ly_", "trill_")),
    ("X", ("Twitter for iP", "TwitterAndroid"), ("Twitter for iPhone/", "Twitter for iPad/")),
    ("Pinterest", ("[Pinterest/", "Pinterest for "), ("Pinterest for Android/",)),
    ("LinkedIn", ("[LinkedInApp]", "LinkedInApp/"), ("[LinkedInApp]/", "LinkedInApp/")),
    ("LINE", (" Line/",), (" Line/",)),
    ("KakaoTalk", ("KAKAOTALK",), ("KAKAOTALK ", "KAKAOTALK/")),
    ("Telegram", ("Telegram-Android/", "Telegram-iOS"), ("Telegram-Android/",)),
    ("WhatsApp", ("WhatsApp/",), ("WhatsApp/",)),
    ("Viber", ("Viber/",), ("Viber/",)),
    ("Reddit", ("Reddit/",), ("Reddit/",)),
    ("Tumblr", ("Tumblr/",), ("Tumblr/",)),
    ("Weibo", ("Weibo (", "weibo__"), ("weibo__",)),
    ("QQ", (" QQ/",), (" QQ/",)),
    ("Google app", ("GSA/",), ("GSA/",)),
)
"""(name, tokens that give it away, what its version follows) of views inside another company's app."""

BROWSERS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Edge", ("Edg/", "EdgA/", "EdgiOS/", "Edge/"), ("Edg/", "EdgA/", "EdgiOS/", "Edge/")),
    ("Samsung Internet", ("SamsungBrowser/",), ("SamsungBrowser/",)),
    ("Huawei Browser", ("HuaweiBrowser/",), ("HuaweiBrowser/",)),
    ("Silk", ("Silk/",), ("Silk/",)),
    ("Opera", ("OPR/", "OPT/", "OPiOS/", "Opera"), ("OPR/", "OPT/", "OPiOS/", "Version/", "Opera/")),
    ("Firefox", ("Firefox/", "FxiOS/", "Focus/"), ("Firefox/", "FxiOS/", "Focus/")),
    ("DuckDuckGo", ("DuckDuckGo/", "Ddg/"), ("DuckDuckGo/", "Ddg/")),
    ("Yandex", ("YaBrowser/",), ("YaBrowser/",)),
    ("UC Browser", ("UCBrowser/", "UCWEB/"), ("UCBrowser/", "UCWEB/")),
    ("QQ Browser", ("MQQBrowser/",), ("MQQBrowser/",)),
    ("MIUI Browser", ("MiuiBrowser/",), ("MiuiBrowser/",)),
    ("Vivaldi", ("Vivaldi/",), ("Vivaldi/",)),
    ("Internet Explorer", ("MSIE ", "IEMobile/", "Trident/"), ("MSIE ", "IEMobile/", "rv:")),
    ("Android WebView", ("; wv)",), ("Chrome/",)),
    ("Chrome", ("CriOS/", "Chrome/", "Chromium/"), ("CriOS/", "Chrome/", "Chromium/")),
    ("Android Browser", ("Android",), ("Version/",)),
    ("Safari", (" Safari/",), ("Version/",)),
    ("WebView", ("iPhone", "iPad", "iPod"), ("Mobile/",)),
)
"""The same of browsers; the two views without a name of their own stand where they are still told apart."""


INTENT_BROWSERS = frozenset({"Chrome", "Edge", "Samsung Internet", "Opera", "Vivaldi"})
"""Android browsers that open `intent://` and follow its `browser_fallback_url`, so that no error can show."""


def browser_of(user_agent: str) -> tuple[str, str]:
    """The browser's name and version, both empty when it is none that we know."""
    for name, tokens, versions in IN_APP + BROWSERS:
        if any(token in user_agent for token in tokens):
            return name, version_after(user_agent, *versions)
    return "", ""
