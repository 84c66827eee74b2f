"""Rules for questions meet questions, and those for queries queries alone."""

from migrate.sandbox.script import Script


def met(script, *questions):
    """The rules that each question meets, by class."""
    return [
        [type(one).__name__ for one in script.lapses(is_query=question == "query")] for question in questions
    ]


def test_each_rule_has_its_own_requests():
    """Neither counts those of the other: a rule for the second query does not mind how often the project was asked."""
    script = Script(
        [
            {"fault": "status", "times": 1},
            {"fault": "ask_status", "times": 1},
            {"fault": "cached", "after": 1},
            {"fault": "project"},
        ]
    )
    assert met(script, "project", "project", "query", "query") == [
        ["AskStatus", "Project"],
        ["Project"],
        ["Project"],
        ["Cached", "Project"],
    ]
    assert [type(one).__name__ for one in script.fired()] == ["Status"]
