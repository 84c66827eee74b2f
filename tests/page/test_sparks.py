"""Small pictures are numbers: each has its place and its height."""

import re

from hypothesis import given
from hypothesis import strategies as st

from migrate.page.sparks import HEIGHT, SHARES, bars, dots, spark, strip


@given(st.lists(st.integers(0, 10**12), max_size=130))
def test_a_spark_is_as_wide_as_its_counts(counts):
    """The highest count is the full height, none is none, and what is little is something."""
    path = spark(counts)
    if not any(counts):
        assert path == ""
        return
    assert sum(map(int, re.findall(r"h(\d+)", path))) == len(counts)
    heights, level = [], HEIGHT
    for letter, number in re.findall(r"([hV])(\d+)", path):
        if letter == "V":
            level = int(number)
        else:
            heights += [HEIGHT - level] * int(number)
    assert heights == [-(-count * HEIGHT // max(counts)) for count in counts]


def test_bars_stand_on_the_ground():
    """Nothing is no bar."""
    assert bars([0, 5, 10], 10, offset=0.5, step=5, height=60) == "M5.5 60v-30M10.5 60v-60"
    assert bars([0], 0, offset=0, step=1) == ""


@given(st.lists(st.none() | st.floats(0, 1), max_size=130))
def test_a_strip_has_each_share_once(shares):
    """In the level of its fifth; what is not known is left out."""
    told = {}
    for level, path in strip(shares):
        for start, length in re.findall(r"M(\d+) 0h(\d+)", path):
            told |= dict.fromkeys(range(int(start), int(start) + int(length)), level)
    known = {place: share for place, share in enumerate(shares) if share is not None}
    assert told.keys() == known.keys()
    assert all(level - 1 < known[place] * SHARES <= level for place, level in told.items())


def test_a_dot_for_each_id():
    """None upon another, the outermost within the radius."""
    path, radius = dots(900)
    x, y, found = 0, 0, set()
    for dx, dy in re.findall(r"m(-?\d+) ?(-?\d+)h0", path):
        x, y = x + int(dx), y + int(dy)
        found.add((x, y))
    assert len(found) == 900
    assert max(x * x + y * y for x, y in found) < radius * radius
    assert dots(0)[0] == ""
