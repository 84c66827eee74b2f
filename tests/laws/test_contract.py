"""What a mapping makes of rows has the schema it is to have, also of none."""

from owned import changed, proof


def test_a_frame_of_another_shape_is_named(tmp_path):
    """With the column, what is expected and what was found."""
    text = changed(
        ("return events.events(", "return (events.events("),
        (
            'extra={"acme_id": pl.col("id")},\n    )',
            'extra={"acme_id": pl.col("id")},\n    )).with_columns(more=pl.lit(1), event=pl.lit(2))',
        ),
    )
    (wrong, more) = proof(tmp_path, text)["contract"]
    assert (wrong.place, wrong.what) == ("events", "to_events: event: expected String, found Int32")
    assert more.what == "to_events: more: not a column of the event frame"


def test_rows_out_of_nothing_are_named(tmp_path):
    """A mapping makes no row of its own."""
    text = changed(("        rows,\n", "        pl.concat([rows, rows.select(pl.all().first())]),\n"))
    found = [one.what for one in proof(tmp_path, text)["contract"]]
    assert found == ["to_events: made 1 rows of none"]
