"""OpenID Connect: the code flow with PKCE against one provider (OpenID Connect Core 1.0 §3.1, RFC 7636, RFC 9207).

The pure parts, and the three requests to the provider: its description, its keys, and the exchange of the code. The
provider is the operator's own choice, so its address may be private; over plain http only on this machine.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import urllib.error
import urllib.request
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from bough.errors import ConfigurationError, Forbidden, Unavailable
from bough.settings import Settings
from bough.vocabulary.ids import new_code

SCOPE = "openid email"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the provider can make; `none` and the shared-secret ones are never accepted."""

LEEWAY_SECONDS = 60
TIMEOUT_SECONDS = 10
MAX_ANSWER = 512 * 1024
CALLBACK = "/signin/oidc/callback"
NOT_CONFIRMED = "The provider did not confirm the sign-in; try again."


class Flow(Struct, frozen=True, kw_only=True):
    """What this browser must bring back: kept in its cookie while it is at the provider."""

    state: str
    nonce: str
    verifier: str
    next: str


class Provider(Struct, frozen=True, kw_only=True):
    """The parts of a provider's description that are needed."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class OidcIdentity(Struct, frozen=True, kw_only=True):
    """Who signed in at the provider."""

    issuer: str
    subject: str
    email: str
    """Empty unless the provider says that it is verified."""


def new_flow(back: str) -> Flow:
    """Random values for one sign-in."""
    return Flow(state=new_code(43), nonce=new_code(43), verifier=secrets.token_urlsafe(48), next=back)


def packed(flow: Flow) -> str:
    """A flow as a cookie's value."""
    return base64.urlsafe_b64encode(msgspec.json.encode(flow)).decode().rstrip("=")


def unpacked(value: str) -> Flow | None:
    """The flow of a cookie, or None when it holds none."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)), type=Flow)
    except ValueError:  # msgspec's and base64's errors are ValueErrors
        return None


def authorization_address(provider: Provider, settings: Settings, flow: Flow) -> str:
    """Where the browser goes to sign in."""
    challenge = base64.urlsafe_b64encode(sha256(flow.verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "response_type": "code",
        "client_id": settings.oidc_client_id,
        "redirect_uri": redirect_uri(settings),
        "scope": SCOPE,
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    sign = "&" if "?" in provider.authorization_endpoint else "?"
    return provider.authorization_endpoint + sign + urlencode(query)


def redirect_uri(settings: Settings) -> str:
    """Where the provider sends the browser back to; must be registered there."""
    return settings.base_url.rstrip("/") + CALLBACK


def checked_code(flow: Flow | None, issuer: str, query: dict[str, str]) -> str:
    """The code of a callback that belongs to this browser's flow. Raises Forbidden."""
    if flow is None or not hmac.compare_digest(query.get("state", "").encode(), flow.state.encode()):
        raise Forbidden("This sign-in was not begun in this browser, or too long ago; begin again.")
    if query.get("iss", issuer) != issuer:
        raise Forbidden(NOT_CONFIRMED)
    if not query.get("code"):
        raise Forbidden("The provider refused the sign-in.")
    return query["code"]


def discover(issuer: str) -> Provider:
    """Read the provider's description. Blocks. Raises ConfigurationError or Unavailable."""
    _check_endpoint(issuer)
    document = _request(urllib.request.Request(issuer.rstrip("/") + "/.well-known/openid-configuration"))
    try:
        provider = msgspec.convert(document, Provider)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"BOUGH_OIDC_ISSUER: the provider's description cannot be used: {error}.") from error
    if provider.issuer != issuer:
        raise ConfigurationError(f"BOUGH_OIDC_ISSUER: the provider calls itself {provider.issuer!r}.")
    for endpoint in (provider.authorization_endpoint, provider.token_endpoint, provider.jwks_uri):
        _check_endpoint(endpoint)
    return provider


def exchange(provider: Provider, settings: Settings, flow: Flow, code: str) -> OidcIdentity:
    """Exchange a code for who signed in. Blocks. Raises Forbidden or Unavailable."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(settings),
        "code_verifier": flow.verifier,
        "client_id": settings.oidc_client_id,
    }
    headers = {"Accept": "application/json"}
    if "client_secret_basic" in provider.token_endpoint_auth_methods_supported:
        pair = f"{quote(settings.oidc_client_id, '')}:{quote(settings.oidc_client_secret, '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form["client_secret"] = settings.oidc_client_secret
    answer = _request(urllib.request.Request(provider.token_endpoint, urlencode(form).encode(), headers))
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise Forbidden(NOT_CONFIRMED)
    return verified(token, _request(urllib.request.Request(provider.jwks_uri)), settings, flow.nonce)


def verified(token: str, keys: dict[str, Any], settings: Settings, nonce: str) -> OidcIdentity:
    """Who an ID token is about, after every check of OpenID Connect Core §3.1.3.7. Raises Forbidden."""
    import jwt  # it loads cryptography, which a server without a provider never needs

    try:
        header = jwt.get_unverified_header(token)
        candidates = [
            key
            for key in jwt.PyJWKSet.from_dict(keys).keys
            if header.get("kid") in (None, key.key_id) and key.public_key_use in (None, "sig")
        ]
        if header.get("alg") not in ALGORITHMS or len(candidates) != 1:
            raise Forbidden(NOT_CONFIRMED)
        claims = jwt.decode(
            token,
            candidates[0].key,
            algorithms=[header["alg"]],
            audience=settings.oidc_client_id,
            issuer=settings.oidc_issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
        )
    except (jwt.PyJWTError, TypeError) as error:  # TypeError: a key of another family than the token's algorithm
        raise Forbidden(NOT_CONFIRMED) from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    foreign = claims.get("azp", settings.oidc_client_id if not several else "") != settings.oidc_client_id
    if foreign or not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()) or not claims["sub"]:
        raise Forbidden(NOT_CONFIRMED)
    email = claims.get("email") if claims.get("email_verified") is True else ""
    return OidcIdentity(
        issuer=settings.oidc_issuer, subject=str(claims["sub"]), email=email if isinstance(email, str) else ""
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        """A provider's endpoints answer themselves."""


_opener = urllib.request.build_opener(_NoRedirects)


def _request(request: urllib.request.Request) -> dict[str, Any]:
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            body = response.read(MAX_ANSWER + 1)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (400, 401, 403):
                raise Forbidden(NOT_CONFIRMED) from error
            raise Unavailable(f"The OpenID provider answered with status {error.code}.") from error
    except OSError as error:
        raise Unavailable("The OpenID provider does not answer.") from error
    try:
        document = json.loads(body) if len(body) <= MAX_ANSWER else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Unavailable("The OpenID provider's answer cannot be read.")
    return document


def _check_endpoint(address: str) -> None:
    parts = urlsplit(address)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and local)):
        raise ConfigurationError("BOUGH_OIDC_ISSUER: the provider's addresses must begin with https://.")
