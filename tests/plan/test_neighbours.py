"""Rows near each other that are one event are counted as one, wherever a chunk or a slice would end."""

import random
from itertools import pairwise

import polars as pl
import pytest
from crews import Planned
from samples import settings
from sliced import ALIKE, compare

from migrate.kit.declare import AGAIN
from migrate.plan import neighbours
from migrate.plan.executors import Inline
from migrate.readers import records
from migrate.readers.records import Chunk


def again(keys, *borders):
    """Which of these come again, the chunks ending at these borders."""
    rows = pl.DataFrame({"k": keys}, schema={"k": pl.String})
    cuts = [0, *borders, len(keys)]
    chunks = [Chunk(rows[a:b], []) for a, b in pairwise(cuts)]
    return pl.concat(one.rows for one in neighbours.marked(chunks, pl.col("k")))[AGAIN].to_list()


def test_what_comes_again_hangs_on_no_chunk(monkeypatch):
    """Near is near, in one chunk too; what has no key comes never again."""
    monkeypatch.setattr(neighbours, "NEAR", 3)
    keys = ["a", "b", None, "a", None, "b", "b", "c", "d", "e", "c", "e", "e"]
    expected = [*[False] * 3, True, False, False, True, *[False] * 3, True, True, True]
    assert again(keys) == expected
    for seed in range(50):
        borders = sorted(random.Random(seed).choices(range(len(keys) + 1), k=seed % 7))
        assert again(keys, *borders) == expected


@pytest.mark.parametrize("order", ["whole", "woven"])
def test_a_row_a_parameter_is_the_same_plan_however_it_is_read(tmp_path, monkeypatch, order):
    """Events and what is counted, in one chunk, in small ones, and where it would be cut into slices."""
    head = "event_date,event_name,event_timestamp,user_pseudo_id,key,string_value\n"
    line = "20240407,page_view,{time},{user}.0,k{key},v{key}\n"
    rows = [
        line.format(time=1_712_484_000_000_000 + n * 1_000_000, user=n % 9 + 1, key=key)
        for n in range(200)
        for key in range(7)
    ]
    if order == "woven":
        rows.sort(key=lambda row: (row.split(",")[2][:-7], row.rsplit("k", 1)[1]))
    path = tmp_path / "rows.csv"
    path.write_text(head + "".join(rows))
    work = settings("ga4").work([str(path)])
    one = Planned(tmp_path / "one", work, Inline())
    assert one.numbers.filtered == {"row_of_same_event": 1_200}
    compare(one, Planned(tmp_path / "slices", work, Inline(2, slice_bytes=20_000)))
    monkeypatch.setattr(records.regrouped, "__kwdefaults__", {"rows": 200, "size": 20_000})
    small = Planned(tmp_path / "small", work, Inline())
    assert [getattr(one, name) for name in ALIKE] == [getattr(small, name) for name in ALIKE]
