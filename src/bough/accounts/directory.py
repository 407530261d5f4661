"""Who exists: apps, keys, domains and tokens, held in memory by every process and read again when they change.

There are few of them and every request needs one, so a lookup is a dictionary access. `bough.store.version` tells when
the store has moved on.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

import msgspec

from bough.accounts import queries
from bough.accounts.keys import fingerprint
from bough.accounts.model import App, AppConfig, Domain, User
from bough.errors import AuthenticationFailed, InvalidCredentials
from bough.ids import now_ms
from bough.store.database import Store


class Credential(NamedTuple):
    """What a branch key opens: an app in one environment."""

    app: App
    test: bool


class _Key(NamedTuple):
    app: int
    test: bool
    secret_hash: str
    expires_at: int | None


class Directory:
    """A snapshot of all accounts. `load` replaces it; lookups raise the errors that callers may see."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.loads = 0
        """How often everything was read: what was derived from it holds as long as this stays the same."""
        self.load()

    def load(self) -> None:
        """Read everything again. Other threads see the old state or the new one, never a mixture."""
        domains = _domains(self._store)
        by_app: dict[int, list[Domain]] = {}
        for domain in domains.values():
            by_app.setdefault(domain.app, []).append(domain)
        apps = _apps(self._store, by_app)
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
        self.apps, self._keys, self._tokens = apps, keys, tokens
        self._domains, self._hosts = domains, {host for host, _ in domains}
        self.loads += 1

    def by_key(self, branch_key: str) -> Credential:
        """The app of a branch key. Raises InvalidCredentials."""
        key = self._valid_key(branch_key)
        return Credential(self.apps[key.app], key.test)

    def by_secret(self, branch_key: str, branch_secret: str) -> Credential:
        """The app of a branch key whose secret is given too. Raises InvalidCredentials."""
        key = self._valid_key(branch_key)
        if not hmac.compare_digest(key.secret_hash, fingerprint(branch_secret)):
            raise InvalidCredentials
        return Credential(self.apps[key.app], key.test)

    def by_app_id(self, app_id: str) -> Credential:
        """The live environment of an app id, which some clients send in place of the key. Raises InvalidCredentials."""
        app = self.apps.get(int(app_id)) if app_id.isascii() and app_id.isdigit() and len(app_id) < 20 else None
        if app is None:
            raise InvalidCredentials
        return Credential(app, False)

    def by_token(self, token: str) -> User:
        """The user of an access token. Raises AuthenticationFailed."""
        expires_at, user = self._tokens.get(fingerprint(token), (0, None))
        if user is None or (expires_at is not None and expires_at <= now_ms()):
            raise AuthenticationFailed
        return user

    def branch_key(self, app: int, test: bool) -> str:
        """The newest valid key of an app's environment."""
        now = now_ms()
        for name, expires_at in reversed(self._names.get((app, test), ())):
            if expires_at is None or expires_at > now:
                return name
        return ""

    def knows_host(self, host: str) -> bool:
        """Whether some app's links live on the host."""
        return host in self._hosts

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
        """Whose links a path without leading slash belongs to: the app of its prefix, else of the whole host."""
        prefix, slash, _ = path.partition("/")
        if slash and len(prefix) == 4 and (found := self._domains.get((host, prefix))):
            return found
        return self._domains.get((host, ""))

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


def _tokens(store: Store) -> dict[str, tuple[int | None, User]]:
    return {
        token_hash: (
            expires_at,
            User(
                id=user,
                organization=organization,
                email=email,
                permissions=frozenset(msgspec.json.decode(permissions, type=list[str])),
            ),
        )
        for token_hash, expires_at, user, organization, email, permissions in store.rows(queries.ALL_TOKENS)
    }
