"""Columns stand below one another."""

from migrate.report.tables import table


def test_a_column_is_as_wide_as_its_widest_cell():
    """Texts begin at one line, numbers end at one; no line ends with blanks, a column of nothing is none."""
    rows = [("a", "1,234,567", "", "x"), ("a longer one", "8", "", "")]
    assert [line.text for line in table(("what", "n", "", "how"), rows, texts={"what", "how"})] == [
        "what                  n  how",
        "a             1,234,567  x",
        "a longer one          8",
    ]


def test_a_table_without_rows_is_its_titles():
    """Nothing breaks."""
    assert [line.text for line in table(("a", "b"), [], texts={"a"})] == ["a  b"]
