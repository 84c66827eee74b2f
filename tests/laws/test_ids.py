"""A word that means nothing is nobody; no other clock stands in for a time that cannot be read."""

from owned import changed, proof


def test_a_column_of_ids_that_is_not_declared_as_one_is_named(tmp_path):
    """With what it would do."""
    (broken,) = proof(tmp_path, changed(('ids=("who", "id")', 'ids=("id",)')))["ids"]
    assert broken == (
        f"{tmp_path}/a.jsonl:1",
        "with 'null' in 'who' the event is that of a person called so; name the column in ids",
        "who",
    )


def test_a_column_that_is_linked_is_one_of_ids(tmp_path):
    """Or everybody without one is one person."""
    text = changed(
        ("import events, expr", "import events, expr, links"),
        (
            "            to_events=to_events,\n",
            "            to_events=to_events,\n            to_links=to_links,\n",
        ),
        (
            "\nMAPPING",
            """
def to_links(rows, options):
    time = expr.timestamp(pl.col("at"))
    return links.linked(rows, anonymous=pl.col("what"), identified=pl.col("who"), time=time, why="seen")


MAPPING""",
        ),
    )
    (broken,) = proof(tmp_path, text)["ids"]
    assert (broken.column, broken.what) == (
        "what",
        "a word for nothing in 'what' is linked with other ids; name the column in ids",
    )


def test_a_time_that_cannot_be_read_makes_no_event(tmp_path):
    """Whatever else there is to put in its place."""
    text = changed(
        (
            'expr.timestamp(pl.col("at"), zone=options.source_timezone)',
            'expr.timestamp(pl.col("at")).fill_null(pl.datetime(2024, 1, 1, time_zone="UTC"))',
        )
    )
    (broken,) = proof(tmp_path, text)["ids"]
    assert broken.what == (
        "with 'soon' in 'at' it is an event all the same, at 2024-01-01T00:00:00.000000Z: name in times what its time "
        "is read from, and put no other clock in its place"
    )
    (broken,) = proof(tmp_path, changed(('            times=("at",),\n', "")))["ids"]
    assert broken.what == "times names no column, so that a time which cannot be read is not told from none"
