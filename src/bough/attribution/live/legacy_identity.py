"""Users of old SDKs, whose identity the server keeps (docs/sdk.md).

Once, `setIdentity` and `logout` were requests, and each open's answer told the SDK who its user is. Since Web 2.79,
iOS 3.0 and Android 5.9.0 the SDK keeps the identity itself and sends it along. So what `/v1/profile` stored is given
back to old SDKs only: one of today that logged out locally, perhaps after an update of its app, is never logged in
again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from bough.attribution.live.request import OpenRequest
from bough.events import identifiers as ids
from bough.store.journal import NewRow, append_batch
from bough.store.transaction import RowValues, Transaction, Value
from bough.vocabulary.lookup_keys import key
from bough.vocabulary.values import first, text

IDENTITY_IS_LOCAL_SINCE: dict[str, tuple[int, ...]] = {"web": (2, 79), "ios": (3, 0), "android": (5, 9)}
"""First release of each SDK that keeps the identity to itself."""

STORED = "SELECT identity FROM bundle_identity WHERE id = ?"
STORE = (
    "INSERT INTO bundle_identity (id, identity) VALUES (?, ?)"
    " ON CONFLICT (id) DO UPDATE SET identity = excluded.identity"
)
FORGET = "DELETE FROM bundle_identity WHERE id = ?"

_SDK = re.compile(r"(web|ios|android)(\d{1,4})(?:\.(\d{1,4}))?", re.IGNORECASE)

Rows = Callable[[str, Sequence[Value]], list[RowValues]]


class Login(Struct, frozen=True, kw_only=True):
    """A user that an old SDK named, and the journal row that says so."""

    bundle: int
    """The key of the bundle token."""
    identity: str
    row: NewRow


@lru_cache(maxsize=1000)  # few releases are in use, and every open asks
def is_old(sdk: str) -> bool:
    """Whether `android5.8.1` (say) leaves its user's identity to the server; unknown SDKs do not."""
    found = _SDK.match(sdk)
    if found is None:
        return False
    version = (int(found[2]), int(found[3] or 0))
    return version < IDENTITY_IS_LOCAL_SINCE[found[1].casefold()]


def bundle_key(app: int, test: bool, bundle: str) -> int:
    """The row of `bundle_identity` of a bundle token."""
    return key(app, test, "bundle", bundle)


def asked_bundle(app: int, test: bool, body: Mapping[str, Any]) -> int | None:
    """The row of `bundle_identity` to look at for a request; None unless an old SDK asks and names nobody itself."""
    if not is_old(text(body.get("sdk"), 64)) or ids.clean("identity", body.get("identity")):
        return None
    bundle = ids.clean("bundle", first(body, "randomized_bundle_token", "identity_id"))
    return bundle_key(app, test, bundle) if bundle else None


def with_stored_identity(rows: Rows, request: OpenRequest, bundle: int | None) -> OpenRequest:
    """The request of an old SDK with the identity that it set once and does not send itself (see `asked_bundle`)."""
    found = [] if bundle is None else rows(STORED, (bundle,))
    if not found:
        return request
    named: dict[str, Any] = {**request.body, "identity": found[0][0]}
    return msgspec.structs.replace(request, body=named)


def login_batch(tx: Transaction, logins: list[Login]) -> list[int | Exception]:
    """Keep who the users are and journal it; the results are the rows' ids."""
    for login in logins:
        tx.run(STORE, (login.bundle, login.identity))
    return append_batch(tx, [login.row for login in logins])


def logout_batch(tx: Transaction, bundles: list[int]) -> list[int | Exception]:
    """Forget the users of bundles, given by key; the results say how many were known."""
    return [tx.run(FORGET, (bundle,)) for bundle in bundles]
