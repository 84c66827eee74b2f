"""The screen of what was inspected; goldens of it are `tests/golden/screens/inspect-*.txt`."""

from migrate.inspecting import inspect
from migrate.inspection.columns import Column
from migrate.report.inspected import example, lines, title


def column(name, text):
    """A column with an example."""
    return Column(name=name, type="text", rows=1, values=1, distinct=1, example=text)


def test_examples_are_shortened():
    """Of ids and addresses to two letters, of all else to what fits; nothing steers the terminal, no key is shown."""
    assert example(column("user_id", "u-123456")) == "u-…"
    assert example(column("contact", "a@b.example")) == "a@…"
    assert example(column("E-Mail", "nobody")) == "no…"
    assert example(column("note", "x" * 99)) == "x" * 24 + "…"
    assert example(column("note", "a\n b\x1b[31m")) == "a b\\x1b[31m"
    assert example(column("note", "phc_0123456789abcdefghijWXYZ")) == "phc_***"
    assert example(column("note", "the key phc_0123456789abcdefghijWXYZ")) == "the key phc_***"
    assert example(Column(name="a", type="nothing", rows=0, values=0, distinct=0)) == ""


def test_many_columns_and_many_files_are_cut(tmp_path):
    """Unless all are asked for."""
    names = [f"column_{n}" for n in range(60)]
    for place in range(3):
        (tmp_path / f"{place}.csv").write_text(",".join(names) + "\n" + ",".join("1" * 60) + "\n")
    found = inspect([str(tmp_path)])
    short, whole = (
        "\n".join(line.text for line in lines(found, [], is_whole=all_)) for all_ in (False, True)
    )
    assert "column_39 " in short
    assert "column_40 " not in short
    assert "… and 20 more (-v)" in short
    assert "column_59 " in whole
    assert f"{tmp_path}/1.csv" not in short
    assert f"{tmp_path}/1.csv" in whole


def test_files_that_are_none_are_named(tmp_path):
    """So many, and then their number."""
    for n in range(20):
        (tmp_path / f"{n:02}.csv").write_text("<!doctype html>")
    found = inspect([str(tmp_path)])
    text = [line.text for line in lines(found, [], is_whole=False)]
    assert text[0] == "20 files in 0 kinds"
    assert sum(line.startswith("aside") for line in text) == 15
    assert text[-1].strip() == "… and 5 files more (-v)"


def test_titles(tmp_path):
    """Platform and table, or that none is known."""
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (kind,) = inspect([str(tmp_path)]).kinds
    assert title(kind) == "unknown: no platform here has these columns"
