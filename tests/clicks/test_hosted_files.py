from __future__ import annotations

import json

from msgspec.structs import replace

from bough.accounts.model import App, AppConfig, Domain
from bough.clicks.hosted_files import apple_app_site_association, assetlinks

FINGERPRINT = ":".join(["14", "6D"] * 16)


def app(number: int = 1, *prefixes: str) -> App:
    config = AppConfig(
        universal_linking_enabled=1,
        ios_team_id="TEAM12345X",
        ios_bundle_id=f"com.example.app{number}",
        android_app_links_enabled=1,
        android_package_name=f"com.example.app{number}",
        sha256_cert_fingerprints=(FINGERPRINT,),
    )
    hosts = [Domain(host="links.example.com", prefix=prefix, app=number, kind="custom") for prefix in prefixes]
    domains = (Domain(host=f"app{number}.example.net", app=number), *hosts)
    return App(id=number, organization=1, name=f"App {number}", config=config, domains=domains)


def details(apps: list[App], host: str) -> list[dict[str, object]]:
    file = json.loads(apple_app_site_association(apps, host))
    assert list(file) == ["applinks"]
    assert list(file["applinks"]) == ["apps", "details"]
    assert file["applinks"]["apps"] == []
    found: list[dict[str, object]] = file["applinks"]["details"]
    return found


def test_one_app_on_its_own_host_gives_branchs_file() -> None:
    assert apple_app_site_association([app()], "app1.example.net") == (
        b'{"applinks":{"apps":[],"details":[{"appID":"TEAM12345X.com.example.app1","paths":["NOT /e/*","*","/"]}]}}'
    )


def test_paths_stay_below_the_apps_prefix() -> None:
    assert details([app(1, "5NPh")], "links.example.com") == [
        {"appID": "TEAM12345X.com.example.app1", "paths": ["NOT /5NPh/e/*", "/5NPh/*", "/5NPh"]}
    ]


def test_apps_that_share_a_host_do_not_take_each_others_links() -> None:
    rest, first, second = app(1, ""), app(2, "5NPh"), app(3, "Y99d")
    assert details([rest, first, second], "links.example.com") == [
        {"appID": "TEAM12345X.com.example.app2", "paths": ["NOT /5NPh/e/*", "/5NPh/*", "/5NPh"]},
        {"appID": "TEAM12345X.com.example.app3", "paths": ["NOT /Y99d/e/*", "/Y99d/*", "/Y99d"]},
        {"appID": "TEAM12345X.com.example.app1", "paths": ["NOT /e/*", "NOT /5NPh/*", "NOT /Y99d/*", "*", "/"]},
    ]


def test_an_app_with_and_without_prefix_has_one_entry() -> None:
    assert details([app(1, "", "5NPh")], "links.example.com") == [
        {"appID": "TEAM12345X.com.example.app1", "paths": ["NOT /e/*", "NOT /5NPh/e/*", "*", "/"]}
    ]


def test_a_prefix_belongs_to_its_app_even_while_that_app_has_no_universal_links() -> None:
    rest, other = app(1, ""), app(2, "5NPh")
    other = replace(other, config=AppConfig())
    assert details([rest, other], "links.example.com") == [
        {"appID": "TEAM12345X.com.example.app1", "paths": ["NOT /e/*", "NOT /5NPh/*", "*", "/"]}
    ]


def test_apps_without_universal_links_or_on_other_hosts_are_left_out() -> None:
    assert details([app()], "elsewhere.example.com") == []
    for missing in ("universal_linking_enabled", "ios_team_id", "ios_bundle_id"):
        without = replace(app(), config=replace(app().config, **{missing: type(getattr(app().config, missing))()}))
        assert details([without], "app1.example.net") == []


def test_assetlinks_are_googles_statements() -> None:
    assert json.loads(assetlinks([app(1), app(2)])) == [
        {
            "relation": ["delegate_permission/common.handle_all_urls"],
            "target": {
                "namespace": "android_app",
                "package_name": f"com.example.app{number}",
                "sha256_cert_fingerprints": [FINGERPRINT],
            },
        }
        for number in (1, 2)
    ]


def test_fingerprints_take_the_form_that_android_compares() -> None:
    given = (FINGERPRINT.lower(), FINGERPRINT.replace(":", ""), "not one", FINGERPRINT[:-1])
    one = replace(app(), config=replace(app().config, sha256_cert_fingerprints=given))
    (statement,) = json.loads(assetlinks([one]))
    assert statement["target"]["sha256_cert_fingerprints"] == [FINGERPRINT, FINGERPRINT]


def test_apps_without_app_links_are_left_out() -> None:
    assert assetlinks([]) == b"[]"
    for missing in ("android_app_links_enabled", "android_package_name", "sha256_cert_fingerprints"):
        without = replace(app(), config=replace(app().config, **{missing: type(getattr(app().config, missing))()}))
        assert assetlinks([without]) == b"[]"
