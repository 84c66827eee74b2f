"""What is done with each file, in words for a log."""

from collections import Counter

from migrate.plan import diary
from migrate.workdir.parting import Together
from migrate.workdir.records import Numbers

NUMBERS = Numbers(
    read=6_010,
    mapped=5_001,
    filtered=Counter(a=1_002, b=1),
    rejected=Counter(bad_timestamp=2, no_distinct_id=4),
)


def test_a_file_alone_is_called_by_its_name():
    """With its rows by what became of them, the events made of them, and how long it took."""
    told = diary.planned(["a.csv"], NUMBERS, 7_003, 1.234)
    assert told.text == (
        "planned: a.csv: 6,010 rows: 5,001 mapped, 1,003 filtered, 6 rejected; 7,003 events, in 1.23 s"
    )
    assert told.fields == {
        "file": "a.csv",
        "files": 1,
        "rows": 6_010,
        "mapped": 5_001,
        "filtered": {"a": 1_002, "b": 1},
        "rejected": {"bad_timestamp": 2, "no_distinct_id": 4},
        "events": 7_003,
        "seconds": 1.234,
    }
    assert diary.looked_over(["a.csv"], 6_010, 0.056).text == "looked over: a.csv: 6,010 rows, in 0.06 s"


def test_files_that_were_taken_together_are_counted():
    """The first is named: a bundle may have a thousand."""
    names = [f"{number}.csv" for number in range(1_235)]
    told = diary.looked_over(names, 1, 0.0)
    assert told.text == "looked over: 0.csv and 1,234 more, together: 1 row, in 0.00 s"
    assert (told.fields["file"], told.fields["files"]) == ("0.csv", 1_235)


def test_days_that_are_put_together_are_told_from_the_first_to_the_last():
    """With their events, and how long it took."""
    told = diary.put_together(Together(365, "2024-01-01", "2024-12-30", 7_003, 1.234))
    assert told.text == "put together: 365 days, 2024-01-01 to 2024-12-30: 7,003 events, in 1.23 s"
    assert (told.event, told.fields["days"], told.fields["seconds"]) == ("days_put_together", 365, 1.234)
