"""The one family of errors that callers see.

Every error carries an HTTP status and one sentence that names the field at fault; the edge (`bough.web.errors`) turns
it into Branch's shape ``{"error": {"code": 400, "message": "…"}}`` (docs/errors.md). Code below the edge raises
these and knows nothing of HTTP beyond the number.
"""

from __future__ import annotations

from typing import ClassVar

SERVER_FAULT = "The server could not complete your request as specified. Please try again at a later time."
"""What a caller reads when the fault is ours (docs/errors.md)."""


class BoughError(Exception):
    """A problem with one sentence for the person who has to act on it."""

    status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequest(BoughError):
    """The request cannot be understood or breaks a documented limit; the message names the field."""

    status = 400


class InvalidCredentials(BadRequest):
    """Unknown or malformed branch key, or a wrong secret (docs/links.md)."""

    def __init__(self) -> None:
        super().__init__("Invalid or missing app id, Branch key, or secret")


class AuthenticationFailed(BadRequest):
    """Missing or unknown access token; 400 and not 401, as documented (docs/links.md, docs/access.md)."""

    def __init__(self) -> None:
        super().__init__("Authentication failed !")


class Forbidden(BoughError):
    """Known caller, not allowed."""

    status = 403


class NotFound(BoughError):
    """Unknown resource, or another tenant's: the two are never told apart."""

    status = 404

    def __init__(self, message: str = "The resource you were looking for could not be found.") -> None:
        super().__init__(message)


class MethodNotAllowed(BoughError):
    """The path exists, the method does not; `allow` becomes the Allow header."""

    status = 405

    def __init__(self, allow: str) -> None:
        super().__init__(f"This address answers {allow} only.")
        self.allow = allow


class AliasConflict(BoughError):
    """The alias is taken by a link with other parameters; 409 by default, 400 by setting (docs/links.md)."""

    status = 409

    def __init__(self, host: str, alias: str, status: int = 409) -> None:
        super().__init__(f"Link alias conflict: {host}/{alias}")
        self.conflict_status = status


class TooLarge(BoughError):
    """The body, or a part of it, passes a limit."""

    status = 413


class UnsupportedMediaType(BoughError):
    """The body is neither JSON nor a form."""

    status = 415


class RateLimited(BoughError):
    """A documented rate limit is reached; `retry_after` (whole seconds) becomes the Retry-After header."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__("Rate limit reached.")
        self.retry_after = retry_after


class Unavailable(BoughError):
    """Our own fault, and it may pass (disk full, store unreachable)."""

    status = 503


class ConfigurationError(BoughError):
    """A setting or data folder cannot work; the message says what to change. Ends the process at start-up."""
