"""Numbers → the geometry of small pictures, as paths of whole numbers: markup is the templates' business."""

from collections.abc import Sequence
from math import cos, pi, sin, sqrt
from typing import Final

HEIGHT: Final = 12
"""Of a spark, in its own units."""
BARS: Final = 60
"""Height of bars, in theirs."""
SHARES: Final = 5
"""Levels of a share."""
_GOLDEN: Final = pi * (3 - sqrt(5))
"""The angle between seeds of a sunflower."""
_APART: Final = 3
"""How far dots are from each other."""


def spark(counts: Sequence[int], height: int = HEIGHT) -> str:
    """Return the outline of counts side by side, a unit wide each; empty where all are nothing."""
    most = max(counts, default=0)
    if not most:
        return ""
    steps, level, run = [f"M0 {height}"], 0, 0
    for count in counts:
        now = -(-count * height // most)
        if now != level:
            steps.append(f"{f'h{run}' if run else ''}V{height - now}")
            level, run = now, 0
        run += 1
    return f"{''.join(steps)}h{run}V{height}z"


def bars(counts: Sequence[int], most: int, *, offset: float, step: int, height: int = BARS) -> str:
    """Return counts as upright strokes, `step` units apart from the first at `offset` on; `most` is the full height."""
    found = (
        f"M{place * step + offset:g} {height}v-{max(1, round(count * height / most))}"
        for place, count in enumerate(counts)
        if count
    )
    return "".join(found) if most else ""


def strip(shares: Sequence[float | None]) -> list[tuple[int, str]]:
    """Return shares side by side, a unit wide each, as a path for each level from 0 (none at all) to `SHARES`."""
    found: dict[int, list[str]] = {}
    begun, level = 0, None
    levels = [None if share is None else -int(-share * SHARES // 1) for share in shares]
    for place, now in enumerate([*levels, None]):
        if now == level and place < len(levels):
            continue
        if level is not None and place > begun:
            found.setdefault(level, []).append(f"M{begun} 0h{place - begun}")
        begun, level = place, now
    return [(level, "".join(paths)) for level, paths in sorted(found.items())]


def dots(count: int) -> tuple[str, int]:
    """Return so many dots around a hub, as the seeds of a sunflower lie, and how far the outermost is from it."""
    found, x, y = [], 0, 0
    for place in range(1, count + 1):
        far, angle = _APART * sqrt(place + 1), place * _GOLDEN
        now = round(far * cos(angle)), round(far * sin(angle))
        found.append(f"m{now[0] - x} {now[1] - y}h0")
        x, y = now
    return "M0 0" + "".join(found) if found else "", round(_APART * sqrt(count + 1)) + _APART
