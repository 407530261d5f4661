"""Sign in with an OpenID provider: go there, come back."""

from __future__ import annotations

from starlette.responses import Response

from bough.accounts.call import Call
from bough.errors import Forbidden, NotFound
from bough.signin import queries
from bough.signin.gate import cookie, cookie_of, safe_next, see_other
from bough.signin.handlers import begin
from bough.signin.oidc import (
    OidcIdentity,
    authorization_address,
    checked_code,
    discover,
    exchange,
    new_flow,
    packed,
    unpacked,
)
from bough.store.transaction import Transaction

FLOW_SECONDS = 600


async def start(call: Call) -> Response:
    """GET /signin/oidc."""
    settings = call.context.settings
    if not settings.oidc_issuer:
        raise NotFound
    flow = new_flow(safe_next(call.query("next")))
    provider = await call.context.store.beside(discover, settings.oidc_issuer)
    kept = cookie(settings, "oidc", packed(flow), FLOW_SECONDS)
    return see_other(authorization_address(provider, settings, flow), [kept])


async def finish(call: Call) -> Response:
    """GET /signin/oidc/callback: only the browser that began may finish, and only once."""
    settings, store = call.context.settings, call.context.store
    if not settings.oidc_issuer:
        raise NotFound
    flow = unpacked(cookie_of(call, "oidc"))
    code = checked_code(flow, settings.oidc_issuer, dict(call.request.query_params))
    assert flow is not None  # or `checked_code` had raised
    provider = await store.beside(discover, settings.oidc_issuer)
    person = await store.beside(exchange, provider, settings, flow, code)
    user = await store.write(_user_batch, person)
    kept = await store.fetch(queries.ACCOUNT, (user,))
    response = await begin(call, user, bool(kept and kept[0][1]), safe_next(flow.next))
    response.raw_headers.append((b"set-cookie", cookie(settings, "oidc", "", 0).encode("latin-1")))
    return response


def _user_batch(tx: Transaction, items: list[OidcIdentity]) -> list[int | Exception]:
    """The user of each person: known by the provider's own id, at first by the verified address."""
    results: list[int | Exception] = []
    for person in items:
        found = tx.rows(queries.IDENTITY, (person.issuer, person.subject))
        if not found and person.email:
            users = tx.rows(queries.USERS_NAMED, (person.email.strip().lower(),))
            # An address that already belongs to another of the provider's people was given to someone new there.
            if len(users) == 1 and not tx.rows(queries.IDENTITY_OF, (person.issuer, users[0][0])):
                tx.run(queries.INSERT_IDENTITY, (person.issuer, person.subject, users[0][0]))
                found = [(users[0][0],)]
        if found and tx.rows(queries.USER, (found[0][0],)):
            results.append(int(found[0][0]))
        else:
            results.append(Forbidden("You are signed in at the provider, but nobody has made a user for you here."))
    return results
