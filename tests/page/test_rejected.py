"""The first rows of each reason, as their files had them."""

from filled import REASON, REJECTED, made

from migrate.page.rejected import Row, gather
from migrate.report.numbers import summary
from migrate.workdir.rejects import FOLDER


def test_rows_are_shown_shortened_with_what_to_do(tmp_path):
    """Where they are, what they hold; whole ones where that is asked for, and none of a file that is lost."""
    with made(tmp_path) as checkpoint:
        numbers = summary(checkpoint)
        (short,) = gather(checkpoint, numbers, is_whole=False)
        (whole,) = gather(checkpoint, numbers, is_whole=True)
        (tmp_path / FOLDER / "00000001.jsonl").write_text("no JSON")
        (lost,) = gather(checkpoint, numbers, is_whole=False)
    assert (short.name, short.rows) == (REASON, REJECTED)
    assert short.how == "wanted in their `source`: an id, in `user_id` or `device_id`"
    assert [row.place for row in short.first] == [f"exports/a.jsonl.gz:{number}" for number in (1, 2, 3)]
    row = '{"user_id": "", "email": "an…", "event": "<img src=x onerror=alert(1)>", "n": 1}'
    assert short.first[0].source == row
    assert '"email":"anna@example.com"' in whole.first[0].source.replace(" ", "")
    assert lost.first[0] == Row("exports/a.jsonl.gz:1")
