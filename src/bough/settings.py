"""Every setting of the server: its name, default, meaning. Read once, at start, from BOUGH_* environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

from bough.errors import ConfigurationError
from bough.spelling import closest

PREFIX = "BOUGH_"

_OBJECTS = re.compile(
    r"(?:s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[A-Za-z0-9_=-]+(?:/[A-Za-z0-9_=-]+)*))?/?)?\Z"
)
"""Plain names only: no `..`, nothing that a URL or a log would have to quote."""


_BASE_URL = re.compile(r"https?://[^/?#@\s]+/?\Z")


class Settings(Struct, frozen=True, kw_only=True, rename="upper"):
    """One field per environment variable; the first sentence of each description is what `bough doctor` shows."""

    data: Annotated[str, Meta(description="Folder of the database, files and locks.")] = "./bough-data"
    store: Annotated[str, Meta(description="postgresql:// URL of the store; empty: SQLite in the data folder.")] = ""
    base_url: Annotated[
        str,
        Meta(description="Public address of this server; links of apps without a domain of their own start with it."),
    ] = "http://127.0.0.1:8000"
    rate_limits: Annotated[Literal["on", "off"], Meta(description="Whether the documented rate limits are kept.")] = (
        "on"
    )
    trusted_proxies: Annotated[
        str, Meta(description="Addresses (comma-separated) of proxies whose X-Forwarded-For is believed.")
    ] = "127.0.0.1,::1"
    country_header: Annotated[
        str, Meta(description="Header in which a trusted proxy gives the visitor's country (CF-IPCountry, say).")
    ] = ""
    link_cache: Annotated[
        int,
        Meta(
            ge=0,
            description="Links that each worker keeps in memory, 2 KB each; 0: an eighth of the memory for all.",
        ),
    ] = 0
    max_body: Annotated[int, Meta(ge=1024, description="Largest request body in bytes.")] = 256 * 1024
    max_headers: Annotated[int, Meta(ge=8, description="Largest number of request headers.")] = 100
    max_header_bytes: Annotated[int, Meta(ge=1024, description="Largest size of all request headers together.")] = (
        32 * 1024
    )
    request_seconds: Annotated[float, Meta(gt=0, description="Time in which a whole request must arrive.")] = 15.0
    idle_seconds: Annotated[float, Meta(gt=0, description="Time after which a silent connection is closed.")] = 30.0
    max_connections: Annotated[int, Meta(ge=16, description="Open connections of one worker; more get 503.")] = 10_000
    fetch_private: Annotated[
        Literal["deny", "allow"],
        Meta(description="Whether pictures for QR codes may be fetched from private addresses."),
    ] = "deny"
    export_files: Annotated[
        str,
        Meta(description="s3://bucket/prefix for finished exports and reports; empty: folders in the data folder."),
    ] = ""
    oidc_issuer: Annotated[
        str, Meta(description="Issuer of an OpenID provider (https://login.example.com) for sign-in; empty: none.")
    ] = ""
    oidc_client_id: Annotated[str, Meta(description="What the OpenID provider calls this server.")] = ""
    oidc_client_secret: Annotated[str, Meta(description="The secret that the OpenID provider gave for it.")] = ""
    oidc_name: Annotated[str, Meta(description="The OpenID provider's name on the sign-in page.")] = "OpenID"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="How much is logged.")] = "info"

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)


def load_settings(environment: Mapping[str, str] = os.environ, **given: object) -> Settings:
    """Settings from the environment; `given` (command line options that were used) wins.

    Raises ConfigurationError naming the variable that cannot work, or that nobody knows.
    """
    names = {field.encode_name: field.name for field in msgspec.structs.fields(Settings)}
    values: dict[str, object] = {}
    for variable, text in environment.items():
        name = variable.removeprefix(PREFIX)
        if not variable.startswith(PREFIX):
            continue
        if name not in names:
            like = closest(variable, (PREFIX + known for known in names))
            meant = f" Did you mean {like}?" if like else ""
            raise ConfigurationError(f"{variable} is not a setting of bough; docs/settings.md lists them all.{meant}")
        values[name] = _convert(variable, name, text)
    for name, value in given.items():
        if value is not None:
            values[name.upper()] = value
    settings = msgspec.convert(values, Settings)
    if not settings.data.strip():
        raise ConfigurationError("BOUGH_DATA or --data is empty; it must name the data folder, as in ./bough-data.")
    bucket_and_prefix(settings.export_files)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    """Raises ConfigurationError for a value of the right type that cannot work."""
    if settings.store and not settings.store.startswith(("postgresql://", "postgres://")):
        raise ConfigurationError("BOUGH_STORE or --store must begin with postgresql://, or be empty for SQLite.")
    if not _BASE_URL.match(settings.base_url):
        raise ConfigurationError(
            f"BOUGH_BASE_URL={settings.base_url!r} must look like https://go.example.com, without a path."
        )
    for address in filter(None, map(str.strip, settings.trusted_proxies.split(","))):
        try:
            ip_address(address)
        except ValueError as error:
            raise ConfigurationError(
                f"BOUGH_TRUSTED_PROXIES: {address!r} is no IP address; list single addresses with commas between them."
            ) from error


def bucket_and_prefix(address: str) -> tuple[str, str]:
    """The two parts of `export_files`, both empty when it is. Raises ConfigurationError for any other form."""
    found = _OBJECTS.match(address)
    if found is None:
        raise ConfigurationError(
            f"BOUGH_EXPORT_FILES={address!r} must look like s3://bucket or s3://bucket/prefix, or be empty."
        )
    return found["bucket"] or "", found["prefix"] or ""


def _convert(variable: str, name: str, text: str) -> object:
    kind = get_type_hints(Settings, include_extras=True)[name.lower()]
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{variable}={text!r} cannot be used: {error}.") from error


def describe() -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of every setting; docs and `bough doctor` are made from it."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(Settings):
        meaning = next(str(meta.description) for meta in hints[field.name].__metadata__ if isinstance(meta, Meta))
        rows.append((PREFIX + field.encode_name, str(field.default), meaning))
    return rows
