"""`bough apps domains`: an app with several domains, while the server runs, on both stores."""

from __future__ import annotations

import io
import json
import re
import uuid
from contextlib import redirect_stderr, redirect_stdout

import pytest

from bough.cli import main
from tests.apps import alias, new_app
from tests.clicks import user_agents as ua
from tests.clicks.following import follow, rows, sent
from tests.conftest import Api, error

TARGET = {"$ios_url": "https://example.com/ios"}


def new_host() -> str:
    """A host that no other test uses."""
    return f"go-{uuid.uuid4().hex[:8]}.example.test"


def domains(api: Api, *options: str) -> list[tuple[str, str, str]]:
    """The app's domains after the command: address, kind, environment."""
    status, printed, said = run(api, *options, "--json")
    assert status == 0, said
    return [(d["url"], d["kind"], d["environment"]) for d in json.loads(printed)]


def refused(api: Api, *options: str) -> str:
    """What the command says when it refuses."""
    status, printed, said = run(api, *options)
    assert (status, printed) == (1, "")
    return said.removeprefix("bough: ").strip()


def run(api: Api, *options: str) -> tuple[int, str, str]:
    """`bough apps domains` beside the running server: status, standard output, standard error."""
    place = ["--data", str(api.running.folder), "--store", api.running.environment.get("BOUGH_STORE", "")]
    with redirect_stdout(io.StringIO()) as printed, redirect_stderr(io.StringIO()) as said:
        status = main(["apps", "domains", api.card["app_id"], *options, *place])
    return status, printed.getvalue(), said.getvalue()


@pytest.fixture
def app(api: Api) -> Api:
    """An app with a domain of its own."""
    return new_app(api, domain=new_host())


def test_links_may_name_an_added_domain(app: Api) -> None:
    host = new_host()
    first, test = domains(app)
    assert first == (f"https://{app.card['link_domain']}/", "default", "live")
    assert domains(app, "--add", host.upper()) == [first, test, (f"https://{host}/", "custom", "live")]
    wanted = alias()
    assert app.created(alias=wanted, data=TARGET, domain=host) == f"https://{host}/{wanted}"
    assert sent(follow(app, f"https://{host}/{wanted}", ua.IPHONE_SAFARI)).target == "https://example.com/ios"
    assert app.created(data=TARGET).startswith(first[0])
    assert app.created(alias=wanted, channel="another").startswith(first[0])


def test_new_links_go_to_a_new_default_and_old_ones_stay(app: Api) -> None:
    host = new_host()
    old = app.created(data=TARGET)
    found = domains(app, "--add", host, "--kind", "default", "--http")
    assert [(url, kind) for url, kind, environment in found if environment == "live"] == [
        (f"https://{app.card['link_domain']}/", "custom"),
        (f"http://{host}/", "default"),
    ]
    assert app.created().startswith(f"http://{host}/")
    assert sent(follow(app, old, ua.IPHONE_SAFARI)).target == "https://example.com/ios"
    assert app.read(old).json()["data"]["url"] == old


def test_an_alternate_domain_serves_the_same_links_and_takes_buttons(app: Api) -> None:
    host = new_host()
    domains(app, "--add", host, "--kind", "alternate")
    url = app.created(data={"$ios_deepview": "default_template", "$fallback_url": "https://example.com/f"})
    page = follow(app, url, ua.IPHONE_SAFARI).text
    button = url.replace(app.card["link_domain"], host)
    assert f'href="{button}"' in page
    assert sent(follow(app, button, ua.IPHONE_SAFARI)).target == "https://example.com/f"
    assert len(rows(app, url)) == 2
    assert app.read(button).json() == app.read(url).json()
    second = new_host()
    message = "domain: the app has an alternate domain in this environment; remove it first."
    assert refused(app, "--add", second, "--kind", "alternate") == message
    domains(app, "--remove", host)
    assert domains(app, "--add", second, "--kind", "alternate")[-1][:2] == (f"https://{second}/", "alternate")


def test_several_apps_share_a_host_behind_prefixes(api: Api, app: Api) -> None:
    host = app.card["link_domain"]
    other = new_app(api)
    assert refused(other, "--add", host) == f"domain: {host} is in use; give it another prefix."
    url = domains(other, "--add", host, "--kind", "default", "--prefix")[-1][0]
    assert re.fullmatch(rf"https://{host}/[A-Za-z0-9]{{4}}", url)
    assert other.created(alias="summer") == f"{url}/summer"
    assert app.created(alias="summer") == f"https://{host}/summer"


def test_a_prefix_can_be_kept_from_elsewhere(app: Api) -> None:
    """Branch's own custom domains have one, which printed links hold."""
    host = new_host()
    assert domains(app, "--add", host, "--prefix", "5NPh", "--kind", "default")[-1][0] == f"https://{host}/5NPh"
    assert app.created(alias="p4M09KRLrD") == f"https://{host}/5NPh/p4M09KRLrD"
    assert refused(app, "--add", host, "--prefix", "5NPh") == f"domain: {host}/5NPh is in use; give it another prefix."


def test_a_long_link_may_follow_the_prefix_with_or_without_a_slash(app: Api) -> None:
    host = new_host()
    domains(app, "--add", host, "--prefix", "5NPh")
    for slash in ("", "/"):
        answer = follow(app, f"https://{host}/5NPh{slash}", ua.IPHONE_SAFARI, query="?$ios_url=https://example.com/ios")
        assert sent(answer).target == "https://example.com/ios"


def test_the_test_environment_can_have_a_host_of_its_own(app: Api) -> None:
    host = new_host()
    domains(app, "--add", host, "--kind", "default", "--test")
    created = app.http.post("/v1/url", json={"branch_key": app.card["test_branch_key"]})
    assert created.json()["url"].startswith(f"https://{host}/")
    assert app.create(domain=host).json() == error(400, f"domain: {host!r} is not a link domain of this app.")


def test_a_domain_is_removed_only_when_nothing_is_lost(app: Api) -> None:
    host = new_host()
    domains(app, "--add", host)
    url = app.created(domain=host)
    assert refused(app, "--remove", host) == f"domain: links live at {host}; delete them first."
    app.delete(url)
    assert (f"https://{host}/", "custom", "live") not in domains(app, "--remove", host)
    assert app.create(domain=host).status_code == 400
    assert refused(app, "--remove", host) == f"The app has no domain {host}."
    own = app.card["link_domain"]
    assert refused(app, "--remove", own) == f"domain: new links go to {own}; make another domain the default first."


def test_another_apps_domain_cannot_be_removed(api: Api, app: Api) -> None:
    other = new_app(api)
    assert refused(other, "--remove", app.card["link_domain"]) == f"The app has no domain {app.card['link_domain']}."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--add", "https://go.example.com"),
            "domain: 'https://go.example.com' is no host name such as go.example.com.",
        ),
        (("--add", "go example"), "domain: 'go example' is no host name such as go.example.com."),
        (("--add", "x" * 254), f"domain: {'x' * 254!r} is no host name such as go.example.com."),
        (("--add", "go.example.test", "--prefix", "abc"), "prefix: must be 4 letters or digits."),
        (("--add", "go.example.test", "--prefix", "a/bc"), "prefix: must be 4 letters or digits."),
        (
            ("--add", "go.example.test", "--prefix", "--kind", "alternate"),
            "prefix: an alternate domain has none; it serves every path of the default domain.",
        ),
    ],
)
def test_names_that_cannot_be(app: Api, options: tuple[str, ...], message: str) -> None:
    assert refused(app, *options) == message


def test_a_prefix_may_not_hide_another_apps_links(api: Api, app: Api) -> None:
    app.created(alias="shop/1")
    other = new_app(api)
    host = app.card["link_domain"]
    message = f"prefix: links of another app begin with shop/ on {host}; choose another one."
    assert refused(other, "--add", host, "--prefix", "shop") == message
