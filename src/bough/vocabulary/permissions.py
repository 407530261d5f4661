"""What a user may be allowed, and how far a user reaches."""

from __future__ import annotations

from typing import Literal, get_args

Permission = Literal["aggregate_data", "sensitive_data", "export", "links", "settings", "team"]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
"""What a user may be allowed (docs/access.md)."""

Level = Literal["organization", "app"]
"""How far a user reaches: the whole organization with its people and tokens, or apps only
(docs/exports.md)."""
