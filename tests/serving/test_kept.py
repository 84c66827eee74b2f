"""What was read is read again where the file or the way of reading it is another, and else not."""

import pytest
from served import SPEC, asked, table

from migrate.readers.files import read_chunks
from migrate.serving.trial import Trial

FILTERED = SPEC.replace("[[links]]", "[events]\nviewed = false\n\n[[links]]")
NUMBERS = SPEC.replace("[[links]]", 'numbers = ["price"]\n\n[[links]]')


@pytest.fixture
def reads(monkeypatch):
    """The chunks of each reading of a file."""
    found = []

    def read(*given, **how):
        found.append(chunks := [*read_chunks(*given, **how)])
        yield from chunks

    monkeypatch.setattr("migrate.serving.kept.read_chunks", read)
    return found


def test_mapping_alone_runs_while_the_same_is_read(tmp_path, reads):
    """What becomes of rows is no part of how they are read; columns of another kind are, and so is another file."""
    trial = Trial(table(tmp_path))
    for text, times in ((SPEC, 1), (FILTERED, 1), (NUMBERS, 2), (SPEC, 2), (FILTERED, 2)):
        assert "error" not in trial.under(text)
        assert len(reads) == times
    rows = tmp_path / "rows.csv"
    rows.write_text(rows.read_text().replace("viewed", "seen"))
    trial.under(SPEC)
    assert (len(reads), trial.rows[0].events) == (3, ["seen"])
    assert '"action":"seen"' in trial.rows[0].preview.source


def test_little_more_is_taken_up_than_is_shown(tmp_path, reads):
    """Of a file that goes on, a block and no 2 MB."""
    line = "e,u,2024-04-03T12:00:00Z," + "x" * 1_000 + "\n"
    (tmp_path / "a.csv").write_text("event,distinct_id,timestamp,a\n" + line * 20_000)
    trial = Trial(asked("posthog", tmp_path / "a.csv", limit=300))
    assert trial.under(None)["counts"]["all"] == 300
    assert trial.rows[-1].place == f"{tmp_path}/a.csv:300"
    (chunks,) = reads
    assert chunks[0].rows.height < 1_000


def test_rows_as_they_are_in_the_file_are_read_once(tmp_path, monkeypatch):
    """Of however many chunks, as long as the file is the same."""
    asked_for = []

    def originals(_, __, numbers):
        asked_for.append([*numbers])
        return {number: {} for number in numbers}

    monkeypatch.setattr("migrate.preview.Reading.originals", originals)
    monkeypatch.setattr("migrate.serving.kept._BLOCK_BYTES", 1 << 10)
    rows = tmp_path / "a.csv"
    rows.write_text("event,distinct_id,timestamp,a\n" + f"e,u,2024-04-03T12:00:00Z,{'x' * 1_000}\n" * 20)
    trial = Trial(asked("posthog", rows))
    for _ in range(2):
        assert trial.under(None)["counts"]["all"] == 20
    assert asked_for == [[*range(1, 21)]]
    rows.write_text(rows.read_text() + "e,u,2024-04-03T12:00:00Z,y\n")
    for _ in range(2):
        trial.under(None)
    assert asked_for == [[*range(1, 21)], [*range(1, 22)]]


def test_of_long_rows_fewer_are_looked_at(tmp_path):
    """Of all files together, and that is said."""
    for name in ("a.csv", "b.csv"):
        row = f"e,u,2024-04-03T12:00:00Z,{'x' * 100_000}\n"
        (tmp_path / name).write_text("event,distinct_id,timestamp,a\n" + row * 40)
    trial = Trial(asked("posthog", tmp_path, limit=100))
    found = trial.under(None)
    count = found["counts"]["all"]
    assert 0 < count < 40
    assert {one.place.rpartition(":")[0] for one in trial.rows} == {f"{tmp_path}/a.csv"}
    assert found["notes"][0] == ("note", f"the rows are long: the first {count} are looked at, and no more")
