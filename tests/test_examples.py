"""First rows are the same, whoever plans which file, and in whatever order it is told of."""

import json
from itertools import permutations

import pytest
from crews import Planned

from migrate.examples import Example, Examples
from migrate.plan.executors import Inline
from migrate.plan.handing import packed, unpacked
from migrate.plan.processes import Processes
from migrate.preview import Preview
from migrate.settings import Settings


def example(rank, kind="events"):
    """Rows of one file."""
    return Example((kind, True), rank, [Preview(str(rank), [])])


def test_the_first_file_with_a_payload_is_shown_in_whatever_order_files_are_told_of():
    """Of one that is told of twice, as whoever planned it died, nothing is lost."""
    told = [example((True, 0)), example((False, 2)), example((False, 1)), example((False, 1))]
    for order in permutations(told):
        examples = unpacked(packed(Examples(Settings(platform="posthog"), ["a", "b", "c"], 3)))
        taken = [one for one in order if examples.take(one)]
        assert taken[-1] == told[2]
        assert not examples.take(told[0])


def test_rows_that_were_shown_before_stay_where_none_of_their_kind_come_before_them():
    """As a killed command has left them, whose first file is planned by another one."""
    before = [Preview("b", ["{}"], file="b", table="events"), Preview("c", [], file="c", table="users")]
    examples = Examples(Settings(platform="posthog"), ["a", "b", "c"], 3, before)
    assert examples.shown([]) == before
    for rank, is_first in (((True, 0), False), ((False, 2), False), ((False, 0), True)):
        assert examples.take(example(rank)) is is_first
    assert [row.source for row in examples.shown([])] == ["(False, 0)", "c"]


@pytest.mark.parametrize("executor", ["threads", "slices", "processes"])
def test_rows_of_a_file_that_turns_out_to_be_none_to_plan_are_not_shown(tmp_path, executor):
    """Its first rows are fine, and are made events before the rest is read: those of a file behind it are shown."""
    folder = tmp_path / "in"
    folder.mkdir()
    spec = tmp_path / "spec.toml"
    spec.write_text('event = "what"\ndistinct_id = "who"\ntimestamp = "at"\n')
    row = {"what": "Käse", "who": "u", "at": "2024-04-03T10:00:00Z", "more": "x" * 10_000}
    for name, rows in {"a": [row | {"at": "soon"}], "b": [row] * 1_300, "c": [row], "d": [row]}.items():
        text = "".join(json.dumps(one | {"n": n}, ensure_ascii=False) + "\n" for n, one in enumerate(rows))
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    text = (folder / "b.jsonl").read_bytes()
    (folder / "b.jsonl").write_bytes(text[:12_000_000] + text[12_000_000:].replace(b"\xc3\xa4", b"\xe4"))
    how = {
        "threads": Inline(2),
        "slices": Inline(2, slice_bytes=4_000_000),
        "processes": Processes(2, slice_bytes=4_000_000),
    }
    work = Settings(platform="table", spec=spec).work([str(folder)], anew=())
    found = Planned(tmp_path / "w", work, how[executor])
    assert [*found.aside] == ["b.jsonl"]
    assert [row["place"].rpartition("/")[2] for row in found.samples] == ["c.jsonl:1"]
