"""Stretches are the same whenever they are asked for, and the room they need is foreseen."""

import pytest
from workdirs import events

from migrate.workdir import spans, stretches
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.days import DayWriter
from migrate.workdir.records import Numbers
from migrate.workdir.stretches import Stretch, needs


def stretch(*, stored, let_go=0, beside=0):
    """One of a day."""
    day = "2024-01-01"
    return Stretch(day, day, 1, 1, 1, stored=stored, let_go=let_go, beside=beside)


@pytest.mark.parametrize(
    ("its", "workers", "found"),
    [
        pytest.param([], 2, [0], id="nothing"),
        pytest.param([(10, 0), (10, 0), (10, 30)], 1, [30, 20, 10, 0], id="all spans end in the end"),
        pytest.param([(10, 10), (10, 10), (10, 10)], 1, [10, 10, 10, 0], id="spans go as they are parted"),
        pytest.param([(10, 10), (10, 10), (10, 10)], 2, [20, 20, 10, 0], id="two at the same time"),
        pytest.param([(10, 5), (10, 15), (10, 10)], 1, [15, 10, 10, 0], id="some go late"),
    ],
)
def test_the_room_that_is_needed_is_the_most_there_is_at_once(its, workers, found):
    """Of what is written, less what has gone by then."""
    assert needs([stretch(stored=stored, let_go=gone) for stored, gone in its], workers) == found


def test_temporary_files_need_room_as_long_as_their_stretch_is_written():
    """They go before the next."""
    its = [stretch(stored=10, let_go=10, beside=20), stretch(stored=10, let_go=10)]
    assert needs(its, 1) == [30, 10, 0]


def test_what_is_left_has_the_same_stretches(tmp_path, monkeypatch):
    """Of neighbouring days of about so many bytes, never a part of one; all events and bytes are in them."""
    monkeypatch.setattr(stretches, "_OVERLAP", 0)
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        checkpoint.register(["a"])
        writer = DayWriter(tmp_path, checkpoint.inputs()["a"].id, gathers=True)
        writer.write(events(4000, days=40))
        writer.finish()
        checkpoint.note_planned(
            checkpoint.inputs()["a"], Numbers(), [], also=lambda db: spans.note(db, writer.spans)
        )
        (span,) = writer.spans
        size = sum(its.bytes for its in span.days.values())
        monkeypatch.setattr(stretches, "_BYTES", size // 5)
        whole = stretches.stretches(checkpoint, [*spans.noted(checkpoint)])
        assert len(whole) == 5
        assert sum(one.days for one in whole) == len(span.days) == 40
        assert sum(one.events for one in whole) == 4000
        assert sum(one.bytes for one in whole) == size
        assert [one.let_go for one in whole] == [0, 0, 0, 0, span.seal.size]
        assert span.seal.size - 6 < sum(one.stored for one in whole) <= span.seal.size
        with checkpoint.change() as db:
            db.execute("UPDATE spans SET done = ?", (whole[1].last,))
        assert [one.first for one in stretches.stretches(checkpoint, [*spans.noted(checkpoint)])] == [
            one.first for one in whole[2:]
        ]
