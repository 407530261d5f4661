"""`bough users`, `bough agencies`, `bough tokens`, `bough permissions`: who may do and see what."""

from __future__ import annotations

import argparse
import json
from typing import Any

from bough.accounts import tokens, users
from bough.accounts.audit import transact
from bough.accounts.data_filters import COLUMNS
from bough.accounts.directory import Directory
from bough.accounts.queries import ALL_ORGANIZATIONS
from bough.accounts.team_handlers import agency_entry, revoked_entry, token_entry, user_entry
from bough.accounts.tokens import MadeToken, NewToken, RevokedToken
from bough.accounts.users import Account, RemovedAgency, UserChange, WantedAgency
from bough.commands.apps import find_app, named_organization
from bough.commands.options import Commands, add_data, settings_of
from bough.errors import BadRequest, NotFound
from bough.store import Store
from bough.store.data_folder import opened_store
from bough.vocabulary.permissions import PERMISSIONS


def add_to(commands: Commands) -> None:
    """Describe the commands."""
    _add_users(commands)
    _add_agencies(commands)
    _add_tokens(commands)
    permissions = commands.add_parser("permissions", help="what users can be given")
    _finish(permissions, run_permissions)


def _add_users(commands: Commands) -> None:
    parser = commands.add_parser("users", help="who may do and see what")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _finish(actions.add_parser("list", help="all users"), run_users)
    add = actions.add_parser("add", help="add a user; prints the permanent token, once")
    change = actions.add_parser("change", help="change what a user may do and see; what is not named stays")
    for action in (add, change):
        action.add_argument("user", metavar="EMAIL", help="or a user's id")
        action.add_argument("--level", choices=("organization", "app"), help="organization reaches people and tokens")
        _add_access(action)
    change.add_argument("--no-filters", action="store_true", help="take all data filters away")
    disable = actions.add_parser("disable", help="take all access away, at once")
    enable = actions.add_parser("enable", help="give a disabled user access again")
    for action in (disable, enable):
        action.add_argument("user", metavar="EMAIL", help="or a user's id")
    for action, run in ((add, run_add), (change, run_change), (disable, run_disable), (enable, run_enable)):
        _finish(action, run)


def _add_agencies(commands: Commands) -> None:
    parser = commands.add_parser("agencies", help="agencies and their members")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _finish(actions.add_parser("list", help="all agencies"), run_agencies)
    add = actions.add_parser("add", help="add an agency")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--tag", default="", help="~agency_id of its links (default: none; ~agency is its name)")
    remove = actions.add_parser("remove", help="remove an agency; its members lose all access")
    remove.add_argument("agency", metavar="AGENCY", help="id or name")
    member = actions.add_parser("member", help="add a member; prints the permanent token, once")
    member.add_argument("agency", metavar="AGENCY", help="id or name")
    member.add_argument("user", metavar="EMAIL")
    member.add_argument("--only-tagged", action="store_true", help="only show agency-tagged data")
    _add_access(member)
    for action, run in ((add, run_add_agency), (remove, run_remove_agency), (member, run_member)):
        _finish(action, run)


def _add_tokens(commands: Commands) -> None:
    parser = commands.add_parser("tokens", help="access tokens")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _finish(actions.add_parser("list", help="all tokens, without themselves"), run_tokens)
    create = actions.add_parser("create", help="make a named token; prints it, once")
    create.add_argument("user", metavar="EMAIL", help="or a user's id")
    create.add_argument("name", metavar="NAME", help="what it is for")
    create.add_argument("--scope", action="append", choices=PERMISSIONS, help="only this permission; may be repeated")
    create.add_argument("--days", type=int, metavar="N", help="end after so many days (default: never)")
    reset = actions.add_parser("reset", help="make a user's permanent token anew; prints it, once")
    reset.add_argument("user", metavar="EMAIL", help="or a user's id")
    revoke = actions.add_parser("revoke", help="end a token, at once")
    revoke.add_argument("token", metavar="ID", help="as `bough tokens list` shows it")
    for action, run in ((create, run_create_token), (reset, run_reset), (revoke, run_revoke)):
        _finish(action, run)


def _add_access(action: argparse.ArgumentParser) -> None:
    action.add_argument("--name", help="the person's name")
    action.add_argument("--may", action="append", choices=PERMISSIONS, help="a permission; may be repeated")
    action.add_argument("--app", action="append", metavar="APP", help="only this app, by id or name; may be repeated")
    action.add_argument(
        "--filter",
        action="append",
        metavar="DIMENSION=VALUE,…",
        help="data filter: only rows with one of these values; may be repeated",
    )


def _finish(action: argparse.ArgumentParser, run: Any) -> None:
    action.add_argument("--organization", metavar="ID", help="needed when there are several")
    action.add_argument("--json", action="store_true", help="print JSON")
    add_data(action)
    action.set_defaults(run=run)


def run_users(arguments: argparse.Namespace) -> None:
    """`bough users list`."""
    with opened_store(settings_of(arguments)) as store:
        found = [users.document(account) for account in users.everyone(store.rows, organization_of(store, arguments))]
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for user in found:
        filters = "  ".join(f"{name}={values}" for name, values in user["filters"].items())
        flags = [user["level"], *user["permissions"], *(["agency-tagged only"] if user["agency_data_only"] else [])]
        state = "disabled" if user["disabled_at"] else ", ".join(flags)
        print(f"{user['user_id']}  {user['email']}  {state}  {filters}".rstrip())


def run_add(arguments: argparse.Namespace) -> None:
    """`bough users add`."""
    with opened_store(settings_of(arguments)) as store:
        _add(store, arguments, {"level": arguments.level or "app"})


def run_member(arguments: argparse.Namespace) -> None:
    """`bough agencies member`."""
    with opened_store(settings_of(arguments)) as store:
        agency = find_agency(store, arguments)
        _add(store, arguments, {"agency_id": str(agency), "agency_data_only": arguments.only_tagged})


def run_change(arguments: argparse.Namespace) -> None:
    """`bough users change`."""
    with opened_store(settings_of(arguments)) as store:
        fields = _fields(store, arguments)
        if arguments.level:
            fields["level"] = arguments.level
        if arguments.no_filters:
            fields |= {"filters": {}, "agency_data_only": False}
        _change(store, arguments, fields)


def run_disable(arguments: argparse.Namespace) -> None:
    """`bough users disable`."""
    with opened_store(settings_of(arguments)) as store:
        _change(store, arguments, {"disabled": True})


def run_enable(arguments: argparse.Namespace) -> None:
    """`bough users enable`."""
    with opened_store(settings_of(arguments)) as store:
        _change(store, arguments, {"disabled": False})


def run_agencies(arguments: argparse.Namespace) -> None:
    """`bough agencies list`."""
    with opened_store(settings_of(arguments)) as store:
        found = users.agencies(store.rows, organization_of(store, arguments))
    if arguments.json:
        print(json.dumps([users.agency_document(agency) for agency in found], indent=2))
        return
    for agency in found:
        print(f"{agency.id}  {agency.name}  {agency.tag}".rstrip())


def run_add_agency(arguments: argparse.Namespace) -> None:
    """`bough agencies add`."""
    with opened_store(settings_of(arguments)) as store:
        wanted = WantedAgency(organization_of(store, arguments), arguments.name, arguments.tag)
        agency = transact(store, users.add_agency_batch, wanted, agency_entry("agency.add"))
    _show(users.agency_document(agency), arguments)


def run_remove_agency(arguments: argparse.Namespace) -> None:
    """`bough agencies remove`."""
    with opened_store(settings_of(arguments)) as store:
        wanted = RemovedAgency(organization_of(store, arguments), find_agency(store, arguments))
        agency = transact(store, users.remove_agency_batch, wanted, agency_entry("agency.remove"))
    _show({**users.agency_document(agency), "removed": True}, arguments)


def run_tokens(arguments: argparse.Namespace) -> None:
    """`bough tokens list`."""
    with opened_store(settings_of(arguments)) as store:
        found = tokens.tokens(store.rows, organization_of(store, arguments))
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for token in found:
        scopes = "everything its user may" if token["scopes"] is None else ", ".join(token["scopes"])
        ends = f"  until {token['expires_at']}" if token["expires_at"] else ""
        print(f"{token['token_id']}  {token['email']}  {token['kind']}  {token['name']}  {scopes}{ends}")


def run_create_token(arguments: argparse.Namespace) -> None:
    """`bough tokens create`."""
    with opened_store(settings_of(arguments)) as store:
        account = find_user(store, arguments)
        wanted = NewToken(
            account.organization,
            account.id,
            "named",
            arguments.name,
            tokens.parse_scopes(arguments.scope),
            arguments.days,
        )
        _show(_made(transact(store, tokens.make_batch, wanted, token_entry("token.create"))), arguments)


def run_reset(arguments: argparse.Namespace) -> None:
    """`bough tokens reset`."""
    with opened_store(settings_of(arguments)) as store:
        _show(_reset(store, find_user(store, arguments)), arguments)


def run_revoke(arguments: argparse.Namespace) -> None:
    """`bough tokens revoke`."""
    with opened_store(settings_of(arguments)) as store:
        wanted = RevokedToken(organization_of(store, arguments), _number(arguments.token))
        revoked = transact(store, tokens.revoke_batch, wanted, revoked_entry)
        _show({**revoked, "revoked": True}, arguments)


def run_permissions(arguments: argparse.Namespace) -> None:
    """`bough permissions`."""
    _show(
        {
            "permissions": list(PERMISSIONS),
            "levels": ["organization", "app"],
            "filter_dimensions": sorted(COLUMNS),
        },
        arguments,
    )


def organization_of(store: Store, arguments: argparse.Namespace) -> int:
    """The organization that a command is about: the one that is named, or the only one there is."""
    if arguments.organization:
        return named_organization(store, arguments.organization)
    found = [row[0] for row in store.rows(ALL_ORGANIZATIONS)]
    if not found:
        raise NotFound("There is no organization yet; `bough apps create` makes one.")
    if len(found) > 1:
        listed = ", ".join(map(str, found))
        raise BadRequest(f"There are several organizations; name one with --organization: {listed}.")
    return int(found[0])


def find_user(store: Store, arguments: argparse.Namespace) -> Account:
    """The user that a command names by email or id. Raises NotFound."""
    accounts = users.everyone(store.rows, organization_of(store, arguments))
    found = [account for account in accounts if arguments.user in (account.email, str(account.id))]
    if not found:
        raise NotFound(f"There is no user {arguments.user}; `bough users list` shows all.")
    return found[0]


def find_agency(store: Store, arguments: argparse.Namespace) -> int:
    """The agency that a command names by name or id. Raises NotFound."""
    agencies = users.agencies(store.rows, organization_of(store, arguments))
    found = [agency.id for agency in agencies if arguments.agency in (agency.name, str(agency.id))]
    if not found:
        raise NotFound(f"There is no agency {arguments.agency}; `bough agencies list` shows all.")
    return found[0]


def parse_filter_options(given: list[str]) -> dict[str, list[str]]:
    """`--filter DIMENSION=VALUE,VALUE` options as data filters. A comma within a value is written `\\,`."""
    filters: dict[str, list[str]] = {}
    for option in given:
        name, equals, values = option.partition("=")
        if not equals:
            raise BadRequest(f"--filter: {option!r} must look like touch_data_tilde_campaign=spring,summer.")
        parts = values.replace("\\,", "\0").split(",")
        filters[name] = [part.replace("\0", ",") for part in parts]
    return filters


def _fields(store: Store, arguments: argparse.Namespace) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if arguments.name is not None:
        fields["name"] = arguments.name
    if arguments.may:
        fields["permissions"] = arguments.may
    if arguments.app:
        directory = Directory(store)
        fields["apps"] = [str(find_app(directory, app).id) for app in arguments.app]
    if arguments.filter:
        fields["filters"] = parse_filter_options(arguments.filter)
    return fields


def _add(store: Store, arguments: argparse.Namespace, fields: dict[str, Any]) -> None:
    given = {"email": arguments.user, **fields, **_fields(store, arguments)}
    wanted = UserChange(organization_of(store, arguments), given)
    changed = transact(store, users.save_batch, wanted, user_entry)
    made = _reset(store, changed.account, "token.create")
    _show({**users.document(changed.account), "access_token": made["access_token"]}, arguments)


def _change(store: Store, arguments: argparse.Namespace, fields: dict[str, Any]) -> None:
    account = find_user(store, arguments)
    wanted = UserChange(account.organization, fields, None, account.id)
    _show(users.document(transact(store, users.save_batch, wanted, user_entry).account), arguments)


def _reset(store: Store, account: Account, action: str = "token.reset") -> dict[str, Any]:
    wanted = NewToken(account.organization, account.id, "permanent", "permanent")
    return _made(transact(store, tokens.make_batch, wanted, token_entry(action)))


def _made(made: MadeToken) -> dict[str, Any]:
    return {"email": made.account.email, "token_id": str(made.id), "access_token": made.token}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise NotFound(f"There is no token {text}; `bough tokens list` shows all.")
    return int(text)


def _show(document: dict[str, Any], arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(document, indent=2))
        return
    for name, value in document.items():
        print(f"{name:20} {value if isinstance(value, str) else json.dumps(value)}")
