"""Union-find over numbered nodes that remembers when two of them came together."""

from array import array
from typing import Final

NONE: Final = -1
_ROOT: Final = 2**31 - 1


class Forest:
    """Disjoint sets of the nodes 0 … size-1, each perhaps with an owner; 24 bytes a node.

    Sets are joined by size and paths stay as they are, so that a path tells the order of joins: the number of the
    join that hung a node below its parent grows towards the root.
    """

    def __init__(self, size: int) -> None:
        self.parent = array("i", [NONE]) * size
        self.size = array("i", [1]) * size
        self.owner = array("i", [NONE]) * size
        self._joined = array("i", [_ROOT]) * size
        self._times = array("q")

    def root(self, node: int) -> int:
        """Return the node that stands for the set."""
        parent = self.parent
        while (above := parent[node]) != NONE:
            node = above
        return node

    def join(self, one: int, other: int, time: int) -> bool:
        """Make one set of two, unless both have an owner; return whether they are one now."""
        one, other = self.root(one), self.root(other)
        if one == other:
            return True
        if self.owner[one] != NONE and self.owner[other] != NONE:
            return False
        self._unite(one, other, time)
        return True

    def unite(self, one: int, other: int, time: int) -> None:
        """Make one set of two in any case; where both have an owner, the other's stays."""
        one, other = self.root(one), self.root(other)
        if one != other:
            if self.owner[other] != NONE:
                self.owner[one] = NONE
            self._unite(one, other, time)

    def _unite(self, one: int, other: int, time: int) -> None:
        """Hang the smaller of two roots below the larger."""
        if self.size[one] < self.size[other]:
            one, other = other, one
        self.parent[other] = one
        self.size[one] += self.size[other]
        if self.owner[one] == NONE:
            self.owner[one] = self.owner[other]
        self._joined[other] = len(self._times)
        self._times.append(time)

    def since(self, one: int, other: int) -> int:
        """Return the time of the join that brought two nodes of one set together."""
        joined, parent, last = self._joined, self.parent, NONE
        while one != other:
            if joined[one] > joined[other]:
                one, other = other, one
            last, one = joined[one], parent[one]
        return self._times[last]
