"""The ids that links hold together, as numbers: read from the store in order, and answers written back."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from migrate.kit import schemas
from migrate.people.states import PERSON, PLACE_OF
from migrate.people.store import People

_BATCH: Final = 10_000
# ruff: noqa: S608 - the queries are put together from pieces that stand here
_RESOLVED: Final = "SELECT a, b, time FROM links WHERE kind = 'resolved'"
# Grouped and not distinct: SQLite sorts for the one, and fills an index in no order for the other.
_TOLD: Final = "SELECT b AS name FROM links WHERE kind IN ('linked', 'needed', 'identified') GROUP BY b"
_PROFILED: Final = "SELECT b AS name FROM links WHERE kind IN ('profiled', 'maybe') GROUP BY b"
_LIKELY: Final = "SELECT b AS name FROM links WHERE kind = 'likely' GROUP BY b"
# What a row itself calls anonymous is not known for the sake of a profile, where it may be a device's id; but PostHog
# knows it once another id was merged into it, as what is resolved only now is.
_KNOWN: Final = """
    SELECT b AS name FROM links one
    WHERE kind IN ('linked', 'needed', 'identified', 'profiled') OR (
        kind = 'maybe' AND (b IN (SELECT identified FROM merged) OR NOT EXISTS (
            SELECT 1 FROM links other WHERE other.a = one.b AND other.kind IN ('linked', 'needed')
        ))
    ) GROUP BY b UNION ALL SELECT b FROM late
"""
_PERSONS: Final = f"SELECT coalesce(person, name) AS name FROM ({_KNOWN}) LEFT JOIN persons ON key = name"
# A platform that tells which anonymous ids have events of their own gets links for those alone.
_NEEDED: Final = "link.kind = 'needed' AND link.a IN (SELECT id FROM stayed)"
_SEEN: Final = f"link.kind IN ('same', 'linked') OR ({_NEEDED})"
# Another export may merge such an id all the same; then it goes to the first that it was seen with in any of them.
_SEEN_ELSEWHERE: Final = f"""
    {_SEEN} OR (link.kind = 'needed' AND EXISTS (
        SELECT 1 FROM links other WHERE other.a = link.a AND other.kind = 'linked' AND other.owner <> link.owner
    ))
"""
_LINKED: Final = "SELECT a, b, min(time) AS time FROM links link WHERE {seen} GROUP BY a, b"
_RESOLVED_LINKED: Final = """
    SELECT coalesce(p.person, link.a) AS a, coalesce(q.person, link.b) AS b, min(time) AS time
    FROM links link LEFT JOIN persons p ON p.key = link.a LEFT JOIN persons q ON q.key = link.b
    WHERE {seen} GROUP BY 1, 2 HAVING a <> b
"""
_LATE: Final = "SELECT a, b, time FROM late"
_MERGED: Final = "SELECT anonymous AS a, identified AS b, NULL AS time FROM merged"
_GRAPH: Final = (
    "DROP TABLE IF EXISTS temp.edge",
    "DROP TABLE IF EXISTS temp.half",
    "DROP TABLE IF EXISTS temp.node",
    "CREATE TEMP TABLE edge AS {edges}",
    "CREATE TEMP TABLE node (id INTEGER PRIMARY KEY, name TEXT NOT NULL, known INTEGER NOT NULL)",
    """
    INSERT INTO node (name, known) SELECT name, max(known) FROM (
        SELECT a AS name, 0 AS known FROM edge UNION ALL SELECT b, 0 FROM edge UNION ALL SELECT name, 1 FROM ({known})
    ) GROUP BY name ORDER BY name
    """,
    "CREATE UNIQUE INDEX temp.node_name ON node (name)",
    """
    CREATE TEMP TABLE half AS
    SELECT node.id AS a, edge.b, time FROM edge CROSS JOIN node ON node.name = edge.a ORDER BY edge.b
    """,
    "DROP TABLE temp.edge",
)
"""Numbered once all are there: indexes made of sorted names are several times faster than ones that grow.

Edges come by their first id, and are put in the order of the other one before that is looked up: names that are looked
up in order are several times faster, too, where there are millions.
"""
_INHERITED: Final = f"""
    INSERT INTO told (owner, time, digest, newest, times)
    SELECT mark || b, told.time, '', newest, 0 FROM (SELECT '{PERSON}' AS mark UNION SELECT '{PLACE_OF}')
    CROSS JOIN (SELECT anonymous AS a, identified AS b FROM merged WHERE owner = ? AND input = ?)
    CROSS JOIN told ON told.owner = mark || a WHERE newest IS NOT NULL
    ON CONFLICT DO UPDATE SET time = max(time, excluded.time), newest = max(newest, excluded.newest) WHERE digest = ''
"""
"""What was told of an id before it was merged is known of the person of whom nothing was: PostHog joins the two so."""
_KEPT: Final = """
    INSERT INTO merged SELECT x.name, y.name, time, ?, ? FROM merge
    CROSS JOIN node x ON x.id = anonymous + 1 CROSS JOIN node y ON y.id = identified + 1
"""


class Graph:
    """Ids of a set of edges as numbers from 0, within one transaction."""

    def __init__(self, db: sqlite3.Connection, owner: str = "") -> None:
        self._db, self._owner = db, owner
        self.size = int(db.execute("SELECT count(*) FROM node").fetchone()[0])

    def edges(self) -> Iterator[tuple[int, int, int]]:
        """Yield the edges in the order of their time, then of their ids."""
        sql = """
            SELECT half.a - 1, node.id - 1, time FROM half
            CROSS JOIN node ON node.name = half.b ORDER BY time, half.a, node.id
        """
        return iter(self._db.execute(sql))

    def known(self) -> Iterator[int]:
        """Yield the nodes of people who are known."""
        return (node for (node,) in self._db.execute("SELECT id - 1 FROM node WHERE known"))

    def profiled(self) -> Iterator[int]:
        """Yield the nodes of ids that have a profile."""
        return self._among(_PROFILED)

    def likely(self) -> Iterator[int]:
        """Yield the nodes of ids that look like a user's, where they stand beside one that does not."""
        return self._among(_LIKELY)

    def _among(self, names: str) -> Iterator[int]:
        sql = f"SELECT id - 1 FROM node JOIN ({names}) USING (name)"
        return (node for (node,) in self._db.execute(sql))

    def ids(self) -> Iterator[int]:
        """Yield the nodes that are ids, and not keys of the source."""
        return (
            node
            for (node,) in self._db.execute(
                "SELECT id - 1 FROM node WHERE name NOT GLOB ?", (f"{schemas.KEY}*",)
            )
        )

    def names(self, nodes: Iterable[int]) -> list[str]:
        """Return the ids of a few nodes."""
        sql = "SELECT name FROM node WHERE id = ?"
        return [self._db.execute(sql, (node + 1,)).fetchone()[0] for node in nodes]

    def resolve(self, answers: Iterable[tuple[int, int]]) -> None:
        """Keep which node stands for which, as what `People.persons` answers."""
        self._db.execute("DELETE FROM persons")
        self._db.executemany(
            "INSERT INTO persons SELECT x.name, y.name FROM node x, node y WHERE x.id = ? + 1 AND y.id = ? + 1",
            answers,
        )

    def keep(self, merges: Iterable[tuple[int, int, int]], name: str) -> None:
        """Keep new merges (anonymous, identified, time) as made by the input of this name."""
        self._db.execute("DROP TABLE IF EXISTS temp.merge")
        self._db.execute("CREATE TEMP TABLE merge (anonymous INTEGER, identified INTEGER, time INTEGER)")
        self._db.executemany("INSERT INTO merge VALUES (?, ?, ?)", merges)
        self._db.execute(_KEPT, (self._owner, name))
        if self._db.execute("SELECT 1 FROM told LIMIT 1").fetchone():
            self._db.execute(_INHERITED, (self._owner, name))

    def merges(self, name: str) -> Iterator[list[tuple[str, str, int]]]:
        """Yield what is kept as made by the input of this name, by time, some at a time."""
        sql = "SELECT anonymous, identified, time FROM merged WHERE owner = ? AND input = ? ORDER BY time, anonymous"
        rows = self._db.execute(sql, (self._owner, name))
        while some := rows.fetchmany(_BATCH):
            yield some


def resolved_graph(people: People) -> AbstractContextManager[Graph]:
    """Give the ids that the source itself holds for one person; known are those that rows call a person's."""
    return _graph(people, _RESOLVED, _TOLD)


def linked_graph(people: People, *, is_resolved: bool) -> AbstractContextManager[Graph]:
    """Give the ids that links, and merges of earlier runs, hold together.

    `is_resolved`: whether the source has resolved any, whose answers then stand for them.
    """
    edges, known = (_RESOLVED_LINKED, _PERSONS) if is_resolved else (_LINKED, _KNOWN)
    edges = edges.format(seen=_SEEN_ELSEWHERE if people.is_shared else _SEEN)
    return _graph(people, f"{edges} UNION ALL {_LATE} UNION ALL {_MERGED}", known)


@contextmanager
def _graph(people: People, edges: str, known: str) -> Iterator[Graph]:
    """Give the ids of these edges (a query of a, b, time), numbered in their own order.

    `known` is a query of the names among them that are of people who are known.
    """
    with people.transaction() as db:
        for statement in _GRAPH:
            db.execute(statement.format(edges=edges, known=known))
        yield Graph(db, people.owner)
