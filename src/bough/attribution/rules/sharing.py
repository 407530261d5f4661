"""Identifiers that many devices or users share: they tell nobody apart, so they join nobody.

A kiosk, a "guest" login, a phone that a whole shop uses, an advertising id that a faulty build sends for everybody:
each would make one person of thousands, and every new device would change all of them. The rule:

* An identifier is *shared* when rows bear it together with more than `LIMIT` different ids of one kind (more than 1,000
  devices, browsers or users). Tokens that are renewed with every install count for users and only tenfold for devices,
  so that a test phone stays one; a token of a user on an install counts tenfold always.
* The id of a request is shared when more than `LIMIT` rows bear it: such a number is not made anew for each request.
* A row belongs to whom its other identifiers say. A row that bears shared ones only belongs to its first one, alone.

Whether an identifier is shared follows from the set of all rows, so neither the order of arrival nor where reading
begins changes it, and more rows never make an identifier one person's again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec.structs import replace

from bough.attribution.rules.persons import Claim
from bough.events.identifiers import SCOPED_TO_INSTALL, Identifier

LIMIT = 1000
"""Different ids of one kind beside an identifier that is still one person's."""
TENFOLD = 10

World = tuple[int, bool]
"""App and environment."""

Shared = dict[World, set[Identifier]]
"""Shared identifiers of every app and environment."""


def limit(kind: str, beside: str) -> int:
    """How many different ids of the kind `beside` an identifier of `kind` may be seen with."""
    renewed = beside == "bundle" or (kind != "identity" and beside in SCOPED_TO_INSTALL)
    return LIMIT * TENFOLD if renewed else LIMIT


def usable(claim: Claim, shared: set[Identifier] | None) -> Claim:
    """The claim without identifiers that are shared; with the first one alone when all are."""
    if not shared or shared.isdisjoint(claim.identifiers):
        return claim
    own = tuple(one for one in claim.identifiers if one not in shared)
    return replace(claim, identifiers=own or claim.identifiers[:1])


class Company:
    """What identifiers were seen together with, in one app and environment."""

    def __init__(self) -> None:
        self._beside: dict[Identifier, set[Identifier]] = {}
        self._kinds: dict[Identifier, Counter[str]] = {}
        """How many of each kind, for those with many."""
        self._requests: Counter[Identifier] = Counter()
        self._seen: set[tuple[Identifier, ...]] = set()

    def add(self, claim: Claim) -> list[Identifier]:
        """Take in one row, once; the identifiers that its company makes shared."""
        crossed = []
        lasting: list[Identifier] = []
        for one in claim.identifiers:
            if one[0] == "request":
                self._requests[one] += 1
                if self._requests[one] > LIMIT:
                    crossed.append(one)
            else:
                lasting.append(one)
        together = tuple(lasting)
        if len(together) > 1 and together not in self._seen:
            self._seen.add(together)
            crossed += [one for one in together if self._meets(one, together)]
        return crossed

    def _meets(self, one: Identifier, together: Iterable[Identifier]) -> bool:
        beside = self._beside.setdefault(one, set())
        new = [other for other in together if other != one and other not in beside]
        beside.update(new)
        if len(beside) <= LIMIT:
            return False
        kinds = self._kinds.get(one)
        if kinds is None:
            kinds = self._kinds[one] = Counter(kind for kind, _ in beside)
        else:
            kinds.update(kind for kind, _ in new)
        return any(kinds[kind] > limit(one[0], kind) for kind, _ in new)
