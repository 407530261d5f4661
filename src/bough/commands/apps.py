"""`bough apps`: create apps, list them, show one, rotate its keys."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

import msgspec

from bough.accounts.audit import AuditEntry, transact
from bough.accounts.creation import NewApp, as_document, create_batch, rotate_batch, rotation
from bough.accounts.directory import Directory
from bough.accounts.domains import RANDOM_PREFIX, DomainName, add_batch, remove_batch
from bough.accounts.handlers import founded_entry
from bough.accounts.keys import environment
from bough.accounts.model import App, Domain
from bough.accounts.queries import ALL_ORGANIZATIONS
from bough.accounts.setting_checks import ascii_host
from bough.accounts.team_handlers import rotated_entry
from bough.commands.options import Commands, add_data, settings_of
from bough.errors import NotFound
from bough.spelling import closest
from bough.store import Store
from bough.store.data_folder import check_writable, opened_store


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("apps", help="create and show apps, their keys and domains")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="create an app; prints its keys, secrets and a token, once")
    create.add_argument("name", metavar="NAME")
    create.add_argument("--timezone", default="UTC", metavar="TZ", help="IANA time zone of its reports (default: UTC)")
    create.add_argument(
        "--domain", default="", metavar="HOST", help="link domain of its own (default: the server's host)"
    )
    create.add_argument("--organization", metavar="ID", help="whose app it is (default: the first organization)")
    listing = actions.add_parser("list", help="all apps")
    show = actions.add_parser("show", help="one app with its domains and configuration")
    keys = actions.add_parser("keys", help="an app's branch keys; secrets are only shown when made")
    keys.add_argument("--rotate", choices=("live", "test"), help="make a new key and secret for the environment")
    keys.add_argument("--overlap", type=int, default=24, metavar="HOURS", help="how long the old key still works (24)")
    domains = actions.add_parser("domains", help="an app's link domains: add, remove, list them")
    domains.add_argument("--add", metavar="HOST", help="a host that leads to this server, with its port if it has one")
    domains.add_argument("--remove", metavar="HOST", help="a domain without links, with --prefix if it has one")
    domains.add_argument(
        "--kind",
        choices=("custom", "default", "alternate"),
        default="custom",
        help="custom: links may name it; default: new links go there; alternate: buttons of pages lead there (custom)",
    )
    domains.add_argument("--test", action="store_true", help="for the test environment")
    domains.add_argument("--http", action="store_true", help="its addresses begin with http:// (default: https://)")
    domains.add_argument(
        "--prefix",
        nargs="?",
        const=RANDOM_PREFIX,
        default="",
        metavar="CODE",
        help="four characters in front of every path, random ones without CODE, so that apps can share the host",
    )
    for action in (show, keys, domains):
        action.add_argument("app", metavar="APP", help="app id or name")
    for action, run in (
        (create, run_create),
        (listing, run_list),
        (show, run_show),
        (keys, run_keys),
        (domains, run_domains),
    ):
        action.add_argument("--json", action="store_true", help="print JSON")
        add_data(action)
        action.set_defaults(run=run)


def run_create(arguments: argparse.Namespace) -> None:
    """`bough apps create`."""
    settings = settings_of(arguments)
    check_writable(settings)
    with opened_store(settings, makes=True) as store:
        wanted = NewApp(
            name=arguments.name,
            timezone=arguments.timezone,
            domain=arguments.domain,
            base_url=settings.base_url,
            organization=named_organization(store, arguments.organization) if arguments.organization else None,
        )
        _show(as_document(transact(store, create_batch, wanted, founded_entry)), arguments.json)


def run_list(arguments: argparse.Namespace) -> None:
    """`bough apps list`."""
    with opened_store(settings_of(arguments)) as store:
        apps = [_summary(app) for app in Directory(store).apps.values()]
    if arguments.json:
        print(json.dumps(apps, indent=2))
    else:
        for app in apps:
            print(f"{app['app_id']}  {app['name']}  {app['timezone']}  {', '.join(app['domains'])}")


def run_show(arguments: argparse.Namespace) -> None:
    """`bough apps show`."""
    with opened_store(settings_of(arguments)) as store:
        directory = Directory(store)
        app = find_app(directory, arguments.app)
        keys = {f"{environment(test)}_branch_key": directory.branch_key(app.id, test) for test in (False, True)}
        _show({**_summary(app), **keys, "config": msgspec.to_builtins(app.config)}, arguments.json)


def run_keys(arguments: argparse.Namespace) -> None:
    """`bough apps keys`."""
    with opened_store(settings_of(arguments)) as store:
        directory = Directory(store)
        app = find_app(directory, arguments.app)
        if arguments.rotate:
            wanted = rotation(app.id, arguments.rotate == "test", arguments.overlap)
            rotated = transact(store, rotate_batch, wanted, rotated_entry(app, arguments.rotate))
            _show({"branch_key": rotated.branch_key, "branch_secret": rotated.branch_secret}, arguments.json)
            return
        _show(
            {
                "branch_key": directory.branch_key(app.id, False),
                "test_branch_key": directory.branch_key(app.id, True),
                "secrets": "kept as hashes only; --rotate makes a new pair",
            },
            arguments.json,
        )


def run_domains(arguments: argparse.Namespace) -> None:
    """`bough apps domains`."""
    with opened_store(settings_of(arguments)) as store:
        app = find_app(Directory(store), arguments.app)
        if arguments.add:
            wanted = Domain(
                host=arguments.add,
                prefix=arguments.prefix,
                scheme="http" if arguments.http else "https",
                app=app.id,
                test=arguments.test,
                kind=arguments.kind,
            )
            transact(store, add_batch, wanted, domain_entry("domain.add", app))
        if arguments.remove:
            gone = DomainName(app.id, ascii_host(arguments.remove) or arguments.remove, arguments.prefix)
            transact(store, remove_batch, gone, lambda _: domain_entry("domain.remove", app)(gone))
        found = [_domain(domain) for domain in Directory(store).apps[app.id].domains]
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for domain in found:
            print(f"{domain['url']}  {domain['kind']}  {domain['environment']}")


def domain_entry(action: str, app: App) -> Callable[[Domain | DomainName], AuditEntry]:
    """What the audit log says of an app's domain."""
    return lambda domain: AuditEntry(
        action=action,
        subject=f"{domain.host}/{domain.prefix}".rstrip("/"),
        app=app.id,
        organization=app.organization,
    )


def _domain(domain: Domain) -> dict[str, str]:
    url = f"{domain.scheme}://{domain.host}/{domain.prefix}"
    return {"url": url, "kind": domain.kind, "environment": environment(domain.test)}


def named_organization(store: Store, identifier: str) -> int:
    """The organization with this id. Raises NotFound."""
    if identifier not in (str(known) for known, _ in store.rows(ALL_ORGANIZATIONS)):
        raise NotFound(f"There is no organization {identifier}; `bough organizations list` shows all.")
    return int(identifier)


def find_app(directory: Directory, wanted: str) -> App:
    """The app with this id or, when it is the only one so called, this name. Raises NotFound."""
    found = [app for app in directory.apps.values() if wanted in (str(app.id), app.name)]
    if not found:
        like = closest(wanted, [name for app in directory.apps.values() for name in (app.name, str(app.id))])
        meant = f" Did you mean {like!r}?" if like else ""
        raise NotFound(f"There is no app {wanted!r}; `bough apps list` shows all ids.{meant}")
    if len(found) > 1:
        raise NotFound(f"There is more than one app {wanted!r}; `bough apps list` shows all ids.")
    return found[0]


def _summary(app: App) -> dict[str, Any]:
    return {
        "app_id": str(app.id),
        "organization_id": str(app.organization),
        "name": app.name,
        "timezone": app.timezone,
        "domains": [f"{d.host}/{d.prefix}".rstrip("/") + (" (test)" if d.test else "") for d in app.domains],
    }


def _show(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(document, indent=2))
        return
    for name, value in document.items():
        print(f"{name:20} {value if isinstance(value, str) else json.dumps(value)}")
