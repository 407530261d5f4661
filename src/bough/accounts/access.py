"""The one place where a user's access is decided: the caller, and whether the route table lets them.

Handlers get the user by `call.user()` and never look at permissions; which apps and which data the user sees is theirs
to apply (`Directory.apps_of`, `User.filters`).
"""

from __future__ import annotations

from bough.accounts.call import CSRF_HEADER, Call
from bough.accounts.model import User
from bough.errors import AuthenticationFailed, BoughError, Forbidden
from bough.web.routing import Refusal, Route


def refused(refusal: Refusal) -> BoughError:
    """What a known user without permission reads."""
    if refusal == "authentication":
        return AuthenticationFailed()  # documented for exports (docs/access.md)
    return Forbidden("Access denied" if refusal == "access_denied" else "Unauthorized User")


async def admit(call: Call, route: Route) -> None:
    """Find the user of a `token` route and check that they may use it. Without a token, who has signed in is asked.

    Raises AuthenticationFailed without a valid token, and the route's refusal without its permissions or level.
    """
    body = await call.object() if route.body_token else {}
    if route.or_secret and body.get("branch_secret"):
        return  # the handler checks key and secret, which are bound to one app and environment
    token: object = call.token() or next((body[name] for name in route.body_token if body.get(name)), None)
    if token is None and call.session is not None:
        call.check_csrf(call.header(CSRF_HEADER) or "")
        user = call.session.user
    elif isinstance(token, str):
        user = call.context.directory.by_token(token)
    else:
        raise AuthenticationFailed
    check(user, route)
    call.act_for(user)


def check(user: User, route: Route) -> None:
    """Raises the route's refusal unless the user has its permissions and level."""
    if not user.permissions.issuperset(route.needs) or (route.level == "organization" and user.level != "organization"):
        raise refused(route.refusal)
