"""The routes of the sign-in pages."""

from __future__ import annotations

from bough.signin import account_handlers, handlers, oidc_handlers
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


_ACCOUNT = account_handlers.ACCOUNT

ROUTES = (
    _page("GET", "/signin", "open_page", handlers.show_sign_in, "The sign-in form"),
    _page("POST", "/signin", "open_page", handlers.sign_in, "Sign in with name and password"),
    _page("GET", "/signin/code", "open_page", handlers.show_code, "Ask for the authenticator's code"),
    _page("POST", "/signin/code", "open_page", handlers.give_code, "Give the authenticator's code"),
    _page("GET", "/signin/oidc", "open_page", oidc_handlers.start, "Go to the OpenID provider"),
    _page("GET", "/signin/oidc/callback", "open_page", oidc_handlers.finish, "Come back from the OpenID provider"),
    _page("POST", "/signout", "open_page", handlers.sign_out, "Sign out"),
    _page("GET", "/setup/{code}", "open_page", handlers.show_setup, "Choose a password through a one-time link"),
    _page("POST", "/setup/{code}", "open_page", handlers.set_up, "Set the password"),
    _page("GET", _ACCOUNT, "page", account_handlers.show_account, "One's own account"),
    _page("POST", f"{_ACCOUNT}/password", "page", account_handlers.change_password, "Change one's password"),
    _page("GET", f"{_ACCOUNT}/totp", "page", account_handlers.show_totp, "Set an authenticator app up"),
    _page("POST", f"{_ACCOUNT}/totp", "page", account_handlers.turn_totp_on, "Turn the authenticator app on"),
    _page("POST", f"{_ACCOUNT}/totp/off", "page", account_handlers.turn_totp_off, "Turn the authenticator app off"),
    _page("POST", f"{_ACCOUNT}/everywhere", "page", account_handlers.sign_out_everywhere, "Sign out everywhere"),
)
