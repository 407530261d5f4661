"""Who exists: apps, keys, domains and tokens, held in memory by every process and read again when they change.

There are few of them and every request needs one, so a lookup is a dictionary access. `bough.store.version` tells when
the store has moved on.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

import msgspec

from bough.accounts import queries
from bough.accounts.data_filters import AGENCY_ID, AGENCY_NAME
from bough.accounts.keys import fingerprint
from bough.accounts.model import Agency, App, AppConfig, Domain, User
from bough.errors import AuthenticationFailed, InvalidCredentials
from bough.store.database import Store
from bough.vocabulary.filters import Filter
from bough.vocabulary.ids import now_ms


class Credential(NamedTuple):
    """What a branch key opens: an app in one environment."""

    app: App
    test: bool


class _Key(NamedTuple):
    app: int
    test: bool
    secret_hash: str
    expires_at: int | None


class _Token(NamedTuple):
    id: int
    account_user: int
    expires_at: int | None
    scopes: frozenset[str] | None
    """None: all that its user may."""


_NO_HASH = fingerprint("")


class Directory:
    """A snapshot of all accounts. `load` replaces it; lookups raise the errors that callers may see."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.loads = 0
        """How often everything was read: what was derived from it holds as long as this stays the same."""
        self.apps: dict[int, App] = {}
        """By id. An app that has not changed stays the same object."""
        self.load()

    def load(self) -> None:
        """Read everything again. Other threads see the old state or the new one, never a mixture."""
        domains = _domains(self._store)
        by_app: dict[int, list[Domain]] = {}
        for domain in domains.values():
            by_app.setdefault(domain.app, []).append(domain)
        read = _apps(self._store, by_app)
        apps = {one: known if (known := self.apps.get(one)) == app else app for one, app in read.items()}
        keys = {
            key: _Key(app, bool(test), secret_hash, expires_at)
            for app, test, key, secret_hash, expires_at in self._store.rows(queries.ALL_KEYS)
            if app in apps
        }
        names: dict[tuple[int, bool], list[tuple[str, int | None]]] = {}
        for name, key in keys.items():
            names.setdefault((key.app, key.test), []).append((name, key.expires_at))
        self._names = names
        tokens = _tokens(self._store)
        agencies = _agencies(self._store)
        users = _users(self._store, agencies)
        self.apps, self.agencies, self.users = apps, agencies, users
        self._keys, self._tokens = keys, tokens
        self._domains, self._hosts = domains, {host for host, _ in domains}
        self.loads += 1

    def by_key(self, branch_key: str) -> Credential:
        """The app of a branch key. Raises InvalidCredentials."""
        key = self._valid_key(branch_key)
        return Credential(self.apps[key.app], key.test)

    def by_secret(self, branch_key: str, branch_secret: str) -> Credential:
        """The app of a branch key whose secret is given too. Raises InvalidCredentials."""
        known = self._keys.get(branch_key)
        # Also for an unknown key, so that the time does not tell which of the two is wrong.
        right = hmac.compare_digest(known.secret_hash if known is not None else _NO_HASH, fingerprint(branch_secret))
        key = self._valid_key(branch_key)
        if not right:
            raise InvalidCredentials
        return Credential(self.apps[key.app], key.test)

    def by_app_id(self, app_id: str) -> Credential:
        """The live environment of an app id, which some clients send in place of the key. Raises InvalidCredentials."""
        app = self.apps.get(int(app_id)) if app_id.isascii() and app_id.isdigit() and len(app_id) < 20 else None
        if app is None:
            raise InvalidCredentials
        return Credential(app, False)

    def by_app_secret(self, app_id: str, branch_secret: str) -> Credential:
        """The environment of an app whose secret was sent with the app's id in place of a key. Raises
        InvalidCredentials."""
        app = self.by_app_id(app_id).app
        given = fingerprint(branch_secret)
        for name, test, _ in self.keys_of(app.id):
            if hmac.compare_digest(self._keys[name].secret_hash, given):
                return Credential(app, test)
        raise InvalidCredentials

    def by_token(self, token: str) -> User:
        """The user of an access token, with the permissions that the token gives. Raises AuthenticationFailed.

        What is looked up is the token's SHA-256, so the time of the look-up tells nothing of the token.
        """
        found = self._tokens.get(fingerprint(token))
        if found is None or (found.expires_at is not None and found.expires_at <= now_ms()):
            raise AuthenticationFailed
        user = self.users.get(found.account_user)
        if user is None:
            raise AuthenticationFailed
        permissions = user.permissions if found.scopes is None else user.permissions & found.scopes
        return msgspec.structs.replace(user, permissions=permissions, token=found.id)

    def apps_of(self, user: User) -> dict[int, App]:
        """The apps that a user sees."""
        return {app.id: app for app in self.apps.values() if user.sees(app)}

    def app_of(self, user: User, app_id: object) -> App | None:
        """The app of an id as text, when the user sees it."""
        text = str(app_id)
        app = self.apps.get(int(text)) if text.isascii() and text.isdigit() and len(text) < 20 else None
        return app if app is not None and user.sees(app) else None

    def branch_key(self, app: int, test: bool) -> str:
        """The newest valid key of an app's environment."""
        now = now_ms()
        for name, expires_at in reversed(self._names.get((app, test), ())):
            if expires_at is None or expires_at > now:
                return name
        return ""

    def keys_of(self, app: int) -> list[tuple[str, bool, int | None]]:
        """(branch key, test, epoch ms at which it ends) of the app's valid keys, oldest first."""
        now = now_ms()
        return [
            (name, key.test, key.expires_at)
            for name, key in self._keys.items()
            if key.app == app and (key.expires_at is None or key.expires_at > now)
        ]

    def knows_host(self, host: str) -> bool:
        """Whether some app's links live on the host."""
        return host in self._hosts

    def assume(self, domain: Domain) -> None:
        """As if the domain were stored, until the next `load`: for dry runs."""
        self._domains[(domain.host, domain.prefix)] = domain
        self._hosts.add(domain.host)

    def main_host(self, host: str) -> str:
        """The host under which an app's links are stored, for an alternate host; any other host as it is."""
        domain = self._domains.get((host, ""))
        if domain is None or domain.kind != "alternate":
            return host
        main = self.apps[domain.app].domain(domain.test)
        return main.host if main else host

    def domain(self, host: str, prefix: str = "") -> Domain | None:
        """Whose links a host (and app prefix) serves."""
        return self._domains.get((host, prefix))

    def domain_of_path(self, host: str, path: str) -> Domain | None:
        """Whose links a path without leading slash belongs to: the app of its prefix, else of the whole host.

        A prefix alone, without a slash, is an alias where some app has the whole host.
        """
        prefix, slash, _ = path.partition("/")
        whole = self._domains.get((host, ""))
        if len(prefix) == 4 and (slash or whole is None) and (found := self._domains.get((host, prefix))):
            return found
        return whole

    def on_host(self, host: str) -> list[App]:
        """All apps with links on the host."""
        found = {domain.app: self.apps[domain.app] for (name, _), domain in self._domains.items() if name == host}
        return list(found.values())

    def _valid_key(self, branch_key: str) -> _Key:
        key = self._keys.get(branch_key)
        if key is None or (key.expires_at is not None and key.expires_at <= now_ms()):
            raise InvalidCredentials
        return key


def _domains(store: Store) -> dict[tuple[str, str], Domain]:
    return {
        (host, prefix): Domain(host=host, prefix=prefix, scheme=scheme, app=app, test=bool(test), kind=kind)
        for host, prefix, scheme, app, test, kind in store.rows(queries.ALL_DOMAINS)
    }


def _apps(store: Store, domains: dict[int, list[Domain]]) -> dict[int, App]:
    return {
        app: App(
            id=app,
            organization=organization,
            name=name,
            timezone=timezone,
            config=msgspec.json.decode(config, type=AppConfig),
            domains=tuple(domains.get(app, ())),
            created_at=created_at,
        )
        for app, organization, name, timezone, config, created_at in store.rows(queries.ALL_APPS)
    }


def _tokens(store: Store) -> dict[str, _Token]:
    return {
        token_hash: _Token(identifier, user, expires_at, None if scopes is None else frozenset(_texts(scopes)))
        for token_hash, identifier, user, expires_at, scopes in store.rows(queries.ALL_TOKENS)
    }


def _agencies(store: Store) -> dict[int, Agency]:
    return {
        identifier: Agency(id=identifier, organization=organization, name=name, tag=tag, created_at=created_at)
        for identifier, organization, name, tag, created_at in store.rows(queries.ALL_AGENCIES)
    }


def _users(store: Store, agencies: dict[int, Agency]) -> dict[int, User]:
    """Everyone who may sign in. Members of an agency that is gone are left out: nobody knows what they may see."""
    users = {}
    for row in store.rows(queries.ALL_USERS):
        identifier, organization, email, name, permissions, level, apps, agency, agency_data_only, filters = row
        if agency is not None and agency not in agencies:
            continue
        own = (agency_filter(agencies[agency]),) if agency is not None and agency_data_only else ()
        users[identifier] = User(
            id=identifier,
            organization=organization,
            email=email,
            name=name,
            permissions=frozenset(_texts(permissions)),
            level=level,
            apps=None if apps is None else frozenset(_numbers(apps)),
            agency=agency,
            filters=(*own, *_filters(filters)),
        )
    return users


def agency_filter(agency: Agency) -> Filter:
    """ "Only show agency-tagged data": the agency's tag, or its name when it has no tag."""
    return Filter(AGENCY_ID, (agency.tag,)) if agency.tag else Filter(AGENCY_NAME, (agency.name,))


_texts = msgspec.json.Decoder(list[str]).decode
_numbers = msgspec.json.Decoder(list[int]).decode
_filters = msgspec.json.Decoder(tuple[Filter, ...]).decode
