"""The routes of the sign-in pages."""

from __future__ import annotations

from bough.signin import account_routes, oidc_routes, routes
from bough.web.bodies import FORM
from bough.web.routing import Access, Handler, Parameter, Route

HTML = "text/html"
CODE_IN_PATH = Parameter(name="code", meaning="Of a one-time link.", required=True, place="path")


def _page(method: str, path: str, access: Access, handler: Handler, summary: str) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        access=access,
        summary=summary,
        parameters=(CODE_IN_PATH,) if "{code}" in path else (),
        consumes=(FORM,) if method == "POST" else (),
        produces=(HTML,),
    )


_ACCOUNT = account_routes.ACCOUNT

ROUTES = (
    _page("GET", "/signin", "open_page", routes.show_sign_in, "The sign-in form"),
    _page("POST", "/signin", "open_page", routes.sign_in, "Sign in with name and password"),
    _page("GET", "/signin/code", "open_page", routes.show_code, "Ask for the authenticator's code"),
    _page("POST", "/signin/code", "open_page", routes.give_code, "Give the authenticator's code"),
    _page("GET", "/signin/oidc", "open_page", oidc_routes.start, "Go to the OpenID provider"),
    _page("GET", "/signin/oidc/callback", "open_page", oidc_routes.finish, "Come back from the OpenID provider"),
    _page("POST", "/signout", "open_page", routes.sign_out, "Sign out"),
    _page("GET", "/setup/{code}", "open_page", routes.show_setup, "Choose a password through a one-time link"),
    _page("POST", "/setup/{code}", "open_page", routes.set_up, "Set the password"),
    _page("GET", _ACCOUNT, "page", account_routes.show_account, "One's own account"),
    _page("POST", f"{_ACCOUNT}/password", "page", account_routes.change_password, "Change one's password"),
    _page("GET", f"{_ACCOUNT}/totp", "page", account_routes.show_totp, "Set an authenticator app up"),
    _page("POST", f"{_ACCOUNT}/totp", "page", account_routes.turn_totp_on, "Turn the authenticator app on"),
    _page("POST", f"{_ACCOUNT}/totp/off", "page", account_routes.turn_totp_off, "Turn the authenticator app off"),
    _page("POST", f"{_ACCOUNT}/everywhere", "page", account_routes.sign_out_everywhere, "Sign out everywhere"),
)
