"""Sign in, give the second code, sign out, set a password through a one-time link."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from starlette.responses import Response

from bough.accounts.audit import AuditEntry
from bough.accounts.call import Call
from bough.accounts.session import Session, Stage
from bough.errors import BadRequest, BoughError, NotFound
from bough.signin import queries
from bough.signin.attempts import (
    Try,
    account_subject,
    address_subject,
    code_subject,
    forgive_batch,
    try_batch,
)
from bough.signin.gate import form_fields, safe_next, see_other, session_cookie
from bough.signin.links import NewPassword, read_link, use_batch
from bough.signin.passwords import Hashing, check_password
from bough.signin.rendering import form_page
from bough.signin.sessions import NewSession, end_batch, new_session_id, start_batch
from bough.signin.totp import accepted_step
from bough.store.transaction import Transaction

REFUSED = "The name or the password is not right."
"""The same whether there is such a user or not, and whether it has a password."""

WRONG_CODE = "The code is not right. Codes change every 30 seconds, and each works once."
MAX_NAMESAKES = 4
"""Users of different organizations may have the same name; so many are tried."""


async def show_sign_in(call: Call) -> Response:
    """GET /signin."""
    back = safe_next(call.query("next"))
    if call.session is not None and call.session.stage == "full":
        return see_other(back)
    return _sign_in_page(call, back)


async def sign_in(call: Call) -> Response:
    """POST /signin."""
    fields = await form_fields(call)
    name, back = fields.get("name", ""), safe_next(fields.get("next"))
    one = Try(account_subject(name), address_subject(call.visitor().ip))
    if wait := await call.context.store.write(try_batch, one):
        return _sign_in_page(call, back, name=name, message=_slower(wait), status=429, wait=wait)
    found = await _matching_user(call, name, fields.get("password", ""))
    if found is None:
        return _sign_in_page(call, back, name=name, message=REFUSED, status=403)
    await call.context.store.write(forgive_batch, one)
    user, needs_code = found
    return await begin(call, user, needs_code, back)


async def show_code(call: Call) -> Response:
    """GET /signin/code: the second step."""
    back = safe_next(call.query("next"))
    if call.session is None or call.session.stage != "code":
        return see_other(f"/signin?{urlencode({'next': back})}")
    return _code_page(call, back)


async def give_code(call: Call) -> Response:
    """POST /signin/code."""
    fields = await form_fields(call)
    back = safe_next(fields.get("next"))
    session = call.session
    if session is None or session.stage != "code":
        return see_other(f"/signin?{urlencode({'next': back})}")
    one = Try(code_subject(session.user.id), address_subject(call.visitor().ip))
    if wait := await call.context.store.write(try_batch, one):
        return _code_page(call, back, _slower(wait), 429, wait)
    if not await use_code(call, session.user.id, fields.get("code", "")):
        return _code_page(call, back, WRONG_CODE, 403)
    await call.context.store.write(forgive_batch, one)
    return await _start(call, session.user.id, "full", back, session)


async def sign_out(call: Call) -> Response:
    """POST /signout."""
    if call.session is not None:
        await call.context.store.write(end_batch, call.session.hash)
    return see_other("/signin", [session_cookie(call.context.settings, "")])


async def show_setup(call: Call) -> Response:
    """GET /setup/{code}. Looking does not use the link up: mail scanners and previews look too."""
    link = await read_link(call.context.store, call.path["code"])
    return form_page(call, "setup.html", link=link, message="")


async def set_up(call: Call) -> Response:
    """POST /setup/{code}: set the password, end all sessions, sign in."""
    context, code = call.context, call.path["code"]
    link = await read_link(context.store, code)
    if link.user not in context.directory.users:
        raise NotFound("This user may no longer sign in.")
    fields = await form_fields(call)
    try:
        password = chosen_password(fields, link.name)
    except BadRequest as error:
        return form_page(call, "setup.html", 400, link=link, message=sentence(error))
    hashed = await context.part(Hashing).hashed(password)
    call.act_for(context.directory.users[link.user])
    user = await call.change(
        use_batch, NewPassword(code, hashed), lambda _user: AuditEntry(action="signin.password", subject=link.name)
    )
    kept = await context.store.fetch(queries.ACCOUNT, (user,))
    return await begin(call, user, bool(kept[0][1]), safe_next(None))


async def begin(call: Call, user: int, needs_code: bool, back: str) -> Response:
    """Start the session of a user whose password, or whose provider, was right."""
    return await _start(call, user, "code" if needs_code else "full", back, call.session)


async def use_code(call: Call, user: int, code: str) -> bool:
    """Whether an authenticator code is right; it is used up with that, also for the other workers."""
    kept = await call.context.store.fetch(queries.ACCOUNT, (user,))
    if not kept or not kept[0][1]:
        return False
    _, secret, last_step = kept[0]
    step = accepted_step(secret, code, time.time(), last_step)
    return step is not None and await call.context.store.write(_use_step_batch, (user, step))


def chosen_password(fields: dict[str, str], name: str) -> str:
    """The new password of a form with `password` and `again`. Raises BadRequest."""
    password = check_password(fields.get("password", ""), name)
    if fields.get("again") != password:
        raise BadRequest("password: the two are not the same.")
    return password


def sentence(error: BoughError) -> str:
    """An error's sentence for a page: without the field, which the page shows."""
    _, _, text = error.message.rpartition("password: ")
    return "The password " + text if text.startswith("must") else text[:1].upper() + text[1:]


async def _matching_user(call: Call, name: str, password: str) -> tuple[int, bool] | None:
    """The user with this name and password, and whether a code is needed. Takes as long when there is none."""
    rows = await call.context.store.fetch(queries.ACCOUNTS_NAMED, (name.strip().lower(),))
    kept = [row for row in rows if row[1]][:MAX_NAMESAKES] or [(0, "", "")]
    for user, password_hash, totp in kept:
        if await call.context.part(Hashing).matches(password_hash, password):
            return int(user), bool(totp)
    return None


async def _start(call: Call, user: int, stage: Stage, back: str, before: Session | None) -> Response:
    session_id = new_session_id()
    new = NewSession(
        id=session_id,
        user=user,
        stage=stage,
        address=call.visitor().ip,
        agent=call.header("user-agent") or "",
        replaces=before.id if before is not None else "",
    )
    await call.context.store.write(start_batch, new)
    target = back if stage == "full" else f"/signin/code?{urlencode({'next': back})}"
    return see_other(target, [session_cookie(call.context.settings, session_id)])


def _use_step_batch(tx: Transaction, items: list[tuple[int, int]]) -> list[bool | Exception]:
    return [tx.run(queries.USE_STEP, (step, user, step)) == 1 for user, step in items]


def _sign_in_page(
    call: Call, back: str, name: str = "", message: str = "", status: int = 200, wait: int = 0
) -> Response:
    provider = call.context.settings.oidc_name if call.context.settings.oidc_issuer else ""
    query = urlencode({"next": back})
    page = form_page(call, "signin.html", status, next=back, name=name, message=message, provider=provider, query=query)
    return _retry_after(page, wait)


def _code_page(call: Call, back: str, message: str = "", status: int = 200, wait: int = 0) -> Response:
    return _retry_after(form_page(call, "code.html", status, next=back, message=message), wait)


def _retry_after(page: Response, wait: int) -> Response:
    if wait:
        page.headers["Retry-After"] = str(wait)
    return page


def _slower(wait: int) -> str:
    return f"Too many tries. Wait {wait} second{'' if wait == 1 else 's'} and try again."
