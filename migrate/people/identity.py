"""Who is who, over the whole input: links gathered on disk → people, and the merges that make each of them one.

Ids are joined in the order in which the links between them were first seen, as PostHog itself would: an anonymous id
goes to the first person it is seen with, and two people who are known are never made one. What the source has
resolved itself (`links.resolved`) comes first and costs no merge: events are planned under its answer. The order of
files does not matter. Ids stand in SQLite and are joined as numbers: about 30 bytes of memory an id.
"""

import heapq
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from migrate.errors import Refused
from migrate.people import late
from migrate.people.forest import NONE, Forest
from migrate.people.graph import Graph, linked_graph, resolved_graph
from migrate.people.store import People

MAX_CLUSTER: Final = 1_000
_BEFORE: Final = -(2**62)
_SHOWN: Final = 10

_SIZES: Final = (2, 3, 4, 5, 11, 101, 1_001, 10_001, 100_001)


@dataclass
class Report:
    """What is known of people, as the plan's report shows it."""

    people: int = 0
    """People who are known by an id of their own."""
    links: int = 0
    """Pairs of ids seen together."""
    merges: int = 0
    """`$identify` events planned, over all runs."""
    resolved: int = 0
    """Ids and keys that the source itself has resolved: no merge is spent on them."""
    clusters: dict[str, int] = field(default_factory=dict)
    """Ids in a cluster ("2", "3", "5-10" …) -> clusters of that size."""
    largest: list[dict[str, Any]] = field(default_factory=list)
    """The ten largest clusters: how many ids, and the first of them."""
    conflicts: int = 0
    """Clusters with several people who are known; they stay apart."""
    conflicting: list[dict[str, Any]] = field(default_factory=list)
    anonymous: int = 0
    """Clusters in which nobody is known; they stay apart."""
    refused: dict[str, int] = field(default_factory=dict)
    """Links that PostHog would not make, by reason."""


def resolve(people: People, *, end: int | None) -> None:
    """Work out what the source itself has resolved, for `People.persons`.

    Of the ids and keys the source holds for one person, the id that is known stands for all; where none is known,
    the one that has a profile, then the one that looks like a user's beside a device's, then the one that everything
    else leads to. Where several are, none stands for the others.

    `end`: the last timestamp of what was planned before, in microseconds, None where nothing was. Events planned
    before under an id that is resolved only now need a merge after all, at the time of the resolution or at `end`.
    """
    late.remember(people)
    if people.has_resolved():
        _resolve(people)
    late.catch_up(people, end)


def _resolve(people: People) -> None:
    """Keep which id stands for which."""
    with resolved_graph(people) as graph:
        forest = Forest(graph.size)
        leads = bytearray(graph.size)
        for one, other, _ in graph.edges():
            forest.join(one, other, 0)
            leads[one] = 1
        known = _only(forest, graph.known())
        profiled = _only(forest, graph.profiled())
        ends = _only(forest, (node for node in graph.ids() if not leads[node]))
        likely = _only(forest, graph.likely())
        graph.resolve(_heads(forest, [known, profiled, likely, ends]))


def _only(forest: Forest, nodes: Iterator[int]) -> "array[int]":
    """Map each root to the one of these nodes in its set: `NONE` if there is none, `NONE - 1` if there are several."""
    found = array("i", [NONE]) * len(forest.parent)
    for node in nodes:
        root = forest.root(node)
        found[root] = node if found[root] in {NONE, node} else NONE - 1
    return found


def _heads(forest: Forest, ranks: Sequence["array[int]"]) -> Iterator[tuple[int, int]]:
    """Yield every node with the one that stands for it, if another does: of the first rank that has any."""
    for node in range(len(forest.parent)):
        root = forest.root(node)
        head = next((rank[root] for rank in ranks if rank[root] != NONE), NONE)
        if head >= 0 and head != node:
            yield node, head


class JoinedLinks:
    """The links of a workdir, joined: what was merged in earlier runs first, the rest in the order of time."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._forest = forest = Forest(graph.size)
        self._merged = bytearray(graph.size)
        self._apart = array("i")
        self.links = 0
        for node in graph.known():
            forest.owner[node] = node
        for one, other, time in graph.edges():
            if time is None:
                self._merged[one] = 1
                forest.unite(one, other, _BEFORE)
                continue
            self.links += 1
            if not forest.join(one, other, time):
                self._apart.extend((one, other))

    def merges(self) -> Iterator[tuple[int, int, int]]:
        """Yield each id that no merge has made a person's yet: whose it is, and since when that is known."""
        forest = self._forest
        for node in range(self._graph.size):
            owner = forest.owner[forest.root(node)]
            if owner not in {NONE, node} and not self._merged[node]:
                yield node, owner, forest.since(node, owner)

    def describe(self, report: Report) -> None:
        """Fill in the clusters: all ids that links hold together, whether or not they became one person."""
        forest = self._forest
        people = array("i", (owner != NONE for owner in forest.owner))
        for place in range(0, len(self._apart), 2):
            one, other = (forest.root(node) for node in self._apart[place : place + 2])
            if one != other:
                forest.unite(one, other, 0)
                people[forest.root(one)] = people[one] + people[other]
        nodes = range(self._graph.size)
        roots = array("i", (n for n in nodes if forest.parent[n] == NONE and forest.size[n] > 1))
        conflicts = [root for root in roots if people[root] > 1]
        report.links = self.links
        report.clusters = _histogram(forest.size[root] for root in roots)
        report.conflicts = len(conflicts)
        report.anonymous = sum(1 for root in roots if not people[root])
        report.largest = self._shown(roots)
        report.conflicting = self._shown(conflicts)

    def _shown(self, roots: Iterable[int]) -> list[dict[str, Any]]:
        """Return the largest of these clusters, each with its size and the first of its ids."""
        top = heapq.nsmallest(_SHOWN, roots, key=lambda root: (-self._forest.size[root], root))
        members: dict[int, list[int]] = {root: [] for root in top}
        for node in range(self._graph.size) if top else ():
            held = members.get(self._forest.root(node))
            if held is not None and len(held) < _SHOWN:
                held.append(node)
        return [{"size": self._forest.size[root], "ids": self._graph.names(members[root])} for root in top]


def new_merges(people: People, name: str, limit: int) -> Iterator[list[tuple[str, str, int]] | Report]:
    """Yield the merges that are new, by time, some at a time (anonymous, identified, microseconds); then the report.

    They are kept as made by the input `name`. Raises Refused, and keeps nothing, where a cluster has more ids than
    the limit: rarely one human, mostly an id that many share.
    """
    report = Report(refused=people.refusals())
    report.resolved = people.count_resolved()
    with linked_graph(people, is_resolved=report.resolved > 0) as graph:
        report.people = sum(1 for _ in graph.known())
        found = JoinedLinks(graph)
        graph.keep(found.merges(), name)
        found.describe(report)
        _check(report, limit)
        yield from graph.merges(name)
    report.merges = people.count_merges()
    yield report


def _check(report: Report, limit: int) -> None:
    """Raise Refused for a cluster that is too large."""
    if not report.largest or report.largest[0]["size"] <= limit:
        return
    size, ids = report.largest[0]["size"], report.largest[0]["ids"]
    raise Refused(
        f"identity: {size:,} ids would be one cluster, the limit is {limit:,}; a merge cannot be undone. It holds "
        f"{', '.join(ids)} …; see whether one of its ids is shared by many (a test user, a kiosk, a bug), then plan "
        f"with --max-cluster {size} if they are one person, or with --identity none"
    )


def _histogram(sizes: Iterable[int]) -> dict[str, int]:
    """Return how many clusters there are of each size, larger sizes put together."""
    counts = Counter(bisect_right(_SIZES, size) - 1 for size in sizes if size > 1)
    return {_range(place): counts[place] for place in sorted(counts)}


def _range(place: int) -> str:
    """Return the name of a range of sizes."""
    low = _SIZES[place]
    if place + 1 == len(_SIZES):
        return f"{low}+"
    high = _SIZES[place + 1] - 1
    return str(low) if low == high else f"{low}-{high}"
