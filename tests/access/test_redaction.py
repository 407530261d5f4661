"""No token or secret in a log line."""

from __future__ import annotations

import logging

import pytest

from bough.accounts.keys import new_access_token, new_branch_secret
from bough.logs import RedactingFormatter, redact

TOKEN = new_access_token()
SECRET = new_branch_secret(True)


@pytest.mark.parametrize(
    "line",
    [
        "GET /v2/analytics?app_id=1&api_key={} HTTP/1.1",
        "GET /v2/analytics?API_KEY={}",
        "https://x/v1/url?access_token={}&url=a",
        "headers: {{'access-token': '{}', 'host': 'x'}}",
        "[(b'access-token', b'{}')]",
        "Access-Token: {}",
        "Authorization: Bearer {}",
        '{{"branch_secret": "{}"}}',
        "somewhere {} in the middle",
    ],
)
@pytest.mark.parametrize("secret", [TOKEN, SECRET], ids=["token", "secret"])
def test_it_is_taken_out_wherever_it_stands(line: str, secret: str) -> None:
    written = redact(line.format(secret))
    assert secret not in written
    assert secret[-20:] not in written
    assert "[redacted]" in written


def test_a_token_of_no_known_shape_is_taken_out_by_its_name() -> None:
    assert redact("?api_key=plain&limit=5") == "?api_key=[redacted]&limit=5"


def test_what_is_no_secret_stays() -> None:
    line = "The request for key_live_abc failed: app_id=5, url=https://example.com/?a=b"
    assert redact(line) == line


def test_tracebacks_are_looked_through() -> None:
    try:
        raise ValueError(f"?api_key={TOKEN}")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", None, (ValueError, error, None))
    assert TOKEN not in RedactingFormatter().format(record)
