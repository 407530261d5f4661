"""Domains: own hosts, alternates, web-only forms, app prefixes (docs/links.md, docs/clicks.md)."""

from __future__ import annotations

import re
import uuid

import pytest

from bough.errors import BadRequest
from tests.apps import alias, founded, in_test_environment, new_app
from tests.conftest import Api, error

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)


def new_host() -> str:
    """A host that no other test uses; nothing looks it up."""
    return f"acme-{uuid.uuid4().hex[:8]}.example.test"


def target(api: Api, host: str, path: str) -> str | None:
    """Where an iPhone is sent (without what is appended), or None when it is not."""
    response = api.http.get(path, headers={"Host": host, "User-Agent": IPHONE})
    return response.headers["location"].partition("?")[0] if response.status_code == 307 else None


@pytest.fixture
def own(api: Api) -> Api:
    """An app with a host of its own."""
    return new_app(api, domain=new_host())


DATA = {"$ios_url": "https://example.com/ios", "$fallback_url": "https://example.com/web"}


def test_links_of_an_app_with_its_own_domain_are_there(own: Api) -> None:
    host = own.card["link_domain"]
    url = own.created(data=DATA)
    assert re.fullmatch(rf"https://{host}/[A-Za-z0-9]{{10}}", url)
    path = url.removeprefix(f"https://{host}")
    assert target(own, host, path) == "https://example.com/ios"
    assert own.read(url).json()["data"]["url"] == url


def test_a_code_of_one_host_is_unknown_on_another(api: Api, own: Api) -> None:
    url = own.created(data=DATA)
    assert target(api, api.card["link_domain"], url.removeprefix(f"https://{own.card['link_domain']}")) is None
    assert api.read(url.replace(own.card["link_domain"], api.card["link_domain"])).status_code == 404


def test_web_only_forms_lead_to_the_web(own: Api) -> None:
    host = own.card["link_domain"]
    wanted = alias()
    own.created(alias=wanted, data=DATA)
    web_host = host.replace(".", "-web.", 1)
    assert target(own, host, f"/{wanted}") == "https://example.com/ios"
    assert target(own, host, f"/{wanted}/") == "https://example.com/ios"
    assert target(own, host, f"/e/{wanted}") == "https://example.com/web"
    assert target(own, web_host, f"/{wanted}") == "https://example.com/web"
    for form in (f"https://{host}/e/{wanted}", f"https://{web_host}/{wanted}"):
        assert own.read(form).json()["alias"] == wanted


def test_hosts_are_not_case_sensitive(own: Api) -> None:
    host = own.card["link_domain"]
    wanted = alias()
    own.created(alias=wanted, data=DATA)
    assert target(own, host.upper(), f"/{wanted}") == "https://example.com/ios"
    assert own.read(f"HTTPS://{host.upper()}/{wanted}").status_code == 200


@pytest.mark.parametrize("spare", [":443", ":80", ".", ".:443"])
def test_the_default_port_and_the_last_dot_of_a_host_do_not_count(own: Api, spare: str) -> None:
    """nginx's `proxy_set_header Host $host:$server_port` sends them."""
    own.configure(ios_team_id="A1B2C3D4E5", ios_bundle_id="com.acme", universal_linking_enabled=1)
    host = own.card["link_domain"]
    url = own.created(data=DATA)
    assert target(own, host + spare, url.removeprefix(f"https://{host}")) == "https://example.com/ios"
    assert own.read(url.replace(host, host + spare)).json()["data"]["url"] == url
    hosted = own.http.get("/.well-known/apple-app-site-association", headers={"Host": host + spare}).json()
    assert [entry["appID"] for entry in hosted["applinks"]["details"]] == ["A1B2C3D4E5.com.acme"]


def test_another_port_is_another_host(own: Api) -> None:
    host = own.card["link_domain"]
    url = own.created(data=DATA)
    assert target(own, f"{host}:8443", url.removeprefix(f"https://{host}")) is None


def test_a_key_is_answered_on_its_own_hosts_and_the_servers(api: Api, own: Api) -> None:
    """Else a stranger's key would lead past the allowlist of the domain's owner."""
    own.configure(redirect_allowlist=["acme.example"])
    host = own.card["link_domain"]
    query = "?$ios_url=https://evil.example/"
    assert target(api, host, f"/a/{api.key}{query}") is None
    assert target(api, host, f"/a/{own.key}{query}") is None
    assert target(api, api.card["link_domain"], f"/a/{api.key}{query}") == "https://evil.example/"
    assert target(api, "bnc.example", f"/a/{api.key}{query}") == "https://evil.example/"
    assert target(own, host, f"/a/{own.key}?$ios_url=https://acme.example/") == "https://acme.example/"
    assert target(own, own.running.card["link_domain"], f"/a/{own.key}?$ios_url=https://acme.example/") == (
        "https://acme.example/"
    )


def test_an_app_without_domain_gets_a_prefix_of_four_characters(api: Api) -> None:
    app = new_app(api)
    assert re.fullmatch(rf"{re.escape(api.card['link_domain'])}/[A-Za-z0-9]{{4}}", app.card["link_domain"])
    url = app.created(data=DATA)
    assert re.fullmatch(rf"http://{re.escape(app.card['link_domain'])}/[A-Za-z0-9]{{10}}", url)
    host, _, path = url.removeprefix("http://").partition("/")
    prefix, _, code = path.partition("/")
    assert target(app, host, f"/{path}") == "https://example.com/ios"
    assert target(app, host, f"/e/{path}") == "https://example.com/web"
    assert target(app, host, f"/{prefix}/e/{code}") == "https://example.com/web"
    assert target(app, host, f"/{code}") is None


def test_two_apps_with_prefixes_on_one_host_are_apart(api: Api) -> None:
    wanted = alias()
    first, second = new_app(api), new_app(api)
    first.created(alias=wanted, data={"$ios_url": "https://example.com/first"})
    second.created(alias=wanted, data={"$ios_url": "https://example.com/second"})
    for app, name in ((first, "first"), (second, "second")):
        host, _, prefix = app.card["link_domain"].partition("/")
        assert target(api, host, f"/{prefix}/{wanted}") == f"https://example.com/{name}"


def test_the_test_environment_of_an_app_with_a_domain_has_a_prefix_there(own: Api) -> None:
    test = in_test_environment(own)
    url = test.created(data=DATA)
    assert re.fullmatch(rf"https://{own.card['link_domain']}/[A-Za-z0-9]{{4}}/[A-Za-z0-9]{{10}}", url)
    assert target(own, own.card["link_domain"], url.partition(own.card["link_domain"])[2]) == "https://example.com/ios"


def test_the_alternate_host_serves_the_same_links(api: Api) -> None:
    host, _, port = api.card["link_domain"].partition(":")
    wanted = alias()
    url = api.created(alias=wanted, data=DATA)
    assert target(api, f"alternate.localhost:{port}", f"/{wanted}") == "https://example.com/ios"
    assert api.read(f"http://alternate.localhost:{port}/{wanted}").json() == api.read(url).json()
    assert host == "127.0.0.1"


def test_an_unknown_host_is_the_servers_own(api: Api) -> None:
    """So that a bare address works before any DNS does."""
    wanted = alias()
    api.created(alias=wanted, data=DATA)
    for host in ("unknown.example.test", "[::1]:80", "", "a" * 300):
        assert target(api, host, f"/{wanted}") == "https://example.com/ios", host


def test_the_domain_parameter_names_one_of_the_apps_own(own: Api) -> None:
    host = own.card["link_domain"]
    for written in (host, host.upper(), f"https://{host}", f"http://{host}/", None, ""):
        assert own.created(domain=written).startswith(f"https://{host}/")


def test_other_domains_are_refused(api: Api, own: Api) -> None:
    port = api.card["link_domain"].partition(":")[2]
    for client, wanted in (
        (own, "example.com"),
        (own, api.card["link_domain"]),
        (api, own.card["link_domain"]),
        (api, f"alternate.localhost:{port}"),
        (api, api.card["test_link_domain"]),
    ):
        response = client.create(domain=wanted)
        message = f"domain: {wanted!r} is not a link domain of this app."
        assert (response.status_code, response.json()) == (400, error(400, message))


def test_a_domain_serves_one_app(own: Api) -> None:
    with pytest.raises(BadRequest, match=f"domain: {own.card['link_domain']} already serves another app's links"):
        founded(own.running, domain=own.card["link_domain"])
