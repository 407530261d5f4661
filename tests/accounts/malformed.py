"""Values of an app's settings that cannot work, and the sentence that refuses each: one table for API and pages."""

from __future__ import annotations

from typing import Any, NamedTuple

SHA1 = ":".join(["AB"] * 20)
SHORT = ":".join(["AB"] * 31)
MD5 = "ab" * 16
GOOD = ":".join(["AB"] * 32)

WANTED = "it must be the SHA-256 of the signing certificate, such as 14:6D:E9:83:… (32 pairs of hexadecimal digits)."
PACKAGE = (
    "it must look like com.example.app: at least two parts, each a letter followed by letters, digits or underscores."
)
TEAM = "it must be ten capitals and digits such as A1B2C3D4E5."
BUNDLE = "it must look like com.example.app: letters, digits, hyphens and dots."


class Malformed(NamedTuple):
    """A setting, a value that cannot work, and what is said."""

    field: str
    value: Any
    why: str


def _each(field: str, why: str, *values: str) -> list[Malformed]:
    return [Malformed(field, value, why.format(repr(value))) for value in values]


MALFORMED: list[Malformed] = [
    Malformed("sha256_cert_fingerprints", [SHA1], f"{SHA1!r} is a SHA-1 fingerprint; {WANTED}"),
    Malformed("sha256_cert_fingerprints", [GOOD, SHA1.lower()], f"{SHA1.lower()!r} is a SHA-1 fingerprint; {WANTED}"),
    Malformed("sha256_cert_fingerprints", [MD5], f"{MD5!r} is an MD5 fingerprint; {WANTED}"),
    Malformed("sha256_cert_fingerprints", [SHORT], f"{SHORT!r} has 62 hexadecimal digits instead of 64; {WANTED}"),
    Malformed(
        "sha256_cert_fingerprints",
        [GOOD + ":AB"],
        f"{GOOD + ':AB'!r} has 66 hexadecimal digits instead of 64; {WANTED}",
    ),
    *(
        Malformed("sha256_cert_fingerprints", [text], f"{text!r} is no fingerprint; {WANTED}")
        for text in (f"SHA256: {GOOD}", GOOD.replace("A", "G"), "ga0RGNYHvNM5d0SLGQfpQWAPGJ8=", f"{GOOD},{GOOD}")
    ),
    *_each(
        "ios_team_id",
        f"{{}} is no team id of Apple's; {TEAM}",
        "TEAM",
        "a1b2c3d4e5",
        "A1B2C3D4E5F",
        "A1B2C3D4E ",
        "com.x.abcd",
    ),
    *_each(
        "ios_bundle_id",
        f"{{}} is no bundle id; {BUNDLE}",
        "com.example.*",
        "books",
        "com.example.my_app",
        "com..books",
        "com/x.y",
    ),
    Malformed(
        "ios_bundle_id",
        "A1B2C3D4E5.com.example.books",
        "'A1B2C3D4E5.com.example.books' begins with a team id; that stands in ios_team_id,"
        " and here com.example.app alone.",
    ),
    *_each(
        "android_package_name",
        f"{{}} is no package name; {PACKAGE}",
        "books",
        "com.example.my-app",
        "com.1example.app",
        "com.example.",
    ),
    *(
        Malformed(field, value, f"{value!r} cannot be an app's URI scheme.")
        for field in ("ios_uri_scheme", "android_uri_scheme", "mac_uri_scheme", "windows_uri_scheme")
        for value in (
            "javascript",
            "data://",
            "https",
            "http://",
            "view-source",
            "my_app",
            "1app",
            "my app://",
            "app:",
            "app://open",
            "x" * 65,
        )
    ),
    *_each("ios_store_country", "{} is no country; it must be two letters such as US.", "USA", "1", "U$"),
    *(
        Malformed(field, value, f"{value!r} leads to no host; it must look like https://example.com/page.")
        for field in ("ios_url", "android_url", "web_url", "default_desktop_url", "fire_url", "og_image_url")
        for value in (
            "https://",
            "https:///page",
            "https://a b.example/",
            "https://user@example.com/",
            "https://example.com:99999/",
            "https://-x.example",
        )
    ),
    Malformed("web_url", "example.com", "must be an http or https address."),
    Malformed("android_url", "market://details?id=x", "must be an http or https address."),
    *(
        Malformed("redirect_allowlist", [value], f"{value!r} must look like example.com, *.example.com or myapp://.")
        for value in ("https://example.com", "example.com/path", "*.", "a..b", "example.com:99999", "*.*.example.com")
    ),
]

MALFORMED_HOSTS = (
    *(
        "https://go.example.com",
        "go.example.com/",
        "go.example.com/path",
        "go..example.com",
        ".example.com",
        "go.example.com.",
    ),
    *("go example", "-go.example.com", "go.example.com:0", "go.example.com:99999", "go.example.com:", "*.example.com"),
    *("user@example.com", f"{'x' * 64}.example.com", "go.example.com?x=1"),
)
