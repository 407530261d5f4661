"""Who may pass to a page: looks the session up before the handler runs, and checks CSRF tokens.

Pages for people who are signed in send everybody else to the sign-in and back. API routes that take an access token
accept a session in its place (`bough.accounts.access`), so that a page can fetch what it shows.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from bough.accounts import access
from bough.accounts.call import CSRF_FAULT, CSRF_HEADER, SAFE_METHODS, Call
from bough.accounts.session import Session, csrf_token, is_csrf_token
from bough.errors import BadRequest, Forbidden
from bough.settings import Settings
from bough.signin.sessions import find_session, new_session_id
from bough.web.bodies import FORM, parse_form
from bough.web.routing import Access, Route

GUARDED: frozenset[Access] = frozenset({"page", "open_page", "token"})
"""Routes at which a session counts."""

SIGN_IN = "/signin"
AFTER_SIGN_IN = "/dashboard"
NEXT_SEGMENTS = frozenset({"dashboard", "signin"})
"""Where `next` may lead. Other addresses of this server are links, and those lead anywhere."""

MAX_NEXT = 2000
CSRF_FIELD = "csrf"
FORM_SECONDS = 3600


async def admit(call: Call, route: Route) -> Response | None:
    """Put the session on the call. An answer other than None goes out in place of the page's. Raises Forbidden."""
    call.session = await _session(call) if call.header("cookie") else None
    if route.access == "token":
        if call.session is not None and call.session.stage != "full":
            call.session = None
        await access.admit(call, route)
        return None
    if route.access == "page":
        if call.session is None or call.session.stage != "full":
            return _to_sign_in(call)
        access.check(call.session.user, route)
        call.act_for(call.session.user)
    if call.request.method not in SAFE_METHODS:
        await call.bytes(route.body_limit or None)
        await _check_form(call)
    return None


async def form_fields(call: Call) -> dict[str, str]:
    """The fields of a form; of a field that came several times, none."""
    if (call.header("content-type") or "").partition(";")[0].strip().lower() != FORM:
        raise BadRequest("The form must be sent as application/x-www-form-urlencoded.")
    return {name: value for name, value in parse_form(await call.bytes()).items() if isinstance(value, str)}


def signed_in(call: Call) -> Session:
    """The session of a `page` route's call."""
    if call.session is None:
        raise Forbidden("Sign in first.")
    return call.session


def safe_next(address: str | None) -> str:
    """Where to go after the sign-in: a page of ours, never another server and never a link."""
    if not address or len(address) > MAX_NEXT or not address.isascii() or not address.isprintable():
        return AFTER_SIGN_IN
    try:
        parts = urlsplit(address)
    except ValueError:
        return AFTER_SIGN_IN
    segments = parts.path.split("/")
    if parts.scheme or parts.netloc or "\\" in address or len(segments) < 2 or segments[0]:
        return AFTER_SIGN_IN
    # Browsers read %2e%2e as .., and what stands in front of us may read %2f as /: neither is in a page's path.
    if segments[1] not in NEXT_SEGMENTS or ".." in segments or {"%2e", "%2f", "%5c"} & escapes(parts.path):
        return AFTER_SIGN_IN
    return address


def escapes(path: str) -> set[str]:
    """The percent-escapes of a path, in lower case."""
    return set(re.findall("%[0-9a-f]{2}", path.lower()))


def see_other(address: str, cookies: list[str] | None = None) -> Response:
    """303: the browser goes on with a GET."""
    response = Response(b"", 303, {"Location": address, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    for cookie in cookies or ():
        response.raw_headers.append((b"set-cookie", cookie.encode("latin-1")))
    return response


# Cookies.


def session_cookie(settings: Settings, session_id: str) -> str:
    """The Set-Cookie value of a new session; of an empty id, one that takes the cookie away."""
    return cookie(settings, "session", session_id, 30 * 86_400 if session_id else 0)


def cookie(settings: Settings, name: str, value: str, seconds: int) -> str:
    """A Set-Cookie value that scripts and other sites cannot use, and over https no other host can set."""
    secure = "; Secure" if is_secure(settings) else ""
    return f"{cookie_name(settings, name)}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"


def cookie_name(settings: Settings, name: str) -> str:
    """`bough_session` and the like; over https with the prefix that ties a cookie to its host."""
    return f"__Host-bough_{name}" if is_secure(settings) else f"bough_{name}"


def is_secure(settings: Settings) -> bool:
    """Whether people reach this server over https."""
    return settings.base_url.startswith("https://")


def cookie_of(call: Call, name: str) -> str:
    """A cookie's value, or empty."""
    return call.request.cookies.get(cookie_name(call.context.settings, name), "")


def form_secret(call: Call) -> str:
    """What the CSRF token of a form is made from: the session, or before there is one a cookie of its own."""
    if call.session is not None:
        return call.session.id
    return cookie_of(call, "form")


def new_form(call: Call) -> tuple[str, list[str]]:
    """The CSRF token for a form of an `open_page`, and the cookies that must go out with it."""
    if secret := form_secret(call):
        return csrf_token(secret), []
    secret = new_session_id()
    return csrf_token(secret), [cookie(call.context.settings, "form", secret, FORM_SECONDS)]


async def _session(call: Call) -> Session | None:
    session_id = cookie_of(call, "session")
    context = call.context
    return await find_session(context.store, context.directory, session_id) if session_id else None


async def _check_form(call: Call) -> None:
    """The token must come with the header (htmx) or in the form, and browsers must not call it foreign."""
    given = call.header(CSRF_HEADER)
    if given is None:
        given = (await form_fields(call)).get(CSRF_FIELD, "")
    secret = form_secret(call)
    foreign = call.header("sec-fetch-site") in ("cross-site", "same-site")
    if foreign or not secret or not is_csrf_token(given, secret):
        raise Forbidden(CSRF_FAULT)


def _to_sign_in(call: Call) -> Response:
    scope = call.request.scope
    asked = scope["path"] if call.request.method in SAFE_METHODS else AFTER_SIGN_IN
    query = scope["query_string"].decode("latin-1")
    back = f"{asked}?{query}" if query and asked != AFTER_SIGN_IN else asked
    step = "/signin/code" if call.session is not None else SIGN_IN
    address = f"{step}?{urlencode({'next': safe_next(back)})}"
    if call.header("hx-request") == "true":
        # A redirect would put the sign-in page into the part of the page that was asked for.
        return Response(b"", 401, {"HX-Redirect": address, "Cache-Control": "no-store"})
    return see_other(address)
