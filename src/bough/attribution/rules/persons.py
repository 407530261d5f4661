"""Who is who: which identifiers belong to one person (docs/sdk.md, docs/exports.md).

The rule, in two steps:

1. *Devices.* Requests that share an identifier of a device, app install or browser come from one device, also backwards
   in time. Imported rows join through the developer identity just as firmly, as docs/exports.md says of imports.
2. *Users.* A developer identity owns the devices that it was the **first** to log in on. A person is an identity with
   all devices it owns, or a device that nobody ever logged in on.

So logging in on a phone and a tablet makes them one person; an install before the first login belongs to whoever logs
in first; and when A lends a device to B, what B does while logged in is B's, while A and B stay two persons. Logging
out goes back to the device's owner. "First" means by (at, id) of the journal, so the answer depends on the set of rows
and never on the order in which they arrived. Network addresses join nobody.

A person's id is the smallest journal id among the rows that are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from msgspec import Struct

from bough.events.identifiers import Identifier

Order = tuple[int, int]

NOBODY = 0
"""Person id of a row that names nobody, e.g. with tracking disabled."""


class Claim(Struct, frozen=True):
    """What one journal row says about who made it."""

    row: int
    at: int
    identifiers: tuple[Identifier, ...]
    imported: bool = False


class Joined(Struct, frozen=True):
    """What adding one claim changed."""

    person: int
    """The person the row belongs to now."""
    changed: tuple[int, ...] = ()
    """Ids that named other groups of rows before: persons merged into `person`, or one that lost a device to it. Their
    rows must be read again. Sorted; empty when the row only joined an existing person or made a new one."""


class _Cluster:
    """Identifiers that are one device, or one identity, for good."""

    __slots__ = ("anonymous", "first_owned", "identity", "members", "named", "owned", "owner", "owner_since")

    def __init__(self, one: Identifier) -> None:
        self.members = [one]
        self.anonymous: int | None = None
        """Smallest row id of rows without an identity of their own in this cluster."""
        self.named: int | None = None
        """Smallest row id of rows whose identity is in this cluster."""
        self.identity: Identifier | None = one if one[0] == "identity" else None
        """One of the identities in this cluster; None for devices."""
        self.owner: Identifier | None = None
        self.owner_since: Order = (0, 0)
        self.owned: set[Identifier] | None = None
        """For clusters with identities: the representative of every device cluster that they own."""
        self.first_owned: list[tuple[int, Identifier]] | None = None
        """A heap of (`anonymous`, device) of those; entries that have become wrong are dropped when they come up."""


class Persons:
    """All persons of one app and environment. Adding the same claims in any order ends in the same persons."""

    def __init__(self) -> None:
        self._parent: dict[Identifier, Identifier] = {}
        self._clusters: dict[Identifier, _Cluster] = {}

    def add(self, claim: Claim) -> Joined:
        """Take in one row's claim; a row without identifiers is unowned."""
        if not claim.identifiers:
            return Joined(NOBODY)
        identity, devices = split_identity(claim)
        known = [one for one in claim.identifiers if one in self._parent]
        before = {one: self.person_of(one) for one in known}
        centers = {one: self._center(one) for one in known}
        self._declare(claim.identifiers)
        joining = list(claim.identifiers) if claim.imported else devices
        root = self._join(joining) if joining else None
        if not claim.imported and identity is not None and root is not None:
            self._claim_ownership(root, identity, (claim.at, claim.row))
        self._count(claim.row, identity, root)
        return Joined(self.person(claim), self._changed(before, centers))

    def _changed(self, before: dict[Identifier, int], centers: dict[Identifier, Identifier]) -> tuple[int, ...]:
        """Which of the former person ids stand for other rows now (see `Joined.changed`)."""
        former = set(before.values())
        moved = {person for one, person in before.items() if self.person_of(one) != person}
        users = {one: center for one, center in centers.items() if center[0] == "identity"}
        if any(self._find(user) != self._find(self._center(one)) for one, user in users.items()):
            # An identity lost a device, and with it perhaps the row that its person was named after.
            moved = former
        elif moved:
            moved |= former & {self.person_of(one) for one in before}
        return tuple(sorted(moved - {NOBODY}))

    def knows(self, identifier: Identifier) -> bool:
        """Whether some claim bore it."""
        return identifier in self._parent

    def person(self, claim: Claim) -> int:
        """The person of a claim that was added."""
        if not claim.identifiers:
            return NOBODY
        identity, devices = split_identity(claim)
        return self.person_of(identity if identity is not None else devices[0])

    def person_of(self, identifier: Identifier) -> int:
        """The person that an identifier stands for: a device's owner; `NOBODY` when it was never seen."""
        if identifier not in self._parent:
            return NOBODY
        cluster = self._clusters[self._find(self._center(identifier))]
        rows = [row for row in (cluster.named, cluster.anonymous, self._first_owned(cluster)) if row is not None]
        return min(rows, default=NOBODY)

    def identifiers_of(self, identifier: Identifier) -> list[Identifier]:
        """Everything that stands for the same person as an identifier that some claim bore."""
        cluster = self._clusters[self._find(self._center(identifier))]
        found = list(cluster.members)
        for device in cluster.owned or ():
            found += self._clusters[device].members
        return found

    def _first_owned(self, cluster: _Cluster) -> int | None:
        """Smallest row without an identity on any device that the cluster owns."""
        heap = cluster.first_owned
        while heap:
            row, device = heap[0]
            if cluster.owned and device in cluster.owned and self._clusters[device].anonymous == row:
                return row
            heappop(heap)
        return None

    def _center(self, identifier: Identifier) -> Identifier:
        """What the identifier's person is built around: the owning identity where there is one, else the device."""
        root = self._find(identifier)
        cluster = self._clusters[root]
        if cluster.identity is not None:
            return cluster.identity
        return root if cluster.owner is None else cluster.owner

    def _declare(self, identifiers: Iterable[Identifier]) -> None:
        for one in identifiers:
            if one not in self._parent:
                self._parent[one] = one
                self._clusters[one] = _Cluster(one)

    def _count(self, row: int, identity: Identifier | None, root: Identifier | None) -> None:
        if identity is not None:
            cluster = self._clusters[self._find(identity)]
            cluster.named = row if cluster.named is None else min(cluster.named, row)
        elif root is not None:
            root = self._find(root)
            cluster = self._clusters[root]
            if cluster.anonymous is None or row < cluster.anonymous:
                cluster.anonymous = row
                self._settle(root)

    def _claim_ownership(self, root: Identifier, identity: Identifier, since: Order) -> None:
        """The first identity on a device owns it."""
        device = self._clusters[root]
        if device.owner is None or since < device.owner_since:
            self._release(root)
            device.owner, device.owner_since = identity, since
            self._settle(root)

    def _release(self, root: Identifier) -> None:
        device = self._clusters[root]
        if device.owner is not None and (owned := self._clusters[self._find(device.owner)].owned):
            owned.discard(root)

    def _settle(self, root: Identifier) -> None:
        """Enter a device cluster with its owner; clusters that hold identities themselves (imports) own themselves."""
        device = self._clusters[root]
        if device.owner is None or device.identity is not None:
            return
        owner = self._clusters[self._find(device.owner)]
        if owner.owned is None or owner.first_owned is None:
            owner.owned, owner.first_owned = set(), []
        owner.owned.add(root)
        if device.anonymous is not None:
            heappush(owner.first_owned, (device.anonymous, root))

    def _join(self, identifiers: list[Identifier]) -> Identifier:
        root = self._find(identifiers[0])
        for one in identifiers[1:]:
            root = self._unite(root, self._find(one))
        return root

    def _unite(self, one: Identifier, other: Identifier) -> Identifier:
        if one == other:
            return one
        # None owns the other as a device after this: inside one cluster that says nothing.
        self._release(one)
        self._release(other)
        if len(self._clusters[one].members) < len(self._clusters[other].members):
            one, other = other, one
        self._parent[other] = one
        kept, gone = self._clusters[one], self._clusters.pop(other)
        kept.members += gone.members
        kept.anonymous = _smaller(kept.anonymous, gone.anonymous)
        kept.named = _smaller(kept.named, gone.named)
        kept.identity = kept.identity or gone.identity
        if gone.owner is not None and (kept.owner is None or gone.owner_since < kept.owner_since):
            kept.owner, kept.owner_since = gone.owner, gone.owner_since
        _take_owned(kept, gone)
        self._settle(one)
        return one

    def _find(self, identifier: Identifier) -> Identifier:
        parent = self._parent
        root = identifier
        while parent[root] != root:
            root = parent[root]
        while parent[identifier] != root:
            parent[identifier], identifier = root, parent[identifier]
        return root


def split_identity(claim: Claim) -> tuple[Identifier | None, list[Identifier]]:
    """The claim's developer identity, if any, and its other identifiers."""
    identity: Identifier | None = None
    devices: list[Identifier] = []
    for one in claim.identifiers:
        if one[0] == "identity":
            identity = identity or one
        else:
            devices.append(one)
    return identity, devices


def _take_owned(kept: _Cluster, gone: _Cluster) -> None:
    """Move the fewer devices to the more."""
    more, fewer = (kept.owned, kept.first_owned or []), (gone.owned, gone.first_owned or [])
    if len(more[1]) < len(fewer[1]):
        more, fewer = fewer, more
    owned, heap = more
    if owned is None:
        return
    owned |= fewer[0] or set()
    for one in fewer[1]:
        heappush(heap, one)
    kept.owned, kept.first_owned = owned, heap


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
