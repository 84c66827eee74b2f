"""What there is to undo, on a screen: what tells it from all else, and ready commands without any key."""

from dataclasses import replace

from migrate.report import undone
from migrate.undoing import Deleted, There

THERE = There("https://eu.posthog.com", 7, "Acme", "history", 1_000, "2024-04-03", "2024-04-08", 40)
PREDICATE = (
    "timestamp >= toDateTime('2024-04-03 00:00:00') and timestamp < toDateTime('2024-04-08 00:00:00') and "
    "properties.$import_job_id = 'history'"
)


def test_the_screen_has_what_there_is_and_ready_commands():
    """With the variable of the key, and never the key."""
    lines = [line.text for line in undone.lines(THERE, "migrate undo acme --delete-persons")]
    assert lines[0] == "there    1,000 events of import 'history' in project 7 (Acme), of 40 ids"
    assert lines[1] == f"told by  {PREDICATE}"
    assert lines[3].strip() == THERE.query
    assert f" where {PREDICATE} and toString(uuid) > '' order by toString(uuid) limit 50000" in THERE.query
    key = '-H "Authorization: Bearer $POSTHOG_PERSONAL_API_KEY"'
    assert f"         curl -X DELETE {key} https://eu.posthog.com/api/projects/7/" in lines
    assert "         migrate undo acme --delete-persons" in lines
    more = [line.text for line in undone.lines(replace(THERE, sent=900), "…")]
    assert (
        more[1].strip().startswith("900 were sent from here; the others are there twice, or another workdir")
    )
    gone = [line.text for line in undone.lines(replace(THERE, unknown=70), "…")]
    assert any(line.strip().startswith("of 70 events it is not known here whose they are") for line in gone)
    assert any("2024-04-03 to 2024-04-08 (UTC), with the predicate above" in line for line in lines)


def test_where_nothing_is_there_is_nothing_to_undo():
    """And no command is shown."""
    nothing = There("https://eu.posthog.com", 7, "", "history", 0, "2024-04-03", "2024-04-08", 40)
    assert [line.text for line in undone.lines(nothing, "…")] == [
        "there    0 events of import 'history' in project 7, of 40 ids",
        "         nothing is to be undone",
    ]


def test_what_became_of_people():
    """Who was deleted, and who stays, and why."""
    found = Deleted(people=3, others=1, unasked=2, failed=1)
    assert [line.text for line in undone.deleted(found)] == [
        "deleted  3 people with all of their events, which PostHog deletes on a weekend",
        "kept     1 person with events of another origin, and all of theirs",
        "kept     2 people of whom PostHog could not say in time what they have",
        "kept     1 person whom PostHog did not delete; run the same again",
    ]
    told = undone.document(THERE, found)
    assert (told["events"], told["predicate"], told["deleted"]["people"]) == (1_000, PREDICATE, 3)
    assert "deleted" not in undone.document(THERE, None)
