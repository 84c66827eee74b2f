"""Who is who → the largest clusters of ids, each drawn as a hub with a dot for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from migrate.page import sparks
from migrate.page.letters import cut
from migrate.report.numbers import Cluster, Identity

_DOTS: Final = 3_000
"""So many dots are drawn in all; where there were more, one stands for several ids."""
_LETTERS: Final = 40
_SHOWN: Final = 10


class Drawn(NamedTuple):
    """A cluster: how many ids it has, the first of them, and its dots, up to `radius` from the hub."""

    size: int
    ids: Sequence[str]
    path: str
    radius: int
    is_conflict: bool


@dataclass(frozen=True)
class People:
    """Who is who; None where nobody was made one with anybody."""

    identity: Identity | None = None
    largest: Sequence[Drawn] = ()
    conflicting: Sequence[Drawn] = ()
    per_dot: int = 1
    """Ids that a dot stands for."""


def gather(identity: Identity | None) -> People:
    """Return the people of a workdir."""
    if identity is None:
        return People()
    largest, conflicting = identity["largest"][:_SHOWN], identity["conflicting"][:_SHOWN]
    per_dot = max(1, -(-sum(one["size"] for one in largest) // _DOTS))
    in_conflict = [(one["size"], one["ids"]) for one in conflicting]
    return People(
        identity,
        [_drawn(one, per_dot, is_conflict=(one["size"], one["ids"]) in in_conflict) for one in largest],
        [Drawn(one["size"], [*map(_short, one["ids"])], "", 0, is_conflict=True) for one in conflicting],
        per_dot,
    )


def _drawn(one: Cluster, per_dot: int, *, is_conflict: bool) -> Drawn:
    path, radius = sparks.dots(-(-one["size"] // per_dot))
    return Drawn(one["size"], [*map(_short, one["ids"])], path, radius, is_conflict)


def _short(name: str) -> str:
    return cut(name, _LETTERS)
