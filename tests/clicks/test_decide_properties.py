"""Whatever links, queries and settings hold, nothing unsafe is ever sent."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bough.accounts.model import AppConfig
from bough.agents.recognition import parse
from bough.clicks.decision.decide import ClickRequest, Decision, decide
from bough.clicks.decision.location import prepare
from bough.links.targets import TARGET_KEYS
from tests.clicks import user_agents as ua
from tests.clicks.examples import app, link

USER_AGENTS = [value for name, value in vars(ua).items() if name.isupper() and not name.startswith("_")]

HOSTILE = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "intent://x#Intent;scheme=https;package=evil;end",
    "https://good.example\r\nSet-Cookie: a=b",
    "https://good.example/\x00\x1f\x7f\x85",
    "https://good.example\\@evil.example/",
    "https://good.example@evil.example/",
    "https://good.example%2eevil.example/",
    "https://evil.example/good.example",
    "https://notgood.example/",
    "https://good.example.evil.example/",
    "https:/\\evil.example",
    "https:evil.example",
    "//evil.example",
    "https://evil。example/",
    "https://ünïcode.example/ä?ö=ü#ß",
    "https://sub.good.example/{link_click_id}?a=%zz&b={}",
    "https://good.example/?x=1#frag\u2028ment",
    "acme://ok/\r\nEvil: 1",
    "other://nope",
    "market://details?id=com.acme",
    "https://[::1]/",
    "\ud800",
]

ADDRESSES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet=st.characters(), max_size=40),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(
            ["https://", "http://", "HTTPS://", "javascript:", "data:", "acme://", "https:/", "\t https://"]
        ),
        st.sampled_from(
            ["good.example", "sub.good.example", "evil.example", "GOOD.example:8443", "u@good.example", ""]
        ),
        st.text(alphabet=st.characters(), max_size=30).map(lambda text: "/" + text),
    ),
)
KEYS = st.sampled_from(
    [
        *TARGET_KEYS,
        "$ios_url_de",
        "$fallback_url_de",
        "$deeplink_path",
        "$ios_deeplink_path",
        "$ios_deepview",
        "~channel",
    ]
)
SWITCHES = st.fixed_dictionaries(
    {},
    optional={
        "$uri_redirect_mode": st.sampled_from([0, 1, 2, "2", "SMART_REDIRECT", None, {}]),
        "$web_only": st.sampled_from([True, False, "true", 7]),
        "$mobile_web_only": st.booleans(),
        "$ios_nativelink": st.booleans(),
        "$ios_passive_deepview": st.booleans(),
        "$always_deeplink": st.booleans(),
    },
)
CONFIGS = st.builds(
    AppConfig,
    ios_app=st.integers(0, 2),
    ios_url=ADDRESSES,
    ios_uri_scheme=st.sampled_from(["acme://", "acme", "javascript:", "data", "", "AC ME"]),
    android_app=st.integers(0, 2),
    android_url=ADDRESSES,
    android_uri_scheme=st.sampled_from(["acme", "javascript", ""]),
    android_package_name=st.sampled_from(["com.acme", "", "com.acme;end\r\n", "a b"]),
    web_url=ADDRESSES,
    default_desktop_url=ADDRESSES,
    fire_url=ADDRESSES,
    redirect_allowlist=st.sampled_from([(), ("good.example", "*.good.example"), ("good.example", "acme://")]),
    uri_redirect_mode=st.sampled_from([0, 1, 2]),
    uri_schemes=st.sampled_from([(), ("javascript", "data:", "vbscript://", "acme")]),
    ios_nativelink=st.booleans(),
)
QUERIES = st.lists(st.tuples(st.one_of(KEYS, st.text(max_size=8)), ADDRESSES), max_size=3).map(tuple)


def sent(decision: Decision) -> list[str]:
    """Every address of a decision that leads somewhere, with the click's id."""
    prepared = prepare(decision)
    found = (prepared.url(7), prepared.app_url(7), decision.cta_url, decision.after_click_url)
    return [address for address in found if address]


@settings(max_examples=400, deadline=None)
@given(
    data=st.dictionaries(KEYS, ADDRESSES, max_size=4),
    switches=SWITCHES,
    config=CONFIGS,
    query=QUERIES,
    user_agent=st.sampled_from(USER_AGENTS),
    installed=st.booleans(),
    country=st.sampled_from(["", "DE", "de", "\r\n", "ß"]),
)
@example(
    data={"$desktop_url": "https://good.example\\@evil.example/"},
    switches={},
    config=AppConfig(redirect_allowlist=("good.example",)),
    query=(),
    user_agent=ua.MAC_SAFARI,
    installed=False,
    country="",
)
def test_nothing_unsafe_is_ever_sent(
    data: dict[str, str],
    switches: dict[str, Any],
    config: AppConfig,
    query: tuple[tuple[str, str], ...],
    user_agent: str,
    installed: bool,
    country: str,
) -> None:
    application = app()
    request = ClickRequest(
        app=type(application)(id=1, organization=1, name="Acme", config=config, domains=application.domains),
        link=link({**data, **switches}),
        agent=parse(user_agent),
        query=query,
        installed=installed,
        country=country,
    )
    decision = decide(request)
    for address in sent(decision):
        assert re.fullmatch(r"[\x21-\x7e]+", address), address
        assert "{" not in address
        scheme = address.partition(":")[0]
        assert scheme in ("https", "http", "acme", "intent"), address
    for target in (decision.target, decision.fallback, decision.after_click_url):
        if target and config.redirect_allowlist:
            assert_on_the_allowlist(target, config.redirect_allowlist)
    assert decision.reason.endswith(".")
    assert decision.target is None or decision.fallback is None


def assert_on_the_allowlist(address: str, allowlist: tuple[str, ...]) -> None:
    """Judge the host by another parser than the one under test."""
    parts = urlsplit(address)
    assert parts.scheme in ("https", "http")
    host = parts.hostname or ""
    assert host == "good.example" or (host.endswith(".good.example") and "*.good.example" in allowlist), address
