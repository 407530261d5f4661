"""What stands in the place of a person's identifiers after erasure: random values of the same shape.

The same value always gets the same pseudonym, so that what belonged together still does and every count stays; the
salt from which they are made is thrown away when the erasure is done, and with it the way back.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping

from msgspec import Struct

from bough.events.identifiers import Identifier, Kind

LONG = 8
"""Characters from which a value is looked for inside other texts; shorter ones stand in too many."""

_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\Z", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]+\Z", re.IGNORECASE)


class PseudonymPlan(Struct, frozen=True, kw_only=True):
    """Whom an erasure is about. Holds what is to be erased, so it is itself erased at the end."""

    salt: str
    identifiers: tuple[Identifier, ...]
    """The person's own; what they used of others (a lent device) is not among them."""
    foreign: tuple[Identifier, ...] = ()
    """Identifiers on the person's rows that are other persons'."""
    rows: tuple[int, ...] = ()
    """Journal rows that are the person's: events, openings and touches."""
    renumbered: dict[str, str] = {}
    """Journal rows whose very id is the person's browser id → their new ids."""


def pseudonym(salt: str, kind: str, value: str) -> str:
    """The stand-in of a value: digits for digits, a UUID for a UUID, hexadecimal digits for such."""
    digest = hmac.new(bytes.fromhex(salt), f"{kind} {value}".encode("utf-8", "replace"), hashlib.sha256).digest()
    if value.isascii() and value.isdigit():
        number = int.from_bytes(digest, "big")
        low = 10 ** (len(value) - 1)
        return str(low + number % (9 * low))
    if _UUID.match(value):
        return str(uuid.UUID(bytes=digest[:16], version=4))
    if len(value) >= LONG and _HEX.match(value):
        return (digest.hex() * (len(value) // 64 + 1))[: len(value)]
    return "erased-" + digest.hex()[:24]


class Pseudonyms:
    """The stand-ins of one plan."""

    def __init__(self, plan: PseudonymPlan) -> None:
        self.plan = plan
        self._own: dict[Identifier, str] = {
            (kind, value): plan.renumbered.get(value, "") or pseudonym(plan.salt, kind, value)
            for kind, value in plan.identifiers
        }
        self._foreign = frozenset(plan.foreign)
        texts: Mapping[str, str] = {value.casefold(): new for (_, value), new in self._own.items()}
        self._inside = {old: new for old, new in texts.items() if len(old) >= LONG}
        self._short = {old for old in texts if len(old) < LONG}
        long = "|".join(re.escape(value) for value in sorted(self._inside, key=lambda one: -len(one)))
        self._pattern = re.compile(long, re.IGNORECASE) if long else None

    def of(self, kind: Kind, value: str) -> str | None:
        """The stand-in of one of the person's own identifiers; None for others'."""
        return self._own.get((kind, value))

    def is_foreign(self, kind: Kind, value: str) -> bool:
        """Whether the identifier is known to be somebody else's."""
        return (kind, value) in self._foreign

    def on_own_row(self, kind: Kind, value: str) -> str:
        """What stands for an identifier on one of the person's rows: others' stay, all else is replaced."""
        if self.is_foreign(kind, value):
            return value
        return self._own.get((kind, value)) or pseudonym(self.plan.salt, kind, value)

    def items(self) -> list[tuple[Kind, str, str]]:
        """(kind, value, stand-in) of all."""
        return [(kind, value, new) for (kind, value), new in self._own.items()]

    def may_be_in(self, text: str) -> bool:
        """Whether a row's JSON may hold one of the values; quick, and never wrong when it says no."""
        if self._pattern is not None and self._pattern.search(text):
            return True
        folded = text.casefold() if self._short else ""
        return any(short in folded for short in self._short) or "\\" in text

    def replaced(self, text: str) -> str:
        """A text with every long value in it replaced, in any spelling of capitals."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._inside.get(found[0].casefold(), "erased"), text)
