"""Questions are word for word what they are: texts quoted, times in UTC to the second, always with a limit."""

from datetime import UTC, datetime, timedelta, timezone

from migrate.asking import queries

SINCE = datetime(2024, 4, 3, 2, tzinfo=timezone(timedelta(hours=2)))


def test_what_is_asked_word_for_word():
    """The one that verifies: days and events of an import, rows beside distinct uuids."""
    assert queries.counts(SINCE, SINCE + timedelta(days=1), "it's") == (
        "select toDate(timestamp) as day, event, count() as events, count(distinct uuid) as uuids from events where "
        "timestamp >= toDateTime('2024-04-03 00:00:00') and timestamp < toDateTime('2024-04-04 00:00:00') and "
        "properties.$import_job_id = 'it\\'s' group by day, event order by day, event limit 50000"
    )


def test_what_is_of_others_may_have_no_import_id():
    """Events that no import sent have none, and null is not unequal."""
    asked = queries.newest(SINCE.astimezone(UTC), but="history")
    assert asked.endswith("(properties.$import_job_id is null or properties.$import_job_id != 'history')")


def test_texts_are_quoted():
    """A backslash is one, and a quote ends nothing."""
    assert queries.texts(["a", "\\' or"]) == "('a', '\\\\\\' or')"


def test_what_people_paste_is_the_same_range_and_the_same_import():
    """The predicate of an import, and the query for its uuids, page by page."""
    until = SINCE + timedelta(days=1)
    predicate = queries.is_of(SINCE, until, "history")
    assert predicate == (
        "timestamp >= toDateTime('2024-04-03 00:00:00') and timestamp < toDateTime('2024-04-04 00:00:00') and "
        "properties.$import_job_id = 'history'"
    )
    assert queries.every_uuid(SINCE, until, "history", after="0a") == (
        f"select distinct uuid from events where {predicate} and toString(uuid) > '0a' "  # noqa: S608 - as it is pasted
        "order by toString(uuid) limit 50000"
    )
