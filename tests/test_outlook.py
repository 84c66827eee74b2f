"""What would become of first rows, as a platform's."""

import json

from samples import SAMPLES

from migrate.candidates import Candidates
from migrate.inputs.listing import sources
from migrate.outlook import Ahead
from migrate.readers.headers import read_header


def outlook(path):
    """What is foretold of a file."""
    (source,) = sources([str(path)]).sources
    candidates = Candidates([source.name])
    (candidate, *_) = candidates.of(source, read_header(source))
    ahead = Ahead(candidate, candidates, [source.name])
    ahead.look(source, candidate.header)
    return ahead.found


def test_rows_balance_and_have_their_places():
    """As the dry run says it of the same rows."""
    found = outlook(SAMPLES / "posthog" / "batch_export.jsonl")
    numbers = found.numbers
    assert numbers.read == numbers.mapped + sum(numbers.filtered.values()) + sum(numbers.rejected.values())
    assert sum(numbers.rejected.values()) > 0
    for reason in numbers.rejected:
        assert all("batch_export.jsonl:" in place for place in numbers.examples[reason])


def test_events_that_are_one_to_posthog_are_counted(tmp_path):
    """The same row twice."""
    line = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T12:00:00Z", "properties": {}}
    (tmp_path / "a.jsonl").write_text((json.dumps(line) + "\n") * 3)
    found = outlook(tmp_path / "a.jsonl")
    assert (found.events, found.duplicates) == (3, 2)


def test_a_zone_is_asked_for_where_times_depend_on_it(tmp_path):
    """And of some rows, where only some do."""
    line = {"event": "e", "distinct_id": "u", "properties": {}}
    times = ["2024-04-03T12:00:00Z", "2024-04-03T12:00:00"]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line | {"timestamp": one}) + "\n" for one in times))
    found = outlook(tmp_path / "a.jsonl")
    assert (found.placed, found.shifted) == (2, 1)
    clock = found.clock("PostHog")
    assert clock.zone == "unknown"
    assert clock.why == (
        "1 of 2 times end with an offset, 'Z'; the others with none, and PostHog writes its project's own clock, of "
        "1 of 2 rows"
    )


def test_no_time_where_there_is_no_event():
    """Rows that only tell who is who."""
    found = outlook(SAMPLES / "heap" / "user_migrations.csv")
    assert (found.events, found.clock("Heap")) == (0, None)
