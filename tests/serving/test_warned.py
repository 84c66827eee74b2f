"""A warning is told of the rows that it is of."""

from served import asked

from migrate.serving.trial import Trial

ROW = '{{"event":"{}","distinct_id":"{}","timestamp":"{}","properties":{}}}\n'
TIME = "2024-04-03T12:00:00Z"


def test_rows_are_told_their_warnings(tmp_path):
    """Those of events by what they are, others by the rows that counts name."""
    rows = [
        ("e", "u", TIME, "{}"),
        ("e", "null-ish", "1969-04-03T12:00:00Z", "{}"),
        ("$ai_generation", "unknown", TIME, '{"$ai_trace_id":"t"}'),
        ("$pageview", "12.0", TIME, "{}"),
        ("e", "u", TIME, '{"n":0.12345678901234567}'),
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(ROW.format(*row) for row in rows))
    trial = Trial(asked("posthog", path))
    found = trial.under(None)
    assert found["counts"]["warned"] == 4
    assert [sorted(one.warnings) for one in trial.rows] == [
        [],
        ["before_1970"],
        ["ai_lane", "junk_distinct_id", "no_ai_model"],
        ["float_like_id", "no_current_url"],
        ["long_decimal"],
    ]
