"""What a link was made with, as Branch names it: the value of `+via_features`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bough.vocabulary.values import text


def via_features(data: Mapping[str, Any]) -> list[str]:
    """What a link was made with, as Branch names it: ADS, EMAIL, QUICK_LINKS, JOURNEYS; sorted."""
    partner, feature = text(data.get("$3p"), 64), text(data.get("~feature"), 64).casefold()
    found = {
        "ADS": partner.startswith("a_") or bool(text(data.get("~advertising_partner_name"), 64)),
        "EMAIL": partner.startswith(("e-", "e_")) or feature == "email",
        "JOURNEYS": feature == "journeys",
        "QUICK_LINKS": data.get("~marketing") is True,
    }
    return sorted(name for name, holds in found.items() if holds)
