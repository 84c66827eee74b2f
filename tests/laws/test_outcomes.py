"""What becomes of rows, each by its place."""

from owned import export, written

from migrate.kit.declare import Options
from migrate.laws.outcomes import outcomes
from migrate.laws.sample import Sample
from migrate.own import Own
from migrate.settings import Settings


def test_each_row_has_its_own(tmp_path):
    """An event, or why there is none; with one key for all what is in the key alone is in none of them."""
    own = Own(written(tmp_path))
    (of,) = Sample.of(Settings(platform="acme", own=own), [str(export(tmp_path / "a.jsonl"))]).rows
    rows = [{**of.rows[0], "at": "soon"}, of.rows[1], {**of.rows[1], "id": "other"}]
    done = outcomes(of, rows, Options())
    assert done.of_rows[0] == ["bad_timestamp soon"]
    assert [len(events) for events in done.events] == [0, 1, 1]
    assert done.events[1][0]["uuid"] == done.events[2][0]["uuid"]
    keyed = outcomes(of, rows, Options(), is_keyed=True)
    assert keyed.events[1][0]["uuid"] != keyed.events[2][0]["uuid"]
    assert outcomes(of, [], Options()).of_rows == []
