"""Each event has one end, told by the verdict under its canonical uuid."""

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.apply.outcome import Verdict
from migrate.apply.verdicts import Sorted, sort

UUIDS = [str(UUID(int=0xABC << 80 | n, version=4)) for n in range(6)]
SAID = st.sampled_from(["ok", "warning", "limited", "drop", "retry", "sampled"]).map(Verdict)


@COMPARED
@given(st.lists(st.none() | SAID, max_size=6))
def test_no_event_is_left_out_or_counted_twice(said):
    """Whatever is said of it, or not."""
    uuids = UUIDS[: len(said)]
    found = sort({uuid: one for uuid, one in zip(uuids, said, strict=True) if one}, uuids)
    ends = [*found.dropped, *found.again, *found.silent, *found.unknown]
    assert len(ends) == len({*ends}) == len(said) - found.accepted
    assert found.unsettled == sorted([*found.again, *found.silent])


def test_events_are_sorted_by_what_is_said():
    """Accepted with what is said beside it, dropped with the reason, again, without a word, and in an unknown one."""
    words = [
        Verdict("ok"),
        Verdict("ok", "person_processing_disabled"),
        Verdict("warning"),
        Verdict("drop", {"why": "\x1b[2J"}),
        Verdict("retry", "not_persisted"),
        Verdict("sampled"),
    ]
    assert sort(dict(zip(UUIDS, words, strict=True)), [*UUIDS, "other"]) == Sorted(
        accepted=3,
        warnings=Counter({"person_processing_disabled": 1, "warning": 1}),
        dropped={3: "drop: {'why': '\\x1b[2J'}"},
        again=[4],
        silent=[6],
        unknown={5: "sampled"},
    )
    assert sort({UUIDS[0]: Verdict("drop")}, UUIDS[:1]).dropped == {0: "drop: drop"}


def test_another_spelling_is_the_same_event():
    """A server's, or one of a proxy's making; what is no uuid is none of ours."""
    said = {
        UUIDS[0].upper(): Verdict("ok"),
        UUIDS[1].replace("-", ""): Verdict("drop", "x"),
        "?": Verdict("ok"),
    }
    found = sort(said, UUIDS[:3])
    assert (found.accepted, found.dropped, found.silent) == (1, {1: "drop: x"}, [2])
    said = {UUIDS[0]: Verdict("drop", "own"), UUIDS[0].replace("-", ""): Verdict("ok")}
    assert sort(said, UUIDS[:2]) == Sorted(dropped={0: "drop: own"}, silent=[1])
