"""Organizations, apps, users, agencies, domains and the app configuration (docs/settings.md).

`AppConfig` is both Branch's app resource (its field names are Branch's) and bough's per-app switches.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bough.vocabulary.filters import Filter
from bough.vocabulary.permissions import Level


class AppConfig(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything an app's owner can set. Strings are at most 255 characters; empty means unset."""

    # Branch's own fields (docs/settings.md).
    dev_name: str = ""
    dev_email: str = ""
    dev_phone_number: str = ""
    always_open_app: Literal[0, 1] = 0
    android_app: Literal[0, 1, 2] = 0
    """0 none, 1 Play Store (`android_package_name`), 2 custom URL (`android_url`)."""
    android_url: str = ""
    android_uri_scheme: str = ""
    """With or without `://`."""
    android_package_name: str = ""
    sha256_cert_fingerprints: tuple[str, ...] = ()
    android_app_links_enabled: Literal[0, 1] = 0
    android_tablet_url: str = ""
    ios_app: Literal[0, 1, 2] = 0
    """0 none, 1 App Store (`ios_url`, an App Store page), 2 custom URL (`ios_url`)."""
    ios_url: str = ""
    ios_uri_scheme: str = ""
    ios_store_country: str = "US"
    ios_bundle_id: str = ""
    ios_team_id: str = ""
    universal_linking_enabled: Literal[0, 1] = 0
    fire_url: str = ""
    windows_phone_url: str = ""
    blackberry_url: str = ""
    web_url: str = ""
    default_desktop_url: str = ""
    text_message: str = ""
    og_app_id: str = ""
    og_title: str = ""
    og_image_url: str = ""
    og_description: str = ""
    deepview_desktop: str = ""
    """Name of the deepview template that is on for the platform, or empty: off."""
    deepview_ios: str = ""
    deepview_android: str = ""

    # bough's switches (docs/settings.md; defaults are its choices).
    alias_conflict_status: Literal[409, 400] = 409
    test_env_delete: Literal["deny", "allow"] = "deny"
    allow_type2: bool = True
    expiry_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    """0: links never expire. 380: Branch's rule for short links."""
    append_match_params: bool = True
    """Add `_branch_match_id` and `_branch_referrer` to web targets."""
    utm_mapping: bool = True
    """Map `~campaign`, `~channel`, `~feature` to `utm_*` on web targets."""
    utm_to_labels: bool = False
    """Read `utm_*` on long links as labels."""
    og_for_social: Literal["always", "branch"] = "always"
    """`branch`: a `$fallback_url` hides the OG page from social scrapers, as at Branch."""
    update_immutable: Literal["reject", "ignore"] = "reject"
    uri_redirect_mode: Literal[0, 1, 2] = 1
    ios_nativelink: bool = False
    redirect_allowlist: tuple[str, ...] = ()
    """Empty: any http(s) target. Entries: `example.com`, `*.example.com`, `myapp://`."""
    uri_schemes: tuple[str, ...] = ()
    """Further custom schemes (besides the app's own) that link targets may use."""
    mac_uri_scheme: str = ""
    """Scheme of the app's desktop edition, with or without `://`; as `windows_uri_scheme`."""
    windows_uri_scheme: str = ""
    attribution_windows: dict[str, int | float | str] = {}
    """Days, by name (`bough.attribution.rules.windows.NAMES`): how long touches count, and `reengagement_inactivity`.
    Changes apply to what happens after them."""
    rate_limits: dict[str, tuple[int, int, int]] = {}
    """Requests a second, a minute and an hour, by operation (`bough.web.limits.LIMITS`), in place of the documented."""
    export_limit: Annotated[int, Meta(ge=1, le=1_000_000)] = 100
    """Objects of a cohort export whose request names no limit (docs/exports.md)."""
    export_max_limit: Annotated[int, Meta(ge=1, le=1_000_000)] = 50_000
    """The most objects that a cohort export may ask for."""
    revenue_events: tuple[str, ...] = ()
    """Events whose revenue counts in cohorts; empty: the commerce events, SUBSCRIBE and START_TRIAL."""


class Domain(Struct, frozen=True, kw_only=True):
    """A host (with an optional four-character first path segment) that serves one app's links in one environment."""

    host: str
    """Lower case, with port if there is one."""
    prefix: str = ""
    """The four-character app prefix, or empty."""
    scheme: Literal["https", "http"] = "https"
    app: int
    test: bool = False
    kind: Literal["default", "alternate", "custom"] = "default"


class App(Struct, frozen=True, kw_only=True):
    """One app. Its live and test environments share the configuration and have their own keys and domains."""

    id: int
    organization: int
    name: str
    timezone: str = "UTC"
    """IANA name; days of reports are local days in it."""
    config: AppConfig = AppConfig()
    domains: tuple[Domain, ...] = ()
    created_at: int = 0
    """Epoch milliseconds."""

    def domain(self, test: bool, kind: str = "default") -> Domain | None:
        """The domain that new links of the environment get, or the first of another `kind`."""
        for domain in self.domains:
            if domain.test == test and domain.kind == kind:
                return domain
        return None

    def is_secure(self, host: str) -> bool:
        """Whether a link domain is served over https."""
        for domain in self.domains:
            if domain.host == host:
                return domain.scheme == "https"
        return True


class Agency(Struct, frozen=True, kw_only=True):
    """A company that works for an organization; its members see what they are given."""

    id: int
    organization: int
    name: str
    """`~agency` of its links, for an agency without tag."""
    tag: str = ""
    """`~agency_id` of its links."""
    created_at: int = 0
    """Epoch milliseconds."""


class User(Struct, frozen=True, kw_only=True):
    """Someone who has signed in or sent an access token, with what they may do and see by it."""

    id: int
    organization: int
    email: str
    permissions: frozenset[str]
    """Of PERMISSIONS; those of the token, where it has less than its user."""
    name: str = ""
    level: Level = "organization"
    apps: frozenset[int] | None = None
    """Ids of the apps that the user sees; None: all of the organization, also later ones."""
    agency: int | None = None
    filters: tuple[Filter, ...] = ()
    """Data filters, ANDed with every request. Their dimensions are named as in `bough.accounts.data_filters`, for both
    cohorts at once."""
    token: int | None = None
    """The token that was sent; None for a session."""

    def sees(self, app: App) -> bool:
        """Whether the app is one of the user's."""
        return app.organization == self.organization and (self.apps is None or app.id in self.apps)
