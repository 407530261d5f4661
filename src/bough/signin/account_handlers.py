"""A user's own page: password, authenticator app, sessions."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.responses import Response

from bough.accounts.audit import AuditEntry
from bough.accounts.call import Call
from bough.errors import BadRequest, Forbidden
from bough.signin import queries
from bough.signin.attempts import Try, account_subject, address_subject, forgive_batch, try_batch
from bough.signin.gate import form_fields, see_other, session_cookie, signed_in
from bough.signin.handlers import WRONG_CODE, chosen_password, sentence
from bough.signin.links import set_password
from bough.signin.passwords import Hashing
from bough.signin.rendering import TEMPLATES, qr_code
from bough.signin.sessions import end_all_batch
from bough.signin.totp import accepted_step, enrolment_uri, new_secret
from bough.store.transaction import Transaction
from bough.vocabulary.ids import iso_time, now_ms

ACCOUNT = "/signin/account"
NO_PASSWORD = "Set a password first: `bough signin link NAME` makes a link for it."
WRONG_PASSWORD = "Your password is not right."

DONE = {
    "password": "The password is changed; all other sessions are signed out.",
    "totp-on": "From now on a code of your authenticator app is asked for.",
    "totp-off": "The authenticator app is no longer asked for.",
}
"""By the `done` of the page's address."""


async def show_account(call: Call) -> Response:
    """GET /signin/account."""
    return await _page(call, done=DONE.get(call.query("done") or "", ""))


async def change_password(call: Call) -> Response:
    """POST /signin/account/password: all other sessions end."""
    session = signed_in(call)
    fields = await form_fields(call)
    try:
        await _check_current(call, fields)
        password = chosen_password(fields, session.user.email)
    except (BadRequest, Forbidden) as error:
        return await _page(call, message=sentence(error), status=error.status)
    kept = await call.context.part(Hashing).hashed(password)
    await call.change(_password_batch, (session.user.id, kept, session.hash), _entry(call, "signin.password"))
    return see_other(f"{ACCOUNT}?done=password")


async def show_totp(call: Call) -> Response:
    """GET /signin/account/totp: a new secret, which counts once a code made from it came back."""
    return _totp_page(call, new_secret())


async def turn_totp_on(call: Call) -> Response:
    """POST /signin/account/totp."""
    session = signed_in(call)
    fields = await form_fields(call)
    secret = fields.get("secret", "")
    if len(secret) != 32 or not set(secret) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        raise BadRequest("secret: is not one of this page's.")
    try:
        await _check_current(call, fields)
    except (BadRequest, Forbidden) as error:
        return _totp_page(call, secret, sentence(error), error.status)
    step = accepted_step(secret, fields.get("code", ""), time.time(), 0)
    if step is None:
        return _totp_page(call, secret, WRONG_CODE, 403)
    await call.change(_totp_batch, (session.user.id, secret, step), _entry(call, "signin.totp", on=True))
    await call.context.store.write(end_all_batch, (session.user.id, session.hash))
    return see_other(f"{ACCOUNT}?done=totp-on")


async def turn_totp_off(call: Call) -> Response:
    """POST /signin/account/totp/off."""
    session = signed_in(call)
    try:
        await _check_current(call, await form_fields(call))
    except (BadRequest, Forbidden) as error:
        return await _page(call, message=sentence(error), status=error.status)
    await call.change(_totp_batch, (session.user.id, "", 0), _entry(call, "signin.totp", on=False))
    return see_other(f"{ACCOUNT}?done=totp-off")


async def sign_out_everywhere(call: Call) -> Response:
    """POST /signin/account/everywhere: every session of the user ends, this one too."""
    await call.change(end_all_batch, (signed_in(call).user.id, ""), _entry(call, "signin.out"))
    return see_other("/signin", [session_cookie(call.context.settings, "")])


def _entry(call: Call, action: str, **details: bool) -> Callable[[object], AuditEntry]:
    """What the audit log is told."""
    return lambda _result: AuditEntry(action=action, subject=signed_in(call).user.email, details=dict(details))


async def _check_current(call: Call, fields: dict[str, str]) -> None:
    """A session left open must not be enough to take the account over. Raises BadRequest or Forbidden."""
    user = signed_in(call).user
    context = call.context
    kept = await context.store.fetch(queries.ACCOUNT, (user.id,))
    if not kept or not kept[0][0]:
        raise BadRequest(NO_PASSWORD)
    one = Try(account_subject(user.email), address_subject(call.visitor().ip))
    if wait := await context.store.write(try_batch, one):
        raise Forbidden(f"Too many tries. Wait {wait} seconds and try again.")
    if not await context.part(Hashing).matches(kept[0][0], fields.get("current", "")):
        raise Forbidden(WRONG_PASSWORD)
    await context.store.write(forgive_batch, one)


async def _page(call: Call, message: str = "", done: str = "", status: int = 200) -> Response:
    session = signed_in(call)
    store = call.context.store
    kept = await store.fetch(queries.ACCOUNT, (session.user.id,))
    sessions = [
        {
            "here": session_hash == session.hash,
            "created_at": _shown(created_at),
            "seen_at": _shown(now_ms() if session_hash == session.hash else seen_at),
            "address": address,
            "agent": agent,
        }
        for session_hash, created_at, seen_at, address, agent in await store.fetch(
            queries.SESSIONS_OF, (session.user.id,)
        )
    ]
    return TEMPLATES.page(
        call,
        "account.html",
        status,
        sessions=sessions,
        has_password=bool(kept and kept[0][0]),
        has_totp=bool(kept and kept[0][1]),
        message=message,
        done=done,
    )


def _totp_page(call: Call, secret: str, message: str = "", status: int = 200) -> Response:
    code = qr_code(enrolment_uri(secret, signed_in(call).user.email))
    return TEMPLATES.page(call, "totp.html", status, secret=secret, code=code, message=message)


def _shown(at: int) -> str:
    return iso_time(at)[:16].replace("T", " ") + " UTC"


def _password_batch(tx: Transaction, items: list[tuple[int, str, str]]) -> list[Exception | None]:
    for user, kept, session_hash in items:
        set_password(tx, user, kept)
        tx.run(queries.END_SESSIONS_OF, (user, session_hash))
    return [None] * len(items)


def _totp_batch(tx: Transaction, items: list[tuple[int, str, int]]) -> list[Exception | None]:
    for user, secret, step in items:
        tx.run(queries.SET_TOTP, (secret, step, now_ms(), user))
    return [None] * len(items)
